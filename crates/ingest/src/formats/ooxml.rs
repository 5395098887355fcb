//! What DOCX, PPTX and XLSX share: the relations between parts and the core properties (ISO/IEC 29500-2).

use super::archive::{Archive, is_zip};
use super::tree::parse;
use base::{DocumentBuilder, Limits};
use std::collections::HashMap;

/// A relation of a part to another one.
#[derive(Debug)]
pub struct Relation {
    /// A URI that ends in what the target is (`/officeDocument`, `/slide`).
    pub kind: String,
    /// The target's name in the container.
    pub target: String,
}

/// The relations of the part `name` (empty for the whole container), by id.
pub fn relations(archive: &mut Archive<'_>, name: &str, limits: &Limits) -> HashMap<String, Relation> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let path = if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
    let Some(xml) = archive.read_optional(&path) else { return HashMap::new() };
    let (root, _) = parse(&xml, limits);
    root.elements()
        .filter(|r| r.get("TargetMode") != Some("External"))
        .filter_map(|r| {
            let target = resolve(folder, r.get("Target")?);
            Some((r.get("Id")?.to_owned(), Relation { kind: r.get("Type")?.to_owned(), target }))
        })
        .collect()
}

/// The name in the container of `target` as written in a part in `folder`.
pub fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|s| !s.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// Records title, author, dates and the like.
pub fn core_properties(archive: &mut Archive<'_>, limits: &Limits, builder: &mut DocumentBuilder) {
    let Some(xml) = archive.read_optional("docProps/core.xml") else { return };
    let (root, _) = parse(&xml, limits);
    for property in root.elements() {
        let text = property.text();
        match property.name.as_str() {
            "title"
                if !matches!(
                    text.trim().to_lowercase().as_str(),
                    "powerpoint presentation" | "word document" | "pptx" | "untitled"
                ) =>
            {
                builder.title(&text)
            }
            "creator" => builder.metadata("author", &text),
            "subject" => builder.metadata("subject", &text),
            "keywords" => builder.metadata("keywords", &text),
            "description" => builder.metadata("description", &text),
            "language" => builder.metadata("language", &text),
            "created" => builder.metadata("created", text.get(..10).unwrap_or(&text)),
            "modified" => builder.metadata("modified", text.get(..10).unwrap_or(&text)),
            _ => {}
        }
    }
}

/// Whether a container whose main part has another name is still this kind, going by the file's extension and
/// the folder `prefix` of its parts.
pub fn has_part(bytes: &[u8], name: &str, prefix: &str) -> bool {
    let lower = name.to_lowercase();
    let fits = match prefix {
        "word/" => lower.ends_with(".docx") || lower.ends_with(".docm"),
        "ppt/" => lower.ends_with(".pptx") || lower.ends_with(".pptm"),
        _ => false,
    };
    // `[Content_Types].xml` is in every such package, usually first.
    fits && is_zip(bytes) && super::archive::lists(bytes, "[Content_Types].xml")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn targets_are_resolved() {
        assert_eq!(resolve("ppt/slides", "../media/a.png"), "ppt/media/a.png");
        assert_eq!(resolve("word", "/word/styles.xml"), "word/styles.xml");
        assert_eq!(resolve("", "word/document.xml"), "word/document.xml");
        assert_eq!(resolve("a", "../../../etc/passwd"), "etc/passwd");
    }
}
