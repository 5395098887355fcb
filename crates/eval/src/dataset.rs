//! BEIR folders (Thakur et al., NeurIPS 2021, "BEIR"): `corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv`.

use crate::lines::{for_each_line, plain_or_gz};
use crate::qrels::Qrels;
use base::{Error, Kind, Result};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A document of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    /// Unique in the set.
    pub id: String,
    /// May be empty.
    pub title: String,
    /// May be empty when there is a title.
    pub text: String,
}

impl Doc {
    /// Title and text as retrievers see them: joined by a space, as BEIR's own models do.
    pub fn full_text(&self) -> String {
        format!("{} {}", self.title, self.text).trim().to_owned()
    }
}

/// A query of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Unique in the set.
    pub id: String,
    /// The question.
    pub text: String,
    /// Whatever the set knows about it; empty when it says nothing.
    pub metadata: Map<String, Value>,
}

impl Query {
    /// The gold answers in the metadata: the strings of `answer`, `answers` or `answers[].text`.
    pub fn answers(&self) -> Vec<&str> {
        fn strings<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
            match value {
                Value::String(text) => out.push(text),
                Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
                Value::Object(fields) => fields.get("text").into_iter().for_each(|text| strings(text, out)),
                _ => {}
            }
        }
        let mut out = Vec::new();
        ["answers", "answer"].iter().filter_map(|key| self.metadata.get(*key)).for_each(|v| strings(v, &mut out));
        out
    }
}

/// A data set in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Documents in the order of the file.
    pub docs: Vec<Doc>,
    /// Queries in the order of the file; only those with judgments.
    pub queries: Vec<Query>,
    /// Judgments; only of queries that the set has.
    pub qrels: Qrels,
    /// What does not fit together (judged documents that are not in the corpus), in sentences.
    pub warnings: Vec<String>,
}

impl Dataset {
    /// Reads a folder: `corpus.jsonl`, `queries.jsonl` (each may end in `.gz`) and judgments from
    /// `qrels.tsv` or `qrels/SPLIT.tsv`. Without `split`, a `qrels.tsv` is taken, else `qrels/test.tsv`, else
    /// the only file in `qrels/`. With it, `qrels/SPLIT.tsv` or `SPLIT.tsv` in the folder itself.
    ///
    /// # Errors
    /// `NotFound` names the missing file; `BadInput` the file and line that cannot be read, or says that no
    /// query has a judgment.
    pub fn read(dir: &Path, split: Option<&str>) -> Result<Dataset> {
        let (corpus, queries) = (need(dir, "corpus.jsonl")?, need(dir, "queries.jsonl")?);
        let judged = Qrels::read(&find_qrels(dir, split)?)?;

        let mut set = Dataset::default();
        let mut ids = HashSet::new();
        for_each_line(&corpus, |_, line| {
            let mut fields = object(line)?;
            let doc = Doc {
                id: id(&fields)?,
                title: take_text(&mut fields, "title")?,
                text: take_text(&mut fields, "text")?,
            };
            if !ids.insert(doc.id.clone()) {
                return Err(format!("document id {:?} was used before", doc.id));
            }
            set.docs.push(doc);
            Ok(())
        })?;

        let mut query_ids = HashSet::new();
        for_each_line(&queries, |_, line| {
            let mut fields = object(line)?;
            let query = Query {
                id: id(&fields)?,
                text: take_text(&mut fields, "text")?,
                metadata: match fields.remove("metadata") {
                    Some(Value::Object(metadata)) => metadata,
                    _ => Map::new(),
                },
            };
            if !query_ids.insert(query.id.clone()) {
                return Err(format!("query id {:?} was used before", query.id));
            }
            set.queries.push(query);
            Ok(())
        })?;

        let (mut unknown_queries, mut unknown_docs) = (0, 0);
        for (query, docs) in judged.iter() {
            if !query_ids.contains(query) {
                unknown_queries += 1;
                continue;
            }
            unknown_docs += docs.keys().filter(|doc| !ids.contains(*doc)).count();
            for (doc, &grade) in docs {
                set.qrels.insert(query, doc, grade);
            }
        }
        set.queries.retain(|query| judged.get(&query.id).is_some());
        if set.queries.is_empty() {
            return Err(Error::new(
                Kind::BadInput,
                format!(
                    "no query of {} has a judgment ({} judged queries are not in the file)",
                    queries.display(),
                    judged.len()
                ),
            )
            .hint("the ids in the qrels file must be those of queries.jsonl"));
        }
        if unknown_queries > 0 {
            set.warnings.push(format!("{unknown_queries} judged queries are not in {}", queries.display()));
        }
        if unknown_docs > 0 {
            set.warnings.push(format!(
                "{unknown_docs} judged documents are not in {}; they count as not found",
                corpus.display()
            ));
        }
        Ok(set)
    }
}

fn need(dir: &Path, name: &str) -> Result<PathBuf> {
    plain_or_gz(dir, name).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("{} has neither {name} nor {name}.gz", dir.display()))
            .hint("a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv")
    })
}

fn find_qrels(dir: &Path, split: Option<&str>) -> Result<PathBuf> {
    let folder = dir.join("qrels");
    if let Some(split) = split {
        let name = format!("{split}.tsv");
        return plain_or_gz(&folder, &name).or_else(|| plain_or_gz(dir, &name)).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("{} has no judgments named {name}, here or in qrels/", dir.display()))
                .hint(format!("there are: {}", listing(dir, &folder)))
        });
    }
    if let Some(path) = plain_or_gz(dir, "qrels.tsv").or_else(|| plain_or_gz(&folder, "test.tsv")) {
        return Ok(path);
    }
    let mut only = tsv_files(&folder);
    match (only.pop(), only.is_empty()) {
        (Some(path), true) => Ok(path),
        _ => Err(Error::new(Kind::NotFound, format!("{} has no qrels.tsv, no qrels/test.tsv", dir.display()))
            .hint(format!("name the judgments to use; there are: {}", listing(dir, &folder)))),
    }
}

fn tsv_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| p.to_string_lossy().trim_end_matches(".gz").ends_with(".tsv"))
        .collect();
    files.sort();
    files
}

fn listing(dir: &Path, folder: &Path) -> String {
    let names: Vec<String> = [tsv_files(dir), tsv_files(folder)]
        .concat()
        .iter()
        .filter_map(|p| p.file_name())
        .map(|n| n.to_string_lossy().trim_end_matches(".gz").trim_end_matches(".tsv").to_owned())
        .collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn object(line: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("expected a JSON object, found another JSON value".into()),
        Err(e) => Err(format!("expected a JSON object: {e}")),
    }
}

/// `_id` as text; some sets have numbers.
fn id(fields: &Map<String, Value>) -> Result<String, String> {
    match fields.get("_id") {
        Some(Value::String(id)) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        Some(Value::Number(id)) => Ok(id.to_string()),
        Some(other) => Err(format!("expected a string or a number as \"_id\", found {other}")),
        None => Err("the field \"_id\" is missing".into()),
    }
}

/// A text field; absent and null are empty.
fn take_text(fields: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Ok(String::new()),
        Some(other) => Err(format!("expected a string as {name:?}, found {other}")),
    }
}
