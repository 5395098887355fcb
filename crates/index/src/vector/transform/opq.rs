//! The rotation that suits a product quantiser (Ge, He, Ke, Sun: Optimized product quantization, CVPR 2013).
//!
//! It starts from principal components, dealt out so that all parts carry as much (their parametric
//! solution), and then takes turns: encode the rotated rows, rotate the rows nearest to what was decoded
//! (their non-parametric solution).

use super::super::code::product::Codebooks;
use super::linear::{orthogonal, product, transposed};

const ROWS: usize = 8192;
const TURNS: usize = 12;

/// Trains on rows of `input` numbers; `start` are principal components by falling variance. Returns as many
/// directions.
pub(super) fn train(rows: &[f32], input: usize, start: Vec<f32>, parts: usize, seed: u64) -> Vec<f32> {
    let output = start.len() / input;
    let parts = parts.min(output);
    let rows = &rows[..rows.len().min(ROWS * input)];
    let start = deal(rows, input, start, parts);
    let projected = product(rows, &start, input);
    if projected.is_empty() {
        return start;
    }
    let columns = transposed(&projected, output);
    let count = projected.len() / output;
    let mut rotation: Vec<f32> = (0..output * output).map(|i| if i % (output + 1) == 0 { 1.0 } else { 0.0 }).collect();
    let mut books = Codebooks::train(&projected, output, parts, 8, seed);
    let mut best = (f64::INFINITY, rotation.clone());
    for _ in 0..TURNS {
        let rotated = product(&projected, &rotation, output);
        books.improve(&rotated);
        let (mut codes, mut decoded) = (Vec::new(), Vec::with_capacity(rotated.len()));
        books.encode(&rotated, &mut codes);
        codes.chunks_exact(parts).for_each(|c| books.decode(c.iter().copied(), &mut decoded));
        let error: f64 = rotated.iter().zip(&decoded).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        if error < best.0 {
            best = (error, rotation.clone());
        }
        // Procrustes: the rotation R that brings R x nearest to the decoded y is the polar factor of the sum
        // of y x'; a little of the last rotation keeps directions without rows where they were.
        let mut sum = product(&transposed(&decoded, output), &columns, count);
        let size = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
        sum.iter_mut().zip(&rotation).for_each(|(s, r)| *s += 1e-4 * size * r);
        match orthogonal(&sum, output) {
            Some(next) => rotation = next,
            None => break,
        }
    }
    // (rotation * start): rows of `start` are directions, so multiply by its transpose's rows.
    product(&best.1, &transposed(&start, input), output)
}

/// Deals directions out to the parts: each, from the strongest on, to the part with room whose directions'
/// strengths have the smallest product so far.
fn deal(rows: &[f32], input: usize, directions: Vec<f32>, parts: usize) -> Vec<f32> {
    let output = directions.len() / input;
    let images = product(rows, &directions, input);
    let mut strengths = vec![1e-30f64; output];
    for image in images.chunks_exact(output) {
        strengths.iter_mut().zip(image).for_each(|(s, &v)| *s += f64::from(v).powi(2));
    }
    let room = |p: usize| (p + 1) * output / parts - p * output / parts;
    let mut dealt: Vec<(f64, Vec<usize>)> = vec![(0.0, Vec::new()); parts];
    for i in 0..output {
        let open = (0..parts).filter(|&p| dealt[p].1.len() < room(p));
        let Some(p) = open.min_by(|&a, &b| dealt[a].0.total_cmp(&dealt[b].0).then(a.cmp(&b))) else { break };
        dealt[p].0 += strengths[i].ln();
        dealt[p].1.push(i);
    }
    dealt.iter().flat_map(|d| &d.1).flat_map(|&i| &directions[i * input..(i + 1) * input]).copied().collect()
}
