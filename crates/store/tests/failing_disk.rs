//! A disk that fails now and then: what was acknowledged stays, and is what readers see.

use base::{Kind, Result, Store};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{Model, compare, put, spec};

const DIR: &str = "/c";

fn options(disk: &FaultDisk) -> OpenOptions {
    OpenOptions { background: false, ..OpenOptions::default() }.on(Arc::new(disk.clone()))
}

fn create(disk: &FaultDisk) -> Collection {
    let options = OpenOptions { create: Some(spec()), ..options(disk) };
    Collection::open(Path::new(DIR), options).unwrap()
}

fn open(disk: &FaultDisk) -> Result<Collection> {
    Collection::open(Path::new(DIR), options(disk))
}

/// redb marks a commit until it is flushed, and clears the mark with a write that nobody waits for; readers
/// serve the commit before while the mark is there. The header page goes to two places in turns, so the first
/// write of the next commit replaces the page without the mark. When that write was torn by a failing disk, the
/// page with the mark was all that was left, and readers went back behind a commit that was acknowledged.
#[test]
fn a_commit_that_fails_takes_nothing_back() {
    let sound = FaultDisk::new();
    create(&sound).commit(vec![put("a", 1)]).unwrap();
    let (model, after) = (Model::from([("a".into(), 2)]), Model::from([("a".into(), 3)]));
    for call in 0.. {
        let disk = sound.fork();
        let collection = open(&disk).unwrap();
        collection.commit(vec![put("a", 2)]).unwrap();
        let reader = Collection::open(Path::new(DIR), OpenOptions { read_only: true, ..options(&disk) }).unwrap();
        disk.fail_call(disk.calls() + call, ErrorKind::StorageFull, true);
        let acknowledged = collection.commit(vec![put("a", 3)]).is_ok();
        let ended = !disk.has_failed();
        disk.heal();
        for handle in [&collection, &reader] {
            let snapshot = handle.snapshot().unwrap();
            let sees = |model| {
                let findings = compare(&*snapshot, model);
                findings.wrong.is_empty() && findings.errors.is_empty()
            };
            let version = snapshot.version();
            assert!(sees(&after) || (!acknowledged && sees(&model)), "call {call}: readers see version {version}");
        }
        if ended {
            assert!(call > 20 && acknowledged, "{call} calls");
            return;
        }
    }
}

/// When a purge had put the new truth in its place and could not open it, readers kept the old file, which had lost its
/// name, and the next commits went to the new one: readers did not see them, and because commits take their numbers
/// from what readers see, a second commit wrote over the documents of the first.
#[test]
fn commits_go_on_after_a_purge_that_failed() {
    let sound = FaultDisk::new();
    let collection = create(&sound);
    for edition in 1..4 {
        collection.commit(vec![put("a", edition), put("b", edition)]).unwrap();
    }
    drop(collection);
    for call in 0.. {
        let disk = sound.fork();
        let collection = open(&disk).unwrap();
        // Readers take the first commit of a writer for another file, and open it again.
        collection.commit(vec![put("a", 4)]).unwrap();
        disk.fail_call(disk.calls() + call, ErrorKind::StorageFull, call % 2 == 0);
        let purged = collection.compact(true).is_ok();
        let ended = !disk.has_failed();
        disk.heal();
        let mut model = Model::from([("a".into(), 4), ("b".into(), 3)]);
        for (path, edition) in [("c", 5), ("d", 6), ("a", 7)] {
            if collection.commit(vec![put(path, edition)]).is_ok() {
                model.insert(path.into(), edition);
            }
            compare(&*collection.snapshot().unwrap(), &model).unwrap();
        }
        drop(collection);
        let collection = open(&disk).unwrap();
        compare(&*collection.snapshot().unwrap(), &model).unwrap();
        assert!(collection.verify(true).unwrap().is_sound(), "call {call}");
        if ended {
            assert!(call > 100 && purged, "{call} calls");
            return;
        }
    }
}

#[test]
fn a_full_disk_refuses_and_writing_goes_on_when_there_is_room() {
    let (disk, mut model) = (FaultDisk::new(), Model::new());
    let collection = create(&disk);
    disk.set_capacity(Some(disk.bytes() + 2000));
    let mut refused = 0;
    for edition in 200..240u64 {
        let path = format!("{edition}.txt");
        match collection.commit((0..10).map(|i| put(&format!("{i}-{path}"), edition)).collect()) {
            Ok(_) => model.extend((0..10).map(|i| (format!("{i}-{path}"), edition))),
            Err(e) => {
                assert_eq!(e.kind(), Kind::NoSpace, "{e:?}");
                refused += 1;
                if refused == 3 {
                    break;
                }
            }
        }
    }
    assert!(refused > 0);
    compare(&*collection.snapshot().unwrap(), &model).unwrap();
    disk.set_capacity(None);
    collection.commit(vec![put("room", 1)]).unwrap();
    model.insert("room".into(), 1);
    compare(&*collection.snapshot().unwrap(), &model).unwrap();
}
