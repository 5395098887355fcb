//! Counts over the visible rows of all segments.

use super::analysis::Language;
use super::searcher::SegmentView;
use super::writer::FIELDS;
use base::Result;

/// Everything about the visible rows that does not depend on a term.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// Visible rows.
    pub rows: u64,
    /// Sum of lengths per field.
    pub lengths: [u64; FIELDS],
    /// Languages of visible rows, the commonest first.
    pub languages: Vec<Language>,
}

impl Statistics {
    pub(crate) fn of(views: &[SegmentView]) -> Result<Statistics> {
        let mut rows = 0u64;
        let mut lengths = [0u64; FIELDS];
        let mut by_language = [0u64; 256];
        for view in views {
            let segment = &view.segment;
            let languages = segment.languages()?;
            match &view.visible {
                None => {
                    rows += u64::from(segment.rows());
                    for (field, sum) in lengths.iter_mut().enumerate() {
                        *sum += segment.lengths_total(field)?;
                    }
                    for &language in languages {
                        by_language[language as usize] += 1;
                    }
                }
                Some(visible) => {
                    let tables = [segment.lengths(0)?, segment.lengths(1)?, segment.lengths(2)?];
                    for row in visible.iter().take_while(|&row| row < segment.rows()) {
                        rows += 1;
                        by_language[languages[row as usize] as usize] += 1;
                        for (sum, table) in lengths.iter_mut().zip(&tables) {
                            *sum += table.map_or(0, |t| u64::from(t.get(row)));
                        }
                    }
                }
            }
        }
        let mut languages: Vec<Language> = Language::ALL.to_vec();
        languages.retain(|&l| by_language[l as usize] > 0);
        languages.sort_by_key(|&l| std::cmp::Reverse(by_language[l as usize]));
        Ok(Statistics { rows, lengths, languages })
    }

    /// Mean length of a visible row in `field`.
    pub(crate) fn mean_len(&self, field: usize) -> f64 {
        if self.rows == 0 { 0.0 } else { self.lengths[field] as f64 / self.rows as f64 }
    }
}
