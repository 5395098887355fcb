//! Sequences of changes, and what must be there after each.

use crate::documents::{Model, put};
use crate::random::Random;
use base::{Change, Result, Store};

/// One commit: documents to put (path, edition) and paths to remove.
#[derive(Clone, Debug)]
pub struct Step {
    /// Documents to store.
    pub puts: Vec<(String, u64)>,
    /// Documents to remove, if they are there.
    pub removes: Vec<String>,
    /// Whether the collection is closed and opened again before.
    pub reopen: bool,
}

/// `steps` commits over a few paths, so that documents are often replaced and removed.
pub fn workload(seed: u64, steps: usize) -> Vec<Step> {
    let mut random = Random::new(seed);
    let paths = 4 + random.below(12);
    let step = |edition: u64| {
        let mut step = Step { puts: Vec::new(), removes: Vec::new(), reopen: random.below(8) == 0 };
        for _ in 0..random.below(4) {
            step.puts.push((format!("{}.txt", random.below(paths)), edition));
        }
        for _ in 0..random.below(3) {
            let path = format!("{}.txt", random.below(paths));
            if step.puts.iter().all(|(put, _)| *put != path) {
                step.removes.push(path);
            }
        }
        step
    };
    (1..=steps as u64).map(step).collect()
}

impl Step {
    /// What is there afterwards.
    pub fn apply(&self, model: &Model) -> Model {
        let mut after = model.clone();
        self.removes.iter().for_each(|path| _ = after.remove(path));
        after.extend(self.puts.iter().cloned());
        after
    }

    /// Commits; the version that readers see then.
    pub fn commit(&self, store: &dyn Store) -> Result<u64> {
        let snapshot = store.snapshot()?;
        let mut changes = vec![Change::Setting("step".into(), format!("{:?}", self.puts))];
        for path in &self.removes {
            changes.extend(snapshot.find(path)?.map(|found| Change::Remove(found.id)));
        }
        changes.extend(self.puts.iter().map(|(path, edition)| put(path, *edition)));
        Ok(store.commit(changes)?.version)
    }
}
