//! What can be typed after `ragstone models`.

use clap::{Args, Subcommand};

/// The commands of this family; `ragstone models pull` and so on.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// Fetch models from the Hugging Face hub (or HF_ENDPOINT; HF_TOKEN for private ones) into the cache
    Pull(Names),
    /// List the models in the cache
    Ls,
    /// Remove models from the cache
    Rm(Names),
    /// Compare every file of models with its checksum
    Verify(SomeNames),
}

/// `pull`, `rm`
#[derive(Debug, Args)]
pub struct Names {
    /// organisation/name, perhaps with @revision
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// `verify`
#[derive(Debug, Args)]
pub struct SomeNames {
    /// organisation/name, perhaps with @revision [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}
