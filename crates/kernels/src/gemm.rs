//! Matrix times packed matrix: `out = act(a · bᵀ + bias)`, or added to what is in `out`.
//!
//! # Algorithm
//! For every panel of `b` (some dozens of kilobytes, so it stays in the first or second cache) and every
//! block of rows of `a`, a tile of sums is kept in registers while one loop runs over `k`:
//!
//! ```text
//! for g in groups:                       // 1 load of two registers of b, ROWS broadcasts of a,
//!     for r in rows of the block:        // 2 · ROWS multiply-adds
//!         sum[r][0..2] += a[r][g] · b[g][0..2]
//! ```
//!
//! Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, without the outermost
//! blocking: an encoder's `k` is at most a few thousand, so a panel fits the second cache whole.
//!
//! # Cost
//! 2·m·n·k operations; `b` is read once per call from wherever it lies, `a` once per panel from a near cache.
//! With 64 rows or more the multiply-adds are the limit, with few rows the reading of `b`.

use crate::activation::{Activation, activate};
use crate::dot::Dot;
use crate::job::{Finish, Job, Left, Rounded, outputs, panel_bias, write};
use crate::layout::Layout;
#[cfg(target_arch = "x86_64")]
use crate::layout::WIDTH;
use crate::level::Level;
use crate::panels::{Kind, Panels};
use crate::rows::LeftBuffer;
#[cfg(target_arch = "x86_64")]
use crate::tiles;

/// Multiplies `rows` rows of `a` with `b` into `out`, whose rows are `out_stride` apart.
///
/// # Panics
/// If a slice is too short for the shape, or `a.params` is missing for a matrix of integers.
pub fn gemm(a: Left<'_>, rows: usize, b: &Panels, finish: Finish<'_>, out: &mut [f32], out_stride: usize) {
    if rows == 0 || b.n == 0 {
        return;
    }
    check(a, rows, b, finish);
    assert!(out_stride >= b.n, "rows overlap");
    assert!(out.len() >= (rows - 1) * out_stride + b.n, "output too short");
    // SAFETY: the asserts bound every access (see `Job`).
    unsafe { dispatch(&Job { a, rows, b, finish, out: out.as_mut_ptr(), out_stride, rounded: None }) }
}

/// Multiplies as [`gemm`] does and rounds the outputs, which never lie in memory as floats, to the left side of a
/// product with `next`: the same as [`LeftBuffer::convert`] would make of them.
///
/// # Panics
/// As [`gemm`]; if not [`Panels::feeds`], or with `finish.add`.
pub fn gemm_rounded<'a>(
    a: Left<'_>,
    rows: usize,
    b: &Panels,
    finish: Finish<'_>,
    next: &Panels,
    out: &'a mut LeftBuffer,
) -> Left<'a> {
    assert!(b.feeds(next) && !finish.add, "outputs of {:?} are rounded for {:?}", b.kind, next.kind);
    if rows > 0 {
        check(a, rows, b, finish);
        let (layout, groups) = (next.layout, next.groups);
        let rounded = Some(Rounded { words: out.room(next, rows).as_mut_ptr(), layout, groups });
        // SAFETY: as in `gemm`; `next` has as many inputs as `b` outputs, whole panels of them.
        unsafe { dispatch(&Job { a, rows, b, finish, out: std::ptr::null_mut(), out_stride: 0, rounded }) }
    }
    out.filled(next)
}

/// Whether the left side is what the shape asks for.
fn check(a: Left<'_>, rows: usize, b: &Panels, finish: Finish<'_>) {
    assert!(a.stride >= b.groups, "rows overlap");
    assert!(a.words.len() >= (b.layout.rows(rows) - 1) * a.stride + b.groups, "left side too short");
    assert!(b.layout == Layout::Lines || a.stride == b.groups, "tiles lie without gaps");
    assert!(finish.bias.is_empty() || finish.bias.len() == b.n, "bias of {} outputs", finish.bias.len());
    assert!(!finish.add || finish.activation == Activation::None, "an activation applies to the product alone");
    let integers = matches!(b.kind, Kind::Int8 | Kind::Int16);
    assert!(!integers || a.params.len() >= rows, "rows of integers come with scale and offset");
}

/// # Safety
/// See [`Job`]. The instructions are there: [`Panels::pack`] accepts a kind only at a level that has it, and that the
/// machine has that.
unsafe fn dispatch(job: &Job<'_>) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe {
        match (job.b.level, job.b.kind) {
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, Kind::Int16) => run_avx2_int16(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, _) => run_avx2(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Amx, Kind::Bf16) => tiles::run_bf16(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Amx, Kind::Int8) => tiles::run_int8(job),
            #[cfg(target_arch = "x86_64")]
            (_, Kind::Bf16) => run_bf16(job),
            #[cfg(target_arch = "x86_64")]
            (_, Kind::Int8) if job.rounded.is_some() => run_vnni_rounded(job),
            #[cfg(target_arch = "x86_64")]
            (_, Kind::Int8) => run_vnni(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Vnni | Level::Amx, Kind::Int16) => run_vnni_int16(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512 | Level::Bf16 | Level::Vnni | Level::Amx, Kind::F32) => run_avx512(job),
            #[cfg(target_arch = "aarch64")]
            (Level::Neon | Level::Dotprod | Level::I8mm, Kind::F32) => run::<crate::arch::neon::NeonF32>(job),
            #[cfg(target_arch = "aarch64")]
            (Level::Dotprod, Kind::Int8) => run_dotprod(job),
            #[cfg(target_arch = "aarch64")]
            (Level::I8mm, Kind::Int8) => run_i8mm(job),
            (_, Kind::Int16) => run::<crate::arch::portable::PortableInt16>(job),
            _ => run::<crate::arch::portable::PortableF32>(job),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2(job: &Job<'_>) {
    unsafe { run::<crate::arch::avx2::Avx2F32>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2_int16(job: &Job<'_>) {
    unsafe { run::<crate::arch::avx2::Avx2Int16>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn run_avx512(job: &Job<'_>) {
    unsafe { run::<crate::arch::avx512::Avx512F32>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn run_bf16(job: &Job<'_>) {
    use crate::arch::avx512::Avx512Bf16;
    unsafe { if job.rounded.is_some() { run_rounded::<Avx512Bf16>(job) } else { run::<Avx512Bf16>(job) } }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16")]
unsafe fn run_vnni_rounded(job: &Job<'_>) {
    unsafe { run_rounded::<crate::arch::avx512::Avx512Vnni>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn run_vnni_int16(job: &Job<'_>) {
    unsafe { run::<crate::arch::avx512::Avx512Int16>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn run_vnni(job: &Job<'_>) {
    unsafe { run::<crate::arch::avx512::Avx512Vnni>(job) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon,dotprod")]
unsafe fn run_dotprod(job: &Job<'_>) {
    unsafe { run::<crate::arch::neon::NeonDotprod>(job) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon,dotprod,i8mm")]
unsafe fn run_i8mm(job: &Job<'_>) {
    unsafe { run::<crate::arch::i8mm::NeonI8mm>(job) }
}

/// Calls `$f::<D, M>` with M = `$m`, a number of rows known only at run time.
macro_rules! with_rows {
    ($m:expr, $f:ident, $d:ty, $args:tt) => {
        match $m {
            1 => $f::<$d, 1> $args,
            2 => $f::<$d, 2> $args,
            3 => $f::<$d, 3> $args,
            4 => $f::<$d, 4> $args,
            5 if <$d>::ROWS >= 5 => $f::<$d, 5> $args,
            6 if <$d>::ROWS >= 6 => $f::<$d, 6> $args,
            7 if <$d>::ROWS >= 7 => $f::<$d, 7> $args,
            8 if <$d>::ROWS >= 8 => $f::<$d, 8> $args,
            9 if <$d>::ROWS >= 9 => $f::<$d, 9> $args,
            10 if <$d>::ROWS >= 10 => $f::<$d, 10> $args,
            11 if <$d>::ROWS >= 11 => $f::<$d, 11> $args,
            12 if <$d>::ROWS >= 12 => $f::<$d, 12> $args,
            m => unreachable!("a block of {m} rows"),
        }
    };
}
pub(crate) use with_rows;

/// How many rows the next block takes when `left` remain: blocks differ by at most one row, because a block
/// of one row costs nearly as much as one of four.
#[inline(always)]
pub(crate) fn block_rows(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most))
}

#[inline(always)]
unsafe fn run<D: Dot>(job: &Job<'_>) {
    unsafe {
        for panel in 0..job.b.n.div_ceil(job.b.width) {
            let mut row = 0;
            while row < job.rows {
                let m = block_rows(job.rows - row, D::ROWS);
                with_rows!(m, block, D, (job, panel, row));
                if job.finish.activation != Activation::None {
                    let first = panel * job.b.width;
                    let columns = job.b.width.min(job.b.n - first);
                    let out = job.out.add(row * job.out_stride + first);
                    activate::<D::V>(job.finish.activation, out, job.out_stride, m, columns);
                }
                row += m;
            }
        }
    }
}

/// As [`run`], a block at a time into a little room of its own, and rounded from there.
///
/// # Safety
/// As [`dispatch`], inside AVX512-BF16.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn run_rounded<D: Dot>(job: &Job<'_>) {
    let Some(rounded) = &job.rounded else { return };
    unsafe {
        let mut room = [0.0f32; 16 * WIDTH];
        for panel in 0..job.b.n / WIDTH {
            let first = panel * WIDTH;
            let mut row = 0;
            while row < job.rows {
                let m = block_rows(job.rows - row, D::ROWS);
                let floats = room.as_mut_ptr();
                let job = Job { out: floats.wrapping_sub(row * WIDTH + first), out_stride: WIDTH, ..*job };
                with_rows!(m, block, D, (&job, panel, row));
                activate::<D::V>(job.finish.activation, floats, WIDTH, m, WIDTH);
                for r in 0..m {
                    crate::arch::pairs512::round_line(floats.add(r * WIDTH), rounded.line(row + r, first));
                }
                row += m;
            }
        }
    }
}

#[inline(always)]
unsafe fn block<D: Dot, const M: usize>(job: &Job<'_>, panel: usize, row: usize) {
    unsafe {
        let b = job.b;
        let first = panel * b.width;
        let a = job.a.words.as_ptr().add(row * job.a.stride);
        let sums = D::tile::<M>(a, job.a.stride, b.words.u32().as_ptr().add(first * b.groups), b.width, b.groups);
        let bias = panel_bias::<D::V>(job, first);
        for r in 0..M {
            let y = [D::float(sums[r][0]), D::float(sums[r][1])];
            write(job, first, row + r, outputs(job, first, row + r, y, bias));
        }
    }
}
