//! Verifying, mending, compacting, erasing, backing up, exporting, changing the embedder.

mod copies;
mod erasing;
mod reembed;

use base::{Kind, Result, Store};
use std::path::Path;
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{Model, compare, document, is_gone, put, spec, unique_word};

const DIR: &str = "/c";

/// A disk with a collection of several segments and some deletes.
fn scene() -> (FaultDisk, Collection, Model) {
    let disk = FaultDisk::new();
    let options = OpenOptions { background: false, ..OpenOptions::create(&spec()).on(Arc::new(disk.clone())) };
    let collection = Collection::open(DIR.as_ref(), options).unwrap();
    let mut model = Model::new();
    for edition in 0..14u64 {
        let paths = [format!("{}.txt", edition % 5), format!("{}.md", edition % 4)];
        collection.commit(paths.iter().map(|path| put(path, edition)).collect()).unwrap();
        model.extend(paths.map(|path| (path, edition)));
    }
    (disk, collection, model)
}

fn check(collection: &Collection, model: &Model) {
    compare(&*collection.snapshot().unwrap(), model).unwrap();
}

fn open(disk: &FaultDisk) -> Result<Collection> {
    Collection::open(DIR.as_ref(), OpenOptions::write().on(Arc::new(disk.clone())))
}

/// Flips bits in the second half of the newest index with this ending.
fn flip(disk: &FaultDisk, ending: &str) -> String {
    let path = disk.paths().into_iter().rfind(|p| p.extension().is_some_and(|e| e == ending)).unwrap();
    let mut bytes = disk.read_file(&path).unwrap();
    let (middle, footer) = (bytes.len() / 2, bytes.len() - 80);
    bytes[middle..footer].iter_mut().for_each(|byte| *byte ^= 4);
    disk.write_file(&path, &bytes);
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_sound_collection_is_found_sound() {
    let (disk, collection, model) = scene();
    for deep in [false, true] {
        let found = collection.verify(deep).unwrap();
        assert!(found.is_sound(), "{found:?}");
        assert_eq!((found.documents, found.deep), (model.len() as u64, deep));
        assert!(found.segments > 1 && found.unknown_files.is_empty());
    }
    disk.write_file(&Path::new(DIR).join("letter.txt"), b"Dear");
    assert_eq!(collection.verify(false).unwrap().unknown_files, ["letter.txt"]);
}

/// `ragstone verify` used to call a collection sound when it had only opened its files.
#[test]
fn every_look_reads_every_byte() {
    for ending in ["vec", "post"] {
        let (disk, collection, _) = scene();
        drop(collection);
        let segment = flip(&disk, ending);
        let found = open(&disk).unwrap().verify(false).unwrap();
        assert!(found.damaged_segments.iter().any(|s| s.contains(&segment)), "{found:?}");
    }
    // The truth: some pages are free, and any byte of the others is missed.
    let (disk, collection, _) = scene();
    drop(collection);
    let path = Path::new(DIR).join("truth.db");
    let bytes = disk.read_file(&path).unwrap();
    let found = (12320..bytes.len()).step_by(4104).filter(|&page| {
        let mut damaged = bytes.clone();
        damaged[page + 100] ^= 1;
        disk.write_file(&path, &damaged);
        let looks = [false, true].map(|deep| match open(&disk).and_then(|collection| collection.verify(deep)) {
            Ok(found) => !found.damaged_documents.is_empty(),
            Err(e) => e.kind() == Kind::Corrupt,
        });
        assert_eq!(looks[0], looks[1], "byte {}", page + 100);
        looks[0]
    });
    assert!(found.count() > 5);
}

/// A compaction used to fail at the first index that it found damaged.
#[test]
fn a_compaction_makes_damaged_indexes_again() {
    for ending in ["vec", "post"] {
        let (disk, collection, model) = scene();
        drop(collection);
        let segment = flip(&disk, ending);
        let collection = open(&disk).unwrap();
        assert_eq!(collection.compact(false).unwrap().segments.1, 1);
        let notices = collection.take_notices();
        assert!(notices.iter().any(|n| n.contains(&segment)), "{notices:?}");
        assert!(collection.verify(true).unwrap().is_sound());
        check(&collection, &model);
    }
}

#[test]
fn damaged_indexes_are_named_rebuilt_and_kept_aside() {
    for ending in ["vec", "post"] {
        let (disk, collection, mut model) = scene();
        drop(collection);
        let segment = flip(&disk, ending);
        // A reader answers rightly, from indexes made in memory, and says so.
        let reader = Collection::open(DIR.as_ref(), OpenOptions::read_only().on(Arc::new(disk.clone()))).unwrap();
        check(&reader, &model);
        let notices = reader.take_notices();
        assert!(notices.iter().any(|n| n.contains("damaged")), "{notices:?}");
        let found = reader.verify(true).unwrap();
        assert!(found.damaged_segments.iter().any(|s| s.contains(&segment)), "{found:?}");
        assert!(found.damaged_documents.is_empty());
        drop(reader);
        // A writer makes new files.
        let collection = open(&disk).unwrap();
        let done = collection.repair().unwrap();
        assert!(done.iter().any(|n| n.contains(&segment)), "{done:?}");
        assert!(collection.verify(true).unwrap().is_sound());
        assert!(disk.paths().iter().any(|p| p.extension().is_some_and(|e| e == "damaged")));
        check(&collection, &model);
        collection.commit(vec![put("new", 99)]).unwrap();
        model.insert("new".into(), 99);
        check(&collection, &model);
    }
}

#[test]
fn a_damaged_truth_is_salvaged() {
    let (disk, collection, mut model) = scene();
    model.extend((0..60).map(|i| (format!("more {i}"), 5)));
    collection.commit((0..60).map(|i| put(&format!("more {i}"), 5)).collect()).unwrap();
    drop(collection);
    let truth = Path::new(DIR).join("truth.db");
    let sound = disk.read_file(&truth).unwrap();
    let (mut refusals, mut saved_most) = (0, 0);
    for page in 0..sound.len() / 4104 - 4 {
        let disk = disk.fork();
        let mut bytes = sound.clone();
        let at = 12_320 + page * 4104;
        if bytes[at..at + 4096].iter().all(|b| *b == 0) {
            continue; // never written
        }
        bytes[at + 100] ^= 1;
        disk.write_file(&truth, &bytes);
        let into = Path::new("/saved");
        match Collection::salvage(Arc::new(disk.clone()), DIR.as_ref(), into) {
            Err(e) => {
                assert_eq!(e.kind(), Kind::Corrupt, "{e:?}");
                refusals += 1;
            }
            Ok(salvage) => {
                let saved = Collection::open(into, OpenOptions::read_only().on(Arc::new(disk))).unwrap();
                let snapshot = saved.snapshot().unwrap();
                let names: Vec<String> = snapshot.documents().unwrap().into_iter().map(|d| d.source).collect();
                assert_eq!(names.len() as u64, salvage.saved);
                let part: Model =
                    model.iter().filter(|(p, _)| names.contains(p)).map(|(p, e)| (p.clone(), *e)).collect();
                assert_eq!(part.len(), names.len());
                compare(&*snapshot, &part).unwrap();
                assert!(names.len() == model.len() || !salvage.lost.is_empty(), "a loss is named");
                if !salvage.lost.is_empty() {
                    saved_most = saved_most.max(names.len());
                }
            }
        }
    }
    assert!(saved_most > 0, "something is saved of a damaged truth");
    assert!(refusals > 0, "a damaged root refuses");
}

#[test]
fn erased_means_gone_from_every_byte() {
    let (disk, collection, mut model) = scene();
    let snapshot = collection.snapshot().unwrap();
    let victim = snapshot.find("2.txt").unwrap().unwrap().id;
    let edition = model.remove("2.txt").unwrap();
    drop(snapshot);
    // Removed only, its text is still in the files.
    let before = disk.fork();
    let receipt = collection.erase(&[victim]).unwrap();
    check(&collection, &model);
    assert!(is_gone(&*collection.snapshot().unwrap(), "2.txt", edition).unwrap());
    assert!(receipt.grams.len() > 20 && receipt.documents.len() == 1, "{receipt:?}");
    assert_eq!(collection.verify_erased(&receipt).unwrap(), []);
    let word = unique_word("2.txt", edition);
    for path in disk.paths() {
        let bytes = disk.read_file(&path).unwrap();
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{}", path.display());
    }
    // Stored text is compressed and vectors are no text: pages of the old truth with such are found too.
    let id = collection.dir().to_owned();
    let truth = before.read_file(&id.join("truth.db")).unwrap();
    let (mut plain, mut other) = (0, 0);
    for page in truth.chunks(4104) {
        disk.write_file(&id.join("page"), page);
        let found = !collection.verify_erased(&receipt).unwrap().is_empty();
        let readable = page.windows(word.len()).any(|w| w == word.as_bytes());
        assert!(found || !readable, "the word is there and was not found");
        plain += usize::from(found && readable);
        other += usize::from(found && !readable);
    }
    assert!(plain > 0 && other > 0, "{plain} pages with the word, {other} without");
    disk.remove_file(&id.join("page"));
    // The same receipt finds it in the files of before, and in a file that somebody left.
    let old = Collection::open(&id, OpenOptions::read_only().on(Arc::new(before))).unwrap();
    let places: Vec<String> = old.verify_erased(&receipt).unwrap().into_iter().map(|r| r.place).collect();
    assert!(places.iter().any(|p| p.contains("2.txt")), "{places:?}");
    let once: std::collections::BTreeSet<&String> = places.iter().collect();
    assert_eq!(once.len(), places.len(), "each place is named once, not for every string in it: {places:?}");
    let text = document("2.txt", edition).document.text;
    disk.write_file(&id.join("notes.txt"), format!("He wrote: {text}").as_bytes());
    let remains = collection.verify_erased(&receipt).unwrap();
    assert_eq!((remains.len(), &remains[0].place[..]), (1, "notes.txt"));
    assert_eq!(collection.erase(&[victim]).unwrap_err().kind(), Kind::NotFound);
    // A receipt is JSON and comes back.
    let json = serde_json::to_string(&receipt).unwrap();
    assert_eq!(serde_json::from_str::<store::Receipt>(&json).unwrap(), receipt);
}

#[test]
fn purging_shrinks_and_readers_go_on() {
    let (disk, collection, mut model) = scene();
    let reader = Collection::open(DIR.as_ref(), OpenOptions::read_only().on(Arc::new(disk.clone()))).unwrap();
    let (frozen, frozen_model) = (reader.snapshot().unwrap(), model.clone());
    let done = collection.compact(true).unwrap();
    assert!(done.segments.0 > 1 && done.segments.1 == 1, "{done:?}");
    // The new truth file used to be four times as large as the old one: full of room.
    assert!(done.bytes.1 < done.bytes.0, "{done:?}");
    let again = collection.compact(true).unwrap();
    assert!(again.bytes.1 <= again.bytes.0, "{again:?}");
    compare(&*frozen, &frozen_model).unwrap();
    for edition in 100..105 {
        collection.commit(vec![put("later", edition)]).unwrap();
        model.insert("later".into(), edition);
        check(&reader, &model);
        check(&collection, &model);
    }
    drop((collection, reader, frozen));
    check(&open(&disk).unwrap(), &model);
}
