//! Data sets, retrieval and answer metrics.
//!
//! A [`Dataset`] is read from a BEIR folder: documents, queries and [`Qrels`] (which document is relevant
//! to which query). A [`Run`] holds what a retriever returned. [`evaluate`] compares the two and gives
//! trec_eval's numbers under trec_eval's names. The crate runs no retriever; it only reads and counts.
//!
//! ```
//! use eval::{Qrels, Run, evaluate};
//!
//! let mut qrels = Qrels::default();
//! qrels.insert("q1", "d7", 1);
//! let mut run = Run::default();
//! run.insert("q1", vec![("d3".into(), 2.0), ("d7".into(), 1.0)]);
//!
//! let metrics = evaluate(&qrels, &run);
//! assert_eq!(metrics.get("recip_rank"), Some(0.5));
//! assert_eq!(metrics.get("recall_10"), Some(1.0));
//! ```

mod dataset;
mod evaluate;
mod lines;
mod measures;
mod qrels;
mod run;

pub use dataset::{Dataset, Doc, Query};
pub use evaluate::{Metrics, evaluate, evaluate_retrieved};
pub use measures::{Judged, MEASURES, Measure};
pub use qrels::Qrels;
pub use run::Run;
