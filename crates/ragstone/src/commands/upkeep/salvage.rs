//! `ragstone salvage`

use crate::args::SalvageArgs;
use crate::commands::context::Context;
use crate::exit;
use crate::terminal::count;
use base::Result;
use std::sync::Arc;
use store::{Collection, RealStorage};

pub(super) fn run(args: &SalvageArgs, context: &Context) -> Result<u8> {
    let salvage = Collection::salvage(Arc::new(RealStorage), &context.settings.collection, &args.into)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&salvage)?;
    } else {
        for lost in &salvage.lost {
            terminal.line(&format!("lost: {lost}"))?;
        }
        terminal.line(&format!("saved {} to {}", count(salvage.saved as usize, "document"), args.into.display()))?;
    }
    Ok(if salvage.lost.is_empty() { exit::OK } else { exit::BAD_INPUT })
}
