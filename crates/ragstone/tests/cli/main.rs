//! The program as a user meets it: command lines in, text, JSON and exit codes out.

mod advice;
mod ask;
mod bad_inputs;
mod config;
mod eval;
mod handbook;
mod hostile_pdf;
mod incremental;
mod llm;
mod models;
mod run;
mod upkeep;
mod words;
