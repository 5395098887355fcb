//! The answer without a language model: the sentences that answer, quoted from where they stand.
//!
//! [`compose`] takes the first passages of a search and
//!
//! 1. cuts them into units: sentences, rows of tables, lines of code ([`units`]), each once, also when
//!    passages overlap;
//! 2. sorts out, by words alone, those that cannot answer, so that a bounded number is embedded;
//! 3. describes the rest by features ([`features`]) and adds these up with learned weights ([`weights`]);
//! 4. picks greedily, against repetition, as long as a further sentence is likely to help;
//! 5. puts the picks in reading order, passage by passage;
//! 6. says how sure it is, and abstains below a threshold ([`confidence`]).
//!
//! Everything picked is an exact slice of the document. Cost: one batch of at most
//! [`Options::embedded_max`] sentences through the embedder; the rest is microseconds.

mod align;
mod confidence;
mod definition;
mod features;
mod focus;
mod found;
mod mention;
mod noise;
mod question;
mod select;
mod terms;
mod units;
mod weights;
mod words;

pub use confidence::{SIGNALS, Signals};
pub use features::{COUNT as FEATURE_COUNT, NAMES as FEATURE_NAMES};

use align::{Aligner, Alignment};
use base::{ChunkRecord, Embedder, Result, Role};
use features::Place;
use question::Question;
use std::ops::Range;
use units::{Unit, UnitKind};
use words::Words;

/// A passage that may answer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The passage.
    pub chunk: &'a ChunkRecord,
    /// What ordered the search, 0 to 1.
    pub score: f32,
    /// BM25 score, if words found it.
    pub bm25: Option<f32>,
    /// Cosine to the question, if vectors found it.
    pub dense: Option<f32>,
}

/// How to compose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most sentences in an answer; at least 1.
    pub sentences_max: usize,
    /// Passages that are read, from the best on.
    pub passages_max: usize,
    /// Sentences that are embedded.
    pub embedded_max: usize,
    /// Abstain below this confidence, 0 to 1.
    pub confidence_min: f32,
}

impl Default for Options {
    fn default() -> Self {
        Options { sentences_max: 3, passages_max: 6, embedded_max: 12, confidence_min: confidence::MIN }
    }
}

/// A quoted stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Index of its passage among the candidates.
    pub candidate: usize,
    /// Bytes of the document's text.
    pub range: Range<usize>,
    /// How well it answers; comparable within one question only.
    pub score: f32,
}

/// An answer made of quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    /// The quotes in reading order; when `abstained`, what would have been said.
    pub picks: Vec<Pick>,
    /// 0 to 1: the estimated chance that the picks hold the answer.
    pub confidence: f32,
    /// Whether the passages do not answer.
    pub abstained: bool,
}

/// A unit with everything known about it; for measuring, fitting and `--explain`.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Index of its passage among the candidates.
    pub candidate: usize,
    /// Bytes of the document's text.
    pub range: Range<usize>,
    /// Values in the order of [`FEATURE_NAMES`].
    pub features: [f32; FEATURE_COUNT],
    /// How little it reads like a sentence, 0 to 1.
    pub noise: f32,
    /// Whether it says what the thing is that the question asks to have explained.
    pub defines: bool,
    /// What it is picked by.
    pub score: f32,
    kind: UnitKind,
    words: Words,
    alignment: Alignment,
    /// Whether the features know what only the model knows of single words.
    word_by_word: bool,
    pronoun: bool,
    /// Bytes of the document's text: the unit before, and the header of its table.
    before: Option<Range<usize>>,
    header: Option<Range<usize>>,
}

/// Answers `question` from `candidates` (best first). Without a word that says what the question is about,
/// without candidates or without anything near it, the result abstains.
///
/// # Errors
/// Those of the embedder.
pub fn compose(
    question: &str,
    candidates: &[Candidate<'_>],
    embedder: &dyn Embedder,
    options: &Options,
) -> Result<Composed> {
    let judged = judge(question, candidates, embedder, options)?;
    let picks = select::select(&judged, options.sentences_max.max(1));
    let signals = Signals::new(&judged, &picks);
    let confidence = signals.confidence();
    let picks = select::reading_order(picks, candidates);
    Ok(Composed { abstained: picks.is_empty() || confidence < options.confidence_min, picks, confidence })
}

/// The signals behind the confidence of [`compose`]; for fitting it.
pub fn signals(
    question: &str,
    candidates: &[Candidate<'_>],
    embedder: &dyn Embedder,
    options: &Options,
) -> Result<Signals> {
    let judged = judge(question, candidates, embedder, options)?;
    let picks = select::select(&judged, options.sentences_max.max(1));
    Ok(Signals::new(&judged, &picks))
}

/// The words of `question` that say what it is about, in order, repeated ones too.
pub fn telling_words(question: &str) -> Vec<&str> {
    terms::terms(question).into_iter().filter(|term| !term.stop).map(|term| &question[term.range]).collect()
}

/// The units of `candidates` that were considered, best first.
///
/// # Errors
/// Those of the embedder.
pub fn judge(
    question: &str,
    candidates: &[Candidate<'_>],
    embedder: &dyn Embedder,
    options: &Options,
) -> Result<Vec<Judged>> {
    let question_text = question;
    let question = Question::new(question);
    if !question.telling {
        return Ok(Vec::new());
    }
    let passages: Vec<Passage<'_>> = passages(candidates, options.passages_max);
    let weights = features::weights(&question, passages.iter().flat_map(|p| &p.words));
    let best_score = passages.iter().map(|p| p.candidate.score).fold(0.0, f32::max);

    // Until the model is asked, a word meets only itself.
    let plain = Aligner::new(&question, question_text, None);
    let mut judged = Vec::new();
    for (p, passage) in passages.iter().enumerate() {
        let everywhere = |stem: &str| passage.context.holds(stem) || passage.words.iter().any(|w| w.holds(stem));
        let cover_passage = features::cover(&question, &weights, everywhere);
        for (u, unit) in passage.units.iter().enumerate() {
            if !passage.fresh[u] {
                continue;
            }
            let text = &passage.text[unit.range.clone()];
            if says_nothing_new(&question, text, &passage.words[u], unit.kind) {
                continue;
            }
            let place = Place {
                text,
                words: &passage.words[u],
                position: u,
                before: u.checked_sub(1).map(|b| &passage.words[b]),
                after: passage.words.get(u + 1),
                context: [Some(&passage.context), unit.header.map(|h| &passage.words[h])],
                cover_passage,
                passage_score: if best_score > 0.0 {
                    (passage.candidate.score / best_score).clamp(0.0, 1.0)
                } else {
                    0.0
                },
                passage_cosine: passage.candidate.dense.unwrap_or(0.0).clamp(-1.0, 1.0),
                passage_first: p == 0,
            };
            let features = features::row(&question, &weights, &place, 0.0);
            let noise = noise::noise(text, unit.kind);
            let span = |unit: &Unit| unit.range.start + passage.start..unit.range.end + passage.start;
            judged.push(Judged {
                candidate: passage.index,
                range: span(unit),
                features,
                noise,
                defines: question.definition && definition::defines(&question.stems, text, &passage.words[u]),
                score: 0.0,
                kind: unit.kind,
                words: passage.words[u].clone(),
                word_by_word: true,
                alignment: plain.align(&passage.words[u], None, &weights),
                pronoun: features::begins_with_pronoun(text),
                before: u.checked_sub(1).map(|b| span(&passage.units[b])),
                header: unit.header.map(|h| span(&passage.units[h])),
            });
            if let Some(unit) = judged.last_mut() {
                unit.set_alignment();
            }
        }
    }
    sort(&mut judged);
    judged.truncate(options.embedded_max.max(1));
    embed(question_text, &question, &weights, &mut judged, candidates, embedder)?;
    sort(&mut judged);
    Ok(judged)
}

/// A candidate cut into units.
struct Passage<'a> {
    index: usize,
    candidate: &'a Candidate<'a>,
    text: &'a str,
    start: usize,
    context: Words,
    units: Vec<Unit>,
    words: Vec<Words>,
    /// Whether no earlier passage holds the unit.
    fresh: Vec<bool>,
}

fn passages<'a>(candidates: &'a [Candidate<'a>], max: usize) -> Vec<Passage<'a>> {
    let mut passages: Vec<Passage<'a>> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate().take(max.max(1)) {
        let text = candidate.chunk.text.as_str();
        let start = candidate.chunk.chunk.range.start;
        let mut units = units::units(text);
        if units::ends_in_header(&candidate.chunk.chunk.context) {
            // The table began before this passage: its first row here is a row like the others.
            units.iter_mut().filter(|unit| unit.header == Some(0)).for_each(|unit| unit.header = None);
        }
        let fresh = units
            .iter()
            .map(|unit| {
                let range = unit.range.start + start..unit.range.end + start;
                let middle = range.start.midpoint(range.end);
                !passages.iter().any(|p| {
                    // The same words again (copies of a file), or a stretch that two passages share.
                    let shared = p.candidate.chunk.document == candidate.chunk.document;
                    p.units.iter().any(|other| {
                        p.text[other.range.clone()] == text[unit.range.clone()]
                            || shared && other.range.start + p.start <= middle && middle < other.range.end + p.start
                    })
                })
            })
            .collect();
        let words = units.iter().map(|unit| Words::new(&text[unit.range.clone()])).collect();
        let context = Words::new(&candidate.chunk.chunk.context);
        passages.push(Passage { index, candidate, text, start, context, units, words, fresh });
    }
    passages
}

/// Adds to the features and scores of `judged` what needs the model: the cosine, and how the words meet.
fn embed(
    text: &str,
    question: &Question,
    weights: &[f32],
    judged: &mut [Judged],
    candidates: &[Candidate<'_>],
    embedder: &dyn Embedder,
) -> Result<()> {
    if judged.is_empty() {
        return Ok(());
    }
    let (mut vector, mut rows) = (Vec::new(), Vec::new());
    let (mut asked, mut states) = (Vec::new(), Vec::new());
    embedder.embed_with_states(&[text], Role::Query, &mut vector, &mut asked)?;
    let texts: Vec<&str> = judged
        .iter()
        .map(|unit| {
            let chunk = candidates[unit.candidate].chunk;
            let start = chunk.chunk.range.start;
            &chunk.text[unit.range.start - start..unit.range.end - start]
        })
        .collect();
    embedder.embed_with_states(&texts, Role::Passage, &mut rows, &mut states)?;
    let aligner = Aligner::new(question, text, asked.first());
    for (i, (unit, row)) in judged.iter_mut().zip(rows.chunks_exact(vector.len())).enumerate() {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let norms = (dot(&vector, &vector) * dot(row, row)).sqrt();
        unit.features[COSINE] = if norms > 0.0 { dot(&vector, row) / norms } else { 0.0 };
        unit.word_by_word = states.get(i).is_some();
        unit.alignment = aligner.align(&unit.words, states.get(i), weights);
        unit.set_alignment();
    }
    Ok(())
}

/// Position of the cosine among the features.
const COSINE: usize = 3;
/// Position of the first of three features that say how the question's words are met.
const ALIGNED: usize = FEATURE_COUNT - 3;

impl Judged {
    /// Brings the alignment into the features, and all of them into the score.
    fn set_alignment(&mut self) {
        let met = [self.alignment.all, self.alignment.telling, self.alignment.asked];
        self.features[ALIGNED..ALIGNED + met.len()].copy_from_slice(&met);
        self.score = score(self);
    }
}

fn score(unit: &Judged) -> f32 {
    let by_state = if unit.word_by_word { &weights::UNIT } else { &weights::UNIT_WITHOUT_STATES };
    let learned = unit.features.iter().zip(by_state).map(|(f, w)| f * w).sum::<f32>();
    learned - weights::NOISE * unit.noise + weights::DEFINES * f32::from(u8::from(unit.defines))
}

/// Whether a unit only repeats words of the question, as headings and declarations do. A statement in the
/// question's own words can still answer: which of two things, or whether something is so.
fn says_nothing_new(question: &Question, text: &str, words: &Words, kind: UnitKind) -> bool {
    if kind == UnitKind::Sentence && text.ends_with(['.', '!', '。', '！', '।', '۔']) {
        return false;
    }
    const KEYWORDS: [&str; 10] =
        ["class", "def", "enum", "fn", "function", "impl", "interface", "pub", "struct", "type"];
    let old = |stem: &str| question.said.contains(stem) || kind == UnitKind::Code && KEYWORDS.contains(&stem);
    !question.whether && words.terms().iter().all(|term| term.stop || old(&term.stem))
}

fn sort(judged: &mut [Judged]) {
    judged.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.candidate.cmp(&b.candidate)).then(a.range.start.cmp(&b.range.start))
    });
}

#[cfg(test)]
mod tests;
