//! Markdown: CommonMark with the usual extensions (tables, footnotes, task lists, mathematics, front matter).
//!
//! The text stays the file's own; blocks leave out the marks around them (`#`, list bullets, code fences).
//! Comments and tags of embedded HTML are not part of any block.

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::{Blocks, Text};
use base::{BlockKind, Document, Extractor, Input, Result};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

pub static FORMAT: Format = Format {
    name: "markdown",
    about: "Markdown with tables, footnotes and front matter",
    extensions: &["md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd", "livemd"],
    file_names: &[],
    sniff: |bytes, _| if encoding::is_text(bytes) { Sniff::Maybe } else { Sniff::No },
    trusted: true,
    extractor: &Markdown,
};

struct Markdown;

impl Extractor for Markdown {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut text = Text::read(&input);
        let mut blocks = Blocks::new(&text.text);
        let mut facts = Vec::new();
        let mut title = None;
        walk(&text.text, &mut |kind, range| {
            let slice = &text.text[range.clone()];
            match kind {
                BlockKind::Metadata => facts = front_matter(slice),
                BlockKind::Heading { level: 1 } if title.is_none() => title = Some(plain(slice)),
                _ => {}
            }
            blocks.add(kind, range);
        });
        let blocks = blocks.finish();
        for (name, value) in facts {
            match name.as_str() {
                "title" => title = Some(value),
                _ => text.metadata(&name, &value),
            }
        }
        Ok(text.document(FORMAT.name, title, blocks))
    }
}

/// The facts of YAML or TOML front matter that stand on one line: `name: value` or `name = "value"`.
fn front_matter(text: &str) -> Vec<(String, String)> {
    let fact = |line: &str| {
        let at = line.find([':', '='])?;
        let (name, value) = (line[..at].trim(), line[at + 1..].trim().trim_matches(['"', '\'']));
        let plain =
            !name.is_empty() && name.len() <= 40 && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        let flat = !line.starts_with([' ', '\t', '-', '#']) && !value.is_empty();
        (plain && flat).then(|| (name.to_lowercase(), value.to_owned()))
    };
    text.lines().filter_map(fact).take(64).collect()
}

/// `text` without the marks of emphasis, code and links.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for event in Parser::new(text) {
        match event {
            Event::Text(t) | Event::Code(t) => out.push_str(&t),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            _ => {}
        }
    }
    out
}

/// Calls `add` with every block of `text`, in order.
pub(super) fn walk(text: &str, add: &mut dyn FnMut(BlockKind, Range<usize>)) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut state = State { text, add, containers: Vec::new(), run: None, depth: 0 };
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        state.event(event, range);
    }
    state.flush();
}

/// What an inline run belongs to.
#[derive(Clone, PartialEq)]
enum Container {
    Kind(BlockKind),
    /// Everything inside is covered by the block of the table.
    Table,
    Html,
}

struct State<'a, 'b> {
    text: &'a str,
    add: &'b mut dyn FnMut(BlockKind, Range<usize>),
    containers: Vec<Container>,
    /// The bytes of the inline events since the last border of a block.
    run: Option<Range<usize>>,
    /// Open inline elements: their own range was counted when they opened.
    depth: usize,
}

impl State<'_, '_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => match container(&tag) {
                Some(container) => {
                    self.flush();
                    if matches!(tag, Tag::Table(_)) {
                        (self.add)(BlockKind::Table, range);
                    }
                    self.containers.push(container);
                }
                None if is_block(&tag) => self.flush(),
                None => {
                    self.extend(range);
                    self.depth += 1;
                }
            },
            Event::End(tag) => {
                if is_inline_end(&tag) {
                    self.depth = self.depth.saturating_sub(1);
                } else {
                    self.flush();
                    if opens_container(&tag) {
                        self.containers.pop();
                    }
                }
            }
            Event::Rule => self.flush(),
            // The box of a task stands before the text of its item.
            Event::TaskListMarker(_) => {}
            _ if self.depth == 0 => self.extend(range),
            _ => {}
        }
    }

    fn extend(&mut self, range: Range<usize>) {
        if self.depth > 0 || range.is_empty() {
            return;
        }
        match &mut self.run {
            Some(run) => run.end = run.end.max(range.end),
            None => self.run = Some(range),
        }
    }

    fn flush(&mut self) {
        self.depth = 0;
        let Some(run) = self.run.take() else { return };
        match self.containers.last() {
            Some(Container::Table) => {}
            Some(Container::Html) => {
                for range in visible(self.text, run) {
                    (self.add)(BlockKind::Paragraph, range);
                }
            }
            Some(Container::Kind(kind)) => {
                let kind = kind.clone();
                (self.add)(kind, run);
            }
            None => (self.add)(BlockKind::Paragraph, run),
        }
    }
}

fn container(tag: &Tag<'_>) -> Option<Container> {
    let kind = match tag {
        Tag::Heading { level, .. } => BlockKind::Heading { level: *level as u8 },
        Tag::BlockQuote(_) => BlockKind::Quote,
        Tag::Item => BlockKind::ListItem,
        Tag::FootnoteDefinition(_) => BlockKind::Note,
        Tag::CodeBlock(CodeBlockKind::Indented) => BlockKind::Code { language: String::new() },
        Tag::CodeBlock(CodeBlockKind::Fenced(info)) => BlockKind::Code { language: language(info) },
        Tag::MetadataBlock(_) => BlockKind::Metadata,
        Tag::Table(_) => return Some(Container::Table),
        Tag::HtmlBlock => return Some(Container::Html),
        _ => return None,
    };
    Some(Container::Kind(kind))
}

fn opens_container(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::CodeBlock
            | TagEnd::MetadataBlock(_)
            | TagEnd::Table
            | TagEnd::HtmlBlock
    )
}

fn is_block(tag: &Tag<'_>) -> bool {
    !is_inline_end(&tag.to_end())
}

fn is_inline_end(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
    )
}

/// The language of a fence's info string: `rust,ignore`, `{.python}`, `{r echo=FALSE}`.
fn language(info: &str) -> String {
    let word = info.trim_start_matches(['{', '.', ' ']);
    let word = word.split(|c: char| c.is_whitespace() || ",{}:".contains(c)).next().unwrap_or("");
    word[..word.floor_char_boundary(24)].to_lowercase()
}

/// The stretches of the HTML `range` that hold text: from the first to the last character outside tags,
/// without comments, scripts and styles.
fn visible(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let html = &text[range.clone()];
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut current: Option<Range<usize>> = None;
    let mut at = 0;
    while at < html.len() {
        let stop = html[at..].find('<').map_or(html.len(), |n| at + n);
        let piece = &html[at..stop];
        if !piece.trim().is_empty() {
            let start = at + piece.len() - piece.trim_start().len();
            current.get_or_insert(start..start).end = at + piece.trim_end().len();
        }
        if stop == html.len() {
            break;
        }
        let rest = &html[stop..];
        let lower: String = rest.chars().take(8).collect::<String>().to_ascii_lowercase();
        let end = match () {
            () if rest.starts_with("<!--") => Some("-->"),
            () if lower.starts_with("<script") => Some("</script>"),
            () if lower.starts_with("<style") => Some("</style>"),
            () => None,
        };
        if end.is_some() {
            found.extend(current.take());
        }
        let end = end.unwrap_or(">");
        at = rest.find(end).map_or(html.len(), |n| stop + n + end.len());
    }
    found.extend(current);
    found.into_iter().map(|r| range.start + r.start..range.start + r.end).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    fn blocks(text: &str) -> Vec<String> {
        outline(&extract(&FORMAT, "a.md", text.as_bytes()))
    }

    #[test]
    fn blocks_without_their_marks() {
        let text = "---\ntitle: \"Stone\"\nauthor: Ada\n---\n\n# Big *one* #\n\nText **bold**\nmore [link](http://a.b).\n\nSetext\n------\n\n- one\n- [x] two\n  - deep\n\n1. first\n\n   second\n\n> quoted\n> text\n\n```rust,ignore\nfn a() {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]: A note.\n";
        let document = extract(&FORMAT, "a.md", text.as_bytes());
        assert_eq!(document.title.as_deref(), Some("Stone"));
        assert_eq!(document.metadata["author"], "Ada");
        assert_eq!(document.text, text);
        assert_eq!(
            outline(&document),
            [
                "meta lines 2-3: title: \"Stone\"⏎author: Ada",
                "h1 line 6: Big *one*",
                "p lines 8-9: Text **bold**⏎more [link](http://a.b).",
                "h2 line 11: Setext",
                "li line 14: one",
                "li line 15: two",
                "li line 16: deep",
                "li line 18: first",
                "li line 20: second",
                "quote lines 22-23: quoted⏎> text",
                "code[rust] line 26: fn a() {}",
                "table lines 29-31: | a | b |⏎|---|---|⏎| 1 | 2 |",
                "note line 33: A note.",
            ]
        );
    }

    #[test]
    fn html_shows_its_text_only() {
        let text = "<!-- hidden words -->\n\n<details>\n<summary>Seen</summary>\n</details>\n\n<style>\np { x: y }\n</style>\n\nAfter <b>this</b>.\n";
        assert_eq!(blocks(text), ["p line 4: Seen", "p line 11: After <b>this</b>."]);
    }

    #[test]
    fn title_is_the_first_heading_without_marks() {
        let document = extract(&FORMAT, "a.md", b"# The `rag` **stone** [home](x)\n\nText");
        assert_eq!(document.title.as_deref(), Some("The rag stone home"));
    }

    #[test]
    fn windows_line_ends() {
        assert_eq!(blocks("# A\r\n\r\none\r\ntwo\r\n"), ["h1 line 1: A", "p lines 3-4: one⏎two"]);
    }

    /// Each of these was quadratic or worse in some Markdown parser.
    #[test]
    fn monsters_are_read() {
        let n = 20_000;
        let monsters = [
            ">".repeat(n) + "x",
            "[".repeat(n) + "x" + &"]".repeat(n),
            "- ".repeat(n) + "x",
            "*a_ ".repeat(n),
            "![[]()".repeat(n),
            "`a``".repeat(n),
            "<!--".repeat(n),
            "|a".repeat(n) + "\n" + &"|-".repeat(n) + "\n" + &"|b\n".repeat(100),
            "[a]: b\n".repeat(n) + &"[a]".repeat(n),
            "a\n".to_owned() + &"> ".repeat(500) + "b\n",
            "<a ".repeat(n),
            "$a$$".repeat(n),
            "[^1]".repeat(n) + "\n\n" + &"[^1]: x\n".repeat(n),
            "\\".repeat(n),
            "&".repeat(n),
        ];
        for text in monsters {
            extract(&FORMAT, "a.md", text.as_bytes());
        }
    }
}
