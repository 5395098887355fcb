//! Ragstone: find, quote and cite what your documents say.
