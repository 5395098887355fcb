//! A good backup with some bytes replaced or its end cut off: restoring fails, or gives what was backed up.
#![no_main]

use base::Store;
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{put, spec};

const BACKUP: &str = "/backup";

fn good() -> &'static FaultDisk {
    static GOOD: OnceLock<FaultDisk> = OnceLock::new();
    GOOD.get_or_init(|| {
        let disk = FaultDisk::new();
        let options = OpenOptions { background: false, ..OpenOptions::create(&spec()).on(Arc::new(disk.clone())) };
        let collection = Collection::open(Path::new("/c"), options).expect("a collection");
        for path in ["a.txt", "b.txt", "c.txt"] {
            collection.commit(vec![put(path, 0)]).expect("a commit");
        }
        collection.backup(Path::new(BACKUP)).expect("a backup");
        disk
    })
}

fuzz_target!(|input: (u16, Vec<(u32, u8)>)| {
    let (cut, edits) = input;
    let disk = good().fork();
    let mut bytes = disk.read_file(Path::new(BACKUP)).expect("the backup is there");
    let before = bytes.clone();
    for (at, value) in edits {
        let at = at as usize % bytes.len();
        bytes[at] = value;
    }
    bytes.truncate(bytes.len() - usize::from(cut) % 64);
    disk.write_file(Path::new(BACKUP), &bytes);
    let restored = Collection::restore(Arc::new(disk.clone()), Path::new(BACKUP), Path::new("/r"));
    assert!(restored.is_err() || bytes == before, "a damaged backup was restored");
});
