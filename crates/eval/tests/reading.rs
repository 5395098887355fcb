//! Data sets as people have them, whole and broken.

use base::Kind;
use eval::{Dataset, Qrels, Run};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::Path;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.ends_with(".gz") {
            let mut out = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
            out.write_all(text.as_bytes()).unwrap();
            out.finish().unwrap();
        } else {
            fs::write(path, text).unwrap();
        }
    }
    dir
}

const CORPUS: &str = "\u{feff}{\"_id\": 1, \"title\": null, \"text\": \"one\"}\r\n\r\n{\"_id\": \"b\", \"title\": \"T\", \"text\": \"two\"}\n";
const QUERIES: &str = r#"{"_id": "q", "text": "which?", "metadata": {"answers": [{"text": "1"}, {"text": "uno"}]}}
{"_id": "unjudged", "text": "?"}
"#;
const QRELS: &str = "query-id\tcorpus-id\tscore\nq\t1\t2\nq\tgone\t1\nnobody\t1\t1\n";

fn error(dir: &Path) -> String {
    let error = Dataset::read(dir, None).unwrap_err();
    assert_eq!(error.kind(), Kind::BadInput, "{error}");
    error.chain()
}

#[test]
fn reads_a_folder_with_oddities() {
    let dir = folder(&[("corpus.jsonl.gz", CORPUS), ("queries.jsonl", QUERIES), ("qrels/dev.tsv", QRELS)]);
    let set = Dataset::read(dir.path(), None).unwrap();
    assert_eq!(set.docs.iter().map(|d| d.full_text()).collect::<Vec<_>>(), ["one", "T two"]);
    assert_eq!(set.docs[0].id, "1");
    assert_eq!(set.queries.len(), 1);
    assert_eq!(set.queries[0].answers(), ["1", "uno"]);
    assert_eq!(set.qrels.get("q").unwrap()["1"], 2);
    assert_eq!(set.qrels.len(), 1);
    assert_eq!(set.warnings.len(), 2, "{:?}", set.warnings);
}

#[test]
fn gzip_of_several_members_is_read_to_its_end() {
    let dir = folder(&[("queries.jsonl", QUERIES), ("qrels.tsv", QRELS)]);
    let mut bytes = Vec::new();
    for line in CORPUS.lines() {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(format!("{line}\n").as_bytes()).unwrap();
        bytes.extend(out.finish().unwrap());
    }
    fs::write(dir.path().join("corpus.jsonl.gz"), bytes).unwrap();
    assert_eq!(Dataset::read(dir.path(), None).unwrap().docs.len(), 2);
}

#[test]
fn a_split_is_chosen_by_name_and_listed_when_it_is_not_there() {
    let other = "query-id\tcorpus-id\tscore\nq\tb\t1\n";
    let dir = folder(&[
        ("corpus.jsonl", CORPUS),
        ("queries.jsonl", QUERIES),
        ("qrels/train.tsv", QRELS),
        ("qrels/dev.tsv", other),
        ("qrels_graded.tsv", other),
    ]);
    for split in ["dev", "qrels_graded"] {
        let set = Dataset::read(dir.path(), Some(split)).unwrap();
        assert!(set.qrels.get("q").unwrap().contains_key("b"), "{split}");
    }
    for split in [None, Some("tset")] {
        let error = Dataset::read(dir.path(), split).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        let hint = error.hint_line().unwrap();
        assert!(["dev", "train", "qrels_graded"].iter().all(|name| hint.contains(name)), "{hint}");
    }
}

#[test]
fn missing_files_are_named() {
    let dir = folder(&[("corpus.jsonl", CORPUS)]);
    let error = Dataset::read(dir.path(), None).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.what().contains("queries.jsonl"), "{error}");
}

#[test]
fn bad_lines_are_named_with_file_and_line() {
    for (line, complaint) in [
        ("{\"_id\": \"x\"", "JSON object"),
        ("[1]", "JSON object"),
        ("{\"text\": \"no id\"}", "_id"),
        ("{\"_id\": null, \"text\": \"x\"}", "_id"),
        ("{\"_id\": \"\", \"text\": \"x\"}", "_id"),
        ("{\"_id\": \"b\", \"text\": \"again\"}", "used before"),
        ("{\"_id\": \"x\", \"text\": 5}", "text"),
    ] {
        let corpus = format!("{CORPUS}{line}\n");
        let dir = folder(&[("corpus.jsonl", &corpus), ("queries.jsonl", QUERIES), ("qrels.tsv", QRELS)]);
        let text = error(dir.path());
        assert!(text.contains("corpus.jsonl line 4") && text.contains(complaint), "{line}: {text}");
    }
    let dir = folder(&[("corpus.jsonl", CORPUS), ("queries.jsonl", QUERIES), ("qrels.tsv", QRELS)]);
    fs::write(dir.path().join("queries.jsonl"), b"{\"_id\": \"q\", \"text\": \"\xff\"}").unwrap();
    assert!(error(dir.path()).contains("queries.jsonl line 1"));
}

#[test]
fn deep_json_is_an_error_not_an_overflow() {
    let deep = format!("{{\"_id\": \"x\", \"text\": {}", "[".repeat(200_000));
    let dir = folder(&[("corpus.jsonl", &deep), ("queries.jsonl", QUERIES), ("qrels.tsv", QRELS)]);
    assert!(error(dir.path()).contains("corpus.jsonl line 1"));
}

#[test]
fn truncated_gzip_is_an_error() {
    let dir = folder(&[("corpus.jsonl.gz", CORPUS), ("queries.jsonl", QUERIES), ("qrels.tsv", QRELS)]);
    let path = dir.path().join("corpus.jsonl.gz");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert!(Dataset::read(dir.path(), None).unwrap_err().chain().contains("corpus.jsonl.gz"));
}

#[test]
fn judgments_of_disjoint_ids_are_refused() {
    let dir = folder(&[("corpus.jsonl", CORPUS), ("queries.jsonl", QUERIES), ("qrels.tsv", "a\tb\tc\nx\ty\t1\n")]);
    assert!(error(dir.path()).contains("no query"));
}

#[test]
fn qrels_in_both_formats_and_broken_ones() {
    let dir = folder(&[
        ("beir.tsv", "query-id\tcorpus-id\tscore\nq 1\td\t1.0\nq 1\te\t-1\n"),
        ("trec.txt", "q1 0 d 1\nq1 0 e 0\n"),
        ("columns.tsv", "query-id\tcorpus-id\tscore\nq\td\n"),
        ("grade.tsv", "query-id\tcorpus-id\tscore\nq\td\thigh\n"),
        ("half.tsv", "q\td\t0.5\n"),
        ("twice.tsv", "q\td\t1\nq\td\t1\nq\td\t0\n"),
    ]);
    let read = |name: &str| Qrels::read(&dir.path().join(name));
    assert_eq!(read("beir.tsv").unwrap().get("q 1").unwrap()["e"], -1);
    assert_eq!(read("trec.txt").unwrap().get("q1").unwrap().len(), 2);
    for (name, line) in [("columns.tsv", 2), ("grade.tsv", 2), ("half.tsv", 1), ("twice.tsv", 3)] {
        let error = read(name).unwrap_err();
        assert!(error.what().contains(&format!("{name} line {line}")), "{error}");
    }
}

#[test]
fn broken_runs_are_named() {
    for (text, line) in
        [("q Q0 d 1 0.5 t\nq Q0 d 2 0.4 t\n", 2), ("q Q0 d 1 NaN t\n", 1), ("q Q0 d 1 1e99 t\n", 1), ("q d 1\n", 1)]
    {
        let dir = folder(&[("run.txt", text)]);
        let error = Run::read(&dir.path().join("run.txt")).unwrap_err();
        assert!(error.what().contains(&format!("run.txt line {line}")), "{error}");
    }
}
