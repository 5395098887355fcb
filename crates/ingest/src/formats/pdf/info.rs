//! What a PDF says about itself: the information dictionary (ISO 32000-1, 14.3.3) and the outline (12.3.3).

use crate::formats::clean::collapsed;
use base::DocumentBuilder;
use pdf_oxide::PdfDocument;
use pdf_oxide::object::Object;
use pdf_oxide::optional_content::decode_pdf_text_string;
use std::collections::{HashMap, HashSet};

/// Most outline entries looked at; a longer one is damaged or malicious.
const OUTLINE_MAX: usize = 20_000;

/// Records title, author, subject, keywords and dates.
pub(super) fn describe(pdf: &PdfDocument, builder: &mut DocumentBuilder) {
    let Some(info) = pdf.trailer().as_dict().and_then(|t| t.get("Info")) else { return };
    let Ok(info) = pdf.resolve_object(info) else { return };
    let Some(info) = info.as_dict() else { return };
    let get = |key: &str| {
        let value = pdf.resolve_object(info.get(key)?).ok()?;
        value.as_string().map(|bytes| collapsed(&decode_pdf_text_string(bytes))).filter(|text| !text.is_empty())
    };
    if let Some(title) = get("Title").filter(|t| is_title(t)) {
        builder.title(&title);
    }
    for (key, name) in [("Author", "author"), ("Subject", "subject"), ("Keywords", "keywords")] {
        if let Some(value) = get(key) {
            builder.metadata(name, &value);
        }
    }
    if let Some(created) = get("CreationDate").as_deref().and_then(date) {
        builder.metadata("created", &created);
    }
    if let Some(language) = pdf.catalog().ok().and_then(|c| match c.as_dict()?.get("Lang")? {
        Object::String(bytes) => Some(decode_pdf_text_string(bytes)),
        _ => None,
    }) {
        builder.metadata("language", &language);
    }
}

/// Whether a title was written by a person: word processors leave file names there.
fn is_title(title: &str) -> bool {
    let lower = title.to_lowercase();
    let generated =
        ["untitled", "microsoft word", "microsoft powerpoint", "powerpoint presentation", "layout 1", "slide 1"];
    let file = [".doc", ".docx", ".dvi", ".tex", ".indd", ".qxd", ".pdf", ".ppt", ".pptx", ".rtf", ".odt", ".ps"];
    title.chars().filter(|c| c.is_alphabetic()).count() > 2
        && !generated.iter().any(|g| lower.starts_with(g))
        && !file.iter().any(|f| lower.ends_with(f))
}

/// `D:20190729004502Z` as `2019-07-29`.
fn date(text: &str) -> Option<String> {
    let digits = text.strip_prefix("D:").unwrap_or(text);
    let digits = digits.get(..8).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    let (month, day) = (&digits[4..6], &digits[6..8]);
    (("01"..="12").contains(&month) && ("01"..="31").contains(&day)).then(|| format!("{}-{month}-{day}", &digits[..4]))
}

/// Titles of the outline, as by [`key`], with their depth from 1.
///
/// Walked here and not by `pdf_oxide`, which follows an outline that bites its tail until memory ends.
pub(super) fn outline(pdf: &PdfDocument) -> HashMap<String, u8> {
    let mut levels = HashMap::new();
    let child = |of: &Object, name: &str| of.as_dict().and_then(|d| d.get(name)).cloned();
    let resolve = |object: Object| pdf.resolve_object(&object).unwrap_or(Object::Null);
    let root = pdf.catalog().ok().and_then(|c| child(&c, "Outlines")).map(resolve);
    let mut stack: Vec<(Object, u8)> =
        root.and_then(|r| child(&r, "First")).map(|first| (first, 1)).into_iter().collect();
    let mut seen = HashSet::new();
    while let Some((item, level)) = stack.pop() {
        // Items refer to each other by number; one that stands in the other itself has no way back.
        if item.as_reference().is_some_and(|r| !seen.insert(r.id)) || seen.len() > OUTLINE_MAX {
            continue;
        }
        let item = resolve(item);
        if let Some(title) = child(&item, "Title").map(resolve).and_then(|t| t.as_string().map(decode_pdf_text_string))
        {
            let key = key(&title);
            if !key.is_empty() {
                levels.entry(key).or_insert(level);
            }
        }
        stack.extend(child(&item, "Next").map(|next| (next, level)));
        if level < 6 {
            stack.extend(child(&item, "First").map(|first| (first, level + 1)));
        }
    }
    levels
}

/// A heading's letters, lower case, without its number: outline and page often differ in the rest.
pub(super) fn key(title: &str) -> String {
    let words = title.trim_start_matches(|c: char| c.is_ascii_digit() || ".-: \u{2003}".contains(c));
    words.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_titles() {
        assert_eq!(date("D:20190729004502Z").as_deref(), Some("2019-07-29"));
        assert_eq!(date("20190229"), Some("2019-02-29".into()));
        assert_eq!(date("D:2019"), None);
        assert_eq!(date("D:20191345"), None);
        assert!(is_title("A Study of Stones"));
        assert!(!is_title("Microsoft Word - report"));
        assert!(!is_title("paper.dvi"));
        assert_eq!(key("3.1  Model Set-up"), key("Model setup"));
    }
}
