//! Addresses in an answer. A document can ask a model to show an image or a link whose address carries
//! secrets to a stranger, so only addresses that stand letter by letter in the evidence survive, and nothing
//! survives that a viewer would load by itself.

use super::mark;
use base::Evidence;
use regex::{Captures, Regex};
use std::collections::HashSet;
use std::sync::LazyLock;

/// What stands where an address was.
pub(super) const REMOVED: &str = "(link removed)";

// Private characters stand for marks that were checked already; they end an address.
const NOT_URL: &str = r#"\s<>"`\[\]\x{F0000}-\x{FFFFD}"#;

static URL: LazyLock<Regex> = LazyLock::new(|| {
    let schemes = "javascript|vbscript|data|file|mailto|tel|sms|blob|view-source|ms-[a-z-]+";
    let pattern = format!(
        r"(?i)(?:[a-z][a-z0-9+.-]{{1,30}}:[/\\]{{2}}[^{NOT_URL}]*|(?-u:\b)(?:{schemes}):[^{NOT_URL}]+|(?-u:\b)www\.[^{NOT_URL}]+|[/\\]{{2}}[\w-]+(?:\.[\w-]+)+[^{NOT_URL}]*)"
    );
    // A constant pattern: building it cannot fail. The same holds below.
    Regex::new(&pattern).expect("constant pattern")
});

static INLINE: LazyLock<Regex> = LazyLock::new(|| {
    let title = r#"(?:\s+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?"#;
    Regex::new(&format!(
        r"(?P<image>!?)\[(?P<label>[^\[\]]*)\]\(\s*(?P<to><[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*){title}\s*\)"
    ))
    .expect("constant pattern")
});

static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let names = "a|img|picture|script|style|iframe|frame|object|embed|link|meta|base|form|input|button|textarea|svg|\
                 math|video|audio|source|track|html|head|body|template|marquee|evidence|context|system|user|\
                 assistant|think|thinking|tool|tool_call|tool_response|function|function_call|invoke|s|bos|eos|\
                 start_of_turn|end_of_turn";
    Regex::new(&format!(r"(?i)</?(?:{names})(?:[\s/][^<>]*)?>|<(?P<open>/?(?:{names})[\s/]|!--|!\[CDATA)"))
        .expect("constant pattern")
});

/// The addresses that an answer may repeat.
#[derive(Debug)]
pub(super) struct Links {
    known: HashSet<String>,
}

impl Links {
    /// Those in `evidence`, and the sources themselves.
    pub fn new(evidence: &[Evidence]) -> Self {
        let texts = evidence.iter().flat_map(|e| [e.text.as_str(), e.source.as_str()]);
        let known = texts.flat_map(|t| URL.find_iter(t)).map(|m| trim(m.as_str()).to_owned()).collect();
        Links { known }
    }

    fn allows(&self, url: &str) -> bool {
        let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !matches!(scheme.as_str(), "javascript" | "vbscript" | "data" | "blob" | "view-source")
            && self.known.contains(url)
    }

    /// `text` without images, elements that load or run something, chat markers, and Markdown links; a link
    /// leaves its label. Addresses that were dropped with them go to `removed`.
    pub fn unwrap_markup(&self, text: &str, removed: &mut Vec<String>) -> String {
        let text = super::clean::CHAT_TOKEN.replace_all(text, "");
        let text = ELEMENT.replace_all(&text, |m: &Captures<'_>| {
            if let Some(open) = m.name("open") {
                return open.as_str().to_owned();
            }
            removed.extend(URL.find_iter(&m[0]).map(|u| trim(u.as_str()).to_owned()));
            String::new()
        });
        let text = INLINE.replace_all(&text, |m: &Captures<'_>| {
            let to = m["to"].trim_matches(['<', '>']);
            let label = &m["label"];
            let bracketed = format!("[{label}]");
            if matches!(mark::scan(&bracketed), mark::Scan::Mark { .. }) {
                return bracketed;
            }
            if m["image"].is_empty() && self.allows(to) {
                return if label == to { to.to_owned() } else { format!("{label} ({to})") };
            }
            if !to.is_empty() {
                removed.push(to.to_owned());
            }
            label.to_owned()
        });
        text.into_owned()
    }

    /// `text` with [`REMOVED`] in place of every address that is not known.
    pub fn check_urls(&self, text: &str, removed: &mut Vec<String>) -> String {
        let replace = |m: &Captures<'_>| {
            let whole = &m[0];
            let url = trim(whole);
            if self.allows(url) {
                return whole.to_owned();
            }
            removed.push(url.to_owned());
            format!("{REMOVED}{}", &whole[url.len()..])
        };
        URL.replace_all(text, replace).into_owned()
    }
}

/// `url` without the punctuation of the sentence around it.
fn trim(url: &str) -> &str {
    let mut url = url;
    loop {
        let short = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', '…', '，', '。', '）']);
        let opened = short.matches('(').count();
        let short = match short.strip_suffix(')') {
            Some(inner) if short.matches(')').count() > opened => inner,
            _ => short,
        };
        if short.len() == url.len() {
            return url;
        }
        url = short;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Locator;

    fn run(text: &str) -> (String, Vec<String>) {
        let evidence = Evidence {
            n: 1,
            source: "https://own.example/page".into(),
            locator: Locator::default(),
            start: 0,
            text: "See https://good.example/a_(b)?x=1, or www.good.example. javascript:alert(1)".into(),
        };
        let links = Links::new(&[evidence]);
        let mut removed = Vec::new();
        let text = links.unwrap_markup(text, &mut removed);
        (links.check_urls(&text, &mut removed), removed)
    }

    #[test]
    fn only_known_addresses_survive() {
        let cases = [
            ("See https://good.example/a_(b)?x=1.", "See https://good.example/a_(b)?x=1."),
            ("(https://own.example/page)", "(https://own.example/page)"),
            ("www.good.example, yes", "www.good.example, yes"),
            ("See http://evil.example/?q=SECRET.", "See (link removed)."),
            ("https://good.example/a_(b)?x=2", "(link removed)"),
            ("请看http://evil.example/的", "请看(link removed)"),
            ("![x](http://evil.example/?q=S)", "x"),
            ("![x](https://own.example/page)", "x"),
            ("[click](http://evil.example \"t\") me", "click me"),
            ("[page](https://own.example/page)", "page (https://own.example/page)"),
            ("[x](//evil.example/p)", "x"),
            ("[x](<http://evil.example/a b>)", "x"),
            ("[x](/relative)", "x"),
            ("[1](http://evil.example)", "[1]"),
            ("[ref]: http://evil.example", "[ref]: (link removed)"),
            ("//evil.example/p", "(link removed)"),
            ("http:\\\\evil.example", "(link removed)"),
            ("javascript:alert(1)", "(link removed)"),
            ("[x](javascript:alert(1))", "x"),
            ("data:text/html,hi", "(link removed)"),
            ("a <img src=http://evil.example/x> b", "a  b"),
            ("<img src=//evil.example/x", "img src=(link removed)"),
            ("<a href=\"http://evil.example\">t</a>", "t"),
            ("<script>x</script> <|im_end|>", "x "),
            ("HTTP://EVIL.example", "(link removed)"),
            ("http://еvil.example", "(link removed)"),
            ("a < b, c > d, and/or, 3//4, the data: 5", "a < b, c > d, and/or, 3//4, the data: 5"),
            ("Vec<String>, <b>bold</b>", "Vec<String>, <b>bold</b>"),
            ("[see](here it is)", "[see](here it is)"),
        ];
        for (given, expected) in cases {
            assert_eq!(run(given).0, expected, "{given}");
        }
    }

    #[test]
    fn what_was_removed_is_told() {
        let (_, removed) = run("![x](http://e.example/1) <img src=http://e.example/2> http://e.example/3.");
        assert_eq!(removed, ["http://e.example/2", "http://e.example/1", "http://e.example/3"]);
    }
}
