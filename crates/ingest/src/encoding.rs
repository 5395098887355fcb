//! Bytes of unknown encoding to text.
//!
//! In order: a byte order mark (UTF-8, UTF-16, UTF-32); valid UTF-8; UTF-16 and UTF-32 without a mark, told
//! by where the zero bytes are; mostly valid UTF-8, read with replacement characters; else a legacy encoding
//! guessed by chardetng (the detector of Firefox) from the first mebibyte.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Most bytes shown to the detector.
const GUESS_BYTES: usize = 1 << 20;

/// Text with the encoding it was in.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded<'a> {
    /// The text without a byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// Lower-case name of the encoding (`utf-8`, `windows-1252`).
    pub(crate) encoding: String,
    /// How many sequences of bytes meant nothing in it and became U+FFFD.
    pub(crate) replaced: usize,
}

/// Decodes `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Some((wide, big, mark)) = utf32_mark(bytes) {
        return utf32(&wide[mark..], big);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(encoding, &bytes[mark..]);
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => match wide_without_mark(bytes) {
            Some(wide) => return wide,
            None => return Decoded { text: Cow::Borrowed(text), encoding: "utf-8".into(), replaced: 0 },
        },
        Err(error) => error,
    };
    // A file cut in the middle of its last character.
    if error.error_len().is_none() && error.valid_up_to() > 0 {
        return with(UTF_8, bytes);
    }
    if let Some(wide) = wide_without_mark(bytes) {
        return wide;
    }
    if is_mostly_utf8(bytes) {
        return with(UTF_8, bytes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(GUESS_BYTES)], true);
    with(detector.guess(None, Utf8Detection::Deny), bytes)
}

/// Decodes `bytes` as the encoding called `label` (a name of the WHATWG Encoding Standard), unless they begin
/// with a byte order mark; `None` when there is no such encoding.
pub(crate) fn decode_as<'a>(label: &str, bytes: &'a [u8]) -> Option<Decoded<'a>> {
    if utf32_mark(bytes).is_some() || Encoding::for_bom(bytes).is_some() {
        return Some(decode(bytes));
    }
    Some(with(Encoding::for_label(label.as_bytes())?, bytes))
}

/// Whether the beginning of `bytes` can be text in some encoding: few control characters, or wide characters.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8192)];
    if utf32_mark(head).is_some() || Encoding::for_bom(head).is_some() || wide_without_mark(head).is_some() {
        return true;
    }
    let control = head.iter().filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B | 0x08));
    control.count() * 50 <= head.len()
}

/// Whether `bytes` are UTF-16 or UTF-32 without a byte order mark.
pub(crate) fn is_wide(bytes: &[u8]) -> bool {
    wide_without_mark(bytes).is_some_and(|d| d.replaced == 0 && !d.text.contains('\0'))
}

/// Whether `bytes` are UTF-16, with a byte order mark or without.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    let mark = Encoding::for_bom(bytes).is_some_and(|(encoding, _)| encoding != UTF_8);
    utf32_mark(bytes).is_none() && (mark || is_wide(bytes))
}

fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Decoded<'a> {
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    let replaced = if had_errors { text.matches('\u{FFFD}').count().max(1) } else { 0 };
    Decoded { text, encoding: encoding.name().to_ascii_lowercase(), replaced }
}

/// Whether the bytes that are not ASCII are UTF-8 for the most part: then the rest is damage.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > 2 * bad
}

/// UTF-16 or UTF-32 without a mark: Latin letters, digits and spaces have zero bytes at regular places.
fn wide_without_mark(bytes: &[u8]) -> Option<Decoded<'_>> {
    let head = &bytes[..bytes.len().min(4096) / 4 * 4];
    if head.len() < 8 {
        return None;
    }
    let mut zeros = [0usize; 4];
    for (i, _) in head.iter().enumerate().filter(|&(_, &b)| b == 0) {
        zeros[i % 4] += 1;
    }
    let quarter = head.len() / 4;
    let (most, few) = (quarter * 7 / 10, quarter / 20);
    match zeros {
        [a, b, c, d] if a <= few && b.min(c).min(d) >= most => Some(utf32(bytes, false)),
        [a, b, c, d] if d <= few && a.min(b).min(c) >= most => Some(utf32(bytes, true)),
        [a, b, c, d] if a.max(c) <= few && b.min(d) >= most => Some(with(UTF_16LE, bytes)),
        [a, b, c, d] if b.max(d) <= few && a.min(c) >= most => Some(with(UTF_16BE, bytes)),
        _ => None,
    }
}

/// The bytes, their order and the length of the mark, when they begin with that of UTF-32.
fn utf32_mark(bytes: &[u8]) -> Option<(&[u8], bool, usize)> {
    // FF FE 00 00 is also UTF-16 with a zero character, which no text begins with.
    let big = bytes.starts_with(&[0, 0, 0xFE, 0xFF]);
    (big || bytes.starts_with(&[0xFF, 0xFE, 0, 0])).then_some((bytes, big, 4))
}

fn utf32(bytes: &[u8], big: bool) -> Decoded<'_> {
    let mut replaced = usize::from(!bytes.len().is_multiple_of(4));
    let text: String = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&four| {
            let code = if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
            char::from_u32(code).unwrap_or_else(|| {
                replaced += 1;
                '\u{FFFD}'
            })
        })
        .collect();
    Decoded { text: Cow::Owned(text), encoding: if big { "utf-32be" } else { "utf-32le" }.into(), replaced }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(bytes: &[u8], text: &str, encoding: &str) {
        let decoded = decode(bytes);
        assert_eq!((decoded.text.as_ref(), decoded.encoding.as_str(), decoded.replaced), (text, encoding, 0));
    }

    fn utf16(text: &str, swap: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if swap { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn byte_order_marks_decide_and_are_removed() {
        check(b"\xEF\xBB\xBFcaf\xC3\xA9", "café", "utf-8");
        check(&[&[0xFF, 0xFE][..], &utf16("мир", false)].concat(), "мир", "utf-16le");
        check(&[&[0xFE, 0xFF][..], &utf16("мир", true)].concat(), "мир", "utf-16be");
        let wide: Vec<u8> = "a𝄞".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
        check(&[&[0xFF, 0xFE, 0, 0][..], &wide].concat(), "a𝄞", "utf-32le");
        check(b"\0\0\xFE\xFF\0\0\0a", "a", "utf-32be");
    }

    #[test]
    fn zero_bytes_tell_wide_text_without_mark() {
        let text = "Plain words, as an old editor wrote them.\r\n";
        check(&utf16(text, false), text, "utf-16le");
        check(&utf16(text, true), text, "utf-16be");
        let wide: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
        check(&wide, text, "utf-32be");
        // Zero bytes here and there are just zero bytes.
        check(b"one\0two\0three", "one\0two\0three", "utf-8");
    }

    #[test]
    fn legacy_encodings_are_guessed() {
        let german = "Über die Größe der Bäume läßt sich später noch streiten, meinte der Förster.";
        check(&encoding_rs::WINDOWS_1252.encode(german).0, german, "windows-1252");
        let russian = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.";
        check(&encoding_rs::WINDOWS_1251.encode(russian).0, russian, "windows-1251");
        check(&encoding_rs::KOI8_R.encode(russian).0, russian, "koi8-u");
        let japanese = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。";
        check(&encoding_rs::SHIFT_JIS.encode(japanese).0, japanese, "shift_jis");
        check(&encoding_rs::EUC_JP.encode(japanese).0, japanese, "euc-jp");
        let chinese = "天下大势，分久必合，合久必分。周末七国分争，并入于秦。";
        check(&encoding_rs::GBK.encode(chinese).0, chinese, "gbk");
    }

    #[test]
    fn damaged_utf8_stays_utf8_and_counts_the_damage() {
        let mut bytes = "Größe äöü ÄÖÜ ßßß ëïÿ ñãõ".as_bytes().to_vec();
        bytes.insert(2, 0xFF);
        let decoded = decode(&bytes);
        assert_eq!((decoded.encoding.as_str(), decoded.replaced), ("utf-8", 1));
        let cut = decode("naïve café".as_bytes().split_last().unwrap().1);
        assert_eq!((cut.encoding.as_str(), cut.replaced, cut.text.as_ref()), ("utf-8", 1, "naïve caf\u{FFFD}"));
    }

    #[test]
    fn labels_name_encodings() {
        assert_eq!(decode_as("latin1", b"caf\xE9").unwrap().text, "café");
        // No UTF-7: its text could hide markup from every check.
        assert_eq!(decode_as("utf-7", b"+ADw-a+AD4-"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            decode(&bytes);
        }

        #[test]
        fn text_survives(text in "\\PC{0,100}") {
            prop_assume!(!text.starts_with('\u{FEFF}'));
            let decoded = decode(text.as_bytes());
            prop_assert_eq!(decoded.text.as_ref(), text.as_str());
        }
    }
}
