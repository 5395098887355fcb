//! One file per command: arguments in, work done by the other rooms, a result shown, an exit code out.

mod ask;
mod completions;
mod config;
mod context;
mod eval;
mod explain;
mod index;
mod ls;
mod models;
mod parts;
mod question;
mod rm;
mod search;
mod status;
mod text;
mod upkeep;

pub use context::Context;

use crate::args::Command;
use base::{Error, Kind, Result};

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
