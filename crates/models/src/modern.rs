//! ModernBERT: the forward pass and the names of its tensors.
//!
//! Warner and others, "Smarter, better, faster, longer: a modern bidirectional encoder", 2024. What differs
//! from BERT: each part is normalised before instead of after (the first layer's attention not at all), a
//! token's position turns its queries and keys (Su and others, "RoFormer", 2021) instead of being added, all
//! but every third layer look only at a window around a token, and the feed-forward part is
//! `down(gelu(up(x)) · gate(x))` (Shazeer, "GLU variants", 2020). Nothing has a bias unless the file says so.

use crate::config::Shape;
use crate::forward::{Tokens, Workspace, apply, apply_beside, apply_norm, block_tokens};
use crate::safetensors::TensorFile;
use crate::weights::{Layer, Linear, Loader, Norm, Precision, Table, Weights};
use base::Result;
use kernels::{Activation, Attention, Level, Qkv, attend};

/// Reads the tensors of `shape`.
pub(crate) fn load(file: &TensorFile<'_>, shape: &Shape, precision: Precision, level: Level) -> Result<Weights> {
    let prefix = ["", "model."].into_iter().find(|p| file.find(&format!("{p}embeddings.norm.weight")).is_some());
    let prefix = prefix.unwrap_or("");
    let load = Loader { file, prefix, level };
    let (h, wide) = (shape.hidden, shape.intermediate);
    let bias = |name: &str, n: usize| match file.find(&format!("{prefix}{name}.bias")) {
        Some(_) => load.floats(&format!("{name}.bias"), &[n]),
        None => Ok(Vec::new()),
    };
    let norm = |name: &str| Ok(Norm { gain: load.floats(&format!("{name}.weight"), &[h])?, bias: bias(name, h)? });
    let linear = |name: &str, n: usize, k: usize, kind| -> Result<Linear> {
        Ok(load.packed(load.floats(&format!("{name}.weight"), &[n, k])?, bias(name, n)?, k, kind))
    };
    let layer = |i: usize| {
        let name = |part: &str| format!("layers.{i}.{part}");
        // What is multiplied and what multiplies are one matrix in the file.
        let mut up = load.floats(&name("mlp.Wi.weight"), &[2 * wide, h])?;
        let gate = up.split_off(wide * h);
        let mut up_bias = bias(&name("mlp.Wi"), 2 * wide)?;
        let gate_bias = up_bias.split_off(up_bias.len() / 2);
        Ok(Layer {
            qkv: vec![linear(&name("attn.Wqkv"), 3 * h, h, precision.values)?],
            output: linear(&name("attn.Wo"), h, h, precision.output)?,
            norm1: match i {
                0 => Norm { gain: Vec::new(), bias: Vec::new() },
                _ => norm(&name("attn_norm"))?,
            },
            up: load.packed(up, up_bias, h, precision.up),
            gate: Some(load.packed(gate, gate_bias, h, precision.up)),
            down: linear(&name("mlp.Wo"), h, wide, precision.down)?,
            norm2: norm(&name("mlp_norm"))?,
        })
    };
    Ok(Weights {
        words: Table::F32(load.floats("embeddings.tok_embeddings.weight", &[shape.vocabulary, h])?),
        positions: Vec::new(),
        second_type: Vec::new(),
        norm: norm("embeddings.norm")?,
        layers: (0..shape.layers).map(layer).collect::<Result<_>>()?,
        bias: Vec::new(),
        last: Some(norm("final_norm")?),
    })
}

/// As [`crate::encoder::Encoder::forward`].
pub(crate) fn forward<'w>(
    shape: &Shape,
    weights: &Weights,
    level: Level,
    tokens: &Tokens,
    work: &'w mut Workspace,
) -> &'w [f32] {
    let (h, rows, wide_len) = (shape.hidden, tokens.ids.len(), shape.intermediate);
    let dim = h / shape.heads;
    work.hidden.reserve(rows * h);
    work.qkv.reserve(rows * 3 * h);
    work.context.reserve(rows * h);
    work.wide.reserve(rows.min(block_tokens(level)) * 2 * wide_len);
    let Workspace { hidden, qkv, context, wide, left, scratch, .. } = work;
    let (hidden, qkv, wide) = (&mut hidden.f32_mut()[..rows * h], qkv.f32_mut(), wide.f32_mut());
    let context = &mut context.f32_mut()[..rows * h];
    hidden.fill(0.0);
    for (row, &id) in hidden.chunks_exact_mut(h).zip(&tokens.ids) {
        weights.words.add_row(id as usize, row);
    }
    apply_norm(level, shape, &weights.norm, hidden);
    let longest = tokens.ranges().map(|r| r.len()).max().unwrap_or(0);
    let modern = shape.modern.as_ref();
    let turns = modern.map(|m| [m.theta_local, m.theta_global].map(|theta| turns(theta, longest, dim)));
    for (number, layer) in weights.layers.iter().enumerate() {
        let global = modern.is_none_or(|m| m.global[number]);
        let attention = Attention {
            heads: shape.heads,
            dim,
            scale: 1.0 / (dim as f32).sqrt(),
            window: if global { None } else { modern.map(|m| m.window) },
            bias: &[],
            reach: 0,
            kind: Attention::kind_beside(layer.values_kind(), level),
        };
        context.copy_from_slice(hidden);
        if !layer.norm1.gain.is_empty() {
            apply_norm(level, shape, &layer.norm1, context);
        }
        apply_beside(level, &layer.qkv, context, h, rows, left, qkv);
        for (text, range) in tokens.ranges().enumerate() {
            if let Some(turns) = &turns {
                let rows = &mut qkv[range.start * 3 * h..range.end * 3 * h];
                for (row, turn) in rows.chunks_exact_mut(3 * h).zip(turns[usize::from(global)].chunks_exact(dim)) {
                    row[..2 * h].chunks_exact_mut(dim).for_each(|head| rotate(head, turn));
                }
            }
            let (at, len) = (range.start * 3 * h, range.len());
            let (q, k, v) = (&qkv[at..], &qkv[at + h..], &qkv[at + 2 * h..]);
            let x = Qkv { q, k, v, stride: 3 * h, len, keys: tokens.keys_of(text, len) };
            attend(level, &attention, x, scratch, &mut context[range.start * h..], h);
        }
        apply(level, &layer.output, context, h, rows, left, Activation::None, true, hidden);
        for block in hidden.chunks_mut(block_tokens(level) * h) {
            let rows = block.len() / h;
            let input = &mut context[..block.len()];
            input.copy_from_slice(block);
            apply_norm(level, shape, &layer.norm2, input);
            let (up, gate) = wide.split_at_mut(rows * wide_len);
            apply(level, &layer.up, input, h, rows, left, shape.activation, false, up);
            if let Some(linear) = &layer.gate {
                apply(level, linear, input, h, rows, left, Activation::None, false, gate);
                up.iter_mut().zip(gate).for_each(|(u, g)| *u *= *g);
            }
            apply(level, &layer.down, up, wide_len, rows, left, Activation::None, true, block);
        }
    }
    if let Some(last) = &weights.last {
        apply_norm(level, shape, last, hidden);
    }
    hidden
}

/// For each position the cosines and then the sines of `dim / 2` angles.
fn turns(theta: f32, positions: usize, dim: usize) -> Vec<f32> {
    let half = dim / 2;
    let mut out = vec![0.0; positions * dim];
    for (position, row) in out.chunks_exact_mut(dim.max(1)).enumerate() {
        for i in 0..half {
            let angle = position as f64 / f64::from(theta).powf((2 * i) as f64 / dim as f64);
            row[i] = angle.cos() as f32;
            row[half + i] = angle.sin() as f32;
        }
    }
    out
}

/// Turns the pair (value i, value i + half) of a head by angle i.
fn rotate(head: &mut [f32], turn: &[f32]) {
    let (first, second) = head.split_at_mut(head.len() / 2);
    let (cosines, sines) = turn.split_at(turn.len() / 2);
    for i in 0..first.len() {
        let (x, y) = (first[i], second[i]);
        first[i] = x * cosines[i] - y * sines[i];
        second[i] = y * cosines[i] + x * sines[i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_distance_of_two_tokens_counts() {
        let dot = |p: usize, q: usize| -> f32 {
            let turns = turns(10_000.0, 64, 8);
            let at = |i: usize| &turns[i * 8..][..8];
            let mut a = [0.3, -1.0, 2.0, 0.5, 0.7, 0.1, -0.4, 1.5];
            let mut b = [1.0, 0.2, -0.6, 0.9, -1.1, 0.8, 0.3, -0.2];
            rotate(&mut a, at(p));
            rotate(&mut b, at(q));
            a.iter().zip(&b).map(|(x, y)| x * y).sum()
        };
        assert!((dot(3, 10) - dot(50, 57)).abs() < 1e-5);
        assert!((dot(3, 10) - dot(3, 12)).abs() > 1e-2);
    }
}
