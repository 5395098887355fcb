//! `ragstone index-advice` on a small collection.

use crate::run::World;

#[test]
fn recipes_are_measured_on_the_collections_own_vectors() {
    let world = World::new();
    for i in 0..60 {
        world.write(&format!("docs/{i}.txt"), format!("Note {i}: what stands here is about the number {}.", i * i));
    }
    world.write("few/a.txt", "A single note.");
    world.json(&["index", "docs"]);
    let advice = world.json(&["index-advice", "Flat", "Vamana8,LVQ8", "--recall", "0.9"]);
    assert_eq!(advice["chunks"], 60, "{advice}");
    assert_eq!(advice["in_use"], "SQfp16");
    let indexes = advice["indexes"].as_array().unwrap();
    let names: Vec<&str> = indexes.iter().map(|i| i["recipe"].as_str().unwrap()).collect();
    assert_eq!(names, ["Flat", "Vamana8,LVQ8"]);
    assert_eq!(indexes[0]["recall_at_10"], 1.0);
    assert!(indexes.iter().all(|i| i["recall_at_10"].as_f64().unwrap() >= 0.9), "{advice}");
    assert!(indexes.iter().all(|i| i["bytes_per_vector"].as_f64().unwrap() > 384.0), "{advice}");

    world.write("questions.txt", "which note is about 49?\n\nwhat is about 81?\n");
    let asked = world.json(&["index-advice", "LVQ8", "--queries", "questions.txt"]);
    assert_eq!(asked["queries"], 2, "{asked}");
    let table = world.run(&["index-advice", "--sample", "40"]);
    assert_eq!(table.code, 0, "{table:?}");
    assert!(table.out.contains("Vamana32,LVQ8") && table.out.contains("in use after the next merge"), "{table:?}");

    for (args, words) in [
        (&["index-advice", "Vamama8"][..], "Vamama8"),
        (&["index-advice", "--recall", "7"], "between 0 and 1"),
        (&["index-advice", "--queries", "nowhere.txt"], "nowhere.txt"),
    ] {
        let done = world.run(args);
        assert!(done.code != 0 && done.err.contains(words), "{done:?}");
    }
    world.json(&["index", "few", "--collection", "small"]);
    let few = world.run(&["index-advice", "--collection", "small"]);
    assert!(few.code != 0 && few.err.contains("expected at least 20"), "{few:?}");
}
