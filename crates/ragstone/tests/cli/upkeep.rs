//! Keeping a collection: checking, saving, moving, erasing.

use crate::run::World;
use std::fs;

/// A collection of three notes.
fn notes() -> World {
    let world = World::new();
    world.write("d/ferry.txt", "The ferry to the island leaves at seven in the morning from the north pier.");
    world.write("d/bakery.txt", "The bakery on Mill Street opens at six and sells rye bread.");
    world.write("d/secret.txt", "The code of the old safe behind the painting is nine four two seven.");
    world.json(&["index", "d"]);
    world
}

fn answers(world: &World, collection: &str) -> bool {
    let found = world.json(&["--collection", collection, "ask", "When does the ferry leave?"]);
    found["answer"].as_str().unwrap().contains("seven in the morning")
}

#[test]
fn a_sound_collection_verifies_and_compacts() {
    let world = notes();
    let shallow = world.json(&["verify"]);
    assert_eq!(shallow["sound"], true, "{shallow}");
    let deep = world.json(&["verify", "--deep"]);
    assert_eq!((&deep["sound"], &deep["verification"]["documents"]), (&true.into(), &3.into()), "{deep}");
    world.json(&["compact"]);
    world.json(&["compact", "--purge"]);
    assert!(answers(&world, ".ragstone"));
}

#[test]
fn a_damaged_index_is_named_and_repaired() {
    let world = notes();
    let segment = fs::read_dir(world.path(".ragstone")).unwrap().map(|e| e.unwrap().path());
    let segment = segment.into_iter().find(|p| p.extension().is_some_and(|e| e == "post")).unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&segment, bytes).unwrap();
    // A search used to mend the damage without a word, each time.
    let found = world.run(&["search", "tides"]);
    assert!(found.err.contains("damaged"), "{found:?}");
    let done = world.run(&["verify", "--deep", "--json"]);
    assert_eq!(done.code, 6, "{done:?}");
    let damaged = done.json()["verification"]["damaged_segments"][0].to_string();
    assert!(damaged.contains(segment.file_stem().unwrap().to_str().unwrap()), "{damaged}");
    world.json(&["verify", "--repair"]);
    world.json(&["verify", "--deep"]);
    assert!(answers(&world, ".ragstone"));
}

#[test]
fn a_backup_is_restored_and_a_damaged_one_refused() {
    let world = notes();
    world.json(&["backup", "notes.backup"]);
    let twice = world.run(&["backup", "notes.backup"]);
    assert_ne!(twice.code, 0, "an existing file is not overwritten: {twice:?}");
    // A backup that could not get its name used to stay beside it.
    fs::create_dir(world.path("folder")).unwrap();
    let folder = world.run(&["backup", "folder"]);
    assert_eq!(folder.code, 3, "{folder:?}");
    let left = fs::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with("folder")).collect();
    assert_eq!(left, ["folder"]);
    world.json(&["--collection", "again", "restore", "notes.backup"]);
    assert!(answers(&world, "again"));
    let occupied = world.run(&["--collection", "again", "restore", "notes.backup"]);
    assert_eq!(occupied.code, 8, "{occupied:?}");
    let mut bytes = fs::read(world.path("notes.backup")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    world.write("damaged.backup", bytes);
    let damaged = world.run(&["--collection", "third", "restore", "damaged.backup"]);
    assert_eq!(damaged.code, 6, "{damaged:?}");
    assert!(!world.path("third/truth.db").exists(), "nothing is put in place");
}

#[test]
fn an_export_is_lines_of_json_and_comes_back() {
    let world = notes();
    let done = world.run(&["export"]);
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<serde_json::Value> = done.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.len() >= 3, "{}", lines.len());
    assert!(done.out.contains("rye bread"));
    world.json(&["export", "notes.jsonl"]);
    // The model comes from the export.
    world.json(&["--collection", "other", "import", "notes.jsonl"]);
    assert!(answers(&world, "other"));
    world.write("cut.jsonl", &done.out.as_bytes()[..done.out.len() - 40]);
    let cut = world.run(&["--collection", "third", "import", "cut.jsonl"]);
    assert_eq!(cut.code, 3, "{cut:?}");
}

#[test]
fn what_is_erased_is_proved_gone() {
    let world = notes();
    let done = world.run(&["erase", "d/secret.txt", "--receipt", "receipt.json"]);
    assert_eq!(done.code, 0, "{done:?}");
    let receipt = fs::read_to_string(world.path("receipt.json")).unwrap();
    assert!(!receipt.contains("painting"), "a receipt does not tell what was erased");
    world.json(&["verify", "--erased", "receipt.json"]);
    for entry in fs::read_dir(world.path(".ragstone")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(8).any(|w| w == b"painting"));
    }
    let asked = world.run(&["search", "code of the safe", "--json"]).json();
    assert!(!asked.to_string().contains("nine four two seven"), "{asked}");
    assert!(answers(&world, ".ragstone"));
    // It still stands in a file that somebody put there.
    world.write(".ragstone/note.txt", "The code of the old safe behind the painting is nine four two seven.");
    let found = world.run(&["verify", "--erased", "receipt.json", "--json"]);
    assert_eq!(found.code, 6, "{found:?}");
    assert!(found.out.contains("note.txt"), "{found:?}");
}

/// `erase` that was killed halfway could not be repeated: the document was no longer listed, its text still in the files.
#[test]
fn an_erasure_that_was_interrupted_is_finished_by_another() {
    let world = notes();
    let path = world.path(".ragstone");
    let interrupt = || {
        let collection = store::Collection::open(&path, store::OpenOptions::default()).unwrap();
        let documents = base::Store::snapshot(&collection).unwrap().documents().unwrap();
        let secret = documents.iter().find(|d| d.source.ends_with("secret.txt")).unwrap();
        collection.begin_erasure(&[secret.id]).unwrap();
    };
    // Before its receipt was written, and after.
    for receipt in ["", "{\"key\""] {
        world.write("d/secret.txt", "The code of the old safe behind the painting is nine four two seven.");
        world.json(&["index", "d"]);
        interrupt();
        let searched = world.run(&["index", "d/ferry.txt"]);
        assert!(searched.err.contains("erasure was interrupted"), "{searched:?}");
        world.write("killed.json", receipt);
        let erased = world.run(&["erase", "d/secret.txt", "--receipt", "killed.json"]);
        if !receipt.is_empty() {
            // A file of the user's own is not written over.
            assert_ne!(erased.code, 0);
            fs::remove_file(world.path("killed.json")).unwrap();
            world.json(&["erase", "d/secret.txt", "--receipt", "killed.json"]);
        }
        for entry in fs::read_dir(&path).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(8).any(|w| w == b"painting"));
        }
        world.json(&["verify", "--erased", "killed.json"]);
        fs::remove_file(world.path("killed.json")).unwrap();
    }
    assert!(answers(&world, ".ragstone"));
}

/// One object, also when the erasure that was finished is another one.
#[test]
fn an_erasure_beside_an_interrupted_one_says_so_once() {
    let world = notes();
    let collection = store::Collection::open(&world.path(".ragstone"), store::OpenOptions::default()).unwrap();
    let documents = base::Store::snapshot(&collection).unwrap().documents().unwrap();
    let secret = documents.iter().find(|d| d.source.ends_with("secret.txt")).unwrap();
    collection.begin_erasure(&[secret.id]).unwrap();
    drop(collection);
    let other = world.run(&["erase", "d/bakery.txt", "--receipt", "r.json", "--json"]);
    assert_ne!(other.code, 0);
    let object: serde_json::Value = serde_json::from_str(&other.out).unwrap();
    assert!(object["error"]["message"].as_str().unwrap().contains("has been finished"), "{object}");
    world.json(&["verify", "--erased", "r.json"]);
}

#[test]
fn a_damaged_truth_is_salvaged_into_a_new_place() {
    let world = notes();
    let truth = world.path(".ragstone/truth.db");
    let mut bytes = fs::read(&truth).unwrap();
    let sound = bytes.clone();
    let mut outcomes = (0, 0);
    // One page after another.
    for page in (12_288..bytes.len()).step_by(4104).take(40) {
        bytes.copy_from_slice(&sound);
        let at = (page + 50).min(bytes.len() - 1);
        bytes[at] ^= 0xff;
        fs::write(&truth, &bytes).unwrap();
        let into = format!("saved{page}");
        let done = world.run(&["salvage", &into, "--json"]);
        match done.code {
            0 => {
                outcomes.0 += 1;
                let list = world.json(&["--collection", &into, "ls"]);
                assert!(
                    list["documents"].as_array().is_some_and(|d| !d.is_empty()) || done.out.contains("lost"),
                    "{list}"
                );
            }
            6 | 3 => outcomes.1 += 1,
            _ => panic!("{done:?}"),
        }
    }
    assert!(outcomes.0 > 0, "{outcomes:?}");
}
