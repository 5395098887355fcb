//! Ragstone: find, quote and cite what your documents say.
//!
//! This crate is the program and the wiring: the only room that knows all the others. [`wire`] is where names
//! of the configuration become parts; `commands` has one file per command.
//!
//! ```no_run
//! use ragstone::{config::Resolved, wire};
//! use base::Store;
//!
//! // Index a folder into `.ragstone`, then list what was read.
//! let settings = Resolved::load(None, std::iter::empty(), &[])?.settings();
//! let summary = wire::index(&["papers".into()], "stdin.txt", &settings, &mut |_| {})?;
//! println!("{} files indexed, {} failed", summary.indexed, summary.failed.len());
//! for document in wire::open(&settings)?.snapshot()?.documents()? {
//!     println!("{} ({} chunks)", document.source, document.chunks);
//! }
//! # Ok::<(), base::Error>(())
//! ```

mod args;
mod commands;
pub mod config;
mod exit;
mod terminal;
pub mod wire;

use args::{Cli, Command};
use base::{Error, Kind};
use clap::Parser;
use commands::Context;
use std::process::ExitCode;
use terminal::Terminal;

/// The program: reads the command line, runs the command, shows what went wrong.
pub fn cli() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // `--help` and `--version` arrive here too, with code 0. A closed pipe is no failure.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    if matches!(cli.command, Command::ExtractWorker) {
        return ingest::sandbox::worker_main();
    }
    let terminal = Terminal::new(cli.global.json, cli.global.quiet);
    std::panic::set_hook(Box::new(|_| {}));
    match std::panic::catch_unwind(|| run(cli, terminal)) {
        Ok(code) => ExitCode::from(code),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let what = format!("Ragstone made a mistake: {}", said.unwrap_or("unknown"));
            let error = Error::new(Kind::Bug, what).hint("please report this with the command that led to it");
            exit::report(&error, &terminal);
            ExitCode::from(exit::code(Kind::Bug))
        }
    }
}

fn run(cli: Cli, terminal: Terminal) -> u8 {
    let file = config::find_file(cli.global.config.clone());
    let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let resolved = match config::Resolved::load(file, variables, &cli.overrides()) {
        Ok(resolved) => resolved,
        Err(error) => {
            exit::report(&error, &terminal);
            return exit::USAGE;
        }
    };
    let settings = resolved.settings();
    let context = Context { resolved, settings, terminal };
    let result = commands::run(cli.command, &context);
    wire::notices().iter().for_each(|notice| terminal.remark(notice));
    match result {
        Ok(code) => code,
        Err(error) => {
            exit::report(&error, &terminal);
            exit::code(error.kind())
        }
    }
}
