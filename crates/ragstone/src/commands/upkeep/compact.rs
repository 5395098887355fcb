//! `ragstone compact`

use crate::args::CompactArgs;
use crate::commands::context::Context;
use crate::terminal::{count, size};
use crate::{exit, wire};
use base::Result;

pub(super) fn run(args: &CompactArgs, context: &Context) -> Result<u8> {
    let done = wire::open_to_write(&context.settings)?.compact(args.purge)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&done)?;
    } else if !terminal.quiet {
        let (segments, bytes) = (done.segments, done.bytes);
        terminal.line(&format!(
            "{}, now {}; {} folded in; {}, now {}",
            count(segments.0 as usize, "segment"),
            segments.1,
            count(done.deleted_chunks as usize, "deleted chunk"),
            size(bytes.0),
            size(bytes.1)
        ))?;
    }
    Ok(exit::OK)
}
