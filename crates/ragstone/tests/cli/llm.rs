//! Answers by a language model, against a small server in this test.

use crate::run::World;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A server that gives `reply` (status line, headers and body) to one request and returns the request's body.
fn server(reply: String) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        (&stream).write_all(reply.as_bytes()).unwrap();
        String::from_utf8(body).unwrap()
    });
    (url, thread)
}

fn stream(pieces: &[&str]) -> String {
    let event = |text: &&str| {
        let json = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {json}\n\n")
    };
    let events: String = pieces.iter().map(event).collect();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}data: [DONE]\n\n")
}

fn harbour() -> World {
    let world = World::new();
    world.write("d/ferry.txt", "The ferry to the island leaves at seven in the morning. Tickets cost four euros.\n");
    world.json(&["index", "d"]);
    world
}

const QUESTION: &str = "When does the ferry to the island leave?";

#[test]
fn a_model_answers_and_its_citations_are_checked() {
    let world = harbour();
    let (url, asked) = server(stream(&["The ferry leaves at sev", "en in the morning [1]. ", "It is blue [7]."]));
    let answer = world.json(&["ask", QUESTION, "--llm-url", &url, "--llm-model", "stone-1"]);
    let body: serde_json::Value = serde_json::from_str(&asked.join().unwrap()).unwrap();
    assert_eq!(body["model"], "stone-1");
    assert!(body["messages"].to_string().contains("leaves at seven"), "{body}");
    assert_eq!(answer["generator"], "stone-1", "{answer}");
    let text = answer["answer"].as_str().unwrap();
    assert!(text.contains("seven in the morning [1]") && !text.contains("[7]"), "{answer}");
    assert_eq!(answer["citations"].as_array().unwrap().len(), 1);
    assert_eq!(answer["citations"][0]["locator"]["line"], 1);
    crate::run::check_slices(&world, answer["citations"].as_array().unwrap(), "quote");
    assert!(answer["notices"].to_string().contains("[7]"), "{answer}");
}

#[test]
fn a_failing_endpoint_gives_quotes_and_says_so() {
    let world = harbour();
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/v1", listener.local_addr().unwrap())
    };
    let page = "<html>hello</html>";
    let html = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let (html, thread) = server(html);
    for url in [nobody, html] {
        let answer = world.json(&["ask", QUESTION, "--llm-url", &url, "--llm-model", "m"]);
        assert_eq!(answer["generator"], "extractive", "{answer}");
        assert!(answer["answer"].as_str().unwrap().contains("seven in the morning"), "{answer}");
        assert!(answer["notices"].to_string().contains("made of quotes"), "{answer}");
    }
    thread.join().unwrap();
}

#[test]
fn settings_of_a_model_come_from_the_file_and_can_be_switched_off() {
    let world = harbour();
    world.write("ragstone.toml", "[generator]\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n");
    let answer = world.json(&["ask", QUESTION, "--no-llm"]);
    assert!(answer["notices"].is_null(), "{answer}");
}
