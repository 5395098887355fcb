//! Names of the files of a collection, segments aside.

pub(crate) const TRUTH: &str = "truth.db";
/// A truth that is being written and is not the collection's yet.
pub(crate) const TRUTH_NEW: &str = "truth.new";
pub(crate) const HEAD: &str = "head";
pub(crate) const LOCK: &str = "lock";
/// What is being erased; there until that is proved gone.
pub(crate) const ERASURE: &str = "erasure";
/// That, while it is written.
pub(crate) const ERASURE_NEW: &str = "erasure.new";
