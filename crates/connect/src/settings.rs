//! What a remote generator must be told: where it is, who asks, how long to wait.

use std::fmt;
use std::time::Duration;

/// Where a language model is and how to speak to it.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorSettings {
    /// The API's address without the last part, as its provider prints it: `http://localhost:11434/v1`. A full
    /// `.../chat/completions` is taken as well, and a query (`?api-version=...`) is kept.
    pub base_url: String,
    /// The model's name at that server.
    pub model: String,
    /// The name of the environment variable that holds the key, or `None` for servers without keys.
    pub api_key_env: Option<String>,
    /// 0 to 2; `None` leaves it to the server. Grounded answers want 0.
    pub temperature: Option<f32>,
    /// How long to wait.
    pub limits: TimeLimits,
}

impl GeneratorSettings {
    /// Settings for `model` at `base_url`, no key, temperature 0, default time limits.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        GeneratorSettings {
            base_url: base_url.into(),
            model: model.into(),
            api_key_env: None,
            temperature: Some(0.0),
            limits: TimeLimits::default(),
        }
    }
}

/// How long each part of an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// To reach the server, TLS included.
    pub connect: Duration,
    /// From sending the request to the first token. Models that are loaded on demand need long.
    pub first_token: Duration,
    /// From one token to the next. A keep-alive comment is no token.
    pub between_tokens: Duration,
    /// From the call to the last token, a retry included.
    pub total: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        TimeLimits {
            connect: Duration::from_secs(10),
            first_token: Duration::from_secs(90),
            between_tokens: Duration::from_secs(30),
            total: Duration::from_secs(300),
        }
    }
}

/// A key. It can be sent, not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without the key, for servers that repeat it in their complaint.
    pub fn hide_in(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}
