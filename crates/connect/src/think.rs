//! Reasoning models put their thoughts before the answer as `<think>...</think>`; a reader wants the answer.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Takes the thoughts off the front of a streamed answer. Later `<think>` blocks are text like any other.
#[derive(Debug, Default)]
pub(crate) struct ThinkFilter {
    state: State,
    held: String,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    /// Nothing but white space, or the beginning of the mark, has come.
    #[default]
    Start,
    Thinking,
    /// White space before the answer belongs to nobody.
    Gap,
    Answer,
}

impl ThinkFilter {
    /// The part of the answer that `piece` makes certain.
    pub fn push(&mut self, piece: &str) -> String {
        if self.state == State::Answer {
            return piece.to_owned();
        }
        self.held.push_str(piece);
        if self.state == State::Start {
            let text = self.held.trim_start();
            if let Some(thoughts) = text.strip_prefix(OPEN) {
                self.held = thoughts.to_owned();
                self.state = State::Thinking;
            } else if !OPEN.starts_with(text) {
                self.state = State::Gap;
            }
        }
        if self.state == State::Thinking {
            if let Some(at) = self.held.find(CLOSE) {
                self.held = self.held[at + CLOSE.len()..].to_owned();
                self.state = State::Gap;
            } else {
                // Only what may be the beginning of the closing mark is still of interest.
                let mut keep = self.held.len().saturating_sub(CLOSE.len());
                while !self.held.is_char_boundary(keep) {
                    keep -= 1;
                }
                self.held.drain(..keep);
            }
        }
        if self.state == State::Gap {
            let answer = std::mem::take(&mut self.held).trim_start().to_owned();
            if !answer.is_empty() {
                self.state = State::Answer;
            }
            return answer;
        }
        String::new()
    }

    /// The stream ended: what was held back for want of a decision.
    pub fn finish(&mut self) -> String {
        match self.state {
            State::Start => std::mem::take(&mut self.held).trim_start().to_owned(),
            State::Thinking | State::Gap | State::Answer => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pieces: &[&str]) -> String {
        let mut filter = ThinkFilter::default();
        let mut out: String = pieces.iter().map(|p| filter.push(p)).collect();
        out.push_str(&filter.finish());
        out
    }

    #[test]
    fn thoughts_are_dropped_however_they_are_cut() {
        let cases = [
            ("<think>hm ä</think>\n\nGrey [1].", "Grey [1]."),
            (" <think></think>Grey.", "Grey."),
            ("Grey.", "Grey."),
            ("<thin", "<thin"),
            ("<b>Grey</b>", "<b>Grey</b>"),
            ("<think>never ends", ""),
            ("A <think>b</think> c", "A <think>b</think> c"),
            ("", ""),
        ];
        for (input, expected) in cases {
            assert_eq!(run(&[input]), expected, "{input}");
            let chars: Vec<String> = input.chars().map(String::from).collect();
            let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
            assert_eq!(run(&pieces), expected, "{input} by characters");
        }
    }
}
