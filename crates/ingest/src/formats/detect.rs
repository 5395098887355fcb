//! Which format is a file? Content first, then name.
//!
//! 1. Magic bytes or structure that only one format has ([`Sniff::Sure`]).
//! 2. Well-known binary kinds that no format here reads: named, so that the reader knows what to do.
//! 3. A format whose file name or extension fits and whose `sniff` does not object.
//! 4. A format that finds its own marks in the content ([`Sniff::Likely`]).
//! 5. Anything that is text at all is read as plain text.

use super::{FALLBACK, FORMATS, Format, Sniff, format};
use base::{Error, Kind, Result};

/// What a file is.
#[derive(Clone, Copy, Debug)]
pub enum Detected {
    /// Readable.
    Format(&'static Format),
    /// No bytes, or nothing but white space or zero bytes.
    Empty,
    /// Not a text document: an image, a sound, a program. `what` reads like "a PNG image".
    Binary {
        /// What it is, with article.
        what: &'static str,
    },
    /// A document of a kind that is not read.
    Unsupported {
        /// What it is, with article.
        what: &'static str,
        /// What the user can do.
        hint: &'static str,
    },
    /// Bytes that are neither text nor a known binary kind.
    Unknown,
}

impl Detected {
    /// The format, or an error that says why there is none; `name` is the file's.
    pub fn format(self, name: &str) -> Result<&'static Format> {
        match self {
            Detected::Format(format) => Ok(format),
            Detected::Empty => Err(Error::new(Kind::BadInput, format!("reading {name}: the file is empty"))),
            Detected::Binary { what } => {
                let text = format!("reading {name}: it is {what}, which has no text to index");
                Err(Error::new(Kind::Unsupported, text))
            }
            Detected::Unsupported { what, hint } => {
                let text = format!("reading {name}: it is {what}, which is not supported");
                Err(Error::new(Kind::Unsupported, text).hint(hint))
            }
            Detected::Unknown => {
                let text = format!("reading {name}: its bytes are neither text nor a known document format");
                Err(Error::new(Kind::Unsupported, text).hint("convert it to text, PDF or an Office format first"))
            }
        }
    }
}

/// How many bytes are looked at to tell text from binary.
const HEAD_BYTES: usize = 8192;

/// What the file called `name` (without folders) with the content `bytes` is.
pub fn detect(name: &str, bytes: &[u8]) -> Detected {
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        return Detected::Empty;
    }
    let sniffed: Vec<(&'static Format, Sniff)> = FORMATS.iter().map(|f| (*f, (f.sniff)(bytes, name))).collect();
    if let Some((format, _)) = sniffed.iter().find(|(_, s)| *s == Sniff::Sure) {
        return Detected::Format(format);
    }
    if let Some(known) = known_binary(name, bytes) {
        return known;
    }
    let lower = name.to_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, e)| e);
    let possible = || sniffed.iter().filter(|(_, s)| *s != Sniff::No);
    let by_name = possible()
        .find(|(f, _)| f.file_names.iter().any(|n| n.to_lowercase() == lower))
        .or_else(|| possible().find(|(f, _)| f.extensions.contains(&extension)));
    if let Some((format, _)) = by_name {
        return Detected::Format(format);
    }
    if let Some((format, _)) = sniffed.iter().find(|(_, s)| *s == Sniff::Likely) {
        return Detected::Format(format);
    }
    match format(FALLBACK) {
        Some(plain) if looks_like_text(bytes) => Detected::Format(plain),
        _ => Detected::Unknown,
    }
}

/// Whether the beginning of `bytes` can be text in some encoding: UTF-16 with a byte order mark, or no zero
/// bytes and few control characters.
pub fn looks_like_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return true;
    }
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let control =
        head.iter().filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B | 0x08)).count();
    !head.contains(&0) && control * 50 <= head.len()
}

const SAVE_AS: &str = "open it in the program that wrote it and save it as a current format (DOCX, PPTX, PDF)";
const UNPACK: &str = "unpack it and index the folder";

/// Names the binary kinds that no format reads.
fn known_binary(name: &str, bytes: &[u8]) -> Option<Detected> {
    let unsupported = |what, hint| Some(Detected::Unsupported { what, hint });
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        let (what, hint) = compound_file(name, bytes);
        return unsupported(what, hint);
    }
    if bytes.starts_with(b"%PDF-") {
        return unsupported("a PDF file", "this build left PDF out; build with the cargo feature `pdf`");
    }
    let kind = infer::get(&bytes[..bytes.len().min(HEAD_BYTES)])?;
    let binary = |what| Some(Detected::Binary { what });
    use infer::MatcherType as M;
    match (kind.matcher_type(), kind.extension()) {
        (M::Image, "png") => binary("a PNG image"),
        (M::Image, "jpg") => binary("a JPEG image"),
        (M::Image, "gif") => binary("a GIF image"),
        (M::Image, "tif") => binary("a TIFF image"),
        (M::Image, "webp") => binary("a WebP image"),
        (M::Image, "bmp") => binary("a BMP image"),
        (M::Image, "heif") => binary("a HEIF image"),
        (M::Image, _) => binary("an image"),
        (M::Audio, _) => binary("an audio recording"),
        (M::Video, _) => binary("a video"),
        (M::Font, _) => binary("a font"),
        (M::App, "sqlite") => binary("an SQLite database"),
        (M::App, "wasm") => binary("a WebAssembly program"),
        (M::App, "elf" | "exe" | "dll" | "mach" | "class" | "dey" | "dex") => binary("a compiled program"),
        (M::Archive, "zip") => unsupported("a ZIP archive", UNPACK),
        (M::Archive, "gz" | "bz2" | "xz" | "zst" | "lz4" | "Z") => unsupported("a compressed file", UNPACK),
        (M::Archive, "tar" | "7z" | "rar" | "cab" | "ar") => unsupported("an archive", UNPACK),
        (M::Book, "mobi") => unsupported("a Mobipocket e-book", "convert it to EPUB"),
        (M::Archive | M::App, _) if !looks_like_text(bytes) => binary("a binary file"),
        _ => None,
    }
}

/// Names the document inside an OLE compound file (MS-CFB) by its streams' names.
fn compound_file(name: &str, bytes: &[u8]) -> (&'static str, &'static str) {
    let lower = name.to_lowercase();
    let has = |stream: &str| has_stream(bytes, stream);
    if has("EncryptedPackage") {
        ("a password-protected Office document", "remove the password and save it again")
    } else if has("__properties_version1.0") || lower.ends_with(".msg") {
        ("an Outlook message (.msg)", "save it from Outlook as .eml or .txt")
    } else if has("WordDocument") {
        ("a Word 97-2003 document (.doc)", SAVE_AS)
    } else if has("PowerPoint Document") {
        ("a PowerPoint 97-2003 presentation (.ppt)", SAVE_AS)
    } else {
        ("an old OLE compound file", SAVE_AS)
    }
}

/// Whether an OLE compound file names a stream `stream` (UTF-16LE, in a directory entry).
pub(crate) fn has_stream(bytes: &[u8], stream: &str) -> bool {
    let mut wide: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // A directory entry is 128 bytes, aligned, and starts with the name and two zero bytes.
    wide.extend([0, 0]);
    bytes.chunks_exact(128).any(|entry| entry.starts_with(&wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_binary_and_old_documents_are_named() {
        for empty in [&b""[..], b" ", b"\n\r\n\t", &[0; 4096]] {
            assert!(matches!(detect("a.txt", empty), Detected::Empty));
        }
        let what = |name, bytes: &[u8]| match detect(name, bytes) {
            Detected::Binary { what } | Detected::Unsupported { what, .. } => what,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(what("a.md", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"), "a JPEG image");
        assert_eq!(what("a", &[&b"\x7FELF\x02\x01\x01"[..], &[0; 60]].concat()), "a compiled program");
        assert_eq!(what("a.gz", b"\x1F\x8B\x08\0\0\0\0\0"), "a compressed file");
        let mut ole = vec![0u8; 1024];
        ole[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
        assert_eq!(what("x.bin", &ole), "an old OLE compound file");
        let stream: Vec<u8> = "WordDocument".encode_utf16().flat_map(u16::to_le_bytes).collect();
        ole[640..640 + stream.len()].copy_from_slice(&stream);
        assert_eq!(what("x.bin", &ole), "a Word 97-2003 document (.doc)");
        assert!(matches!(detect("x.bin", &[1, 2, 3, 0, 255, 254, 7, 9]), Detected::Unknown));
    }

    #[test]
    fn errors_name_file_and_reason() {
        let error = detect("old.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").format("old.doc").unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.what().contains("old.doc"), "{error:?}");
        assert!(error.hint_line().is_some());
        assert_eq!(detect("a", b"").format("a").unwrap_err().what(), "reading a: the file is empty");
    }

    #[test]
    fn text_is_told_from_binary() {
        assert!(looks_like_text("Grüße, мир\n".as_bytes()));
        assert!(looks_like_text(b"Gr\xFC\xDFe in Latin-1"));
        assert!(looks_like_text(b"\xFF\xFEa\0b\0"));
        assert!(!looks_like_text(b"\x01\x02\x03\x04\x05\x06"));
        assert!(!looks_like_text(b"abc\0def"));
    }
}
