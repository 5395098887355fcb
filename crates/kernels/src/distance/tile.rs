//! The distance loop, once for every instruction set, measure and width of number.
//!
//! Every score is the sum of `C` chains along the row, whatever the shape of the tile, so that one row has one
//! score to the last bit however it is asked for.

use super::lanes::{Bf16, Dot, F16, F32, L1, L2, Lanes, Term, Width};
use super::{Element, Measure};

/// Which rows of the block are wanted.
pub(super) enum Rows<'a> {
    /// All, in order.
    All,
    /// These; every one lies inside the block.
    Some(&'a [u32]),
}

/// One call: `Q` queries of one length against a block of rows.
pub(super) struct Job<'a, const Q: usize> {
    pub measure: Measure,
    pub element: Element,
    pub queries: [&'a [f32]; Q],
    pub rows: &'a [u8],
    pub at: Rows<'a>,
}

/// Runs `job` with registers of type `V`, or `S` where one query meets long rows in order; both hold as many numbers.
///
/// # Safety
/// The instruction set of `V` is present; the job's rows lie inside its block (checked by the public
/// functions) and `out` holds one score per query and row.
#[inline(always)]
pub(super) unsafe fn run<V: Lanes, S: Lanes, const Q: usize, const C: usize>(job: &Job<'_, Q>, out: &mut [f32]) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe {
        match (job.element, job.measure) {
            (Element::F32, Measure::Dot) => rows::<V, S, F32, Dot, Q, C>(job, out),
            (Element::F32, Measure::L2) => rows::<V, S, F32, L2, Q, C>(job, out),
            (Element::F32, Measure::L1) => rows::<V, S, F32, L1, Q, C>(job, out),
            (Element::F16, Measure::Dot) => rows::<V, S, F16, Dot, Q, C>(job, out),
            (Element::F16, Measure::L2) => rows::<V, S, F16, L2, Q, C>(job, out),
            (Element::F16, Measure::L1) => rows::<V, S, F16, L1, Q, C>(job, out),
            (Element::Bf16, Measure::Dot) => rows::<V, S, Bf16, Dot, Q, C>(job, out),
            (Element::Bf16, Measure::L2) => rows::<V, S, Bf16, L2, Q, C>(job, out),
            (Element::Bf16, Measure::L1) => rows::<V, S, Bf16, L1, Q, C>(job, out),
        }
    }
}

/// Bytes of a row from which consecutive rows are read one after the other. In tiles of four, long rows are
/// four streams, and memory then gave half of what it gives to one (Zen 4, 1,536 bytes: 10.8 GB/s against 20.0 to 22.9, see
/// `bench/results/vectors.md`). Measured from 384 bytes on; below, the two were not compared.
const LONG: usize = 128;

/// Runs one width and measure over all rows.
///
/// Rows that are picked are taken four at a time, because each is waited for by itself.
#[inline(always)]
unsafe fn rows<V: Lanes, S: Lanes, W: Width, T: Term, const Q: usize, const C: usize>(
    job: &Job<'_, Q>,
    out: &mut [f32],
) {
    let dimension = job.queries[0].len();
    let count = out.len() / Q;
    let queries = job.queries.map(|q| q.as_ptr().cast::<u8>());
    let base = job.rows.as_ptr();
    let at = |i: usize| {
        let row = match job.at {
            Rows::All => i,
            Rows::Some(ids) => ids[i] as usize,
        };
        // SAFETY: the public functions checked that the row lies inside the block.
        unsafe { base.add(row * dimension * W::BYTES) }
    };
    let mut i = 0;
    let stream = matches!(job.at, Rows::All) && dimension * W::BYTES >= LONG;
    if Q == 1 && !stream {
        while i + 4 <= count {
            // SAFETY: four rows and the queries are readable for `dimension` numbers.
            let s = unsafe { tile::<V, W, T, Q, 4, C>(queries, [at(i), at(i + 1), at(i + 2), at(i + 3)], dimension) };
            out[i..i + 4].copy_from_slice(&s[0]);
            i += 4;
        }
    }
    while i < count {
        // SAFETY: as above.
        let s = unsafe {
            match Q == 1 && stream {
                true => tile::<S, W, T, Q, 1, C>(queries, [at(i)], dimension),
                false => tile::<V, W, T, Q, 1, C>(queries, [at(i)], dimension),
            }
        };
        for q in 0..Q {
            out[q * count + i] = s[q][0];
        }
        i += 1;
    }
}

/// Scores of `Q` queries against `R` rows, each in `C` chains.
///
/// # Safety
/// Queries are readable for `dimension` f32 and rows for `dimension` numbers of width `W`.
#[inline(always)]
pub(super) unsafe fn tile<V: Lanes, W: Width, T: Term, const Q: usize, const R: usize, const C: usize>(
    queries: [*const u8; Q],
    rows: [*const u8; R],
    dimension: usize,
) -> [[f32; R]; Q] {
    // SAFETY: every full register lies inside `dimension` numbers; the rest goes through a buffer.
    unsafe {
        let mut acc = [[[V::zero(); C]; R]; Q];
        let mut i = 0;
        while i + C * V::N <= dimension {
            for c in 0..C {
                let mut x = [V::zero(); R];
                for r in 0..R {
                    x[r] = W::load::<V>(rows[r].add((i + c * V::N) * W::BYTES));
                }
                for q in 0..Q {
                    let y = V::load_f32(queries[q].add((i + c * V::N) * 4));
                    for r in 0..R {
                        acc[q][r][c] = T::add(y, x[r], acc[q][r][c]);
                    }
                }
            }
            i += C * V::N;
        }
        // Fewer registers than chains are left, and the last of them may not be full.
        for c in 0..C {
            if i >= dimension {
                break;
            }
            let rest = dimension - i;
            for r in 0..R {
                let x = some::<V, W>(rows[r].add(i * W::BYTES), rest);
                for q in 0..Q {
                    let y = some::<V, F32>(queries[q].add(i * 4), rest);
                    acc[q][r][c] = T::add(y, x, acc[q][r][c]);
                }
            }
            i += V::N;
        }
        let mut out = [[0.0; R]; Q];
        for q in 0..Q {
            for r in 0..R {
                // Neighbours are added first, so that the chains fold up like a tree.
                let mut sums = acc[q][r];
                let mut left = C;
                while left > 1 {
                    left /= 2;
                    for c in 0..left {
                        sums[c] = sums[2 * c].add(sums[2 * c + 1]);
                    }
                }
                out[q][r] = T::SIGN * sums[0].sum();
            }
        }
        out
    }
}

/// Reads a register, of `count` numbers if there are fewer, with zeros after them; these add nothing to any of
/// the three measures.
#[inline(always)]
unsafe fn some<V: Lanes, W: Width>(p: *const u8, count: usize) -> V {
    // SAFETY: `count` numbers are readable at `p`.
    unsafe { if count >= V::N { W::load::<V>(p) } else { partial::<V, W>(p, count) } }
}

/// Reads `count < V::N` numbers, zeros after them.
#[inline(always)]
unsafe fn partial<V: Lanes, W: Width>(p: *const u8, count: usize) -> V {
    let mut buffer = [0u8; 64];
    // SAFETY: `count` numbers are readable at `p` and fit the buffer, which holds the widest register.
    unsafe {
        std::ptr::copy_nonoverlapping(p, buffer.as_mut_ptr(), count * W::BYTES);
        W::load::<V>(buffer.as_ptr())
    }
}
