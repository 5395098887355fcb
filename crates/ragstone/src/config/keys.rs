//! Every setting: its name, what it means, what it may be.
//!
//! A new setting is one line here and one field in [`super::Settings`]. From the line follow the key in
//! `ragstone.toml`, the environment variable, the check, and the row of `ragstone config`.

use base::Scoring;

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Any text.
    Text,
    /// A whole number within bounds, both inclusive.
    Integer(u64, u64),
    /// A number within bounds, both inclusive.
    Number(f64, f64),
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Dotted name: `table.key` in `ragstone.toml`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What it may be.
    pub shape: Shape,
    /// What it is when nobody says; empty means unset.
    pub default: &'static str,
}

const fn key(name: &'static str, default: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, about, shape, default }
}

/// All settings, in the order in which `ragstone config` shows them.
pub static KEYS: &[Key] = &[
    key("collection", ".ragstone", Shape::Text, "folder that holds the index"),
    key(
        "embedder",
        "minilm",
        Shape::Text,
        "embedding model: a name from `ragstone parts` or `ragstone models ls`, or a folder",
    ),
    key(
        "precision",
        "auto",
        Shape::Choice(&["auto", "f32", "bf16", "int16", "int8"]),
        "numbers that the embedding model multiplies; int8 is the quickest and the least exact",
    ),
    key("threads", "0", Shape::Integer(0, 1024), "worker threads; 0 means one per core"),
    key("chunk.strategy", "structure", Shape::Text, "how documents are cut: a name from `ragstone parts`"),
    key("chunk.tokens", "200", Shape::Integer(16, 8192), "longest chunk in tokens of the embedding model"),
    key("search.retriever", "hybrid", Shape::Choice(&["bm25", "dense", "hybrid"]), "which index answers"),
    key("search.k", "10", Shape::Integer(1, 1000), "passages returned by `search`"),
    key("search.weight", "0.5", Shape::Number(0.0, 1.0), "share of meaning (dense) against words (bm25) in hybrid"),
    key("search.scoring", "lucene", Shape::Choice(&Scoring::NAMES), "how words are scored, also in hybrid"),
    key("search.k1", "1.2", Shape::Number(0.0, 100.0), "saturation of word frequency in BM25; 0 ignores frequency"),
    key("search.b", "0.75", Shape::Number(0.0, 1.0), "how much BM25 lowers long passages; 0 ignores length"),
    key("search.headings_weight", "0", Shape::Number(0.0, 1000.0), "what words in the headings count besides"),
    key(
        "search.proximity",
        "0",
        Shape::Number(0.0, 1000.0),
        "what neighbouring words count besides where they are close",
    ),
    key("search.typos", "false", Shape::Switch, "whether words that occur nowhere stand for the closest that do"),
    key(
        "search.reranker",
        "",
        Shape::Text,
        "model that orders the first passages anew: a pulled model's name, or a folder",
    ),
    key("search.rerank_depth", "30", Shape::Integer(1, 1000), "how many passages the reranker sees"),
    key("answer.sentences", "3", Shape::Integer(1, 10), "longest extractive answer in sentences"),
    key("generator.base_url", "", Shape::Text, "OpenAI-compatible endpoint such as http://localhost:11434/v1"),
    key("generator.model", "", Shape::Text, "name of the language model at the endpoint"),
    key("generator.api_key_env", "", Shape::Text, "environment variable that holds the endpoint's key"),
    key("generator.timeout_s", "120", Shape::Integer(1, 3600), "longest wait for a whole answer, seconds"),
    key("generator.evidence_tokens", "1500", Shape::Integer(100, 1_000_000), "evidence handed to the model, tokens"),
    key("generator.answer_tokens", "500", Shape::Integer(16, 100_000), "longest answer of the model, tokens"),
    key("ingest.hidden", "false", Shape::Switch, "whether hidden files are read"),
    key("ingest.gitignore", "true", Shape::Switch, "whether .gitignore files are honoured"),
    key("ingest.file_mb", "256", Shape::Integer(1, 65_536), "largest file read, MiB"),
    key("ingest.time_s", "60", Shape::Integer(1, 86_400), "longest time for one file, seconds"),
    key("ingest.memory_mb", "2048", Shape::Integer(64, 1_048_576), "memory of the process that parses files, MiB"),
];

/// The setting called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.name == name)
}

/// The name of a setting most like `wrong`, if any is close.
pub fn nearest(wrong: &str) -> Option<&'static str> {
    let last = |s: &str| s.rsplit('.').next().unwrap_or(s).to_owned();
    let score = |k: &Key| {
        let whole = strsim::jaro_winkler(wrong, k.name);
        whole.max(strsim::jaro_winkler(&last(wrong), &last(k.name)) * 0.95)
    };
    let best = KEYS.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.8).then_some(best.name)
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("RAGSTONE_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Says what is wrong with `value`, if anything.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let expected = match self.shape {
            Shape::Text => return Ok(()),
            Shape::Integer(low, high) => {
                if value.parse::<u64>().is_ok_and(|v| (low..=high).contains(&v)) {
                    return Ok(());
                }
                format!("a whole number from {low} to {high}")
            }
            Shape::Number(low, high) => {
                if value.parse::<f64>().is_ok_and(|v| v >= low && v <= high) {
                    return Ok(());
                }
                format!("a number from {low} to {high}")
            }
            Shape::Choice(words) => {
                if words.contains(&value) {
                    return Ok(());
                }
                format!("one of {}", words.join(", "))
            }
            Shape::Switch => {
                if matches!(value, "true" | "false") {
                    return Ok(());
                }
                "true or false".to_owned()
            }
        };
        Err(format!("expected {expected}, found {value:?}"))
    }
}
