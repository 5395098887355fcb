//! Commands that look after a collection: is it whole, make it smaller, copy it, move it, forget something.

mod advice;
mod backup;
mod compact;
mod erase;
mod exchange;
mod reembed;
mod salvage;
mod verify;

use crate::args::Upkeep;
use crate::commands::context::Context;

/// Runs one of them; the number is the exit code.
pub(super) fn run(command: Upkeep, context: &Context) -> base::Result<u8> {
    match command {
        Upkeep::Verify(args) => verify::run(&args, context),
        Upkeep::Salvage(args) => salvage::run(&args, context),
        Upkeep::Compact(args) => compact::run(&args, context),
        Upkeep::Erase(args) => erase::run(&args, context),
        Upkeep::Backup(args) => backup::run(&args, context),
        Upkeep::Restore(args) => backup::restore(&args, context),
        Upkeep::Export(args) => exchange::export(&args, context),
        Upkeep::Import(args) => exchange::import(&args, context),
        Upkeep::Reembed(args) => reembed::run(&args, context),
        Upkeep::IndexAdvice(args) => advice::run(&args, context),
    }
}
