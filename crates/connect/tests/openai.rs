//! The chat-completions client against a server that does what servers do, good and bad.

mod server;

use base::{Generator, Kind, Prompt, TokenSink};
use connect::{GeneratorSettings, OpenAiChat, TimeLimits};
use serde_json::{Value, json};
use server::{Server, close_hard, head, reply, say, stream_head};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

fn prompt() -> Prompt {
    Prompt { system: "Be brief.".into(), user: "Why is it grey?".into(), evidence: Vec::new(), max_tokens: 20 }
}

fn settings(url: &str) -> GeneratorSettings {
    let second = Duration::from_secs(20);
    let limits = TimeLimits { connect: second, first_token: second, between_tokens: second, total: second };
    GeneratorSettings { limits, ..GeneratorSettings::new(url, "stone-1") }
}

fn open(url: &str) -> OpenAiChat {
    OpenAiChat::open(&settings(url)).unwrap()
}

#[derive(Default)]
struct Pieces {
    pieces: Vec<String>,
    stop_after: Option<usize>,
}

impl TokenSink for Pieces {
    fn token(&mut self, text: &str) -> bool {
        self.pieces.push(text.to_owned());
        self.stop_after.is_none_or(|n| self.pieces.len() < n)
    }
}

fn chunk(text: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }))
}

const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// The error of one exchange in which the server does `act` (twice, where a retry is allowed).
fn failure(act: fn(&mut TcpStream)) -> (Kind, String, String) {
    let server = Server::start(vec![act, act]);
    let error = open(&server.url).generate(&prompt(), &mut ()).unwrap_err();
    (error.kind(), error.what().replace(&server.url, "URL"), error.hint_line().unwrap_or_default().to_owned())
}

#[test]
fn a_stream_is_passed_on_as_it_comes() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        say(s, ": keep-alive\n\n");
        say(s, "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n");
        // One character cut in two, and one event cut in two.
        let grün = chunk("grün ");
        let cut = grün.find('ü').unwrap() + 1;
        for part in [&grün.as_bytes()[..cut], &grün.as_bytes()[cut..]] {
            s.write_all(part).unwrap();
            s.flush().unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        say(s, &chunk("[1]."));
        say(s, STOP);
        say(s, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\r\n\r\n");
        say(s, DONE);
    }]);
    let chat = open(&server.url);
    let mut sink = Pieces::default();
    let reply = chat.chat(&prompt(), &mut sink).unwrap();
    assert_eq!(sink.pieces, ["grün ", "[1]."]);
    assert_eq!((reply.text.as_str(), reply.complete), ("grün [1].", true));
    assert_eq!(reply.usage.map(|u| u.completion_tokens), Some(2));
    assert_eq!(chat.name(), "stone-1");

    let request = server.requests().remove(0);
    assert!(request.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", request.head);
    assert!(!request.head.to_lowercase().contains("authorization"));
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["model"], "stone-1");
    assert_eq!(body["max_tokens"], 20);
    assert_eq!(body["temperature"], 0.0);
    assert_eq!(body["stream"], true);
    assert_eq!(body["messages"][0], json!({ "role": "system", "content": "Be brief." }));
    assert_eq!(body["messages"][1]["content"], "Why is it grey?");
}

#[test]
fn a_whole_reply_is_as_good_as_a_stream() {
    let server = Server::start(vec![|s| {
        reply(
            s,
            200,
            "",
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"Grey [1]."}]},"finish_reason":"stop"}]}"#,
        );
    }]);
    let mut sink = Pieces::default();
    let generation = open(&server.url).generate(&prompt(), &mut sink).unwrap();
    assert_eq!((generation.text.as_str(), generation.complete), ("Grey [1].", true));
    assert_eq!(sink.pieces, ["Grey [1]."]);
}

#[test]
fn the_key_is_sent_and_never_shown() {
    // Cargo sets this variable for every test, so no test has to change the environment of the others.
    let name = "CARGO_PKG_NAME";
    let key = std::env::var(name).unwrap();
    let server = Server::start(vec![|s| {
        let key = std::env::var("CARGO_PKG_NAME").unwrap();
        reply(s, 401, "", &json!({ "error": { "message": format!("key {key} is wrong") } }).to_string());
    }]);
    let settings = GeneratorSettings { api_key_env: Some(name.into()), ..settings(&server.url) };
    let chat = OpenAiChat::open(&settings).unwrap();
    let error = chat.generate(&prompt(), &mut ()).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.what().ends_with("status 401: key [key] is wrong"), "{error}");
    assert!(error.hint_line().unwrap().contains(name));
    assert!(!format!("{chat:?} {error:?}").contains(&key));
    assert!(server.requests()[0].head.contains(&format!("Bearer {key}")));
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let kind = |s: &GeneratorSettings| OpenAiChat::open(s).unwrap_err().kind();
    let good = GeneratorSettings::new("http://api.example.com/v1", "m");
    assert_eq!(kind(&GeneratorSettings { model: " ".into(), ..good.clone() }), Kind::BadInput);
    assert_eq!(kind(&GeneratorSettings { base_url: "api.example.com".into(), ..good.clone() }), Kind::BadInput);
    assert_eq!(
        kind(&GeneratorSettings { api_key_env: Some("RAGSTONE_NO_SUCH_KEY".into()), ..good.clone() }),
        Kind::NotFound
    );
    // A key over the open network without TLS.
    assert_eq!(kind(&GeneratorSettings { api_key_env: Some("CARGO_PKG_NAME".into()), ..good }), Kind::Denied);
}

#[test]
fn refusals_say_what_to_do() {
    let (kind, what, hint) = failure(|s| reply(s, 500, "", r#"{"error":{"message":"out of\nmemory"}}"#));
    assert_eq!((kind, what.as_str()), (Kind::Remote, "URL/chat/completions answered with status 500: out of memory"));
    assert!(hint.contains("log"), "{hint}");
    let (kind, what, hint) = failure(|s| reply(s, 404, "", "<html><title>nginx</title></html>"));
    assert_eq!(kind, Kind::Remote);
    assert!(what.ends_with("status 404: a web page titled \"nginx\""), "{what}");
    assert!(hint.contains("/v1"), "{hint}");
    let (_, _, hint) = failure(|s| reply(s, 301, "Location: http://127.0.0.1:9/evil\r\n", ""));
    assert!(hint.contains("moved"), "{hint}");
    let (_, _, hint) = failure(|s| reply(s, 400, "", r#"{"error":"maximum context length is 4096"}"#));
    assert!(hint.contains("too long"), "{hint}");
}

#[test]
fn nonsense_is_named() {
    let cases: [(server::Act, &str); 8] = [
        (|s| reply(s, 200, "", "<!doctype html><title>Welcome</title>"), "a web page titled \"Welcome\""),
        (|s| reply(s, 200, "", "hello, world"), "empty answer"),
        (|s| reply(s, 200, "", "{\"choices\":"), "expected JSON"),
        (|s| reply(s, 200, "", ""), "empty answer"),
        (|s| reply(s, 200, "", "data: not json\n\n"), "expected JSON"),
        (
            |s| reply(s, 200, "", r#"{"choices":[{"message":{"content":" "},"finish_reason":"length"}]}"#),
            "empty answer",
        ),
        (|s| reply(s, 200, "", "data: {\"error\":{\"message\":\"model crashed\"}}\n\n"), "model crashed"),
        (|s| s.write_all(b"\x16\x03\x01 not http\r\n\r\n").unwrap(), "broke before the first token"),
    ];
    for (act, expected) in cases {
        let (kind, what, hint) = failure(act);
        assert_eq!(kind, Kind::Remote, "{what}");
        assert!(what.contains(expected), "{what} should contain {expected}");
        assert!(what.contains("URL") && !hint.is_empty(), "{what} / {hint}");
    }
}

#[test]
fn a_busy_server_is_asked_once_more() {
    let server = Server::start(vec![|s| reply(s, 429, "Retry-After: 0\r\n", "{}"), |s| {
        reply(s, 200, "", r#"{"choices":[{"message":{"content":"Grey."},"finish_reason":"stop"}]}"#)
    }]);
    assert_eq!(open(&server.url).generate(&prompt(), &mut ()).unwrap().text, "Grey.");
    assert_eq!(server.requests().len(), 2);

    let server = Server::start(vec![|s| reply(s, 503, "Retry-After: 0\r\n", "{}"); 3]);
    let error = open(&server.url).generate(&prompt(), &mut ()).unwrap_err();
    assert!(error.what().contains("503"), "{error}");
    assert_eq!(server.requests().len(), 2);

    // A server that wants to be left alone for an hour is.
    let server = Server::start(vec![|s| reply(s, 429, "Retry-After: 3600\r\n", "{}"); 2]);
    let error = open(&server.url).generate(&prompt(), &mut ()).unwrap_err();
    assert!(error.hint_line().unwrap().contains("3600"), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn parameters_that_a_server_refuses_are_left_out_from_then_on() {
    let server = Server::start(vec![
        |s| reply(s, 400, "", r#"{"error":{"message":"Use 'max_completion_tokens' instead."}}"#),
        |s| reply(s, 400, "", r#"{"error":{"message":"'temperature' does not support 0"}}"#),
        |s| reply(s, 200, "", r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#),
        |s| reply(s, 200, "", r#"{"choices":[{"message":{"content":"b"},"finish_reason":"stop"}]}"#),
    ]);
    let chat = open(&server.url);
    assert_eq!(chat.generate(&prompt(), &mut ()).unwrap().text, "a");
    assert_eq!(chat.generate(&prompt(), &mut ()).unwrap().text, "b");
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    let last: Value = serde_json::from_str(&requests[3].body).unwrap();
    assert_eq!(last["max_completion_tokens"], 20);
    assert_eq!((last.get("max_tokens"), last.get("temperature")), (None, None));
}

#[test]
fn nobody_there() {
    // A port that was just free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = open(&format!("http://127.0.0.1:{port}/v1")).generate(&prompt(), &mut ()).unwrap_err();
    assert_eq!(error.kind(), Kind::Remote);
    assert!(error.what().starts_with("cannot connect to http://127.0.0.1:"), "{error}");
    assert!(error.hint_line().unwrap().contains("server runs"), "{error:?}");
}

#[test]
fn silence_ends_at_each_clock() {
    let long = Duration::from_secs(20);
    let short = Duration::from_millis(300);
    let run = |limits: TimeLimits, act: fn(&mut TcpStream)| {
        let server = Server::start(vec![act]);
        let settings = GeneratorSettings { limits, ..settings(&server.url) };
        let mut sink = Pieces::default();
        let error = OpenAiChat::open(&settings).unwrap().generate(&prompt(), &mut sink).unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout, "{error}");
        (error.what().to_owned(), sink.pieces.concat())
    };
    let limits = TimeLimits { connect: long, first_token: long, between_tokens: long, total: long };
    // Says nothing at all.
    let (what, _) = run(TimeLimits { first_token: short, ..limits }, server::wait_for_close);
    assert!(what.contains("before the first token"), "{what}");
    // Answers the head and then only keeps the connection alive.
    let (what, _) = run(TimeLimits { first_token: short, ..limits }, |s| {
        stream_head(s);
        server::repeat(s, ": still there\n\n", Duration::from_millis(20));
    });
    assert!(what.contains("before the first token"), "{what}");
    // Stops in the middle.
    let (what, text) = run(TimeLimits { between_tokens: short, ..limits }, |s| {
        stream_head(s);
        say(s, &chunk("Grey "));
        server::wait_for_close(s);
    });
    assert!(what.contains("between tokens"), "{what}");
    assert_eq!(text, "Grey ");
    // Never stops, but slowly enough to stay under the other limits.
    let (what, _) = run(TimeLimits { total: short, ..limits }, |s| {
        stream_head(s);
        server::repeat(s, &chunk(""), Duration::from_millis(20));
    });
    assert!(what.contains("between tokens"), "{what}");
}

#[test]
fn a_server_out_of_control_is_cut_off() {
    // Text without end: the answer is cut at ten times the tokens asked for.
    let server = Server::start(vec![|s| {
        stream_head(s);
        server::repeat(s, &chunk("grey stone "), Duration::ZERO);
    }]);
    let mut sink = Pieces::default();
    let generation = open(&server.url).generate(&prompt(), &mut sink).unwrap();
    assert!(!generation.complete);
    assert_eq!(generation.text.len(), 10 * 20 * 4);
    assert_eq!(sink.pieces.concat(), generation.text);

    // Bytes without text.
    let (_, what, _) = failure(|s| {
        stream_head(s);
        server::repeat(s, &chunk(""), Duration::ZERO);
    });
    assert!(what.contains("expected an answer"), "{what}");

    // One event without end.
    let (_, what, _) = failure(|s| {
        stream_head(s);
        say(s, "data: ");
        server::repeat(s, &"x".repeat(8192), Duration::ZERO);
    });
    assert!(what.contains("expected"), "{what}");
}

#[test]
fn broken_utf8_is_replaced() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        s.write_all(b"data: {\"choices\":[{\"delta\":{\"content\":\"a\xFFb\"},\"finish_reason\":\"stop\"}]}\n\n")
            .unwrap();
    }]);
    assert_eq!(open(&server.url).generate(&prompt(), &mut ()).unwrap().text, "a\u{FFFD}b");
}

#[test]
fn a_reset_in_the_middle_is_an_error_after_the_pieces() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        say(s, &chunk("Grey "));
        std::thread::sleep(Duration::from_millis(100));
        close_hard(s);
    }]);
    let mut sink = Pieces::default();
    let error = open(&server.url).generate(&prompt(), &mut sink).unwrap_err();
    assert_eq!(error.kind(), Kind::Remote);
    assert!(error.what().contains("broke between tokens"), "{error}");
    assert_eq!(sink.pieces, ["Grey "]);

    // The head promises more bytes than come.
    let (_, what, _) = failure(|s| {
        say(s, &head(200, "Content-Length: 5000\r\n"));
        say(s, &chunk("Grey "));
    });
    assert!(what.contains("broke between tokens"), "{what}");
}

#[test]
fn an_end_without_a_reason_is_not_complete() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        say(s, &chunk("Grey "));
    }]);
    let generation = open(&server.url).generate(&prompt(), &mut ()).unwrap();
    assert_eq!((generation.text.as_str(), generation.complete), ("Grey ", false));
}

/// Servers that give no reason but say that they are done once had every answer called unfinished.
#[test]
fn the_last_word_of_the_protocol_is_an_end() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        say(s, &chunk("Grey."));
        say(s, "data: [DONE]\n\n");
    }]);
    let generation = open(&server.url).generate(&prompt(), &mut ()).unwrap();
    assert_eq!((generation.text.as_str(), generation.complete), ("Grey.", true));
}

#[test]
fn the_reader_can_stop_it() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        server::repeat(s, &chunk("a"), Duration::from_millis(1));
    }]);
    let mut sink = Pieces { stop_after: Some(3), ..Pieces::default() };
    let generation = open(&server.url).generate(&prompt(), &mut sink).unwrap();
    assert_eq!((generation.text.as_str(), generation.complete), ("aaa", false));
}

#[test]
fn thoughts_are_not_the_answer() {
    let server = Server::start(vec![|s| {
        stream_head(s);
        for piece in ["<thi", "nk>Let me see", "</th", "ink>\n\nGrey."] {
            say(s, &chunk(piece));
        }
        say(s, STOP);
        say(s, DONE);
    }]);
    let mut sink = Pieces::default();
    assert_eq!(open(&server.url).generate(&prompt(), &mut sink).unwrap().text, "Grey.");
    assert_eq!(sink.pieces.concat(), "Grey.");
}
