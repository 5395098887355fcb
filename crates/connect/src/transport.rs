//! One POST whose answer is read under three clocks.
//!
//! The HTTP client knows one time limit per request; a streamed answer needs several, and a name server or a
//! proxy can block where no limit reaches. So the exchange runs on a thread of its own and the caller waits on
//! a channel. A caller that gives up drops the channel, and the thread ends at its next step or, at the
//! latest, at the client's own limit.

use crate::settings::TimeLimits;
use base::{Error, Kind, Result};
use reqwest::blocking::{Client, Request};
use reqwest::header::HeaderMap;
use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

/// What comes out of an exchange, in this order: one head, bytes, one end.
#[derive(Debug)]
pub(crate) enum Step {
    Head {
        status: u16,
        /// The server's wish how long to wait, if it gave one in seconds.
        retry_after: Option<Duration>,
        headers: Box<HeaderMap>,
    },
    Bytes(Vec<u8>),
    End,
}

/// Why an exchange broke off.
#[derive(Debug)]
pub(crate) enum Broken {
    /// No connection came about: nothing was sent, so trying again is safe.
    Connect(String),
    /// The connection died, or what came was not HTTP.
    Transfer(String),
    /// A clock ran out.
    Time,
}

/// A request under way.
pub(crate) struct Exchange {
    steps: Receiver<std::result::Result<Step, Broken>>,
}

impl Exchange {
    /// Sends `request`.
    pub fn start(client: Client, request: Request) -> Result<Exchange> {
        // A few steps of slack; a slow reader then slows the server down instead of filling memory.
        let (sender, steps) = sync_channel(64);
        let run = move || {
            let mut response = match client.execute(request) {
                Ok(response) => response,
                Err(error) => {
                    let _ = sender.send(Err(broken(error)));
                    return;
                }
            };
            let seconds = |name: &str| response.headers().get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
            let retry_after = seconds("retry-after-ms")
                .map(|ms| ms / 1000.0)
                .or_else(|| seconds("retry-after"))
                .and_then(|s| Duration::try_from_secs_f64(s).ok());
            let (status, headers) = (response.status().as_u16(), Box::new(response.headers().clone()));
            let mut go_on = sender.send(Ok(Step::Head { status, retry_after, headers })).is_ok();
            let mut buffer = vec![0; 16 << 10];
            while go_on {
                let step = match response.read(&mut buffer) {
                    Ok(0) => Ok(Step::End),
                    Ok(n) => Ok(Step::Bytes(buffer[..n].to_vec())),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err(Broken::Time),
                    Err(error) => Err(Broken::Transfer(causes(&error))),
                };
                let last = !matches!(step, Ok(Step::Bytes(_)));
                go_on = sender.send(step).is_ok() && !last;
            }
        };
        std::thread::Builder::new()
            .name("ragstone-connect".to_owned())
            .spawn(run)
            .map_err(|e| Error::io("starting a thread for a request", e))?;
        Ok(Exchange { steps })
    }

    /// The next step, if it comes before `deadline`.
    pub fn next(&self, deadline: Instant) -> std::result::Result<Step, Broken> {
        match self.steps.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(step) => step,
            Err(RecvTimeoutError::Timeout) => Err(Broken::Time),
            Err(RecvTimeoutError::Disconnected) => Err(Broken::Transfer("the exchange ended early".to_owned())),
        }
    }
}

fn broken(error: reqwest::Error) -> Broken {
    // The address may carry a password; whoever reports the error names it in its shown form.
    let error = error.without_url();
    let text = causes(&error);
    if error.is_connect() {
        Broken::Connect(text)
    } else if error.is_timeout() {
        Broken::Time
    } else {
        Broken::Transfer(text)
    }
}

/// The innermost cause says most; outer layers repeat that there was an error.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    crate::complaint::excerpt(&innermost.to_string())
}

/// A client made at first use: reading the machine's certificates takes milliseconds that a program which
/// never speaks to a model should not pay.
#[derive(Debug, Default)]
pub(crate) struct LazyClient(OnceLock<Client>);

impl LazyClient {
    /// The client for `url`.
    pub fn get(&self, url: &reqwest::Url, limits: &TimeLimits) -> Result<&Client> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client =
            build_client(url, limits.connect, limits.first_token.max(limits.between_tokens).min(limits.total))?;
        Ok(self.0.get_or_init(|| client))
    }
}

/// A client for the server of `url`. Redirects are left to the caller: a redirected POST would lose its body,
/// and a key must not follow to a stranger.
pub(crate) fn build_client(url: &reqwest::Url, connect: Duration, total: Duration) -> Result<Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that the program around us installed its own already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = Client::builder()
        .user_agent(concat!("ragstone/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect)
        .timeout(total);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // No TLS, no roots: a machine without certificates can still use a local model.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|e| {
        Error::new(Kind::Unsupported, "preparing TLS failed")
            .because(e)
            .hint("install the system's CA certificates, or set SSL_CERT_FILE to a file that holds them")
    })
}

/// Whether `url` names this machine.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches([']', '.']);
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback() || ip.is_unspecified())
}

/// Whether a key may be sent to `url` without encryption: this machine, private addresses, and names that
/// only a local network resolves.
pub(crate) fn is_private(url: &reqwest::Url) -> bool {
    if is_loopback(url) {
        return true;
    }
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches([']', '.']);
    match host.parse::<std::net::IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(std::net::IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local(),
        Ok(std::net::IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            !host.contains('.') || [".local", ".lan", ".internal", ".home.arpa"].iter().any(|s| host.ends_with(s))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let cases = [
            ("http://localhost:1/v1", true, true),
            ("http://127.0.0.1", true, true),
            ("http://127.9.9.9", true, true),
            ("http://[::1]:80/", true, true),
            ("http://[::ffff:127.0.0.1]/", true, true),
            ("http://ollama.localhost/", true, true),
            ("http://192.168.1.7:8000", false, true),
            ("http://[fd00::1]/", false, true),
            ("http://gpu-box:8000", false, true),
            ("http://gpu.lan", false, true),
            ("http://api.example.com", false, false),
            ("http://8.8.8.8", false, false),
            ("http://localhost.example.com", false, false),
        ];
        for (url, loopback, private) in cases {
            let url = reqwest::Url::parse(url).unwrap();
            assert_eq!((is_loopback(&url), is_private(&url)), (loopback, private), "{url}");
        }
    }
}
