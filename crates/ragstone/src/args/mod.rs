//! The command line: what can be typed, and what `--help` says about it.

mod models;
mod upkeep;

pub use models::Models;
pub use upkeep::{
    AdviceArgs, BackupArgs, CompactArgs, EraseArgs, ExportArgs, ImportArgs, ReembedArgs, RestoreArgs, SalvageArgs,
    Upkeep, VerifyArgs,
};

use crate::config::Override;
use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// Find, quote and cite what your documents say.
#[derive(Debug, Parser)]
#[command(
    name = "ragstone",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 our fault or another server's, 2 usage or configuration, 3 bad input or \
                  some files failed, 4 not found, 5 denied, 6 damaged data, 7 no space, 8 in use by another \
                  process, 130 interrupted."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that stand before or after any command.
#[derive(Debug, Args)]
pub struct Global {
    /// Folder that holds the index [default: .ragstone]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub collection: Option<String>,
    /// Settings file [default: ragstone.toml here, then in the user's configuration folder]
    #[arg(long, global = true, env = "RAGSTONE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Embedding model: a name from `ragstone parts` or `ragstone models ls`, or a Hugging Face folder
    #[arg(long, global = true, value_name = "NAME|DIR")]
    pub embedder: Option<String>,
    /// Numbers that the embedding model multiplies: auto, f32, bf16, int16 or int8 (quickest, least exact)
    #[arg(long, global = true, value_name = "KIND")]
    pub precision: Option<String>,
    /// Worker threads; 0 means one per core
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<String>,
    /// Print one JSON object (documented in docs/json.md) instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress, no summary
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read files and folders into the collection; only what changed is read again
    Index(IndexArgs),
    /// Answer a question with quotes from the documents, each with its exact place
    Ask(AskArgs),
    /// List the passages nearest to a query
    Search(SearchArgs),
    /// Show what the collection holds and what it costs
    Status,
    /// List the documents of the collection
    Ls(LsArgs),
    /// Remove documents from the collection (never from the disk)
    Rm(RmArgs),
    /// Print the extracted text of a document, the text that citations count in
    Text(TextArgs),
    /// List every part that configuration can name: formats, chunkers, embedders, retrievers
    Parts,
    /// Show every setting, its value, and where the value came from
    Config,
    /// Measure retrieval on a BEIR folder: corpus.jsonl, queries.jsonl, qrels.tsv
    Eval(EvalArgs),
    /// Fetch, list, check and remove models
    #[command(subcommand)]
    Models(Models),
    /// Looking after the collection
    #[command(flatten)]
    Upkeep(Upkeep),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Parse untrusted files for a parent process, within limits
    #[command(hide = true)]
    ExtractWorker,
}

/// `index`
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// Files and folders; `-` reads one document from standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Name of the document read from standard input; its ending tells the format
    #[arg(long, value_name = "NAME", default_value = "stdin.txt")]
    pub name: String,
    /// Options of reading and cutting
    #[command(flatten)]
    pub ingest: IngestFlags,
}

/// How files are read and cut.
#[derive(Debug, Args)]
pub struct IngestFlags {
    /// Read hidden files too
    #[arg(long)]
    pub hidden: bool,
    /// Read files that a .gitignore leaves out
    #[arg(long)]
    pub no_gitignore: bool,
    /// How documents are cut: a name from `ragstone parts`
    #[arg(long, value_name = "NAME")]
    pub chunker: Option<String>,
    /// Longest chunk in tokens
    #[arg(long, value_name = "N")]
    pub chunk_tokens: Option<String>,
}

/// How passages are found.
#[derive(Debug, Args)]
pub struct SearchFlags {
    /// bm25 (words), dense (meaning) or hybrid (both)
    #[arg(long, value_name = "NAME")]
    pub retriever: Option<String>,
    /// Share of meaning against words in hybrid search, 0 to 1
    #[arg(long, value_name = "W")]
    pub weight: Option<String>,
    /// How words are scored: lucene, okapi, robertson, atire, bm25plus, bm25l, tfidf or jaccard
    #[arg(long, value_name = "NAME")]
    pub scoring: Option<String>,
    /// Saturation of word frequency in BM25, 0 to 100
    #[arg(long, value_name = "K1")]
    pub k1: Option<String>,
    /// How much BM25 lowers long passages, 0 to 1
    #[arg(long, value_name = "B")]
    pub b: Option<String>,
    /// Count words found in the headings again, by this factor; 0 (the default) treats headings and text as one
    #[arg(long, value_name = "W")]
    pub headings_weight: Option<String>,
    /// Count neighbouring words of the question again where they stand within eight words, by this factor
    #[arg(long, value_name = "W")]
    pub proximity: Option<String>,
    /// Let words that occur nowhere stand for the closest ones that do
    #[arg(long)]
    pub typos: bool,
    /// Model that orders the first passages anew: a cross-encoder or late interaction, by name or folder
    #[arg(long, value_name = "NAME|DIR")]
    pub reranker: Option<String>,
}

/// `ask`
#[derive(Debug, Args)]
pub struct AskArgs {
    /// The question; `-` reads it from standard input
    pub question: String,
    /// Index these files or folders first, into a collection of their own kept in the cache folder
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub docs: Vec<PathBuf>,
    /// Options of searching
    #[command(flatten)]
    pub search: SearchFlags,
    /// Options of reading and cutting, for --docs
    #[command(flatten)]
    pub ingest: IngestFlags,
    /// Longest answer without a language model, in sentences
    #[arg(long, value_name = "N")]
    pub sentences: Option<String>,
    /// OpenAI-compatible endpoint that writes the answer, such as http://localhost:11434/v1
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub llm_url: Option<String>,
    /// Model at the endpoint
    #[arg(long, value_name = "NAME")]
    pub llm_model: Option<String>,
    /// Environment variable that holds the endpoint's key
    #[arg(long, value_name = "NAME")]
    pub llm_key_env: Option<String>,
    /// Answer with quotes only, also when a language model is configured
    #[arg(long, conflicts_with = "llm_url")]
    pub no_llm: bool,
}

/// `search`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// What to look for; `-` reads it from standard input
    pub query: String,
    /// Number of passages, 1 to 1000
    #[arg(short, value_name = "N")]
    pub k: Option<String>,
    /// Show for every passage what each word of the query adds to its score
    #[arg(long)]
    pub explain: bool,
    /// Options of searching
    #[command(flatten)]
    pub search: SearchFlags,
}

/// `ls`
#[derive(Debug, Args)]
pub struct LsArgs {
    /// Only documents whose path starts with one of these
    pub paths: Vec<PathBuf>,
}

/// `rm`
#[derive(Debug, Args)]
pub struct RmArgs {
    /// Documents or folders, as `ragstone ls` shows them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub paths: Vec<PathBuf>,
    /// Remove every document
    #[arg(long)]
    pub all: bool,
}

/// `text`
#[derive(Debug, Args)]
pub struct TextArgs {
    /// A document of the collection, or a file on disk
    pub document: PathBuf,
    /// First character, counted from 0
    #[arg(long, default_value_t = 0)]
    pub start: usize,
    /// One past the last character [default: the end]
    #[arg(long)]
    pub end: Option<usize>,
}

/// `eval`
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Folder with corpus.jsonl[.gz], queries.jsonl[.gz] and qrels.tsv
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Options of searching
    #[command(flatten)]
    pub search: SearchFlags,
    /// Write the ranking in TREC format
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub run: Option<PathBuf>,
    /// Documents kept per query
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub depth: usize,
    /// Ask only the first N queries
    #[arg(long, value_name = "N")]
    pub queries: Option<usize>,
    /// Options of cutting
    #[command(flatten)]
    pub ingest: IngestFlags,
}

impl Cli {
    /// The settings given as flags.
    pub fn overrides(&self) -> Vec<Override> {
        let mut set = Set::default();
        let global = &self.global;
        set.text("collection", "--collection", global.collection.clone());
        set.text("embedder", "--embedder", global.embedder.clone());
        set.text("precision", "--precision", global.precision.clone());
        set.text("threads", "--threads", global.threads.clone());
        match &self.command {
            Command::Index(args) => set.ingest(&args.ingest),
            Command::Ask(args) => {
                set.search(&args.search);
                set.ingest(&args.ingest);
                set.text("answer.sentences", "--sentences", args.sentences.clone());
                set.text("generator.base_url", "--llm-url", args.llm_url.clone());
                set.text("generator.base_url", "--no-llm", args.no_llm.then(String::new));
                set.text("generator.model", "--llm-model", args.llm_model.clone());
                set.text("generator.api_key_env", "--llm-key-env", args.llm_key_env.clone());
            }
            Command::Search(args) => {
                set.text("search.k", "-k", args.k.clone());
                set.search(&args.search);
            }
            Command::Eval(args) => {
                set.search(&args.search);
                set.ingest(&args.ingest);
            }
            _ => {}
        }
        set.0
    }
}

#[derive(Default)]
struct Set(Vec<Override>);

impl Set {
    fn text(&mut self, key: &'static str, flag: &'static str, value: Option<String>) {
        self.0.extend(value.map(|value| Override { key, flag, value }));
    }

    fn ingest(&mut self, flags: &IngestFlags) {
        self.text("ingest.hidden", "--hidden", flags.hidden.then(|| "true".into()));
        self.text("ingest.gitignore", "--no-gitignore", flags.no_gitignore.then(|| "false".into()));
        self.text("chunk.strategy", "--chunker", flags.chunker.clone());
        self.text("chunk.tokens", "--chunk-tokens", flags.chunk_tokens.clone());
    }

    fn search(&mut self, flags: &SearchFlags) {
        self.text("search.retriever", "--retriever", flags.retriever.clone());
        self.text("search.weight", "--weight", flags.weight.clone());
        self.text("search.scoring", "--scoring", flags.scoring.clone());
        self.text("search.k1", "--k1", flags.k1.clone());
        self.text("search.b", "--b", flags.b.clone());
        self.text("search.headings_weight", "--headings-weight", flags.headings_weight.clone());
        self.text("search.proximity", "--proximity", flags.proximity.clone());
        self.text("search.typos", "--typos", flags.typos.then(|| "true".into()));
        self.text("search.reranker", "--reranker", flags.reranker.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_names_a_setting() {
        let line = "ragstone --collection c --embedder e --precision int8 --threads 1 ask --docs d --retriever bm25 --weight 0.1 \
                    --scoring okapi --k1 1.5 --b 0.5 --reranker r  --headings-weight 1 \
                    --proximity 1 --typos \
                    --hidden --no-gitignore --chunker x --chunk-tokens 9 --sentences 1 --llm-url u --llm-model m \
                    --llm-key-env k q";
        let cli = Cli::parse_from(line.split_whitespace());
        for set in cli.overrides() {
            assert!(crate::config::keys::find(set.key).is_some(), "{set:?}");
        }
        assert_eq!(cli.overrides().len(), 21);
    }
}
