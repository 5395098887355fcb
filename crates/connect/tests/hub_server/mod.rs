//! A hub of one model, `acme/tiny`, on threads, with a trick it can play.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub type Files = BTreeMap<String, Vec<u8>>;

/// What goes wrong.
pub enum Trick {
    None,
    /// The weights break off after so many bytes, so many times.
    Cut {
        after: usize,
        times: usize,
    },
    /// The weights always break off at this byte.
    Dead {
        after: usize,
    },
    /// The weights break off once, and ranges are not understood.
    NoRanges {
        after: usize,
    },
    /// One byte of this file is another than promised.
    Corrupt(&'static str),
    /// The weights do not end.
    Endless,
    /// Only who shows this token may read.
    Private(&'static str),
    /// Weights are at another server.
    Redirect(String),
    /// Every file redirects to itself.
    Circle,
    /// Not a hub at all.
    WebPage,
    /// Never ready.
    Busy,
}

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// A model of `weights` bytes, with files that nobody should fetch.
pub fn model(weights: usize) -> Files {
    let bytes = (0..weights).map(|i| (i * 31 % 251) as u8).collect();
    let text = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    Files::from([
        text("config.json", r#"{"model_type":"bert"}"#),
        text("tokenizer.json", r#"{"model":{}}"#),
        text("1_Pooling/config.json", "{}"),
        text("LICENSE", "Apache-2.0"),
        text("README.md", "# Tiny"),
        text("pytorch_model.bin", "pickle"),
        text("modeling.py", "import os"),
        ("model.safetensors".to_owned(), bytes),
    ])
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn git_blob(bytes: &[u8]) -> String {
    let whole = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    hex(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &whole).as_ref())
}

impl Server {
    pub fn start(files: Files, trick: Trick) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut hub = Hub { files, trick, url: url.clone(), cuts: 0 };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let Some(head) = read_head(&stream) else { continue };
                seen.lock().unwrap().push(head.clone());
                // Errors are ignored: the client may have seen enough.
                let _ = hub.answer(&head, stream);
            }
        });
        Server { url, requests }
    }

    /// The heads of all requests, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_head(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(head.to_lowercase());
        }
        head.push_str(&line);
    }
}

struct Hub {
    files: Files,
    trick: Trick,
    url: String,
    cuts: usize,
}

impl Hub {
    /// Changes with the content, as commits do.
    fn commit(&self) -> String {
        let all: Vec<u8> = self.files.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes].concat()).collect();
        sha256(&all)[..40].to_owned()
    }

    fn answer(&mut self, head: &str, mut stream: TcpStream) -> std::io::Result<()> {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut reply = |status: u16, headers: &str, body: &[u8]| {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)
        };
        match &self.trick {
            Trick::WebPage => return reply(200, "Content-Type: text/html\r\n", b"<html><title>Welcome</title>"),
            Trick::Busy => return reply(503, "", b"come back later"),
            Trick::Private(token) if !head.contains(&format!("authorization: bearer {token}")) => {
                return reply(401, "X-Error-Code: GatedRepo\r\n", br#"{"error":"no access with this token"}"#);
            }
            _ => {}
        }
        if let Some(revision) = path.strip_prefix("/api/models/acme/tiny/revision/") {
            if !revision.starts_with("main") {
                return reply(404, "X-Error-Code: RevisionNotFound\r\n", b"{}");
            }
            let siblings: Vec<_> = self
                .files
                .iter()
                .map(|(name, bytes)| {
                    let mut file =
                        serde_json::json!({"rfilename": name, "size": bytes.len(), "blobId": git_blob(bytes)});
                    if name.ends_with(".safetensors") {
                        file["lfs"] =
                            serde_json::json!({"sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 134});
                    }
                    file
                })
                .collect();
            let listing = serde_json::json!({"id": "acme/tiny", "sha": self.commit(), "siblings": siblings});
            return reply(200, "Content-Type: application/json\r\n", listing.to_string().as_bytes());
        }
        let prefix = format!("/acme/tiny/resolve/{}/", self.commit());
        let Some(name) = path.strip_prefix(&prefix) else {
            return reply(404, "X-Error-Code: RepoNotFound\r\n", br#"{"error":"Repository not found"}"#);
        };
        // Names come in lower case here.
        let Some((name, mut bytes)) =
            self.files.iter().find(|(n, _)| n.to_lowercase() == name).map(|(n, b)| (n.clone(), b.clone()))
        else {
            return reply(404, "X-Error-Code: EntryNotFound\r\n", b"{}");
        };
        let weights = name == "model.safetensors";
        match &self.trick {
            Trick::Circle => return reply(302, &format!("Location: {}{path}\r\n", self.url), b""),
            Trick::Redirect(to) if weights => return reply(302, &format!("Location: {to}{path}\r\n"), b""),
            Trick::Corrupt(which) if *which == name => bytes[3] ^= 1,
            Trick::Endless if weights => {
                stream.write_all(b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n")?;
                loop {
                    stream.write_all(&[7; 65536])?;
                }
            }
            _ => {}
        }
        let start = head.lines().find_map(|l| {
            l.strip_prefix("range: bytes=")?
                .strip_suffix("-\r\n")
                .or(l.strip_prefix("range: bytes=")?.trim_end().strip_suffix('-'))?
                .parse::<usize>()
                .ok()
        });
        let start = start.filter(|_| !matches!(self.trick, Trick::NoRanges { .. }));
        let from = start.unwrap_or(0);
        let end = match self.trick {
            Trick::Cut { after, times } if weights && self.cuts < times => Some(from + after),
            Trick::Dead { after } if weights => Some(after),
            Trick::NoRanges { after } if weights && self.cuts == 0 => Some(after),
            _ => None,
        };
        let (status, range) = match start {
            Some(from) => (206, format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len())),
            None => (200, String::new()),
        };
        let length = bytes.len() - from;
        let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n{range}\r\n");
        stream.write_all(head.as_bytes())?;
        let end = end.filter(|&e| e < bytes.len());
        self.cuts += usize::from(end.is_some());
        stream.write_all(&bytes[from.min(end.unwrap_or(usize::MAX))..end.unwrap_or(bytes.len())])
    }
}
