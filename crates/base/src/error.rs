//! One error for every room.
//!
//! A [`Kind`] says who must act; the text names what was attempted, on which thing, what was expected and
//! what was found; the hint is one line that can be acted upon.

use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fmt;

/// The result of anything that can fail in Ragstone.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who must act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The caller sent something that cannot be read or makes no sense: fix the input.
    BadInput,
    /// The caller named something that is not there.
    NotFound,
    /// The caller may not do this.
    Denied,
    /// Somebody else holds what the caller needs (a lock, another model's vectors): wait or choose.
    Conflict,
    /// The input is fine, but this build or version cannot handle it.
    Unsupported,
    /// Too much work at once: try again later.
    Overloaded,
    /// It took longer than allowed: raise the limit or shrink the work.
    Timeout,
    /// The operating system refused a read or a write.
    Io,
    /// The disk or a quota is full: make room, nothing was lost.
    NoSpace,
    /// Somebody else's server failed.
    Remote,
    /// Stored bytes are damaged: run `ragstone verify`.
    Corrupt,
    /// Ragstone is wrong: report it.
    Bug,
}

/// An error: see the module's text for its parts.
pub struct Error(Box<Parts>);

struct Parts {
    kind: Kind,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `what` names the attempt, the thing, the expected and the found.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Error(Box::new(Parts { kind, what: what.into(), hint: None, source: None }))
    }

    /// Adds the one line that tells the reader what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the underlying cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Who must act.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What was attempted, without the cause.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The line to act upon, if there is one.
    pub fn hint_line(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The text and all its causes on one line.
    pub fn chain(&self) -> String {
        let mut line = self.0.what.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !text.is_empty() && !line.ends_with(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            next = cause.source();
        }
        line
    }

    /// An I/O error while doing `what`; a full disk gets its own kind.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        let kind = match source.kind() {
            E::NotFound => Kind::NotFound,
            E::PermissionDenied => Kind::Denied,
            E::IsADirectory | E::NotADirectory => Kind::BadInput,
            E::StorageFull | E::QuotaExceeded => Kind::NoSpace,
            E::TimedOut => Kind::Timeout,
            _ => Kind::Io,
        };
        Error::new(kind, what).because(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.chain())?;
        if let Some(hint) = &self.0.hint {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

/// Turns a foreign error into ours where it happens.
pub trait Context<T> {
    /// Wraps the error as `kind`, saying what was being done.
    fn context(self, kind: Kind, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn context(self, kind: Kind, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error::new(kind, what()).because(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_joins_causes_once() {
        let io = std::io::Error::new(std::io::ErrorKind::StorageFull, "no space left");
        let error = Error::io("writing segment 7 of /data", io).hint("free some space and run again");
        assert_eq!(error.kind(), Kind::NoSpace);
        assert_eq!(error.chain(), "writing segment 7 of /data: no space left");
        assert_eq!(error.hint_line(), Some("free some space and run again"));
    }
}
