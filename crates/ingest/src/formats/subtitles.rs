//! Subtitles: SubRip (`.srt`) and WebVTT (`.vtt`).
//!
//! Cues are a few words each; they are joined into stretches of a few sentences, broken at a change of
//! speaker or a pause. A block's address is the time from its first to its last cue.

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::Text;
use base::{BlockKind, Document, DocumentBuilder, Extractor, Input, Locator, Place, Result};

pub static FORMAT: Format = Format {
    name: "subtitles",
    about: "SubRip and WebVTT subtitles and transcripts, with times",
    extensions: &["srt", "vtt", "sbv"],
    file_names: &[],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).starts_with(b"WEBVTT") => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &Subtitles,
};

/// A stretch ends with a sentence once it is this long, bytes.
const STRETCH_BYTES: usize = 240;
/// A stretch ends at any cue once it is this long, bytes.
const STRETCH_BYTES_MAX: usize = 700;
/// A pause this long ends a stretch, milliseconds.
const PAUSE_MS: u64 = 4000;

struct Subtitles;

impl Extractor for Subtitles {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let mut builder = DocumentBuilder::new(FORMAT.name);
        let mut notes = Notes::default();
        let cues = cues(&text.text, &mut notes);
        join(&cues, &mut builder);
        let made = builder.finish();
        let mut document = text.document(FORMAT.name, None, Vec::new());
        document.text = made.text;
        document.blocks = made.blocks;
        document.warnings.extend(notes.warnings());
        Ok(document)
    }
}

struct Cue {
    start: u64,
    end: u64,
    speaker: String,
    text: String,
}

#[derive(Default)]
struct Notes {
    negative: usize,
    reversed: usize,
    unordered: usize,
    unreadable: usize,
}

impl Notes {
    fn warnings(self) -> Vec<String> {
        let found = [
            (self.negative, "cues begin before zero; their times were set to zero"),
            (self.reversed, "cues end before they begin; their ends were set to their beginnings"),
            (self.unordered, "cues begin before the one above them"),
            (self.unreadable, "times cannot be read; their cues have the time of the one above"),
        ];
        found.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect()
    }
}

/// The cues in the order of the file.
fn cues(text: &str, notes: &mut Notes) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    let mut lines = text.lines().peekable();
    // Whether the lines belong to a cue; outside they are numbers, names, notes and styles.
    let mut inside = false;
    let mut last_line = String::new();
    while let Some(line) = lines.next() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if let Some((start, end)) = times(line, notes) {
            let (before, until) = cues.last().map_or((0, 0), |c| (c.start, c.end));
            let start = start.unwrap_or(until);
            notes.unordered += usize::from(start < before);
            let end = end.unwrap_or(start);
            notes.reversed += usize::from(end < start);
            cues.push(Cue { start, end: end.max(start), speaker: String::new(), text: String::new() });
            inside = true;
            continue;
        }
        if line.is_empty() {
            inside = false;
            continue;
        }
        // The number of the next cue right below the text, where the blank line is missing.
        let number = line.bytes().all(|b| b.is_ascii_digit());
        let next_is_time = lines.peek().is_some_and(|l| l.contains("-->"));
        if !inside || number && next_is_time {
            continue;
        }
        let (speaker, words) = plain(line);
        // Rolling captions show each line twice.
        if words.is_empty() || words == last_line {
            continue;
        }
        if let Some(cue) = cues.last_mut() {
            if !speaker.is_empty() {
                cue.speaker = speaker;
            }
            if !cue.text.is_empty() {
                cue.text.push(' ');
            }
            cue.text.push_str(&words);
        }
        last_line = words;
    }
    cues.retain(|c| !c.text.is_empty());
    cues
}

/// The two times of a timing line (`-->`, or YouTube's `0:00:01.000,0:00:03.000`); `None` for a time that
/// cannot be read.
fn times(line: &str, notes: &mut Notes) -> Option<(Option<u64>, Option<u64>)> {
    let (start, end) = match line.split_once("-->") {
        Some(pair) => pair,
        None => {
            let (start, end) = line.split_once(',')?;
            let clock =
                |s: &str| s.len() > 8 && s.contains('.') && s.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b));
            if !(clock(start) && clock(end)) {
                return None;
            }
            (start, end)
        }
    };
    let end = end.split_whitespace().next().unwrap_or("");
    let mut read = |s: &str| {
        let time = milliseconds(s);
        match time {
            Some(t) if t < 0 => notes.negative += 1,
            None => notes.unreadable += 1,
            _ => {}
        }
        time.map(|t| t.max(0) as u64)
    };
    Some((read(start.trim()), read(end)))
}

/// `[-][h:]m:s[.,]ms` in milliseconds.
fn milliseconds(clock: &str) -> Option<i64> {
    let (negative, clock) = match clock.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (clock.contains(":-"), clock),
    };
    let (whole, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let mut seconds: i64 = 0;
    let parts: Vec<&str> = whole.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    for part in parts {
        let part: i64 = part.trim_start_matches('-').trim().parse::<u32>().ok()?.into();
        seconds = seconds.checked_mul(60)?.checked_add(part)?;
    }
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).chain("000".chars()).take(3).collect();
    let total = seconds.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    Some(if negative { -total } else { total })
}

/// The speaker (`<v Ann>`) and the words of a line, without tags and positions.
fn plain(line: &str) -> (String, String) {
    let mut words = String::with_capacity(line.len());
    let mut speaker = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{']) {
        words.push_str(&rest[..at]);
        let close = if rest[at..].starts_with('<') { '>' } else { '}' };
        let Some(end) = rest[at..].find(close) else {
            words.push_str(&rest[at..]);
            rest = "";
            break;
        };
        let tag = &rest[at + 1..at + end];
        let braced = close == '}' && !tag.starts_with('\\');
        if let Some(name) = tag.strip_prefix("v ").or_else(|| tag.strip_prefix("v.")) {
            speaker = name.trim().to_owned();
        } else if braced {
            words.push_str(&rest[at..=at + end]);
        }
        rest = &rest[at + end + 1..];
    }
    words.push_str(rest);
    let words = words.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    (speaker, words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Joins cues into stretches.
fn join(cues: &[Cue], builder: &mut DocumentBuilder) {
    let mut text = String::new();
    let mut span = (0, 0);
    let mut speaker = "";
    let flush = |text: &mut String, span: (u64, u64), builder: &mut DocumentBuilder| {
        builder.block(BlockKind::Speech, Locator::at(Place::Time(span.0, span.1)), text);
        text.clear();
    };
    for cue in cues {
        let other = !cue.speaker.is_empty() && cue.speaker != speaker;
        let ended = text.ends_with(['.', '!', '?', '…', '"', '”', '。', '？', '！']);
        let full = text.len() >= STRETCH_BYTES && ended || text.len() + cue.text.len() > STRETCH_BYTES_MAX;
        if !text.is_empty() && (other || full || cue.start > span.1 + PAUSE_MS) {
            flush(&mut text, span, builder);
        }
        if text.is_empty() {
            span = (cue.start, cue.end);
            let named = if cue.speaker.is_empty() { speaker } else { cue.speaker.as_str() };
            if !named.is_empty() {
                text.push_str(named);
                text.push_str(": ");
            }
        } else {
            text.push(' ');
        }
        if !cue.speaker.is_empty() {
            speaker = &cue.speaker;
        }
        text.push_str(&cue.text);
        span = (span.0.min(cue.start), span.1.max(cue.end));
    }
    flush(&mut text, span, builder);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn cues_become_stretches_with_times() {
        let text = "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>We walked</i>\r\nalong the river.\r\n\r\n2\r\n00:00:02,600 --> 00:00:04,000\r\n{\\an8}It was cold.\r\n\r\n3\r\n00:01:00,000 --> 00:01:02,000\r\nLater.\r\n";
        assert_eq!(
            outline(&extract(&FORMAT, "a.srt", text.as_bytes())),
            [
                "speech 00:00:01.000-00:00:04.000: We walked along the river. It was cold.",
                "speech 00:01:00.000-00:01:02.000: Later.",
            ]
        );
    }

    #[test]
    fn speakers_and_notes_of_vtt() {
        let text = "WEBVTT - title\n\nNOTE hidden\nwords\n\nSTYLE\n::cue {}\n\nintro\n00:01.000 --> 00:02.000 align:start\n<v Ann>Hello &amp; welcome.\n\n00:02.000 --> 00:03.000\n<v Bob>Hi.\n\n00:03.000 --> 00:04.000\nHi.\n";
        assert_eq!(
            outline(&extract(&FORMAT, "a.vtt", text.as_bytes())),
            ["speech 00:00:01.000-00:00:02.000: Ann: Hello & welcome.", "speech 00:00:02.000-00:00:03.000: Bob: Hi."]
        );
    }

    #[test]
    fn odd_times_are_clamped_and_noted() {
        let text = "1\n-00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:09,000 --> 00:00:03,000\nb\n\n3\n00:00:05,000 --> 00:00:06,000\nc\n\n4\nxx --> yy\nd\n\n5\n99999999999:00:00,0 --> 00:00:01,0\ne\n";
        let document = extract(&FORMAT, "a.srt", text.as_bytes());
        assert_eq!(document.warnings.len(), 4, "{:?}", document.warnings);
        let words: String = document.text.split_whitespace().collect();
        assert_eq!(words, "abcde");
        for block in &document.blocks {
            let Some(Place::Time(start, end)) = block.locator.0.first() else { panic!() };
            assert!(start <= end);
        }
    }

    #[test]
    fn many_cues() {
        let text = "00:00:01,000 --> 00:00:02,000\nword here.\nand more\n\n".repeat(30_000);
        assert!(extract(&FORMAT, "a.srt", text.as_bytes()).blocks.len() > 500);
    }
}
