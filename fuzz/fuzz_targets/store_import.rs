//! Any bytes are an export or a named error, and what was imported is sound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;

fuzz_target!(|bytes: &[u8]| {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let Ok(spec) = Collection::export_spec(&String::from_utf8_lossy(line)) else { return };
    let options = OpenOptions { background: false, ..OpenOptions::create(&spec).on(Arc::new(FaultDisk::new())) };
    let Ok(collection) = Collection::open(Path::new("/c"), options) else { return };
    if collection.import(&mut &bytes[..]).is_ok() {
        assert!(collection.verify(true).expect("a good disk").is_sound(), "an import left damage");
    }
});
