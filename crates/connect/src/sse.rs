//! Server-sent events, the line protocol in which chat servers stream (WHATWG HTML, section 9.2).
//!
//! The parser works on bytes, so a character, a line end or an event may be split anywhere. Where servers
//! in the field bend the standard, so does the parser: the last event counts although no empty line ends it,
//! and a bare line of JSON is taken for an event.

/// Longest event accepted, bytes. Real ones have a few hundred.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The event's type; empty unless the server names one.
    pub name: String,
    /// The `data` lines joined by line feeds. Bytes that are not UTF-8 become U+FFFD.
    pub data: String,
}

/// An event grew beyond [`EVENT_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Bytes in, events out.
#[derive(Debug, Default)]
pub(crate) struct SseParser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    after_cr: bool,
    past_first_line: bool,
}

impl SseParser {
    /// Reads `bytes` and appends the events that they complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), TooLong> {
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => self.end_line(out),
                _ if self.line.len() + self.event.data.len() >= EVENT_BYTES_MAX => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    /// The stream ended: what is pending is an event too.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if !self.line.is_empty() {
            self.end_line(out);
        }
        self.dispatch(out);
    }

    fn end_line(&mut self, out: &mut Vec<Event>) {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let mut line = line.as_ref();
        if !std::mem::replace(&mut self.past_first_line, true) {
            line = line.strip_prefix('\u{FEFF}').unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(out);
        }
        if line.starts_with('{') {
            self.dispatch(out);
            out.push(Event { name: String::new(), data: line.to_owned() });
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.event.name),
            // Comments (an empty field), `id`, `retry` and unknown fields say nothing to us.
            _ => {}
        }
    }

    fn dispatch(&mut self, out: &mut Vec<Event>) {
        let event = std::mem::take(&mut self.event);
        if std::mem::take(&mut self.has_data) {
            out.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = SseParser::default();
        let mut out = Vec::new();
        for piece in pieces {
            parser.push(piece, &mut out).unwrap();
        }
        parser.finish(&mut out);
        out.into_iter().map(|e| if e.name.is_empty() { e.data } else { format!("{}!{}", e.name, e.data) }).collect()
    }

    #[test]
    fn table() {
        let cases: &[(&str, &[&str])] = &[
            ("data: a\n\ndata: b\n\n", &["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            (": comment\n\n:\n\ndata:a\n\n", &["a"]),
            ("data: a\ndata: b\n\n", &["a\nb"]),
            ("data:  two spaces\n\n", &[" two spaces"]),
            ("event: error\nid: 7\nretry: 10\ndata: x\n\n", &["error!x"]),
            ("event: ping\n\ndata: y\n\n", &["y"]),
            ("data: no end", &["no end"]),
            ("data\n\n", &[""]),
            ("\u{FEFF}data: bom\n\n", &["bom"]),
            ("{\"error\":1}\n", &["{\"error\":1}"]),
            ("data: a\n{\"b\":1}\n\n", &["a", "{\"b\":1}"]),
            ("nonsense\n\n", &[]),
            ("", &[]),
        ];
        for (input, expected) in cases {
            assert_eq!(parse(&[input.as_bytes()]), *expected, "{input:?}");
        }
    }

    #[test]
    fn any_split_gives_the_same_events() {
        let stream =
            "\u{FEFF}: hi\r\ndata: {\"a\":\"häß 漢字 😀\"}\r\n\r\nevent: x\rdata: 1\ndata: 2\n\ndata: [DONE]\n\n";
        let whole = parse(&[stream.as_bytes()]);
        assert_eq!(whole, ["{\"a\":\"häß 漢字 😀\"}", "x!1\n2", "[DONE]"]);
        for cut in 0..=stream.len() {
            let (a, b) = stream.as_bytes().split_at(cut);
            assert_eq!(parse(&[a, b]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(parse(&bytes), whole);
    }

    #[test]
    fn broken_utf8_is_marked_not_fatal() {
        assert_eq!(parse(&[b"data: a\xFF\xC3b\n\n"]), ["a\u{FFFD}\u{FFFD}b"]);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut parser = SseParser::default();
        let mut out = Vec::new();
        assert_eq!(parser.push(&vec![b'x'; EVENT_BYTES_MAX + 1], &mut out), Err(TooLong));
    }
}
