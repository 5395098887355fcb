//! Verifying, mending, compacting, erasing, backing up, exporting, changing the embedder.

use base::{Change, EmbedSpec, Embedder, Kind, Result, Role, Storage, Store, TokenCounter};
use std::path::Path;
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{DIMENSION, Model, compare, document, is_gone, put, spec, unique_word, vector};

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

#[test]
fn a_backup_is_a_collection_again_or_refused() {
    let (disk, collection, mut model) = scene();
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let (file, into) = (Path::new("/c.backup"), Path::new("/restored"));
    collection.backup(file).unwrap();
    let saved = model.clone();
    collection.commit(vec![put("0.txt", 77)]).unwrap();
    model.insert("0.txt".into(), 77);
    assert_eq!(collection.backup(file).unwrap_err().kind(), Kind::Conflict);
    // While it was written, a backup used to be called like this, and a file of that name was lost.
    let letter = Path::new("/letters.part");
    disk.write_file(letter, b"Dear");
    collection.backup(Path::new("/letters.backup")).unwrap();
    assert_eq!(disk.read_file(letter).as_deref(), Some(&b"Dear"[..]));
    let restored = Collection::restore(storage.clone(), file, into).unwrap();
    assert!(restored.is_sound(), "{restored:?}");
    let copy = Collection::open(into, OpenOptions::write().on(storage.clone())).unwrap();
    check(&copy, &saved);
    copy.commit(vec![put("0.txt", 78)]).unwrap();
    check(&collection, &model);
    assert_eq!(Collection::restore(storage, file, into).unwrap_err().kind(), Kind::Conflict);
    // Any changed byte, cut or tail is refused before anything is written.
    let bytes = disk.read_file(file).unwrap();
    let refused = |bytes: &[u8]| {
        let disk = FaultDisk::new();
        disk.create_dir(Path::new("/")).unwrap();
        disk.write_file(file, bytes);
        let error = Collection::restore(Arc::new(disk.clone()), file, into).unwrap_err();
        assert!(matches!(error.kind(), Kind::Corrupt | Kind::BadInput | Kind::Unsupported), "{error:?}");
        assert_eq!(disk.paths(), [file]);
    };
    for at in (0..bytes.len()).step_by(bytes.len() / 60 + 1) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 1 << (at % 8);
        refused(&wrong);
        refused(&bytes[..at]);
    }
    refused(&[&bytes[..], b"more"].concat());
}

/// What a restoration left when it was killed used to stand in the way of the next.
#[test]
fn an_interrupted_restoration_is_done_again() {
    let (disk, collection, model) = scene();
    let (file, into) = (Path::new("/c.backup"), Path::new("/restored"));
    collection.backup(file).unwrap();
    let restore = |disk: &FaultDisk| Collection::restore(Arc::new(disk.clone()), file, into);
    let sound = disk.fork();
    restore(&sound).unwrap();
    let mut interrupted = 0;
    for call in (0..sound.calls()).rev().step_by(7) {
        let killed = disk.fork();
        let mut log = killed.start_log();
        killed.fail_call(call, std::io::ErrorKind::Other, true);
        if restore(&killed).is_ok() {
            continue;
        }
        // Either the end of the process, which leaves everything it wrote, or of the computer.
        log.play_to(killed.logged());
        killed.heal();
        for disk in [killed, log.image(0), log.image(call | 2)] {
            let there = disk.paths().iter().any(|path| path.ends_with("restored/truth.db"));
            if !there {
                restore(&disk).unwrap_or_else(|e| panic!("call {call}: {e:?}"));
                interrupted += 1;
            }
            let options = OpenOptions::write().on(Arc::new(disk));
            check(&Collection::open(into, options).unwrap(), &model);
        }
    }
    assert!(interrupted > 10, "{interrupted}");
    // A collection that lost its truth is not written over.
    for name in ["truth.db", "head"] {
        sound.remove_file(&into.join(name));
        let refused = restore(&sound).is_err();
        assert!(refused, "without {name}");
    }
}

#[test]
fn an_export_comes_back_the_same() {
    let (disk, collection, model) = scene();
    let mut lines = Vec::new();
    assert_eq!(collection.export(&mut lines).unwrap(), model.len() as u64);
    let first = std::str::from_utf8(&lines).unwrap().lines().next().unwrap();
    let options = OpenOptions::create(&Collection::export_spec(first).unwrap()).on(Arc::new(disk));
    let copy = Collection::open("/copy".as_ref(), options).unwrap();
    assert_eq!(copy.import(&mut &lines[..]).unwrap(), model.len() as u64);
    check(&copy, &model);
    let mut again = Vec::new();
    copy.export(&mut again).unwrap();
    assert!(again == lines, "exporting the import gives the same bytes");
    let text = String::from_utf8(lines).unwrap();
    for (wrong, says) in [
        ("", "empty"),
        ("{}\n", "line 1"),
        (&text.replacen("\"ragstone_export\":1", "\"ragstone_export\":9", 1), "format 9"),
        (&text.replacen("made-up-1", "made-up-2", 1), "made-up"),
        (&text.replace("\"tokens\":8", "\"tokens\":-8"), "line 2"),
        (&text.replacen("\"hash\":\"", "\"hash\":\"zz", 1), "line 2"),
    ] {
        let error = copy.import(&mut wrong.as_bytes()).unwrap_err();
        assert!(error.what().contains(says), "{error:?} should say {says}");
    }
}

/// An import that failed in its middle used to say that nothing was changed.
#[test]
fn a_failed_import_says_what_it_stored() {
    let disk = FaultDisk::new();
    let options = |dir: &str| {
        disk.create_dir(Path::new(dir)).unwrap();
        OpenOptions::create(&spec()).on(Arc::new(disk.clone()))
    };
    let collection = Collection::open(DIR.as_ref(), options(DIR)).unwrap();
    collection.commit((0..300).map(|i| put(&format!("{i}.txt"), i)).collect()).unwrap();
    let mut lines = Vec::new();
    collection.export(&mut lines).unwrap();
    let whole = lines.clone();
    lines.extend_from_slice(b"{}\n");
    let copy = Collection::open("/copy".as_ref(), options("/copy")).unwrap();
    let error = copy.import(&mut &lines[..]).unwrap_err();
    let stored = copy.snapshot().unwrap().stats().unwrap().documents;
    assert!((1..300).contains(&stored), "{stored}");
    assert!(error.hint_line().unwrap().contains(&format!("{stored} documents")), "{error:?}");
    assert_eq!(copy.import(&mut &whole[..]).unwrap(), 300);
    assert_eq!(copy.snapshot().unwrap().stats().unwrap().documents, 300);
}

/// Gives texts vectors by their bytes; fails after some texts, as an interrupted run does.
struct Other {
    spec: EmbedSpec,
    texts_left: std::sync::atomic::AtomicI64,
}

impl Other {
    fn new(dimension: usize, texts: i64) -> Other {
        let spec = EmbedSpec { name: "other".into(), dimension, fingerprint: format!("other-{dimension}"), ..spec() };
        Other { spec, texts_left: texts.into() }
    }

    fn row(&self, text: &str) -> Vec<f32> {
        let seed = text.bytes().fold(7u64, |h, b| testkit::mix(h ^ u64::from(b)));
        (0..self.spec.dimension as u64).map(|i| (testkit::mix(seed ^ (i << 50)) % 1000) as f32 / 500.0 - 1.0).collect()
    }
}

impl TokenCounter for Other {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn offsets(&self, _: &str, _: &mut Vec<std::ops::Range<usize>>) {}
}

impl Embedder for Other {
    fn spec(&self) -> &EmbedSpec {
        &self.spec
    }

    fn embed(&self, texts: &[&str], _: Role, out: &mut Vec<f32>) -> Result<()> {
        let left = self.texts_left.fetch_sub(texts.len() as i64, std::sync::atomic::Ordering::SeqCst);
        if left < texts.len() as i64 {
            return Err(base::Error::new(Kind::Remote, "the power went out"));
        }
        texts.iter().for_each(|text| out.extend(self.row(text)));
        Ok(())
    }

    fn tokens(&self) -> &dyn TokenCounter {
        self
    }
}

#[test]
fn the_embedder_is_changed_at_once_or_not_at_all() {
    let disk = FaultDisk::new();
    let collection = Collection::open(DIR.as_ref(), OpenOptions::create(&spec()).on(Arc::new(disk.clone()))).unwrap();
    let mut model = Model::new();
    for edition in 0..200u64 {
        model.insert(format!("{edition}.txt"), edition);
    }
    collection.commit(model.iter().map(|(path, edition)| put(path, *edition)).collect()).unwrap();
    let reader = Collection::open(DIR.as_ref(), OpenOptions::read_only().on(Arc::new(disk.clone()))).unwrap();
    let join = |context: &str, text: &str| format!("{context}\n{text}");
    // Interrupted: everything is as before, but the vectors made so far are kept.
    let failed = collection.reembed(&Other::new(5, 300), &join, &mut |_, _| {}).map(drop).unwrap_err();
    assert_eq!(failed.kind(), Kind::Remote);
    let collection = open(&disk).unwrap();
    check(&collection, &model);
    check(&reader, &model);
    let removed = collection.snapshot().unwrap().find("7.txt").unwrap().unwrap().id;
    collection.commit(vec![Change::Remove(removed), put("new.txt", 1)]).unwrap();
    let other = Other::new(5, i64::MAX);
    let mut told = Vec::new();
    let (collection, report) = collection.reembed(&other, &join, &mut |done, all| told.push((done, all))).unwrap();
    assert!(report.resumed > 100 && report.resumed < report.chunks, "{report:?}");
    assert!(
        report.sampled > 50 && (0.0..0.5).contains(&report.overlap),
        "made-up vectors have nothing in common: {report:?}"
    );
    assert_eq!(told.last().map(|(done, all)| done == all), Some(true));
    assert_eq!(collection.spec(), &other.spec);
    let snapshot = collection.snapshot().unwrap();
    let found = snapshot.document(snapshot.find("new.txt").unwrap().unwrap().id).unwrap().unwrap();
    for (id, chunk) in &found.chunks {
        let mut hits = Vec::new();
        let query = other.row(&join(&chunk.context, &found.document.text[chunk.range.clone()]));
        snapshot.search_dense(&query, 1, &mut hits).unwrap();
        assert_eq!(hits[0].chunk, *id);
        assert_eq!(snapshot.search_dense(&vector(1)[..DIMENSION], 1, &mut hits).unwrap_err().kind(), Kind::BadInput);
    }
    assert!(collection.verify(true).unwrap().is_sound());
    // Whoever had the collection open is told to open it again.
    assert_eq!(reader.snapshot().map(drop).unwrap_err().kind(), Kind::Conflict);
    assert_eq!(collection.commit(vec![put("old", 1)]).unwrap_err().kind(), Kind::BadInput);
    drop(snapshot);
    // The same embedder again has everything in common.
    let (_, report) = collection.reembed(&other, &join, &mut |_, _| {}).unwrap();
    assert_eq!(report.overlap, 1.0);
}
