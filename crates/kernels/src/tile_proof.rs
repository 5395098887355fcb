//! Whether products of tiles are what the manual says, tried before they are used.
//!
//! They were written from the manual, and an emulated or virtual processor may differ from it. Wrong sums would
//! spoil every vector in silence, so each process first multiplies a few small matrices both ways; where one sum
//! differs, the level counts as missing.
//!
//! Numbers are whole and small, so that every sum is exact, whatever the order of its terms.

use crate::layout::{TILE, WIDTH};
use crate::tile_product::{Operands, Sums, TileProduct};

/// Tiles along the sums.
const TURNS: usize = 2;
/// Whether `T` and `S` multiply alike, with two tiles of rows and with one.
///
/// # Safety
/// The processor has the instructions of both.
pub(crate) unsafe fn agree<T: TileProduct, S: TileProduct>() -> bool {
    let left: Vec<u32> = words(T::INT8, 1).take(2 * TURNS * TILE).collect();
    let right: Vec<u32> = words(T::INT8, 2).take(2 * TURNS * TILE).collect();
    [left[TURNS * TILE..].as_ptr(), std::ptr::null()].into_iter().all(|second| {
        let operands = Operands { a: left.as_ptr(), second, b: right.as_ptr(), turns: TURNS };
        // SAFETY: the caller vouches for the instructions; both sides hold what `operands` says.
        unsafe { sums::<T>(&operands) == sums::<S>(&operands) }
    })
}

/// The sums of `operands`, over what was there before.
///
/// # Safety
/// See [`TileProduct`].
unsafe fn sums<T: TileProduct>(operands: &Operands) -> Sums {
    let mut sums = Sums([[1.0f32.to_bits(); WIDTH]; WIDTH]);
    // SAFETY: the caller's duty, passed on unchanged; there is room for all sums.
    unsafe { T::configure().multiply(operands, sums.0.as_mut_ptr().cast(), WIDTH) };
    sums
}

/// Groups of any four bytes, or of two whole numbers from -128 to 127 as bf16.
fn words(int8: bool, seed: u32) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        // xorshift32 (Marsaglia, "Xorshift RNGs", 2003).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let bf16 = |byte: u32| f32::from(byte as i8).to_bits() >> 16;
        if int8 { state } else { bf16(state >> 24) | bf16(state >> 16) << 16 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::SIDE;
    use crate::tile_product::Scalar;

    const KEEPS: u32 = 0;
    const WRITES_TWO_TILES: u32 = 1;
    const REPEATS_THE_FIRST_TILE: u32 = 2;
    const STOPS_EARLY: u32 = 3;
    const MISSES_ONE: u32 = 4;

    /// Products with a fault.
    struct Faulty<const FAULT: u32, const INT8: bool>(Scalar<INT8>);

    // SAFETY: see `TileProduct`; no instructions are needed, and `sums` above has room for 32 rows always.
    impl<const FAULT: u32, const INT8: bool> TileProduct for Faulty<FAULT, INT8> {
        const INT8: bool = INT8;

        unsafe fn configure() -> Self {
            Faulty(Scalar)
        }

        unsafe fn multiply(&self, o: &Operands, sums: *mut u32, stride: usize) {
            let second = match FAULT {
                REPEATS_THE_FIRST_TILE if !o.second.is_null() => o.a,
                WRITES_TWO_TILES if o.second.is_null() => o.a,
                _ => o.second,
            };
            let turns = if FAULT == STOPS_EARLY { 1 } else { o.turns };
            let operands = Operands { second, turns, ..*o };
            // SAFETY: no more is read than without the fault.
            unsafe {
                let before = *sums;
                self.0.multiply(&operands, sums, stride);
                match FAULT {
                    KEEPS => *sums += before,
                    MISSES_ONE => *sums ^= 1,
                    _ => {}
                }
            }
        }
    }

    fn finds<const FAULT: u32>() -> bool {
        // SAFETY: no instructions are needed.
        unsafe { !agree::<Faulty<FAULT, false>, Scalar<false>>() && !agree::<Faulty<FAULT, true>, Scalar<true>>() }
    }

    #[test]
    fn faults_are_found() {
        // SAFETY: no instructions are needed.
        assert!(unsafe { agree::<Scalar<false>, Scalar<false>>() && agree::<Scalar<true>, Scalar<true>>() });
        assert!(finds::<KEEPS>());
        assert!(finds::<WRITES_TWO_TILES>());
        assert!(finds::<REPEATS_THE_FIRST_TILE>());
        assert!(finds::<STOPS_EARLY>());
        assert!(finds::<MISSES_ONE>());
    }

    #[test]
    fn sums_are_exact() {
        let most = words(false, 1).take(1000).map(|w| f32::from_bits(w << 16).abs()).fold(0.0, f32::max);
        assert!(most == 128.0 && most * most * (2 * TURNS * SIDE) as f32 <= (1 << 24) as f32);
    }
}
