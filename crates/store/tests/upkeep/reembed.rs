//! Changing the embedder.

use super::{DIR, check, open};
use base::{Change, EmbedSpec, Embedder, Kind, Result, Role, Store, TokenCounter};
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::FaultDisk;
use testkit::documents::{DIMENSION, Model, put, spec, vector};

/// Gives texts vectors by their bytes; fails after some texts, as an interrupted run does.
struct Other {
    spec: EmbedSpec,
    texts_left: std::sync::atomic::AtomicI64,
}

impl Other {
    fn new(dimension: usize, texts: i64) -> Other {
        let spec = EmbedSpec { name: "other".into(), dimension, fingerprint: format!("other-{dimension}"), ..spec() };
        Other { spec, texts_left: texts.into() }
    }

    fn row(&self, text: &str) -> Vec<f32> {
        let seed = text.bytes().fold(7u64, |h, b| testkit::mix(h ^ u64::from(b)));
        (0..self.spec.dimension as u64).map(|i| (testkit::mix(seed ^ (i << 50)) % 1000) as f32 / 500.0 - 1.0).collect()
    }
}

impl TokenCounter for Other {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn offsets(&self, _: &str, _: &mut Vec<std::ops::Range<usize>>) {}
}

impl Embedder for Other {
    fn spec(&self) -> &EmbedSpec {
        &self.spec
    }

    fn embed(&self, texts: &[&str], _: Role, out: &mut Vec<f32>) -> Result<()> {
        let left = self.texts_left.fetch_sub(texts.len() as i64, std::sync::atomic::Ordering::SeqCst);
        if left < texts.len() as i64 {
            return Err(base::Error::new(Kind::Remote, "the power went out"));
        }
        texts.iter().for_each(|text| out.extend(self.row(text)));
        Ok(())
    }

    fn tokens(&self) -> &dyn TokenCounter {
        self
    }
}

#[test]
fn the_embedder_is_changed_at_once_or_not_at_all() {
    let disk = FaultDisk::new();
    let collection = Collection::open(DIR.as_ref(), OpenOptions::create(&spec()).on(Arc::new(disk.clone()))).unwrap();
    let mut model = Model::new();
    for edition in 0..200u64 {
        model.insert(format!("{edition}.txt"), edition);
    }
    collection.commit(model.iter().map(|(path, edition)| put(path, *edition)).collect()).unwrap();
    let reader = Collection::open(DIR.as_ref(), OpenOptions::read_only().on(Arc::new(disk.clone()))).unwrap();
    let join = |context: &str, text: &str| format!("{context}\n{text}");
    // Interrupted: everything is as before, but the vectors made so far are kept.
    let failed = collection.reembed(&Other::new(5, 300), &join, &mut |_, _| {}).map(drop).unwrap_err();
    assert_eq!(failed.kind(), Kind::Remote);
    let collection = open(&disk).unwrap();
    check(&collection, &model);
    check(&reader, &model);
    let removed = collection.snapshot().unwrap().find("7.txt").unwrap().unwrap().id;
    collection.commit(vec![Change::Remove(removed), put("new.txt", 1)]).unwrap();
    let other = Other::new(5, i64::MAX);
    let mut told = Vec::new();
    let (collection, report) = collection.reembed(&other, &join, &mut |done, all| told.push((done, all))).unwrap();
    assert!(report.resumed > 100 && report.resumed < report.chunks, "{report:?}");
    assert!(
        report.sampled > 50 && (0.0..0.5).contains(&report.overlap),
        "made-up vectors have nothing in common: {report:?}"
    );
    assert_eq!(told.last().map(|(done, all)| done == all), Some(true));
    assert_eq!(collection.spec(), &other.spec);
    let snapshot = collection.snapshot().unwrap();
    let found = snapshot.document(snapshot.find("new.txt").unwrap().unwrap().id).unwrap().unwrap();
    for (id, chunk) in &found.chunks {
        let mut hits = Vec::new();
        let query = other.row(&join(&chunk.context, &found.document.text[chunk.range.clone()]));
        snapshot.search_dense(&query, 1, &mut hits).unwrap();
        assert_eq!(hits[0].chunk, *id);
        assert_eq!(snapshot.search_dense(&vector(1)[..DIMENSION], 1, &mut hits).unwrap_err().kind(), Kind::BadInput);
    }
    assert!(collection.verify(true).unwrap().is_sound());
    // Whoever had the collection open is told to open it again.
    assert_eq!(reader.snapshot().map(drop).unwrap_err().kind(), Kind::Conflict);
    assert_eq!(collection.commit(vec![put("old", 1)]).unwrap_err().kind(), Kind::BadInput);
    drop(snapshot);
    // The same embedder again has everything in common.
    let (_, report) = collection.reembed(&other, &join, &mut |_, _| {}).unwrap();
    assert_eq!(report.overlap, 1.0);
}

/// A change that the disk or a kill interrupts leaves the old vectors or the new ones, and is resumed.
#[test]
fn an_interrupted_change_of_embedder_is_resumed() {
    let sound = FaultDisk::new();
    let collection = Collection::open(DIR.as_ref(), OpenOptions::create(&spec()).on(Arc::new(sound.clone()))).unwrap();
    let model: Model = (0..30u64).map(|edition| (format!("{edition}.txt"), edition)).collect();
    collection.commit(model.iter().map(|(path, edition)| put(path, *edition)).collect()).unwrap();
    drop(collection);
    let join = |context: &str, text: &str| format!("{context}\n{text}");
    let other = Other::new(5, i64::MAX);
    let (mut old, mut new, mut call) = (0, 0, 0);
    loop {
        let disk = sound.fork();
        let mut log = disk.start_log();
        let collection = open(&disk).unwrap();
        disk.fail_call(disk.calls() + call, std::io::ErrorKind::Other, true);
        let changed = collection.reembed(&other, &join, &mut |_, _| {}).map(drop).is_ok();
        disk.heal();
        log.play_to(disk.logged());
        for disk in [disk, log.image(0), log.image(call | 2)] {
            let collection = open(&disk).unwrap();
            if collection.spec() == &other.spec {
                new += 1;
            } else {
                assert!(!changed, "call {call}: the change was acknowledged");
                check(&collection, &model);
                old += 1;
            }
            let (collection, report) = collection.reembed(&other, &join, &mut |_, _| {}).unwrap();
            assert!(report.chunks > 30, "{report:?}");
            let found = collection.verify(true).unwrap();
            assert!(found.is_sound() && found.documents == 30, "call {call}: {found:?}");
        }
        if changed {
            assert!(old > 10 && new > 3, "{old} had the old vectors, {new} the new");
            return;
        }
        call += 17;
    }
}
