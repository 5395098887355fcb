//! What does each operation of an encoder cost at each level of this machine?
//!
//! The operations of one layer of a BERT of any size on texts of one length, each alone on one thread, with data that
//! lies in near caches as it does in the encoder. The sum by layers says where the time of [`crate::embed`] goes.

use ::kernels::{
    Activation, Attention, Finish, KINDS, Kind, LEVELS, LeftBuffer, Level, Panels, Qkv, Rows, Scratch, attend, gemm,
    layer_norm,
};
use base::{Error, Kind as Fault, Result};
use std::time::{Duration, Instant};

/// What to measure; the defaults are all-MiniLM-L6-v2.
#[derive(clap::Args)]
pub struct Options {
    /// One level only, by the names that RAGSTONE_SIMD takes.
    #[arg(long)]
    level: Option<String>,
    /// Width of the hidden states.
    #[arg(long, default_value_t = 384)]
    hidden: usize,
    /// Width of the feed-forward part.
    #[arg(long, default_value_t = 1536)]
    intermediate: usize,
    /// Heads.
    #[arg(long, default_value_t = 12)]
    heads: usize,
    /// Tokens of a text; also the rows that are multiplied together.
    #[arg(long, default_value_t = 128)]
    tokens: usize,
    /// Milliseconds for each operation.
    #[arg(long, default_value_t = 100)]
    time: u64,
}

/// Prints a JSON line for each operation, kind of number and level: microseconds a text and layer, and billions of
/// multiplications or values a second.
pub fn run(options: &Options) -> Result<()> {
    let level = options.level.as_deref().map(|name| {
        let what = || format!("--level {name}: expected one of {}", LEVELS.map(Level::name).join(", "));
        Level::parse(name).ok_or_else(|| Error::new(Fault::BadInput, what()))
    });
    let level = level.transpose()?;
    let levels = LEVELS.into_iter().filter(|l| l.available() && level.is_none_or(|wanted| *l == wanted));
    for level in levels {
        let bench = Bench { options, level, time: Duration::from_millis(options.time) };
        for kind in KINDS.into_iter().filter(|kind| kind.runs_at(level)) {
            bench.products(kind);
        }
        bench.attention();
        bench.norm();
    }
    Ok(())
}

struct Bench<'a> {
    options: &'a Options,
    level: Level,
    time: Duration,
}

impl Bench<'_> {
    /// The four products of a layer, and the conversion of their left sides.
    fn products(&self, kind: Kind) {
        let (h, wide, rows) = (self.options.hidden, self.options.intermediate, self.options.tokens);
        let shapes = [
            ("qkv", h, 3 * h, Activation::None, false),
            ("output", h, h, Activation::None, true),
            ("up", h, wide, Activation::Gelu, false),
            ("up without gelu", h, wide, Activation::None, false),
            ("down", wide, h, Activation::None, true),
        ];
        for (name, k, n, activation, add) in shapes {
            let weights = numbers(n * k);
            let panels = Panels::pack(Rows::F32(&weights), n, k, kind, self.level);
            let (input, bias) = (numbers(rows * k), numbers(n));
            let (mut out, mut left) = (vec![0.0; rows * n], LeftBuffer::default());
            if matches!(name, "qkv" | "down") && kind != Kind::F32 {
                let seconds = self.seconds(|| _ = left.convert(self.level, &panels, &input, k, rows));
                self.print("convert", kind.name(), k, 0, rows * k, seconds);
            }
            let left = left.convert(self.level, &panels, &input, k, rows);
            let finish = Finish { bias: &bias, activation, add };
            let seconds = self.seconds(|| {
                // Sums that are added to without end would leave the range of numbers.
                if add {
                    out.fill(0.0);
                }
                gemm(left, rows, &panels, finish, &mut out, n);
            });
            self.print(name, kind.name(), k, n, rows * n * k, seconds);
        }
    }

    fn attention(&self) {
        let Options { hidden, heads, tokens, .. } = *self.options;
        let dim = hidden / heads;
        let qkv = numbers(tokens * 3 * hidden);
        let (mut scratch, mut out) = (Scratch::default(), vec![0.0; tokens * hidden]);
        let (q, k, v) = (&qkv[..], &qkv[hidden..], &qkv[2 * hidden..]);
        let x = Qkv { q, k, v, stride: 3 * hidden, len: tokens, keys: tokens };
        for kind in [Kind::F32, Kind::Bf16].into_iter().filter(|kind| kind.runs_at(self.level)) {
            let scale = 1.0 / (dim as f32).sqrt();
            let shape = Attention { heads, dim, scale, window: None, bias: &[], reach: tokens, kind };
            let seconds = self.seconds(|| attend(self.level, &shape, x, &mut scratch, &mut out, hidden));
            self.print("attention", kind.name(), hidden, hidden, 2 * tokens * tokens * hidden, seconds);
        }
    }

    fn norm(&self) {
        let Options { hidden, tokens, .. } = *self.options;
        let (gain, bias, mut rows) = (vec![1.0; hidden], vec![0.0; hidden], numbers(tokens * hidden));
        let seconds = self.seconds(|| layer_norm(self.level, &mut rows, hidden, &gain, &bias, 1e-12));
        self.print("layer norm", "f32", hidden, hidden, tokens * hidden, seconds);
    }

    /// The least of many runs: what the machine can do.
    fn seconds(&self, mut work: impl FnMut()) -> f64 {
        work();
        let (start, mut least) = (Instant::now(), f64::INFINITY);
        while start.elapsed() < self.time {
            let begin = Instant::now();
            work();
            least = least.min(begin.elapsed().as_secs_f64());
        }
        least
    }

    fn print(&self, name: &str, kind: &str, k: usize, n: usize, work: usize, seconds: f64) {
        let line = serde_json::json!({
            "level": self.level.name(), "kind": kind, "operation": name, "inputs": k, "outputs": n,
            "us": (seconds * 1e7).round() / 10.0, "giga_per_s": (work as f64 / seconds / 1e8).round() / 10.0,
        });
        println!("{line}");
    }
}

/// Numbers between -1 and 1, the same each time.
fn numbers(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
