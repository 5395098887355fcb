//! What the user sees: text that fits the terminal, colours where they are wanted, progress.

mod printable;
mod progress;
mod quantity;
mod wrap;

pub use printable::{printable, printable_name};
pub use progress::Bar;
pub use quantity::{count, size};
pub use wrap::wrap;

use base::{Error, Result};
use std::io::{self, Write};

/// Where results go and how they look.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether the user asked for JSON.
    pub json: bool,
    /// Whether the user asked for silence.
    pub quiet: bool,
    /// Columns to fill.
    pub width: usize,
    /// Whether standard output shows colours (`NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb` decide too).
    pub colour: bool,
}

impl Terminal {
    /// Looks at standard output and the environment.
    pub fn new(json: bool, quiet: bool) -> Self {
        let colour = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        let width = terminal_width().unwrap_or(100).clamp(20, 100);
        Terminal { json, quiet, width, colour: colour && !json }
    }

    /// `text` in bold, where colours are shown.
    pub fn bold(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// `text` less bright, where colours are shown.
    pub fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Prints a line of results. A reader that closed the pipe (`| head`) ends the program quietly.
    pub fn line(&self, text: &str) -> Result<()> {
        self.print(&format!("{text}\n"))
    }

    /// Prints without a line break, at once.
    pub fn print(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => other.map_err(|e| Error::io("writing to standard output", e)),
        }
    }

    /// Prints `value` as one JSON object.
    pub fn json(&self, value: &impl serde::Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| Error::new(base::Kind::Bug, "an output object is not JSON").because(e))?;
        self.line(&text)
    }

    /// A remark for people, on standard error; nothing when quiet.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            // A closed standard error must not stop the work.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }
}

fn terminal_width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    columns.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(w, _)| usize::from(w.0)))
}
