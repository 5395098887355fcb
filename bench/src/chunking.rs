//! How much of what answers a question do the best five chunks hold, and how little else?
//!
//! The measure of Chroma's "Evaluating Chunking Strategies for Retrieval" (Smith and Troynikov, 2024): every
//! question has gold spans in its document; the five chunks nearest to it by cosine are retrieved from all
//! documents together. Recall is the share of the gold characters that they hold, precision the share of
//! their characters that are gold (a character held twice counts twice below the line), IoU the overlap over
//! the union. Reported: means over the questions. Left out: the lexical leg, which would hide the chunker.

use base::{Chunk, Context as _, Document, Error, Kind, Limits, Result, Role};
use ingest::ChunkOptions;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Options of `ragstone-bench chunking`.
#[derive(clap::Args)]
pub struct Options {
    /// Folder with `questions_df.csv` and the documents it names (`NAME.md`).
    #[arg(long)]
    dir: PathBuf,
    /// Chunks retrieved for a question.
    #[arg(long, default_value_t = 5)]
    retrieved: usize,
    /// Settings to compare, as `chunker:tokens:overlap_tokens` or `sentence-window:tokens:window:overlap`.
    #[arg(long = "setting", default_values_t = DEFAULT.map(String::from))]
    settings: Vec<String>,
}

const DEFAULT: [&str; 12] = [
    "structure:200:0",
    "structure:200:20",
    "structure:200:40",
    "structure:200:60",
    "structure:100:0",
    "structure:140:30",
    "structure:250:50",
    "sentence-window:200:5:2",
    "sentence-window:200:3:1",
    "fixed:200:0",
    "fixed:200:40",
    "fixed:200:99",
];

struct Question {
    text: String,
    document: usize,
    /// Bytes of the document's text.
    gold: Vec<Range<usize>>,
}

/// Prints one row per setting.
pub fn run(options: &Options) -> Result<()> {
    let embedder = models::builtin()?;
    let (documents, questions) = load(&options.dir)?;
    let mut queries = Vec::new();
    let texts: Vec<&str> = questions.iter().map(|q| q.text.as_str()).collect();
    embedder.embed(&texts, Role::Query, &mut queries)?;
    println!("{} questions over {} documents, best {} chunks", questions.len(), documents.len(), options.retrieved);
    println!("| chunker:tokens:overlap | chunks | mean tokens | recall | precision | IoU |\n|---|---|---|---|---|---|");
    for setting in &options.settings {
        let (name, chunk_options) = parse(setting)?;
        let chunker = ingest::chunker(name, chunk_options)?;
        let mut chunks: Vec<(usize, Chunk)> = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let mut found = Vec::new();
            chunker.chunk(document, embedder.tokens(), &mut found)?;
            chunks.extend(found.into_iter().map(|c| (i, c)));
        }
        let texts: Vec<String> = chunks.iter().map(|(i, c)| searched(&documents[*i], c)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut rows = Vec::new();
        embedder.embed(&texts, Role::Passage, &mut rows)?;
        let dimension = embedder.spec().dimension;
        let mut sums = [0.0; 3];
        for (question, query) in questions.iter().zip(queries.chunks_exact(dimension)) {
            let mut ranked: Vec<(f32, usize)> = rows
                .chunks_exact(dimension)
                .enumerate()
                .map(|(i, row)| (row.iter().zip(query).map(|(a, b)| a * b).sum(), i))
                .collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let best = ranked.iter().take(options.retrieved).map(|&(_, i)| &chunks[i]);
            for (sum, value) in sums.iter_mut().zip(measure(question, &documents, best)) {
                *sum += value / questions.len() as f64;
            }
        }
        let tokens: u64 = chunks.iter().map(|(_, c)| u64::from(c.tokens)).sum();
        let [recall, precision, iou] = sums;
        println!(
            "| {setting} | {} | {:.0} | {recall:.3} | {precision:.3} | {iou:.3} |",
            chunks.len(),
            tokens as f64 / chunks.len() as f64
        );
    }
    Ok(())
}

/// What is embedded: the context above the text, as when indexing.
fn searched(document: &Document, chunk: &Chunk) -> String {
    let text = &document.text[chunk.range.clone()];
    if chunk.context.is_empty() { text.to_owned() } else { format!("{}\n{text}", chunk.context) }
}

/// Recall, precision and intersection over union of one question, in characters.
fn measure<'a>(
    question: &Question,
    documents: &[Document],
    best: impl Iterator<Item = &'a (usize, Chunk)>,
) -> [f64; 3] {
    let text = &documents[question.document].text;
    let mut gold = vec![false; text.len()];
    question.gold.iter().for_each(|g| gold[g.clone()].fill(true));
    let count = |flags: &[bool]| text.char_indices().filter(|&(i, _)| flags[i]).count() as f64;
    let gold_length = count(&gold);
    let mut retrieved = 0.0;
    let mut held = vec![false; text.len()];
    for (document, chunk) in best {
        retrieved += documents[*document].text[chunk.range.clone()].chars().count() as f64;
        if *document == question.document {
            held[chunk.range.clone()].copy_from_slice(&gold[chunk.range.clone()]);
        }
    }
    let found = count(&held);
    [found / gold_length, found / retrieved, found / (retrieved + gold_length - found)]
}

fn parse(setting: &str) -> Result<(&str, ChunkOptions)> {
    let bad = || Error::new(Kind::BadInput, format!("`{setting}` is no setting; expected `chunker:tokens:overlap`"));
    let mut parts = setting.split(':');
    let name = parts.next().unwrap_or("");
    let numbers: Vec<usize> = parts.map(str::parse).collect::<std::result::Result<_, _>>().map_err(|_| bad())?;
    let options = ChunkOptions::default();
    match numbers[..] {
        [tokens, window_sentences, overlap_sentences] => {
            Ok((name, ChunkOptions { tokens, window_sentences, overlap_sentences, overlap_tokens: 0 }))
        }
        [tokens, overlap_tokens] => Ok((name, ChunkOptions { tokens, overlap_tokens, ..options })),
        _ => Err(bad()),
    }
}

fn load(dir: &Path) -> Result<(Vec<Document>, Vec<Question>)> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io(format!("reading {}", path.display()), e));
    let path = dir.join("questions_df.csv");
    let table = read(&path)?;
    let wrong = || format!("reading {}", path.display());
    let mut names: Vec<String> = Vec::new();
    let mut documents: Vec<Document> = Vec::new();
    let mut questions = Vec::new();
    for row in csv::Reader::from_reader(table.as_slice()).records() {
        let row = row.context(Kind::BadInput, wrong)?;
        let (Some(text), Some(references), Some(name)) = (row.get(0), row.get(1), row.get(2)) else {
            return Err(Error::new(Kind::BadInput, format!("{}: a row has less than three columns", wrong())));
        };
        let document = match names.iter().position(|n| n == name) {
            Some(known) => known,
            None => {
                let file = format!("{name}.md");
                documents.push(ingest::extract(&file, &read(&dir.join(&file))?, &Limits::default())?);
                names.push(name.to_owned());
                documents.len() - 1
            }
        };
        let references: Vec<serde_json::Value> = serde_json::from_str(references).context(Kind::BadInput, wrong)?;
        let content = &documents[document].text;
        // Offsets count characters; Markdown text is the file's own, so they hold in it.
        let byte = |n: &serde_json::Value| {
            let n = n.as_u64().unwrap_or(u64::MAX) as usize;
            content.char_indices().nth(n).map_or(content.len(), |(i, _)| i)
        };
        let mut gold = Vec::new();
        for reference in &references {
            let range = byte(&reference["start_index"])..byte(&reference["end_index"]);
            if content.get(range.clone()) != reference["content"].as_str() {
                let what = format!("{}: a span of {text:?} is not what the document says at {range:?}", wrong());
                return Err(Error::new(Kind::BadInput, what));
            }
            gold.push(range);
        }
        questions.push(Question { text: text.to_owned(), document, gold });
    }
    Ok((documents, questions))
}
