//! Formulas on one line, so that a raised 2 is not read as a second digit: Office's (OMML, ISO/IEC 29500-1, part 22)
//! and MathML's (W3C, MathML Core).
//!
//! Written as in Unicode Technical Note 28, "UnicodeMath": `(a+b)/2`, `x_i^2`, `√(x)`, `∑_(i=1)^n x_i`.

use super::clean::collapsed;
use super::tree::{Element, Node};
use scraper::ElementRef;

/// An element of a formula.
#[derive(Debug, Default)]
struct Part {
    name: String,
    /// The attributes `val` (OMML), `open` and `close` (MathML).
    attributes: Vec<(&'static str, String)>,
    /// Text that stands in the element itself.
    text: String,
    parts: Vec<Part>,
}

/// The formula in `element`, `oMath` or around one.
pub fn of_xml(element: &Element) -> String {
    collapsed(&part_of_xml(element).line())
}

/// The formula in `element`, `math`.
pub fn of_html(element: ElementRef<'_>) -> String {
    collapsed(&part_of_html(element).line())
}

fn part_of_xml(element: &Element) -> Part {
    let mut part = Part { name: element.name.clone(), ..Part::default() };
    for name in ["val", "open", "close"] {
        part.attributes.extend(element.get(name).map(|value| (name, value.to_owned())));
    }
    for node in &element.children {
        match node {
            Node::Text(text) => part.text.push_str(text),
            Node::Element(inner) => part.parts.push(part_of_xml(inner)),
        }
    }
    part
}

fn part_of_html(element: ElementRef<'_>) -> Part {
    let mut part = Part { name: element.value().name().to_owned(), ..Part::default() };
    for name in ["open", "close"] {
        part.attributes.extend(element.attr(name).map(|value| (name, value.to_owned())));
    }
    for child in element.children() {
        match (child.value().as_text(), ElementRef::wrap(child)) {
            (Some(text), _) => part.text.push_str(text),
            (None, Some(inner)) => part.parts.push(part_of_html(inner)),
            _ => {}
        }
    }
    part
}

impl Part {
    fn child(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// What stands in the child `name`, or in the `index`-th child where names do not tell them apart.
    fn operand(&self, name: &str, index: usize) -> String {
        self.child(name)
            .or(self.parts.get(index).filter(|_| self.name.starts_with('m')))
            .map_or(String::new(), Part::line)
    }

    /// The value of a property of an OMML element: `<m:dPr><m:begChr m:val="["/>`.
    fn property(&self, name: &str) -> Option<&str> {
        let properties = self.parts.iter().find(|part| part.name.ends_with("Pr"))?;
        properties.child(name)?.attribute("val")
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// What stands in it, one after another.
    fn inside(&self) -> String {
        let mut out = collapsed(&self.text);
        let mut word = false;
        for part in &self.parts {
            let text = part.line();
            if text.is_empty() {
                continue;
            }
            let letters = text.chars().take_while(|c| c.is_alphabetic()).count();
            // `sin x` and `∑_1^n x`, but `ab`.
            let apart = out.ends_with(char::is_alphanumeric)
                && text.starts_with(char::is_alphanumeric)
                && (word || letters > 1);
            if apart {
                out.push(' ');
            }
            out.push_str(&text);
            word = letters > 1 && letters == text.chars().count() || text.contains(['^', '_']);
        }
        out
    }

    fn line(&self) -> String {
        let name = self.name.as_str();
        match name {
            "f" | "mfrac" => format!("{}/{}", grouped(&self.operand("num", 0)), grouped(&self.operand("den", 1))),
            "sSup" | "msup" => scripts(&self.operand("e", 0), "", &self.operand("sup", 1)),
            "sSub" | "msub" => scripts(&self.operand("e", 0), &self.operand("sub", 1), ""),
            "sSubSup" | "msubsup" | "munderover" => {
                scripts(&self.operand("e", 0), &self.operand("sub", 1), &self.operand("sup", 2))
            }
            "sPre" => scripts("", &self.operand("sub", 0), &self.operand("sup", 1)) + &self.operand("e", 2),
            "limLow" | "munder" => scripts(&self.operand("e", 0), &self.operand("lim", 1), ""),
            "limUpp" => scripts(&self.operand("e", 0), "", &self.operand("lim", 1)),
            "mover" => accented(&self.operand("e", 0), &self.operand("lim", 1)),
            "acc" => accented(&self.operand("e", 0), self.property("chr").unwrap_or("\u{302}")),
            "bar" => accented(&self.operand("e", 0), "\u{304}"),
            "rad" => root(&self.operand("deg", 0), &self.operand("e", 1)),
            "msqrt" => root("", &self.inside()),
            "mroot" => root(&self.operand("", 1), &self.operand("", 0)),
            "nary" => {
                let operator = self.property("chr").unwrap_or("∫");
                scripts(operator, &self.operand("sub", 0), &self.operand("sup", 1)) + " " + &self.operand("e", 2)
            }
            "d" => {
                let parts: Vec<String> = self.parts.iter().filter(|p| p.name == "e").map(Part::line).collect();
                let mark = |name, default| self.property(name).unwrap_or(default);
                format!("{}{}{}", mark("begChr", "("), parts.join(mark("sepChr", "|")), mark("endChr", ")"))
            }
            "mfenced" => {
                let parts: Vec<String> = self.parts.iter().map(Part::line).collect();
                let mark = |name, default| self.attribute(name).unwrap_or(default);
                format!("{}{}{}", mark("open", "("), parts.join(", "), mark("close", ")"))
            }
            "func" => {
                let (name, of) = (self.operand("fName", 0), self.operand("e", 1));
                if of.starts_with('(') { name + &of } else { format!("{name} {of}") }
            }
            "eqArr" => self.parts.iter().filter(|p| p.name == "e").map(Part::line).collect::<Vec<_>>().join("; "),
            // The wrapper of a formula in a slide has the name of a matrix.
            "m" if self.child("mr").is_some() => self.matrix("mr", "e"),
            "mtable" => self.matrix("mtr", "mtd"),
            "mo" => operator(&self.text),
            "mspace" => " ".to_owned(),
            "annotation" | "annotation-xml" | "mphantom" | "phant" => String::new(),
            _ if name.ends_with("Pr") => String::new(),
            _ => self.inside(),
        }
    }

    fn matrix(&self, row: &str, cell: &str) -> String {
        let cells =
            |row: &Part| row.parts.iter().filter(|p| p.name == cell).map(Part::line).collect::<Vec<_>>().join(", ");
        let rows: Vec<String> = self.parts.iter().filter(|p| p.name == row).map(cells).collect();
        format!("[{}]", rows.join("; "))
    }
}

/// `text` in brackets, unless it is one number, one name, or in brackets.
fn grouped(text: &str) -> String {
    let text = text.trim();
    let bare = text.strip_prefix(['-', '−', '+']).unwrap_or(text);
    let one = bare.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '\'' | '′')) || text.chars().count() == 1;
    let inner = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
    if one || inner.is_some_and(|t| !t.contains(['(', ')'])) { text.to_owned() } else { format!("({text})") }
}

fn scripts(base: &str, below: &str, above: &str) -> String {
    let mut out = if base.chars().count() > 1 { grouped(base) } else { base.to_owned() };
    for (mark, script) in [('_', below), ('^', above)] {
        if !script.trim().is_empty() {
            out.push(mark);
            out.push_str(&grouped(script));
        }
    }
    out
}

/// A single letter with its accent, as Unicode combines them; anything else with a superscript.
fn accented(base: &str, accent: &str) -> String {
    let combining = match accent.trim() {
        "^" | "ˆ" | "\u{302}" => '\u{302}',
        "~" | "˜" | "\u{303}" => '\u{303}',
        "¯" | "‾" | "_" | "\u{304}" | "\u{305}" => '\u{304}',
        "˙" | "." | "\u{307}" => '\u{307}',
        "¨" | "\u{308}" => '\u{308}',
        "→" | "\u{20D7}" => '\u{20D7}',
        other => return scripts(base, "", other),
    };
    if base.chars().count() == 1 { format!("{base}{combining}") } else { format!("{}{combining}", grouped(base)) }
}

fn root(degree: &str, of: &str) -> String {
    let degree = degree.trim();
    let of = if of.starts_with('(') { of.to_owned() } else { format!("({of})") };
    match degree {
        "" | "2" => format!("√{of}"),
        "3" => format!("∛{of}"),
        "4" => format!("∜{of}"),
        _ => format!("√({degree}&{})", of.trim_start_matches('(').trim_end_matches(')')),
    }
}

/// An operator of MathML; relations stand apart, what is invisible goes.
fn operator(text: &str) -> String {
    let text: String = text.trim().chars().filter(|c| !('\u{2061}'..='\u{2064}').contains(c)).collect();
    match text.as_str() {
        "=" | "<" | ">" | "≤" | "≥" | "≠" | "≈" | "≡" | "∈" | "∼" | "→" | "⇒" | "⟹" | ":=" => {
            format!(" {text} ")
        }
        "," => ", ".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tree::parse;
    use base::Limits;
    use scraper::Html;

    fn omml(body: &str) -> String {
        of_xml(&parse(format!("<m:oMath>{body}</m:oMath>").as_bytes(), &Limits::default()).0)
    }

    fn mathml(body: &str) -> String {
        let page = Html::parse_fragment(&format!("<math>{body}</math>"));
        of_html(page.root_element().descendent_elements().find(|e| e.value().name() == "math").unwrap())
    }

    fn run(text: &str) -> String {
        format!("<m:r><m:rPr><m:sty m:val='p'/></m:rPr><m:t>{text}</m:t></m:r>")
    }

    #[test]
    fn office_formulas() {
        let (x, two, n) = (run("x"), run("2"), run("n"));
        assert_eq!(
            omml(&format!("{}<m:sSup><m:e>{}</m:e><m:sup>{two}</m:sup></m:sSup>", run("E=m"), run("c"))),
            "E=mc^2"
        );
        assert_eq!(omml(&format!("<m:f><m:num>{}</m:num><m:den>{two}</m:den></m:f>", run("a+b"))), "(a+b)/2");
        assert_eq!(
            omml(&format!("<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/><m:e>{x}</m:e></m:rad>")),
            "√(x)"
        );
        assert_eq!(
            omml(&format!(
                "<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{}</m:sub><m:sup>{n}</m:sup><m:e>\
                 <m:sSubSup><m:e>{x}</m:e><m:sub>{}</m:sub><m:sup>{two}</m:sup></m:sSubSup></m:e></m:nary>",
                run("i=1"),
                run("i")
            )),
            "∑_(i=1)^n x_i^2"
        );
        assert_eq!(
            omml(&format!("<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e>{x}</m:e></m:d>")),
            "[x]"
        );
        assert_eq!(
            omml(&format!(
                "<m:m><m:mr><m:e>{x}</m:e><m:e>{n}</m:e></m:mr><m:mr><m:e>{two}</m:e><m:e>{two}</m:e></m:mr></m:m>"
            )),
            "[x, n; 2, 2]"
        );
        assert_eq!(omml(&format!("<m:func><m:fName>{}</m:fName><m:e>{x}</m:e></m:func>", run("sin"))), "sin x");
        assert_eq!(omml(&format!("<m:acc><m:e>{x}</m:e></m:acc>")), "x\u{302}");
    }

    #[test]
    fn mathml_formulas() {
        assert_eq!(mathml("<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>"), "E = mc^2");
        assert_eq!(mathml("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>"), "(a+b)/2");
        assert_eq!(mathml("<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>"), "√(x+1)");
        assert_eq!(mathml("<mroot><mi>x</mi><mn>3</mn></mroot>"), "∛(x)");
        assert_eq!(
            mathml(
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>"
            ),
            "∑_(i = 1)^n i"
        );
        assert_eq!(mathml("<mover accent='true'><mi>x</mi><mo>¯</mo></mover>"), "x\u{304}");
        assert_eq!(mathml("<mi>sin</mi><mo>\u{2061}</mo><mi>x</mi>"), "sin x");
        let tex = "<semantics><msup><mi>x</mi><mn>2</mn></msup><annotation encoding='application/x-tex'>x^2</annotation></semantics>";
        assert_eq!(mathml(tex), "x^2");
    }

    #[test]
    fn whatever_is_missing_gives_what_is_there() {
        assert_eq!(mathml("<msup><mi>x</mi></msup><mfrac></mfrac>"), "x/");
        assert_eq!(omml("<m:sSup/><m:f/><m:nary/>"), "/∫");
    }
}
