//! A question to an answer with citations.
//!
//! ```text
//! question ─► search ─► passages ─┬─► compose: pick sentences, quote them            (no model)
//!                                 └─► pack ─► generate ─► check every [n] ─► quotes  (a model)
//!                                        when the model fails: compose, and say so
//! ```

use crate::answer::{Candidate, Options, compose};
use crate::generate::{Checked, Outcome, pack, write};
use crate::quotes::{cite, prose, with_headers};
use crate::reading::Reading;
use crate::rerank::Rerank;
use crate::search::{Documents, Ranking, Retrieved, SearchOptions, passages, search};
use base::{Answer, Citation, Embedder, Generator, Result, Snapshot, Timings, TokenSink};
use serde_json::json;
use std::time::Instant;

/// Passages shown when nothing answers.
const NEAREST: usize = 3;

/// What [`Ask::ask`] answers when the documents do not.
pub const NO_ANSWER: &str = "The documents do not answer this question.";

/// What an answer says of itself when it is more likely beside the question than right.
const UNSURE: &str = "these are the nearest sentences, but they may not answer the question";

/// How to answer.
#[derive(Clone, Debug)]
pub struct AskOptions {
    /// How passages are found; `k` of them are looked at.
    pub search: SearchOptions,
    /// Longest extractive answer.
    pub sentences: usize,
    /// Evidence handed to a generator, in tokens.
    pub evidence_tokens: usize,
    /// Longest generated answer, in tokens of the generator.
    pub answer_tokens: u32,
}

/// The parts that an answer needs.
pub struct Ask<'a> {
    /// The version that is read.
    pub snapshot: &'a dyn Snapshot,
    /// The collection's embedder.
    pub embedder: &'a dyn Embedder,
    /// What orders the first passages anew, if one is configured.
    pub rerank: Option<Rerank<'a>>,
    /// A language model, if one is configured.
    pub generator: Option<&'a dyn Generator>,
    /// How.
    pub options: AskOptions,
}

impl Ask<'_> {
    /// Answers `question`. A generator's words go to `sink` as they come, already checked; an extractive
    /// answer is only returned.
    ///
    /// # Errors
    /// `BadInput` for an empty question; what the store and the embedder report. A generator that fails is no
    /// error: the answer is extractive and a notice says why.
    pub fn ask(&self, question: &str, sink: &mut dyn TokenSink) -> Result<Answer> {
        let mut clock = Clock::start();
        let reading = Reading::new(question, self.snapshot, self.embedder.tokens())?;
        let Ranking { hits: found, warnings } =
            search(self.snapshot, self.embedder, self.rerank.as_ref(), &reading.question, &self.options.search)?;
        clock.lap("search_ms");
        let mut documents = Documents::new(self.snapshot);
        let mut answer = match self.generator {
            None => self.extract(&reading, &found, &mut documents)?,
            Some(generator) => self.generate(&reading, &found, generator, &mut documents, sink)?,
        };
        clock.lap("answer_ms");
        answer.question = question.to_owned();
        answer.notices.splice(0..0, warnings.into_iter().chain(reading.notice()));
        answer.timings = clock.finish();
        Ok(answer)
    }

    /// The answer in a model's words; in quotes when the model cannot be used.
    fn generate(
        &self,
        reading: &Reading,
        found: &[Retrieved],
        generator: &dyn Generator,
        documents: &mut Documents<'_>,
        sink: &mut dyn TokenSink,
    ) -> Result<Answer> {
        let question = reading.question.as_str();
        let shown = passages(documents, found)?;
        let mut prompt = pack(question, &shown, self.options.evidence_tokens, self.embedder.tokens());
        prompt.max_tokens = self.options.answer_tokens;
        let (checked, abstained) = match write(generator, &prompt, sink) {
            Outcome::Answered(checked) => (checked, false),
            Outcome::Abstained(checked) => (checked, true),
            Outcome::Unusable { reason, partial, .. } => {
                let mut answer = self.extract(reading, found, documents)?;
                answer.notices.push(format!("{reason}; this answer is made of quotes"));
                if !partial.text.is_empty() {
                    answer.notices.push("what the model wrote before is not part of it".to_owned());
                }
                return Ok(answer);
            }
        };
        let notices = checked.notices();
        let confidence = confidence(&checked, abstained);
        let mut citations = if abstained { Vec::new() } else { checked.citations };
        for citation in &mut citations {
            locate(citation, found, documents)?;
        }
        Ok(Answer {
            question: question.to_owned(),
            answer: if abstained { NO_ANSWER.to_owned() } else { checked.text },
            abstained,
            confidence,
            generator: generator.name().to_owned(),
            citations,
            nearest: if abstained { shown.into_iter().take(NEAREST).collect() } else { Vec::new() },
            notices,
            timings: Timings::new(),
        })
    }

    /// The answer made of quotes.
    fn extract(&self, reading: &Reading, found: &[Retrieved], documents: &mut Documents<'_>) -> Result<Answer> {
        let question = reading.question.as_str();
        let mut candidates = Vec::with_capacity(found.len());
        for hit in found {
            candidates.push(Candidate { chunk: &hit.chunk, score: hit.score, bm25: hit.bm25, dense: hit.dense });
        }
        let options = Options { sentences_max: self.options.sentences, ..Options::default() };
        let composed = compose(question, &candidates, self.embedder, &options)?;
        let picks = with_headers(composed.picks, found, documents)?;
        let citations = cite(&picks, found, documents)?;
        let abstained = composed.abstained || citations.is_empty();
        let notices = match (abstained, composed.unsure) {
            (true, _) => reading.why_not(),
            (false, true) => vec![format!("{UNSURE} (confidence {:.2})", composed.confidence)],
            (false, false) => Vec::new(),
        };
        Ok(Answer {
            question: question.to_owned(),
            answer: if abstained { NO_ANSWER.to_owned() } else { prose(&citations, &picks, found, documents)? },
            abstained,
            confidence: composed.confidence,
            generator: "extractive".to_owned(),
            nearest: if abstained { passages(documents, &found[..found.len().min(NEAREST)])? } else { Vec::new() },
            citations: if abstained { Vec::new() } else { citations },
            notices,
            timings: Timings::new(),
        })
    }
}

/// Gives a citation of packed evidence the address of its quote in the whole document.
fn locate(citation: &mut Citation, found: &[Retrieved], documents: &mut Documents<'_>) -> Result<()> {
    for hit in found {
        let record = documents.get(hit.chunk.document)?;
        if record.summary.source == citation.source {
            let text = &record.document.text;
            let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
            citation.locator = record.document.locate(byte(citation.start)..byte(citation.end));
            return Ok(());
        }
    }
    Ok(())
}

/// How much of a generated answer stands in its citations: the mean share of words that quotes hold, lowered
/// by statements without any.
fn confidence(checked: &Checked, abstained: bool) -> f32 {
    if abstained || checked.support.is_empty() || checked.statements == 0 {
        return 0.0;
    }
    let support = checked.support.iter().sum::<f32>() / checked.support.len() as f32;
    let cited = 1.0 - checked.uncited.len() as f32 / checked.statements as f32;
    (support * cited).clamp(0.0, 1.0)
}

/// Milliseconds by stage.
struct Clock {
    started: Instant,
    lap: Instant,
    timings: Timings,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Clock { started: now, lap: now, timings: Timings::new() }
    }

    fn lap(&mut self, stage: &str) {
        let ms = (self.lap.elapsed().as_secs_f64() * 1e5).round() / 100.0;
        self.timings.insert(stage.to_owned(), json!(ms));
        self.lap = Instant::now();
    }

    fn finish(mut self) -> Timings {
        let ms = (self.started.elapsed().as_secs_f64() * 1e5).round() / 100.0;
        self.timings.insert("total_ms".to_owned(), json!(ms));
        self.timings
    }
}
