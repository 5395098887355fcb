//! Graphs over compressed rows: how links are chosen (`prune`), kept while they change (`draft`), built
//! (`build`) and changed (`edit`), kept whole (`reach`) and written (`packed`); where a search starts
//! (`entrance`), how it goes (`search`, `filtered`, `within`, all on `beam`), when it ends (`enough`) and how it
//! goes with a filter (`ways`); and the segment that holds it all (`body`).

pub(crate) mod beam;
pub(crate) mod body;
pub(crate) mod build;
pub(crate) mod draft;
pub(crate) mod edit;
mod enough;
pub(crate) mod entrance;
pub(crate) mod filtered;
pub(crate) mod links;
pub(crate) mod packed;
pub(crate) mod prune;
pub(crate) mod reach;
pub(crate) mod search;
pub(crate) mod twins;
pub(crate) mod ways;
pub(crate) mod within;

pub(crate) use body::{GraphBody, write};
pub(crate) use draft::{ALPHA, Plan};
