//! BERT and those that differ little from it (DistilBERT, RoBERTa, MPNet): the names of their tensors and the forward
//! pass.
//!
//! Devlin and others, "BERT: pre-training of deep bidirectional transformers for language understanding", 2019.

use crate::config::{Family, Shape};
use crate::forward::{Product, Tokens, Workspace, apply, apply_beside, apply_norm, block_tokens};
use crate::safetensors::TensorFile;
use crate::weights::{Layer, Linear, Loader, Precision, Weights};
use base::Result;
use kernels::{Activation, Attention, Finish, Kind, Level, Qkv, attend, gemm, gemm_rounded};
use rayon::prelude::*;

/// How a family names the parts of a layer.
struct Names {
    prefixes: &'static [&'static str],
    layer: &'static str,
    qkv: [&'static str; 3],
    output: &'static str,
    norm1: &'static str,
    up: &'static str,
    down: &'static str,
    norm2: &'static str,
}

const BERT: Names = Names {
    prefixes: &["", "bert.", "roberta.", "question_encoder.bert_model.", "ctx_encoder.bert_model."],
    layer: "encoder.layer",
    qkv: ["attention.self.query", "attention.self.key", "attention.self.value"],
    output: "attention.output.dense",
    norm1: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    norm2: "output.LayerNorm",
};

const DISTILBERT: Names = Names {
    prefixes: &["", "distilbert."],
    layer: "transformer.layer",
    qkv: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
    output: "attention.out_lin",
    norm1: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    norm2: "output_layer_norm",
};

const MPNET: Names = Names {
    prefixes: &["", "mpnet."],
    qkv: ["attention.attn.q", "attention.attn.k", "attention.attn.v"],
    output: "attention.attn.o",
    norm1: "attention.LayerNorm",
    ..BERT
};

/// Reads the tensors of `shape` from `file`; `forever` is the same file if its bytes never go away.
pub(crate) fn load(
    file: &TensorFile<'_>,
    forever: Option<&TensorFile<'static>>,
    shape: &Shape,
    precision: Precision,
    level: Level,
) -> Result<Weights> {
    let names = match shape.family {
        Family::DistilBert => DISTILBERT,
        Family::MpNet => MPNET,
        _ => BERT,
    };
    let prefix = names.prefixes.iter().find(|p| file.find(&format!("{p}embeddings.word_embeddings.weight")).is_some());
    let load = Loader { file, prefix: prefix.copied().unwrap_or(""), level };
    let h = shape.hidden;
    let mut positions = load.dequantised("embeddings.position_embeddings.weight", shape.positions, h)?;
    let mut second_type = Vec::new();
    if shape.types > 0 {
        let types = load.dequantised("embeddings.token_type_embeddings.weight", shape.types, h)?;
        for row in positions.chunks_exact_mut(h) {
            row.iter_mut().zip(&types[..h]).for_each(|(p, t)| *p += t);
        }
        if shape.types > 1 {
            second_type.extend(types[h..2 * h].iter().zip(&types).map(|(second, first)| second - first));
        }
    }
    let layers = (0..shape.layers)
        .into_par_iter()
        .map(|i| {
            let name = |part: &str| format!("{}.{i}.{part}", names.layer);
            Ok(Layer {
                qkv: qkv(&load, &names.qkv.map(name), h, precision)?,
                output: load.linear(&name(names.output), h, h, precision.output)?,
                norm1: load.norm(&name(names.norm1), h)?,
                up: load.linear(&name(names.up), shape.intermediate, h, precision.up)?,
                gate: None,
                down: load.linear(&name(names.down), h, shape.intermediate, precision.down)?,
                norm2: load.norm(&name(names.norm2), h)?,
            })
        })
        .collect::<Vec<Result<Layer>>>();
    // In order, so that it is the first layer's error that is told, however many threads there are.
    let layers = layers.into_iter().collect::<Result<_>>()?;
    let bias = match shape.family {
        Family::MpNet => {
            let table = load.floats("encoder.relative_attention_bias.weight", &[BUCKETS, shape.heads])?;
            relative_bias(&table, shape.heads, shape.tokens_max())
        }
        _ => Vec::new(),
    };
    Ok(Weights {
        words: load.table("embeddings.word_embeddings.weight", shape.vocabulary, h, forever)?,
        positions,
        second_type,
        norm: load.norm("embeddings.LayerNorm", h)?,
        layers,
        bias,
        last: None,
    })
}

/// The maps to queries, keys and values; as few as their kinds allow.
fn qkv(load: &Loader<'_>, names: &[String; 3], h: usize, precision: Precision) -> Result<Vec<Linear>> {
    let parts = match precision.queries == precision.values {
        true => vec![(&names[..], precision.values)],
        false => vec![(&names[..2], precision.queries), (&names[2..], precision.values)],
    };
    parts.into_iter().map(|(names, kind)| load.beside(names, h, h, kind)).collect()
}

/// Distances that MPNet tells apart: half of them for each direction.
const BUCKETS: usize = 32;

/// MPNet's bias by distance for every head, laid out as [`kernels::Attention::bias`]: near distances have
/// their own entry, far ones share logarithmic buckets (Raffel and others, "T5", 2020).
fn relative_bias(table: &[f32], heads: usize, reach: usize) -> Vec<f32> {
    let bucket = |distance: isize| {
        let (half, n) = (BUCKETS / 2, distance.unsigned_abs());
        let near = half / 2;
        let size = if n < near {
            n
        } else {
            // In f32, as the original: rounding decides at the borders.
            let far = (n as f32 / near as f32).ln() / (128.0f64 / near as f64).ln() as f32 * (half - near) as f32;
            (near + far as usize).min(half - 1)
        };
        if distance > 0 { half + size } else { size }
    };
    let reach = reach as isize;
    (0..heads).flat_map(|head| (1 - reach..reach).map(move |d| table[bucket(d) * heads + head])).collect()
}

/// As [`crate::encoder::Encoder::forward_watched`].
pub(crate) fn forward<'w>(
    shape: &Shape,
    weights: &Weights,
    level: Level,
    tokens: &Tokens,
    work: &'w mut Workspace,
    watch: &mut dyn FnMut(usize, Product, &[f32]),
) -> &'w [f32] {
    let (h, rows) = (shape.hidden, tokens.ids.len());
    work.hidden.reserve(rows * h);
    work.qkv.reserve(rows * 3 * h);
    work.context.reserve(rows * h);
    let block_rows = block_tokens(level);
    let Workspace { hidden, qkv, context, wide, left, next, scratch, .. } = work;
    let hidden = &mut hidden.f32_mut()[..rows * h];
    embed(shape, weights, level, tokens, hidden);
    let attention = Attention {
        heads: shape.heads,
        dim: h / shape.heads,
        scale: 1.0 / ((h / shape.heads) as f32).sqrt(),
        window: None,
        bias: &weights.bias,
        reach: shape.tokens_max(),
        kind: Kind::F32,
    };
    for (number, layer) in weights.layers.iter().enumerate() {
        let attention = Attention { kind: Attention::kind_beside(layer.values_kind(), level), ..attention };
        watch(number, Product::Qkv, hidden);
        let (qkv, context) = (qkv.f32_mut(), context.f32_mut());
        apply_beside(level, &layer.qkv, hidden, h, rows, left, qkv);
        for (number, range) in tokens.ranges().enumerate() {
            let (at, len) = (range.start * 3 * h, range.len());
            let (q, k, v) = (&qkv[at..], &qkv[at + h..], &qkv[at + 2 * h..]);
            let x = Qkv { q, k, v, stride: 3 * h, len, keys: tokens.keys_of(number, len) };
            attend(level, &attention, x, scratch, &mut context[range.start * h..], h);
        }
        watch(number, Product::Output, &context[..rows * h]);
        apply(level, &layer.output, context, h, rows, left, Activation::None, true, hidden);
        apply_norm(level, shape, &layer.norm1, hidden);
        for block in hidden.chunks_mut(block_rows * h) {
            let (rows, up, down) = (block.len() / h, &layer.up, &layer.down);
            watch(number, Product::Up, block);
            if up.panels.feeds(&down.panels) {
                let input = left.convert(level, &up.panels, block, h, rows);
                let finish = Finish { bias: &up.bias, activation: shape.activation, add: false };
                let wide = gemm_rounded(input, rows, &up.panels, finish, &down.panels, next);
                gemm(wide, rows, &down.panels, Finish { bias: &down.bias, add: true, ..Finish::default() }, block, h);
            } else {
                wide.reserve(rows * shape.intermediate);
                let wide = wide.f32_mut();
                apply(level, up, block, h, rows, left, shape.activation, false, wide);
                watch(number, Product::Down, &wide[..rows * shape.intermediate]);
                apply(level, down, wide, shape.intermediate, rows, left, Activation::None, true, block);
            }
            apply_norm(level, shape, &layer.norm2, block);
        }
    }
    hidden
}

fn embed(shape: &Shape, weights: &Weights, level: Level, tokens: &Tokens, hidden: &mut [f32]) {
    let h = shape.hidden;
    for range in tokens.ranges() {
        for (position, at) in range.enumerate() {
            let row = &mut hidden[at * h..][..h];
            row.copy_from_slice(&weights.positions[(position + shape.first_position) * h..][..h]);
            weights.words.add_row(tokens.ids[at] as usize, row);
            if !weights.second_type.is_empty() && tokens.second.get(at) == Some(&true) {
                row.iter_mut().zip(&weights.second_type).for_each(|(x, t)| *x += t);
            }
        }
    }
    apply_norm(level, shape, &weights.norm, hidden);
}
