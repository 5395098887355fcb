//! A question as it was typed or piped in.

use base::{Error, Kind, Result};
use std::io::Read;

/// Longest question read from standard input, bytes.
const QUESTION_BYTES_MAX: u64 = 1 << 20;

/// `text`, or all of standard input when it is `-`.
pub(super) fn question(text: String) -> Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(QUESTION_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("reading the question from standard input", e))?;
    if bytes.len() as u64 > QUESTION_BYTES_MAX {
        return Err(Error::new(Kind::BadInput, "the question on standard input is longer than 1 MiB")
            .hint("index long texts with `ragstone index -` and ask a short question"));
    }
    String::from_utf8(bytes)
        .map_err(|e| Error::new(Kind::BadInput, "the question on standard input is not UTF-8").because(e))
}
