//! Reads safetensors: an 8-byte little-endian header length, a JSON header, and the tensors' bytes.
//!
//! The file comes from strangers, so nothing in it is believed: every number is checked before it is used,
//! names must be unique, ranges must lie in the file, match their shapes, and neither overlap nor leave gaps.

use base::{Error, Kind, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// Largest header believed; the reference implementation has the same limit.
const HEADER_BYTES_MAX: usize = 100_000_000;

/// The number types that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// IEEE half.
    F16,
    /// bfloat16.
    Bf16,
    /// Signed byte.
    I8,
    /// Unsigned byte.
    U8,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
}

impl Dtype {
    fn parse(name: &str) -> Option<Dtype> {
        Some(match name {
            "F64" => Dtype::F64,
            "F32" => Dtype::F32,
            "F16" => Dtype::F16,
            "BF16" => Dtype::Bf16,
            "I8" => Dtype::I8,
            "U8" => Dtype::U8,
            "I64" => Dtype::I64,
            "I32" => Dtype::I32,
            _ => return None,
        })
    }

    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Dtype::F64 | Dtype::I64 => 8,
            Dtype::F32 | Dtype::I32 => 4,
            Dtype::F16 | Dtype::Bf16 => 2,
            Dtype::I8 | Dtype::U8 => 1,
        }
    }
}

/// A tensor in a file.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Number type.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: &'a [usize],
    /// Little-endian numbers, row-major; as many as the shape says.
    pub bytes: &'a [u8],
}

impl View<'_> {
    /// The numbers as f32, if they are floats.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let bytes = self.bytes;
        Some(match self.dtype {
            // Each chunk has exactly the array's length, so the conversion cannot fail.
            Dtype::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Dtype::F16 => bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::Bf16 => bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::F64 => bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
                .collect(),
            _ => return None,
        })
    }
}

#[derive(Debug)]
struct Slot {
    dtype: Dtype,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

/// A parsed file over borrowed bytes.
#[derive(Debug)]
pub struct TensorFile<'a> {
    what: String,
    data: &'a [u8],
    slots: BTreeMap<String, Slot>,
    /// The header's `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

impl<'a> TensorFile<'a> {
    /// Parses `bytes`; `what` names the file in errors.
    pub fn parse(what: &str, bytes: &'a [u8]) -> Result<Self> {
        let bad = |found: String| {
            Error::new(Kind::BadInput, format!("reading tensors from {what}: {found}"))
                .hint("the file is damaged or not safetensors: fetch it again")
        };
        let Some(head) = bytes.first_chunk::<8>() else {
            return Err(bad(format!("expected at least 8 bytes, found {}", bytes.len())));
        };
        let length = u64::from_le_bytes(*head);
        let header = usize::try_from(length)
            .ok()
            .filter(|&n| n <= HEADER_BYTES_MAX)
            .and_then(|n| bytes[8..].get(..n))
            .ok_or_else(|| {
                bad(format!("the header claims {length} bytes, the file has {} after it", bytes.len() - 8))
            })?;
        let data = &bytes[8 + header.len()..];
        let text = std::str::from_utf8(header).map_err(|e| bad(format!("the header is not UTF-8 ({e})")))?;
        let raw: Header = serde_json::from_str(text).map_err(|e| bad(format!("the header is not valid: {e}")))?;
        let mut slots = BTreeMap::new();
        for (name, tensor) in raw.tensors {
            let dtype = Dtype::parse(&tensor.dtype)
                .ok_or_else(|| bad(format!("tensor {name:?} has the unknown type {:?}", tensor.dtype)))?;
            let (start, end) = tensor.data_offsets;
            if start > end || end > data.len() {
                return Err(bad(format!("tensor {name:?} lies at {start}..{end} of {} bytes", data.len())));
            }
            let need = tensor.shape.iter().try_fold(dtype.bytes(), |n, &d| n.checked_mul(d));
            if need != Some(end - start) {
                let shape = &tensor.shape;
                return Err(bad(format!("tensor {name:?} of shape {shape:?} {dtype:?} has {} bytes", end - start)));
            }
            slots.insert(name, Slot { dtype, shape: tensor.shape, start, end });
        }
        let mut order: Vec<(&String, &Slot)> = slots.iter().collect();
        order.sort_by_key(|(_, s)| (s.start, s.end));
        let mut at = 0;
        for (name, slot) in order {
            if slot.start != at {
                return Err(bad(format!("tensor {name:?} starts at {}, expected {at} (overlap or gap)", slot.start)));
            }
            at = slot.end;
        }
        if at != data.len() {
            return Err(bad(format!("{} bytes follow the last tensor", data.len() - at)));
        }
        Ok(TensorFile { what: what.to_owned(), data, slots, metadata: raw.metadata })
    }

    /// The tensor `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<View<'_>> {
        let slot = self.slots.get(name)?;
        Some(View { dtype: slot.dtype, shape: &slot.shape, bytes: &self.data[slot.start..slot.end] })
    }

    /// The bytes of the tensor `name`, for as long as the file's bytes live.
    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.slots.get(name).map(|s| &self.data[s.start..s.end])
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.slots.keys().map(String::as_str)
    }

    /// The tensor `name` with exactly this shape.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<View<'_>> {
        let view = self.find(name).ok_or_else(|| {
            Error::new(Kind::BadInput, format!("reading tensors from {}: there is no tensor {name:?}", self.what))
                .hint("the model's configuration and its weights do not belong together")
        })?;
        if view.shape != shape {
            let what = &self.what;
            return Err(Error::new(
                Kind::BadInput,
                format!("reading tensors from {what}: tensor {name:?} has shape {:?}, expected {shape:?}", view.shape),
            )
            .hint("the model's configuration and its weights do not belong together"));
        }
        Ok(view)
    }

    /// The numbers of the float tensor `name` with exactly this shape.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let view = self.get(name, shape)?;
        let values = view.to_f32().ok_or_else(|| {
            let what = &self.what;
            Error::new(Kind::BadInput, format!("reading {what}: tensor {name:?} is {:?}, not floats", view.dtype))
        })?;
        if let Some(at) = values.iter().position(|x| !x.is_finite()) {
            let what = &self.what;
            return Err(Error::new(
                Kind::BadInput,
                format!("reading {what}: tensor {name:?} holds {} at {at}", values[at]),
            )
            .hint("the weights are damaged: fetch the model again"));
        }
        Ok(values)
    }
}

/// Writes a file that [`TensorFile::parse`] reads: tensors in the given order.
pub fn write(metadata: &[(String, String)], tensors: &[(String, &str, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let metadata = metadata.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
    header.insert("__metadata__".into(), serde_json::Value::Object(metadata));
    let mut at = 0;
    for (name, dtype, shape, bytes) in tensors {
        let slot = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [at, at + bytes.len()]});
        header.insert(name.clone(), slot);
        at += bytes.len();
    }
    let mut json = serde_json::Value::Object(header).to_string().into_bytes();
    while !(8 + json.len()).is_multiple_of(64) {
        json.push(b' ');
    }
    let mut out = (json.len() as u64).to_le_bytes().to_vec();
    out.extend(json);
    for (_, _, _, bytes) in tensors {
        out.extend(bytes);
    }
    out
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

struct Header {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, RawTensor>,
}

/// A map in which a name may stand once: a plain map would keep the last of two in silence.
impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Header;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header { metadata: BTreeMap::new(), tensors: BTreeMap::new() };
                let mut seen_metadata = false;
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        if std::mem::replace(&mut seen_metadata, true) {
                            return Err(A::Error::custom("__metadata__ stands twice"));
                        }
                        header.metadata = map.next_value()?;
                        continue;
                    }
                    match header.tensors.entry(name) {
                        Entry::Occupied(entry) => {
                            return Err(A::Error::custom(format!("tensor {:?} stands twice", entry.key())));
                        }
                        Entry::Vacant(entry) => drop(entry.insert(map.next_value()?)),
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn reads_what_it_writes_and_so_does_the_reference() {
        let tensors = vec![
            ("a".to_owned(), "F32", vec![2, 1], [1.0f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect()),
            ("b".to_owned(), "I8", vec![3], vec![1, 255, 3]),
        ];
        let bytes = write(&[("name".into(), "test".into())], &tensors);
        let ours = TensorFile::parse("test", &bytes).unwrap();
        assert_eq!(ours.floats("a", &[2, 1]).unwrap(), [1.0, -2.0]);
        assert_eq!(ours.bytes("b").unwrap(), [1, 255, 3]);
        assert_eq!(ours.metadata["name"], "test");
        let reference = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(reference.tensor("a").unwrap().shape(), [2, 1]);
        assert!(ours.get("a", &[1, 2]).unwrap_err().what().contains("expected [1, 2]"));
        assert!(ours.get("c", &[]).unwrap_err().what().contains("no tensor \"c\""));
    }

    #[test]
    fn damaged_files_are_named_errors() {
        let t = |shape: &str, offsets: &str| {
            format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        let twice = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let overlap = r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#;
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (vec![1, 2, 3], "at least 8 bytes"),
            (100u64.to_le_bytes().to_vec(), "claims 100 bytes"),
            ((1u64 << 63).to_le_bytes().to_vec(), "claims 9223372036854775808 bytes"),
            (file(&t("[1]", "[0,4]"), &[0; 3]), "lies at 0..4 of 3"),
            (file(&t("[1]", "[4,0]"), &[0; 4]), "lies at 4..0"),
            (file(&t("[2]", "[0,4]"), &[0; 4]), "has 4 bytes"),
            (file(&t("[4611686018427387904,4]", "[0,4]"), &[0; 4]), "has 4 bytes"),
            (file(&t("[1]", "[0,4]"), &[0; 5]), "1 bytes follow"),
            (file(&t("[1]", "[4,8]"), &[0; 8]), "expected 0"),
            (file(&t("[-1]", "[0,4]"), &[0; 4]), "not valid"),
            (file(&t("[1]", "[0,4]").replace("F32", "F3"), &[0; 4]), "unknown type"),
            (file(twice, &[0]), "stands twice"),
            (file(overlap, &[0; 2]), "overlap or gap"),
            (file("[1]", &[]), "not valid"),
            (file(&"[".repeat(100_000), &[]), "not valid"),
            ([2u64.to_le_bytes().as_slice(), &[0xff, 0xfe]].concat(), "not UTF-8"),
        ];
        for (bytes, expected) in cases {
            let error = TensorFile::parse("x.safetensors", &bytes).unwrap_err();
            assert!(error.what().contains(expected), "{} should say {expected}", error.what());
        }
        let nan = file(&t("[1]", "[0,4]"), &f32::NAN.to_le_bytes());
        let error = TensorFile::parse("x", &nan).unwrap().floats("a", &[1]).unwrap_err();
        assert!(error.what().contains("holds NaN at 0"));
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..200, to in any::<u8>()) {
            let _ = TensorFile::parse("x", &bytes);
            bytes = write(&[], &[("a".into(), "F32", vec![1], vec![0; 4])]);
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = TensorFile::parse("x", &bytes);
        }
    }
}
