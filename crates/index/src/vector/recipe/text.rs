//! Recipes as one string, in the grammar of FAISS's index factory, extended.
//!
//! ```text
//! recipe    = "auto" | [transform ","] [structure ","] [code] ["," refine]
//! transform = "PCA" n | "PCAW" n | "RR" [n] | "OPQ" m ["_" n] | "MRL" n
//! structure = "IVF" lists | "HNSW" links | "Vamana" links
//! code      = "Flat" | "SQfp16" | "SQbf16" | "LVQ8" | "SQ8" | "LVQ4x8" | "LVQ8x4"
//!           | "PQ" m ["x4fs" | "x8"] | "BIN"
//! refine    = "RFlat" | "RSQfp16" | "RSQbf16" | "RLVQ8" | "RSQ8"
//! ```
//!
//! Without a code a graph or a partition keeps `Flat` rows. `PQ48` means `PQ48x8`, and `SQ8` means `LVQ8`.

use super::{Code, Recipe, Structure, Transform};
use base::{Error, Kind, Result};
use std::fmt;
use std::str::FromStr;

impl FromStr for Recipe {
    type Err = Error;

    fn from_str(text: &str) -> Result<Recipe> {
        let mut parser = Parser { text, words: words(text), at: 0 };
        let transform = parser.take(transform)?;
        let structure = parser.take(structure)?;
        let code = parser.take(code)?;
        let refine = parser.take(refine)?;
        if let Some((column, word)) = parser.words.get(parser.at) {
            return Err(parser.error(*column, word));
        }
        let Some(code) = code.or(structure.map(|_| Code::Flat)) else {
            return Err(Error::new(Kind::BadInput, format!("reading the index recipe `{text}`: it names no code"))
                .hint("end it with Flat, SQfp16, SQ8, LVQ8, LVQ4x8, LVQ8x4, PQ48, PQ96x4fs or BIN"));
        };
        Ok(Recipe { transform, structure: structure.unwrap_or(Structure::Scan), code, refine })
    }
}

/// The words between commas with their columns, counted in characters from 1.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut column = 1;
    text.split(',')
        .map(|word| {
            let start = column + (word.chars().count() - word.trim_start().chars().count());
            column += word.chars().count() + 1;
            (start, word.trim())
        })
        .collect()
}

struct Parser<'a> {
    text: &'a str,
    words: Vec<(usize, &'a str)>,
    at: usize,
}

/// What a reader of one kind of word says: not mine, or mine and right or wrong.
type Word<T> = Option<Result<T, &'static str>>;

impl Parser<'_> {
    fn take<T>(&mut self, read: fn(&str) -> Word<T>) -> Result<Option<T>> {
        let Some(&(column, word)) = self.words.get(self.at) else { return Ok(None) };
        match read(word) {
            None => Ok(None),
            Some(Ok(part)) => {
                self.at += 1;
                Ok(Some(part))
            }
            Some(Err(reason)) => Err(Error::new(
                Kind::BadInput,
                format!("reading the index recipe `{}`: `{word}` at column {column}: {reason}", self.text),
            )),
        }
    }

    fn error(&self, column: usize, word: &str) -> Error {
        let known =
            [transform(word).is_some(), structure(word).is_some(), code(word).is_some(), refine(word).is_some()];
        let reason = if known.contains(&true) {
            "is out of place; the order is transform, structure, code, refinement"
        } else {
            "is not a word of the grammar"
        };
        Error::new(
            Kind::BadInput,
            format!("reading the index recipe `{}`: `{word}` at column {column} {reason}", self.text),
        )
        .hint("for example Flat, SQfp16, Vamana32,LVQ8, IVF1024,PQ96x4fs,RSQ8")
    }
}

/// Reads the number after `prefix`, between 1 and `max`.
fn number(word: &str, prefix: &str, max: usize, reason: &'static str) -> Word<usize> {
    let digits = word.strip_prefix(prefix)?;
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().ok().filter(|n| (1..=max).contains(n)).ok_or(reason))
}

fn transform(word: &str) -> Word<Transform> {
    const DIMENSION: &str = "expected a dimension from 1 to 65536";
    if word == "RR" {
        return Some(Ok(Transform::Rotation(None)));
    }
    if let Some(rest) = word.strip_prefix("OPQ") {
        let (parts, dimension) = rest.split_once('_').map_or((rest, None), |(p, d)| (p, Some(d)));
        let parse = |n: &str| n.parse().ok().filter(|n| (1..=65_536).contains(n));
        return Some(match (parse(parts), dimension.map(parse)) {
            (Some(parts), None) => Ok(Transform::Opq { parts, dimension: None }),
            (Some(parts), Some(Some(dimension))) => Ok(Transform::Opq { parts, dimension: Some(dimension) }),
            _ => Err("expected OPQ, a number of parts, and perhaps _ and a dimension"),
        });
    }
    let read = |prefix, make: fn(usize) -> Transform| number(word, prefix, 65_536, DIMENSION).map(|n| n.map(make));
    read("PCAW", |dimension| Transform::Pca { dimension, whiten: true })
        .or_else(|| read("PCA", |dimension| Transform::Pca { dimension, whiten: false }))
        .or_else(|| read("RR", |n| Transform::Rotation(Some(n))))
        .or_else(|| read("MRL", Transform::Truncate))
}

fn structure(word: &str) -> Word<Structure> {
    let read =
        |prefix, max, reason, make: fn(usize) -> Structure| number(word, prefix, max, reason).map(|n| n.map(make));
    read("IVF", 1 << 24, "expected 1 to 16777216 lists", |lists| Structure::Ivf { lists })
        .or_else(|| read("HNSW", 512, "expected 1 to 512 links", |links| Structure::Hnsw { links }))
        .or_else(|| read("Vamana", 1024, "expected 1 to 1024 links", |links| Structure::Vamana { links }))
}

fn code(word: &str) -> Word<Code> {
    let fixed = [
        ("Flat", Code::Flat),
        ("SQfp16", Code::Fp16),
        ("SQbf16", Code::Bf16),
        ("SQ8", Code::Lvq8),
        ("LVQ8", Code::Lvq8),
        ("LVQ4x8", Code::Lvq4x8),
        ("LVQ8x4", Code::Lvq8x4),
        ("BIN", Code::Bin),
    ];
    if let Some((_, code)) = fixed.iter().find(|(name, _)| *name == word) {
        return Some(Ok(*code));
    }
    let rest = word.strip_prefix("PQ")?;
    let (parts, bits) = match rest.split_once('x') {
        None => (rest, 8),
        Some((parts, "8")) => (parts, 8),
        Some((parts, "4fs")) => (parts, 4),
        Some(_) => return Some(Err("expected x8 or x4fs after the number of parts")),
    };
    let parts = parts.parse().ok().filter(|p| (1..=65_536).contains(p));
    Some(parts.map(|parts| Code::Pq { parts, bits }).ok_or("expected a number of parts after PQ"))
}

fn refine(word: &str) -> Word<Code> {
    let codes = [
        ("RFlat", Code::Flat),
        ("RSQfp16", Code::Fp16),
        ("RSQbf16", Code::Bf16),
        ("RSQ8", Code::Lvq8),
        ("RLVQ8", Code::Lvq8),
    ];
    codes.into_iter().find(|(name, _)| *name == word).map(|(_, code)| Ok(code))
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Flat => f.write_str("Flat"),
            Code::Fp16 => f.write_str("SQfp16"),
            Code::Bf16 => f.write_str("SQbf16"),
            Code::Lvq8 => f.write_str("LVQ8"),
            Code::Lvq4x8 => f.write_str("LVQ4x8"),
            Code::Lvq8x4 => f.write_str("LVQ8x4"),
            Code::Pq { parts, bits: 4 } => write!(f, "PQ{parts}x4fs"),
            Code::Pq { parts, .. } => write!(f, "PQ{parts}"),
            Code::Bin => f.write_str("BIN"),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transform {
            None => {}
            Some(Transform::Pca { dimension, whiten: false }) => write!(f, "PCA{dimension},")?,
            Some(Transform::Pca { dimension, whiten: true }) => write!(f, "PCAW{dimension},")?,
            Some(Transform::Rotation(None)) => f.write_str("RR,")?,
            Some(Transform::Rotation(Some(n))) => write!(f, "RR{n},")?,
            Some(Transform::Opq { parts, dimension: None }) => write!(f, "OPQ{parts},")?,
            Some(Transform::Opq { parts, dimension: Some(n) }) => write!(f, "OPQ{parts}_{n},")?,
            Some(Transform::Truncate(n)) => write!(f, "MRL{n},")?,
        }
        match self.structure {
            Structure::Scan => {}
            Structure::Ivf { lists } => write!(f, "IVF{lists},")?,
            Structure::Hnsw { links } => write!(f, "HNSW{links},")?,
            Structure::Vamana { links } => write!(f, "Vamana{links},")?,
        }
        write!(f, "{}", self.code)?;
        self.refine.map_or(Ok(()), |code| write!(f, ",R{code}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recipes_read_back_as_written() {
        for text in [
            "Flat",
            "SQfp16",
            "SQbf16",
            "LVQ8",
            "LVQ4x8",
            "BIN",
            "PQ48",
            "IVF1024,Flat",
            "IVF1024,PQ48",
            "IVF1024,PQ96x4fs,RFlat",
            "OPQ48,IVF1024,PQ48",
            "OPQ48_192,PQ48",
            "PCA128,Flat",
            "PCAW64,IVF10,LVQ8",
            "RR,BIN",
            "RR384,IVF1264,BIN,RLVQ8",
            "MRL256,Vamana64,LVQ8",
            "HNSW32,Flat",
            "HNSW32,LVQ8",
            "HNSW32,PQ48",
            "Vamana64,LVQ4x8",
            "Vamana96,LVQ8x4",
            "Vamana64,LVQ8,RSQfp16",
            "LVQ8,RSQbf16",
        ] {
            assert_eq!(text.parse::<Recipe>().unwrap().to_string(), text);
        }
        assert_eq!("HNSW32,SQ8,RSQ8".parse::<Recipe>().unwrap().to_string(), "HNSW32,LVQ8,RLVQ8");
        assert_eq!("HNSW32".parse::<Recipe>().unwrap().to_string(), "HNSW32,Flat");
        assert_eq!(" IVF10 , PQ8x8 ".parse::<Recipe>().unwrap().to_string(), "IVF10,PQ8");
    }

    #[test]
    fn errors_name_the_word_and_its_place() {
        for (text, words) in [
            ("", "`` at column 1"),
            ("IVF10,Flatt", "`Flatt` at column 7 is not"),
            ("Flat,IVF10", "`IVF10` at column 6 is out of place"),
            ("IVF0,Flat", "`IVF0` at column 1: expected 1 to"),
            ("HNSW99999999999999999999", "expected 1 to 512"),
            ("IVF4,PQ8x5", "`PQ8x5` at column 6: expected x8 or x4fs"),
            ("IVF4,PQ", "expected a number of parts"),
            ("OPQx,PQ8", "`OPQx` at column 1"),
            ("PCA128", "names no code"),
            ("é,Flat", "`é` at column 1"),
        ] {
            let error = text.parse::<Recipe>().unwrap_err();
            assert_eq!(error.kind(), Kind::BadInput);
            assert!(error.what().contains(words), "{text}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn any_unicode_is_read_or_refused(text in ".{0,40}") {
            if let Ok(recipe) = text.parse::<Recipe>() {
                prop_assert_eq!(recipe.to_string().parse::<Recipe>().unwrap(), recipe);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(PCA|PCAW|MRL|OPQ|RR|IVF|HNSW|Vamana|PQ|R|SQ8|LVQ4x8|LVQ8x4|Flat|BIN|x4fs|_|,|[0-9]|é| ){0,8}") {
            if let Ok(recipe) = text.parse::<Recipe>() {
                prop_assert_eq!(recipe.to_string().parse::<Recipe>().unwrap(), recipe);
            }
        }
    }
}
