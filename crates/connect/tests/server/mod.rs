//! A small HTTP server on threads: each connection is answered by the next act of a script.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does once it has read a request.
pub type Act = fn(&mut TcpStream);

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

/// Lives until its script ends or the test does.
pub struct Server {
    /// With `/v1`.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(script: Vec<Act>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for act in script {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let Some(request) = read_request(&stream) else { continue };
                seen.lock().unwrap().push(request);
                act(&mut stream);
            }
        });
        Server { url, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8(body).ok()? })
}

pub fn head(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} x\r\nConnection: close\r\n{headers}\r\n")
}

/// Answers whole. Errors are ignored: the client may have seen enough.
pub fn reply(stream: &mut TcpStream, status: u16, headers: &str, body: &str) {
    say(stream, &head(status, &format!("{headers}Content-Length: {}\r\n", body.len())));
    say(stream, body);
}

pub fn stream_head(stream: &mut TcpStream) {
    say(stream, &head(200, "Content-Type: text/event-stream\r\n"));
}

pub fn say(stream: &mut TcpStream, text: &str) {
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.flush();
}

/// Says `text` until the client hangs up.
pub fn repeat(stream: &mut TcpStream, text: &str, pause: Duration) {
    while stream.write_all(text.as_bytes()).is_ok() {
        std::thread::sleep(pause);
    }
}

/// Says nothing until the client hangs up.
pub fn wait_for_close(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

/// Makes the close that follows a reset: what was not yet sent is thrown away.
pub fn close_hard(stream: &mut TcpStream) {
    socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
}
