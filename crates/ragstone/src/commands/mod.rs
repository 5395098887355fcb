//! One file per command: arguments in, work done by the other rooms, a result shown, an exit code out.

mod ask;
mod completions;
mod config;
mod eval;
mod index;
mod ls;
mod models;
mod parts;
mod rm;
mod search;
mod status;
mod text;
mod upkeep;

pub use models::Models;
pub use upkeep::Upkeep;

use crate::args::Command;
use crate::config::{Resolved, Settings};
use crate::terminal::Terminal;
use base::{Error, Kind, Result};
use std::io::Read;

/// What every command may use.
pub struct Context {
    /// Every setting and its origin.
    pub resolved: Resolved,
    /// The settings as values.
    pub settings: Settings,
    /// Where results go.
    pub terminal: Terminal,
}

/// Runs `command`; the number is the exit code.
pub fn run(command: Command, context: &Context) -> Result<u8> {
    match command {
        Command::Index(args) => index::run(args, context),
        Command::Ask(args) => ask::run(args, context),
        Command::Search(args) => search::run(args, context),
        Command::Status => status::run(context),
        Command::Ls(args) => ls::run(args, context),
        Command::Rm(args) => rm::run(args, context),
        Command::Text(args) => text::run(args, context),
        Command::Parts => parts::run(context),
        Command::Config => config::run(context),
        Command::Eval(args) => eval::run(args, context),
        Command::Completions { shell } => completions::run(shell, context),
        Command::Models(command) => models::run(command, context),
        Command::Upkeep(command) => upkeep::run(command, context),
        // Handled before any setting is read: the worker must start in no time.
        Command::ExtractWorker => Err(Error::new(Kind::Bug, "the worker was started as a command")),
    }
}

/// Longest question read from standard input, bytes.
const QUESTION_BYTES_MAX: u64 = 1 << 20;

/// `text`, or all of standard input when it is `-`.
fn question(text: String) -> Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(QUESTION_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("reading the question from standard input", e))?;
    if bytes.len() as u64 > QUESTION_BYTES_MAX {
        return Err(Error::new(Kind::BadInput, "the question on standard input is longer than 1 MiB")
            .hint("index long texts with `ragstone index -` and ask a short question"));
    }
    String::from_utf8(bytes)
        .map_err(|e| Error::new(Kind::BadInput, "the question on standard input is not UTF-8").because(e))
}

/// `bytes` as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// `1 file`, `2 files`.
fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
