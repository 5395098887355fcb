//! FAISS's files: what it wrote is found here as it finds it, and the other way round.
//!
//! `fixtures/faiss/make_faiss.py` made the fixtures. With a Python that has `faiss` (`RAGSTONE_PYTHON`, or
//! `python3`) what is written here is also searched there; without one that half says that it was skipped.

use base::{Kind, Metric};
use index::vector::{Effort, VectorBuilder, VectorHit, VectorSegment, read_faiss, write_faiss};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

const D: usize = 12;
const K: usize = 5;
/// Tries everything, as the script does.
const ALL: Effort = Effort { window: 400, probes: 1000 };
const NAMES: [&str; 19] = [
    "flat_ip",
    "flat_l2",
    "flat_l1",
    "sq8_ip",
    "sq8_l2",
    "sqfp16",
    "sqbf16",
    "pq_ip",
    "pq_l2",
    "ivf_flat_ip",
    "ivf_flat_l2",
    "ivf_pq_ip",
    "ivf_pq_l2",
    "hnsw_ip",
    "hnsw_l2",
    "id_map",
    "id_map_2",
    "ivf_ids",
    "empty",
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faiss").join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("{name}.faiss"))).unwrap()
}

fn queries() -> Vec<f32> {
    let bytes = std::fs::read(path("queries.f32")).unwrap();
    bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

fn open(bytes: Vec<u8>) -> VectorSegment {
    VectorSegment::open(Arc::new(bytes)).unwrap()
}

/// Lines of a .hits file: FAISS's number and score; none for missing hits.
fn parse(text: &str) -> Vec<Vec<(i64, f32)>> {
    let hit = |pair: &str| {
        let (id, score) = pair.split_once(':').unwrap();
        (id.parse().unwrap(), score.parse().unwrap())
    };
    text.lines().map(|line| line.split(' ').map(hit).filter(|h| h.0 != -1).collect()).collect()
}

/// The same rows in the same order, but for rows whose scores are a rounding apart.
fn agree(name: &str, got: &[VectorHit], ids: Option<&[i64]>, metric: Metric, want: &[(i64, f32)]) {
    assert_eq!(got.len(), want.len(), "{name}");
    let sign = if matches!(metric, Metric::L2 | Metric::Manhattan) { -1.0 } else { 1.0 };
    for (hit, &(id, score)) in got.iter().zip(want) {
        let near = 1e-4 * (1.0 + score.abs());
        assert!((sign * hit.score - score).abs() < near, "{name}: {hit:?}, FAISS {id}:{score}");
        let own = ids.map_or(i64::from(hit.row), |ids| ids[hit.row as usize]);
        let tie = want.iter().any(|w| w.0 == own && (w.1 - score).abs() < 2.0 * near);
        let last = (score - want[want.len() - 1].1).abs() < 2.0 * near;
        assert!(own == id || tie || last, "{name}: row {own}, FAISS {id}:{score}");
    }
}

fn search(segment: &VectorSegment, query: &[f32]) -> Vec<VectorHit> {
    let mut hits = Vec::new();
    segment.search_with(query, K, ALL, None, &mut hits).unwrap();
    hits
}

fn compare(name: &str, bytes: &[u8], hits: &str) {
    let imported = read_faiss(bytes).unwrap();
    let segment = open(imported.segment);
    segment.verify().unwrap();
    assert_eq!(segment.dimension(), D);
    let hits = parse(hits);
    assert_eq!(hits.len(), 8);
    for (query, want) in queries().chunks(D).zip(hits) {
        agree(name, &search(&segment, query), imported.ids.as_deref(), segment.metric(), &want);
    }
}

#[test]
fn what_faiss_wrote_is_found_here() {
    for name in NAMES {
        let hits = std::fs::read_to_string(path(&format!("{name}.hits"))).unwrap();
        compare(name, &fixture(name), &hits);
    }
    let ids = read_faiss(&fixture("id_map")).unwrap().ids.unwrap();
    assert_eq!((ids[0], ids[399]), (-1000, 399 * 7 - 1000));
    let graph = open(read_faiss(&fixture("hnsw_l2")).unwrap().segment);
    assert_eq!(graph.recipe().to_string(), "HNSW8,Flat");
}

#[test]
fn what_was_read_is_written_and_read_again() {
    for name in NAMES {
        let first = read_faiss(&fixture(name)).unwrap();
        let written = write_faiss(&open(first.segment), first.ids.as_deref()).unwrap();
        // Decoded 8-bit codes are written as the numbers they are.
        let hits = std::fs::read_to_string(path(&format!("{name}.hits"))).unwrap();
        compare(name, &written, &hits);
        let again = read_faiss(&written).unwrap();
        assert_eq!(again.ids, first.ids, "{name}");
    }
}

/// Rows in clusters, some of them more than once.
fn rows() -> Vec<f32> {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let centres: Vec<f32> = (0..9 * D).map(|_| 2.0 * next()).collect();
    let mut rows: Vec<f32> =
        (0..600).flat_map(|i| (0..D).map(|j| centres[i % 9 * D + j] + 0.5 * next()).collect::<Vec<_>>()).collect();
    rows.extend_from_within(0..40 * D);
    (0..30).for_each(|_| rows.extend_from_within(0..D));
    rows
}

const WRITTEN: [(&str, Metric); 14] = [
    ("Flat", Metric::InnerProduct),
    ("Flat", Metric::L2),
    ("Flat", Metric::Manhattan),
    ("Flat", Metric::Cosine),
    ("SQfp16", Metric::L2),
    ("SQbf16", Metric::InnerProduct),
    ("PQ4", Metric::L2),
    ("PQ6", Metric::InnerProduct),
    ("IVF8,Flat", Metric::L2),
    ("IVF8,Flat", Metric::InnerProduct),
    ("IVF8,PQ4", Metric::L2),
    ("IVF8,PQ6", Metric::InnerProduct),
    ("HNSW8,Flat", Metric::L2),
    ("HNSW8,Flat", Metric::InnerProduct),
];

fn built(recipe: &str, metric: Metric) -> VectorSegment {
    let mut builder = VectorBuilder::new(recipe.parse().unwrap(), D, metric).unwrap();
    builder.extend(&rows()).unwrap();
    open(builder.finish().unwrap())
}

/// Scores of our hits and those of what was written and read: the same.
#[test]
fn a_segment_survives_the_way_through_faiss() {
    for (recipe, metric) in WRITTEN {
        let segment = built(recipe, metric);
        let imported = read_faiss(&write_faiss(&segment, None).unwrap()).unwrap();
        assert!(imported.ids.is_none(), "{recipe}");
        let again = open(imported.segment);
        assert_eq!(again.recipe(), segment.recipe());
        for query in queries().chunks(D) {
            let (a, b) = (search(&segment, query), search(&again, query));
            // Cosine scores were of queries of unit length.
            let length = if metric == Metric::Cosine { query.iter().map(|v| v * v).sum::<f32>().sqrt() } else { 1.0 };
            for (a, b) in a.iter().zip(&b) {
                assert!((a.score * length - b.score).abs() < 1e-4 * (1.0 + b.score.abs()), "{recipe}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn bytes_of_a_code_are_rounded_again() {
    let segment = built("LVQ8", Metric::L2);
    let again = open(read_faiss(&write_faiss(&segment, None).unwrap()).unwrap().segment);
    for query in queries().chunks(D) {
        let (a, b) = (search(&segment, query), search(&again, query));
        a.iter().zip(&b).for_each(|(a, b)| assert!((a.score - b.score).abs() < 0.02 * (1.0 + b.score.abs())));
    }
}

/// A Python that has faiss.
fn python() -> Option<String> {
    let python = std::env::var("RAGSTONE_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import faiss, numpy"]).output().ok()?.status.success();
    found.then_some(python)
}

#[test]
fn faiss_finds_what_was_written_here() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: no Python with faiss and numpy; set RAGSTONE_PYTHON to one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (i, (recipe, metric)) in WRITTEN.into_iter().chain([("SQ8", Metric::L2)]).enumerate() {
        let segment = built(recipe, metric);
        let ids: Vec<i64> = (0..segment.len() as i64).map(|row| row * 3 + 5).collect();
        let ids = (i % 2 == 1).then_some(ids);
        let file = folder.path().join(format!("{i}.faiss"));
        std::fs::write(&file, write_faiss(&segment, ids.as_deref()).unwrap()).unwrap();
        let output = Command::new(&python).arg(path("make_faiss.py")).arg("search").arg(&file).output().unwrap();
        assert!(output.status.success(), "{recipe}: {}", String::from_utf8_lossy(&output.stderr));
        // A cosine segment is one of inner products over there, and an 8-bit code is rounded again.
        let own = match (recipe, metric) {
            ("SQ8", _) => open(read_faiss(&write_faiss(&segment, None).unwrap()).unwrap().segment),
            (_, Metric::Cosine) => open(read_faiss(&write_faiss(&segment, None).unwrap()).unwrap().segment),
            _ => segment,
        };
        for (query, want) in queries().chunks(D).zip(parse(&String::from_utf8(output.stdout).unwrap())) {
            agree(recipe, &search(&own, query), ids.as_deref(), own.metric(), &want);
        }
    }
}

/// Damaged bytes give an error or an index; never a panic, and never more memory than they are worth.
#[test]
fn damage_is_an_error_or_an_index() {
    let query = &queries()[..D];
    let survives = |bytes: &[u8]| match read_faiss(bytes) {
        Ok(imported) => {
            if let Ok(segment) = VectorSegment::open(Arc::new(imported.segment)) {
                let query = vec![query[0]; segment.dimension()];
                let _ = segment.search_with(&query, K, ALL, None, &mut Vec::new());
                let _ = write_faiss(&segment, imported.ids.as_deref());
            }
        }
        Err(error) => assert!(matches!(error.kind(), Kind::BadInput | Kind::Unsupported), "{error:?}"),
    };
    for name in NAMES {
        let bytes = fixture(name);
        for cut in (0..bytes.len().min(200)).chain((200..bytes.len()).step_by(997)) {
            assert!(read_faiss(&bytes[..cut]).is_err(), "{name} cut at {cut}");
        }
        let mut state = 1u64;
        // Every byte of the head and some of the rest, then whole words: sizes that do not fit memory.
        for at in (0..160.min(bytes.len())).chain((160..bytes.len()).step_by(173)) {
            let mut damaged = bytes.clone();
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            damaged[at] ^= (state >> 56) as u8 | 1;
            survives(&damaged);
            if at + 8 <= damaged.len() {
                damaged[at..at + 8].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
                survives(&damaged);
                damaged[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
                survives(&damaged);
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(read_faiss(&longer).is_err(), "{name} with a byte more");
    }
}

#[test]
fn errors_name_the_row_and_the_reason() {
    let mut bytes = fixture("flat_l2");
    let row = bytes.len() - 3 * D * 4;
    bytes[row..row + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = read_faiss(&bytes).err().unwrap();
    assert!(error.kind() == Kind::BadInput && error.what().contains("row 397"), "{error:?}");
    let error = read_faiss(b"IxRFxxxx").err().unwrap();
    assert!(error.kind() == Kind::Unsupported && error.what().contains("IxRF"), "{error:?}");
    let error = write_faiss(&built("Vamana8,LVQ8", Metric::L2), None).err().unwrap();
    assert!(error.kind() == Kind::Unsupported && error.what().contains("Vamana8,LVQ8"), "{error:?}");
    assert_eq!(write_faiss(&built("Flat", Metric::L2), Some(&[1])).err().unwrap().kind(), Kind::BadInput);
}
