//! Indexes that change against a model, and against indexes made anew.

use super::tests::{numbers, open};
use super::tests_recipes::{METRICS, built, clustered, recall};
use super::*;
use base::{Metric, RowSet};
use proptest::prelude::*;

/// One step of a changing index.
#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    /// Copies of a row that is there, or was.
    Copy(u8, u8),
    Remove(Vec<u8>),
    RemoveAll,
    Reopen,
    Search(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1u8..30).prop_map(Step::Add),
        (any::<u8>(), 1u8..6).prop_map(|(row, times)| Step::Copy(row, times)),
        proptest::collection::vec(any::<u8>(), 1..20).prop_map(Step::Remove),
        Just(Step::RemoveAll),
        Just(Step::Reopen),
        (1u8..20, any::<bool>()).prop_map(|(k, filtered)| Step::Search(k, filtered)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_order_of_changes_equals_a_model(
        steps in proptest::collection::vec(step(), 1..14), which in 0usize..8, metric in 0usize..3, wide in any::<bool>()
    ) {
        let recipe = ["Vamana8,LVQ8", "HNSW4,LVQ8", "HNSW4,Flat", "Vamana8,LVQ8,RSQfp16", "Flat", "IVF4,LVQ8", "LVQ8", "Vamana8,LVQ8x4"][which];
        // Wide rows have the highest bits of their codes in the sketches of a graph.
        let (dimension, metric) = (if wide { 65 } else { 6 }, METRICS[metric]);
        let mut editor = VectorEditor::new(recipe.parse().unwrap(), dimension, metric).unwrap();
        // Rows by number; those removed are none.
        let mut model: Vec<Option<Vec<f32>>> = Vec::new();
        for (at, step) in steps.into_iter().chain([Step::Reopen, Step::Search(10, false)]).enumerate() {
            match step {
                Step::Add(count) => {
                    let rows = numbers(at as u64 + 7, count as usize * dimension);
                    let numbers = editor.add(&rows).unwrap();
                    prop_assert_eq!(numbers, model.len() as u32..(model.len() + count as usize) as u32);
                    model.extend(rows.chunks(dimension).map(|row| Some(row.to_vec())));
                }
                Step::Copy(row, times) => {
                    let live: Vec<Vec<f32>> = model.iter().flatten().cloned().collect();
                    if live.is_empty() {
                        continue;
                    }
                    for _ in 0..times {
                        let copy = live[row as usize % live.len()].clone();
                        editor.add(&copy).unwrap();
                        model.push(Some(copy));
                    }
                }
                Step::Remove(rows) => {
                    editor.remove(&rows.iter().map(|&row| u32::from(row)).collect());
                    rows.iter().for_each(|&row| if let Some(row) = model.get_mut(row as usize) { *row = None });
                }
                Step::RemoveAll => {
                    editor.remove(&RowSet::from_range(0..model.len() as u32));
                    model.iter_mut().for_each(|row| *row = None);
                }
                Step::Reopen => {
                    let segment = open(editor.finish().unwrap());
                    segment.verify().unwrap();
                    editor = VectorEditor::open(&segment).unwrap();
                    model.retain(Option::is_some);
                    prop_assert_eq!(segment.len(), model.len());
                }
                Step::Search(k, filtered) => {
                    let query = numbers(at as u64 + 99, dimension);
                    let visible: RowSet = (0..300).filter(|row| row % 3 == 0).collect();
                    let visible = filtered.then_some(&visible);
                    let shown = |row: usize| model[row].is_some() && visible.is_none_or(|set| set.contains(row as u32));
                    let live: Vec<usize> = (0..model.len()).filter(|&row| shown(row)).collect();
                    let rows: Vec<f32> = live.iter().flat_map(|&row| model[row].clone().unwrap()).collect();
                    let (mut got, mut want) = (Vec::new(), Vec::new());
                    editor.search(&query, k as usize, Effort { window: 200, probes: 10 }, visible, &mut got).unwrap();
                    built("Flat", &rows, dimension, metric).search(&query, k as usize, None, &mut want).unwrap();
                    prop_assert_eq!(got.len(), want.len(), "{} of {} rows", recipe, live.len());
                    for (a, b) in got.iter().zip(&want) {
                        prop_assert!(shown(a.row as usize), "row {} is not shown", a.row);
                        prop_assert!((a.score - b.score).abs() <= 0.04 * (1.0 + b.score.abs()), "{recipe}: {a:?} against {b:?}");
                    }
                }
            }
            prop_assert_eq!(editor.len(), model.iter().flatten().count());
        }
    }
}

/// A third of the rows is replaced, a twelfth at a time.
#[test]
fn churn_costs_no_recall() {
    let (rows, dimension, rounds) = (3000, 24, 4);
    let data = clustered(11, rows + rows / 3, dimension);
    let (old, new) = data.split_at(rows * dimension);
    let queries = clustered(12, 100, dimension);
    for recipe in ["Vamana16,LVQ8", "HNSW8,LVQ8"] {
        for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
            let mut editor = VectorEditor::open(&built(recipe, old, dimension, metric)).unwrap();
            let mut now: Vec<f32> = old.to_vec();
            let part = new.len() / dimension / rounds;
            for (round, rows) in new.chunks(part * dimension).take(rounds).enumerate() {
                // Whole neighbourhoods go: rows of one cluster are 20 apart.
                let gone = (0..part as u32).map(|i| (round as u32 * 3 + i % 3) + 20 * (i / 3));
                let gone: RowSet = gone.filter(|&row| (row as usize) < now.len() / dimension).collect();
                editor.remove(&gone);
                editor.add(rows).unwrap();
                let kept = now.chunks(dimension).enumerate().filter(|(i, _)| !gone.contains(*i as u32));
                now = kept.flat_map(|(_, row)| row).chain(rows).copied().collect();
                editor = VectorEditor::open(&open(editor.finish().unwrap())).unwrap();
                assert_eq!(editor.len() * dimension, now.len());
            }
            let (churned, fresh) = (open(editor.finish().unwrap()), built(recipe, &now, dimension, metric));
            let exact = built("Flat", &now, dimension, metric);
            let effort = Effort { window: 24, probes: 1 };
            let of = |segment| recall(segment, &exact, &queries, effort, None);
            let (after, before) = (of(&churned), of(&fresh));
            assert!(after >= before - 0.01, "{recipe} {metric:?}: {after} after changes, {before} made anew");
            assert!(before > 0.8, "{recipe} {metric:?}: {before}");
        }
    }
}

#[test]
fn a_crowd_of_identical_rows_comes_and_goes() {
    for recipe in ["Vamana16,LVQ8", "HNSW8,LVQ8"] {
        let mut editor = VectorEditor::new(recipe.parse().unwrap(), 3, Metric::Cosine).unwrap();
        editor.add(&numbers(3, 3 * 300)).unwrap();
        for _ in 0..10 {
            editor.add(&[0.6f32, 0.8, 0.0].repeat(10_000)).unwrap();
        }
        editor.add(&numbers(4, 3 * 300)).unwrap();
        // All but three of the crowd.
        editor.remove(&RowSet::from_range(300..100_297));
        let mut hits = Vec::new();
        editor.search(&[0.6, 0.8, 0.0], 3, Effort::default(), None, &mut hits).unwrap();
        assert_eq!(hits.iter().map(|h| h.row).collect::<Vec<_>>(), [100_297, 100_298, 100_299]);
        let segment = open(editor.finish().unwrap());
        assert_eq!(segment.len(), 603);
        let exact = {
            let rows = [numbers(3, 900), [0.6f32, 0.8, 0.0].repeat(3), numbers(4, 900)].concat();
            built("Flat", &rows, 3, Metric::Cosine)
        };
        let found = recall(&segment, &exact, &numbers(5, 300), Effort::default(), None);
        assert!(found > 0.9, "{recipe}: {found}");
    }
}

#[test]
fn refused_rows_change_nothing() {
    let mut editor = VectorEditor::new("Vamana8,SQfp16".parse().unwrap(), 2, Metric::L2).unwrap();
    assert_eq!(editor.add(&[1.0, 2.0]).unwrap(), 0..1);
    assert!(editor.add(&[1.0, f32::NAN]).unwrap_err().what().contains("row 1"));
    assert!(editor.add(&[1.0, 1e5]).unwrap_err().what().contains("row 0"));
    assert!(editor.add(&[1.0]).is_err());
    editor.remove(&[5, 900].into_iter().collect());
    assert_eq!(editor.len(), 1);
    assert!(!editor.is_empty());
}
