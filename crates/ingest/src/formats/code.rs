//! Source code of the common languages.
//!
//! The text stays the file's own. A block is a top-level definition with the comments above it, or what
//! stands between two. The language comes from the extension, the file's name or the `#!` line.

use super::{Format, Sniff};
use crate::chunk::is_definition;
use crate::encoding;
use crate::verbatim::{Blocks, Text, lines};
use base::{BlockKind, Document, Extractor, Input, Result};

pub static FORMAT: Format = Format {
    name: "code",
    about: "source code of the common programming languages",
    extensions: &[
        "rs",
        "py",
        "pyi",
        "pyx",
        "js",
        "mjs",
        "cjs",
        "jsx",
        "ts",
        "tsx",
        "mts",
        "cts",
        "java",
        "kt",
        "kts",
        "scala",
        "sc",
        "groovy",
        "gradle",
        "c",
        "h",
        "cc",
        "cpp",
        "cxx",
        "hpp",
        "hh",
        "hxx",
        "ino",
        "cu",
        "cuh",
        "m",
        "mm",
        "cs",
        "fs",
        "fsx",
        "vb",
        "go",
        "rb",
        "php",
        "pl",
        "pm",
        "lua",
        "r",
        "jl",
        "swift",
        "dart",
        "ex",
        "exs",
        "erl",
        "hrl",
        "hs",
        "lhs",
        "ml",
        "mli",
        "clj",
        "cljs",
        "edn",
        "lisp",
        "el",
        "scm",
        "rkt",
        "sh",
        "bash",
        "zsh",
        "fish",
        "ps1",
        "psm1",
        "bat",
        "cmd",
        "sql",
        "proto",
        "thrift",
        "graphql",
        "gql",
        "tf",
        "hcl",
        "nix",
        "zig",
        "nim",
        "v",
        "sv",
        "vhd",
        "vhdl",
        "d",
        "pas",
        "f",
        "f90",
        "f95",
        "for",
        "cob",
        "asm",
        "s",
        "css",
        "scss",
        "sass",
        "less",
        "vue",
        "svelte",
        "cmake",
        "mk",
        "awk",
        "tcl",
        "sol",
        "wgsl",
        "glsl",
        "hlsl",
        "bib",
        "diff",
        "patch",
        "dockerfile",
        "star",
        "bzl",
    ],
    file_names: &[
        "Makefile",
        "GNUmakefile",
        "Dockerfile",
        "Containerfile",
        "Vagrantfile",
        "Rakefile",
        "Gemfile",
        "Jenkinsfile",
        "CMakeLists.txt",
        "BUILD",
        "WORKSPACE",
        "Justfile",
        "Procfile",
        "meson.build",
        "SConstruct",
        "PKGBUILD",
    ],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if shebang(bytes).is_some() => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &SourceCode,
};

/// A file whose lines are longer than this in the mean was made by a machine.
const LINE_BYTES_MACHINE: usize = 1000;
/// How much of a machine-made file is kept.
const MACHINE_BYTES_MAX: usize = 1 << 20;

struct SourceCode;

impl Extractor for SourceCode {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut text = Text::read(&input);
        shorten(&mut text);
        let language = language(input.name, input.bytes);
        let mut blocks = Blocks::new(&text.text);
        let mut start = 0;
        // Where the comments directly above the current line begin.
        let mut preamble: Option<usize> = None;
        for (range, line) in lines(&text.text) {
            let indented = line.starts_with([' ', '\t']);
            let trimmed = line.trim();
            if trimmed.is_empty() {
                preamble = None;
            } else if !indented && is_definition(trimmed, 0) {
                let item = preamble.take().unwrap_or(range.start);
                blocks.add(BlockKind::Code { language: language.to_owned() }, start..item);
                start = item;
            } else if !indented && is_comment(trimmed) {
                preamble.get_or_insert(range.start);
            } else if !is_comment(trimmed) {
                preamble = None;
            }
        }
        blocks.add(BlockKind::Code { language: language.to_owned() }, start..text.text.len());
        let blocks = blocks.finish();
        text.metadata("language", language);
        Ok(text.document(FORMAT.name, None, blocks))
    }
}

/// Cuts machine-made text (minified, generated) to [`MACHINE_BYTES_MAX`], with a warning.
pub(super) fn shorten(text: &mut Text) {
    let bytes = text.text.len();
    let lines = text.text.bytes().filter(|&b| b == b'\n').count() + 1;
    if bytes > MACHINE_BYTES_MAX && bytes / lines > LINE_BYTES_MACHINE {
        text.truncate(MACHINE_BYTES_MAX);
        text.warn(format!(
            "{bytes} bytes in {lines} lines look machine-made (minified); only the first {MACHINE_BYTES_MAX} were kept"
        ));
    }
}

fn is_comment(line: &str) -> bool {
    ["//", "/*", "*", "#", "@", "--", ";", "%", "'''", "\"\"\""].iter().any(|p| line.starts_with(p))
}

/// The program named by a `#!` line.
fn shebang(bytes: &[u8]) -> Option<&str> {
    let line = bytes.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let line = std::str::from_utf8(line.get(..200).unwrap_or(line)).ok()?;
    let mut words = line.split_whitespace();
    let program = words.next()?.rsplit('/').next()?;
    if program == "env" { words.find(|w| !w.starts_with('-')) } else { Some(program) }
}

/// Lower-case name of the language, empty when unknown.
fn language<'a>(name: &'a str, bytes: &[u8]) -> &'a str {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_lowercase();
    let by_extension = match extension.as_str() {
        "rs" => "rust",
        "py" | "pyi" | "pyx" => "python",
        "js" | "mjs" | "cjs" | "jsx" => "javascript",
        "ts" | "tsx" | "mts" | "cts" => "typescript",
        "java" => "java",
        "kt" | "kts" => "kotlin",
        "scala" | "sc" => "scala",
        "groovy" | "gradle" => "groovy",
        "c" | "h" => "c",
        "cc" | "cpp" | "cxx" | "hpp" | "hh" | "hxx" | "ino" => "c++",
        "cu" | "cuh" => "cuda",
        "m" | "mm" => "objective-c",
        "cs" => "c#",
        "fs" | "fsx" => "f#",
        "vb" => "visual basic",
        "go" => "go",
        "rb" => "ruby",
        "php" => "php",
        "pl" | "pm" => "perl",
        "lua" => "lua",
        "r" => "r",
        "jl" => "julia",
        "swift" => "swift",
        "dart" => "dart",
        "ex" | "exs" => "elixir",
        "erl" | "hrl" => "erlang",
        "hs" | "lhs" => "haskell",
        "ml" | "mli" => "ocaml",
        "clj" | "cljs" | "edn" => "clojure",
        "lisp" | "el" | "scm" | "rkt" => "lisp",
        "sh" | "bash" | "zsh" | "fish" => "shell",
        "ps1" | "psm1" => "powershell",
        "bat" | "cmd" => "batch",
        "sql" => "sql",
        "tf" | "hcl" => "hcl",
        "v" | "sv" => "verilog",
        "vhd" | "vhdl" => "vhdl",
        "f" | "f90" | "f95" | "for" => "fortran",
        "css" | "scss" | "sass" | "less" => "css",
        "mk" => "make",
        "" => "",
        other => FORMAT.extensions.iter().find(|e| **e == other).copied().unwrap_or(""),
    };
    if !by_extension.is_empty() {
        return by_extension;
    }
    let by_name = match name {
        "Makefile" | "GNUmakefile" | "Justfile" => "make",
        "Dockerfile" | "Containerfile" => "dockerfile",
        "CMakeLists.txt" => "cmake",
        "Rakefile" | "Gemfile" | "Vagrantfile" => "ruby",
        _ => "",
    };
    if !by_name.is_empty() {
        return by_name;
    }
    match shebang(bytes).unwrap_or("").trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "python" | "pypy" => "python",
        "sh" | "bash" | "zsh" | "dash" | "ksh" => "shell",
        "node" | "deno" | "bun" => "javascript",
        "perl" => "perl",
        "ruby" => "ruby",
        "php" => "php",
        "lua" => "lua",
        "Rscript" => "r",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn definitions_with_their_comments_are_blocks() {
        let text = "//! Head.\n\nuse a::b;\n\n/// Adds.\n#[inline]\npub fn add(a: i32) -> i32 {\n    a + 1\n}\n\nstruct A {\n    x: u8,\n}\n";
        let document = extract(&FORMAT, "a.rs", text.as_bytes());
        assert_eq!(document.text, text);
        assert_eq!(
            outline(&document),
            [
                "code[rust] lines 1-3: //! Head.⏎⏎use a::b;",
                "code[rust] lines 5-9: /// Adds.⏎#[inline]⏎pub fn add(a: i32) -> i32 {⏎    a + 1⏎}",
                "code[rust] lines 11-13: struct A {⏎    x: u8,⏎}",
            ]
        );
    }

    #[test]
    fn languages() {
        assert_eq!(language("run", b"#!/usr/bin/env -S python3.11 -u\nx"), "python");
        assert_eq!(language("run", b"#!/bin/bash\nx"), "shell");
        assert_eq!(language("a.PY", b""), "python");
        assert_eq!(language("Dockerfile", b"FROM x"), "dockerfile");
        assert_eq!(language("a.zig", b""), "zig");
        assert_eq!(language("unknown", b"text"), "");
    }

    #[test]
    fn minified_files_are_cut_with_a_warning() {
        let text = "var a=function(b){return b+1};".repeat(100_000);
        let document = extract(&FORMAT, "a.min.js", text.as_bytes());
        assert_eq!(document.text.len(), MACHINE_BYTES_MAX);
        assert!(document.warnings[0].contains("3000000 bytes in 1 lines"), "{:?}", document.warnings);
    }

    #[test]
    fn latin_1_source_says_so() {
        let document = extract(&FORMAT, "a.py", b"# \xC4pfel und \xD6l f\xFCr die K\xFCche\ndef f():\n\treturn 1\n");
        assert_eq!(document.metadata["encoding"], "windows-1252");
        assert!(document.text.starts_with("# Äpfel"));
    }
}
