//! What a power loss leaves.

use super::blob::Blob;
use super::{FaultDisk, State};
use crate::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// A change of the disk.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Write(usize, usize, Arc<[u8]>),
    SetLen(usize, usize),
    Sync(usize),
    /// What was to be made durable may or may not be, and no later sync makes up for it.
    SyncFailed(usize),
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
    SyncDir(PathBuf),
}

/// The changes of a disk in order, played up to some moment.
#[derive(Debug)]
pub struct CrashLog {
    disk: FaultDisk,
    played: usize,
    names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    /// What is durable of each file.
    durable: Vec<Blob>,
    /// What is not, in order; `true` if no sync can help any more.
    pending: Vec<Vec<(Event, bool)>>,
    pending_names: Vec<Event>,
}

/// The unit that a disk writes whole or not at all.
const SECTOR: usize = 512;

impl CrashLog {
    pub(crate) fn new(start: FaultDisk, disk: FaultDisk) -> CrashLog {
        let state = start.0.state.lock();
        CrashLog {
            disk,
            played: 0,
            names: state.names.clone(),
            dirs: state.dirs.clone(),
            durable: state.files.clone(),
            pending: vec![Vec::new(); state.files.len()],
            pending_names: Vec::new(),
        }
    }

    /// Moves on to the moment after `events` changes; moments only go forward.
    pub fn play_to(&mut self, events: usize) {
        let log: Vec<Event> = {
            let mut state = self.disk.0.state.lock();
            self.dirs = state.dirs.clone();
            match &mut state.log {
                Some(log) => log[self.played.min(log.len())..events.min(log.len())].to_vec(),
                None => Vec::new(),
            }
        };
        self.played += log.len();
        for event in log {
            self.play(event);
        }
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::Write(file, ..) | Event::SetLen(file, _) => self.pending_of(file).push((event, false)),
            Event::Sync(file) => {
                let pending = std::mem::take(self.pending_of(file));
                let mut doomed = Vec::new();
                for (event, lost) in pending {
                    if lost {
                        doomed.push((event, true));
                    } else {
                        apply(&mut self.durable[file], &event, |_| true);
                    }
                }
                *self.pending_of(file) = doomed;
            }
            Event::SyncFailed(file) => self.pending_of(file).iter_mut().for_each(|(_, lost)| *lost = true),
            Event::Link(_, file) | Event::Rename(_, _, file) => {
                self.pending_of(file);
                self.pending_names.push(event);
            }
            Event::Unlink(_) => self.pending_names.push(event),
            Event::SyncDir(dir) => {
                let here = |event: &Event| match event {
                    Event::Link(path, _) | Event::Unlink(path) | Event::Rename(path, ..) => {
                        path.parent() == Some(&*dir)
                    }
                    _ => false,
                };
                let (durable, rest): (Vec<Event>, _) =
                    std::mem::take(&mut self.pending_names).into_iter().partition(here);
                self.pending_names = rest;
                durable.iter().for_each(|event| rename(&mut self.names, event));
            }
        }
    }

    fn pending_of(&mut self, file: usize) -> &mut Vec<(Event, bool)> {
        while self.durable.len() <= file {
            self.durable.push(Blob::default());
            self.pending.push(Vec::new());
        }
        &mut self.pending[file]
    }

    /// A disk as a power loss at this moment could have left it. Every seed is another possibility; 0 loses
    /// all that was not synced, 1 keeps it all.
    pub fn image(&self, seed: u64) -> FaultDisk {
        let mut random = Random::new(seed);
        // Some images lose nearly everything, others nearly nothing.
        let keep = match seed {
            0 => 0,
            1 => 100,
            _ => [5, 50, 95][random.below(3) as usize],
        };
        let mut names = self.names.clone();
        for event in &self.pending_names {
            if random.below(100) < keep {
                rename(&mut names, event);
            }
        }
        let mut files = self.durable.clone();
        for (file, pending) in files.iter_mut().zip(&self.pending) {
            for (event, _) in pending {
                let fate = random.below(100);
                if fate >= keep {
                    continue;
                }
                let torn = seed > 1 && random.below(4) == 0;
                apply(file, event, |_| !torn || random.below(2) == 0);
            }
        }
        FaultDisk::of(State { names, dirs: self.dirs.clone(), files, ..State::default() })
    }
}

/// Applies a change to a file, sector by sector as `keep` says.
fn apply(file: &mut Blob, event: &Event, mut keep: impl FnMut(usize) -> bool) {
    match event {
        Event::SetLen(_, len) => file.set_len(*len),
        Event::Write(_, offset, data) => {
            let end = offset + data.len();
            let mut at = *offset;
            while at < end {
                let next = ((at / SECTOR + 1) * SECTOR).min(end);
                if keep(at) {
                    file.write(at, &data[at - offset..next - offset]);
                }
                at = next;
            }
        }
        _ => {}
    }
}

fn rename(names: &mut BTreeMap<PathBuf, usize>, event: &Event) {
    match event {
        Event::Link(path, file) => _ = names.insert(path.clone(), *file),
        Event::Unlink(path) => _ = names.remove(path),
        Event::Rename(from, to, file) => {
            names.remove(from);
            names.insert(to.clone(), *file);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Access, Storage};
    use std::path::Path;

    #[test]
    fn only_what_was_synced_is_sure_to_stay() {
        let (disk, dir, path) = (FaultDisk::new(), Path::new("/d"), Path::new("/d/f"));
        disk.create_dir(dir).unwrap();
        let mut log = disk.start_log();
        let file = disk.open(path, Access::Ensure).unwrap();
        file.write_at(0, &[1; 2000]).unwrap();
        file.sync().unwrap();
        log.play_to(disk.logged());
        assert_eq!(log.image(0).read_file(path), None, "the name was not synced");
        disk.sync_dir(dir).unwrap();
        file.write_at(0, &[2; 2000]).unwrap();
        log.play_to(disk.logged());
        assert_eq!(log.image(0).read_file(path).unwrap(), [1; 2000]);
        assert_eq!(log.image(1).read_file(path).unwrap(), [2; 2000]);
        let images: BTreeSet<Vec<u8>> = (2..200).map(|seed| log.image(seed).read_file(path).unwrap()).collect();
        assert!(images.len() > 5, "torn writes give many images");
        for image in images {
            assert!(image.chunks(SECTOR).all(|sector| sector.iter().all(|b| *b == sector[0])), "sectors are whole");
        }
        // A sync that failed does not make durable, nor does the next one.
        disk.fail_call(disk.calls(), std::io::ErrorKind::Other, false);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        log.play_to(disk.logged());
        assert_eq!(log.image(0).read_file(path).unwrap(), [1; 2000]);
    }

    #[test]
    fn a_full_disk_says_so_and_recovers() {
        let (disk, path) = (FaultDisk::new(), Path::new("/f"));
        disk.create_dir(Path::new("/")).unwrap();
        let file = disk.open(path, Access::Ensure).unwrap();
        disk.set_capacity(Some(1000));
        file.write_at(0, &[1; 1000]).unwrap();
        assert_eq!(file.write_at(1000, &[1]).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        file.write_at(500, &[2; 500]).unwrap();
        disk.set_capacity(None);
        file.write_at(1000, &[1]).unwrap();
    }
}
