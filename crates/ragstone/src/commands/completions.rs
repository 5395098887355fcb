//! `ragstone completions SHELL`.

use super::context::Context;
use crate::args::Cli;
use crate::exit;
use base::Result;
use clap::CommandFactory;
use clap_complete::Shell;

pub(super) fn run(shell: Shell, context: &Context) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ragstone", &mut script);
    context.terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(exit::OK)
}
