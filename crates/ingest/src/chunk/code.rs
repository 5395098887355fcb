//! Source code to lines, with a price for beginning a chunk at each.
//!
//! No grammar: the rules are layout and keywords, which hold across the common languages. A definition is a
//! line that begins with a defining keyword (after modifiers), or, unindented, looks like a C function.
//! Comments, attributes and decorators directly above a definition belong to it. Indentation tells which
//! definitions enclose a line; their first lines become its context.

use super::atom::{Atom, cost};
use std::ops::Range;

const MODIFIERS: &[&str] = &[
    "pub",
    "export",
    "default",
    "async",
    "static",
    "public",
    "private",
    "protected",
    "internal",
    "final",
    "abstract",
    "sealed",
    "open",
    "override",
    "virtual",
    "unsafe",
    "const",
    "constexpr",
    "inline",
    "extern",
    "declare",
    "partial",
    "data",
    "case",
    "implicit",
    "lazy",
    "local",
    "readonly",
    "synchronized",
    "suspend",
    "pub(crate)",
    "pub(super)",
];
const DEFINING: &[&str] = &[
    "fn",
    "def",
    "class",
    "struct",
    "enum",
    "trait",
    "impl",
    "interface",
    "module",
    "mod",
    "func",
    "function",
    "fun",
    "type",
    "namespace",
    "package",
    "object",
    "union",
    "macro_rules!",
    "template",
    "sub",
    "proc",
    "procedure",
    "record",
    "protocol",
    "extension",
    "defmodule",
    "defp",
    "defmacro",
    "contract",
    "instance",
    "newtype",
    "CREATE",
    "create",
    "subroutine",
    "program",
    "message",
    "service",
    "describe",
    "test",
    "it",
    "resource",
    "SUBROUTINE",
    "FUNCTION",
];
const CONTROL: &[&str] = &["if", "for", "while", "switch", "return", "else", "catch", "do", "try", "with", "case"];
/// Deepest nesting followed.
const DEPTH_MAX: usize = 12;

struct Line<'a> {
    range: Range<usize>,
    text: &'a str,
    indent: usize,
    after_blank: bool,
}

/// The non-blank lines of the code `range` as atoms. `context` gives the number of the context for the
/// enclosing definitions of a line, outermost first. With `fits`, inner breaks cost so much that the piece
/// stays whole.
pub(super) fn atoms(
    text: &str,
    range: Range<usize>,
    fits: bool,
    first_cost: f32,
    context: &mut dyn FnMut(&[&str]) -> usize,
    add: &mut dyn FnMut(Atom),
) {
    let lines = lines(text, range);
    let mut enclosing: Vec<(usize, &str)> = Vec::new();
    let mut signatures: Vec<&str> = Vec::new();
    let mut known: Option<usize> = None;
    // Comments above a definition are indented like it and take its context and price.
    let owner = owners(&lines);
    for (i, line) in lines.iter().enumerate() {
        let item = &lines[owner[i]];
        let defines = is_definition(item.text, item.indent);
        if !is_closing(line.text) || enclosing.last().is_some_and(|&(indent, _)| line.indent < indent) {
            let before = enclosing.len();
            while enclosing.last().is_some_and(|&(indent, _)| indent >= item.indent) {
                enclosing.pop();
            }
            if enclosing.len() != before {
                known = None;
            }
        }
        let number = *known.get_or_insert_with(|| {
            signatures.clear();
            signatures.extend(enclosing.iter().map(|&(_, s)| s));
            context(&signatures)
        });
        let depth = 0.1 * (enclosing.len().min(6) as f32);
        let inside_comment = i > 0 && owner[i - 1] == owner[i];
        let price = if i == 0 {
            first_cost
        } else if inside_comment || is_closing(line.text) {
            cost::GLUED
        } else if defines {
            depth
        } else if line.after_blank {
            cost::SENTENCE + depth
        } else {
            cost::CODE_LINE + depth
        };
        let price = if fits && i > 0 { price.max(cost::WHOLE) } else { price };
        add(Atom { range: line.range.clone(), cost: price, context: number, prose: false });
        if defines && owner[i] == i && enclosing.len() < DEPTH_MAX {
            enclosing.push((line.indent, signature(line.text)));
            known = None;
        }
    }
}

fn lines(text: &str, range: Range<usize>) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut at = range.start;
    let mut after_blank = false;
    for line in text[range].split_inclusive('\n') {
        let trimmed = line.trim();
        let start = at + (line.len() - line.trim_start().len());
        let indent = line.bytes().map_while(|b| match b {
            b' ' => Some(1),
            b'\t' => Some(4),
            _ => None,
        });
        if trimmed.is_empty() {
            after_blank = true;
        } else {
            // The range keeps the indentation, so that a chunk begins at the margin.
            lines.push(Line { range: at..start + trimmed.len(), text: trimmed, indent: indent.sum(), after_blank });
            after_blank = false;
        }
        at += line.len();
    }
    lines
}

/// For each line the line that it belongs to: for comments directly above a definition that definition,
/// for every other line itself.
fn owners(lines: &[Line<'_>]) -> Vec<usize> {
    let mut owners: Vec<usize> = (0..lines.len()).collect();
    for i in (1..lines.len()).rev() {
        let (line, above) = (&lines[i], &lines[i - 1]);
        let owned = owners[i] != i || is_definition(line.text, line.indent);
        if owned && !line.after_blank && is_preamble(above.text) && !is_definition(above.text, above.indent) {
            owners[i - 1] = owners[i];
        }
    }
    owners
}

/// A comment, attribute or decorator.
fn is_preamble(line: &str) -> bool {
    ["//", "/*", "*", "#", "@", "--", ";;", "%%", "'''", "\"\"\"", "///", "[<", "<!--"]
        .iter()
        .any(|p| line.starts_with(p))
}

/// Lines that end what was begun above.
fn is_closing(line: &str) -> bool {
    line.starts_with(['}', ')', ']'])
        || ["end", "else", "elif", "except", "finally", "catch", "fi", "done", "esac"].iter().any(|w| {
            line.strip_prefix(w).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
}

/// Whether `line` begins a definition.
pub(crate) fn is_definition(line: &str, indent: usize) -> bool {
    let line = &line[..line.floor_char_boundary(200)];
    let mut words = line.split_whitespace().take(8);
    let mut first = true;
    while let Some(word) = words.next() {
        let name = word.split(['(', '<', '{', ':']).next().unwrap_or(word);
        if MODIFIERS.contains(&word) || word.starts_with("pub(") {
            first = false;
            continue;
        }
        if DEFINING.contains(&name) {
            // `type = 5`, `test.run()`: a name, not the keyword.
            let lone = name.len() == word.len();
            return lone && words.next().is_some_and(|next| !next.starts_with(['=', '.', ','])) || name == "impl";
        }
        // `public int total(`, `static void run(`.
        let typed = !first && line.contains('(') && !line.ends_with([';', ',']) && !line.contains('=');
        let c_function = indent == 0
            && line.contains('(')
            && !line.ends_with([';', ',', ':', '='])
            && line.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && line
                .split(['('])
                .next()
                .is_some_and(|head| head.trim().contains([' ', '*']) && !head.contains(['=', '"', '.']))
            && !CONTROL.contains(&name);
        let arrow = (line.starts_with("const ") || line.starts_with("export const ") || line.starts_with("let "))
            && (line.contains("=>") || line.contains("= function"))
            && indent == 0;
        return typed && !CONTROL.contains(&name) || c_function || arrow;
    }
    false
}

/// The first line of a definition without its opening bracket.
fn signature(line: &str) -> &str {
    line.trim_end_matches(['{', ':', '(', ' ', '='])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions() {
        for line in [
            "fn main() {",
            "pub(crate) async fn run(&self)",
            "def f(x):",
            "class A:",
            "impl<T> Foo for Bar {",
            "export default function go() {",
            "public static void main(String[] args) {",
            "int main(void)",
            "func (s *Server) Serve() error {",
            "const add = (a, b) => {",
            "struct point {",
            "type Id = u32;",
        ] {
            assert!(is_definition(line, 0), "{line}");
        }
        for line in
            ["return f(x)", "x = f(y)", "if (a) {", "f(x);", "type = 5", "}", "# comment", "let x = 3;", "print(a)"]
        {
            assert!(!is_definition(line, 0), "{line}");
        }
    }

    #[test]
    fn comments_belong_to_their_definition() {
        let text = "import os\n\nclass A:\n    x = 1\n\n    # Says hello.\n    # Twice.\n    def hello(self):\n        print(1)\n";
        let mut found = Vec::new();
        let mut contexts = Vec::new();
        let mut context = |s: &[&str]| {
            contexts.push(s.join(" > "));
            contexts.len() - 1
        };
        atoms(text, 0..text.len(), false, 0.0, &mut context, &mut |a| found.push(a));
        let at = |needle: &str| found.iter().find(|a| text[a.range.clone()].contains(needle)).unwrap().clone();
        assert!(at("Says").cost < at("x = 1").cost);
        assert_eq!(at("Twice").cost, cost::GLUED);
        assert_eq!(at("def hello").cost, cost::GLUED);
        assert_eq!(contexts[at("Says").context], "class A");
        assert_eq!(contexts[at("print").context], "class A > def hello(self)");
        assert_eq!(contexts[at("class A").context], "");
    }
}
