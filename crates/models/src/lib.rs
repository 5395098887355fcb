//! Model files, tokenizers and the encoder engine.
//!
//! [`builtin`] opens the embedding model inside the program, [`open_folder`] one from a Hugging Face folder;
//! both are [`base::Embedder`]s. [`open_reranker`], [`open_multi_encoder`] and [`open_token_classifier`] open
//! what else stands on an encoder. Weights are packed for the machine when a model is opened, texts are
//! tokenised by a WordPiece of our own (equal to Hugging Face's), and micro-batches without padding run on
//! rayon's threads. No file is executed and nothing is fetched.
//!
//! ```
//! # #[cfg(feature = "embedded-model")] {
//! use base::Role;
//!
//! let model = models::builtin().unwrap();
//! let mut rows = Vec::new();
//! model.embed(&["How hard is ragstone?", "Ragstone is a hard limestone.", "Bees make honey."], Role::Passage, &mut rows).unwrap();
//! let row = |i: usize| &rows[i * 384..][..384];
//! let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
//! assert!(cosine(row(0), row(1)) > cosine(row(0), row(2)) + 0.3);
//! # }
//! ```

mod bert;
pub mod builtin;
mod catalogue;
mod classify;
mod colbert;
pub mod config;
mod dense;
pub mod embedder;
pub mod encoder;
mod entities;
mod files;
pub mod folder;
mod forward;
mod matrix;
mod modern;
mod normalise;
#[cfg(feature = "onnx")]
mod onnx;
pub mod pooling;
pub mod prompts;
pub mod quantise;
mod runner;
pub mod safetensors;
pub mod tokenizer;
pub mod weights;
pub mod wordpiece;

pub use builtin::{builtin, builtin_sentence_embedder};
pub use catalogue::{
    EMBEDDERS, MULTI_ENCODERS, Open, OpenMultiEncoder, OpenReranker, OpenTokenClassifier, RERANKERS, TOKEN_CLASSIFIERS,
    open, open_as, open_multi_encoder, open_reranker, open_token_classifier,
};
pub use classify::{CrossEncoder, SequenceClassifier};
pub use colbert::{ColBert, LateReranker};
pub use embedder::SentenceEmbedder;
pub use entities::EntityTagger;
pub use folder::{open_folder, open_folder_as};
pub use normalise::Normaliser;
#[cfg(feature = "onnx")]
pub use onnx::open_onnx;
