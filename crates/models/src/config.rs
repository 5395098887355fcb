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
    layer_norm_eps: Option<f32>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    pad_token_id: Option<usize>,
    projection_dim: Option<usize>,
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
            other => {
                return Err(Error::new(Kind::Unsupported, format!("opening the model {what}: its type is {other:?}"))
                    .hint("encoders of the types bert, distilbert, roberta, xlm-roberta, camembert, mpnet and dpr can be opened"));
            }
        };
        if raw.projection_dim.unwrap_or(0) != 0 {
            return Err(Error::new(Kind::Unsupported, format!("opening the model {what}: it projects its vectors")));
        }
        // RoBERTa and MPNet count positions from the one after the padding token.
        let first_position = match raw.model_type.as_str() {
            "roberta" | "xlm-roberta" | "camembert" | "mpnet" => raw.pad_token_id.unwrap_or(1).min(POSITIONS_MAX) + 1,
            _ => 0,
        };
        if let Some(kind) = raw.position_embedding_type.filter(|k| k != "absolute") {
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
            epsilon: raw.layer_norm_eps.unwrap_or(1e-12),
            activation,
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
