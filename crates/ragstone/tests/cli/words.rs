//! How words are scored, explained and quoted.

use crate::ask::stones;

#[test]
fn words_are_scored_as_asked_and_scores_are_explained() {
    let world = stones();
    let score = |args: &[&str]| {
        let mut all = vec!["search", "--retriever", "bm25", "-k", "1", "price of slate"];
        all.extend(args);
        world.json(&all)["hits"][0]["score"].as_f64().unwrap()
    };
    let plain = score(&[]);
    assert_eq!(score(&["--scoring", "lucene", "--k1", "1.2", "--b", "0.75"]), plain);
    for other in [&["--k1", "0.4"][..], &["--b", "0"], &["--scoring", "okapi"], &["--scoring", "tfidf"]] {
        assert_ne!(score(other), plain, "{other:?}");
    }
    assert!(score(&["--scoring", "jaccard"]) <= 1.0);

    world.write("ragstone.toml", "[search]\nscoring = \"bm25plus\"\nretriever = \"bm25\"\n");
    let found = world.json(&["search", "--explain", "price of slate, marble"]);
    let hit = &found["hits"][0];
    let explain = &hit["explain"];
    assert_eq!(explain["standing"]["ranked"], 1, "{found}");
    assert!((explain["score"].as_f64().unwrap() - hit["score"].as_f64().unwrap()).abs() < 1e-4, "{found}");
    let terms: Vec<&str> = explain["terms"].as_array().unwrap().iter().map(|t| t["term"].as_str().unwrap()).collect();
    assert!(terms.contains(&"slate"), "{terms:?}");
    for number in ["tf", "df", "len", "mean_len", "weight", "length_norm", "contribution"] {
        assert!(explain["terms"][0][number].as_f64().unwrap() > 0.0, "{number}: {explain}");
    }
    assert!(world.json(&["search", "price"])["hits"][0].get("explain").is_none());

    let text = world.run(&["search", "--explain", "price of slate"]).out;
    assert!(text.contains("rank 1 by words") && text.contains("slate ") && text.contains("tf 1, df 1"), "{text}");
}

#[test]
fn what_a_passage_lacks_is_what_was_asked_for() {
    let world = stones();
    let explained = |args: &[&str]| {
        let mut all = vec!["search", "--retriever", "bm25", "--explain", "-k", "1"];
        all.extend(args);
        (world.json(&all)["hits"][0]["explain"]["missing"].clone(), world.run(&all).out)
    };
    let question = "price of slate, mortar and a \"xylophone of granite\"";
    let missing = serde_json::json!(["mortar", "xylophone", "\"xylophone of granite\""]);
    for options in [&[][..], &["--proximity", "2"], &["--proximity", "2", "--headings-weight", "3"]] {
        let (json, text) = explained(&[options, &[question]].concat());
        assert_eq!(json, missing, "{options:?}");
        let line = "words that it does not have: mortar, xylophone, \"xylophone of granite\"";
        assert!(text.contains(line), "{text}");
    }
    let (json, _) = explained(&["--typos", "slaet xylophone"]);
    assert_eq!(json, serde_json::json!(["xylophone"]), "misspelt and found");
    let (json, _) = explained(&["--scoring", "jaccard", "--proximity", "2", question]);
    assert_eq!(json, serde_json::json!(["mortar", "xylophone"]), "phrases do not count");
}

#[test]
fn a_quoted_phrase_is_exact_with_its_stop_words() {
    let world = stones();
    let found = |query: &str| world.json(&["search", "--retriever", "bm25", "-k", "9", query])["hits"].clone();
    assert_eq!(found("+\"slowly by carbonation\"")[0]["source"], "notes/mortar.txt");
    assert_eq!(found("+\"slowly of carbonation\""), serde_json::json!([]));
    world.write("notes/hamlet.txt", "To be, or not to be: that is the question.\n");
    world.write("notes/other.txt", "Not to be or to be is the question, that is.\n");
    assert_eq!(world.run(&["index", "notes"]).code, 0);
    let hits = found("\"to be or not to be\"");
    assert_eq!((hits.as_array().unwrap().len(), &hits[0]["source"]), (1, &"notes/hamlet.txt".into()));
}

#[test]
fn meanings_have_no_words_to_explain() {
    let world = stones();
    let found = world.json(&["search", "--explain", "--retriever", "dense", "slate"]);
    assert!(found["notices"][0].as_str().unwrap().contains("no scores of words"), "{found}");
    assert!(found["hits"][0].get("explain").is_none());
}
