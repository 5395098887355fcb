//! What the paragraph styles of a document mean.

use crate::formats::tree::Element;
use std::collections::HashMap;

/// What paragraph styles mean, by their id.
#[derive(Default)]
pub struct Styles(HashMap<String, Style>);

/// What one style means.
#[derive(Clone, Copy, Default)]
pub struct Style {
    /// 0 for a title, 1.. for headings.
    pub heading: Option<u8>,
    /// An item of a list.
    pub list: bool,
    /// A quotation.
    pub quote: bool,
    /// Below a figure or table.
    pub caption: bool,
    /// Preformatted.
    pub code: bool,
}

impl Styles {
    /// Of the part `styles.xml`.
    pub fn of(styles: &Element) -> Self {
        let mut map: HashMap<String, Style> = HashMap::new();
        let mut parents = Vec::new();
        for style in styles.elements().filter(|e| e.name == "style") {
            let Some(id) = style.get("styleId") else { continue };
            let name = style.property("name").unwrap_or(id).to_lowercase();
            let outline = style.child("pPr").and_then(|p| p.property("outlineLvl")).and_then(|l| l.parse::<u8>().ok());
            map.insert(
                id.to_owned(),
                Style::named(
                    &name,
                    outline.filter(|l| *l < 9).map(|l| l + 1),
                    style.child("pPr").is_some_and(|p| p.child("numPr").is_some()),
                ),
            );
            if let Some(parent) = style.property("basedOn") {
                parents.push((id.to_owned(), parent.to_owned()));
            }
        }
        // A style made from a heading is one; chains are short, so a few rounds reach their ends.
        for _ in 0..4 {
            for (id, parent) in &parents {
                let from = map.get(parent).copied().unwrap_or_default();
                if let Some(style) = map.get_mut(id) {
                    style.heading = style.heading.or(from.heading);
                    style.list |= from.list;
                    style.code |= from.code;
                }
            }
        }
        Styles(map)
    }

    /// The style `id`.
    pub fn get(&self, id: &str) -> Style {
        // Files without a style sheet still use the usual ids.
        self.0.get(id).copied().unwrap_or_else(|| Style::named(&id.to_lowercase(), None, false))
    }
}

impl Style {
    fn named(name: &str, outline: Option<u8>, numbered: bool) -> Self {
        let compact: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        let number =
            ["heading", "überschrift", "titre", "título", "titolo", "kop", "rubrik", "заголовок", "标题", "見出し"]
                .iter()
                .find_map(|word| compact.strip_prefix(word)?.parse::<u8>().ok());
        let heading = match compact.as_str() {
            "title" => Some(0),
            "subtitle" => Some(2),
            _ => number.filter(|n| (1..=9).contains(n)).or(outline),
        };
        Style {
            heading,
            list: compact.starts_with("list") || numbered,
            quote: compact.contains("quote"),
            caption: compact.starts_with("caption"),
            code: ["code", "sourcecode", "htmlpreformatted", "plaintext", "macrotext"].contains(&compact.as_str()),
        }
    }
}
