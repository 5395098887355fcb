//! Which part of a page is its content?

use super::blocks::{write_body, write_fragment};
use crate::formats::clean::collapsed;
use base::DocumentBuilder;
use dom_smoothie::{Config, Readability};
use ego_tree::NodeRef;
use scraper::{ElementRef, Html, Node, Selector};

/// An article with less text than this is not believed.
const ARTICLE_CHARS_MIN: usize = 250;
/// An article must hold this share of the page's text outside links and navigation.
const ARTICLE_SHARE_MIN: f64 = 0.35;
/// Pages with more elements are read whole: the algorithm scores each of them.
const ELEMENTS_MAX: usize = 50_000;
/// Pages that take more to be written as HTML again are read whole; see [`escaping`]. About a fifth of a second.
const ESCAPING_MAX: u64 = 1 << 31;

/// Writes the main content of `html`.
pub(super) fn write(html: &str, builder: &mut DocumentBuilder) {
    let page = Html::parse_document(html);
    describe(&page, builder);
    let running = running_text(&page);
    let article = if escaping(&page) <= ESCAPING_MAX { readable(html) } else { None };
    let article = article.filter(|article| {
        let chars = article.text_content.chars().filter(|c| c.is_alphanumeric()).count();
        chars >= ARTICLE_CHARS_MIN && chars as f64 >= ARTICLE_SHARE_MIN * running as f64
    });
    if let Some(article) = article {
        for (name, value) in
            [("author", article.byline), ("published", article.published_time), ("site", article.site_name)]
        {
            builder.metadata(name, value.as_deref().unwrap_or_default());
        }
        builder.title(&article.title);
        let before = builder.len();
        write_fragment(&article.content, &page, builder);
        if builder.len() > before {
            return;
        }
    }
    write_body(&page, builder);
}

fn readable(html: &str) -> Option<dom_smoothie::Article> {
    let config = Config { max_elements_to_parse: ELEMENTS_MAX, ..Config::default() };
    Readability::new(html, None, Some(config)).ok()?.parse().ok()
}

/// Most bytes that html5ever looks through to write the texts and attributes of `page` as HTML: for each `&` and each
/// character whose first byte is that of a no-break space (U+0080 to U+00BF), it looks for the next angle bracket.
fn escaping(page: &Html) -> u64 {
    let one = |text: &str| {
        let stops = text.bytes().filter(|&byte| byte == b'&' || byte == 0xC2).count();
        (stops as u64 + 1) * text.len() as u64
    };
    let is_raw = |node: NodeRef<'_, Node>| {
        let element = node.parent().and_then(ElementRef::wrap);
        element.is_some_and(|e| matches!(e.value().name(), "script" | "style"))
    };
    page.tree.root().descendants().fold(0, |sum, node| {
        sum.saturating_add(match node.value() {
            Node::Text(text) if !is_raw(node) => one(text),
            Node::Element(element) => element.attrs().map(|(_, value)| one(value)).fold(0, u64::saturating_add),
            _ => 0,
        })
    })
}

/// Title, author, description and language.
fn describe(page: &Html, builder: &mut DocumentBuilder) {
    if let Some(language) = page.root_element().attr("lang") {
        builder.metadata("language", language);
    }
    let all = |css: &str| Selector::parse(css).ok();
    for meta in all("meta[name]").iter().flat_map(|css| page.select(css)) {
        let content = collapsed(meta.attr("content").unwrap_or_default());
        match meta.attr("name").unwrap_or_default().to_ascii_lowercase().as_str() {
            "author" => builder.metadata("author", &content),
            "description" => builder.metadata("description", &content),
            "keywords" => builder.metadata("keywords", &content),
            "date" => builder.metadata("published", &content),
            _ => {}
        }
    }
    // The main heading says more than the window's title, which names the site too.
    let headings: Vec<String> = all("h1")
        .iter()
        .flat_map(|css| page.select(css))
        .take(2)
        .map(|h| collapsed(&h.text().collect::<String>()))
        .collect();
    let window =
        all("title").and_then(|css| page.select(&css).next().map(|t| collapsed(&t.text().collect::<String>())));
    match (headings.as_slice(), window) {
        ([one], Some(window)) if window.to_lowercase().contains(&one.to_lowercase()) => builder.title(one),
        (_, Some(window)) if !window.is_empty() => builder.title(&window),
        ([first, ..], _) => builder.title(first),
        _ => {}
    }
}

/// Letters outside links, navigation and scripts.
fn running_text(page: &Html) -> usize {
    let mut count = 0;
    let mut skipped = 0usize;
    for edge in page.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => match node.value() {
                Node::Element(e) => {
                    let aside = matches!(
                        e.name(),
                        "a" | "nav"
                            | "header"
                            | "footer"
                            | "aside"
                            | "script"
                            | "style"
                            | "noscript"
                            | "template"
                            | "head"
                            | "form"
                            | "svg"
                    );
                    if skipped > 0 || aside {
                        skipped += 1;
                    }
                }
                Node::Text(text) if skipped == 0 => count += text.chars().filter(|c| c.is_alphanumeric()).count(),
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) => {
                if node.value().is_element() {
                    skipped = skipped.saturating_sub(1);
                }
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of a million `&amp;` once took minutes: each was answered by a look through all the rest of the text.
    #[test]
    fn texts_that_are_slow_to_write_are_not_written() {
        let cost = |body: &str| escaping(&Html::parse_document(&format!("<!doctype html><body>{body}")));
        assert_eq!(cost("<p>plain text</p>"), 10);
        assert_eq!(cost("<p>R&amp;D</p><p title='a&amp;b'>5 \u{b0}C</p>"), 2 * 3 + 2 * 3 + 2 * 5);
        assert_eq!(cost("<script>a && b && c</script><style>a{}</style>"), 0);
        // The work doubles its share with each doubling, so that it must be bounded.
        let amount = |count: usize| cost(&format!("<p>{}</p>", "&amp;".repeat(count)));
        assert!(amount(40_000) < ESCAPING_MAX && amount(50_000) > ESCAPING_MAX);

        let mut builder = DocumentBuilder::new("html");
        write(&format!("<!doctype html><body><p>Salt {} pepper</p>", "&amp;".repeat(100_000)), &mut builder);
        let text = builder.finish().text;
        assert!(text.starts_with("Salt &&") && text.ends_with("&& pepper") && text.len() == 100_012);
    }
}
