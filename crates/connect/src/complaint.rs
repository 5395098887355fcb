//! What went wrong at the other end, in words that tell the reader what to do.

use crate::reply::error_message;
use base::{Error, Kind};

/// Longest part of a server's own words in an error, characters.
const EXCERPT_CHARS: usize = 200;

/// The beginning of `text` on one line, without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > EXCERPT_CHARS * 4 {
            break;
        }
    }
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Whether a body is a web page.
pub(crate) fn is_html(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

/// The part of a failed reply's body that a person should read.
pub(crate) fn message(body: &str) -> String {
    if is_html(body) {
        let lower = body.to_ascii_lowercase();
        let title = lower.find("<title>").map(|at| at + "<title>".len());
        let end = title.and_then(|at| lower[at..].find("</title>").map(|len| at + len));
        return match (title, end) {
            (Some(start), Some(end)) => format!("a web page titled {:?}", excerpt(&body[start..end])),
            _ => "a web page".to_owned(),
        };
    }
    let told = serde_json::from_str(body).ok().as_ref().and_then(error_message);
    excerpt(told.as_deref().unwrap_or(body))
}

/// The error for a reply with a status that is not a success. `key_env` is where the key came from.
pub(crate) fn status(url: &str, status: u16, body: &str, key_env: Option<&str>) -> Error {
    let said = message(body);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let kind = match status {
        401 | 403 => Kind::Denied,
        408 | 504 => Kind::Timeout,
        _ => Kind::Remote,
    };
    let hint = match status {
        401 | 403 => match key_env {
            Some(name) => format!("check the key in the environment variable {name}"),
            None => "set `api_key_env` in [generator] to the environment variable that holds the key".to_owned(),
        },
        300..=399 => "the server moved; set base_url to its new address".to_owned(),
        400 | 413 | 422 if said.contains("context") || said.contains("too long") || status == 413 => {
            "the evidence is too long for this model; lower the evidence budget or choose another model".to_owned()
        }
        404 | 405 => "check the model's name and base_url (it usually ends in /v1)".to_owned(),
        402 => "the account at this provider has no credit left".to_owned(),
        429 => "the server limits the rate; wait and ask again, or choose another model".to_owned(),
        500..=599 => "the server has a problem of its own; look at its log or ask again later".to_owned(),
        _ => "check the model's name and the settings in [generator]".to_owned(),
    };
    Error::new(kind, format!("{url} answered with status {status}{said}")).hint(hint)
}

/// The error for a reply that is a web page although its status is a success.
pub(crate) fn web_page(url: &str, body: &str) -> Error {
    Error::new(Kind::Remote, format!("expected a chat completion from {url}, found {}", message(body)))
        .hint("base_url points at a web site, not at its API; it usually ends in /v1")
}

/// The error for a reply that cannot be read.
pub(crate) fn nonsense(url: &str, expected: &str, found: &str) -> Error {
    Error::new(Kind::Remote, format!("expected {expected} from {url}, found {:?}", excerpt(found)))
        .hint("base_url must be an OpenAI-compatible API; it usually ends in /v1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_plain() {
        assert_eq!(excerpt(" a\n\u{1b}[31mb\t c "), "a [31mb c");
        assert_eq!(excerpt(&"ä".repeat(500)).chars().count(), EXCERPT_CHARS + 3);
    }

    #[test]
    fn pages_are_named_by_their_title() {
        assert_eq!(message("<!DOCTYPE html><TITLE>502\nBad Gateway</title>"), "a web page titled \"502 Bad Gateway\"");
        assert_eq!(message("  <html>"), "a web page");
        // Lower-casing must not shift the title: this letter grows.
        assert_eq!(message("<p>\u{130}</p><title>\u{130}x</title>"), "a web page titled \"\u{130}x\"");
    }

    #[test]
    fn kinds_and_hints() {
        let denied = status("u", 401, r#"{"error":{"message":"bad key"}}"#, Some("K"));
        assert_eq!(denied.kind(), Kind::Denied);
        assert_eq!(denied.what(), "u answered with status 401: bad key");
        assert!(denied.hint_line().unwrap().contains('K'));
        assert_eq!(status("u", 504, "", None).kind(), Kind::Timeout);
        assert!(status("u", 400, "maximum context length", None).hint_line().unwrap().contains("too long"));
    }
}
