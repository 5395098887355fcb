//! Indexing, searching, asking.

use crate::run::{World, check_slices};

const STONE: &str = "Ragstone\n========\n\nKentish ragstone is a hard grey limestone. It was quarried near Maidstone \
                     since Roman times.\n\nThe Tower of London was built with Kentish ragstone in the 1070s. \
                     Café walls — naïve ones — crumble.\n";

pub(crate) fn stones() -> World {
    let world = World::new();
    world.write("notes/stone.md", STONE);
    world.write(
        "notes/mortar.txt",
        "Lime mortar hardens slowly by carbonation. Hydraulic lime sets under water.\n\nA strong mortar cracks soft stone.\n",
    );
    world.write("notes/prices.csv", "stone,price per tonne\ngranite,90\nslate,140\nragstone,75\n");
    assert_eq!(world.run(&["index", "notes"]).code, 0);
    world
}

#[test]
fn a_question_is_answered_with_exact_quotes() {
    let world = stones();
    let answer = world.json(&["ask", "Where was ragstone quarried?"]);
    assert_eq!(answer["abstained"], false, "{answer}");
    assert_eq!(answer["generator"], "extractive");
    let citations = answer["citations"].as_array().unwrap();
    assert!(answer["answer"].as_str().unwrap().contains("Maidstone"), "{answer}");
    assert_eq!(citations[0]["n"], 1);
    assert_eq!(citations[0]["source"], "notes/stone.md");
    assert_eq!(citations[0]["locator"]["line"], 4);
    check_slices(&world, citations, "quote");
    for name in ["question", "confidence", "timings"] {
        assert!(!answer[name].is_null(), "{name}");
    }
    // Plain formats keep their own text, so the offsets hold in the file itself, counted in characters.
    let (start, end) =
        (citations[0]["start"].as_u64().unwrap() as usize, citations[0]["end"].as_u64().unwrap() as usize);
    let slice: String = STONE.chars().skip(start).take(end - start).collect();
    assert_eq!(slice, citations[0]["quote"].as_str().unwrap());
}

#[test]
fn rows_are_read_with_the_names_of_their_columns() {
    let world = stones();
    let answer = world.json(&["ask", "How much is slate per tonne?"]);
    let text = answer["answer"].as_str().unwrap();
    assert!(text.contains("stone: slate; price per tonne: 140 ["), "{answer}");
    // Rows of other stones once stood beside it, because their columns are the same.
    assert!(!text.contains("granite") && !text.contains("ragstone"), "{answer}");
    let citations = answer["citations"].as_array().unwrap();
    check_slices(&world, citations, "quote");
    assert!(citations.iter().all(|c| text.contains(&format!("[{}]", c["n"]))), "{answer}");
}

/// A row of a passage that began in the middle of its table was once quoted with its bare separators.
#[test]
fn rows_far_below_their_header_have_the_names_of_their_columns_too() {
    let world = World::new();
    let towns: Vec<String> = (0..120).map(|i| format!("{},{},{}", town(i), 300 + i, i % 7)).collect();
    world.write("rain.csv", format!("town,rain,stations\n{}\n", towns.join("\n")));
    let barred: Vec<String> = (0..120).map(|i| format!("| {}ia | {} | {} |", town(i), 900 + i, i % 5)).collect();
    let table = format!("| Town | Snow | Posts |\n|------|------|-------|\n{}\n", barred.join("\n"));
    world.write("snow.md", format!("# Snow\n\nIt was cold.\n\n{table}"));
    assert_eq!(world.run(&["index", "rain.csv", "snow.md"]).code, 0);
    for (asked, row, header) in [
        (
            format!("How much rain fell on {}?", town(100)),
            format!("town: {}; rain: 400; stations: 2 [1][2]", town(100)),
            "town,rain,stations",
        ),
        (
            format!("How much snow fell on {}ia?", town(100)),
            format!("Town: {}ia; Snow: 1000; Posts: 0 [1][2]", town(100)),
            "| Town | Snow | Posts |",
        ),
    ] {
        let answer = world.json(&["ask", "--sentences", "1", &asked]);
        assert_eq!(answer["answer"], row, "{answer}");
        let citations = answer["citations"].as_array().unwrap();
        assert_eq!((citations.len(), &citations[0]["quote"]), (2, &header.into()), "{answer}");
        check_slices(&world, citations, "quote");
    }
}

/// The title of such an export was once quoted for its rows, and rows between semicolons were sentences.
#[test]
fn exports_with_titles_and_semicolons_are_tables() {
    let world = World::new();
    let rows = |separator: &str, first: usize| -> String {
        (0..60).map(|i| [town(i), (first + i).to_string(), (i % 7).to_string()].join(separator) + "\n").collect()
    };
    world.write("titled.csv", format!("Rain in 2024,,\n,,\nTown,Rain,Posts\n{}", rows(",", 300)));
    world.write("semicolons.csv", format!("Ort;Schnee;Stationen\n{}", rows(";", 700)));
    for (file, header, first) in
        [("titled.csv", "Town Rain Posts", 300), ("semicolons.csv", "Ort Schnee Stationen", 700)]
    {
        let names: Vec<&str> = header.split(' ').collect();
        for i in [3, 50] {
            let question = format!("How much {} is there in {}?", names[1], town(i));
            let answer = world.json(&["ask", "--docs", file, "--sentences", "1", &question]);
            let row = format!("{}: {}; {}: {}; {}: {}", names[0], town(i), names[1], first + i, names[2], i % 7);
            assert_eq!(answer["answer"], format!("{row} [1][2]"), "{file}: {answer}");
        }
    }
}

/// Names that are no words and no numbers.
fn town(i: usize) -> String {
    let syllables = ["bor", "den", "fal", "gim", "hul", "kem", "lor", "mat", "nis", "pol", "rud"];
    format!("{}{}{}", syllables[i % 11].to_uppercase(), syllables[i / 11], syllables[(i * 7 + 3) % 11])
}

#[test]
fn misspelt_words_are_read_as_they_were_meant_and_names_are_not() {
    let world = stones();
    let answer = world.json(&["ask", "Where was ragstone quaried?"]);
    assert_eq!(answer["question"], "Where was ragstone quaried?");
    assert!(answer["answer"].as_str().unwrap().contains("Maidstone"), "{answer}");
    let notice = answer["notices"][0].as_str().unwrap();
    assert!(notice.contains("read \"quaried\" as \"quarried\""), "{answer}");
    let asked = |question: &str| world.json(&["ask", question]).to_string();
    for question in ["What did the company Garnite pay in wages?", "Garnite paid which wages for slate?"] {
        let answer = asked(question);
        assert!(!answer.contains("read \\\""), "{answer}");
    }
    let question = "What did the company Garnite pay in wages?";
    assert!(asked(question).contains("did you mean \\\"granite\\\"?"), "{}", asked(question));
    // Nothing of a removed document is suggested, nor read into a question.
    world.json(&["rm", "notes/prices.csv"]);
    for question in [question, "What is the price of garnite mortar?"] {
        assert!(!asked(question).contains("granite"), "{}", asked(question));
    }
}

#[test]
fn text_output_has_numbered_sources() {
    let world = stones();
    let done = world.run(&["ask", "Where was ragstone quarried?"]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("[1] notes/stone.md, line 4"), "{}", done.out);
}

#[test]
fn documents_that_do_not_answer_are_no_answer() {
    let world = stones();
    let answer = world.json(&["ask", "Who won the football world cup in 1998?"]);
    assert_eq!(answer["abstained"], true, "{answer}");
    assert_eq!(answer["citations"].as_array().unwrap().len(), 0);
    assert!(!answer["nearest"].as_array().unwrap().is_empty());
}

#[test]
fn a_refusal_names_only_words_that_stand_nowhere() {
    let world = stones();
    let notices = |question: &str| -> Vec<String> {
        let answer = world.json(&["ask", question]);
        assert_eq!(answer["abstained"], true, "{answer}");
        answer["notices"].as_array().into_iter().flatten().map(|n| n.as_str().unwrap().to_owned()).collect()
    };
    // The index keeps no stop words, so it cannot say that no document holds "after".
    assert_eq!(notices("What happened after the xylophone concert?").len(), 1);
    let notice = notices("Who came after the xylophonne?").join(" ");
    assert!(notice.contains("\"xylophonne\"") && !notice.contains("after"), "{notice}");
    assert_eq!(notices("what is it and who are they"), ["the question has only common words; name what it is about"]);
    assert!(!notices("谁赢得了比赛").join(" ").contains("no document holds"));
}

#[test]
fn every_retriever_finds_and_slices_hold() {
    let world = stones();
    for retriever in ["bm25", "dense", "hybrid"] {
        let found = world.json(&["search", "--retriever", retriever, "-k", "3", "price of slate"]);
        let hits = found["hits"].as_array().unwrap();
        assert_eq!(hits[0]["source"], "notes/prices.csv", "{retriever}: {found}");
        assert_eq!(hits[0]["rank"], 1);
        let parts = hits[0]["parts"].as_object().unwrap();
        assert_eq!(parts.contains_key("bm25"), retriever != "dense");
        check_slices(&world, hits, "text");
    }
}

#[test]
fn words_count_by_field_and_place_and_in_spite_of_typos_when_asked() {
    let world = stones();
    // Long enough for a second chunk, which carries the headings: the first has them in its text.
    let body = "Mortar fills the joints of a wall and keeps the rain out of it. ".repeat(40);
    world.write("notes/walls.md", format!("# Masonry\n\n## Pointing\n\n{body}\n"));
    assert_eq!(world.run(&["index", "notes"]).code, 0);
    let found = |args: &[&str]| {
        let mut all = vec!["search", "--retriever", "bm25", "-k", "1"];
        all.extend(args);
        world.json(&all)["hits"].clone()
    };
    let score = |args: &[&str]| found(args)[0]["score"].as_f64().unwrap();
    assert!(score(&["--proximity", "2", "grey limestone"]) > score(&["grey limestone"]));
    assert!(score(&["--headings-weight", "3", "pointing"]) > score(&["pointing"]));
    assert_eq!(found(&["ragstonne"]).as_array().unwrap().len(), 0);
    assert_eq!(found(&["--typos", "ragstonne"])[0]["source"], "notes/stone.md");
    world.write("ragstone.toml", "[search]\ntypos = true\n");
    assert_eq!(found(&["ragstonne"])[0]["source"], "notes/stone.md");
}

#[test]
fn what_was_not_read_as_meant_is_said() {
    let world = stones();
    let question = "Where was \"ragstone quarried?";
    let found = world.json(&["search", question]);
    assert!(found["notices"][0].as_str().unwrap().contains("quotation mark"), "{found}");
    assert!(found["hits"][0]["source"] == "notes/stone.md", "{found}");
    assert!(world.json(&["search", "ragstone"]).get("notices").is_none());
    let done = world.run(&["search", question]);
    assert!(done.err.contains("quotation mark") && !done.out.contains("quotation mark"), "{done:?}");
    let answer = world.json(&["ask", question]);
    assert!(answer["notices"][0].as_str().unwrap().contains("quotation mark"), "{answer}");
}

#[test]
fn ask_with_docs_needs_no_collection_and_leaves_nothing_beside_them() {
    let world = World::new();
    world.write("docs/a.txt", "The lighthouse keeper was called Miriam Oakes. She kept bees.");
    for _ in 0..2 {
        let answer = world.json(&["ask", "--docs", "docs", "What was the lighthouse keeper called?"]);
        assert!(answer["answer"].as_str().unwrap().contains("Miriam Oakes"), "{answer}");
        assert_eq!(answer["citations"][0]["source"], "docs/a.txt");
    }
    assert!(!world.path("docs/.ragstone").exists() && !world.path(".ragstone").exists());
}

/// What was indexed once stood before the answer on standard output.
#[test]
fn ask_with_docs_prints_the_answer_and_nothing_else() {
    let world = World::new();
    world.write("docs/a.txt", "The lighthouse keeper was called Miriam Oakes. She kept bees.");
    let done = world.run(&["ask", "--docs", "docs", "What was the lighthouse keeper called?"]);
    assert!(done.out.starts_with("The lighthouse keeper was called Miriam Oakes. [1]"), "{done:?}");
    assert!(done.err.contains("1 file seen: 1 indexed"), "{done:?}");
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let world = World::new();
    world.write("docs/a.txt", "The lighthouse keeper was called Miriam Oakes. She kept bees.");
    world.json(&["ask", "--docs", "docs", "Who kept bees?"]);
    let mut truncated = 0;
    for entry in walk(&world.path("cache")) {
        std::fs::write(&entry, b"garbage").unwrap();
        truncated += 1;
    }
    assert!(truncated > 0);
    let answer = world.json(&["ask", "--docs", "docs", "What was the lighthouse keeper called?"]);
    assert!(answer["answer"].as_str().unwrap().contains("Miriam Oakes"), "{answer}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn standard_input_is_a_document_and_a_question() {
    use std::io::Write;
    let world = World::new();
    let feed = |args: &[&str], text: &str| {
        let mut child = world
            .command(args)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        crate::run::Done::new(child.wait_with_output().unwrap(), args)
    };
    let done = feed(&["index", "-", "--name", "letter.md", "--json"], "# Letter\n\nThe harvest begins on Tuesday.\n");
    assert_eq!((done.code, done.json()["indexed"].as_u64()), (0, Some(1)), "{done:?}");
    let done = feed(&["ask", "-", "--json"], "When does the harvest begin?");
    assert_eq!(done.json()["citations"][0]["source"], "letter.md", "{done:?}");
}

#[test]
fn status_ls_and_rm() {
    let world = stones();
    let status = world.json(&["status"]);
    assert_eq!(status["documents"], 3);
    assert!(status["chunks"].as_u64().unwrap() >= 3);
    let listed = world.json(&["ls"]);
    assert_eq!(listed["documents"].as_array().unwrap().len(), 3);
    assert_eq!(world.run(&["rm", "notes/absent.txt"]).code, 4);
    assert_eq!(world.json(&["rm", "notes/stone.md"])["removed"][0], "notes/stone.md");
    assert_eq!(world.json(&["status"])["documents"], 2);
    let hits = world.json(&["search", "Maidstone"])["hits"].clone();
    assert!(hits.as_array().unwrap().iter().all(|h| h["source"] != "notes/stone.md"), "{hits}");
    world.json(&["rm", "--all"]);
    assert_eq!(world.json(&["status"])["chunks"], 0);
    assert_eq!(world.json(&["search", "Maidstone"])["hits"].as_array().unwrap().len(), 0);
}

#[test]
fn parts_lists_every_family() {
    let world = World::new();
    let parts = world.json(&["parts"]);
    for family in ["formats", "chunkers", "embedders", "retrievers", "generators"] {
        assert!(!parts[family].as_array().unwrap().is_empty(), "{family}");
    }
}
