//! `ragstone reembed`

use crate::args::ReembedArgs;
use crate::commands::context::Context;
use crate::{exit, wire};
use base::Result;

pub(super) fn run(args: &ReembedArgs, context: &Context) -> Result<u8> {
    let collection = wire::open_to_write(&context.settings)?;
    let embedder = wire::open_embedder(&args.model, context.settings.precision)?;
    let terminal = &context.terminal;
    terminal.remark("it can be stopped at any time (Ctrl-C): searches keep the old vectors, and the next run goes on");
    let mut last = 0;
    let mut progress = |done: u64, total: u64| {
        let percent = done * 100 / total.max(1);
        if percent >= last + 5 {
            last = percent;
            terminal.remark(&format!("{percent} % of {total} chunks"));
        }
    };
    let (_, report) = collection.reembed(&*embedder, &engine::ingest::embedded_text, &mut progress)?;
    if terminal.json {
        terminal.json(&report)?;
    } else if !terminal.quiet {
        let spec = embedder.spec();
        let earlier = match report.resumed {
            0 => String::new(),
            resumed => format!(" ({resumed} of them made by an earlier run)"),
        };
        terminal.line(&format!("{} chunks now have vectors of {}{earlier}", report.chunks, spec.name))?;
        terminal.line(&format!(
            "of the ten nearest of {} sampled chunks {:.0} % are the same as before",
            report.sampled,
            report.overlap * 100.0
        ))?;
        terminal.line("set `embedder` in ragstone.toml (or --embedder) to the same model from now on")?;
    }
    Ok(exit::OK)
}
