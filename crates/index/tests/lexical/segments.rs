//! Merging segments.

use crate::support::{documents, plain, segment};
use base::RowSet;
use index::lexical::{Fields, LexicalBuilder, LexicalSegment};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A merge without the dropped rows is the index that never had them.
    #[test]
    fn merging_is_rebuilding(documents in documents(400), seed in any::<u64>(), cut in 0.0f64..1.0) {
        let cut = (documents.len() as f64 * cut) as usize;
        let kept = |i: usize| !(seed.rotate_left(i as u32 % 64) ^ i as u64).is_multiple_of(4);
        let parts = [segment(&documents[..cut], plain()), segment(&documents[cut..], plain())];
        let live: RowSet = (cut..documents.len()).filter(|&i| kept(i)).map(|i| (i - cut) as u32).collect();
        let merged = LexicalSegment::merge(&[(&parts[0], None), (&parts[1], Some(&live))]).unwrap();
        let rest: Vec<String> = (0..documents.len()).filter(|&i| i < cut || kept(i)).map(|i| documents[i].clone()).collect();
        let mut builder = LexicalBuilder::new(plain());
        rest.iter().for_each(|d| { builder.add(&Fields::body(d)); });
        prop_assert!(merged == builder.finish());
        LexicalSegment::from_vec(merged).unwrap().verify().unwrap();
    }
}
