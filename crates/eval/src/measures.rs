//! The measures, as trec_eval defines and names them.
//!
//! * `P_k`, `recall_k`, `success_k`: share of the first k that is relevant, share of the relevant that is
//!   among the first k, whether any of the first k is relevant.
//! * `recip_rank`: one over the rank of the first relevant document; `recip_rank_10` looks at ten only.
//! * `map`: mean over the relevant documents of the precision at their ranks (0 for those not found).
//! * `ndcg_cut_k`: Järvelin and Kekäläinen's discounted gain (ACM TOIS 20, 2002) with gain = grade and
//!   discount = log2(rank + 1), over that of the ideal ranking.

use std::collections::BTreeMap;

/// One ranked list with the judgments of its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The grade of each document, best rank first; unjudged documents and negative grades have 0.
    pub grades: Vec<i32>,
    /// The positive grades of the query's judgments, highest first: the ideal ranking.
    pub ideal: Vec<i32>,
}

impl Judged {
    /// Looks up the grade of every document of `ranked`.
    pub fn new(ranked: &[&str], judgments: &BTreeMap<String, i32>) -> Self {
        let grades = ranked.iter().map(|doc| judgments.get(*doc).copied().unwrap_or(0).max(0)).collect();
        let mut ideal: Vec<i32> = judgments.values().copied().filter(|&g| g > 0).collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        Judged { grades, ideal }
    }

    fn first(&self, k: usize) -> &[i32] {
        &self.grades[..k.min(self.grades.len())]
    }

    fn relevant_within(&self, k: usize) -> usize {
        self.first(k).iter().filter(|&&g| g > 0).count()
    }
}

/// A measure of one ranked list: 0 to 1, more is better, 0 when the query has no relevant document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// `ndcg_cut_k`.
    Ndcg(usize),
    /// `recall_k`.
    Recall(usize),
    /// `P_k`.
    Precision(usize),
    /// `success_k`.
    Success(usize),
    /// `recip_rank`, or `recip_rank_k` when only the first k count.
    RecipRank(Option<usize>),
    /// `map`.
    Map,
}

/// The measures of [`crate::evaluate`], in the order of its output.
pub const MEASURES: &[Measure] = &[
    Measure::Ndcg(1),
    Measure::Ndcg(3),
    Measure::Ndcg(5),
    Measure::Ndcg(10),
    Measure::Ndcg(100),
    Measure::Recall(1),
    Measure::Recall(5),
    Measure::Recall(10),
    Measure::Recall(20),
    Measure::Recall(100),
    Measure::RecipRank(None),
    Measure::RecipRank(Some(10)),
    Measure::Map,
    Measure::Precision(1),
    Measure::Precision(5),
    Measure::Precision(10),
    Measure::Success(1),
    Measure::Success(5),
    Measure::Success(10),
];

impl Measure {
    /// trec_eval's name.
    pub fn name(self) -> String {
        match self {
            Measure::Ndcg(k) => format!("ndcg_cut_{k}"),
            Measure::Recall(k) => format!("recall_{k}"),
            Measure::Precision(k) => format!("P_{k}"),
            Measure::Success(k) => format!("success_{k}"),
            Measure::RecipRank(None) => "recip_rank".into(),
            Measure::RecipRank(Some(k)) => format!("recip_rank_{k}"),
            Measure::Map => "map".into(),
        }
    }

    /// The value for one list.
    pub fn of(self, judged: &Judged) -> f64 {
        let relevant = judged.ideal.len();
        if relevant == 0 {
            return 0.0;
        }
        match self {
            Measure::Ndcg(k) => gain(judged.first(k)) / gain(&judged.ideal[..k.min(relevant)]),
            Measure::Recall(k) => judged.relevant_within(k) as f64 / relevant as f64,
            Measure::Precision(k) => judged.relevant_within(k) as f64 / k as f64,
            Measure::Success(k) => f64::from(judged.relevant_within(k) > 0),
            Measure::RecipRank(k) => {
                let first = judged.first(k.unwrap_or(usize::MAX));
                first.iter().position(|&g| g > 0).map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
            }
            Measure::Map => {
                let mut found = 0usize;
                let mut sum = 0.0;
                for (rank, _) in judged.grades.iter().enumerate().filter(|&(_, &g)| g > 0) {
                    found += 1;
                    sum += found as f64 / (rank + 1) as f64;
                }
                sum / relevant as f64
            }
        }
    }
}

/// Discounted cumulative gain of `grades` from rank 1 on.
fn gain(grades: &[i32]) -> f64 {
    let gains = grades.iter().enumerate().filter(|&(_, &g)| g > 0);
    gains.map(|(i, &g)| f64::from(g) / ((i + 2) as f64).log2()).sum()
}
