//! Searchable structures over bytes: vectors and postings.
