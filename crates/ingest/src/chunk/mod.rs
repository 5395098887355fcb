//! Documents to chunks: each chunker is one file and one line of [`CHUNKERS`].

mod atom;
mod code;
mod context;
mod fixed;
mod pack;
mod prose;
mod sentence_window;
mod structure;
mod table;
mod units;
mod whole;

pub(crate) use code::is_definition;
pub(crate) use table::header as table_header;

use base::{Chunker, Entry, Error, Kind, Result};

/// Settings of a chunker. What one does not use, it ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkOptions {
    /// Longest chunk in tokens of the embedder, context included, special tokens not; 16 to 8192. The caller
    /// keeps it below the embedder's own limit.
    pub tokens: usize,
    /// Most tokens that a chunk repeats from the end of the one before it, in whole sentences (`structure`)
    /// or exactly (`fixed`); less than half of `tokens`.
    pub overlap_tokens: usize,
    /// Sentences of a window (`sentence-window`), 1 to 64.
    pub window_sentences: usize,
    /// Sentences that a window shares with the one before it; less than `window_sentences`.
    pub overlap_sentences: usize,
}

impl Default for ChunkOptions {
    /// Chosen by `ragstone-bench chunking`; the figures are in `bench/results/chunking.md`.
    fn default() -> Self {
        ChunkOptions { tokens: 200, overlap_tokens: 40, window_sentences: 5, overlap_sentences: 2 }
    }
}

impl ChunkOptions {
    fn check(&self) -> Result<()> {
        let bad = |what: String| Err(Error::new(Kind::BadInput, what));
        if !(16..=8192).contains(&self.tokens) {
            return bad(format!("chunk size is {} tokens; expected 16 to 8192", self.tokens));
        }
        if self.overlap_tokens * 2 >= self.tokens {
            let (overlap, tokens) = (self.overlap_tokens, self.tokens);
            return bad(format!(
                "chunk overlap is {overlap} tokens; expected less than half of the {tokens} of a chunk"
            ));
        }
        if !(1..=64).contains(&self.window_sentences) {
            return bad(format!("a window has {} sentences; expected 1 to 64", self.window_sentences));
        }
        if self.overlap_sentences >= self.window_sentences {
            let (overlap, window) = (self.overlap_sentences, self.window_sentences);
            return bad(format!("windows overlap by {overlap} sentences; expected less than the {window} of a window"));
        }
        Ok(())
    }
}

/// How a chunker is opened; the options were checked.
pub type OpenChunker = fn(ChunkOptions) -> Box<dyn Chunker>;

/// Every chunker, the default first.
pub static CHUNKERS: &[Entry<OpenChunker>] =
    &[structure::STRUCTURE, sentence_window::ENTRY, fixed::ENTRY, structure::CODE, whole::ENTRY];

/// The chunker called `name`.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown name, [`Kind::BadInput`] for options out of range.
pub fn chunker(name: &str, options: ChunkOptions) -> Result<Box<dyn Chunker>> {
    options.check()?;
    let Some(entry) = CHUNKERS.iter().find(|e| e.name == name) else {
        let names: Vec<&str> = CHUNKERS.iter().map(|e| e.name).collect();
        return Err(Error::new(Kind::NotFound, format!("there is no chunker `{name}`"))
            .hint(format!("use one of: {}", names.join(", "))));
    };
    Ok((entry.open)(options))
}

#[cfg(test)]
mod tests;
