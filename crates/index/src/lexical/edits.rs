//! Edit distance (insert, delete, replace, swap of neighbours) of one word against many in sorted order.
//!
//! Sorted words share beginnings with their neighbours, and so do the rows of the dynamic programme: only
//! the part behind the common beginning is computed again. Optimal string alignment, as Damerau's distance
//! without edits inside of a swapped pair.

/// Compares a word with one candidate after another.
pub(crate) struct EditMatcher {
    word: Vec<char>,
    most: usize,
    /// The last candidate, and the edits between its beginnings (a row each) and those of the word.
    last: Vec<char>,
    rows: Vec<u32>,
}

impl EditMatcher {
    /// For candidates within `most` edits of `word`.
    pub(crate) fn new(word: &str, most: usize) -> Self {
        let word: Vec<char> = word.chars().collect();
        let first = (0..=word.len() as u32).collect();
        EditMatcher { word, most, last: Vec::new(), rows: first }
    }

    /// Characters of the word.
    pub(crate) fn word_len(&self) -> usize {
        self.word.len()
    }

    /// Compares the word with the next candidate; `false` if nothing that begins like it, up to its last character, is
    /// within the limit.
    pub(crate) fn read(&mut self, candidate: &str) -> bool {
        let shared = self.last.iter().copied().zip(candidate.chars()).take_while(|(a, b)| a == b).count();
        self.last.truncate(shared);
        self.rows.truncate((shared + 1) * self.width());
        for c in candidate.chars().skip(shared) {
            if self.is_hopeless() {
                return false;
            }
            self.push(c);
        }
        true
    }

    /// The edits between the word and the first `kept` characters of the candidate followed by `tail`, if they are
    /// within the limit.
    pub(crate) fn distance_with(&mut self, kept: usize, tail: &[char]) -> Option<usize> {
        if (kept + tail.len()).abs_diff(self.word.len()) > self.most {
            return None;
        }
        let (whole, rows) = (self.last.len(), self.rows.len());
        let cut = self.last.split_off(kept);
        let cut_rows = self.rows.split_off((kept + 1) * self.width());
        tail.iter().for_each(|&c| self.push(c));
        let distance = self.rows[self.rows.len() - 1];
        self.last.truncate(kept);
        self.last.extend(cut);
        self.rows.truncate((kept + 1) * self.width());
        self.rows.extend(cut_rows);
        debug_assert!(self.last.len() == whole && self.rows.len() == rows);
        (distance as usize <= self.most).then_some(distance as usize)
    }

    fn width(&self) -> usize {
        self.word.len() + 1
    }

    /// Whether all edits so far are too many.
    fn is_hopeless(&self) -> bool {
        self.rows[self.rows.len() - self.width()..].iter().all(|&edits| edits as usize > self.most)
    }

    /// Appends the row of one more character.
    fn push(&mut self, c: char) {
        let (i, width) = (self.last.len(), self.width());
        let above = i * width;
        self.rows.push(i as u32 + 1);
        for (j, &w) in self.word.iter().enumerate() {
            let replaced = self.rows[above + j] + u32::from(w != c);
            let mut best = replaced.min(self.rows[above + j + 1] + 1).min(self.rows[above + width + j] + 1);
            if i > 0 && j > 0 && c == self.word[j - 1] && self.last[i - 1] == w {
                best = best.min(self.rows[above - width + j - 1] + 1);
            }
            self.rows.push(best);
        }
        self.last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distance(matcher: &mut EditMatcher, candidate: &str) -> Option<usize> {
        if matcher.read(candidate) { matcher.distance_with(candidate.chars().count(), &[]) } else { None }
    }

    #[test]
    fn known_distances() {
        let mut matcher = EditMatcher::new("limestone", 2);
        for (word, expected) in [
            ("limestone", Some(0)),
            ("limestones", Some(1)),
            ("limestnoe", Some(1)),
            ("limstone", Some(1)),
            ("linestoan", None),
            ("milestone", Some(2)),
            ("stone", None),
        ] {
            assert_eq!(distance(&mut matcher, word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn sharing_rows_changes_nothing(word in "[abc]{0,6}", mut others in proptest::collection::vec("[abc]{0,7}", 0..40)) {
            others.sort();
            let mut shared = EditMatcher::new(&word, 2);
            for other in &others {
                let fresh = distance(&mut EditMatcher::new(&word, 2), other);
                prop_assert_eq!(distance(&mut shared, other), fresh);
            }
        }
    }
}
