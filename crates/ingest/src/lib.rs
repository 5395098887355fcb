//! Files in, blocks with addresses out: walking, extraction, chunking.
//!
//! [`detect`] looks at the bytes of a file, then at its name, and says which [`Format`] reads it or why none
//! does; [`extract`] turns the bytes into a [`base::Document`] in this process. Nothing here opens a network
//! connection, and an extractor touches no file but the bytes it was given.
//!
//! [`walk`](fn@walk) lists what is there to read; [`sandbox`] parses what cannot be trusted in a child process.
//!
//! A format is one file in `formats/` and one line in [`FORMATS`].
//!
//! ```
//! use ingest::{Detected, detect};
//!
//! // The content decides, whatever the name says.
//! let found = detect("holiday.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
//! let Detected::Binary { what } = found else { panic!("{found:?}") };
//! assert_eq!(what, "a PNG image");
//! ```

pub mod formats;
pub mod sandbox;
mod walk;

pub use formats::{Detected, FORMATS, Format, Sniff, detect, extract, format};
pub use walk::{Walk, WalkOptions, WalkedFile, modified_ns, read_file, walk};
