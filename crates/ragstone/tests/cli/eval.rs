//! `ragstone eval` on a BEIR folder.

use crate::run::World;

#[test]
fn a_small_beir_folder_is_measured() {
    let world = World::new();
    let docs = [
        ("d1", "Granite", "Granite is an igneous rock of quartz and feldspar."),
        ("d2", "Slate", "Slate splits into thin sheets and covers roofs."),
        ("d3", "", "Bread rises because yeast makes gas."),
    ];
    let lines = |rows: Vec<serde_json::Value>| rows.iter().map(|r| format!("{r}\n")).collect::<String>();
    let corpus = docs.iter().map(|(id, title, text)| serde_json::json!({"_id": id, "title": title, "text": text}));
    world.write("beir/corpus.jsonl", lines(corpus.collect()));
    let queries = [("q1", "which rock contains quartz"), ("q2", "roof covering stone"), ("q3", "why does dough rise")];
    world.write(
        "beir/queries.jsonl",
        lines(queries.iter().map(|(id, text)| serde_json::json!({"_id": id, "text": text})).collect()),
    );
    world.write("beir/qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td3\t1\n");
    for retriever in ["dense", "hybrid"] {
        let result = world.json(&["eval", "beir", "--retriever", retriever, "--run", "out.run"]);
        assert_eq!(result["metrics"]["ndcg_cut_10"], 1.0, "{result}");
        assert_eq!(result["queries"], 3);
    }
    let run = std::fs::read_to_string(world.path("out.run")).unwrap();
    assert!(run.lines().next().unwrap().split_whitespace().count() == 6, "{run}");
    let bm25 = world.json(&["eval", "beir", "--retriever", "bm25", "--collection", "kept"]);
    assert!(bm25["metrics"]["ndcg_cut_10"].as_f64().unwrap() >= 0.6, "{bm25}");
    assert!(world.path("kept").is_dir());
}

#[test]
fn a_folder_that_is_not_beir_is_named() {
    let world = World::new();
    world.write("empty/readme.txt", "nothing");
    let done = world.run(&["eval", "empty"]);
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.err.contains("corpus.jsonl"), "{}", done.err);
}
