//! Model files, tokenizers and the encoder engine.
