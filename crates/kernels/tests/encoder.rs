//! Every level of this machine against the plain versions, at sizes around the registers' widths.

use kernels::{
    Activation, Attention, Finish, KINDS, Kind, LEVELS, Left, LeftBuffer, Level, Panels, Qkv, Rows, Scratch, attend,
    gemm, gemm_rounded, layer_norm, reference,
};

/// A repeatable stream of numbers in -1..1 (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
    fn take(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.next()).collect()
    }
}

fn levels() -> impl Iterator<Item = Level> {
    LEVELS.into_iter().filter(|l| l.available())
}

fn kinds(level: Level) -> Vec<Kind> {
    kernels::KINDS.into_iter().filter(|k| k.runs_at(level)).collect()
}

/// The kinds that quantise the left-hand side, at every level that has them.
fn integers() -> impl Iterator<Item = (Level, Kind)> {
    levels()
        .flat_map(|level| kinds(level).into_iter().map(move |kind| (level, kind)))
        .filter(|(_, kind)| matches!(kind, Kind::Int8 | Kind::Int16))
}

/// Largest difference; not-a-number anywhere is a failure, not a zero.
fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    a.iter().zip(b).fold(0.0, |m, (x, y)| m.max((x - y).abs()))
}

const SHAPES: [(usize, usize, usize); 18] = [
    (1, 1, 1),
    (1, 16, 4),
    (2, 33, 17),
    (3, 15, 32),
    (4, 40, 5),
    (5, 70, 6),
    (6, 33, 28),
    (7, 31, 64),
    (8, 64, 1536),
    (11, 64, 48),
    (12, 32, 33),
    (13, 100, 16),
    (25, 48, 100),
    (37, 96, 384),
    // Around tiles of 16 rows, 32 outputs, 32 or 64 values.
    (16, 32, 64),
    (17, 33, 128),
    (31, 40, 130),
    (49, 64, 65),
];

#[test]
fn products_of_every_kind_and_shape() {
    let mut numbers = Numbers(7);
    for (m, n, k) in SHAPES {
        let (a, b, bias) = (numbers.take(m * k), numbers.take(n * k), numbers.take(n));
        let exact = reference::matmul(&a, &b, m, n, k);
        for level in levels() {
            for kind in kinds(level) {
                let panels = Panels::pack(Rows::F32(&b), n, k, kind, level);
                let mut left = LeftBuffer::default();
                let stride = n + 3;
                let mut out = vec![7.0f32; (m - 1) * stride + n];
                let set = Finish { bias: &bias, ..Finish::default() };
                gemm(left.convert(level, &panels, &a, k, m), m, &panels, set, &mut out, stride);
                let add = Finish { add: true, ..Finish::default() };
                gemm(left.convert(level, &panels, &a, k, m), m, &panels, add, &mut out, stride);
                let tolerance = match kind {
                    Kind::F32 => 1e-5,
                    Kind::Bf16 => 1e-2,
                    Kind::Int8 | Kind::Int16 => 2e-2,
                } * (k as f32).sqrt();
                for i in 0..m {
                    let want: Vec<f32> = (0..n).map(|j| 2.0 * exact[i * n + j] + bias[j]).collect();
                    let off = furthest(&out[i * stride..][..n], &want);
                    assert!(off < tolerance, "{level} {kind:?} {m}x{n}x{k}: off by {off}");
                    let gap = out.get(i * stride + n..(i + 1) * stride).unwrap_or_default();
                    assert!(gap.iter().all(|&x| x == 7.0), "{level} {kind:?} wrote between rows");
                }
            }
        }
    }
}

#[test]
fn outputs_are_rounded_for_the_next_product() {
    let mut numbers = Numbers(5);
    for (m, k, n, last) in [(1, 40, 32, 5), (13, 64, 64, 33), (16, 30, 96, 32), (37, 128, 64, 70), (65, 32, 160, 8)] {
        let (a, b, c, bias) = (numbers.take(m * k), numbers.take(n * k), numbers.take(last * n), numbers.take(n));
        for (level, kind) in levels().flat_map(|level| KINDS.map(|kind| (level, kind))) {
            if !kind.runs_at(level) || !Kind::Bf16.runs_at(level) {
                continue;
            }
            let first = Panels::pack(Rows::F32(&b), n, k, kind, level);
            let next = Panels::pack(Rows::F32(&c), last, n, Kind::Bf16, level);
            if !first.feeds(&next) {
                continue;
            }
            let (mut left, mut middle) = (LeftBuffer::default(), LeftBuffer::default());
            let finish = Finish { bias: &bias, activation: Activation::Gelu, ..Finish::default() };
            let mut floats = vec![0.0; m * n];
            gemm(left.convert(level, &first, &a, k, m), m, &first, finish, &mut floats, n);
            let (mut want, mut got) = (vec![0.0; m * last], vec![0.0; m * last]);
            gemm(middle.convert(level, &next, &floats, n, m), m, &next, Finish::default(), &mut want, last);
            let mut fresh = LeftBuffer::default();
            let rounded = gemm_rounded(left.convert(level, &first, &a, k, m), m, &first, finish, &next, &mut fresh);
            gemm(rounded, m, &next, Finish::default(), &mut got, last);
            assert!(got == want && got.iter().all(|x| x.is_finite()), "{level} {kind:?} {m}x{k}x{n}x{last}");
        }
    }
}

#[test]
fn integers_on_both_sides_are_exact() {
    let (n, k) = (40, 64);
    let values: Vec<i8> = (0..n * k).map(|i| ((i * 31) % 255) as i8).collect();
    let scales: Vec<f32> = (0..n).map(|i| 0.01 + i as f32 * 1e-3).collect();
    let floats: Vec<f32> = values.iter().enumerate().map(|(i, &x)| f32::from(x) * scales[i / k]).collect();
    // Rows of whole numbers that span 0 to 255 survive quantisation as they are, and fit bf16.
    let mut a: Vec<f32> = (0..3 * k).map(|i| ((i * 7) % 256) as f32).collect();
    for row in a.chunks_mut(k) {
        (row[3], row[9]) = (0.0, 255.0);
    }
    let exact = reference::matmul(&a, &floats, 3, n, k);
    let largest = exact.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    for level in levels() {
        for kind in kinds(level) {
            let panels = Panels::pack(Rows::Int8 { values: &values, scales: &scales }, n, k, kind, level);
            let mut out = vec![0.0; 3 * n];
            let mut left = LeftBuffer::default();
            gemm(left.convert(level, &panels, &a, k, 3), 3, &panels, Finish::default(), &mut out, n);
            let off = furthest(&out, &exact) / largest;
            // 16 bits of a row are not 255ths of it.
            let tolerance = if kind == Kind::Int16 { 5e-5 } else { 1e-6 };
            assert!(off < tolerance, "{level} {kind:?}: off by {off}");
        }
    }
}

#[test]
fn integers_of_nine_bits_are_exact_but_in_eight() {
    // A width that ends in the middle of every group.
    let (n, k) = (40, 67);
    let values: Vec<i16> = (0..n * k).map(|i| ((i * 31) % 511) as i16 - 255).collect();
    let scales: Vec<f32> = (0..n).map(|i| 0.01 + i as f32 * 1e-3).collect();
    let whole: Vec<f32> = values.iter().enumerate().map(|(i, &x)| f32::from(x) * scales[i / k]).collect();
    // Halves down and up in turn, and nothing beyond 127.
    let mut rounded = Vec::new();
    for (row, scale) in values.chunks(k).zip(&scales) {
        let mut halves = 0;
        for &x in row {
            halves += usize::from(x % 2 != 0);
            let half = if x % 2 == 0 {
                0.0
            } else if halves % 2 == 1 {
                -0.5
            } else {
                0.5
            };
            rounded.push(2.0 * (f32::from(x) / 2.0 + half).clamp(-127.0, 127.0) * scale);
        }
    }
    let mut a: Vec<f32> = (0..3 * k).map(|i| ((i * 7) % 256) as f32).collect();
    for row in a.chunks_mut(k) {
        (row[3], row[9]) = (0.0, 255.0);
    }
    let largest = reference::matmul(&a, &whole, 3, n, k).iter().fold(0.0f32, |m, x| m.max(x.abs()));
    for level in levels() {
        for kind in kinds(level) {
            let exact = reference::matmul(&a, if kind == Kind::Int8 { &rounded } else { &whole }, 3, n, k);
            let panels = Panels::pack(Rows::Int9 { values: &values, scales: &scales }, n, k, kind, level);
            let mut out = vec![0.0; 3 * n];
            let mut left = LeftBuffer::default();
            gemm(left.convert(level, &panels, &a, k, 3), 3, &panels, Finish::default(), &mut out, n);
            let off = furthest(&out, &exact) / largest;
            let tolerance = if kind == Kind::Int16 { 1e-4 } else { 2e-6 };
            assert!(off < tolerance, "{level} {kind:?}: off by {off}");
        }
    }
}

#[test]
fn constant_rows_keep_their_digits() {
    let (n, k) = (5, 70);
    let values = vec![100i8; n * k];
    for level in levels() {
        for kind in kinds(level) {
            let panels = Panels::pack(Rows::Int8 { values: &values, scales: &[1.0; 5] }, n, k, kind, level);
            let (a, mut out) = (vec![1e-3; k], vec![0.0; n]);
            let mut left = LeftBuffer::default();
            gemm(left.convert(level, &panels, &a, k, 1), 1, &panels, Finish::default(), &mut out, n);
            let tolerance = if kind == Kind::Bf16 { 4e-3 } else { 1e-4 };
            assert!(out.iter().all(|x| (x / 7.0 - 1.0).abs() < tolerance), "{level} {kind:?}: {out:?}");
        }
    }
}

#[test]
fn sums_of_16_bit_integers_do_not_overflow() {
    // Every product has the same sign and the largest magnitude there is.
    let (n, k) = (3, 6000);
    let values: Vec<i8> = [127, -127, 1].iter().flat_map(|&x| vec![x; k]).collect();
    let a: Vec<f32> = vec![-1e4; 2 * k];
    for level in levels().filter(|&l| Kind::Int16.runs_at(l)) {
        let panels = Panels::pack(Rows::Int8 { values: &values, scales: &[1.0; 3] }, n, k, Kind::Int16, level);
        let mut out = vec![0.0; 2 * n];
        let mut left = LeftBuffer::default();
        gemm(left.convert(level, &panels, &a, k, 2), 2, &panels, Finish::default(), &mut out, n);
        for (got, want) in out.iter().zip([-7.62e9, 7.62e9, -6e7].repeat(2)) {
            assert!((got / want - 1.0f32).abs() < 1e-3, "{level}: {got} for {want}");
        }
    }
}

#[test]
fn what_is_not_finite_stays_so_through_integers() {
    // One width with a rest beside whole registers, one without.
    for (level, kind, k) in integers().flat_map(|(l, kind)| [37, 48].map(|k| (l, kind, k))) {
        let n = 17;
        let values = vec![3i8; n * k];
        let panels = Panels::pack(Rows::Int8 { values: &values, scales: &[1.0; 17] }, n, k, kind, level);
        for (bad, at) in [(f32::NAN, 0), (f32::INFINITY, 20), (f32::NEG_INFINITY, 36), (f32::NAN, 36)] {
            let mut a = vec![1.0; 2 * k];
            a[at] = bad;
            let mut out = vec![0.0; 2 * n];
            let mut left = LeftBuffer::default();
            gemm(left.convert(level, &panels, &a, k, 2), 2, &panels, Finish::default(), &mut out, n);
            assert!(out[..n].iter().all(|x| !x.is_finite()), "{level} {kind:?}: {bad} at {at} was lost");
            assert!(
                out[n..].iter().all(|&x| (x - 3.0 * k as f32).abs() < 0.1),
                "{level} {kind:?}: {bad} at {at} spread"
            );
        }
    }
}

#[test]
fn extreme_rows_through_integers() {
    // Constant, tiny and huge rows, and one value far from the others: off by no more than a step of the row.
    let (n, k) = (33, 64);
    let values: Vec<i8> = (0..n * k).map(|i| ((i * 31) % 255) as i8).collect();
    let scales = vec![0.01; n];
    let weights: Vec<f32> = values.iter().map(|&x| f32::from(x) * 0.01).collect();
    let mut numbers = Numbers(5);
    let mut rows = vec![vec![0.0; k], vec![-7.5; k], vec![1e-38; k]];
    rows.extend([1e-36, 1e-20, 1e30].map(|size| numbers.take(k).iter().map(|x| x * size).collect::<Vec<f32>>()));
    let mut outlier = numbers.take(k);
    outlier[13] = -1e4;
    rows.push(outlier);
    let a = rows.concat();
    let exact = reference::matmul(&a, &weights, rows.len(), n, k);
    for (level, kind) in integers() {
        let panels = Panels::pack(Rows::Int8 { values: &values, scales: &scales }, n, k, kind, level);
        let mut out = vec![0.0; rows.len() * n];
        let mut left = LeftBuffer::default();
        gemm(left.convert(level, &panels, &a, k, rows.len()), rows.len(), &panels, Finish::default(), &mut out, n);
        for (r, row) in rows.iter().enumerate() {
            let largest = row.iter().fold(0.0f32, |m, x| m.max(x.abs()));
            let off = furthest(&out[r * n..][..n], &exact[r * n..][..n]);
            // Half a step of every value with the mean weight, were all errors of one sign; spans below 1e-30
            // count as constant.
            let bound = largest * k as f32 * 0.64 / 127.0 + 1e-28;
            assert!(off <= bound, "{level} {kind:?} row {r}: off by {off}, at most {bound}");
        }
    }
}

#[test]
fn activations() {
    let x: Vec<f32> = (-400..=400).map(|i| i as f32 / 40.0).chain([-80.0, 80.0, 0.0, -0.0, 1e-20]).collect();
    type Case = (Activation, fn(f64) -> f64);
    let cases: [Case; 5] = [
        (Activation::None, |x| x),
        (Activation::Gelu, reference::gelu),
        (Activation::GeluTanh, reference::gelu_tanh),
        (Activation::Relu, |x| x.max(0.0)),
        (Activation::Tanh, f64::tanh),
    ];
    for level in levels() {
        for (activation, exact) in cases {
            let panels = Panels::pack(Rows::F32(&x), x.len(), 1, Kind::F32, level);
            let mut out = vec![0.0; x.len()];
            let finish = Finish { activation, ..Finish::default() };
            gemm(Left::f32(&[1.0], 1), 1, &panels, finish, &mut out, x.len());
            for (&x, &got) in x.iter().zip(&out) {
                let off = (f64::from(got) - exact(f64::from(x))).abs();
                assert!(off < 2e-6 + 2e-7 * f64::from(x.abs()), "{level} {activation:?} {x}: off by {off}");
            }
            let panels = Panels::pack(Rows::F32(&[f32::NAN; 37]), 37, 1, Kind::F32, level);
            gemm(Left::f32(&[1.0], 1), 1, &panels, finish, &mut out, 37);
            let lost = out[..37].iter().filter(|x| !x.is_nan()).count();
            assert!(lost == 0, "{level} {activation:?}: {lost} became numbers");
        }
    }
}

#[test]
fn layer_norm_of_odd_widths() {
    let mut numbers = Numbers(9);
    for width in [1, 7, 16, 33, 64, 384] {
        let rows: Vec<f32> = numbers.take(3 * width).iter().map(|x| 10.0 + x).collect();
        let (gain, bias) = (numbers.take(width), numbers.take(width));
        let want: Vec<f32> = rows.chunks(width).flat_map(|r| reference::layer_norm(r, &gain, &bias, 1e-6)).collect();
        for level in levels() {
            let mut out = rows.clone();
            layer_norm(level, &mut out, width, &gain, &bias, 1e-6);
            let off = furthest(&out, &want);
            assert!(off < 5e-5, "{level} width {width}: off by {off}");
        }
    }
}

#[test]
fn attention_of_every_length() {
    let mut numbers = Numbers(3);
    for (len, heads, dim) in [(1, 1, 8), (2, 3, 5), (13, 2, 16), (32, 1, 32), (33, 2, 33), (65, 2, 64)] {
        let width = heads * dim;
        let stride = 3 * width;
        let x = numbers.take(len * stride);
        let bias = numbers.take(heads * (2 * 80 - 1));
        let (all, few) = (len, len.div_ceil(3));
        for (window, bias, keys) in
            [(None, &[] as &[f32], all), (Some(3), &[], all), (None, &bias, all), (None, &[], few), (None, &bias, few)]
        {
            let spec = Attention { heads, dim, scale: 0.9, window, bias, reach: 80, kind: Kind::F32 };
            let qkv = Qkv { q: &x, k: &x[width..], v: &x[2 * width..], stride, len, keys };
            let want = reference::attention(&spec, qkv);
            for (level, kind) in levels().flat_map(|level| [Kind::F32, Kind::Bf16].map(|kind| (level, kind))) {
                if !kind.runs_at(level) {
                    continue;
                }
                let mut out = vec![0.0; len * width];
                let mut scratch = Scratch::default();
                // Buffers hold what a longer text left there.
                let ruined = vec![f32::NAN; 100 * stride];
                let before = Qkv { q: &ruined, k: &ruined, v: &ruined, stride, len: 80, keys: 80 };
                let shape = Attention { kind, ..spec };
                attend(level, &shape, before, &mut scratch, &mut vec![0.0; 80 * width], width);
                attend(level, &shape, qkv, &mut scratch, &mut out, width);
                let off = furthest(&out, &want);
                // Of numbers up to 1, weights and values lose 2^-9 each, scores some times that.
                let tolerance = if kind == Kind::F32 { 1e-5 } else { 1e-2 };
                assert!(off < tolerance, "{level} {kind:?} len {len} keys {keys} dim {dim} {window:?}: off by {off}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "left side too short")]
fn short_input_is_refused() {
    let panels = Panels::pack(Rows::F32(&[1.0; 4]), 2, 2, Kind::F32, Level::Scalar);
    gemm(Left::f32(&[1.0; 3], 2), 2, &panels, Finish::default(), &mut [0.0; 4], 2);
}
