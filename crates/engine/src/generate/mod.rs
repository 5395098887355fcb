//! The answer by a language model: evidence packed into a prompt, the model's words checked against it.
//!
//! [`pack`] numbers the evidence and makes it harmless, [`check_citations`] (or, while the model writes,
//! [`CheckedSink`]) lets only text through whose every mark is a citation with an exact quote, and [`write`]
//! does both halves of an exchange and says what came of it. Whether to fall back to an extractive answer is
//! the caller's decision, from the [`Outcome`].
//!
//! ```
//! use base::{Evidence, Locator, Place};
//!
//! let evidence = [Evidence {
//!     n: 4,
//!     source: "wall.txt".into(),
//!     locator: Locator::at(Place::Lines(7, 7)),
//!     start: 100,
//!     text: "Dig a trench. The base is 600 mm wide.".into(),
//! }];
//! let checked = engine::generate::check_citations("The base is 600 mm wide [4], they say [9].", &evidence);
//! assert_eq!(checked.text, "The base is 600 mm wide [1], they say.");
//! assert_eq!(checked.citations[0].quote, "The base is 600 mm wide.");
//! assert_eq!(checked.citations[0].start, 114);
//! assert_eq!(checked.struck, ["[9]"]);
//! ```

mod check;
mod checked;
mod clean;
mod code_span;
mod link;
mod mark;
mod pack;
mod sentence;
mod sink;
mod support;
#[cfg(test)]
mod tests;
mod verdict;

pub use check::{Checker, check_citations};
pub use checked::Checked;
pub use clean::quiet_marks;
pub use pack::{ABSTENTION, ANSWER_TOKENS_MAX, pack};
pub use sink::CheckedSink;

use base::{Error, Generation, Generator, Prompt, Result, TokenSink};

/// What came of asking a model.
#[derive(Debug)]
pub enum Outcome {
    /// Text with at least one citation.
    Answered(Checked),
    /// The model says that the evidence does not answer, or there was no evidence to ask about.
    Abstained(Checked),
    /// Nothing that may be shown as an answer; the caller falls back and says why.
    Unusable {
        /// One sentence for the user.
        reason: String,
        /// What the endpoint did, if it failed.
        error: Option<Error>,
        /// What the model wrote before, checked; the sink has seen it.
        partial: Checked,
    },
}

/// Asks `generator` and passes its words to `sink` as soon as they are checked.
///
/// Without evidence nothing is asked.
pub fn write(generator: &dyn Generator, prompt: &Prompt, sink: &mut dyn TokenSink) -> Outcome {
    if prompt.evidence.is_empty() {
        return Outcome::Abstained(Checked { abstains: true, ..Checked::default() });
    }
    let mut gate = CheckedSink::new(&prompt.evidence, sink);
    let generation = generator.generate(prompt, &mut gate);
    judge(generator.name(), generation, gate.finish())
}

/// What a generation and its check amount to, for callers that stream themselves. `name` is the model's.
pub fn judge(name: &str, generation: Result<Generation>, mut checked: Checked) -> Outcome {
    checked.cut = generation.as_ref().is_ok_and(|g| !g.complete);
    let reason = match generation {
        Err(error) => {
            let reason = format!("the language model could not be used: {}", error.chain());
            return Outcome::Unusable { reason, error: Some(error), partial: checked };
        }
        Ok(_) if checked.abstains => return Outcome::Abstained(checked),
        Ok(_) if !checked.citations.is_empty() => return Outcome::Answered(checked),
        Ok(_) if checked.text.trim().is_empty() => format!("{name} answered with nothing that can be shown"),
        Ok(_) if !checked.struck.is_empty() => format!("{name} cited only evidence that it was not given"),
        Ok(_) => format!("{name} answered without citing the evidence"),
    };
    Outcome::Unusable { reason, error: None, partial: checked }
}
