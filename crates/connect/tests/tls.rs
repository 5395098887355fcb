//! Encrypted endpoints: the machine's certificates decide, and `SSL_CERT_FILE` replaces them.
//!
//! The variable is read by the process, so each case runs in a process of its own: this test program again,
//! asked for the ignored test only.

#[allow(dead_code)] // each test program uses its own part
mod server;

use base::{Generator, Prompt};
use connect::{GeneratorSettings, OpenAiChat};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const URL: &str = "RAGSTONE_TEST_TLS_URL";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// An HTTPS server on this machine for one exchange; returns its port.
fn serve() -> u16 {
    let certificate = CertificateDer::from_pem_file(fixture("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        // A refused handshake is tried again, so there may be two connections.
        while let Ok((stream, _)) = listener.accept() {
            let connection = rustls::ServerConnection::new(Arc::new(config.clone())).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"}") || !request.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut byte) {
                    Ok(1) => request.push(byte[0]),
                    _ => break,
                }
            }
            let body = r#"{"choices":[{"message":{"content":"Grey."},"finish_reason":"stop"}]}"#;
            let _ = stream.write_all(server::head(200, &format!("Content-Length: {}\r\n", body.len())).as_bytes());
            let _ = stream.write_all(body.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    port
}

/// What a process that trusts the certificates in `roots` prints.
fn ask(roots: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "asked_in_another_process", "--nocapture"])
        .env(URL, format!("https://localhost:{}/v1", serve()))
        .env("SSL_CERT_FILE", fixture(roots))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "runs only as a child of the other tests"]
fn asked_in_another_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let settings = GeneratorSettings::new(url, "stone-1");
    let prompt = Prompt { system: String::new(), user: "Q".into(), evidence: Vec::new(), max_tokens: 9 };
    println!("{:?}", OpenAiChat::open(&settings).unwrap().generate(&prompt, &mut ()));
}

#[test]
fn a_trusted_server_is_asked() {
    let said = ask("authority.pem");
    assert!(said.contains(r#"Ok(Generation { text: "Grey.", complete: true })"#), "{said}");
}

#[test]
fn a_stranger_is_not() {
    let said = ask("stranger.pem");
    assert!(said.contains("Err(Remote: cannot connect to https://localhost:"), "{said}");
    assert!(said.contains("certificate") && said.contains("SSL_CERT_FILE"), "{said}");
}

#[test]
fn without_certificates_the_hint_says_what_to_do() {
    let said = ask("no-such-file.pem");
    assert!(said.contains("Err(") && said.contains("SSL_CERT_FILE"), "{said}");
}
