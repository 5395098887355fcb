//! Products of tiles: what the instructions of a processor must do, and the same in plain words.

use crate::layout::{SIDE, TILE, WIDTH};

/// Sums of 32 rows and a panel, f32 or i32.
#[derive(Clone, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Sums(pub(crate) [[u32; WIDTH]; WIDTH]);

/// One or two tiles of rows by two of outputs, along `turns` tiles of groups.
pub(crate) struct Operands {
    /// Tiles of the first 16 rows, one after the other.
    pub(crate) a: *const u32,
    /// Those of the next 16 rows; null for none.
    pub(crate) second: *const u32,
    /// Tiles of a panel, those of its two halves in turn.
    pub(crate) b: *const u32,
    /// At least 1.
    pub(crate) turns: usize,
}

/// Multiplication of tiles: the processor's, or [`Scalar`].
///
/// # Safety
/// Every method may only run on a machine that has the instructions; operands are readable, and 16 or 32 rows of 32
/// sums, `stride` words apart, writable.
pub(crate) trait TileProduct {
    /// Whether groups are four bytes, unsigned on the left, signed on the right, and sums i32; else two bf16 and f32.
    const INT8: bool;

    /// Tiles are in use until the value is dropped.
    unsafe fn configure() -> Self;
    /// Sets 16 rows of sums, or 32 if there is a second tile of rows.
    unsafe fn multiply(&self, operands: &Operands, sums: *mut u32, stride: usize);
}

/// Tiles as the manual describes them, on every machine.
pub(crate) struct Scalar<const INT8: bool>;

// SAFETY: see `TileProduct`; no instructions are needed.
impl<const INT8: bool> TileProduct for Scalar<INT8> {
    const INT8: bool = INT8;

    unsafe fn configure() -> Self {
        Scalar
    }

    unsafe fn multiply(&self, o: &Operands, sums: *mut u32, stride: usize) {
        for (half, a) in [o.a, o.second].into_iter().enumerate().filter(|(_, a)| !a.is_null()) {
            for (r, column) in (0..SIDE).flat_map(|r| (0..WIDTH).map(move |column| (r, column))) {
                let sum = (0..o.turns * SIDE).fold(0, |sum, g| unsafe {
                    let (tile, g) = (g / SIDE, g % SIDE);
                    let b = 2 * tile * TILE + column / SIDE * TILE + g * SIDE + column % SIDE;
                    step::<INT8>(sum, *a.add(tile * TILE + r * SIDE + g), *o.b.add(b))
                });
                unsafe { *sums.add((half * SIDE + r) * stride + column) = sum };
            }
        }
    }
}

/// `c` plus the products of one group.
fn step<const INT8: bool>(c: u32, a: u32, b: u32) -> u32 {
    if INT8 {
        let bytes = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
        return bytes.fold(c as i32, |c, (a, b)| c + i32::from(a) * i32::from(b as i8)) as u32;
    }
    let high = |x: u32| f32::from_bits(x & 0xffff_0000);
    // Products of two bf16 are exact in f32.
    (f32::from_bits(c) + high(a << 16) * high(b << 16) + high(a) * high(b)).to_bits()
}
