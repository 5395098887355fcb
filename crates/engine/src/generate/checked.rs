//! What the gate found out about an answer.

use base::Citation;

/// An answer whose every mark is a citation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The text to show.
    pub text: String,
    /// One for each number in `text`, in order. The address is as exact as the evidence tells; whoever has
    /// the document can locate the quote in it again.
    pub citations: Vec<Citation>,
    /// For each citation, the largest share of a citing sentence's words that the quote holds, 0 to 1. In
    /// answers that translate or paraphrase freely it is low without being wrong.
    pub support: Vec<f32>,
    /// Marks that named no evidence, as the model wrote them.
    pub struck: Vec<String>,
    /// Addresses that are not in the evidence.
    pub removed_links: Vec<String>,
    /// Sentences that cite nothing.
    pub uncited: Vec<String>,
    /// Sentences that say something, cited or not.
    pub statements: usize,
    /// Whether the model says that the evidence does not answer.
    pub abstains: bool,
    /// Whether the model stopped before its end, at a limit; set by [`super::judge`].
    pub cut: bool,
}

impl Checked {
    /// What the reader should know about this text, in sentences.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let count = |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
        if !self.struck.is_empty() {
            let marks = count(
                self.struck.len(),
                "citation of evidence that was not given was",
                "citations of evidence that was not given were",
            );
            let mut examples = self.struck.iter().take(5).cloned().collect::<Vec<_>>().join(" ");
            if self.struck.len() > 5 {
                examples.push_str(" ...");
            }
            notices.push(format!("{marks} struck: {examples}"));
        }
        if !self.removed_links.is_empty() {
            let links = count(
                self.removed_links.len(),
                "link that is not in the evidence was",
                "links that are not in the evidence were",
            );
            notices.push(format!("{links} removed"));
        }
        if !self.uncited.is_empty() && !self.abstains {
            notices.push(format!("{} no source", count(self.uncited.len(), "sentence cites", "sentences cite")));
        }
        if self.cut {
            notices.push("the model did not finish its answer".to_owned());
        }
        notices
    }
}
