//! What a search does: which lists are added up, and which rows may be results.

use super::corpus::Corpus;
use super::format::TAIL;
use super::found::FoundTerm;
use super::matching::{difference, intersection};
use super::postings::{Rows, encode};
use super::query::Occur;
use super::terms::TermSource;
use super::view::SegmentView;
use base::{Result, RowSet};

/// A list that adds to the score.
#[derive(Clone, Debug)]
pub(crate) struct ScoredTerm {
    /// The term, or what was made: `"hard grey"`, `quarr*`.
    pub label: String,
    /// What it was asked for as: numbers of [`Plan::asked`]. None for what the question does not name.
    pub asked: Vec<usize>,
    /// 0 all fields, 1 title, 2 headings.
    pub field: usize,
    /// Visible rows that have the word in any of the visible languages.
    pub df: u64,
    /// Visible rows that have this term.
    pub own_df: u64,
    /// Factor on the inverse document frequency: how often it was asked for, times its weight.
    pub boost: f64,
    /// By segment.
    pub sources: Vec<TermSource>,
    /// Whether it stands for a word of the question itself, for vector space scores.
    pub is_word: bool,
}

/// Something that the question names: a word, a phrase, a beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// As a person would write it, in lower case if it is a word.
    pub name: String,
    /// Whether vector space scores count it.
    pub is_word: bool,
}

/// What to do in each segment.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub terms: Vec<ScoredTerm>,
    /// Rows that may be results, by segment; `None`: those visible.
    pub allowed: Option<Vec<RowSet>>,
    /// What the question names and the score counts, each once, in order; known or not.
    pub asked: Vec<Asked>,
}

impl Plan {
    /// Rows of `view`, which is number `number`, that may be results; `None`: all.
    pub(crate) fn allowed_in<'a>(&'a self, view: &'a SegmentView, number: usize) -> Option<&'a RowSet> {
        match &self.allowed {
            Some(sets) => Some(&sets[number]),
            None => view.visible.as_deref(),
        }
    }

    /// The number of what the question names so.
    pub(crate) fn ask(&mut self, name: String, is_word: bool) -> usize {
        let asked = Asked { name, is_word };
        self.asked.iter().position(|known| *known == asked).unwrap_or_else(|| {
            self.asked.push(asked);
            self.asked.len() - 1
        })
    }

    /// Distinct words of the question that no visible row has, in order.
    pub(crate) fn unknown_words(&self) -> impl Iterator<Item = &str> {
        let known = |number| self.terms.iter().any(|term| term.asked.contains(&number));
        let unknown = self.asked.iter().enumerate().filter(move |(number, asked)| asked.is_word && !known(*number));
        unknown.map(|(_, asked)| asked.name.as_str())
    }

    /// Adds a term found for what was asked; the same term asked for twice counts twice.
    pub(crate) fn push(&mut self, found: FoundTerm, asked: usize, field: usize, boost: f64, df: Option<u64>) {
        if let Some(known) = self.terms.iter_mut().find(|t| t.is_word && t.field == field && t.label == found.text) {
            known.boost += boost;
            known.asked.push(asked);
            return;
        }
        let sources = found.entries.into_iter().map(|e| e.map_or(TermSource::Absent, TermSource::Stored)).collect();
        self.terms.push(ScoredTerm {
            label: found.text,
            asked: vec![asked],
            field,
            df: df.unwrap_or(found.rows),
            own_df: found.rows,
            boost,
            sources,
            is_word: true,
        });
    }

    /// Adds a made list, if it has rows.
    pub(crate) fn push_made(
        &mut self,
        corpus: &Corpus,
        (label, asked): (String, Option<usize>),
        field: usize,
        boost: f64,
        rows: &[Rows],
    ) -> Result<()> {
        let df = rows.iter().map(|r| r.rows.len() as u64).sum();
        if df == 0 {
            return Ok(());
        }
        let mut sources = Vec::with_capacity(rows.len());
        for (view, rows) in corpus.views().iter().zip(rows) {
            let lengths = view.segment.lengths(field)?;
            if rows.rows.is_empty() {
                sources.push(TermSource::Absent);
                continue;
            }
            let (mut bytes, mut none) = (Vec::new(), Vec::new());
            let typical = corpus.statistics.mean_len(field);
            encode(rows, |row| lengths.map_or(0, |l| l.get(row)), typical, false, &mut bytes, &mut none);
            // Room for whole-register loads.
            bytes.extend_from_slice(&[0; TAIL]);
            sources.push(TermSource::Made(rows.rows.len() as u32, bytes));
        }
        let asked = asked.into_iter().collect();
        self.terms.push(ScoredTerm { label, asked, field, df, own_df: df, boost, sources, is_word: false });
        Ok(())
    }

    /// Keeps, or drops, the rows of `sets`.
    pub(crate) fn allow(&mut self, corpus: &Corpus, occur: Occur, sets: Vec<RowSet>) {
        let allowed = self.allowed.take().unwrap_or_else(|| {
            let views = corpus.views().iter();
            views
                .map(|v| match &v.visible {
                    Some(visible) => (**visible).clone(),
                    None => RowSet::from_range(0..v.segment.rows()),
                })
                .collect()
        });
        let combine = if occur == Occur::MustNot { difference } else { intersection };
        self.allowed = Some(allowed.iter().zip(&sets).map(|(a, b)| combine(a, b)).collect());
    }
}
