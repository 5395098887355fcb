//! Everything that speaks to somebody else's server.
//!
//! Two things: a [`base::Generator`] over any OpenAI-compatible chat-completions endpoint, and [`hub`], which
//! fetches models when a user asks for one. [`GENERATORS`] is the catalogue of the first; a further dialect is
//! one file and one line there. No other crate of Ragstone opens a connection, and this one only to the
//! address that the user configured.
//!
//! ```
//! use connect::{GeneratorSettings, open_generator};
//!
//! let settings = GeneratorSettings::new("http://localhost:11434/v1", "llama3.2");
//! let generator = open_generator("openai", &settings)?;
//! assert_eq!(generator.name(), "llama3.2"); // nothing was sent yet
//!
//! let error = open_generator("openia", &settings).err().unwrap();
//! assert_eq!(error.hint_line(), Some("known: openai"));
//! # Ok::<(), base::Error>(())
//! ```

mod complaint;
mod endpoint;
pub mod hub;
mod openai;
mod reading;
mod reply;
mod settings;
mod sse;
mod think;
mod transport;

pub use openai::OpenAiChat;
pub use reading::Reply;
pub use reply::Usage;
pub use settings::{GeneratorSettings, TimeLimits};

use base::{Entry, Error, Generator, Kind, Result};

/// Opens a generator; nothing is sent before the first question.
pub type OpenGenerator = fn(&GeneratorSettings) -> Result<Box<dyn Generator>>;

/// The dialects that configuration can name.
pub static GENERATORS: &[Entry<OpenGenerator>] = &[openai::ENTRY];

/// Opens the generator called `dialect`.
///
/// # Errors
/// `NotFound` for an unknown dialect, and what its `open` reports.
pub fn open_generator(dialect: &str, settings: &GeneratorSettings) -> Result<Box<dyn Generator>> {
    let Some(entry) = GENERATORS.iter().find(|entry| entry.name == dialect) else {
        let known: Vec<&str> = GENERATORS.iter().map(|entry| entry.name).collect();
        return Err(Error::new(Kind::NotFound, format!("there is no generator {dialect:?}"))
            .hint(format!("known: {}", known.join(", "))));
    };
    (entry.open)(settings)
}
