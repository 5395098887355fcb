//! A flat graph over compressed rows: how it is built (`build`, `prune`) and searched (`search`, `beam`),
//! and the segment that holds it (`vamana`).

pub(crate) mod beam;
pub(crate) mod build;
pub(crate) mod prune;
pub(crate) mod search;
mod twins;
mod vamana;

pub(crate) use build::Plan;
pub(crate) use vamana::{Vamana, scan, write};
