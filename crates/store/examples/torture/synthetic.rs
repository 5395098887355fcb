//! Documents of real paragraphs with vectors drawn at random.

use base::{
    BlockKind, Chunk, DocumentBuilder, EmbedSpec, Error, FileStamp, Kind, Locator, Metric, NewChunk, NewDocument,
    Result,
};
use std::path::Path;
use testkit::Random;

pub const CHUNKS_IN_DOCUMENT: u64 = 50;

/// The lines of a text file that have more than twenty words.
pub fn paragraphs(file: &Path) -> Result<Vec<String>> {
    let read = std::fs::read(file).map_err(|e| Error::io(format!("reading {}", file.display()), e))?;
    let text = String::from_utf8_lossy(&read);
    let lines = text.split('\n').filter(|p| p.split_whitespace().count() > 20);
    let paragraphs: Vec<String> = lines.map(|line| line.chars().take(1000).collect()).collect();
    match paragraphs.is_empty() {
        true => Err(Error::new(Kind::BadInput, "the text has no line of more than twenty words")),
        false => Ok(paragraphs),
    }
}

pub fn spec(dimension: usize) -> EmbedSpec {
    let name = || String::from("synthetic");
    EmbedSpec { name: name(), dimension, metric: Metric::Cosine, max_tokens: 256, fingerprint: name() }
}

pub fn vector(dimension: usize, random: &mut Random) -> Vec<f32> {
    (0..dimension).map(|_| random.below(2000) as f32 / 1000.0 - 1.0).collect()
}

pub fn document(number: u64, paragraphs: &[String], dimension: usize, random: &mut Random) -> NewDocument {
    short_document(number, CHUNKS_IN_DOCUMENT, paragraphs, dimension, random)
}

/// A document of so many chunks.
pub fn short_document(
    number: u64,
    chunks: u64,
    paragraphs: &[String],
    dimension: usize,
    random: &mut Random,
) -> NewDocument {
    let mut builder = DocumentBuilder::new("text");
    for i in 0..chunks {
        let paragraph = &paragraphs[((number * CHUNKS_IN_DOCUMENT + i) % paragraphs.len() as u64) as usize];
        builder.block(
            BlockKind::Paragraph,
            Locator::default(),
            &format!("{paragraph} ({} {number})", random.below(1000)),
        );
    }
    let document = builder.finish();
    let chunks = document.blocks.iter().map(|block| NewChunk {
        chunk: Chunk { range: block.range.clone(), context: format!("Part {number}"), tokens: 200 },
        vector: vector(dimension, random),
    });
    let chunks = chunks.collect();
    let source = format!("{number}.txt");
    NewDocument { path: format!("/synthetic/{source}"), source, stamp: FileStamp::default(), document, chunks }
}
