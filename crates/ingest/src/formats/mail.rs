//! E-mail (RFC 5322, MIME) and mailboxes (RFC 4155): headers, the text that a reader sees, attachments.
//!
//! Of alternatives the plain text is taken, of HTML-only messages the whole body. Attachments are read by their
//! own format, messages in messages to a bounded depth; what cannot be read is named in a warning.

use super::clean::collapsed;
use super::{Format, Sniff, extract_as, html};
use crate::encoding;
use base::{BlockKind, Document, DocumentBuilder, Error, Extractor, Input, Kind, Locator, Place, Result};
use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

/// Single messages.
pub static EML: Format = Format {
    name: "email",
    about: "e-mail messages (EML): headers, text, attachments",
    extensions: &["eml", "emlx", "mht", "mhtml"],
    file_names: &[],
    sniff: |bytes, _| {
        if is_message(bytes) {
            Sniff::Likely
        } else if crate::encoding::is_text(bytes) {
            Sniff::Maybe
        } else {
            Sniff::No
        }
    },
    trusted: false,
    extractor: &Single,
};

/// Mailboxes.
pub static MBOX: Format = Format {
    name: "mbox",
    about: "mailboxes (MBOX): every message with its attachments",
    extensions: &["mbox", "mbx"],
    file_names: &[],
    sniff: |bytes, _| match bytes
        .strip_prefix(b"From ")
        .and_then(|rest| rest.iter().position(|b| *b == b'\n').map(|end| &rest[end + 1..]))
    {
        Some(rest) if is_message(rest) => Sniff::Sure,
        _ => Sniff::Maybe,
    },
    trusted: false,
    extractor: &Mailbox,
};

/// Messages in messages are read this deep.
const DEPTH_MAX: usize = 4;
/// Most attachments read of one message.
const ATTACHMENTS_MAX: usize = 200;

struct Single;
struct Mailbox;

/// Whether text begins with the header of a message: at least three well-known fields before the first blank
/// line, and nothing else.
fn is_message(bytes: &[u8]) -> bool {
    const KNOWN: [&str; 12] = [
        "from",
        "to",
        "subject",
        "date",
        "received",
        "return-path",
        "message-id",
        "mime-version",
        "delivered-to",
        "content-type",
        "reply-to",
        "x-mailer",
    ];
    let mut known = 0;
    for line in bytes[..bytes.len().min(8192)].split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { return known >= 3 };
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return false;
        }
        known += usize::from(KNOWN.contains(&name.as_str()));
    }
    known >= 3
}

impl Extractor for Single {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        // Apple Mail puts the number of bytes on a line of its own in front.
        let bytes = match input.bytes.iter().position(|b| *b == b'\n') {
            Some(end) if input.name.to_lowercase().ends_with(".emlx") && end < 20 => &input.bytes[end + 1..],
            _ => input.bytes,
        };
        // A message saved as UTF-16 by an editor: its headers and parts still speak of bytes.
        let narrow = encoding::is_utf16(bytes).then(|| encoding::decode(bytes).text);
        let bytes = narrow.as_ref().map_or(bytes, |text| text.as_bytes());
        let message = MessageParser::default()
            .parse(bytes)
            .filter(|m| !m.headers().is_empty())
            .ok_or_else(|| Error::new(Kind::BadInput, "it has no header of a message"))?;
        let mut builder = DocumentBuilder::new("email");
        builder.title(message.subject().unwrap_or_default());
        if let Some(from) = message.from() {
            builder.metadata("author", &addresses(from));
        }
        if let Some(date) = message.date() {
            builder.metadata("date", &date.to_rfc3339());
        }
        Writer { builder: &mut builder, input }.message(&message, Locator::default(), 0);
        Ok(builder.finish())
    }
}

impl Extractor for Mailbox {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut builder = DocumentBuilder::new("mbox");
        let mut unreadable = 0;
        for (index, item) in MessageIterator::new(input.bytes).enumerate() {
            if index >= input.limits.entries_max || builder.len() > input.limits.text_bytes_max {
                builder.warn(format!("only the first {index} messages were read: the limits were reached"));
                break;
            }
            let Ok(item) = item else { break };
            match MessageParser::default().parse(item.contents()).filter(|m| !m.headers().is_empty()) {
                Some(message) => {
                    let place = Locator::at(Place::Message(index as u32 + 1));
                    Writer { builder: &mut builder, input }.message(&message, place, 0);
                }
                None => unreadable += 1,
            }
        }
        if unreadable > 0 {
            builder.warn(format!("{unreadable} messages have no header and were left out"));
        }
        if builder.is_empty() {
            return Err(Error::new(Kind::BadInput, "it has no message that begins with a line `From `"));
        }
        Ok(builder.finish())
    }
}

struct Writer<'a, 'b> {
    builder: &'a mut DocumentBuilder,
    input: Input<'b>,
}

impl Writer<'_, '_> {
    fn message(&mut self, message: &Message<'_>, place: Locator, depth: usize) {
        let subject = collapsed(message.subject().unwrap_or_default());
        let date = message.date().map(|d| d.to_rfc3339()).unwrap_or_default();
        let list = |a: Option<&Address<'_>>| a.map(addresses).unwrap_or_default();
        let facts = [
            ("Subject", subject),
            ("From", list(message.from())),
            ("To", list(message.to())),
            ("Cc", list(message.cc())),
            ("Date", date),
        ];
        let header: Vec<String> = facts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        self.builder.block(BlockKind::Metadata, place.clone(), &header.join("\n"));
        let mut paragraph = 0;
        for part in message.text_bodies() {
            match &part.body {
                PartType::Text(text) => self.plain(text, &place, &mut paragraph),
                PartType::Html(page) if html::is_parsable(page) => html::write_part(page, place.clone(), self.builder),
                PartType::Html(page) => {
                    self.builder.warn("the body is nested too deeply: only its bare text was read");
                    self.plain(&html::bare_text(page), &place, &mut paragraph);
                }
                _ => {}
            }
        }
        for (index, part) in message.attachments().enumerate() {
            if index >= ATTACHMENTS_MAX {
                self.builder.warn(format!("only the first {ATTACHMENTS_MAX} attachments were read"));
                break;
            }
            let name = part.attachment_name().map_or_else(|| format!("attachment {}", index + 1), collapsed);
            let place = place.clone().then(Place::Part(name.clone()));
            match &part.body {
                PartType::Message(inner) if depth < DEPTH_MAX => self.message(inner, place, depth + 1),
                PartType::Message(_) => self.builder.warn(format!("the attachment {name} is nested too deeply")),
                // A signature or footer that came as a part of its own.
                PartType::Text(text) if part.attachment_name().is_none() => self.plain(text, &place, &mut paragraph),
                _ => self.attachment(&name, part.contents(), place),
            }
        }
    }

    /// Plain text: paragraphs at blank lines, quoted lines apart.
    fn plain(&mut self, text: &str, place: &Locator, paragraph: &mut u32) {
        let mut open: Vec<String> = Vec::new();
        let mut quoted = false;
        for line in text.lines().chain([""]) {
            let quote = line.starts_with('>');
            let bare = collapsed(line.trim_start_matches(['>', ' ']));
            if (bare.is_empty() || quote != quoted) && !open.is_empty() {
                *paragraph += 1;
                let kind = if quoted { BlockKind::Quote } else { BlockKind::Paragraph };
                self.builder.block(kind, place.clone().then(Place::Paragraph(*paragraph)), &open.join("\n"));
                open.clear();
            }
            quoted = quote;
            if !bare.is_empty() {
                open.push(bare);
            }
        }
    }

    fn attachment(&mut self, name: &str, bytes: &[u8], place: Locator) {
        let left = self.input.limits.text_bytes_max.saturating_sub(self.builder.len());
        let limits = base::Limits { text_bytes_max: left, ..self.input.limits.clone() };
        let outcome = super::detect(name, bytes).format(name).and_then(|format| {
            if [EML.name, MBOX.name].contains(&format.name) {
                return Err(Error::new(Kind::Unsupported, format!("reading {name}: a mailbox inside a message")));
            }
            extract_as(format, name, bytes, &limits)
        });
        match outcome {
            Ok(document) => {
                self.builder.block(BlockKind::Metadata, place.clone(), &format!("Attachment: {name}"));
                for block in &document.blocks {
                    let mut inner = place.clone();
                    inner.0.extend(block.locator.0.iter().cloned());
                    self.builder.block(block.kind.clone(), inner, document.block_text(block));
                }
                for warning in document.warnings {
                    self.builder.warn(format!("attachment {name}: {warning}"));
                }
            }
            Err(error) => self.builder.warn(format!("attachment {name}: {}", error.what())),
        }
    }
}

/// `Ada Lovelace <ada@example.org>, ...`
fn addresses(address: &Address<'_>) -> String {
    let shown = address.iter().take(50).map(|a| match (a.name(), a.address()) {
        (Some(name), Some(address)) if name != address => format!("{} <{address}>", collapsed(name)),
        (Some(name), _) => collapsed(name),
        (None, Some(address)) => address.to_owned(),
        (None, None) => String::new(),
    });
    shown.filter(|a| !a.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    const MESSAGE: &str = "From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nFirst line\r\nsecond.\r\n\r\n> quoted\r\nBye\r\n--x\r\nContent-Type: text/markdown; name=notes.md\r\nContent-Disposition: attachment; filename=notes.md\r\n\r\n# Notes\r\n\r\nAttached text.\r\n--x--\r\n";

    #[test]
    fn headers_text_and_attachments() {
        let document = extract(&EML, "a.eml", MESSAGE.as_bytes());
        let lines = outline(&document);
        assert_eq!(
            lines[0],
            "meta : Subject: Grüße⏎From: Ada <ada@example.org>⏎To: bob@example.org⏎Date: 2026-03-02T10:00:00+01:00"
        );
        assert_eq!(
            lines[1..4],
            ["p paragraph 1: First line⏎second.", "quote paragraph 2: quoted", "p paragraph 3: Bye"]
        );
        assert_eq!(lines[4], "meta part notes.md: Attachment: notes.md");
        assert!(lines.last().unwrap().ends_with("Attached text."), "{lines:?}");
        assert_eq!(document.title.as_deref(), Some("Grüße"));
    }

    /// Such messages once held no text.
    #[test]
    fn messages_saved_as_utf_16_are_read() {
        let wide = |mark: &str, big: bool| -> Vec<u8> {
            let units = mark.encode_utf16().chain(MESSAGE.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let expected = outline(&extract(&EML, "a.eml", MESSAGE.as_bytes()));
        for bytes in [wide("\u{feff}", false), wide("\u{feff}", true), wide("", false)] {
            assert_eq!(outline(&extract(&EML, "a.eml", &bytes)), expected);
        }
    }

    #[test]
    fn mailboxes_count_messages() {
        let mbox = format!(
            "From ada@example.org Mon Mar  2 10:00:00 2026\n{MESSAGE}\nFrom bob@example.org Mon Mar  2 11:00:00 2026\nFrom: bob@example.org\nSubject: Re\nDate: Mon, 2 Mar 2026 11:00:00 +0100\n\nAnswer\n"
        );
        assert_eq!((MBOX.sniff)(mbox.as_bytes(), "x"), Sniff::Sure);
        let lines = outline(&extract(&MBOX, "a.mbox", mbox.as_bytes()));
        assert!(lines.contains(&"p message 2, paragraph 1: Answer".to_owned()), "{lines:?}");
    }

    #[test]
    fn prose_is_not_a_message() {
        assert!(is_message(MESSAGE.as_bytes()));
        assert!(!is_message(b"Dear all: see below\nFrom: here\n\n"));
        assert!(!is_message(b"key: value\nother: value\n\n"));
    }
}
