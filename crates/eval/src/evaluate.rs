//! Means over queries.

use crate::{Judged, MEASURES, Qrels, Run};
use serde::Serialize;
use std::collections::BTreeMap;

/// Means of the [`MEASURES`] and the values they were made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Mean over the counted queries, by measure, in the order of [`MEASURES`].
    #[serde(serialize_with = "in_order")]
    pub metrics: Vec<(String, f64)>,
    /// Number of counted queries.
    pub queries: usize,
    /// The values of each counted query, in the order of `metrics`; for tests of significance.
    #[serde(skip)]
    pub per_query: BTreeMap<String, Vec<f64>>,
}

impl Metrics {
    /// The mean of the measure with this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(n, _)| n == name).map(|&(_, value)| value)
    }

    /// The value of the measure `name` for `query`.
    pub fn get_query(&self, query: &str, name: &str) -> Option<f64> {
        let column = self.metrics.iter().position(|(n, _)| n == name)?;
        self.per_query.get(query).map(|values| values[column])
    }
}

fn in_order<S: serde::Serializer>(metrics: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(metrics.iter().map(|(name, value)| (name, value)))
}

/// Compares `run` with `qrels` as `trec_eval -c` does: every judged query counts, with 0 where the run has
/// nothing for it. Queries without judgments are ignored.
pub fn evaluate(qrels: &Qrels, run: &Run) -> Metrics {
    over(qrels, run, true)
}

/// Like [`evaluate`] over the queries that the run has, as trec_eval does without `-c`; flatters a retriever
/// that stays silent.
pub fn evaluate_retrieved(qrels: &Qrels, run: &Run) -> Metrics {
    over(qrels, run, false)
}

fn over(qrels: &Qrels, run: &Run, missing_counts: bool) -> Metrics {
    let mut per_query = BTreeMap::new();
    for (query, judgments) in qrels.iter() {
        // trec_eval cannot see a query without any document in the run's file, so an empty list is missing.
        if !missing_counts && run.get(query).is_none_or(<[_]>::is_empty) {
            continue;
        }
        let judged = Judged::new(&run.ranked(query), judgments);
        per_query.insert(query.to_owned(), MEASURES.iter().map(|m| m.of(&judged)).collect::<Vec<f64>>());
    }
    let queries = per_query.len();
    let mean = |column: usize| match queries {
        0 => 0.0,
        n => per_query.values().map(|values| values[column]).sum::<f64>() / n as f64,
    };
    let metrics = MEASURES.iter().enumerate().map(|(column, m)| (m.name(), mean(column))).collect();
    Metrics { metrics, queries, per_query }
}
