//! What can be typed to look after a collection.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The commands of this family; `ragstone verify` and so on.
#[derive(Debug, Subcommand)]
pub enum Upkeep {
    /// Check that everything is as it was stored
    Verify(VerifyArgs),
    /// Save what can be read of a damaged collection into a new one
    Salvage(SalvageArgs),
    /// Merge the search indexes and drop what was deleted
    Compact(CompactArgs),
    /// Remove documents and every byte of them, and prove it with a receipt
    Erase(EraseArgs),
    /// Write the collection to one file, while it is in use
    Backup(BackupArgs),
    /// Make a collection from a backup
    Restore(RestoreArgs),
    /// Write all documents with their vectors as JSON Lines
    Export(ExportArgs),
    /// Store the documents of an export
    Import(ImportArgs),
    /// Give every chunk a vector of another embedder
    Reembed(ReembedArgs),
    /// Measure vector indexes on the collection's own vectors: recall, time, memory
    IndexAdvice(AdviceArgs),
}

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Also compare texts, vectors and postings with one another
    #[arg(long)]
    pub deep: bool,
    /// Make damaged search indexes again from the stored documents
    #[arg(long)]
    pub repair: bool,
    /// Look for what this receipt of `ragstone erase` says was removed
    #[arg(long, value_name = "RECEIPT", value_hint = ValueHint::FilePath, conflicts_with_all = ["deep", "repair"])]
    pub erased: Option<PathBuf>,
}

/// `salvage`
#[derive(Debug, Args)]
pub struct SalvageArgs {
    /// Folder for the new collection
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub into: PathBuf,
}

/// `compact`
#[derive(Debug, Args)]
pub struct CompactArgs {
    /// Also remove the bytes of deleted documents from every file
    #[arg(long)]
    pub purge: bool,
}

/// `erase`
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Documents or folders, as `ragstone ls` shows them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Where to write the receipt
    #[arg(long, value_name = "FILE", default_value = "erasure-receipt.json", value_hint = ValueHint::FilePath)]
    pub receipt: PathBuf,
}

/// `backup`
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup; the collection is made where --collection says, which must be a new place
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write; `-` is standard output
    #[arg(default_value = "-", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The export to read; `-` is standard input
    #[arg(default_value = "-", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `reembed`
#[derive(Debug, Args)]
pub struct ReembedArgs {
    /// The new embedding model: a name from `ragstone parts` or `ragstone models ls`, or a Hugging Face folder
    #[arg(long, value_name = "NAME|DIR")]
    pub model: String,
}

/// `index-advice`
#[derive(Debug, Args)]
pub struct AdviceArgs {
    /// Recipes to measure, like `Vamana32,LVQ8`; some that suit the size if none is named
    #[arg(value_name = "RECIPE")]
    pub recipes: Vec<String>,
    /// Questions to measure with, one a line; without them, vectors of the collection that are left out of the
    /// index stand in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub queries: Option<PathBuf>,
    /// Most vectors to measure on
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(10..=10_000_000))]
    pub sample: u32,
    /// Recall at 10 that is asked for, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    pub recall: f64,
}
