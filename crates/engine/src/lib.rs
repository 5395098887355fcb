//! Orchestration: the ingest loop, search, fusion, answers and citations.
