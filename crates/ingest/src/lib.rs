//! Files in, blocks with addresses out: walking, extraction, chunking.
