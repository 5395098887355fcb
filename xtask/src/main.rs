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
    /// The long versions of the store's torture tests; see crates/store/examples/torture/main.rs.
    Torture {
        /// Task and options, such as `crashes --workloads 400`.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Model(task) => model::run(task),
        Task::Torture { words } => torture(&words),
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

/// Runs the program beside the store's tests: it needs the store, which the other tasks do not.
fn torture(words: &[String]) -> base::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "--release", "-p", "ragstone-store", "--example", "torture", "--"])
        .args(words)
        .status()
        .map_err(|e| base::Error::io("starting cargo", e))?;
    match status.success() {
        true => Ok(()),
        false => Err(base::Error::new(base::Kind::Bug, "the torture run failed; its report is above")),
    }
}
