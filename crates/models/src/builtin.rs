//! The model inside the binary, and the file it is kept in (drawn in `docs/formats/model.md`).

use crate::config::Shape;
use crate::embedder::SentenceEmbedder;
use crate::encoder::Encoder;
use crate::normalise::Normaliser;
use crate::pooling::Pooling;
use crate::prompts::Prompts;
use crate::safetensors::TensorFile;
use crate::tokenizer::Tokenizer;
use crate::weights::Precision;
use crate::wordpiece::WordPiece;
use base::{EmbedSpec, Error, Kind, Metric, Result};

/// The version in `__metadata__.ragstone`.
pub const FORMAT_VERSION: &str = "2";
/// The tensor that holds the vocabulary: tokens in order, each followed by a line feed.
pub const VOCABULARY: &str = "tokenizer.vocabulary";
/// Where the checksum's 64 hexadecimal digits begin in the file.
const CHECKSUM_AT: usize = 8 + r#"{"__metadata__":{"blake3":""#.len();
const CHECKSUM_LEN: usize = 64;

#[cfg(feature = "embedded-model")]
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

#[cfg(feature = "embedded-model")]
static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../assets/all-MiniLM-L6-v2.safetensors"));

/// The embedder compiled into the program: all-MiniLM-L6-v2, 384 values, cosine, 256 tokens.
///
/// # Errors
/// `Unsupported` when the program was built without the feature `embedded-model`.
pub fn builtin() -> Result<std::sync::Arc<dyn base::Embedder>> {
    Ok(std::sync::Arc::new(builtin_sentence_embedder(kernels::level(), None)?))
}

/// As [`builtin`], at `level`, with products of `kind` ([`Precision::of_integers`] if `None`), as the concrete type.
pub fn builtin_sentence_embedder(level: kernels::Level, kind: Option<kernels::Kind>) -> Result<SentenceEmbedder> {
    #[cfg(feature = "embedded-model")]
    return open_bytes("the built-in model", &MODEL.0, level, kind);
    #[cfg(not(feature = "embedded-model"))]
    {
        let _ = (level, kind);
        Err(Error::new(Kind::Unsupported, "opening the built-in model: this program was built without it")
            .hint("build with the feature `embedded-model`, or name a model folder with --embedder DIR"))
    }
}

/// The BLAKE3 checksum of a model file: over all bytes, with zeros in place of the checksum itself.
///
/// `None` when the file is too short to hold one.
pub fn checksum(bytes: &[u8]) -> Option<String> {
    let rest = bytes.get(CHECKSUM_AT + CHECKSUM_LEN..)?;
    let mut hash = blake3::Hasher::new();
    hash.update(&bytes[..CHECKSUM_AT]).update(&[b'0'; CHECKSUM_LEN]).update(rest);
    Some(hash.finalize().to_hex().to_string())
}

/// Puts the checksum into a file written with 64 zeros as the first metadata value, `blake3`.
pub fn seal(mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let start = r#"{"__metadata__":{"blake3":""#.as_bytes();
    match checksum(&bytes) {
        Some(sum) if bytes[8..].starts_with(start) => {
            bytes[CHECKSUM_AT..CHECKSUM_AT + CHECKSUM_LEN].copy_from_slice(sum.as_bytes());
            Ok(bytes)
        }
        _ => Err(Error::new(Kind::Bug, "sealing a model file: its header does not begin with the checksum")),
    }
}

/// Opens a model file whose bytes live as long as the program.
pub fn open_bytes(
    what: &str,
    bytes: &'static [u8],
    level: kernels::Level,
    kind: Option<kernels::Kind>,
) -> Result<SentenceEmbedder> {
    let damaged = |found: String| Error::new(Kind::Corrupt, format!("opening {what}: {found}"));
    let file = TensorFile::parse(what, bytes)?;
    let field = |name: &str| {
        let found = file.metadata.get(name).map(String::as_str);
        found.ok_or_else(|| damaged(format!("its header does not say {name:?}")))
    };
    if field("ragstone")? != FORMAT_VERSION {
        let version = field("ragstone")?;
        return Err(Error::new(
            Kind::Unsupported,
            format!("opening {what}: expected version {FORMAT_VERSION} of the format, found {version:?}"),
        ));
    }
    let (sum, expected) = (checksum(bytes).unwrap_or_default(), field("blake3")?);
    if sum != expected {
        return Err(damaged(format!("expected the checksum {expected}, found {sum}")));
    }
    let shape = Shape::parse(what, field("config")?)?;
    let tokenizer = tokenizer(&file, &shape).map_err(|e| damaged(e.chain()))?;
    let max_tokens = field("max_tokens")?.parse().map_err(|_| damaged("max_tokens is not a number".into()))?;
    let precision = kind.map_or(Precision::of_integers(level), Precision::all);
    let encoder = Encoder::load(&file, Some(&file), shape, precision, level)?;
    let spec = EmbedSpec {
        name: field("name")?.to_owned(),
        dimension: encoder.shape.hidden,
        metric: Metric::Cosine,
        max_tokens,
        fingerprint: sum[..32].to_owned(),
    };
    SentenceEmbedder::new(spec, tokenizer, encoder, Pooling::Mean, Prompts::default())
}

/// Special tokens of BERT, which a text may also name outright.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

fn tokenizer(file: &TensorFile<'static>, shape: &Shape) -> Result<Tokenizer> {
    let bad = |what: String| Error::new(Kind::BadInput, what);
    let bytes = file.bytes(VOCABULARY).ok_or_else(|| bad(format!("there is no tensor {VOCABULARY:?}")))?;
    let text = std::str::from_utf8(bytes).map_err(|e| bad(format!("the vocabulary is not UTF-8 ({e})")))?;
    let tokens: Vec<&str> = text.lines().collect();
    if tokens.len() != shape.vocabulary {
        return Err(bad(format!("expected {} tokens, found {}", shape.vocabulary, tokens.len())));
    }
    let id = |name: &str| {
        let place = tokens.iter().position(|&t| t == name).map(|n| n as u32);
        place.ok_or_else(|| bad(format!("the vocabulary has no {name}")))
    };
    let added = SPECIAL.iter().map(|&s| Ok((s.to_owned(), id(s)?))).collect::<Result<_>>()?;
    let normaliser = Normaliser { clean: true, chinese: true, strip_accents: true, lowercase: true };
    let (before, after) = (vec![id("[CLS]")?], vec![id("[SEP]")?]);
    Ok(Tokenizer::from_wordpiece(WordPiece::new(normaliser, &tokens, "[UNK]", added)?, before, after))
}
