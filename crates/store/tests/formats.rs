//! Collections of every released format are opened for ever; newer ones are refused.

use base::{Access, Change, Kind, Storage, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Collection, FORMAT, MemoryStorage, OpenOptions};
use testkit::documents::{Model, compare, put, spec};

/// Where the fixture of a format is. Its files are LZ4 blocks with the length in front, because most of a small
/// truth file is empty; its documents are those of `testkit::documents`, which must stay as they are.
fn place(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/format-v{format}"))
}

/// Makes the fixture of the current format; only to be run when the format has a new number.
#[test]
#[ignore = "makes a fixture"]
fn make_fixture() {
    let storage = MemoryStorage::new();
    let options = OpenOptions::create(&spec()).on(Arc::new(storage.clone()));
    let collection = Collection::open("/c".as_ref(), options).unwrap();
    for edition in 1..=3 {
        collection.commit((0..4).map(|i| put(&format!("{}.txt", i * edition), edition)).collect()).unwrap();
    }
    let gone = collection.snapshot().unwrap().find("9.txt").unwrap().unwrap().id;
    collection.commit(vec![Change::Remove(gone), Change::Setting("made by".into(), "format 1".into())]).unwrap();
    drop(collection);
    std::fs::create_dir_all(place(FORMAT)).unwrap();
    for entry in storage.list(Path::new("/c")).unwrap() {
        let file = place(FORMAT).join(format!("{}.lz4", entry.name));
        assert!(!file.exists(), "a fixture is never changed");
        let bytes = storage.map(&Path::new("/c").join(&entry.name)).unwrap();
        std::fs::write(file, lz4_flex::compress_prepend_size(bytes.bytes())).unwrap();
    }
}

fn fixture() -> MemoryStorage {
    let dir = place(1);
    let storage = MemoryStorage::new();
    storage.create_dir(Path::new("/c")).unwrap();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".lz4") else { continue };
        let bytes = lz4_flex::decompress_size_prepended(&std::fs::read(&path).unwrap()).unwrap();
        storage.open(&Path::new("/c").join(name), Access::Ensure).unwrap().write_at(0, &bytes).unwrap();
    }
    storage
}

fn model() -> Model {
    [("0.txt", 3), ("1.txt", 1), ("2.txt", 2), ("3.txt", 3), ("4.txt", 2), ("6.txt", 3)]
        .map(|(p, e)| (p.into(), e))
        .into()
}

#[test]
fn format_1_is_read_and_changed() {
    let storage = fixture();
    let reader = Collection::open("/c".as_ref(), OpenOptions::read_only().on(Arc::new(storage.clone()))).unwrap();
    compare(&*reader.snapshot().unwrap(), &model()).unwrap();
    assert_eq!(reader.snapshot().unwrap().setting("made by").unwrap().as_deref(), Some("format 1"));
    assert!(reader.verify(true).unwrap().is_sound());
    let writer = Collection::open("/c".as_ref(), OpenOptions::write().on(Arc::new(storage))).unwrap();
    writer.commit(vec![put("new", 1)]).unwrap();
    let mut model = model();
    model.insert("new".into(), 1);
    compare(&*writer.snapshot().unwrap(), &model).unwrap();
}

#[test]
fn a_newer_format_is_refused_with_both_versions_named() {
    let storage = fixture();
    let truth = storage.open(&PathBuf::from("/c/truth.db"), Access::Update).unwrap();
    truth.write_at(16, &7u32.to_le_bytes()).unwrap();
    for options in [OpenOptions::read_only(), OpenOptions::write()] {
        let error = Collection::open("/c".as_ref(), options.on(Arc::new(storage.clone()))).map(drop).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.what().contains("format 7") && error.what().contains("up to 1"), "{error:?}");
    }
}

/// There is no encryption so far. A collection that says it has some is neither read as if it had none nor changed.
#[test]
fn features_that_nobody_knows_are_refused() {
    let storage = fixture();
    let path = PathBuf::from("/c/truth.db");
    let truth = storage.open(&path, Access::Update).unwrap();
    let mut preamble = [0; 56];
    truth.read_at(0, &mut preamble).unwrap();
    preamble[28..32].copy_from_slice(&1u32.to_le_bytes());
    let tag = blake3::hash(&preamble[..48]);
    preamble[48..].copy_from_slice(&tag.as_bytes()[..8]);
    truth.write_at(0, &preamble).unwrap();
    let before = storage.map(&path).unwrap();
    for options in [OpenOptions::read_only(), OpenOptions::write(), OpenOptions::create(&testkit::documents::spec())] {
        let error = Collection::open("/c".as_ref(), options.on(Arc::new(storage.clone()))).map(drop).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.what().contains("features 0x1"), "{error:?}");
    }
    assert!(storage.map(&path).unwrap().bytes() == before.bytes());
}
