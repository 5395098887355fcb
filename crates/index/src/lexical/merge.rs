//! Several segments into one, without what was deleted.

use super::analysis::{Analysis, LanguageChoice};
use super::format::corrupt;
use super::options::LexicalOptions;
use super::postings::Rows;
use super::segment::LexicalSegment;
use super::writer::{FIELDS, RowTable, SegmentWriter};
use base::{Error, Kind, Result, RowSet};

/// The new number of a row that is dropped.
const DROPPED: u32 = u32::MAX;

impl LexicalSegment {
    /// One segment with the rows of all `parts` that are in their set (`None`: all), in order. Rows are renumbered
    /// without gaps; no text is needed.
    ///
    /// # Errors
    /// [`base::Kind::Corrupt`] if a part is damaged, [`base::Kind::Conflict`] if parts were analysed
    /// differently or some have positions and some have not.
    pub fn merge(parts: &[(&LexicalSegment, Option<&RowSet>)]) -> Result<Vec<u8>> {
        let mut options = LexicalOptions::default();
        if let Some((first, _)) = parts.first() {
            options.analysis = first.analysis();
            options.positions = first.has_positions();
        }
        if options.analysis == Analysis::Whitespace {
            options.language = LanguageChoice::Fixed(super::analysis::Language::Other);
        }
        if parts.iter().any(|(s, _)| s.analysis() != options.analysis || s.has_positions() != options.positions) {
            let what = "merging lexical segments: they were built with different options";
            return Err(Error::new(Kind::Conflict, what).hint("rebuild the older segments from the documents"));
        }

        let mut table = RowTable::default();
        let mut renumbered = Vec::with_capacity(parts.len());
        for (segment, live) in parts {
            let lengths = [segment.lengths(0)?, segment.lengths(1)?, segment.lengths(2)?];
            let languages = segment.languages()?;
            let mut numbers = vec![DROPPED; segment.rows() as usize];
            for row in 0..segment.rows() {
                if live.is_none_or(|l| l.contains(row)) {
                    numbers[row as usize] = table.languages.len() as u32;
                    table.languages.push(languages[row as usize]);
                    for field in 0..FIELDS {
                        table.lengths[field].push(lengths[field].map_or(0, |l| l.get(row)));
                    }
                }
            }
            renumbered.push(numbers);
        }

        let mut writer = SegmentWriter::new(table, options);
        let mut walks = Vec::with_capacity(parts.len());
        let mut heads = Vec::with_capacity(parts.len());
        for (segment, _) in parts {
            let mut walk = segment.walk(&[])?;
            heads.push(walk.next()?.map(|(key, entry)| (key.to_vec(), entry)));
            walks.push(walk);
        }
        let (mut list, mut part_list) = (Rows::default(), Rows::default());
        while let Some(key) = heads.iter().flatten().map(|(key, _)| key).min().cloned() {
            if key.first().is_none_or(|&field| field as usize >= FIELDS) {
                return Err(corrupt("a term of an unknown field".into()));
            }
            list.clear();
            for (i, (segment, _)) in parts.iter().enumerate() {
                let Some((_, entry)) = heads[i].take_if(|(k, _)| *k == key) else { continue };
                let positions = key[0] == 0 && options.positions;
                segment.postings(&entry)?.read_all(segment.rows(), positions, &mut part_list)?;
                let mut at = 0;
                for (&row, &tf) in part_list.rows.iter().zip(&part_list.tfs) {
                    let end = if positions { at + tf as usize } else { at };
                    let new = renumbered[i][row as usize];
                    if new != DROPPED {
                        list.rows.push(new);
                        list.tfs.push(tf);
                        list.positions.extend_from_slice(&part_list.positions[at..end]);
                    }
                    at = end;
                }
                heads[i] = walks[i].next()?.map(|(key, entry)| (key.to_vec(), entry));
                if heads[i].as_ref().is_some_and(|(next, _)| *next <= key) {
                    return Err(corrupt("terms do not ascend".into()));
                }
            }
            if !list.rows.is_empty() {
                writer.push(&key, &list);
            }
        }
        Ok(writer.finish())
    }
}
