//! Benchmarks of Ragstone, one subcommand each, runnable beside its peers.

mod answers;
mod chunking;
mod embed;
mod kernels;
mod lexical;
mod vector;

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "ragstone-bench", about)]
enum Command {
    /// Right answers and right silence of the answer without a language model.
    Answers(answers::Options),
    /// The lexical index on a BEIR folder, speaking the protocol of the peers' script.
    Lexical(lexical::Options),
    /// Texts per second of the encoder, as token ids or as real passages.
    Embed(embed::Options),
    /// What each operation of an encoder costs at each level of this machine.
    Kernels(kernels::Options),
    /// Recall, time and size of a vector index.
    Vector(vector::Options),
    /// Recall of a graph of which a share was replaced, beside one made anew.
    VectorChurn(vector::churn::Options),
    /// Exact search of f32 rows beside the rate at which memory can be read.
    VectorBandwidth(vector::bandwidth::Options),
    /// Token recall, precision and IoU of the chunkers on Chroma's evaluation set.
    Chunking(chunking::Options),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Answers(options) => answers::run(&options),
        Command::Lexical(options) => lexical::run(&options),
        Command::Embed(options) => embed::run(&options),
        Command::Kernels(options) => kernels::run(&options),
        Command::Vector(options) => vector::run(&options),
        Command::VectorChurn(options) => vector::churn::run(&options),
        Command::VectorBandwidth(options) => vector::bandwidth::run(&options),
        Command::Chunking(options) => chunking::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            if let Some(hint) = error.hint_line() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
