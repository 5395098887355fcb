//! Products of tiles: what the instructions of a processor must do, and the same in plain words.

/// Rows of a tile, and the groups or outputs in each.
pub(crate) const SIDE: usize = 16;
/// Outputs of a panel: two tiles.
pub(crate) const WIDTH: usize = 2 * SIDE;

/// Sums of 32 rows and a panel, f32 or i32.
#[derive(Clone, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Sums(pub(crate) [[u32; WIDTH]; WIDTH]);

/// Two or one tiles of rows, two of outputs, over `turns` times 16 groups.
pub(crate) struct Operands {
    /// First words of two tiles of rows; the second is null for one.
    pub(crate) a: [*const u32; 2],
    /// Words from one row to the next.
    pub(crate) a_stride: usize,
    /// Lines of a panel, [`WIDTH`] words each.
    pub(crate) b: *const u32,
    /// At least 1.
    pub(crate) turns: usize,
}

/// Multiplication of tiles: the processor's, or [`Scalar`].
///
/// # Safety
/// Every method may only run on a machine that has the instructions; operands are readable for `turns * 16` groups
/// of the configured rows, and of a panel.
pub(crate) trait TileProduct {
    /// Whether groups are four bytes, unsigned on the left, signed on the right, and sums i32; else two bf16 and f32.
    const INT8: bool;

    /// Tiles of `rows` rows, 1 to 16, on the left side, until the value is dropped.
    unsafe fn configure(rows: usize) -> Self;
    /// Sets `sums` to the products, or adds them with `keep`. Rows that are not configured stay as they are.
    unsafe fn multiply(&self, operands: &Operands, sums: &mut Sums, keep: bool);
}

/// Tiles as the manual describes them, on every machine.
pub(crate) struct Scalar<const INT8: bool> {
    rows: usize,
}

// SAFETY: see `TileProduct`; no instructions are needed.
impl<const INT8: bool> TileProduct for Scalar<INT8> {
    const INT8: bool = INT8;

    unsafe fn configure(rows: usize) -> Self {
        Scalar { rows }
    }

    unsafe fn multiply(&self, o: &Operands, sums: &mut Sums, keep: bool) {
        for (tile, a) in o.a.into_iter().enumerate().filter(|(_, a)| !a.is_null()) {
            for r in 0..self.rows {
                for (column, sum) in sums.0[tile * SIDE + r].iter_mut().enumerate() {
                    let start = if keep { *sum } else { 0 };
                    *sum = (0..o.turns * SIDE).fold(start, |sum, g| unsafe {
                        step::<INT8>(sum, *a.add(r * o.a_stride + g), *o.b.add(g * WIDTH + column))
                    });
                }
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
