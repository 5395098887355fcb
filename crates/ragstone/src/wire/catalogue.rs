//! Every part of every family, for `ragstone parts`.

use engine::search::Retriever;

/// Parts that can stand in for each other.
pub struct Family {
    /// What the family is called.
    pub name: &'static str,
    /// Name and description of each part.
    pub parts: Vec<(&'static str, &'static str)>,
}

/// All families.
pub fn catalogue() -> Vec<Family> {
    let retriever = |(name, retriever): &(&'static str, Retriever)| {
        let about = match retriever {
            Retriever::Bm25 => "words: BM25 over title, headings and text",
            Retriever::Dense => "meaning: cosine of embedding vectors",
            Retriever::Hybrid => "both, fused (default)",
        };
        (*name, about)
    };
    vec![
        Family { name: "formats", parts: ingest::FORMATS.iter().map(|f| (f.name, f.about)).collect() },
        Family { name: "chunkers", parts: ingest::CHUNKERS.iter().map(|c| (c.name, c.about)).collect() },
        Family { name: "embedders", parts: models::EMBEDDERS.iter().map(|e| (e.name, e.about)).collect() },
        Family { name: "rerankers", parts: models::RERANKERS.iter().map(|r| (r.name, r.about)).collect() },
        Family { name: "multi_encoders", parts: models::MULTI_ENCODERS.iter().map(|m| (m.name, m.about)).collect() },
        Family {
            name: "token_classifiers",
            parts: models::TOKEN_CLASSIFIERS.iter().map(|t| (t.name, t.about)).collect(),
        },
        Family { name: "retrievers", parts: Retriever::ALL.iter().map(retriever).collect() },
        Family { name: "generators", parts: connect::GENERATORS.iter().map(|g| (g.name, g.about)).collect() },
    ]
}
