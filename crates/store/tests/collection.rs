//! A collection answers as a map would, whatever is done in whatever order.

use base::{Change, DocId, FileStamp, Kind, Metric, Snapshot, Storage, Store};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use store::{Collection, MemoryStorage, OpenOptions};
use testkit::documents::{Model, compare, document, is_gone, put, spec, vector};

fn check(snapshot: &dyn Snapshot, model: &Model) {
    compare(snapshot, model).unwrap();
}

fn check_gone(snapshot: &dyn Snapshot, path: &str, edition: u64) {
    assert!(is_gone(snapshot, path, edition).unwrap(), "{path} in edition {edition} is gone");
}

fn in_memory(storage: &MemoryStorage) -> OpenOptions {
    OpenOptions::create(&spec()).on(Arc::new(storage.clone()))
}

fn on_disk() -> OpenOptions {
    OpenOptions::create(&spec())
}

#[test]
fn what_is_put_is_found_after_reopening() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("deep/collection");
    let mut model = Model::new();
    let collection = Collection::open(&dir, on_disk()).unwrap();
    check(&*collection.snapshot().unwrap(), &model);
    let committed = collection.commit(vec![put("a.txt", 1), put("b.txt", 1), put("c.txt", 1)]).unwrap();
    assert_eq!((committed.version, committed.put, committed.removed), (1, 3, 0));
    for path in ["a.txt", "b.txt", "c.txt"] {
        model.insert(path.into(), 1);
    }
    check(&*collection.snapshot().unwrap(), &model);
    drop(collection);
    let collection = Collection::open(&dir, OpenOptions::default()).unwrap();
    assert_eq!(collection.spec(), &spec());
    check(&*collection.snapshot().unwrap(), &model);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let storage = MemoryStorage::new();
    let collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
    collection.commit(vec![put("a", 1), put("b", 1)]).unwrap();
    let before = collection.snapshot().unwrap();
    let id = before.find("a").unwrap().unwrap().id;
    collection.commit(vec![put("b", 2), Change::Remove(id), put("c", 1)]).unwrap();
    for edition in 3..20 {
        collection.commit(vec![put("b", edition)]).unwrap(); // compactions happen
    }
    check(&*before, &Model::from([("a".into(), 1), ("b".into(), 1)]));
    let after = collection.snapshot().unwrap();
    check(&*after, &Model::from([("b".into(), 19), ("c".into(), 1)]));
    check_gone(&*after, "a", 1);
    check_gone(&*after, "b", 1);
}

#[test]
fn readers_follow_a_writer_in_another_handle() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let writer = Collection::open(dir, on_disk()).unwrap();
    let reader = Collection::open(dir, OpenOptions::read_only()).unwrap();
    let mut model = Model::new();
    for edition in 0..30 {
        let path = format!("{}.txt", edition % 7);
        writer.commit(vec![put(&path, edition)]).unwrap();
        model.insert(path, edition);
        check(&*reader.snapshot().unwrap(), &model);
    }
    let stats = reader.snapshot().unwrap().stats().unwrap();
    assert!(stats.segments <= 12, "{stats:?}");
    let error = reader.commit(vec![put("x", 1)]).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let error = Collection::open(dir, OpenOptions::default()).err().unwrap();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.what().contains("this process"), "{error:?}");
}

#[test]
fn touch_settings_and_replacement() {
    let storage = MemoryStorage::new();
    let collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
    collection.commit(vec![put("a", 1), Change::Setting("paths".into(), "[\"~\"]".into())]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    let id = snapshot.find("a").unwrap().unwrap().id;
    let stamp = FileStamp { modified_ns: 77, ..document("a", 1).stamp };
    collection.commit(vec![Change::Touch(id, stamp.clone()), Change::Touch(DocId(999), stamp.clone())]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    let found = snapshot.find("/docs/a").unwrap().unwrap();
    assert_eq!((found.id, found.stamp), (id, stamp));
    assert_eq!(snapshot.setting("paths").unwrap().as_deref(), Some("[\"~\"]"));
    assert_eq!(snapshot.setting("other").unwrap(), None);
    // The last of two in one batch stays; a replaced document has a new id.
    let committed = collection.commit(vec![put("a", 2), put("a", 3), Change::Remove(DocId(12345))]).unwrap();
    assert_eq!((committed.put, committed.removed), (1, 0));
    let snapshot = collection.snapshot().unwrap();
    check(&*snapshot, &Model::from([("a".into(), 3)]));
    assert_ne!(snapshot.find("a").unwrap().unwrap().id, id);
    assert_eq!(snapshot.document(id).unwrap(), None);
    collection.commit(vec![Change::Remove(snapshot.find("a").unwrap().unwrap().id)]).unwrap();
    let stats = collection.snapshot().unwrap().stats().unwrap();
    assert_eq!((stats.documents, stats.chunks, stats.segments, stats.deleted_chunks), (0, 0, 0, 0));
}

#[test]
fn documents_without_chunks_or_paths() {
    let storage = MemoryStorage::new();
    let collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
    let mut stdin = document("-", 1);
    stdin.path.clear();
    let mut empty = document("empty", 1);
    empty.chunks.clear();
    collection.commit(vec![Change::Put(Box::new(stdin)), Change::Put(Box::new(empty))]).unwrap();
    let mut again = document("-", 2);
    again.path.clear();
    collection.commit(vec![Change::Put(Box::new(again))]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    assert_eq!(snapshot.documents().unwrap().len(), 2);
    let record = snapshot.document(snapshot.find("-").unwrap().unwrap().id).unwrap().unwrap();
    assert_eq!(record.document, document("-", 2).document);
    assert_eq!(snapshot.find("empty").unwrap().unwrap().chunks, 0);
    assert_eq!(collection.commit(vec![]).unwrap().put, 0);
}

#[test]
fn long_documents_come_back_whole() {
    let storage = MemoryStorage::new();
    let collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
    let mut long = document("long", 1);
    // Characters of several bytes, so that pieces of text are cut inside of them.
    long.document.text = "añ€𝄞 stone ".repeat(20_000);
    let unit = "añ€𝄞 stone ".len();
    long.document.blocks.truncate(1);
    long.document.blocks[0].range = 0..long.document.text.len();
    let chunk = long.chunks[0].clone();
    long.chunks = (0..500)
        .map(|i| {
            let mut chunk = chunk.clone();
            chunk.chunk.range = i * 40 * unit..(i + 1) * 40 * unit;
            chunk.vector = vector(i as u64 + 5);
            chunk
        })
        .collect();
    collection.commit(vec![Change::Put(Box::new(long.clone()))]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    let record = snapshot.document(snapshot.find("long").unwrap().unwrap().id).unwrap().unwrap();
    assert_eq!(record.document, long.document);
    let mut hits = Vec::new();
    for (i, (id, chunk)) in record.chunks.iter().enumerate() {
        let found = snapshot.chunk(*id).unwrap().unwrap();
        assert_eq!((&found.text[..], found.ordinal as usize), (&long.document.text[chunk.range.clone()], i));
        snapshot.search_dense(&long.chunks[i].vector, 1, &mut hits).unwrap();
        assert_eq!(hits[0].chunk, *id);
    }
    assert_eq!(snapshot.chunk(base::ChunkId(record.chunks[499].0.0 + 1)).unwrap(), None);
    assert!(!snapshot.vector(base::ChunkId(0), &mut Vec::new()).unwrap());
}

#[test]
fn wrong_input_is_refused_whole_and_by_name() {
    let storage = MemoryStorage::new();
    let collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
    let refused = |change: &dyn Fn(&mut base::NewDocument), says: &str| {
        let mut wrong = document("wrong.txt", 1);
        change(&mut wrong);
        let error = collection.commit(vec![put("fine", 1), Change::Put(Box::new(wrong))]).unwrap_err();
        assert_eq!(error.kind(), Kind::BadInput, "{error:?}");
        assert!(error.what().contains(says), "{error:?} should say {says}");
        check(&*collection.snapshot().unwrap(), &Model::new());
    };
    refused(&|d| d.chunks[0].vector.truncate(3), "wrong.txt has 3 numbers, expected 8");
    refused(&|d| d.chunks[0].vector[2] = f32::NAN, "number 2");
    refused(&|d| d.chunks[0].vector[2] = f32::INFINITY, "number 2");
    refused(&|d| d.chunks[0].chunk.range.end = 1 << 40, "chunk 0");
    refused(&|d| d.chunks[0].chunk.range.end = d.chunks[0].chunk.range.start, "chunk 0");
    refused(&|d| d.document.blocks[0].range.end = 1 << 40, "block 0");
    let snapshot = collection.snapshot().unwrap();
    let mut hits = Vec::new();
    assert_eq!(snapshot.search_dense(&[1.0; 3], 5, &mut hits).unwrap_err().kind(), Kind::BadInput);
    assert_eq!(snapshot.search_dense(&[f32::NAN; 8], 5, &mut hits).unwrap_err().kind(), Kind::BadInput);
}

#[test]
fn places_that_are_no_collection() {
    let temporary = tempfile::tempdir().unwrap();
    let open = |dir: &Path, create: bool| {
        let options = OpenOptions { create: create.then(spec), ..OpenOptions::default() };
        Collection::open(dir, options).map(drop).unwrap_err()
    };
    let missing = open(&temporary.path().join("none"), false);
    assert_eq!(missing.kind(), Kind::NotFound);
    assert!(missing.hint_line().unwrap().contains("ragstone index"));
    std::fs::write(temporary.path().join("letter.txt"), "Dear").unwrap();
    assert_eq!(open(temporary.path(), false).kind(), Kind::NotFound);
    let full = open(temporary.path(), true);
    assert_eq!(full.kind(), Kind::Conflict);
    assert!(full.what().contains("letter.txt"));
    let file = temporary.path().join("letter.txt");
    assert_eq!(open(&file, false).kind(), Kind::NotFound);
    assert_ne!(open(&file, true).kind(), Kind::Bug);
}

#[test]
fn another_embedder_is_refused() {
    let storage = MemoryStorage::new();
    drop(Collection::open(Path::new("/c"), in_memory(&storage)).unwrap());
    for other in [
        base::EmbedSpec { fingerprint: "made-up-2".into(), ..spec() },
        base::EmbedSpec { dimension: 9, ..spec() },
        base::EmbedSpec { metric: Metric::L2, ..spec() },
    ] {
        for options in [
            OpenOptions { create: Some(other.clone()), ..in_memory(&storage) },
            OpenOptions { create: None, embedder: Some(other.clone()), read_only: true, ..in_memory(&storage) },
        ] {
            let error = Collection::open(Path::new("/c"), options).map(drop).unwrap_err();
            assert_eq!(error.kind(), Kind::Conflict);
            assert!(error.hint_line().unwrap().contains("reembed"), "{error:?}");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u64),
    Remove(u8),
    Commit,
    Reopen,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn behaves_like_a_map(steps in proptest::collection::vec(prop_oneof![
        5 => (0u8..12, 0u64..1000).prop_map(|(path, edition)| Step::Put(path, edition)),
        2 => (0u8..12).prop_map(Step::Remove),
        3 => Just(Step::Commit),
        1 => Just(Step::Reopen),
    ], 1..60)) {
        let storage = MemoryStorage::new();
        let mut collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
        let (mut model, mut next) = (Model::new(), Model::new());
        let mut batch = Vec::new();
        for step in steps.into_iter().chain([Step::Commit, Step::Reopen]) {
            match step {
                Step::Put(path, edition) => {
                    next.insert(path.to_string(), edition);
                    batch.push(put(&path.to_string(), edition));
                }
                Step::Remove(path) => {
                    // Removal is by id, of what is committed; a document put in the same batch stays.
                    let found = collection.snapshot().unwrap().find(&path.to_string()).unwrap();
                    let staged = batch.iter().any(|c| matches!(c, Change::Put(d) if d.source == path.to_string()));
                    if let Some(found) = found {
                        batch.push(Change::Remove(found.id));
                        if !staged {
                            next.remove(&path.to_string());
                        }
                    }
                }
                Step::Commit => {
                    collection.commit(std::mem::take(&mut batch)).unwrap();
                    model = next.clone();
                    check(&*collection.snapshot().unwrap(), &model);
                }
                Step::Reopen => {
                    drop(collection);
                    batch.clear();
                    next = model.clone();
                    collection = Collection::open(Path::new("/c"), in_memory(&storage)).unwrap();
                    check(&*collection.snapshot().unwrap(), &model);
                }
            }
        }
    }
}

#[test]
fn merged_segments_get_the_index_that_was_asked_for() {
    let storage = MemoryStorage::new();
    let dir = Path::new("/c");
    for recipe in ["Vamana8,LVQ8", "HNSW4,LVQ8"] {
        let options =
            || OpenOptions { recipe: Some(recipe.parse().unwrap()), background: false, ..in_memory(&storage) };
        let collection = Collection::open(dir, options()).unwrap();
        let mut model = Model::new();
        for round in 0..12u64 {
            // New documents, and new editions of old ones, so that merges find deleted rows.
            let changes: Vec<Change> =
                (0..40).map(|i| put(&format!("{}.txt", (round * 23 + i) % 200), round)).collect();
            collection.commit(changes).unwrap();
            (0..40).for_each(|i| _ = model.insert(format!("{}.txt", (round * 23 + i) % 200), round));
            check(&*collection.snapshot().unwrap(), &model);
        }
        let graphs = |storage: &MemoryStorage| {
            let files = storage.list(dir).unwrap().into_iter().filter(|f| f.name.ends_with(".vec"));
            let names = files.map(|f| storage.map(&dir.join(&f.name)).unwrap().bytes().to_vec());
            names.filter(|b| b.windows(recipe.len()).any(|w| w == recipe.as_bytes())).count()
        };
        assert!(graphs(&storage) > 0, "{recipe}: no segment has it");
        let found = collection.verify(true).unwrap();
        assert!(found.is_sound(), "{found:?}");
        drop(collection);

        // Damage of a graph is found, answered around and mended, as that of any index.
        let name =
            storage.list(dir).unwrap().into_iter().map(|f| f.name).filter(|n| n.ends_with(".vec")).min().unwrap();
        let file = storage.open(&dir.join(&name), base::Access::Update).unwrap();
        let (at, mut byte) = (file.len().unwrap() / 2, [0]);
        file.read_at(at, &mut byte).unwrap();
        file.write_at(at, &[byte[0] ^ 1]).unwrap();
        let collection = Collection::open(dir, options()).unwrap();
        check(&*collection.snapshot().unwrap(), &model);
        assert!(!collection.verify(true).unwrap().is_sound());
        assert!(!collection.repair().unwrap().is_empty());
        assert!(collection.verify(true).unwrap().is_sound());
        check(&*collection.snapshot().unwrap(), &model);
        let gone: Vec<Change> =
            collection.snapshot().unwrap().documents().unwrap().into_iter().map(|d| Change::Remove(d.id)).collect();
        collection.commit(gone).unwrap();
    }
}
