//! Names of models: `organisation/name`, perhaps with `@revision`.

use base::{Error, Kind, Result};
use std::fmt;

/// A checked name: it can stand in an address and in the name of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelName {
    /// `organisation/name`, or just a name for the hub's oldest models.
    id: String,
    /// A branch, a tag or a commit.
    revision: Option<String>,
}

/// Longest part of a name, as the hub has it.
const PART_CHARS_MAX: usize = 96;

impl ModelName {
    /// Reads `organisation/name` or `organisation/name@revision`.
    ///
    /// # Errors
    /// `BadInput` for anything else: addresses, paths, names with `..`.
    pub fn parse(text: &str) -> Result<ModelName> {
        let bad = || {
            Error::new(Kind::BadInput, format!("{text:?} is not the name of a model"))
                .hint("models are named organisation/name, such as sentence-transformers/all-MiniLM-L6-v2")
        };
        let (id, revision) = match text.split_once('@') {
            Some((id, revision)) => (id, Some(revision)),
            None => (text, None),
        };
        let parts: Vec<&str> = id.split('/').collect();
        let revision_parts = revision.map(|r| r.split('/').collect::<Vec<_>>()).unwrap_or_default();
        if parts.len() > 2 || !parts.iter().chain(&revision_parts).all(|part| is_plain(part)) {
            return Err(bad());
        }
        Ok(ModelName { id: id.to_owned(), revision: revision.map(str::to_owned) })
    }

    /// `organisation/name`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The revision that was asked for, `main` if none was.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// The name of its folder in the cache. No two names share one: `--` stands in no name.
    pub fn folder(&self) -> String {
        self.to_string().replace('/', "--")
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.id),
            None => f.write_str(&self.id),
        }
    }
}

/// Letters, digits, `-`, `_` and `.`, as the hub allows them; nothing that means something to a file system.
fn is_plain(part: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    part.len() <= PART_CHARS_MAX
        && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && edge(part.chars().next())
        && !part.ends_with('.')
        && !part.contains("..")
        && !part.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names() {
        let name = ModelName::parse("sentence-transformers/all-MiniLM-L6-v2@v1.0").unwrap();
        assert_eq!((name.id(), name.revision()), ("sentence-transformers/all-MiniLM-L6-v2", "v1.0"));
        assert_eq!(name.folder(), "sentence-transformers--all-MiniLM-L6-v2@v1.0");
        assert_eq!(ModelName::parse("gpt2").unwrap().revision(), "main");
        for wrong in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "../../x",
            "a/..",
            "a/.b",
            "https://huggingface.co/a/b",
            "http://evil",
            "a\\b",
            "a/b c",
            "a/b\0",
            "a/b@",
            "a/b@../x",
            "a--b/c",
            "ä/b",
            "a/b.",
            "C:x",
        ] {
            let error = ModelName::parse(wrong).unwrap_err();
            assert_eq!(error.kind(), Kind::BadInput, "{wrong}");
        }
        assert!(ModelName::parse(&"a".repeat(97)).is_err());
    }

    proptest! {
        #[test]
        fn a_folder_is_one_part_of_a_path(text in "[a-zA-Z0-9@/._ -]{1,20}") {
            if let Ok(name) = ModelName::parse(&text) {
                let folder = name.folder();
                let parts = std::path::Path::new(&folder).components().collect::<Vec<_>>();
                prop_assert!(matches!(parts.as_slice(), [std::path::Component::Normal(_)]), "{}", folder);
                prop_assert!(!folder.starts_with('.'));
            }
        }
    }
}
