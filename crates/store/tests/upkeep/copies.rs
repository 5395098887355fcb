//! Backups, restorations, exports and imports.

use super::{DIR, check, scene};
use base::{Kind, Storage, Store};
use std::path::Path;
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{put, spec};

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
    let (mut interrupted, mut passed) = (0, 0);
    // The head, which is written last, must not fail a restoration: it would stand in the way of the next.
    let head = (0..sound.calls()).rev().take(120).map(|call| (call, false));
    for (call, sticky) in (0..sound.calls()).rev().step_by(7).map(|call| (call, true)).chain(head) {
        let killed = disk.fork();
        let mut log = killed.start_log();
        killed.fail_call(call, std::io::ErrorKind::Other, sticky);
        if restore(&killed).is_ok() {
            passed += 1;
            log.play_to(killed.logged());
            for disk in [killed, log.image(0), log.image(call | 2)] {
                let copy = Collection::open(into, OpenOptions::write().on(Arc::new(disk))).unwrap();
                check(&copy, &model);
                copy.commit(vec![put("after.txt", 1)]).unwrap();
            }
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
    assert!(interrupted > 10 && passed > 2, "{interrupted} interrupted, {passed} passed");
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
