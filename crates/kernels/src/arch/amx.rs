//! AMX: eight tile registers of 16 rows by 64 bytes, and instructions that multiply whole tiles (Intel, Software
//! Developer's Manual, volume 1, chapter 18). Stable Rust has no functions for them, so this is assembly.
//!
//! Tiles are state of a thread that the system saves only for processes that asked; and a thread that leaves
//! them configured makes every switch to another thread dearer. So the permission is asked once, at detection,
//! and [`Amx`] holds the configuration for one product and gives it back.

use crate::layout::SIDE;
use crate::tile_product::{Operands, Scalar, TileProduct};
use crate::tile_proof::agree;
use std::arch::asm;
use std::arch::x86_64::*;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// Whether the processor has tiles with bf16 and 8-bit products, the system lets this process use them, and their
/// products are right.
pub(crate) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| permitted() && multiplies_as_described())
}

fn permitted() -> bool {
    processor_has_tiles() && system_saves_tiles() && request_permission()
}

/// To be asked only where tiles are [`permitted`].
fn multiplies_as_described() -> bool {
    // SAFETY: the instructions are there, and the system saves what they use.
    unsafe { agree::<Amx<false>, Scalar<false>>() && agree::<Amx<true>, Scalar<true>>() }
}

/// Leaf 7 of CPUID: AMX-BF16, AMX-TILE, AMX-INT8.
fn processor_has_tiles() -> bool {
    const FEATURES: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    __get_cpuid_max(0).0 >= 7 && __cpuid_count(7, 0).edx & FEATURES == FEATURES
}

/// Register XCR0: configuration and data of tiles are among what is saved when threads switch.
fn system_saves_tiles() -> bool {
    const TILES: u64 = 1 << 17 | 1 << 18;
    // SAFETY: the feature is there.
    is_x86_feature_detected!("xsave") && unsafe { extended_state::<0>() } & TILES == TILES
}

/// # Safety
/// XSAVE is there, and its register `WHICH` exists: 0 for what the system saves; 1 for what this thread uses.
#[target_feature(enable = "xsave")]
unsafe fn extended_state<const WHICH: u32>() -> u64 {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { _xgetbv(WHICH) }
}

/// Linux since 5.16 grants the tiles' 8 KB for each thread when asked (`Documentation/arch/x86/xstate.rst`).
#[cfg(target_os = "linux")]
fn request_permission() -> bool {
    const ARCH_PRCTL: isize = 158;
    const REQUEST: usize = 0x1023; // ARCH_REQ_XCOMP_PERM
    const TILE_DATA: usize = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: the call takes two numbers and touches no memory; the kernel overwrites rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") result, in("rdi") REQUEST, in("rsi") TILE_DATA, out("rcx") _, out("r11") _,
            options(nostack));
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn request_permission() -> bool {
    false
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Configured tiles, all whole: 0 to 3 are sums, 4 and 5 rows of the left side, 6 and 7 outputs of the right.
pub(crate) struct Amx<const INT8: bool> {
    /// The configuration is this thread's.
    _thread: PhantomData<*const ()>,
}

impl<const INT8: bool> Drop for Amx<INT8> {
    fn drop(&mut self) {
        // SAFETY: tiles were configured, so the instruction is there.
        unsafe {
            asm!("tilerelease", out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _,
                out("tmm5") _, out("tmm6") _, out("tmm7") _, options(nostack, nomem));
        }
    }
}

/// The code of [`TileProduct::multiply`] with one product instruction: sums to zero, then 16 groups a turn, then the
/// store. With one tile of rows the lines of the second are left out.
macro_rules! product {
    ($product:literal, two, $o:expr, $sums:expr, $stride:expr) => {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm6, [{b} + {line}*1]",
            "tileloadd tmm4, [{a} + {line}*1]",
            "tileloadd tmm7, [{b} + {line}*1 + 1024]",
            concat!($product, " tmm0, tmm4, tmm6"),
            "tileloadd tmm5, [{second} + {line}*1]",
            concat!($product, " tmm1, tmm4, tmm7"),
            concat!($product, " tmm2, tmm5, tmm6"),
            concat!($product, " tmm3, tmm5, tmm7"),
            "add {a}, 1024",
            "add {second}, 1024",
            "add {b}, 2048",
            "dec {turns}",
            "jnz 2b",
            "tilestored [{sums} + {stride}*1], tmm0",
            "tilestored [{sums} + {stride}*1 + 64], tmm1",
            "tilestored [{lower} + {stride}*1], tmm2",
            "tilestored [{lower} + {stride}*1 + 64], tmm3",
            a = inout(reg) $o.a => _, second = inout(reg) $o.second => _, b = inout(reg) $o.b => _,
            turns = inout(reg) $o.turns => _, line = in(reg) 64usize, stride = in(reg) 4 * $stride, sums = in(reg) $sums,
            lower = in(reg) $sums.add(SIDE * $stride),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _,
            out("tmm7") _, options(nostack)
        )
    };
    ($product:literal, one, $o:expr, $sums:expr, $stride:expr) => {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "2:",
            "tileloadd tmm6, [{b} + {line}*1]",
            "tileloadd tmm4, [{a} + {line}*1]",
            "tileloadd tmm7, [{b} + {line}*1 + 1024]",
            concat!($product, " tmm0, tmm4, tmm6"),
            concat!($product, " tmm1, tmm4, tmm7"),
            "add {a}, 1024",
            "add {b}, 2048",
            "dec {turns}",
            "jnz 2b",
            "tilestored [{sums} + {stride}*1], tmm0",
            "tilestored [{sums} + {stride}*1 + 64], tmm1",
            a = inout(reg) $o.a => _, b = inout(reg) $o.b => _, turns = inout(reg) $o.turns => _,
            line = in(reg) 64usize, stride = in(reg) 4 * $stride, sums = in(reg) $sums,
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _, options(nostack)
        )
    };
}

// SAFETY of the whole impl: see `TileProduct`. The assembly reads and writes what `Operands` and the sums describe,
// and every tile it changes is among its outputs.
impl<const INT8: bool> TileProduct for Amx<INT8> {
    const INT8: bool = INT8;

    #[inline(always)]
    unsafe fn configure() -> Self {
        static WHOLE: Configuration = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
            rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &WHOLE, out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _, options(nostack, readonly));
        }
        Amx { _thread: PhantomData }
    }

    #[inline(always)]
    unsafe fn multiply(&self, o: &Operands, sums: *mut u32, stride: usize) {
        unsafe {
            match (INT8, o.second.is_null()) {
                (false, false) => product!("tdpbf16ps", two, o, sums, stride),
                (false, true) => product!("tdpbf16ps", one, o, sums, stride),
                (true, false) => product!("tdpbusd", two, o, sums, stride),
                (true, true) => product!("tdpbusd", one, o, sums, stride),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether this thread has tiles that hold something, by the register that says what is in its first state.
    fn tiles_in_use() -> bool {
        // SAFETY: processors with AMX have this register.
        unsafe { extended_state::<1>() & 0b11 << 17 != 0 }
    }

    /// A wrong product takes the level away, and with it every other test of it.
    #[test]
    fn processors_with_tiles_multiply_as_described() {
        assert!(!permitted() || multiplies_as_described());
    }

    #[test]
    fn tiles_are_given_back() {
        if !available() {
            return;
        }
        assert!(!tiles_in_use());
        // SAFETY: AMX is there.
        let tiles = unsafe { Amx::<true>::configure() };
        assert!(tiles_in_use());
        drop(tiles);
        assert!(!tiles_in_use());
    }
}
