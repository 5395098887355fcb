//! How a run ends: the exit code, and the error as people and programs read it.

use crate::terminal::{Terminal, printable};
use base::{Error, Kind};
use serde_json::json;
use std::io::Write;

/// Done.
pub const OK: u8 = 0;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// Bad input, or some files failed while the rest is done.
pub const BAD_INPUT: u8 = 3;
/// Stopped by the user.
pub const INTERRUPTED: u8 = 130;

/// The exit code of an error; the list stands in `ragstone --help`.
pub fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Bug | Kind::Remote | Kind::Timeout | Kind::Overloaded | Kind::Io => 1,
        Kind::BadInput | Kind::Unsupported => BAD_INPUT,
        Kind::NotFound => 4,
        Kind::Denied => 5,
        Kind::Corrupt => 6,
        Kind::NoSpace => 7,
        Kind::Conflict => 8,
    }
}

/// The name of a kind in JSON errors.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::BadInput => "bad_input",
        Kind::NotFound => "not_found",
        Kind::Denied => "denied",
        Kind::Conflict => "conflict",
        Kind::Unsupported => "unsupported",
        Kind::Overloaded => "overloaded",
        Kind::Timeout => "timeout",
        Kind::Io => "io",
        Kind::NoSpace => "no_space",
        Kind::Remote => "remote",
        Kind::Corrupt => "corrupt",
        Kind::Bug => "bug",
    }
}

/// Shows `error`: on standard error for people; with `--json` also as an object on standard output.
pub fn report(error: &Error, terminal: &Terminal) {
    let mut text = format!("error: {}\n", printable(&error.chain()));
    if let Some(hint) = error.hint_line() {
        text.push_str(&format!("hint: {}\n", printable(hint)));
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    if terminal.json {
        let object =
            json!({"error": {"code": name(error.kind()), "message": error.chain(), "hint": error.hint_line()}});
        let _ = terminal.json(&object);
    }
}
