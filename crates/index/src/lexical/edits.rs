//! Edit distance (insert, delete, replace, swap of neighbours) of one word against many in sorted order.
//!
//! Sorted words share beginnings with their neighbours, and so do the rows of the dynamic programme: only
//! the part behind the common beginning is computed again. Optimal string alignment, as Damerau's distance
//! without edits inside of a swapped pair.

/// Compares a word with one candidate after another.
pub(crate) struct EditMatcher {
    word: Vec<char>,
    most: usize,
    /// The last candidate, and one row of distances per character of it, and the first row.
    last: Vec<char>,
    rows: Vec<Vec<usize>>,
}

impl EditMatcher {
    /// For candidates within `most` edits of `word`.
    pub(crate) fn new(word: &str, most: usize) -> Self {
        let word: Vec<char> = word.chars().collect();
        let first = (0..=word.len()).collect();
        EditMatcher { word, most, last: Vec::new(), rows: vec![first] }
    }

    /// The number of edits between the word and `candidate`, if it is at most the limit.
    pub(crate) fn distance(&mut self, candidate: &str) -> Option<usize> {
        let chars: Vec<char> = candidate.chars().collect();
        if chars.len().abs_diff(self.word.len()) > self.most {
            return None;
        }
        let shared = self.last.iter().zip(&chars).take_while(|(a, b)| a == b).count().min(self.rows.len() - 1);
        self.rows.truncate(shared + 1);
        self.last.truncate(shared);
        for &c in &chars[shared..] {
            let i = self.last.len();
            let above = &self.rows[i];
            let mut row = Vec::with_capacity(self.word.len() + 1);
            row.push(i + 1);
            for (j, &w) in self.word.iter().enumerate() {
                let mut best = (above[j] + usize::from(w != c)).min(above[j + 1] + 1).min(row[j] + 1);
                if i > 0 && j > 0 && c == self.word[j - 1] && self.last[i - 1] == w {
                    best = best.min(self.rows[i - 1][j - 1] + 1);
                }
                row.push(best);
            }
            let hopeless = row.iter().all(|&d| d > self.most);
            self.rows.push(row);
            self.last.push(c);
            if hopeless {
                return None;
            }
        }
        let distance = self.rows[chars.len()][self.word.len()];
        (distance <= self.most).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            assert_eq!(matcher.distance(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn sharing_rows_changes_nothing(word in "[abc]{0,6}", mut others in proptest::collection::vec("[abc]{0,7}", 0..40)) {
            others.sort();
            let mut shared = EditMatcher::new(&word, 2);
            for other in &others {
                prop_assert_eq!(shared.distance(other), EditMatcher::new(&word, 2).distance(other));
            }
        }
    }
}
