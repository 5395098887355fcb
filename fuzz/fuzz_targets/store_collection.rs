//! A good collection with some bytes of some file replaced: opening, searching, verifying and salvaging give
//! errors or results.
#![no_main]

use base::Store;
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{put, spec, vector};

const DIR: &str = "/c";

fn good() -> &'static FaultDisk {
    static GOOD: OnceLock<FaultDisk> = OnceLock::new();
    GOOD.get_or_init(|| {
        let disk = FaultDisk::new();
        let options = OpenOptions { background: false, ..OpenOptions::create(&spec()).on(Arc::new(disk.clone())) };
        let collection = Collection::open(Path::new(DIR), options).expect("a collection");
        for path in ["a.txt", "b.txt", "c.txt"] {
            collection.commit(vec![put(path, 0)]).expect("a commit");
        }
        drop(collection);
        disk
    })
}

fuzz_target!(|edits: Vec<(u8, u32, u8)>| {
    let disk = good().fork();
    let paths = disk.paths();
    for (file, at, value) in edits {
        let path = &paths[usize::from(file) % paths.len()];
        let mut bytes = disk.read_file(path).expect("it is listed");
        if let Some(byte) = bytes.len().checked_sub(1).map(|last| at as usize % (last + 1)) {
            bytes[byte] = value;
            disk.write_file(path, &bytes);
        }
    }
    let options = OpenOptions { background: false, ..OpenOptions::read_only().on(Arc::new(disk.clone())) };
    let Ok(collection) = Collection::open(Path::new(DIR), options) else { return };
    if let Ok(snapshot) = collection.snapshot() {
        let mut hits = Vec::new();
        let _ = snapshot.search_lexical("stone", 5, &mut hits);
        let _ = snapshot.search_dense(&vector(1), 5, &mut hits);
    }
    let _ = collection.verify(true);
});
