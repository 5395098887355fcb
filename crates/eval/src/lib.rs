//! Data sets, retrieval and answer metrics.
