//! `ragstone compact`

use crate::args::CompactArgs;
use crate::commands::context::Context;
use crate::terminal::size;
use crate::{exit, wire};
use base::Result;

pub(super) fn run(args: &CompactArgs, context: &Context) -> Result<u8> {
    let done = wire::open_to_write(&context.settings)?.compact(args.purge)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&done)?;
    } else if !terminal.quiet {
        let (segments, bytes) = (done.segments, done.bytes);
        let gone = done.deleted_chunks;
        terminal.line(&format!(
            "{} segments, now {}; {gone} deleted chunks folded in; {}, now {}",
            segments.0,
            segments.1,
            size(bytes.0),
            size(bytes.1)
        ))?;
    }
    Ok(exit::OK)
}
