//! A disk on which every change takes as long as a search: readers do not wait for it.
//!
//! But for one page: redb keeps readers from its header while it writes that, and, when a writer opens or closes the
//! truth (a purge does), until that is durable.

use base::{Access, FileBytes, Result, Snapshot, Storage, StorageEntry, StorageFile, Store};
use parking_lot::Mutex;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{Model, compare, put, spec};

/// The name of the thread whose changes wait.
const WRITER: &str = "writer";

/// Where the pages behind the header begin, as `docs/formats/collection.md` draws them.
const PAGES: u64 = 12_320;

/// Says when the writer is about to change something, and lets it go on when told to.
#[derive(Debug)]
struct Gate {
    arrived: Sender<()>,
    opened: Mutex<Receiver<()>>,
}

impl Gate {
    fn pass(&self) -> io::Result<()> {
        if std::thread::current().name() != Some(WRITER) {
            return Ok(());
        }
        self.arrived.send(()).map_err(io::Error::other)?;
        // A reader that waits for the writer shall fail the test, not stop it.
        self.opened.lock().recv_timeout(Duration::from_secs(60)).map_err(io::Error::other)
    }
}

#[derive(Debug)]
struct SlowDisk {
    disk: FaultDisk,
    gate: Arc<Gate>,
}

impl Storage for SlowDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StorageFile>> {
        if access == Access::Truncate {
            self.gate.pass()?;
        }
        let has_header = path.ends_with("truth.db");
        Ok(Box::new(SlowFile { file: self.disk.open(path, access)?, has_header, gate: self.gate.clone() }))
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn FileBytes>> {
        self.disk.map(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<StorageEntry>> {
        self.disk.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.sync_dir(dir)
    }
}

#[derive(Debug)]
struct SlowFile {
    file: Box<dyn StorageFile>,
    has_header: bool,
    gate: Arc<Gate>,
}

impl StorageFile for SlowFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !self.has_header || offset >= PAGES {
            self.gate.pass()?;
        }
        self.file.write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.gate.pass()?;
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.gate.pass()?;
        self.file.sync()
    }

    fn lock(&self, range: Range<u64>, shared: bool, wait: bool) -> io::Result<bool> {
        self.file.lock(range, shared, wait)
    }

    fn unlock(&self, range: Range<u64>) -> io::Result<()> {
        self.file.unlock(range)
    }

    fn is_locked(&self, range: Range<u64>) -> io::Result<bool> {
        self.file.is_locked(range)
    }
}

/// What a reader sees is one of the two.
fn sees(snapshot: &dyn Snapshot, before: &Model, after: &Model) -> bool {
    let right = |model| {
        let findings = compare(snapshot, model);
        findings.wrong.is_empty() && findings.errors.is_empty()
    };
    right(before) || right(after)
}

/// Beside every single change of the disk that a commit and a merge make, the collection is searched, through the
/// writer's own handle and another.
#[test]
fn readers_do_not_wait_for_a_slow_disk() {
    let ((arrived, arrivals), (open_gate, opened)) = (channel(), channel());
    let disk = SlowDisk { disk: FaultDisk::new(), gate: Arc::new(Gate { arrived, opened: Mutex::new(opened) }) };
    let storage: Arc<dyn Storage> = Arc::new(disk);
    let dir = Path::new("/c");
    let options = OpenOptions { background: false, ..OpenOptions::create(&spec()).on(storage.clone()) };
    let collection = Collection::open(dir, options).unwrap();
    let mut model = Model::new();
    for edition in 0..6u64 {
        let path = format!("{edition}.txt");
        collection.commit(vec![put(&path, edition)]).unwrap();
        model.insert(path, edition);
    }
    let reader = Collection::open(dir, OpenOptions::read_only().on(storage)).unwrap();
    let changed: Model = model.keys().take(3).map(|path| (path.clone(), 50)).collect();
    let mut after = model.clone();
    after.extend(changed.clone());
    let works: [&(dyn Fn() -> Result<()> + Sync); 2] =
        [&|| collection.commit(changed.keys().map(|path| put(path, 50)).collect()).map(drop), &|| {
            collection.compact(false).map(drop)
        }];
    for work in works {
        let mut beside = 0;
        std::thread::scope(|scope| {
            let writer = std::thread::Builder::new().name(WRITER.into()).spawn_scoped(scope, work).unwrap();
            loop {
                match arrivals.recv_timeout(Duration::from_millis(20)) {
                    Ok(()) => {
                        for handle in [&collection, &reader] {
                            let snapshot = handle.snapshot().unwrap();
                            assert!(sees(&*snapshot, &model, &after), "version {}", snapshot.version());
                        }
                        beside += 1;
                        open_gate.send(()).unwrap();
                    }
                    Err(_) if writer.is_finished() => break,
                    Err(_) => {}
                }
            }
            writer.join().unwrap().unwrap();
        });
        assert!(beside > 10, "{beside} changes of the disk");
        // Another segment to merge.
        collection.commit(vec![put("more", 1)]).unwrap();
        after.insert("more".into(), 1);
        model.clone_from(&after);
    }
    compare(&*reader.snapshot().unwrap(), &after).unwrap();
}
