//! Files made to hurt: bombs, lies, traps. Each must cost little and open nothing.

use base::{Kind, Limits};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn docx(document: &str) -> Vec<u8> {
    zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", document.as_bytes())])
}

#[test]
fn a_container_that_unpacks_without_end_is_refused() {
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    let zeros = vec![b' '; 8 << 20];
    for (name, part) in
        [("a.docx", "word/document.xml"), ("a.pptx", "ppt/presentation.xml"), ("a.xlsx", "xl/workbook.xml")]
    {
        let bytes = zipped(&[("[Content_Types].xml", b"<Types/>"), (part, &zeros)]);
        assert!(bytes.len() < 100_000);
        let error = ingest::extract(name, &bytes, &limits).unwrap_err();
        assert_eq!(error.kind(), Kind::BadInput, "{error:?}");
        assert!(error.what().contains("limit"), "{error:?}");
    }
}

#[test]
fn too_many_entries_are_refused() {
    let names: Vec<String> = (0..300).map(|i| format!("word/{i}.xml")).collect();
    let mut entries: Vec<(&str, &[u8])> = vec![("word/document.xml", b"<w/>")];
    entries.extend(names.iter().map(|n| (n.as_str(), &b""[..])));
    let limits = Limits { entries_max: 200, ..Limits::default() };
    let error = ingest::extract("a.docx", &zipped(&entries), &limits).unwrap_err();
    assert!(error.what().contains("entries"), "{error:?}");
}

#[test]
fn entities_are_neither_expanded_nor_fetched() {
    let mut laughs = String::from("<!DOCTYPE d [<!ENTITY e0 \"ha\">");
    for i in 1..30 {
        laughs.push_str(&format!("<!ENTITY e{i} \"&e{0};&e{0};\">", i - 1));
    }
    laughs.push_str("<!ENTITY f SYSTEM \"file:///etc/hostname\"><!ENTITY h SYSTEM \"http://127.0.0.1:9/x\">]>");
    laughs.push_str("<document><body><p><r><t>before &e29; &f; &h; after</t></r></p></body></document>");
    let document = ingest::extract("a.docx", &docx(&laughs), &Limits::default()).unwrap();
    assert_eq!(document.text, "before after");
}

#[test]
fn deep_and_long_inputs_stay_linear() {
    let deep = format!("<document><body>{}<p><r><t>x</t></r></p>", "<sdt>".repeat(50_000));
    assert!(ingest::extract("a.docx", &docx(&deep), &Limits::default()).is_ok());
    let attributes: String = (0..20_000).map(|i| format!(" a{i}=\"1\"")).collect();
    let wide = format!("<document><body><p{attributes}><r><t>x</t></r></p></body></document>");
    assert_eq!(ingest::extract("a.docx", &docx(&wide), &Limits::default()).unwrap().text, "x");
    let page = format!("<html><body>{}<p>end</p>", "<b><i><table><tr><td>".repeat(3_000));
    assert!(ingest::extract("a.html", page.as_bytes(), &Limits::default()).unwrap().text.contains("end"));
    let rtf = format!("{{\\rtf1 {}end}}", "{\\b ".repeat(200_000));
    assert!(ingest::extract("a.rtf", rtf.as_bytes(), &Limits::default()).unwrap().text.contains("end"));
    let mail = format!("From: a@b\nTo: c@d\nSubject: {}\nDate: x\n\nend", "x ".repeat(200_000));
    assert!(ingest::extract("a.eml", mail.as_bytes(), &Limits::default()).unwrap().text.ends_with("end"));
}

#[test]
fn messages_in_messages_end() {
    let mut message = String::from("From: a@b\nSubject: inner\nDate: Fri, 2 Jan 2026 09:30:00 +0000\n\nbottom\n");
    for depth in 0..40 {
        message = format!(
            "From: a@b\nSubject: level {depth}\nDate: Fri, 2 Jan 2026 09:30:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\nContent-Type: message/rfc822\n\n{message}\n--b{depth}--\n"
        );
    }
    let document = ingest::extract("a.eml", message.as_bytes(), &Limits::default()).unwrap();
    assert!(document.blocks.len() < 20);
    assert!(document.text.contains("level 39"));
}
