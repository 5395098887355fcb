use super::*;
use base::{BlockKind, Chunk, Document, DocumentBuilder, Locator, Place, TokenCounter};
use proptest::prelude::*;
use std::ops::Range;

/// Words cut into pieces of four characters; signs stand alone; a word over 100 characters is one token, as
/// WordPiece has it.
struct Pieces;

impl TokenCounter for Pieces {
    fn count(&self, text: &str) -> usize {
        let mut out = Vec::new();
        self.offsets(text, &mut out);
        out.len()
    }

    fn offsets(&self, text: &str, out: &mut Vec<Range<usize>>) {
        let chars: Vec<(usize, char)> = text.char_indices().collect();
        let end_of = |i: usize| chars.get(i).map_or(text.len(), |c| c.0);
        let mut i = 0;
        while i < chars.len() {
            let c = chars[i].1;
            if c.is_whitespace() || c.is_control() {
                i += 1;
            } else if c.is_alphanumeric() {
                let length = chars[i..].iter().take_while(|c| c.1.is_alphanumeric()).count();
                let step = if length > 100 { length } else { 4 };
                for at in (i..i + length).step_by(step) {
                    out.push(chars[at].0..end_of((at + step).min(i + length)));
                }
                i += length;
            } else {
                out.push(chars[i].0..end_of(i + 1));
                i += 1;
            }
        }
    }
}

fn cut(name: &str, options: ChunkOptions, document: &Document) -> Vec<Chunk> {
    let mut out = Vec::new();
    chunker(name, options).unwrap().chunk(document, &Pieces, &mut out).unwrap();
    out
}

fn small(tokens: usize, overlap_tokens: usize) -> ChunkOptions {
    ChunkOptions { tokens, overlap_tokens, window_sentences: 3, overlap_sentences: 1 }
}

/// The contract of [`base::Chunker`], and that no chunk is over the budget but a whole document.
fn check(name: &str, options: ChunkOptions, document: &Document) {
    let chunks = cut(name, options, document);
    assert_eq!(chunks, cut(name, options, document), "{name} is not deterministic");
    let mut covered = vec![false; document.text.len() + 1];
    let mut last = 0;
    for chunk in &chunks {
        let Range { start, end } = chunk.range;
        assert!(start < end && end <= document.text.len(), "{name}: {chunk:?}");
        assert!(document.text.is_char_boundary(start) && document.text.is_char_boundary(end), "{name}: {chunk:?}");
        assert!(start >= last, "{name}: {chunk:?} starts before {last}");
        last = start;
        covered[start..end].fill(true);
        let tokens = Pieces.count(&chunk.context) + Pieces.count(&document.text[start..end]);
        assert!(tokens <= options.tokens || name == "whole", "{name}: {tokens} tokens in {chunk:?}");
        assert_eq!(tokens, chunk.tokens as usize, "{name}: {chunk:?} {:?}", &document.text[start..end]);
        assert!(end - start <= options.tokens * 44 || name == "whole", "{name}: {} bytes", end - start);
    }
    for block in &document.blocks {
        for (i, c) in document.block_text(block).char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            assert!(covered[block.range.start + i], "{name} loses {c:?} at {i} of {block:?}");
        }
    }
}

fn check_all(document: &Document) {
    for entry in CHUNKERS {
        for options in [small(16, 0), small(24, 8), small(60, 20), ChunkOptions::default()] {
            check(entry.name, options, document);
        }
    }
}

fn paper() -> Document {
    let mut b = DocumentBuilder::new("test");
    b.title("Limestone");
    b.block(BlockKind::Heading { level: 1 }, Locator::default(), "Origin");
    let sentence = "Limestone forms in warm shallow seas from the shells of small animals. ";
    b.block(BlockKind::Paragraph, Locator::default(), &sentence.repeat(9));
    b.block(BlockKind::Heading { level: 2 }, Locator::default(), "Age");
    b.block(BlockKind::Paragraph, Locator::default(), "It is old. Most beds are three hundred million years old.");
    b.block(BlockKind::Heading { level: 1 }, Locator::default(), "Use");
    b.block(BlockKind::Paragraph, Locator::default(), &"Builders cut it into blocks for walls and floors. ".repeat(4));
    let rows: Vec<String> = (0..30).map(|i| format!("bed {i} | {} | grey", 300 + i)).collect();
    let table = format!("Name | Age in years | Colour\n{}", rows.join("\n"));
    b.block(BlockKind::Table, Locator::at(Place::Lines(1, 31)), &table);
    b.finish()
}

#[test]
fn structure_follows_headings_and_carries_them() {
    let document = paper();
    check_all(&document);
    let chunks = cut("structure", small(60, 0), &document);
    let text = |c: &Chunk| document.text[c.range.clone()].to_owned();
    assert!(text(&chunks[0]).starts_with("Origin\n\nLimestone forms"));
    assert_eq!(chunks[0].context, "Limestone");
    assert_eq!(chunks[1].context, "Limestone > Origin");
    // The main section begins a chunk, the small one may join what is above it.
    assert!(chunks.iter().any(|c| text(c).starts_with("Use\n\nBuilders")));
    assert!(!chunks.iter().any(|c| text(c).contains("years old.\n\nUse")));
    // Sentences are whole, and no chunk is a leftover.
    let prose: Vec<_> = chunks.iter().filter(|c| !text(c).contains('|')).collect();
    assert!(prose.iter().all(|c| text(c).ends_with('.') && c.tokens > 25), "{prose:#?}");
}

#[test]
fn tables_keep_their_header() {
    let document = paper();
    let chunks = cut("structure", small(60, 0), &document);
    let rows: Vec<&Chunk> = chunks.iter().filter(|c| document.text[c.range.clone()].starts_with("bed")).collect();
    assert!(rows.len() > 3);
    for chunk in rows {
        assert_eq!(chunk.context, "Limestone > Use\nName | Age in years | Colour");
        assert!(document.text[chunk.range.clone()].ends_with("grey"), "a row was cut");
    }
}

#[test]
fn sentences_overlap_as_asked() {
    let document = paper();
    let chunks = cut("structure", small(60, 20), &document);
    let overlaps: Vec<usize> =
        chunks.windows(2).map(|w| w[0].range.end.saturating_sub(w[1].range.start)).filter(|&n| n > 0).collect();
    assert!(!overlaps.is_empty());
    for n in overlaps {
        assert!(n <= "Limestone forms in warm shallow seas from the shells of small animals. ".len());
    }
}

#[test]
fn code_is_cut_at_definitions() {
    let body = "    value = compute(first, second)\n    print(value)\n";
    let functions: Vec<String> = (0..6).map(|i| format!("# Number {i}.\ndef function_{i}(a, b):\n{body}\n")).collect();
    let class =
        format!("class Store:\n    size = 0\n\n{}", "    def put(self, key):\n        self.size += 1\n\n".repeat(8));
    let mut b = DocumentBuilder::new("python");
    let code = BlockKind::Code { language: "python".into() };
    b.block(code, Locator::default(), &(functions.concat() + &class));
    let document = b.finish();
    check_all(&document);
    for name in ["structure", "code"] {
        let chunks = cut(name, small(70, 0), &document);
        for chunk in &chunks {
            let text = &document.text[chunk.range.clone()];
            assert!(text.starts_with("# Number") || text.starts_with("class") || text.starts_with("def put"), "{text}");
            assert_eq!(chunk.context, if text.starts_with("def put") { "class Store" } else { "" });
        }
    }
}

#[test]
fn short_documents_are_one_chunk() {
    let mut b = DocumentBuilder::new("t");
    b.block(BlockKind::Heading { level: 1 }, Locator::default(), "Notes");
    b.block(BlockKind::Paragraph, Locator::default(), "One. Two.");
    b.block(BlockKind::Paragraph, Locator::default(), "Three.");
    let document = b.finish();
    assert_eq!(cut("structure", ChunkOptions::default(), &document).len(), 1);
    assert!(cut("structure", ChunkOptions::default(), &Document::default()).is_empty());
}

#[test]
fn whole_documents_are_one_chunk_however_long() {
    let document = paper();
    let chunks = cut("whole", small(16, 0), &document);
    assert_eq!(chunks.len(), 1);
    assert_eq!(&document.text[chunks[0].range.clone()], document.text.trim());
    assert_eq!(chunks[0].context, "Limestone");
    assert!(chunks[0].tokens > 200);
    let mut blank = DocumentBuilder::new("t");
    blank.block(BlockKind::Paragraph, Locator::default(), " \n\t ");
    assert!(cut("whole", small(16, 0), &blank.finish()).is_empty());
}

#[test]
fn monsters_stay_bounded() {
    for unit in ["a", "ä", "字", " ", "=", "a ", "a\n", "x. ", "\u{301}", "|\n", "{\n  ", "\"\n"] {
        for kind in [BlockKind::Paragraph, BlockKind::Table, BlockKind::Code { language: String::new() }] {
            let text = format!("start {} end", unit.repeat(12_000));
            let mut b = DocumentBuilder::new("t");
            b.block(kind, Locator::default(), &text);
            let document = b.finish();
            for entry in CHUNKERS {
                check(entry.name, ChunkOptions::default(), &document);
            }
        }
    }
}

#[test]
fn wrong_options_and_names_are_refused() {
    let options = ChunkOptions { overlap_tokens: 100, ..ChunkOptions::default() };
    assert_eq!(chunker("structure", options).err().unwrap().kind(), Kind::BadInput);
    let error = chunker("strukture", ChunkOptions::default()).err().unwrap();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.hint_line().unwrap().contains("sentence-window"));
}

#[test]
fn fingerprints_tell_settings_apart() {
    let print = |name: &str, o| chunker(name, o).unwrap().fingerprint();
    assert_ne!(print("structure", small(60, 0)), print("structure", small(60, 10)));
    assert_ne!(print("structure", small(60, 0)), print("code", small(60, 0)));
}

fn kind() -> impl Strategy<Value = BlockKind> {
    prop_oneof![
        (1u8..5).prop_map(|level| BlockKind::Heading { level }),
        Just(BlockKind::Title),
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::Table),
        Just(BlockKind::Code { language: "rust".into() }),
        Just(BlockKind::Speech),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_document_keeps_the_contract(
        blocks in prop::collection::vec((kind(), r#"([a-zA-Z]{1,9}[ .]|[0-9]{1,4}|[ \n\t]|[|,{}"]|字。|é|\. |    |[a-z]{100,120}| fn f|\PC){1,60}"#), 0..12),
        title in prop::option::of("[a-z ]{0,80}"),
    ) {
        let mut b = DocumentBuilder::new("t");
        if let Some(title) = title { b.title(&title); }
        for (i, (kind, text)) in blocks.iter().enumerate() {
            b.block(kind.clone(), Locator::at(Place::Lines(i as u32, i as u32)), text);
        }
        check_all(&b.finish());
    }
}
