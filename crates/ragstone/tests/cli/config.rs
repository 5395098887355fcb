//! Settings and usage.

use crate::run::World;

#[test]
fn values_show_where_they_came_from() {
    let world = World::new();
    world.write("ragstone.toml", "[search]\nk = 4\n");
    let output =
        world.command(["config", "--json", "--threads", "2"]).env("RAGSTONE_SEARCH_WEIGHT", "0.3").output().unwrap();
    let shown = crate::run::Done::new(output, &["config"]).json();
    assert_eq!(shown["search.k"]["value"], "4");
    assert_eq!(shown["search.k"]["origin"], "ragstone.toml");
    assert_eq!(shown["search.weight"]["origin"], "$RAGSTONE_SEARCH_WEIGHT");
    assert_eq!(shown["threads"]["origin"], "--threads");
    assert_eq!(shown["embedder"]["origin"], "default");
}

#[test]
fn a_wrong_setting_stops_everything_with_a_suggestion() {
    let world = World::new();
    world.write("ragstone.toml", "[chunk]\ntoken = 100\n[search]\nk = 0\n");
    let done = world.run(&["status"]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("did you mean chunk.tokens?") && done.err.contains("from 1 to 1000"), "{}", done.err);
}

/// A misspelt level, or one of another processor, was ignored: the program ran at its fastest and said nothing.
#[test]
fn a_level_that_this_machine_lacks_stops_everything() {
    let world = World::new();
    let run = |level: &str| {
        let output = world.command(["config"]).env("RAGSTONE_SIMD", level).output().unwrap();
        crate::run::Done::new(output, &["config"])
    };
    let elsewhere = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    for wrong in ["sse9", elsewhere] {
        let done = run(wrong);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(
            done.err.contains("$RAGSTONE_SIMD: expected a level of this machine (scalar")
                && done.err.contains(&format!("found {wrong:?}")),
            "{}",
            done.err
        );
    }
    for right in ["scalar", "Scalar", ""] {
        assert_eq!(run(right).code, 0, "{right:?}");
    }
}

#[test]
fn usage_errors_have_code_2_and_help_has_code_0() {
    let world = World::new();
    assert_eq!(world.run(&[]).code, 2);
    assert_eq!(world.run(&["serach", "x"]).code, 2);
    assert_eq!(world.run(&["search", "-k", "0", "x"]).code, 2);
    assert_eq!(world.run(&["search", "-k", "ten", "x"]).code, 2);
    for (flag, value, range) in [
        ("--k1", "101", "from 0 to 100"),
        ("--k1", "NaN", "from 0 to 100"),
        ("--b", "-0.1", "from 0 to 1"),
        ("--headings-weight", "-1", "from 0 to 1000"),
        ("--proximity", "near", "from 0 to 1000"),
        ("--scoring", "bm26", "lucene, okapi, robertson, atire, bm25plus, bm25l, tfidf, jaccard"),
    ] {
        let done = world.run(&["search", &format!("{flag}={value}"), "x"]);
        assert!(done.code == 2 && done.err.contains(range), "{done:?}");
    }
    assert_eq!(world.run(&["--help"]).code, 0);
    assert_eq!(world.run(&["ask", "--help"]).code, 0);
    assert!(world.run(&["--version"]).out.starts_with("ragstone "));
    assert!(world.run(&["completions", "bash"]).out.contains("_ragstone"));
}

#[test]
fn a_missing_collection_names_the_next_command() {
    let world = World::new();
    for args in [&["ask", "What?"][..], &["search", "x"], &["status"], &["ls"], &["rm", "--all"]] {
        let done = world.run(args);
        assert_eq!(done.code, 4, "{args:?}: {done:?}");
        assert!(done.err.contains("hint:") && done.err.contains("ragstone index"), "{args:?}: {}", done.err);
        assert!(!world.path(".ragstone").exists(), "{args:?} made a collection");
    }
    let error = world.run(&["status", "--json"]).json();
    assert_eq!(error["error"]["code"], "not_found");
}
