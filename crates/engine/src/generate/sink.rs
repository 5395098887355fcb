//! The check as a sink, so that a reader who watches the model write sees only checked text.

use super::check::Checker;
use super::checked::Checked;
use base::{Evidence, TokenSink};

/// Stands between a generator and a sink, so that only checked text passes.
pub struct CheckedSink<'a> {
    checker: Checker<'a>,
    sink: &'a mut dyn TokenSink,
    stopped: bool,
}

impl<'a> CheckedSink<'a> {
    /// Passes what `evidence` allows on to `sink`.
    pub fn new(evidence: &'a [Evidence], sink: &'a mut dyn TokenSink) -> Self {
        CheckedSink { checker: Checker::new(evidence), sink, stopped: false }
    }

    /// Passes on the last piece and returns the verdict.
    pub fn finish(self) -> Checked {
        let (rest, checked) = self.checker.finish();
        if !rest.is_empty() && !self.stopped {
            self.sink.token(&rest);
        }
        checked
    }
}

impl TokenSink for CheckedSink<'_> {
    fn token(&mut self, text: &str) -> bool {
        let shown = self.checker.push(text);
        self.stopped = self.stopped || !(shown.is_empty() || self.sink.token(&shown));
        !self.stopped
    }
}
