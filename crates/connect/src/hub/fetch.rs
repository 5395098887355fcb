//! One file over HTTP: redirects followed by hand, cut transfers resumed, size and checksum compared.

use super::Hub;
use super::cache::{git_blob, sha256, sync};
use crate::complaint::message;
use crate::transport::{Broken, Exchange, Step};
use base::{Error, Kind, Result};
use reqwest::Url;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RANGE};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Redirects that are followed; the hub itself needs one or two.
const REDIRECTS_MAX: usize = 10;
/// Longest complaint of a server that is read, bytes.
const COMPLAINT_BYTES_MAX: usize = 64 << 10;

/// What the content of a file must come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    /// Of files kept as large ones.
    Sha256(String),
    /// Of the others: SHA-1, as git names blobs.
    GitBlob(String),
}

impl Checksum {
    /// From hexadecimal digits, whose number tells which it is.
    pub fn parse(text: &str) -> Option<Checksum> {
        let digits = text.trim().trim_start_matches("W/").trim_matches('"').to_ascii_lowercase();
        match digits.len() {
            _ if !digits.bytes().all(|b| b.is_ascii_hexdigit()) => None,
            64 => Some(Checksum::Sha256(digits)),
            40 => Some(Checksum::GitBlob(digits)),
            _ => None,
        }
    }

    /// The same of the file at `path`.
    fn of(&self, path: &Path) -> Result<Checksum> {
        match self {
            Checksum::Sha256(_) => sha256(path).map(Checksum::Sha256),
            Checksum::GitBlob(_) => git_blob(path).map(Checksum::GitBlob),
        }
    }

    fn text(&self) -> String {
        match self {
            Checksum::Sha256(digits) => format!("SHA-256 {digits}"),
            Checksum::GitBlob(digits) => format!("git blob {digits}"),
        }
    }
}

/// A file to fetch.
pub(super) struct Wanted {
    /// For messages.
    pub what: String,
    pub url: Url,
    pub size: u64,
    /// From the listing; else the server's headers must have one.
    pub checksum: Option<Checksum>,
}

/// How one attempt ended, when not well.
enum Failure {
    /// Worth another attempt.
    Again(Error),
    /// The same, and something arrived: attempts are counted anew.
    Moved,
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

/// The head of a reply that is a success.
struct Answer {
    exchange: Exchange,
    status: u16,
    headers: HeaderMap,
    /// Headers of all replies on the way, the last first; the hub tells a file's checksum before it redirects.
    trail: Vec<HeaderMap>,
}

impl Hub {
    /// Everything that `url` answers, at most `bytes_max`; `what` names it in messages.
    pub(super) fn read(&self, what: &str, url: &Url, bytes_max: usize) -> Result<Vec<u8>> {
        self.try_again(|| {
            let answer = self.open(what, url, 0)?;
            let mut body = Vec::new();
            loop {
                match answer.exchange.next(Instant::now() + self.limits.stall) {
                    Ok(Step::Bytes(bytes)) => body.extend(bytes),
                    Ok(Step::End) => return Ok(body),
                    Ok(Step::Head { .. }) => {}
                    Err(broken) => return Err(Failure::Again(self.broken(what, &broken))),
                }
                if body.len() > bytes_max {
                    let found = format!("{what}: the server sends more than {bytes_max} bytes");
                    return Err(Error::new(Kind::Remote, found).into());
                }
            }
        })
    }

    /// Fetches `wanted` into the file `part`, going on where it ends, and compares size and checksum.
    /// `moved` is told how many bytes the file has.
    pub(super) fn fetch(&self, wanted: &Wanted, part: &Path, moved: &mut dyn FnMut(u64)) -> Result<()> {
        let mut told = wanted.checksum.clone();
        if length(part) != wanted.size || wanted.size == 0 || told.is_none() {
            self.try_again(|| {
                let before = length(part);
                self.transfer(wanted, part, &mut told, moved).map_err(|failure| match failure {
                    Failure::Again(_) if length(part) > before => Failure::Moved,
                    other => other,
                })
            })?;
        }
        let drop_part = || std::fs::remove_file(part);
        let found = length(part);
        if found != wanted.size {
            let _ = drop_part();
            let what = format!("{}: expected {} bytes, found {found}", wanted.what, wanted.size);
            return Err(Error::new(Kind::Corrupt, what).hint("run the command again; what was wrong is removed"));
        }
        let Some(expected) = told else {
            let what = format!("{}: the server publishes no checksum", wanted.what);
            return Err(Error::new(Kind::Remote, what).hint("HF_ENDPOINT must name a server that speaks like the hub"));
        };
        let sum = expected.of(part)?;
        if sum != expected {
            let _ = drop_part();
            let what = format!("{}: expected {}, found {}", wanted.what, expected.text(), sum.text());
            return Err(Error::new(Kind::Corrupt, what)
                .hint("the transfer or the server is damaged; run the command again, what was wrong is removed"));
        }
        sync(part)
    }

    /// One attempt at the rest of a file.
    fn transfer(
        &self,
        wanted: &Wanted,
        part: &Path,
        told: &mut Option<Checksum>,
        moved: &mut dyn FnMut(u64),
    ) -> std::result::Result<(), Failure> {
        let mut have = length(part);
        if have > wanted.size || (have == wanted.size && told.is_none()) {
            have = 0;
        }
        let answer = self.open(&wanted.what, &wanted.url, have)?;
        let resumed = answer.status == 206 && range_start(&answer.headers) == Some(have);
        if !resumed {
            have = 0; // The server sends all of it.
        }
        let published = |headers: &HeaderMap| {
            let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
            ["x-linked-etag", "etag"].into_iter().filter_map(text).find_map(Checksum::parse)
        };
        if told.is_none() {
            *told = answer.trail.iter().rev().find_map(published);
        }
        let writing = |e| Error::io(format!("writing {}", part.display()), e);
        let mut file = OpenOptions::new().create(true).append(resumed).write(true).truncate(!resumed).open(part);
        let file = file.as_mut().map_err(|e| writing(std::io::Error::new(e.kind(), e.to_string())))?;
        moved(have);
        loop {
            match answer.exchange.next(Instant::now() + self.limits.stall) {
                Ok(Step::Bytes(bytes)) => {
                    have += bytes.len() as u64;
                    if have > wanted.size {
                        let what = format!("{}: the server sends more than {} bytes", wanted.what, wanted.size);
                        let _ = std::fs::remove_file(part);
                        return Err(Error::new(Kind::Corrupt, what).into());
                    }
                    file.write_all(&bytes).map_err(writing)?;
                    moved(have);
                }
                Ok(Step::End) if have == wanted.size => return Ok(()),
                Ok(Step::End) => {
                    let what = format!("{}: it ended after {have} of {} bytes", wanted.what, wanted.size);
                    return Err(Failure::Again(Error::new(Kind::Remote, what)));
                }
                Ok(Step::Head { .. }) => {}
                Err(broken) => return Err(Failure::Again(self.broken(&wanted.what, &broken))),
            }
        }
    }

    /// Asks for `url` from byte `start` on and follows redirects to the reply.
    fn open(&self, what: &str, url: &Url, start: u64) -> std::result::Result<Answer, Failure> {
        let mut url = url.clone();
        let mut trail = Vec::new();
        for _ in 0..=REDIRECTS_MAX {
            let client = self.client(&url)?;
            // As it is: a range of compressed bytes would be of no use.
            let mut request = client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
            if start > 0 {
                request = request.header(RANGE, format!("bytes={start}-"));
            }
            // The token is for the hub; the storage that it redirects to gets none.
            if let Some(token) = self.token.as_ref().filter(|_| url.origin() == self.endpoint.origin()) {
                let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
                    .map_err(|e| Error::new(Kind::BadInput, "HF_TOKEN cannot be sent").because(e))?;
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
            let request = request.build().map_err(|e| Error::new(Kind::BadInput, what).because(e.without_url()))?;
            let exchange = Exchange::start(client, request)?;
            let (status, headers) = match exchange.next(Instant::now() + self.limits.connect + self.limits.stall) {
                Ok(Step::Head { status, headers, .. }) => (status, *headers),
                Ok(_) => return Err(Error::new(Kind::Bug, "a reply without a head").into()),
                Err(broken) => return Err(Failure::Again(self.broken(what, &broken))),
            };
            trail.push(headers.clone());
            match status {
                200 | 206 => return Ok(Answer { exchange, status, headers, trail }),
                // What we have is not what the server has: from the beginning then.
                416 if start > 0 => return self.open(what, &url, 0),
                301 | 302 | 303 | 307 | 308 => url = self.redirected(what, &url, &headers)?,
                _ => return Err(self.refused(what, status, &headers, &exchange)),
            }
        }
        Err(Error::new(Kind::Remote, format!("{what}: more than {REDIRECTS_MAX} redirects")).into())
    }

    fn redirected(&self, what: &str, from: &Url, headers: &HeaderMap) -> Result<Url> {
        let place = headers.get(LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let bad = |why: &str| Error::new(Kind::Remote, format!("{what}: the server redirects to {place:?}, {why}"));
        let to = from.join(place).map_err(|_| bad("which is no address"))?;
        match (from.scheme(), to.scheme()) {
            (_, "https") | ("http", "http") => Ok(to),
            ("https", "http") => Err(bad("which is not encrypted")),
            _ => Err(bad("which is not HTTP")),
        }
    }

    /// The error for a reply that is no success.
    fn refused(&self, what: &str, status: u16, headers: &HeaderMap, exchange: &Exchange) -> Failure {
        let mut body = Vec::new();
        while let Ok(Step::Bytes(bytes)) = exchange.next(Instant::now() + self.limits.stall) {
            body.extend(bytes);
            if body.len() > COMPLAINT_BYTES_MAX {
                break;
            }
        }
        let code = headers.get("x-error-code").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let said = message(&String::from_utf8_lossy(&body));
        let said = self.token.as_ref().map_or_else(|| said.clone(), |token| token.hide_in(&said));
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let text = format!("{what}: {} answered with status {status}{said}", self.host());
        let error = |kind, hint: &str| Error::new(kind, text.clone()).hint(hint);
        match (status, code) {
            (404, "RevisionNotFound") => error(Kind::NotFound, "check the revision after @").into(),
            (404, _) => error(Kind::NotFound, "check the name: organisation/name, as the hub shows it").into(),
            (401 | 403, _) if self.token.is_none() => error(
                Kind::Denied,
                "check the name; a private or gated model needs a token: set HF_TOKEN after accepting its terms",
            )
            .into(),
            (401 | 403, _) => {
                error(Kind::Denied, "HF_TOKEN is not valid or may not read this model; accept its terms on the hub")
                    .into()
            }
            (408 | 425 | 429 | 500..=599, _) => {
                Failure::Again(error(Kind::Remote, "the server is busy; run the command again later"))
            }
            _ => error(Kind::Remote, "check HF_ENDPOINT").into(),
        }
    }

    fn host(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }

    fn broken(&self, what: &str, broken: &Broken) -> Error {
        let (host, stall) = (self.host(), self.limits.stall.as_secs());
        match broken {
            Broken::Connect(why) => Error::new(Kind::Remote, format!("{what}: {host} cannot be reached: {why}")).hint(
                "check the network and HF_ENDPOINT; offline, the built-in model and folders given by path still work",
            ),
            Broken::Time => Error::new(Kind::Timeout, format!("{what}: nothing came for {stall} seconds"))
                .hint("run the command again; it goes on where it stopped"),
            Broken::Transfer(why) => Error::new(Kind::Remote, format!("{what}: the connection broke: {why}"))
                .hint("run the command again; it goes on where it stopped"),
        }
    }

    /// Repeats `attempt` while it is worth it.
    fn try_again<T>(&self, mut attempt: impl FnMut() -> std::result::Result<T, Failure>) -> Result<T> {
        let (mut tries, mut pause) = (0, self.limits.pause);
        loop {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Moved) => (tries, pause) = (0, self.limits.pause),
                Err(Failure::Again(error)) => {
                    tries += 1;
                    if tries >= self.limits.attempts {
                        return Err(error);
                    }
                }
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
    }
}

/// Bytes of the file at `path`; 0 when there is none.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// Where the bytes of a partial reply begin.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get("content-range")?.to_str().ok()?;
    text.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
