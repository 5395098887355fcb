//! Conformance suites, fixtures and fakes for tests (development only).
//!
//! [`FaultDisk`] is a disk that fails, tears and forgets; [`documents`] makes documents and knows what a store of
//! them must answer; [`torture`] uses both against any [`base::Store`].
//!
//! ```
//! use base::{Access, Storage};
//! use std::path::Path;
//! use testkit::FaultDisk;
//!
//! let disk = FaultDisk::new();
//! disk.create_dir(Path::new("/d"))?;
//! let mut log = disk.start_log();
//! let file = disk.open(Path::new("/d/note"), Access::Ensure)?;
//! file.write_at(0, b"not yet on disk")?;
//! log.play_to(disk.logged());
//! let lost = log.image(0); // a power loss now
//! assert!(lost.open(Path::new("/d/note"), Access::Read).is_err());
//! # Ok::<(), std::io::Error>(())
//! ```

mod disk;
pub mod documents;
mod random;
pub mod torture;

pub use disk::{CrashLog, FaultDisk};
pub use random::{Random, mix};
