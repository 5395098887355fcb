//! Chat completions as OpenAI defined them and most servers speak them: OpenAI, Azure, Mistral, OpenRouter,
//! Groq, vLLM, llama.cpp, Ollama, LM Studio and others
//! (<https://platform.openai.com/docs/api-reference/chat>).

use crate::complaint;
use crate::endpoint::{Endpoint, Failure, RETRY_AFTER_DEFAULT};
use crate::reading::{Reading, Reply};
use crate::settings::GeneratorSettings;
use crate::transport::{Exchange, LazyClient, Step};
use base::{Entry, Error, Generation, Generator, Kind, Prompt, Result, TokenSink};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
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
/// Longest body of a complaint that is read, bytes.
const COMPLAINT_BYTES_MAX: usize = 64 << 10;

/// A model behind a chat-completions endpoint.
///
/// Tries a second time when the connection fails or the server answers 429 or 503, once. Servers that refuse
/// `max_tokens` or `temperature` are asked again without, and this is remembered. More than ten times
/// [`Prompt::max_tokens`] are cut off.
#[derive(Debug)]
pub struct OpenAiChat {
    settings: GeneratorSettings,
    endpoint: Endpoint,
    client: LazyClient,
    new_token_limit: AtomicBool,
    no_temperature: AtomicBool,
}

impl OpenAiChat {
    /// Checks `settings` and reads the key; nothing is sent.
    ///
    /// # Errors
    /// `BadInput` for an unusable address, model name or key, `NotFound` for an environment variable that is
    /// not set, `Denied` for a key that would cross the open network in clear text.
    pub fn open(settings: &GeneratorSettings) -> Result<Self> {
        let endpoint = Endpoint::open(settings)?;
        Ok(OpenAiChat {
            settings: settings.clone(),
            endpoint,
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
        let client = self.client.get(&self.endpoint.url, limits)?;
        let exchange = Exchange::start(client.clone(), self.request(client, prompt)?)?;
        let first_token = deadline.min(Instant::now() + limits.first_token);
        let (status, retry_after) = match exchange.next(first_token) {
            Ok(Step::Head { status, retry_after, .. }) => (status, retry_after),
            Ok(_) => return Err(Error::new(Kind::Bug, "a reply without a head").into()),
            Err(broken) => return Err(self.endpoint.broken(broken, "before the first token")),
        };
        if (200..300).contains(&status) {
            return Ok(Reading::new(&self.endpoint, limits.between_tokens, prompt, sink).run(
                &exchange,
                first_token,
                deadline,
            )?);
        }
        let mut body = Vec::new();
        while let Ok(Step::Bytes(bytes)) = exchange.next(first_token) {
            body.extend_from_slice(&bytes);
            if body.len() >= COMPLAINT_BYTES_MAX {
                break;
            }
        }
        let body = self.endpoint.without_key(&String::from_utf8_lossy(&body));
        let error = complaint::status(&self.endpoint.shown, status, &body, self.settings.api_key_env.as_deref());
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
            .post(self.endpoint.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("accept", "text/event-stream, application/json");
        if let Some(bearer) = self.endpoint.bearer()? {
            request = request.header(AUTHORIZATION, bearer);
        }
        request.body(body.to_string()).build().map_err(|e| {
            Error::new(Kind::BadInput, format!("a request to {} cannot be made", self.endpoint.shown))
                .because(e.without_url())
        })
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
