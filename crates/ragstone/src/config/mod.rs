//! Settings from four places: defaults, `ragstone.toml`, `RAGSTONE_*` variables, flags; the later wins.
//!
//! All problems are collected and reported together, so that a person fixes a file once.

mod file;
pub use file::find as find_file;
pub mod keys;

use base::{Error, Kind, Limits, Result};
use keys::{KEYS, Key};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Variable(String),
    /// This flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Variable(name) => write!(f, "${name}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A setting given on the command line.
#[derive(Clone, Debug)]
pub struct Override {
    /// The setting.
    pub key: &'static str,
    /// The flag, for messages.
    pub flag: &'static str,
    /// Its value.
    pub value: String,
}

/// Every setting's value and origin.
#[derive(Clone, Debug)]
pub struct Resolved(BTreeMap<&'static str, (String, Origin)>);

impl Resolved {
    /// Reads all four places.
    ///
    /// # Errors
    /// [`Kind::BadInput`] that lists every unknown key and every value out of bounds.
    pub fn load(
        file: Option<PathBuf>,
        variables: impl Iterator<Item = (String, String)>,
        flags: &[Override],
    ) -> Result<Self> {
        let default = |k: &Key| (k.name, (k.default.to_owned(), Origin::Default));
        let mut values: BTreeMap<_, _> = KEYS.iter().map(default).collect();
        let mut problems = Vec::new();
        if let Some(path) = file {
            file::read(&path, &mut values, &mut problems)?;
        }
        for (name, value) in variables.filter(|(name, _)| name.starts_with("RAGSTONE_")) {
            // Read by other parts: the file itself, where models are cached, the kernels' instruction set.
            if matches!(name.as_str(), "RAGSTONE_CONFIG" | "RAGSTONE_CACHE") {
                continue;
            }
            if name == "RAGSTONE_SIMD" {
                if let Some(Err(found)) = kernels::forced() {
                    let levels = kernels::LEVELS.iter().filter(|l| l.available()).map(|l| l.name());
                    let levels = levels.collect::<Vec<_>>().join(", ");
                    problems.push(format!("${name}: expected a level of this machine ({levels}), found {found:?}"));
                }
                continue;
            }
            let Some(key) = KEYS.iter().find(|k| k.variable() == name) else {
                let dotted = name["RAGSTONE_".len()..].to_lowercase().replace('_', ".");
                let meant = keys::nearest(&dotted).and_then(keys::find).map(Key::variable);
                problems.push(format!("${name}: there is no such setting{}", did_you_mean(meant.as_deref())));
                continue;
            };
            match key.check(&value) {
                Ok(()) => drop(values.insert(key.name, (value, Origin::Variable(name)))),
                Err(why) => problems.push(format!("${name}: {why}")),
            }
        }
        for flag in flags {
            let Some(key) = keys::find(flag.key) else {
                return Err(Error::new(Kind::Bug, format!("flag {} sets unknown {}", flag.flag, flag.key)));
            };
            match key.check(&flag.value) {
                Ok(()) => drop(values.insert(key.name, (flag.value.clone(), Origin::Flag(flag.flag)))),
                Err(why) => problems.push(format!("{}: {why}", flag.flag)),
            }
        }
        if problems.is_empty() {
            return Ok(Resolved(values));
        }
        let what = match &problems[..] {
            [one] => format!("the configuration is wrong: {one}"),
            many => format!("the configuration is wrong in {} places:\n  {}", many.len(), many.join("\n  ")),
        };
        Err(Error::new(Kind::BadInput, what).hint("`ragstone config` lists every setting and what it may be"))
    }

    /// Rows for `ragstone config`: setting, value, origin.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Key, &str, &Origin)> {
        KEYS.iter().map(|k| {
            let (value, origin) = &self.0[k.name];
            (k, value.as_str(), origin)
        })
    }

    /// Whether nobody set `name`.
    pub fn is_default(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, origin)| *origin == Origin::Default)
    }

    fn text(&self, name: &str) -> String {
        self.0.get(name).map_or_else(String::new, |(v, _)| v.clone())
    }

    fn integer(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }

    fn switch(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// The values as the parts want them. Every value was checked when it was loaded.
    pub fn settings(&self) -> Settings {
        let some = |name| Some(self.text(name)).filter(|v| !v.is_empty());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.integer("threads") as usize;
        Settings {
            collection: PathBuf::from(self.text("collection")),
            embedder: self.text("embedder"),
            precision: kernels::Kind::parse(&self.text("precision")),
            threads: if threads == 0 { cores } else { threads },
            chunk_strategy: self.text("chunk.strategy"),
            chunk_tokens: self.integer("chunk.tokens") as usize,
            retriever: self.text("search.retriever"),
            k: self.integer("search.k") as usize,
            weight: self.text("search.weight").parse().unwrap_or(0.5),
            scoring: self.text("search.scoring"),
            k1: self.text("search.k1").parse().unwrap_or(1.2),
            b: self.text("search.b").parse().unwrap_or(0.75),
            headings_weight: self.text("search.headings_weight").parse().unwrap_or(0.0),
            proximity: self.text("search.proximity").parse().unwrap_or(0.0),
            typos: self.switch("search.typos"),
            reranker: some("search.reranker"),
            rerank_depth: self.integer("search.rerank_depth") as usize,
            sentences: self.integer("answer.sentences") as usize,
            generator: some("generator.base_url").map(|base_url| GeneratorSettings {
                base_url,
                model: self.text("generator.model"),
                api_key_env: some("generator.api_key_env"),
                timeout: Duration::from_secs(self.integer("generator.timeout_s")),
                evidence_tokens: self.integer("generator.evidence_tokens") as usize,
                answer_tokens: self.integer("generator.answer_tokens") as u32,
            }),
            hidden: self.switch("ingest.hidden"),
            gitignore: self.switch("ingest.gitignore"),
            limits: Limits {
                file_bytes_max: self.integer("ingest.file_mb") << 20,
                time: Duration::from_secs(self.integer("ingest.time_s")),
                memory_bytes_max: self.integer("ingest.memory_mb") << 20,
                ..Limits::default()
            },
        }
    }
}

/// What the parts are told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the collection.
    pub collection: PathBuf,
    /// Name or folder of the embedding model.
    pub embedder: String,
    /// What it multiplies; what suits it if `None`.
    pub precision: Option<kernels::Kind>,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Name of the chunker.
    pub chunk_strategy: String,
    /// Longest chunk.
    pub chunk_tokens: usize,
    /// Name of the retriever.
    pub retriever: String,
    /// Passages returned by a search.
    pub k: usize,
    /// Share of the dense score in hybrid search.
    pub weight: f32,
    /// Name of the scoring of words.
    pub scoring: String,
    /// Saturation of frequency in BM25.
    pub k1: f64,
    /// Normalisation by length in BM25.
    pub b: f64,
    /// What words in the headings count besides.
    pub headings_weight: f32,
    /// What neighbouring words count besides where they are close.
    pub proximity: f32,
    /// Whether words that occur nowhere stand for the closest that do.
    pub typos: bool,
    /// Name or folder of the reranker, if one is wanted.
    pub reranker: Option<String>,
    /// Passages that it sees.
    pub rerank_depth: usize,
    /// Longest extractive answer.
    pub sentences: usize,
    /// The language model, if one is configured.
    pub generator: Option<GeneratorSettings>,
    /// Whether hidden files are read.
    pub hidden: bool,
    /// Whether `.gitignore` is honoured.
    pub gitignore: bool,
    /// Bounds on one file.
    pub limits: Limits,
}

/// Where the language model is and what it may spend.
#[derive(Clone, Debug)]
pub struct GeneratorSettings {
    /// Endpoint up to and without `/chat/completions`.
    pub base_url: String,
    /// Model name; may be empty for servers that hold one model.
    pub model: String,
    /// Variable that holds the key.
    pub api_key_env: Option<String>,
    /// For a whole answer.
    pub timeout: Duration,
    /// Evidence handed over.
    pub evidence_tokens: usize,
    /// Longest answer.
    pub answer_tokens: u32,
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map(|n| format!("; did you mean {n}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn later_places_win() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ragstone.toml");
        std::fs::write(&path, "threads = 3\n[search]\nk = 7\nweight = 0.25\n").unwrap();
        let flags = [Override { key: "search.k", flag: "-k", value: "9".into() }];
        let resolved =
            Resolved::load(Some(path.clone()), variables(&[("RAGSTONE_SEARCH_K", "8"), ("HOME", "/")]), &flags)
                .unwrap();
        let settings = resolved.settings();
        assert_eq!((settings.threads, settings.k, settings.weight), (3, 9, 0.25));
        let origin = |name: &str| resolved.rows().find(|r| r.0.name == name).unwrap().2.clone();
        assert_eq!(origin("search.k"), Origin::Flag("-k"));
        assert_eq!(origin("threads"), Origin::File(path));
        assert_eq!(origin("embedder"), Origin::Default);
    }

    #[test]
    fn all_problems_at_once_with_suggestions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ragstone.toml");
        std::fs::write(&path, "colection = \"x\"\n[search]\nk = \"ten\"\nretriver = \"bm25\"\n").unwrap();
        let error = Resolved::load(Some(path), variables(&[("RAGSTONE_THREDS", "2")]), &[]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("4 places"), "{text}");
        for part in ["did you mean collection?", "did you mean search.retriever?", "did you mean RAGSTONE_THREADS?"] {
            assert!(text.contains(part), "{part} not in {text}");
        }
        assert!(text.contains("from 1 to 1000"), "{text}");
    }

    #[test]
    fn every_default_passes_its_own_check() {
        for key in KEYS {
            assert_eq!(key.check(key.default), Ok(()), "{}", key.name);
        }
    }
}
