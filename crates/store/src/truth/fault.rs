//! What can go wrong while reading or changing the truth, and how it reaches the user.

use super::paged::DAMAGED;
use base::{Error, Kind};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

/// An error inside the truth: redb's or ours.
#[derive(Debug)]
pub(crate) enum Fault {
    Redb(redb::Error),
    Ours(Error),
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Fault::Redb(error.into())
            }
        }
    )*};
}
from_redb!(
    redb::TableError,
    redb::StorageError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::CompactionError
);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Ours(error)
    }
}

impl Fault {
    /// A value that is not what was stored.
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Fault::Ours(Error::new(Kind::Corrupt, what.to_string()))
    }

    /// The user's error for something attempted on the collection at `dir`.
    pub(crate) fn at(self, what: &str, dir: &Path) -> Error {
        let place = format!("{what} the collection {}", dir.display());
        let hint = "run `ragstone verify`, then restore a backup or `ragstone salvage`";
        match self {
            Fault::Ours(e) if e.kind() == Kind::Corrupt && e.hint_line().is_none() => {
                Error::new(Kind::Corrupt, format!("{place}: {}", e.chain())).hint(hint)
            }
            Fault::Ours(e) => e,
            Fault::Redb(redb::Error::Io(e))
                if e.kind() == std::io::ErrorKind::InvalidData
                    || e.kind() == std::io::ErrorKind::UnexpectedEof
                    || e.to_string().contains(DAMAGED) =>
            {
                Error::new(Kind::Corrupt, format!("{place}: {e}")).hint(hint)
            }
            Fault::Redb(redb::Error::Io(e)) => Error::io(place, e),
            Fault::Redb(redb::Error::PreviousIo) => {
                Error::new(Kind::Io, format!("{place}: an earlier read or write of this file failed"))
            }
            Fault::Redb(redb::Error::DatabaseAlreadyOpen) => {
                Error::new(Kind::Conflict, format!("{place}: another process is changing it"))
            }
            Fault::Redb(e) => Error::new(Kind::Corrupt, format!("{place}: {e}")).hint(hint),
        }
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic inside (redb asserts on damaged pages) becomes an error and prints nothing.
pub(crate) fn contained<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let outer = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(outer);
    result.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(Fault::damaged(format!("the database found something impossible ({text})")))
    })
}
