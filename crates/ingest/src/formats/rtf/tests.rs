use super::*;
use base::Limits;

fn read(rtf: &str) -> Document {
    Rtf.extract(Input { name: "a.rtf", bytes: rtf.as_bytes(), limits: &Limits::default() }).unwrap()
}

#[test]
fn characters_in_code_pages_and_unicode() {
    let text = |rtf| read(rtf).text;
    assert_eq!(
        text(r"{\rtf1\ansi\ansicpg1252 caf\'e9 \u8364? \u-10179?\u-8704? \ldblquote x\rdblquote}"),
        "café € 😀 “x”"
    );
    assert_eq!(text(r"{\rtf1\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}"), "Привет");
    assert_eq!(
        text(r"{\rtf1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 Mincho;}}\f1\'93\'fa\'96\'7b\f0  ok}"),
        "日本 ok"
    );
    assert_eq!(text(r"{\rtf1\uc2\u233ab\uc0\u233 x}"), "ééx");
}

#[test]
fn headings_tables_notes_and_hidden_text() {
    let d = read(
        r"{\rtf1{\info{\title The title}}{\stylesheet{\s1 heading 1;}{\s2 Normal;}}{\*\generator x;}{\pict 0a0b}
\pard\s1 One\par\pard Two{\footnote three} four{\v hidden}\par
\trowd\pard\intbl a\cell b\cell\row\trowd\intbl c\cell d\cell\row\pard end\par}",
    );
    let shown: Vec<String> = d.blocks.iter().map(|b| format!("{:?}: {}", b.kind, d.block_text(b))).collect();
    assert_eq!(
        shown,
        ["Heading { level: 1 }: One", "Note: three", "Paragraph: Two four", "Table: a | b\nc | d", "Paragraph: end"]
    );
    assert_eq!(d.title.as_deref(), Some("The title"));
}

#[test]
fn damaged_files_give_what_is_there() {
    assert_eq!(read(r"{\rtf1 kept {\b and").warnings.len(), 1);
    assert_eq!(read(&format!("{{\\rtf1 {}x", "{".repeat(100_000))).text, "x");
    assert_eq!(read(r"{\rtf1 \bin99999999 x").text, "");
}
