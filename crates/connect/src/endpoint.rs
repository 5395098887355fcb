//! One server's chat endpoint: its address, the key for it, and what its failures mean.

use crate::settings::{GeneratorSettings, Secret};
use crate::transport::{Broken, is_private};
use base::{Error, Kind, Result};
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::time::Duration;

/// How long to wait before a second attempt when the server does not say.
pub(crate) const RETRY_AFTER_DEFAULT: Duration = Duration::from_millis(500);

/// Where questions are sent.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub url: Url,
    /// The address as people may see it: no password, no query.
    pub shown: String,
    key: Option<Secret>,
}

/// How one attempt failed.
pub(crate) enum Failure {
    /// Try again after this time, unless that was tried already; then the error stands.
    Busy(Duration, Error),
    /// The server refused a parameter that is now left out.
    Adapted(Error),
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

impl Endpoint {
    /// Checks address, model and key of `settings`; nothing is sent. Errors are those of
    /// [`OpenAiChat::open`](crate::OpenAiChat::open).
    pub fn open(settings: &GeneratorSettings) -> Result<Self> {
        let url = address(&settings.base_url)?;
        if settings.model.trim().is_empty() {
            return Err(Error::new(Kind::BadInput, format!("no model is named for {}", shown(&url)))
                .hint("set `model` in [generator], or give --llm-model"));
        }
        let key = settings.api_key_env.as_deref().map(read_key).transpose()?;
        if key.is_some() && url.scheme() == "http" && !is_private(&url) {
            return Err(Error::new(Kind::Denied, format!("refusing to send a key to {} unencrypted", shown(&url)))
                .hint("use https in base_url, or leave api_key_env out"));
        }
        Ok(Endpoint { shown: shown(&url), url, key })
    }

    /// The header that carries the key, marked so that no log prints it.
    pub fn bearer(&self) -> Result<Option<HeaderValue>> {
        let Some(key) = &self.key else { return Ok(None) };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|_| bad_key())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// What `broken` means, and whether a second attempt makes sense; `when` is like "between tokens".
    pub fn broken(&self, broken: Broken, when: &str) -> Failure {
        let shown = &self.shown;
        match broken {
            Broken::Connect(cause) => {
                let hint = if cause.to_ascii_lowercase().contains("certificate") {
                    "if the server's certificate is your own, set SSL_CERT_FILE to its authority's file"
                } else {
                    "check that the server runs and that base_url is its address"
                };
                let error = Error::new(Kind::Remote, format!("cannot connect to {shown}: {cause}")).hint(hint);
                Failure::Busy(RETRY_AFTER_DEFAULT, error)
            }
            Broken::Transfer(cause) => {
                let error = Error::new(Kind::Remote, format!("the connection to {shown} broke {when}: {cause}"));
                Failure::Final(error.hint("ask again; if it happens often, look at the server's log"))
            }
            Broken::Time => {
                let error = Error::new(Kind::Timeout, format!("{shown} took longer than allowed {when}"));
                Failure::Final(error.hint("raise the time limits in [generator], or choose a faster model"))
            }
        }
    }

    /// `text` without the key, for servers that repeat it.
    pub fn without_key(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.hide_in(text))
    }
}
/// The address of chat completions under `base_url`.
fn address(base_url: &str) -> Result<Url> {
    const HINT: &str = "write it like http://localhost:11434/v1 or https://api.example.com/v1";
    let text = base_url.trim();
    let bad = |why: String| Error::new(Kind::BadInput, why).hint(HINT);
    if text.is_empty() {
        return Err(bad("base_url of the generator is empty".to_owned()));
    }
    // The text may hold a password, so a broken one is not repeated.
    let mut url = Url::parse(text).map_err(|e| bad(format!("base_url of the generator is not an address: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(bad(format!("base_url of the generator must be http or https, found {:?}", url.scheme())));
    }
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    let path = if path.ends_with("/chat/completions") { path } else { format!("{path}/chat/completions") };
    url.set_path(&path);
    Ok(url)
}

/// `url` without user, password and query.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // Both fail only for addresses without a host, which `endpoint` refuses.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn read_key(name: &str) -> Result<Secret> {
    let hint = format!("export {name}=... before running, or leave api_key_env out");
    let key = match std::env::var(name) {
        Ok(key) => key.trim().to_owned(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(bad_key()),
        Err(std::env::VarError::NotPresent) => String::new(),
    };
    if key.is_empty() {
        return Err(Error::new(Kind::NotFound, format!("the environment variable {name:?} holds no key")).hint(hint));
    }
    if HeaderValue::from_str(&key).is_err() {
        return Err(bad_key());
    }
    Ok(Secret::new(key))
}

fn bad_key() -> Error {
    Error::new(Kind::BadInput, "the key holds characters that cannot be sent")
        .hint("a key is one line of ASCII letters, digits and signs; export it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            ("http://localhost:11434/v1", "http://localhost:11434/v1/chat/completions"),
            (" https://api.example.com/v1/ ", "https://api.example.com/v1/chat/completions"),
            ("https://x.example/v1/chat/completions", "https://x.example/v1/chat/completions"),
            ("https://u:p@x.example/o?api-version=1#f", "https://u:p@x.example/o/chat/completions?api-version=1"),
            ("http://x", "http://x/chat/completions"),
        ];
        for (given, expected) in cases {
            assert_eq!(address(given).unwrap().as_str(), expected);
        }
        for bad in ["", "localhost:11434", "ftp://x/v1", "http://", "file:///etc/passwd", "no address"] {
            assert_eq!(address(bad).unwrap_err().kind(), Kind::BadInput, "{bad}");
        }
    }

    #[test]
    fn passwords_and_queries_are_not_shown() {
        let url = address("https://user:secret@x.example/v1?key=hidden").unwrap();
        assert_eq!(shown(&url), "https://x.example/v1/chat/completions");
    }
}
