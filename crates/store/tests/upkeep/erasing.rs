//! Erasures that are interrupted, and documents that come back.

use super::{DIR, check, open, scene};
use base::{
    BlockKind, Change, Chunk, DocumentBuilder, EmbedSpec, FileStamp, Kind, Locator, NewChunk, NewDocument, Store,
};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use store::{Collection, OpenOptions, Receipt};
use testkit::FaultDisk;
use testkit::documents::{put, spec, unique_word};

fn holds(disk: &FaultDisk, word: &str) -> bool {
    let in_bytes = |bytes: Vec<u8>| bytes.windows(word.len()).any(|w| w == word.as_bytes());
    disk.paths().iter().any(|path| disk.read_file(path).is_some_and(in_bytes))
}

/// A process that was killed between removing a document and removing its bytes left them there, and there was no
/// way to go on: the document could not be found any more.
#[test]
fn an_interrupted_erasure_is_finished() {
    let (sound, collection, mut model) = scene();
    drop(collection);
    let whole = model.clone();
    let edition = model.remove("2.txt").unwrap();
    let word = unique_word("2.txt", edition);
    let (mut finished, mut call) = (0, 0);
    loop {
        let disk = sound.fork();
        let mut log = disk.start_log();
        let collection = open(&disk).unwrap();
        let id = collection.snapshot().unwrap().find("2.txt").unwrap().unwrap().id;
        disk.fail_call(disk.calls() + call, ErrorKind::Other, true);
        let erased = collection.erase(&[id]);
        drop(collection);
        disk.heal();
        log.play_to(disk.logged());
        // Either the end of the process, which leaves everything it wrote, or of the computer.
        for disk in [disk.clone(), log.image(0), log.image(call | 2)] {
            let collection = open(&disk).unwrap();
            let unfinished = collection.unfinished_erasure().unwrap();
            let gone = collection.snapshot().unwrap().find("2.txt").unwrap().is_none();
            assert!(gone || erased.is_err(), "call {call}");
            check(&collection, if gone { &model } else { &whole });
            if unfinished.is_some() {
                let notices = collection.take_notices();
                assert!(notices.iter().any(|notice| notice.contains("erasure was interrupted")), "{notices:?}");
                let other = collection.snapshot().unwrap().find("1.txt").unwrap().unwrap().id;
                assert_eq!(collection.erase(&[other]).unwrap_err().kind(), Kind::Conflict);
                let mut kept = None;
                let receipt = collection.finish_erasure(|receipt| {
                    kept = Some(receipt.clone());
                    Ok(())
                });
                let receipt = receipt.unwrap().unwrap();
                assert_eq!(kept.as_ref(), Some(&receipt));
                assert_eq!(receipt.documents[0].id, id.0);
                assert_eq!(collection.verify_erased(&receipt).unwrap(), []);
                assert!(!holds(&disk, &word), "call {call}: it is still in a file");
                check(&collection, &model);
                finished += 1;
            } else {
                assert!(!gone || !holds(&disk, &word), "call {call}: nobody knows that it is still in a file");
            }
            assert!(collection.finish_erasure(|_| Ok(())).unwrap().is_none());
        }
        if erased.is_ok() {
            assert!(finished > 10, "{finished}");
            return;
        }
        call += 13;
    }
}

/// What is stored again while an erasure waits to be finished is not what was erased.
#[test]
fn what_comes_back_does_not_stop_an_erasure() {
    let (disk, collection, model) = scene();
    let id = collection.snapshot().unwrap().find("2.txt").unwrap().unwrap().id;
    collection.begin_erasure(&[id]).unwrap();
    assert_eq!(collection.begin_erasure(&[id]).unwrap_err().kind(), Kind::Conflict);
    collection.commit(vec![put("2.txt", model["2.txt"])]).unwrap();
    let receipt = collection.finish_erasure(|_| Ok(())).unwrap().unwrap();
    // The tags of its old rows are its own; the text and the vectors are not.
    assert!(receipt.grams_shared > 50, "{receipt:?}");
    check(&collection, &model);
    // A receipt that was not kept is not forgotten.
    collection.begin_erasure(&[collection.snapshot().unwrap().find("1.txt").unwrap().unwrap().id]).unwrap();
    let refused = |_: &Receipt| Err(base::Error::new(Kind::NoSpace, "no room for the receipt"));
    assert_eq!(collection.finish_erasure(refused).unwrap_err().kind(), Kind::NoSpace);
    assert!(collection.finish_erasure(|_| Ok(())).unwrap().is_some());
    // Nothing is noted by those who may not erase.
    drop(collection);
    let reader = Collection::open(DIR.as_ref(), OpenOptions::read_only().on(Arc::new(disk))).unwrap();
    let other = reader.snapshot().unwrap().find("0.txt").unwrap().unwrap().id;
    assert!(reader.erase(&[other]).is_err());
    assert!(reader.unfinished_erasure().unwrap().is_none());
}

/// Vectors lie in groups of another size than chunks; those of later groups used to be missing in receipts.
#[test]
fn a_receipt_knows_every_vector() {
    let disk = FaultDisk::new();
    let dimension = 400;
    let options = OpenOptions::create(&EmbedSpec { dimension, ..spec() }).on(Arc::new(disk.clone()));
    let collection = Collection::open(DIR.as_ref(), options).unwrap();
    let mut builder = DocumentBuilder::new("text");
    (0..70).for_each(|i| builder.block(BlockKind::Paragraph, Locator::default(), &format!("Paragraph {i}.")));
    let document = builder.finish();
    let vector = |i: usize| (0..dimension).map(|j| ((i * 31 + j * j) % 97) as f32 - 48.0).collect::<Vec<f32>>();
    let chunk = |(i, block): (usize, &base::Block)| NewChunk {
        chunk: Chunk { range: block.range.clone(), context: String::new(), tokens: 2 },
        vector: vector(i),
    };
    let chunks: Vec<NewChunk> = document.blocks.iter().enumerate().map(chunk).collect();
    let stamp = FileStamp::default();
    let new = NewDocument { source: "long".into(), path: String::new(), stamp, document, chunks };
    collection.commit(vec![Change::Put(Box::new(new))]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    let id = snapshot.find("long").unwrap().unwrap().id;
    let stored: Vec<Vec<u8>> = snapshot
        .document(id)
        .unwrap()
        .unwrap()
        .chunks
        .iter()
        .map(|(chunk, _)| {
            let mut row = Vec::new();
            snapshot.vector(*chunk, &mut row).unwrap();
            row.iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect()
        })
        .collect();
    drop(snapshot);
    let receipt = collection.erase(&[id]).unwrap();
    for (i, bytes) in stored.iter().enumerate() {
        disk.write_file(&Path::new(DIR).join("stray"), bytes);
        assert!(!collection.verify_erased(&receipt).unwrap().is_empty(), "vector {i} is not recognised");
    }
}
