//! LaTeX source.
//!
//! The text is made: commands go, what they print stays. Sections are headings, mathematics stays as it is
//! written, tables become rows, comments and the preamble are dropped. A block's address is its lines in the
//! source, because line breaks inside a paragraph are kept.

mod arguments;
mod inline;
mod reader;
mod tables;

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::Text;
use arguments::{group, optional};
use base::{Document, DocumentBuilder, Extractor, Input, Result};
use inline::inline;
use reader::Reader;

pub static FORMAT: Format = Format {
    name: "latex",
    about: "LaTeX source: prose, headings, tables, mathematics as written",
    extensions: &["tex", "latex", "ltx"],
    file_names: &[],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if bytes.trim_ascii_start().starts_with(b"\\documentclass") => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &Latex,
};

struct Latex;

impl Extractor for Latex {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let source = text.text.as_str();
        let mut builder = DocumentBuilder::new(FORMAT.name);
        let begin = source.find("\\begin{document}");
        for (name, command) in [("title", "\\title"), ("author", "\\author"), ("date", "\\date")] {
            let found =
                source.match_indices(command).find_map(|(at, _)| group(source, optional(source, at + command.len())));
            let Some((argument, _)) = found else { continue };
            let value = inline(argument, 1);
            if name == "title" {
                builder.title(&value);
            } else {
                builder.metadata(name, &value.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        let start = begin.map_or(0, |at| at + "\\begin{document}".len());
        let end = source[start..].find("\\end{document}").map_or(source.len(), |n| start + n);
        let made = Reader::new(source, start, end, builder).read();
        let mut document = text.document(FORMAT.name, made.title, Vec::new());
        document.text = made.text;
        document.blocks = made.blocks;
        document.metadata.extend(made.metadata);
        document.warnings.extend(made.warnings);
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    fn read(text: &str) -> Document {
        extract(&FORMAT, "a.tex", text.as_bytes())
    }

    #[test]
    fn a_paper() {
        let text = "\\documentclass{article}\n\\title{On \\emph{Stone}}\n\\author{Ada}\n\\newcommand{\\x}{hidden}\n\\begin{document}\n\\maketitle\n\\begin{abstract}\nShort.\n\\end{abstract}\n\\section{Origin}\\label{sec:o}\nLimestone~is \\textbf{grey}, see \\cite[p.~3]{smith,doe} and Fig.~\\ref{fig:a}. % secret\nIt has $x^2 \\alpha$ caf\\'e.\n\nNext\\footnote{A note.} one costs 5\\% \\& more---really.\n\\begin{itemize}\n\\item one\n\\item[two] more\n\\end{itemize}\n\\begin{equation}\\label{e}\nE = mc^2\n\\end{equation}\n\\begin{verbatim}\n a % b\n\\end{verbatim}\n\\begin{table}[h]\\caption{Sizes}\n\\begin{tabular}{|l|r|}\n\\hline\nName & Size \\\\ \\hline\na\\&b & 2 \\\\\n\\end{tabular}\n\\end{table}\n\\end{document}\nafter\n";
        let document = read(text);
        assert_eq!(document.title.as_deref(), Some("On Stone"));
        assert_eq!(document.metadata["author"], "Ada");
        assert_eq!(
            outline(&document),
            [
                "h2 line 7: Abstract",
                "p line 8: Short.",
                "h2 line 10: Origin",
                "p lines 11-12: Limestone is grey, see [smith, doe] and Fig. fig:a. It has $x^2 \\alpha$ café.",
                "p line 14: Next (A note.) one costs 5% & more—really.",
                "li line 16: one",
                "li line 17: two: more",
                "p lines 19-21: E = mc^2",
                "code[] line 23: a % b",
                "caption line 25: Sizes",
                "table lines 27-29: Name | Size⏎a&b | 2",
            ]
        );
    }

    #[test]
    fn fragments_and_odd_input() {
        assert_eq!(outline(&read("Just text\nwith \\unknown{words}.\n")), ["p lines 1-2: Just text⏎with words."]);
        for unit in [
            "\\section{",
            "{",
            "$",
            "\\begin{a}",
            "\\emph{",
            "\\",
            "%",
            "\\item[",
            "\\begin{tabular}{l}",
            "\\footnote{",
            "\\'",
        ] {
            read(&(unit.repeat(20_000) + " end"));
        }
    }
}
