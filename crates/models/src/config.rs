//! The shape of an encoder, from a Hugging Face `config.json`.

use base::{Error, Kind, Result};
use kernels::Activation;
use serde::Deserialize;

/// Which family of tensor names and small differences a model follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// BERT and its direct kin: MiniLM, BGE, E5, GTE, DPR, RoBERTa, XLM-R.
    Bert,
    /// DistilBERT: BERT without token types, under other names.
    DistilBert,
    /// MPNet: attention has a bias by distance.
    MpNet,
    /// ModernBERT: normalisation before each part, rotated positions, gated feed-forward.
    ModernBert,
}

/// What only ModernBERT has (Warner and others, "Smarter, better, faster, longer", 2024).
#[derive(Clone, Debug, PartialEq)]
pub struct Modern {
    /// Local layers look this many tokens to either side.
    pub window: usize,
    /// By layer: whether it looks at the whole text.
    pub global: Vec<bool>,
    /// Base of the rotation in global layers.
    pub theta_global: f32,
    /// Base of the rotation in local layers.
    pub theta_local: f32,
}

/// The shape of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Names and differences.
    pub family: Family,
    /// Values per token.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads; `hidden / heads` values each.
    pub heads: usize,
    /// Values between the two products of the feed-forward part.
    pub intermediate: usize,
    /// Number of tokens known.
    pub vocabulary: usize,
    /// Longest text in tokens.
    pub positions: usize,
    /// The position number of the first token.
    pub first_position: usize,
    /// Rows of the token type table; 0 when there is none.
    pub types: usize,
    /// Added to the variance in layer normalisation.
    pub epsilon: f32,
    /// Between the two products of the feed-forward part.
    pub activation: Activation,
    /// For [`Family::ModernBert`].
    pub modern: Option<Modern>,
}

#[derive(Deserialize)]
struct Raw {
    model_type: String,
    #[serde(alias = "dim")]
    hidden_size: Option<usize>,
    #[serde(alias = "n_layers")]
    num_hidden_layers: Option<usize>,
    #[serde(alias = "n_heads")]
    num_attention_heads: Option<usize>,
    #[serde(alias = "hidden_dim")]
    intermediate_size: Option<usize>,
    vocab_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    type_vocab_size: Option<usize>,
    #[serde(alias = "norm_eps")]
    layer_norm_eps: Option<f32>,
    #[serde(alias = "activation", alias = "hidden_activation")]
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    pad_token_id: Option<usize>,
    local_attention: Option<usize>,
    global_attn_every_n_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    global_rope_theta: Option<f32>,
    local_rope_theta: Option<f32>,
    rope_parameters: Option<RopeByLayer>,
}

/// As transformers 5 writes it.
#[derive(Deserialize)]
struct RopeByLayer {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

#[derive(Deserialize)]
struct Rope {
    rope_theta: Option<f32>,
    rope_type: Option<String>,
}

/// Bounds on what a configuration may ask for; the largest encoders in use stay far below.
const HIDDEN_MAX: usize = 16_384;
const LAYERS_MAX: usize = 256;
const POSITIONS_MAX: usize = 131_072;

impl Shape {
    /// Reads `json`; `what` names the file in errors.
    pub fn parse(what: &str, json: &str) -> Result<Shape> {
        let bad =
            |found: String| Error::new(Kind::BadInput, format!("reading the model configuration {what}: {found}"));
        let raw: Raw = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
        let family = match raw.model_type.as_str() {
            "bert" | "dpr" | "roberta" | "xlm-roberta" | "camembert" => Family::Bert,
            "distilbert" => Family::DistilBert,
            "mpnet" => Family::MpNet,
            "modernbert" => Family::ModernBert,
            other => {
                return Err(Error::new(Kind::Unsupported, format!("opening the model {what}: its type is {other:?}"))
                    .hint("encoders of the types bert, distilbert, roberta, xlm-roberta, camembert, mpnet, modernbert and dpr can be opened"));
            }
        };
        // RoBERTa and MPNet count positions from the one after the padding token.
        let first_position = match raw.model_type.as_str() {
            "roberta" | "xlm-roberta" | "camembert" | "mpnet" => raw.pad_token_id.unwrap_or(1).min(POSITIONS_MAX) + 1,
            _ => 0,
        };
        if let Some(kind) = raw.position_embedding_type.as_deref().filter(|&k| k != "absolute") {
            return Err(Error::new(
                Kind::Unsupported,
                format!("opening the model {what}: {kind:?} position embeddings"),
            ));
        }
        let need = |name: &str, value: Option<usize>, most: usize| match value {
            Some(v) if v > 0 && v <= most => Ok(v),
            Some(v) => Err(bad(format!("{name} is {v}, expected 1 to {most}"))),
            None => Err(bad(format!("{name} is missing"))),
        };
        let activation = match raw.hidden_act.as_deref().unwrap_or("gelu") {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => {
                return Err(Error::new(Kind::Unsupported, format!("opening the model {what}: activation {other:?}")));
            }
        };
        let shape = Shape {
            family,
            hidden: need("hidden_size", raw.hidden_size, HIDDEN_MAX)?,
            layers: need("num_hidden_layers", raw.num_hidden_layers, LAYERS_MAX)?,
            heads: need("num_attention_heads", raw.num_attention_heads, HIDDEN_MAX)?,
            intermediate: need("intermediate_size", raw.intermediate_size, 8 * HIDDEN_MAX)?,
            vocabulary: need("vocab_size", raw.vocab_size, crate::wordpiece::VOCABULARY_MAX)?,
            positions: need("max_position_embeddings", raw.max_position_embeddings, POSITIONS_MAX)?,
            first_position,
            types: if family == Family::Bert { raw.type_vocab_size.unwrap_or(2).min(16) } else { 0 },
            epsilon: raw.layer_norm_eps.unwrap_or(if family == Family::ModernBert { 1e-5 } else { 1e-12 }),
            activation,
            modern: if family == Family::ModernBert { Some(modern(&raw).map_err(bad)?) } else { None },
        };
        if shape.tokens_max() == 0 {
            return Err(bad(format!("{} positions, the first is {first_position}", shape.positions)));
        }
        if !shape.hidden.is_multiple_of(shape.heads) {
            return Err(bad(format!("{} values do not divide among {} heads", shape.hidden, shape.heads)));
        }
        if !(shape.epsilon > 0.0 && shape.epsilon < 1.0) {
            return Err(bad(format!("layer_norm_eps is {}", shape.epsilon)));
        }
        Ok(shape)
    }

    /// Longest text in tokens that has positions.
    pub fn tokens_max(&self) -> usize {
        self.positions.saturating_sub(self.first_position)
    }
}

/// The part of ModernBERT's configuration that others do not have.
fn modern(raw: &Raw) -> Result<Modern, String> {
    let layers = raw.num_hidden_layers.unwrap_or(0).min(LAYERS_MAX);
    let global: Vec<bool> = match (&raw.layer_types, raw.global_attn_every_n_layers.unwrap_or(3)) {
        (Some(types), _) => types.iter().map(|t| t == "full_attention").collect(),
        (None, 0) => return Err("global_attn_every_n_layers is 0, expected at least 1".into()),
        (None, every) => (0..layers).map(|layer| layer % every == 0).collect(),
    };
    if global.len() != layers {
        return Err(format!("layer_types names {} layers, expected {layers}", global.len()));
    }
    let rope = raw.rope_parameters.as_ref();
    let (far, near) = (rope.and_then(|r| r.full_attention.as_ref()), rope.and_then(|r| r.sliding_attention.as_ref()));
    for kind in [far, near].into_iter().flatten().filter_map(|r| r.rope_type.as_deref()) {
        if kind != "default" {
            return Err(format!("rotation of type {kind:?}, expected \"default\""));
        }
    }
    let theta =
        |new: Option<&Rope>, old: Option<f32>, default| new.and_then(|r| r.rope_theta).or(old).unwrap_or(default);
    let modern = Modern {
        window: raw.local_attention.unwrap_or(128) / 2,
        global,
        theta_global: theta(far, raw.global_rope_theta, 160_000.0),
        theta_local: theta(near, raw.local_rope_theta, 10_000.0),
    };
    let base = |x: f32| x.is_finite() && x >= 1.0;
    if !base(modern.theta_global) || !base(modern.theta_local) {
        return Err("the base of a rotation is not a number from 1".into());
    }
    let (hidden, heads) = (raw.hidden_size.unwrap_or(0), raw.num_attention_heads.unwrap_or(0));
    if heads > 0 && !(hidden / heads).is_multiple_of(2) {
        return Err(format!("heads of {} values cannot be rotated in pairs", hidden / heads));
    }
    Ok(modern)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERT: &str = r#"{"model_type":"bert","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,
        "intermediate_size":16,"vocab_size":10,"max_position_embeddings":32,"type_vocab_size":2}"#;

    #[test]
    fn reads_bert() {
        let shape = Shape::parse("x", BERT).unwrap();
        assert_eq!((shape.hidden, shape.tokens_max(), shape.activation), (8, 32, Activation::Gelu));
    }

    #[test]
    fn refuses_nonsense_by_name() {
        for (from, to, expected) in [
            ("\"bert\"", "\"llama\"", "llama"),
            ("_heads\":2", "_heads\":3", "divide among 3 heads"),
            ("_heads\":2", "_heads\":0", "num_attention_heads is 0"),
            ("\"hidden_size\":8", "\"hidden_size\":1000000000", "hidden_size is 1000000000"),
            ("\"hidden_size\":8,", "", "hidden_size is missing"),
            ("{", "[", "reading the model configuration x"),
        ] {
            let error = Shape::parse("x", &BERT.replacen(from, to, 1)).unwrap_err();
            assert!(error.chain().contains(expected), "{} should say {expected}", error.chain());
        }
    }
}
