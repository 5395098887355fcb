//! Counts over the visible rows of all segments.

use super::analysis::Language;
use super::dictionary::TermEntry;
use super::format::corrupt;
use super::view::SegmentView;
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

/// Calls `visit` with every term of all fields together, in byte order, and where it stands in each segment.
pub(crate) fn for_each_term(
    views: &[SegmentView],
    mut visit: impl FnMut(&[u8], &[Option<TermEntry>]) -> Result<()>,
) -> Result<()> {
    let mut walks = Vec::with_capacity(views.len());
    let mut heads: Vec<Option<(Vec<u8>, TermEntry)>> = Vec::with_capacity(views.len());
    for view in views {
        let mut walk = view.segment.walk(&[0])?;
        heads.push(walk.next()?.map(|(key, entry)| (key.to_vec(), entry)));
        walks.push(walk);
    }
    let mut entries: Vec<Option<TermEntry>> = Vec::new();
    while let Some(key) = heads.iter().flatten().map(|(key, _)| key).min().cloned() {
        if key.first() != Some(&0) {
            break;
        }
        entries.clear();
        for (head, walk) in heads.iter_mut().zip(&mut walks) {
            entries.push(head.take_if(|(k, _)| *k == key).map(|(_, entry)| entry));
            if head.is_none() && entries.last().is_some_and(Option::is_some) {
                *head = walk.next()?.map(|(key, entry)| (key.to_vec(), entry));
                if head.as_ref().is_some_and(|(next, _)| *next <= key) {
                    return Err(corrupt("terms do not ascend".into()));
                }
            }
        }
        visit(&key, &entries)?;
    }
    Ok(())
}
