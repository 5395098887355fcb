//! A reply on its way in: bytes to events to text, with every bound that keeps a server out of control from
//! taking us along.

use crate::complaint;
use crate::endpoint::{Endpoint, Failure};
use crate::reply::{self, Usage};
use crate::sse::{Event, SseParser};
use crate::think::ThinkFilter;
use crate::transport::{Exchange, Step};
use base::{Error, Kind, Prompt, Result, TokenSink};
use serde_json::Value;
use std::time::{Duration, Instant};

/// More text than `max_tokens` tokens of this many bytes each, ten times over, is a server out of control.
const TOKEN_BYTES: usize = 4;
/// What the envelope of one streamed token may weigh, bytes; thoughts count as tokens here.
const ENVELOPE_BYTES: usize = 1024;

/// A whole reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The text that went to the sink.
    pub text: String,
    /// Whether the model stopped by itself.
    pub complete: bool,
    /// Tokens spent, if the server told.
    pub usage: Option<Usage>,
}

/// A reply with a success status, on its way in.
pub(crate) struct Reading<'a> {
    endpoint: &'a Endpoint,
    between_tokens: Duration,
    sink: &'a mut dyn TokenSink,
    body: Body,
    text: String,
    text_bytes_max: usize,
    wire_bytes: usize,
    wire_bytes_max: usize,
    think: ThinkFilter,
    finish: Option<String>,
    usage: Option<Usage>,
    events: usize,
    /// The reply is over, although bytes may follow.
    done: bool,
    /// Whether the server said `[DONE]`; some say nothing else about the end.
    closed: bool,
    /// We stopped it, or it went out of control.
    cut: bool,
}

enum Body {
    /// Only white space so far.
    Unknown,
    Stream(SseParser),
    /// An object, or a web page: read whole, then judged.
    Whole(Vec<u8>),
}

impl<'a> Reading<'a> {
    pub fn new(endpoint: &'a Endpoint, between_tokens: Duration, prompt: &Prompt, sink: &'a mut dyn TokenSink) -> Self {
        let tokens = 10 * prompt.max_tokens.max(1) as usize;
        Reading {
            endpoint,
            between_tokens,
            sink,
            body: Body::Unknown,
            text: String::new(),
            text_bytes_max: tokens * TOKEN_BYTES,
            wire_bytes: 0,
            wire_bytes_max: (64 << 10) + tokens * ENVELOPE_BYTES,
            think: ThinkFilter::default(),
            finish: None,
            usage: None,
            events: 0,
            done: false,
            closed: false,
            cut: false,
        }
    }

    pub fn run(mut self, exchange: &Exchange, first_token: Instant, deadline: Instant) -> Result<Reply> {
        let mut limit = first_token;
        while !self.done {
            let when = if self.events == 0 { "before the first token" } else { "between tokens" };
            match exchange.next(limit) {
                Ok(Step::Bytes(bytes)) => {
                    let before = self.events;
                    self.bytes(&bytes)?;
                    if self.events > before {
                        limit = deadline.min(Instant::now() + self.between_tokens);
                    }
                }
                Ok(_) => {
                    self.end()?;
                    break;
                }
                Err(broken) => match self.endpoint.broken(broken, when) {
                    Failure::Busy(_, error) | Failure::Adapted(error) | Failure::Final(error) => return Err(error),
                },
            }
        }
        let rest = self.think.finish();
        self.say(&rest);
        if self.text.trim().is_empty() && !self.cut {
            return Err(self.empty());
        }
        // Without a reason to stop and without the protocol's last word, the stream was cut off on the way.
        let complete = !self.cut
            && match self.finish.as_deref() {
                Some(reason) => matches!(reason, "stop" | "eos" | "end_turn"),
                None => self.closed,
            };
        Ok(Reply { text: self.text, complete, usage: self.usage })
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire_bytes += bytes.len();
        if self.wire_bytes > self.wire_bytes_max {
            self.cut = true;
            self.done = true;
            if self.text.is_empty() {
                let found = format!("more than {} bytes without one", self.wire_bytes_max);
                return Err(complaint::nonsense(&self.endpoint.shown, "an answer", &found));
            }
            return Ok(());
        }
        if let Body::Unknown = self.body {
            match bytes.iter().copied().find(|b| !b.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(b)) {
                None => return Ok(()),
                Some(b'{' | b'[' | b'<') => self.body = Body::Whole(Vec::new()),
                Some(_) => self.body = Body::Stream(SseParser::default()),
            }
        }
        match &mut self.body {
            Body::Unknown => Ok(()),
            Body::Whole(whole) => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
            Body::Stream(parser) => {
                let mut events = Vec::new();
                let pushed = parser.push(bytes, &mut events);
                self.events(&events)?;
                pushed.map_err(|_| complaint::nonsense(&self.endpoint.shown, "events", "an endless line"))
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.body, Body::Unknown) {
            Body::Unknown => Ok(()),
            Body::Stream(mut parser) => {
                let mut events = Vec::new();
                parser.finish(&mut events);
                self.events(&events)
            }
            Body::Whole(bytes) => {
                let body = String::from_utf8_lossy(&bytes);
                let body = body.trim_start_matches('\u{FEFF}').trim();
                if complaint::is_html(body) {
                    return Err(complaint::web_page(&self.endpoint.shown, &self.endpoint.without_key(body)));
                }
                // Some servers stream one object per line without the words of the protocol.
                match serde_json::from_str::<Value>(body) {
                    Ok(value) => self.part(&value),
                    Err(_) => body.lines().map(str::trim).filter(|l| !l.is_empty()).try_for_each(|line| {
                        if self.done {
                            return Ok(());
                        }
                        let value = serde_json::from_str(line).map_err(|_| self.not_json(body))?;
                        self.part(&value)
                    }),
                }
            }
        }
    }

    fn events(&mut self, events: &[Event]) -> Result<()> {
        for event in events {
            let data = event.data.trim();
            if self.done {
                break;
            }
            if data == "[DONE]" {
                self.done = true;
                self.closed = true;
            } else if !data.is_empty() {
                self.events += 1;
                match serde_json::from_str::<Value>(data) {
                    Ok(value) => self.part(&value)?,
                    Err(_) if event.name == "error" => return Err(self.told(data)),
                    Err(_) => return Err(self.not_json(data)),
                }
            }
        }
        Ok(())
    }

    fn part(&mut self, value: &Value) -> Result<()> {
        let part = reply::read(value);
        if let Some(error) = part.error {
            return Err(self.told(&error));
        }
        self.finish = part.finish.or(self.finish.take());
        self.usage = part.usage.or(self.usage);
        let text = self.think.push(&part.text);
        self.say(&text);
        Ok(())
    }

    fn say(&mut self, text: &str) {
        if text.is_empty() || self.cut {
            return;
        }
        let mut room = self.text_bytes_max - self.text.len();
        self.cut = text.len() > room;
        while !text.is_char_boundary(room.min(text.len())) {
            room -= 1;
        }
        let text = &text[..room.min(text.len())];
        self.text.push_str(text);
        if !text.is_empty() && !self.sink.token(text) {
            self.cut = true;
        }
        self.done |= self.cut;
    }

    fn told(&self, error: &str) -> Error {
        let said = complaint::excerpt(&self.endpoint.without_key(error));
        Error::new(Kind::Remote, format!("{} failed while answering: {said}", self.endpoint.shown))
            .hint("look at the server's log, or ask again")
    }

    fn not_json(&self, found: &str) -> Error {
        complaint::nonsense(&self.endpoint.shown, "JSON", &self.endpoint.without_key(found))
    }

    fn empty(&self) -> Error {
        let reason = self.finish.as_deref().unwrap_or("none given");
        let hint = match reason {
            "length" => {
                "the model used its tokens up before answering; raise max_tokens or use a model without thoughts"
            }
            "content_filter" => "the provider's filter refused the question or the evidence",
            "tool_calls" | "function_call" => "the model called a tool although none was offered; choose another model",
            _ => "check that the model is a chat model",
        };
        let what = format!("{} gave an empty answer (reason to stop: {reason})", self.endpoint.shown);
        Error::new(Kind::Remote, what).hint(hint)
    }
}
