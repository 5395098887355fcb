//! Models from the Hugging Face hub, or from a server that speaks like it.
//!
//! [`Hub::pull`] fetches the few files that a model needs, resumes what was cut, compares every file with the
//! checksum that the server publishes, and puts the model into a [`Cache`] at once or not at all. Weights are
//! safetensors only; nothing that is fetched is executed. [`Cache`] needs no network: it lists, finds,
//! verifies and removes.

mod cache;
mod fetch;
mod name;
mod pull;

pub use cache::{Cache, CachedModel, Flaw, ModelFile};
pub use name::ModelName;
pub use pull::{Progress, Pulled};

use crate::settings::Secret;
use crate::transport::{build_client, is_loopback, is_private};
use base::{Error, Kind, Result};
use reqwest::Url;
use reqwest::blocking::Client;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The hub that is asked when `HF_ENDPOINT` names no other.
const ENDPOINT: &str = "https://huggingface.co";

/// How long each part of a download may take, and how often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// To reach a server, TLS included.
    pub connect: Duration,
    /// Between two reads of bytes.
    pub stall: Duration,
    /// Attempts in a row that bring nothing.
    pub attempts: u32,
    /// Before the second attempt; each further one waits twice as long.
    pub pause: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        HubLimits {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(500),
        }
    }
}

/// A server of models.
#[derive(Debug)]
pub struct Hub {
    endpoint: Url,
    token: Option<Secret>,
    offline: bool,
    limits: HubLimits,
    /// By whether TLS is spoken and whether the server is this machine.
    clients: Mutex<BTreeMap<(bool, bool), Client>>,
}

impl Hub {
    /// The server at `endpoint`, asked in the name of `token`; nothing is sent yet.
    ///
    /// # Errors
    /// `BadInput` for an address that is none, `Denied` for a token that would cross the open network in
    /// clear text.
    pub fn new(endpoint: &str, token: Option<&str>, limits: HubLimits) -> Result<Hub> {
        let bad = |found: String| {
            Error::new(Kind::BadInput, format!("the address of the model hub {endpoint:?} {found}"))
                .hint("set HF_ENDPOINT to something like https://huggingface.co")
        };
        let url = Url::parse(endpoint.trim_end_matches('/')).map_err(|e| bad(format!("is not a URL ({e})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.query().is_some() {
            return Err(bad("is not of the form https://host".to_owned()));
        }
        let token = token.map(str::trim).filter(|t| !t.is_empty());
        if token.is_some() && url.scheme() == "http" && !is_private(&url) {
            return Err(Error::new(Kind::Denied, format!("refusing to send HF_TOKEN to {url} unencrypted"))
                .hint("use https in HF_ENDPOINT, or unset HF_TOKEN"));
        }
        if token.is_some_and(|t| !t.chars().all(|c| c.is_ascii_graphic())) {
            return Err(Error::new(Kind::BadInput, "HF_TOKEN holds characters that no token has")
                .hint("copy the token again from the settings of your account"));
        }
        let token = token.map(Secret::new);
        Ok(Hub { endpoint: url, token, offline: false, limits, clients: Mutex::default() })
    }

    /// The server that the environment names: `HF_ENDPOINT`, `HF_TOKEN`, and `HF_HUB_OFFLINE`, which forbids
    /// to ask any.
    ///
    /// # Errors
    /// As [`Hub::new`].
    pub fn from_env() -> Result<Hub> {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let mut hub = Hub::new(&endpoint, variable("HF_TOKEN").as_deref(), HubLimits::default())?;
        hub.offline = variable("HF_HUB_OFFLINE").is_some_and(|v| !matches!(v.trim(), "0" | "false" | "no"));
        Ok(hub)
    }

    /// The client for `url`.
    fn client(&self, url: &Url) -> Result<Client> {
        let key = (url.scheme() == "https", is_loopback(url));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        // A download may take hours; the clock that matters is the one between two reads.
        let client = build_client(url, self.limits.connect, Duration::from_secs(24 * 3600))?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}
