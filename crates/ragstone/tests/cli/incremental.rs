//! Only what changed is read again, and what is gone is gone.

use crate::run::World;
use std::fs;

fn essay(subject: &str) -> String {
    let paragraph = |n: u32| {
        format!("Section {n} of the essay on {subject} weighs the evidence at length, step {n} by step {}. ", n + 1)
            .repeat(12)
    };
    (0..6).map(|n| paragraph(n) + "\n\n").collect()
}

#[test]
fn unchanged_changed_touched_and_removed() {
    let world = World::new();
    let essay_path = world.write("d/essay.txt", essay("granite"));
    world.write("d/short.txt", "A short note about slate.");
    world.write("d/gone.txt", "A note about marble that will vanish.");
    let first = world.json(&["index", "d"]);
    assert_eq!((first["indexed"].as_u64(), first["seen"].as_u64()), (Some(3), Some(3)), "{first}");

    let second = world.json(&["index", "d"]);
    assert_eq!((second["indexed"].as_u64(), second["unchanged"].as_u64()), (Some(0), Some(3)), "{second}");

    // Only the times change.
    let bytes = fs::read(&essay_path).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    fs::File::options().write(true).open(&essay_path).unwrap().set_modified(later).unwrap();
    let touched = world.json(&["index", "d"]);
    assert_eq!((touched["indexed"].as_u64(), touched["unchanged"].as_u64()), (Some(0), Some(3)), "{touched}");

    // One paragraph more: the others keep their vectors.
    fs::write(&essay_path, [bytes.as_slice(), b"A last word on obsidian."].concat()).unwrap();
    fs::remove_file(world.path("d/gone.txt")).unwrap();
    let changed = world.json(&["index", "d"]);
    assert_eq!((changed["indexed"].as_u64(), changed["removed"].as_u64()), (Some(1), Some(1)), "{changed}");
    let (chunks, reused) = (changed["chunks"].as_u64().unwrap(), changed["chunks_reused"].as_u64().unwrap());
    assert!(chunks > 3 && reused > 0 && reused + 2 >= chunks, "{changed}");

    let hits = world.json(&["search", "--retriever", "bm25", "obsidian"]);
    assert_eq!(hits["hits"][0]["source"], "d/essay.txt");
    let gone = world.json(&["search", "--retriever", "bm25", "marble"]);
    assert_eq!(gone["hits"].as_array().unwrap().len(), 0, "{gone}");
}

#[test]
fn another_chunk_size_cuts_again() {
    let world = World::new();
    world.write("d/essay.txt", essay("granite"));
    let large = world.json(&["index", "d"])["chunks"].as_u64().unwrap();
    let small = world.json(&["index", "d", "--chunk-tokens", "60"]);
    assert_eq!(small["indexed"], 1);
    assert!(small["chunks"].as_u64().unwrap() > large, "{small}");
}

#[test]
fn a_missing_root_removes_nothing() {
    let world = World::new();
    world.write("d/a.txt", "A note about slate.");
    world.json(&["index", "d"]);
    fs::rename(world.path("d"), world.path("away")).unwrap();
    let done = world.run(&["index", "d", "--json"]);
    assert_eq!(done.code, 3);
    assert_eq!(done.json()["removed"], 0);
    assert_eq!(world.json(&["status"])["documents"], 1);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_consistent_and_goes_on() {
    let world = World::new();
    for n in 0..150 {
        world.write(
            &format!("d/{n:03}.txt"),
            format!("Stone number {n} is the stone that was found on day {n}. ").repeat(40),
        );
    }
    let mut child = world.command(["index", "d", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    // A quick machine may be done before the signal.
    assert!(!killed.success() || matches!(status.code(), Some(130 | 0)), "{status:?}");
    let stored = world.json(&["status"])["documents"].as_u64().unwrap();
    let rest = world.json(&["index", "d"]);
    assert_eq!(rest["unchanged"].as_u64().unwrap(), stored);
    assert_eq!(rest["indexed"].as_u64().unwrap() + stored, 150);
    assert_eq!(world.json(&["status"])["documents"], 150);
}

/// A file's time is compared, never ordered: a clock that was wrong by years hides no change.
#[test]
fn a_clock_that_jumps_hides_no_change() {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    let world = World::new();
    let now = SystemTime::now();
    // Ten years on, back again, a year before, two before the beginning, and the leap day of a leap century.
    let leap_day = UNIX_EPOCH + Duration::from_secs(951_782_400);
    let times = [now, now + 10 * YEAR, now, now - YEAR, UNIX_EPOCH - YEAR, UNIX_EPOCH - 2 * YEAR, leap_day];
    for (word, time) in ["basalt", "cherts", "dacite", "gabbro", "gneiss", "schist", "marble"].into_iter().zip(times) {
        let path = world.write("d/note.txt", format!("A note about {word} of the same length."));
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let done = world.json(&["index", "d"]);
        assert_eq!(done["indexed"], 1, "{word}: {done}");
        let hits = world.json(&["search", "--retriever", "bm25", word]);
        assert_eq!(hits["hits"].as_array().unwrap().len(), 1, "{word}: {hits}");
        assert_eq!(world.json(&["index", "d"])["unchanged"], 1, "{word}");
    }
    world.json(&["verify", "--deep"]);
    world.json(&["erase", "d/note.txt"]);
    world.json(&["verify", "--erased", "erasure-receipt.json"]);
}
