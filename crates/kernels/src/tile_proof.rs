//! Whether products of tiles are what the manual says, tried before they are used.
//!
//! They were written from the manual, and an emulated or virtual processor may differ from it. Wrong sums would
//! spoil every vector in silence, so each process first multiplies a few small matrices both ways; where one sum
//! differs, the level counts as missing.
//!
//! Numbers are whole and small, so that every sum is exact, whatever the order of its terms.

use crate::tile_product::{Operands, SIDE, Sums, TileProduct, WIDTH};

/// Tiles along the sums.
const TURNS: usize = 2;
/// Words from one row to the next: more than a row has.
const STRIDE: usize = TURNS * SIDE + 3;

/// Whether `T` and `S` multiply alike: full and partial tiles, two and one on the left side, sums set and added to.
///
/// # Safety
/// The processor has the instructions of both.
pub(crate) unsafe fn agree<T: TileProduct, S: TileProduct>() -> bool {
    let left: Vec<u32> = words(T::INT8, 1).take(WIDTH * STRIDE).collect();
    let right: Vec<u32> = words(T::INT8, 2).take(TURNS * SIDE * WIDTH).collect();
    [(SIDE, 2), (5, 2), (SIDE, 1), (3, 1)].into_iter().all(|(rows, tiles)| {
        let second = if tiles == 2 { left[rows * STRIDE..].as_ptr() } else { std::ptr::null() };
        let operands = Operands { a: [left.as_ptr(), second], a_stride: STRIDE, b: right.as_ptr(), turns: TURNS };
        // SAFETY: the caller vouches for the instructions; both sides hold what `operands` says.
        unsafe { sums::<T>(rows, &operands) == sums::<S>(rows, &operands) }
    })
}

/// The sums of `operands`, set once and added once.
///
/// # Safety
/// See [`TileProduct`].
unsafe fn sums<T: TileProduct>(rows: usize, operands: &Operands) -> [Sums; 2] {
    // What is there before must go, or stay where no row is configured.
    let mut set = Sums([[1.0f32.to_bits(); WIDTH]; WIDTH]);
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe {
        let tiles = T::configure(rows);
        tiles.multiply(operands, &mut set, false);
        let mut added = set.clone();
        tiles.multiply(operands, &mut added, true);
        [set, added]
    }
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
    use crate::tile_product::Scalar;

    const KEEPS_ALWAYS: u32 = 0;
    const FILLS_PARTIAL_TILES: u32 = 1;
    const REPEATS_THE_FIRST_TILE: u32 = 2;
    const STOPS_EARLY: u32 = 3;
    const MISSES_ONE: u32 = 4;

    /// Products with a fault.
    struct Faulty<const FAULT: u32, const INT8: bool>(Scalar<INT8>);

    // SAFETY: see `TileProduct`; no instructions are needed.
    impl<const FAULT: u32, const INT8: bool> TileProduct for Faulty<FAULT, INT8> {
        const INT8: bool = INT8;

        unsafe fn configure(rows: usize) -> Self {
            // SAFETY: nothing is needed.
            Faulty(unsafe { Scalar::configure(if FAULT == FILLS_PARTIAL_TILES { SIDE } else { rows }) })
        }

        unsafe fn multiply(&self, o: &Operands, sums: &mut Sums, keep: bool) {
            let second = if FAULT == REPEATS_THE_FIRST_TILE && !o.a[1].is_null() { o.a[0] } else { o.a[1] };
            let turns = if FAULT == STOPS_EARLY { 1 } else { o.turns };
            let operands = Operands { a: [o.a[0], second], turns, ..*o };
            // SAFETY: no more is read than without the fault, but for whole tiles, which `agree` has room for.
            unsafe { self.0.multiply(&operands, sums, keep || FAULT == KEEPS_ALWAYS) };
            if FAULT == MISSES_ONE {
                sums.0[0][0] ^= 1;
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
        assert!(finds::<KEEPS_ALWAYS>());
        assert!(finds::<FILLS_PARTIAL_TILES>());
        assert!(finds::<REPEATS_THE_FIRST_TILE>());
        assert!(finds::<STOPS_EARLY>());
        assert!(finds::<MISSES_ONE>());
    }

    #[test]
    fn sums_are_exact() {
        let most = words(false, 1).take(1000).map(|w| f32::from_bits(w << 16).abs()).fold(0.0, f32::max);
        assert!(most == 128.0 && most * most * (2 * 2 * TURNS * SIDE) as f32 <= (1 << 24) as f32);
    }
}
