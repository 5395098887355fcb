//! Development tasks: `cargo xtask TASK`.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod model;

#[derive(Parser)]
#[command(about = "Development tasks of Ragstone")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The file of the built-in embedding model.
    #[command(subcommand)]
    Model(model::Task),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Model(task) => model::run(task),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            if let Some(hint) = error.hint_line() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
