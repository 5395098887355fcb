//! The sentences of the first passages, each with what is known about it and how well it answers.

use super::align::{Aligner, Alignment};
use super::features::{self, COUNT as FEATURE_COUNT, Place};
use super::passages::{self, Passage};
use super::question::Question;
use super::units::{Unit, UnitKind};
use super::words::Words;
use super::{Candidate, Header, Options, asked, definition, noise, rows, weights};
use base::{DocId, Embedder, Result, Role};
use std::ops::Range;

/// A unit with everything known about it; for measuring, fitting and `--explain`.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Index of its passage among the candidates.
    pub candidate: usize,
    /// Bytes of the document's text.
    pub range: Range<usize>,
    /// Values in the order of [`FEATURE_NAMES`](features::NAMES).
    pub features: [f32; FEATURE_COUNT],
    /// How little it reads like a sentence, 0 to 1.
    pub noise: f32,
    /// Whether it says what the thing is that the question asks to have explained.
    pub defines: bool,
    /// What it is picked by.
    pub score: f32,
    pub(super) words: Words,
    /// Those without the question that it answers in the document.
    pub(super) own_words: Words,
    /// The unit after the question of its document that it answers, as it is read then.
    with_question: Option<String>,
    pub(super) alignment: Alignment,
    /// Whether the features know what only the model knows of single words.
    pub(super) word_by_word: bool,
    pub(super) pronoun: bool,
    /// Which of the question's stems it holds, a bit each; of the first 64.
    pub(super) met: u64,
    /// Bytes of the document's text: the unit before.
    pub(super) before: Option<Range<usize>>,
    pub(super) document: DocId,
    /// What heads its table.
    pub(super) header: Option<Header>,
}

/// The units of `candidates` that were considered, best first: those that words sort out, then judged by the model.
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
    let passages: Vec<Passage<'_>> = passages::passages(candidates, options.passages_max);
    let weights = features::weights(&question, passages.iter().flat_map(|p| &p.words));
    let best_score = passages.iter().map(|p| p.candidate.score).fold(0.0, f32::max);

    // Until the model is asked, a word meets only itself.
    let plain = Aligner::new(&question, question_text, None);
    let about_questions = asked::about_questions(question_text);
    let mut judged = Vec::new();
    for (p, passage) in passages.iter().enumerate() {
        let everywhere = |stem: &str| passage.context.holds(stem) || passage.words.iter().any(|w| w.holds(stem));
        let cover_passage = features::cover(&question, &weights, everywhere);
        for (u, unit) in passage.units.iter().enumerate() {
            if !passage.fresh[u] {
                continue;
            }
            let text = &passage.text[unit.range.clone()];
            // Below a question `A:` only says that this is its answer.
            let mark = passage.asked[u].map_or(0, |_| asked::answer_mark(text));
            let text = &text[mark..];
            let asks = !about_questions && asked::asks(unit.kind, text);
            // The title above a table says what the table is about, not what it holds.
            let is_title = unit.kind == UnitKind::Row && unit.header.is_none() && rows::is_title(text);
            if asks || is_title || says_nothing_new(&question, text, &passage.words[u], unit.kind) {
                continue;
            }
            // An answer is read after its question, which alone says what it is about.
            let with_question = passage.asked[u].map(|asked| format!("{asked} {text}"));
            let read = with_question.as_deref().unwrap_or(text);
            let words = match &with_question {
                Some(read) => Words::new(read),
                None => passage.words[u].clone(),
            };
            let place = Place {
                text: read,
                words: &words,
                position: u,
                before: u.checked_sub(1).map(|b| &passage.words[b]).filter(|_| with_question.is_none()),
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
                range: span(unit).start + mark..span(unit).end,
                features,
                noise,
                defines: question.definition && definition::defines(&question.stems, read, &words),
                score: 0.0,
                word_by_word: true,
                alignment: plain.align(&words, None, &weights),
                pronoun: features::begins_with_pronoun(read),
                met: met(&question, &words),
                before: u.checked_sub(1).map(|b| span(&passage.units[b])),
                document: passage.candidate.chunk.document,
                header: match (unit.header, passage.above) {
                    (Some(header), _) => Some(Header::At(span(&passage.units[header]))),
                    (None, Some((header, rows))) if u < rows => Some(Header::Above(header.to_owned())),
                    (None, _) => None,
                },
                words,
                own_words: passage.words[u].clone(),
                with_question,
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
            let own = &chunk.text[unit.range.start - start..unit.range.end - start];
            unit.with_question.as_deref().unwrap_or(own)
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
pub(super) const COSINE: usize = 3;
/// Position of the first of three features that say how the question's words are met.
pub(super) const ALIGNED: usize = FEATURE_COUNT - 3;

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

/// Which stems of the question `words` hold, a bit each.
fn met(question: &Question, words: &Words) -> u64 {
    let bits = question.stems.iter().take(64).enumerate().filter(|(_, stem)| words.holds(stem));
    bits.fold(0, |bits, (i, _)| bits | 1 << i)
}

fn sort(judged: &mut [Judged]) {
    judged.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.candidate.cmp(&b.candidate)).then(a.range.start.cmp(&b.range.start))
    });
}
