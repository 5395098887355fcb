//! From the words of a query to terms of the index.
//!
//! Documents were stemmed in their own languages, so a word of the query becomes one term per language of the
//! visible rows, where these differ. All terms of a word share one document frequency, the sum of theirs:
//! otherwise the stem of a rare language would count as a rare word.

use super::analysis::language::{Language, Votes, stop_mask};
use super::analysis::{Analysis, Token, term};
use super::corpus::Corpus;
use super::dictionary::TermEntry;
use super::found::FoundTerm;
use super::postings::PostingList;
use super::segment::LexicalSegment;
use base::Result;

/// Most words a prefix stands for.
const PREFIX_TERMS_MAX: usize = 1024;

/// Where the rows of a term are, in one segment.
#[derive(Clone, Debug)]
pub(crate) enum TermSource {
    /// Nowhere.
    Absent,
    /// In the segment.
    Stored(TermEntry),
    /// Made for this query, of visible rows only: number of rows and encoded postings.
    Made(u32, Vec<u8>),
}

impl TermSource {
    pub(crate) fn open<'a>(&'a self, segment: &'a LexicalSegment) -> Result<Option<PostingList<'a>>> {
        match self {
            TermSource::Absent => Ok(None),
            TermSource::Stored(entry) => segment.postings(entry).map(Some),
            TermSource::Made(count, bytes) => PostingList::open(*count, bytes, &[]).map(Some),
        }
    }
}

/// The words of a text by position: at each, the forms of the word that occurs there.
pub(crate) fn by_position(tokens: Vec<Token>) -> Vec<Vec<Token>> {
    let mut positions: Vec<Vec<Token>> = Vec::new();
    let mut sorted = tokens;
    sorted.sort_by_key(|t| t.position);
    for token in sorted {
        match positions.last_mut() {
            Some(last) if last[0].position == token.position => last.push(token),
            _ => positions.push(vec![token]),
        }
    }
    positions
}

/// Looks up words for one reader.
pub(crate) struct TermFinder<'a> {
    pub corpus: &'a Corpus,
    /// The language whose stop words the query leaves out.
    own: Option<Language>,
}

impl<'a> TermFinder<'a> {
    /// For a query of these words: their stop words tell its language, among those of the visible rows.
    pub(crate) fn new<'t>(corpus: &'a Corpus, words: impl Iterator<Item = &'t str>) -> Self {
        let languages = &corpus.statistics.languages;
        let known = languages.iter().fold(0, |mask, l| mask | l.bit());
        let mut votes = Votes::default();
        words.for_each(|word| votes.add(stop_mask(word) & known));
        let own = votes.winner(1).or_else(|| languages.iter().copied().find(|&l| l != Language::Other));
        TermFinder { corpus, own }
    }

    /// The distinct terms of a folded word in the languages of the visible rows; none for a stop word of the
    /// query's own language.
    pub(crate) fn terms_of(&self, word: &str) -> Vec<String> {
        if self.corpus.analysis() != Analysis::Text {
            return vec![word.to_owned()];
        }
        if self.is_stop_word(word) { Vec::new() } else { self.forms(word) }
    }

    fn is_stop_word(&self, word: &str) -> bool {
        self.own.is_some_and(|own| stop_mask(word) & own.bit() != 0)
    }

    /// Whether any of these forms of a word is looked up: is no stop word of the query's own language.
    pub(crate) fn is_indexed(&self, forms: &[Token]) -> bool {
        forms.iter().any(|form| !self.terms_of(&form.text).is_empty())
    }

    /// Whether every visible row that holds the folded `word` has a term for it: it is no stop word in any language.
    pub(crate) fn is_always_indexed(&self, word: &str) -> bool {
        let languages = &self.corpus.statistics.languages;
        self.corpus.analysis() != Analysis::Text || languages.iter().all(|&language| term(word, language).is_some())
    }

    /// How text becomes words.
    pub(crate) fn analysis(&self) -> Analysis {
        self.corpus.analysis()
    }

    /// The distinct terms of a folded word in the languages of the visible rows.
    pub(crate) fn forms(&self, word: &str) -> Vec<String> {
        let mut terms: Vec<String> = Vec::new();
        for &language in &self.corpus.statistics.languages {
            if let Some(term) = term(word, language)
                && !terms.iter().any(|t| *t == term)
            {
                terms.push(term.into_owned());
            }
        }
        terms
    }

    /// Looks up a term; `None` if no visible row has it.
    pub(crate) fn find(&self, field: usize, term: &str) -> Result<Option<FoundTerm>> {
        let mut key = Vec::with_capacity(term.len() + 1);
        key.push(field as u8);
        key.extend_from_slice(term.as_bytes());
        let mut entries = Vec::with_capacity(self.corpus.views().len());
        for view in self.corpus.views() {
            entries.push(view.segment.entry(&key)?);
        }
        let rows = self.corpus.visible_rows(&key, &entries)?;
        Ok((rows > 0).then(|| FoundTerm { text: term.to_owned(), rows, entries }))
    }

    /// The visible terms of a word, in all languages of the visible rows. A lone character of a script without
    /// spaces also finds the pairs it begins.
    pub(crate) fn word(&self, field: usize, word: &str) -> Result<Vec<FoundTerm>> {
        if self.corpus.analysis() != Analysis::Text {
            return Ok(self.find(field, word)?.into_iter().collect());
        }
        let find = || {
            let forms = self.forms(word);
            Ok(forms
                .iter()
                .map(|term| self.find(field, term))
                .collect::<Result<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect())
        };
        let mut found = if self.is_stop_word(word) { Vec::new() } else { self.corpus.words.get(field, word, find)? };
        if is_lone_unspaced(word) {
            for term in self.prefix(field, word)? {
                if !found.iter().any(|f| f.text == term.text) {
                    found.push(term);
                }
            }
        }
        Ok(found)
    }

    /// The visible terms of any of these forms of a word.
    pub(crate) fn any(&self, field: usize, forms: &[Token]) -> Result<Vec<FoundTerm>> {
        let mut found = Vec::new();
        for form in forms {
            found.extend(self.word(field, &form.text)?);
        }
        Ok(found)
    }

    /// Whether no visible row has a form of the folded `word`; `None` for what cannot be told by words: stop words
    /// of any language, which texts in it were indexed without, and scripts without spaces, indexed by pairs.
    pub(crate) fn is_absent(&self, word: &str) -> Result<Option<bool>> {
        let untold = stop_mask(word) != 0 || word.contains(super::analysis::unspaced);
        if self.corpus.analysis() == Analysis::Text && untold {
            return Ok(None);
        }
        Ok(Some(self.word(0, word)?.is_empty()))
    }

    /// The first visible terms that begin with `prefix`, in byte order.
    pub(crate) fn prefix(&self, field: usize, prefix: &str) -> Result<Vec<FoundTerm>> {
        let mut key = vec![field as u8];
        key.extend_from_slice(prefix.as_bytes());
        let mut found = Vec::new();
        self.walk(field, &key, |text| text.starts_with(prefix), &mut found)?;
        Ok(found)
    }

    /// The first visible terms from `key` on, as long as `belongs`, over all segments in byte order.
    fn walk(&self, field: usize, key: &[u8], belongs: impl Fn(&str) -> bool, found: &mut Vec<FoundTerm>) -> Result<()> {
        let mut walks = Vec::new();
        let mut heads: Vec<Option<Vec<u8>>> = Vec::new();
        for view in self.corpus.views() {
            let mut walk = view.segment.walk(key)?;
            heads.push(walk.next()?.map(|(key, _)| key.to_vec()));
            walks.push(walk);
        }
        while let Some(next) = heads.iter().flatten().min().cloned() {
            let text = std::str::from_utf8(next.get(1..).unwrap_or(&[])).unwrap_or("");
            if next.first() != Some(&(field as u8)) || !belongs(text) || found.len() == PREFIX_TERMS_MAX {
                break;
            }
            found.extend(self.find(field, text)?);
            for (head, walk) in heads.iter_mut().zip(&mut walks) {
                if head.as_ref() == Some(&next) {
                    *head = walk.next()?.map(|(key, _)| key.to_vec());
                }
            }
        }
        Ok(())
    }
}

fn is_lone_unspaced(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(super::analysis::unspaced) && chars.next().is_none()
}
