//! The gate between a model's words and the reader.
//!
//! Text comes in as the model writes it and leaves sentence by sentence, checked: control characters and
//! markers are gone, addresses stand in the evidence, every `[n]` names evidence that was handed over and is
//! renumbered in order of appearance. One number is one quote: a sentence that cites a piece of evidence gets
//! the number of the words there that support it, so two sentences that rest on different words of the same
//! page have two numbers.

use super::checked::Checked;
use super::clean::{Cleaner, PRIVATE_FIRST, PRIVATE_LAST};
use super::code_span::code_spans;
use super::link::Links;
use super::mark::{self, Scan};
use super::sentence::{Piece, Splitter};
use super::support::Support;
use super::verdict::{Silence, heads_sources, says_something, silence, words_of};
use base::{Citation, Evidence, char_offset};
use std::collections::HashMap;
use std::ops::Range;

/// Checks a whole answer against the evidence that the model was given.
pub fn check_citations(text: &str, evidence: &[Evidence]) -> Checked {
    let mut checker = Checker::new(evidence);
    checker.push(text);
    checker.finish().1
}

/// Checks an answer while it is written. The returned pieces, joined, are [`Checked::text`].
#[derive(Debug)]
pub struct Checker<'a> {
    evidence: &'a [Evidence],
    by_number: HashMap<u64, usize>,
    support: HashMap<usize, Support>,
    links: Links,
    cleaner: Cleaner,
    splitter: Splitter,
    numbers: HashMap<(usize, Range<usize>), usize>,
    /// The last sentence without its marks, for a mark that stands alone.
    claim: String,
    /// A heading that may announce a list of sources.
    held: String,
    in_sources: bool,
    in_source_line: bool,
    seen_text: bool,
    silence: Option<Silence>,
    checked: Checked,
}

impl<'a> Checker<'a> {
    /// A checker for an answer from `evidence`. Of two pieces with the same number the first counts.
    pub fn new(evidence: &'a [Evidence]) -> Self {
        let mut by_number = HashMap::new();
        for (i, e) in evidence.iter().enumerate() {
            by_number.entry(u64::from(e.n)).or_insert(i);
        }
        Checker {
            evidence,
            by_number,
            support: HashMap::new(),
            links: Links::new(evidence),
            cleaner: Cleaner::default(),
            splitter: Splitter::default(),
            numbers: HashMap::new(),
            claim: String::new(),
            held: String::new(),
            in_sources: false,
            in_source_line: false,
            seen_text: false,
            silence: None,
            checked: Checked::default(),
        }
    }

    /// Takes what the model wrote next and returns what may be shown.
    pub fn push(&mut self, text: &str) -> String {
        let mut cleaned = String::with_capacity(text.len());
        self.cleaner.push(text, &mut cleaned);
        self.splitter.push(&cleaned);
        self.drain(false)
    }

    /// The model stopped: the last piece and the verdict.
    pub fn finish(mut self) -> (String, Checked) {
        let mut shown = self.drain(true);
        if !self.held.is_empty() {
            shown.push_str(&self.held);
            self.checked.text.push_str(&self.held);
        }
        self.checked.abstains = match self.silence {
            Some(Silence::Exact) => true,
            Some(Silence::Free) => self.checked.citations.is_empty(),
            None => false,
        };
        (shown, self.checked)
    }

    fn drain(&mut self, last: bool) -> String {
        let mut shown = String::new();
        while let Some(piece) = self.splitter.next(last) {
            shown.push_str(&self.piece(piece));
        }
        self.checked.text.push_str(&shown);
        shown
    }

    fn piece(&mut self, piece: Piece) -> String {
        if piece.code {
            return self.links.check_urls(&piece.text, &mut self.checked.removed_links);
        }
        if self.in_list_of_sources(&piece.text) {
            return String::new();
        }
        let mut shown = String::new();
        if heads_sources(&piece.text) {
            std::mem::swap(&mut shown, &mut self.held);
            self.held.push_str(&piece.text);
            return shown;
        }
        if !self.held.is_empty() && piece.text.trim().is_empty() {
            self.held.push_str(&piece.text);
            return shown;
        }
        std::mem::swap(&mut shown, &mut self.held);
        shown.push_str(&self.sentence(&piece.text));
        shown
    }

    /// Models like to end with a list of sources; ours is made from the citations that were checked.
    fn in_list_of_sources(&mut self, text: &str) -> bool {
        let line = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '*' | '•' | '|'));
        let entry = matches!(mark::scan(line), Scan::Mark { .. }) && line.starts_with(mark::is_open);
        let announced = self.in_sources || !self.held.is_empty();
        // An entry may have several sentences; the rest of its line goes with it.
        let dropped = self.in_source_line || (announced && entry) || (self.in_sources && line.is_empty());
        if dropped {
            self.held.clear();
            self.in_source_line = !text.ends_with('\n');
        }
        self.in_sources = dropped;
        dropped
    }

    fn sentence(&mut self, text: &str) -> String {
        let mut marks = Vec::new();
        let mut out = String::with_capacity(text.len());
        for (part, code) in code_spans(text) {
            if code {
                out.push_str(&self.links.check_urls(part, &mut self.checked.removed_links));
            } else {
                out.push_str(&self.prose(part, &mut marks));
            }
        }
        let bare: String = out.chars().filter(|&c| slot(c).is_none()).collect();
        self.judge(&bare, &marks);
        if bare.chars().any(char::is_alphanumeric) {
            self.claim = bare;
        }
        self.number(&out, &marks)
    }

    /// Rewrites prose until nothing is left to rewrite, because what is taken out of the middle of a word can
    /// make a mark or an address of what remains. Good marks become private characters, see [`slot`].
    fn prose(&mut self, text: &str, marks: &mut Vec<Vec<usize>>) -> String {
        /// Deeper nesting is an attack and is flattened instead.
        const ROUNDS: usize = 24;
        let mut text = text.to_owned();
        for _ in 0..ROUNDS {
            let before = text.clone();
            text = self.links.unwrap_markup(&text, &mut self.checked.removed_links);
            text = self.strike(&text, marks);
            text = self.links.check_urls(&text, &mut self.checked.removed_links);
            if text == before {
                return text;
            }
        }
        text.replace(mark::is_open, "(").replace(mark::is_close, ")").replace('<', "‹").replace([':', '/', '\\'], " ")
    }

    /// Takes the marks out: good ones leave a private character, others nothing.
    fn strike(&mut self, text: &str, marks: &mut Vec<Vec<usize>>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(mark::is_open) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let Scan::Mark { len, ranges } = mark::scan(rest) else {
                let open = rest.chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..open]);
                rest = &rest[open..];
                continue;
            };
            let (raw, after) = rest.split_at(len);
            rest = after;
            let mut cited = Vec::new();
            let mut unknown = false;
            for (first, last) in ranges {
                let mut found = 0;
                // A range can be as wide as numbers go; the evidence is never long.
                for e in self.evidence.iter().map(|e| u64::from(e.n)).filter(|n| (first..=last).contains(n)) {
                    found += 1;
                    let index = self.by_number[&e];
                    if !cited.contains(&index) {
                        cited.push(index);
                    }
                }
                unknown |= found <= last - first;
            }
            if unknown {
                self.checked.struck.push(raw.to_owned());
            }
            match char::from_u32(PRIVATE_FIRST as u32 + marks.len() as u32).filter(|&c| c <= PRIVATE_LAST) {
                Some(slot) if !cited.is_empty() => {
                    marks.push(cited);
                    out.push(slot);
                }
                _ if out.ends_with(' ') && !rest.starts_with(|c: char| c.is_alphanumeric()) => {
                    out.truncate(out.trim_end_matches(' ').len());
                }
                _ => {}
            }
        }
        out.push_str(rest);
        out
    }

    /// Puts numbers where the private characters are.
    fn number(&mut self, text: &str, marks: &[Vec<usize>]) -> String {
        let mut out = String::with_capacity(text.len());
        let claim = self.claim.clone();
        let mut run: Vec<usize> = Vec::new();
        for c in text.chars() {
            let Some(cited) = slot(c).and_then(|i| marks.get(i)) else {
                run.clear();
                out.push(c);
                continue;
            };
            for &index in cited {
                let n = self.citation(index, &claim);
                if !run.contains(&n) {
                    run.push(n);
                    out.push_str(&format!("[{n}]"));
                }
            }
        }
        out
    }

    /// The number of the words in evidence `index` that support `claim`.
    fn citation(&mut self, index: usize, claim: &str) -> usize {
        let evidence = &self.evidence[index];
        let (bytes, support) = self.support.entry(index).or_insert_with(|| Support::new(&evidence.text)).best(claim);
        let next = self.checked.citations.len() + 1;
        let n = *self.numbers.entry((index, bytes.clone())).or_insert(next);
        if n < next {
            let known = &mut self.checked.support[n - 1];
            *known = known.max(support);
            return n;
        }
        let quote = evidence.text[bytes.clone()].to_owned();
        let start = evidence.start + char_offset(&evidence.text, bytes.start);
        self.checked.citations.push(Citation {
            n: n as u32,
            source: evidence.source.clone(),
            locator: evidence.locator.refine(&evidence.text, bytes),
            start,
            end: start + quote.chars().count(),
            quote,
        });
        self.checked.support.push(support);
        n
    }

    fn judge(&mut self, bare: &str, marks: &[Vec<usize>]) {
        let text = words_of(bare);
        if text.is_empty() {
            return;
        }
        let first = !std::mem::replace(&mut self.seen_text, true);
        if first && marks.is_empty() {
            self.silence = silence(&text);
        }
        let line = bare.trim();
        if !marks.is_empty() {
            self.checked.statements += 1;
        } else if says_something(&text, line) {
            self.checked.statements += 1;
            self.checked.uncited.push(line.to_owned());
        }
    }
}

/// Which mark a private character stands for.
fn slot(c: char) -> Option<usize> {
    (PRIVATE_FIRST..=PRIVATE_LAST).contains(&c).then(|| c as usize - PRIVATE_FIRST as usize)
}
