//! Disks: the operating system's files, and memory.

mod memory;
mod real;

pub use memory::MemoryStorage;
pub use real::RealStorage;
