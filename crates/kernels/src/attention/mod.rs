//! Scaled dot-product attention of one text: softmax(q kᵀ · scale + bias) v, head by head.
//!
//! # Algorithm
//! For every head the keys are transposed once into panels. Then a few queries at a time (as many rows as the
//! registers hold) are multiplied with all keys, the scores of those rows (a few kilobytes) are turned into
//! weights while they lie in the first cache, and multiplied with the values.
//! In f32 on every level ([`float`]), or in pairs of bf16 where there are instructions for them ([`pairs`]).
//!
//! # Cost
//! 4·len²·dim operations a head. At 128 tokens that is a twentieth of MiniLM's work, at 512 a fifth; but in f32, where
//! the other products are of bf16 or bytes, a seventh of the time or a fifth (`bench/results/encoder.md`).

mod float;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod soften;

use crate::aligned::Words;
use crate::level::Level;
use crate::panels::Kind;

/// The shape of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Number of heads.
    pub heads: usize,
    /// Values per head.
    pub dim: usize,
    /// What q·k is multiplied by, usually 1/√dim.
    pub scale: f32,
    /// A key counts for a query when they are at most this far apart; `None` for all.
    pub window: Option<usize>,
    /// Added to the scores by head and by the key's position minus the query's: `heads` rows of
    /// `2 * reach - 1` values, the middle one for distance 0. Empty for none.
    pub bias: &'a [f32],
    /// Largest length that `bias` serves.
    pub reach: usize,
    /// What numbers are multiplied: f32, or bf16 where [`Kind::runs_at`] says so; softmax is f32 always.
    pub kind: Kind,
}

impl Attention<'_> {
    /// The kind that goes with an encoder's products of `kind`: no more exact than they are, if there is a faster one.
    pub fn kind_beside(kind: Kind, level: Level) -> Kind {
        match kind {
            Kind::Bf16 | Kind::Int8 if Kind::of_floats(level) == Kind::Bf16 => Kind::Bf16,
            _ => Kind::F32,
        }
    }
}

/// Buffers of [`attend`], reused from call to call without allocating.
#[derive(Default)]
pub struct Scratch {
    #[cfg(target_arch = "x86_64")]
    queries: Words,
    keys: Words,
    values: Words,
    scores: Words,
    #[cfg(target_arch = "x86_64")]
    weights: Words,
}

/// Queries, keys and values of one text: token `t`'s head `h` starts at `t * stride + h * dim` in each.
#[derive(Clone, Copy)]
pub struct Qkv<'a> {
    /// Queries.
    pub q: &'a [f32],
    /// Keys.
    pub k: &'a [f32],
    /// Values.
    pub v: &'a [f32],
    /// From one token to the next.
    pub stride: usize,
    /// Number of tokens.
    pub len: usize,
    /// The first so many tokens are looked at, by all; `len` for plain attention. The rest are queries only,
    /// as the masked tokens that ColBERT appends to a question.
    pub keys: usize,
}

/// Writes the attention's result to `out`, whose rows of `heads * dim` values are `out_stride` apart.
///
/// # Panics
/// If a slice is too short for the shape, the bias does not reach, heads have no values, or `spec.kind` is
/// none of the two or not there at `level`.
pub fn attend(
    level: Level,
    spec: &Attention<'_>,
    x: Qkv<'_>,
    scratch: &mut Scratch,
    out: &mut [f32],
    out_stride: usize,
) {
    if x.len == 0 {
        return;
    }
    let width = spec.heads * spec.dim;
    assert!(x.keys >= 1 && x.keys <= x.len, "{} keys of {} tokens", x.keys, x.len);
    assert!(x.stride >= width && out_stride >= width, "rows overlap");
    let need = (x.len - 1) * x.stride + width;
    assert!(x.q.len() >= need && x.k.len() >= need && x.v.len() >= need, "queries, keys or values too short");
    assert!(out.len() >= (x.len - 1) * out_stride + width, "output too short");
    if !spec.bias.is_empty() {
        assert!(
            spec.reach >= x.len && spec.bias.len() == spec.heads * (2 * spec.reach - 1),
            "bias reaches {}",
            spec.reach
        );
    }
    let level = if level.available() { level } else { Level::Scalar };
    let known = spec.kind == Kind::F32 || spec.kind == Kind::Bf16 && spec.kind.runs_at(level);
    assert!(known, "attention in {:?} at level {level}", spec.kind);
    assert!(spec.dim > 0, "heads of no values");
    let job = Job { spec, x, out: out.as_mut_ptr(), out_stride };
    // SAFETY: lengths are checked above, the level is available.
    unsafe {
        match (level, spec.kind) {
            #[cfg(target_arch = "x86_64")]
            (Level::Amx, Kind::Bf16) => pairs::run_tiles(&job, scratch),
            #[cfg(target_arch = "x86_64")]
            (_, Kind::Bf16) => pairs::run_vectors(&job, scratch),
            (level, _) => float::run(level, &job, scratch),
        }
    }
}

/// A checked call: `out` has room for all rows.
struct Job<'a> {
    spec: &'a Attention<'a>,
    x: Qkv<'a>,
    out: *mut f32,
    out_stride: usize,
}

impl Job<'_> {
    /// Row `row` of one head in the output.
    ///
    /// # Safety
    /// Both exist.
    unsafe fn output(&self, head: usize, row: usize) -> *mut f32 {
        // SAFETY: the caller's duty.
        unsafe { self.out.add(row * self.out_stride + head * self.spec.dim) }
    }
}
