//! Chat completions as OpenAI defined them and most servers speak them: OpenAI, Azure, Mistral, OpenRouter,
//! Groq, vLLM, llama.cpp, Ollama, LM Studio and others
//! (<https://platform.openai.com/docs/api-reference/chat>).

use crate::complaint;
use crate::reading::{Reading, Reply};
use crate::settings::{GeneratorSettings, Secret};
use crate::transport::{Broken, Exchange, LazyClient, Step, is_private};
use base::{Entry, Error, Generation, Generator, Kind, Prompt, Result, TokenSink};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The catalogue's line.
pub(crate) const ENTRY: Entry<crate::OpenGenerator> = Entry {
    name: "openai",
    about: "any OpenAI-compatible chat-completions endpoint, local or remote (base_url, model, api_key_env)",
    open: |settings| Ok(Box::new(OpenAiChat::open(settings)?)),
};

/// A server is not asked twice when it wants to be left alone for longer than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);
/// How long we wait when it does not say.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_millis(500);
/// Longest body of a complaint that is read, bytes.
const COMPLAINT_BYTES_MAX: usize = 64 << 10;

/// A model behind a chat-completions endpoint.
///
/// Tries a second time when the connection fails or the server answers 429 or 503, once. Servers that refuse
/// `max_tokens` or `temperature` are asked again without, and this is remembered. More than ten times
/// [`Prompt::max_tokens`] are cut off.
#[derive(Debug)]
pub struct OpenAiChat {
    pub(crate) settings: GeneratorSettings,
    url: Url,
    /// The address as people may see it: no password, no query.
    pub(crate) shown: String,
    key: Option<Secret>,
    client: LazyClient,
    new_token_limit: AtomicBool,
    no_temperature: AtomicBool,
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

impl OpenAiChat {
    /// Checks `settings` and reads the key; nothing is sent.
    ///
    /// # Errors
    /// `BadInput` for an unusable address, model name or key, `NotFound` for an environment variable that is
    /// not set, `Denied` for a key that would cross the open network in clear text.
    pub fn open(settings: &GeneratorSettings) -> Result<Self> {
        let url = endpoint(&settings.base_url)?;
        if settings.model.trim().is_empty() {
            return Err(Error::new(Kind::BadInput, format!("no model is named for {}", shown(&url)))
                .hint("set `model` in [generator], or give --llm-model"));
        }
        let key = match &settings.api_key_env {
            Some(name) => Some(read_key(name)?),
            None => None,
        };
        if key.is_some() && url.scheme() == "http" && !is_private(&url) {
            return Err(Error::new(Kind::Denied, format!("refusing to send a key to {} unencrypted", shown(&url)))
                .hint("use https in base_url, or leave api_key_env out"));
        }
        Ok(OpenAiChat {
            settings: settings.clone(),
            shown: shown(&url),
            url,
            key,
            client: LazyClient::default(),
            new_token_limit: AtomicBool::new(false),
            no_temperature: AtomicBool::new(false),
        })
    }

    /// Like [`Generator::generate`], and tells what it cost.
    ///
    /// # Errors
    /// `Timeout`, `Denied` or `Remote`, naming the endpoint and what it said.
    pub fn chat(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Reply> {
        let deadline = Instant::now() + self.settings.limits.total;
        let mut may_retry = true;
        // Two parameters can be refused and one attempt can be repeated, so four attempts at most.
        loop {
            match self.attempt(prompt, sink, deadline) {
                Ok(reply) => return Ok(reply),
                Err(Failure::Adapted(_)) => {}
                Err(Failure::Busy(wait, _))
                    if may_retry && wait <= RETRY_AFTER_MAX && Instant::now() + wait < deadline =>
                {
                    may_retry = false;
                    std::thread::sleep(wait);
                }
                Err(Failure::Busy(_, error) | Failure::Final(error)) => return Err(error),
            }
        }
    }

    fn attempt(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
        deadline: Instant,
    ) -> std::result::Result<Reply, Failure> {
        let limits = &self.settings.limits;
        let client = self.client.get(&self.url, limits)?;
        let exchange = Exchange::start(client.clone(), self.request(client, prompt)?)?;
        let first_token = deadline.min(Instant::now() + limits.first_token);
        let (status, retry_after) = match exchange.next(first_token) {
            Ok(Step::Head { status, retry_after, .. }) => (status, retry_after),
            Ok(_) => return Err(Error::new(Kind::Bug, "a reply without a head").into()),
            Err(broken) => return Err(self.broken(broken, "before the first token")),
        };
        if (200..300).contains(&status) {
            return Ok(Reading::new(self, prompt, sink).run(&exchange, first_token, deadline)?);
        }
        let mut body = Vec::new();
        while let Ok(Step::Bytes(bytes)) = exchange.next(first_token) {
            body.extend_from_slice(&bytes);
            if body.len() >= COMPLAINT_BYTES_MAX {
                break;
            }
        }
        let body = self.without_key(&String::from_utf8_lossy(&body));
        let error = complaint::status(&self.shown, status, &body, self.settings.api_key_env.as_deref());
        Err(match status {
            429 | 503 => match retry_after {
                Some(wait) if wait > RETRY_AFTER_MAX => {
                    let hint = format!("the server asks to wait {} s; then ask again", wait.as_secs());
                    Failure::Final(error.hint(hint))
                }
                wait => Failure::Busy(wait.unwrap_or(RETRY_AFTER_DEFAULT), error),
            },
            400 | 422
                if body.contains("max_completion_tokens") && !self.new_token_limit.swap(true, Ordering::Relaxed) =>
            {
                Failure::Adapted(error)
            }
            400 | 422 if body.contains("temperature") && !self.no_temperature.swap(true, Ordering::Relaxed) => {
                Failure::Adapted(error)
            }
            _ => Failure::Final(error),
        })
    }

    fn request(&self, client: &reqwest::blocking::Client, prompt: &Prompt) -> Result<reqwest::blocking::Request> {
        let mut body = json!({
            "model": self.settings.model,
            "messages": [
                { "role": "system", "content": prompt.system },
                { "role": "user", "content": prompt.user },
            ],
            "stream": true,
        });
        let limit = if self.new_token_limit.load(Ordering::Relaxed) { "max_completion_tokens" } else { "max_tokens" };
        body[limit] = json!(prompt.max_tokens);
        if let Some(temperature) = self.settings.temperature.filter(|_| !self.no_temperature.load(Ordering::Relaxed)) {
            body["temperature"] = json!(temperature);
        }
        let mut request = client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("accept", "text/event-stream, application/json");
        if let Some(key) = &self.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|_| bad_key())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(body.to_string()).build().map_err(|e| {
            Error::new(Kind::BadInput, format!("a request to {} cannot be made", self.shown)).because(e.without_url())
        })
    }

    pub(crate) fn broken(&self, broken: Broken, when: &str) -> Failure {
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

    pub(crate) fn without_key(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.hide_in(text))
    }
}

impl Generator for OpenAiChat {
    fn name(&self) -> &str {
        &self.settings.model
    }

    fn generate(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Generation> {
        self.chat(prompt, sink).map(|reply| Generation { text: reply.text, complete: reply.complete })
    }
}

/// The address of chat completions under `base_url`.
fn endpoint(base_url: &str) -> Result<Url> {
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
    fn endpoints() {
        let cases = [
            ("http://localhost:11434/v1", "http://localhost:11434/v1/chat/completions"),
            (" https://api.example.com/v1/ ", "https://api.example.com/v1/chat/completions"),
            ("https://x.example/v1/chat/completions", "https://x.example/v1/chat/completions"),
            ("https://u:p@x.example/o?api-version=1#f", "https://u:p@x.example/o/chat/completions?api-version=1"),
            ("http://x", "http://x/chat/completions"),
        ];
        for (given, expected) in cases {
            assert_eq!(endpoint(given).unwrap().as_str(), expected);
        }
        for bad in ["", "localhost:11434", "ftp://x/v1", "http://", "file:///etc/passwd", "no address"] {
            assert_eq!(endpoint(bad).unwrap_err().kind(), Kind::BadInput, "{bad}");
        }
    }

    #[test]
    fn passwords_and_queries_are_not_shown() {
        let url = endpoint("https://user:secret@x.example/v1?key=hidden").unwrap();
        assert_eq!(shown(&url), "https://x.example/v1/chat/completions");
    }
}
