//! Our numbers against trec_eval's (see `fixtures/make_trec_eval.py`).

use eval::{MEASURES, Qrels, Run, evaluate, evaluate_retrieved};
use serde_json::Value;

fn cases() -> Vec<(Qrels, Run, Value)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fixtures/trec_eval.json")).unwrap();
    let read = |case: &Value| {
        let (mut qrels, mut run) = (Qrels::default(), Run::default());
        for (query, docs) in case["qrels"].as_object().unwrap() {
            for (doc, grade) in docs.as_object().unwrap() {
                qrels.insert(query, doc, grade.as_i64().unwrap() as i32);
            }
        }
        for (query, docs) in case["run"].as_object().unwrap() {
            let found = docs.as_object().unwrap().iter().map(|(d, s)| (d.clone(), s.as_f64().unwrap() as f32));
            run.insert(query, found.collect());
        }
        (qrels, run, case["expected"].clone())
    };
    cases.iter().map(read).collect()
}

#[test]
fn every_measure_equals_trec_eval() {
    let mut compared = 0;
    for (i, (qrels, run, expected)) in cases().into_iter().enumerate() {
        let metrics = evaluate_retrieved(&qrels, &run);
        let expected = expected.as_object().unwrap();
        assert_eq!(metrics.queries, expected.len(), "case {i}");
        for measure in MEASURES {
            let name = measure.name();
            let mut sum = 0.0;
            for (query, values) in expected {
                let want = values[&name].as_f64().unwrap_or_else(|| panic!("no {name} in the fixture"));
                let got = metrics.get_query(query, &name).unwrap();
                assert!((got - want).abs() < 1e-12, "case {i} query {query} {name}: {got} instead of {want}");
                sum += want;
                compared += 1;
            }
            let mean = metrics.get(&name).unwrap();
            assert!((mean - sum / expected.len() as f64).abs() < 1e-12, "case {i} mean {name}: {mean}");
        }
    }
    assert!(compared > 3000, "only {compared} values");
}

#[test]
fn a_query_missing_from_the_run_counts_as_zero() {
    for (qrels, run, _) in cases() {
        let (all, retrieved) = (evaluate(&qrels, &run), evaluate_retrieved(&qrels, &run));
        assert_eq!(all.queries, qrels.len());
        for (name, mean) in &all.metrics {
            let sum = retrieved.get(name).unwrap() * retrieved.queries as f64;
            assert!((mean * all.queries as f64 - sum).abs() < 1e-9, "{name}");
        }
    }
}

#[test]
fn nothing_gives_zeros_not_nan() {
    let metrics = evaluate(&Qrels::default(), &Run::default());
    assert_eq!(metrics.queries, 0);
    assert!(metrics.metrics.iter().all(|&(_, value)| value == 0.0));
}

#[test]
fn a_written_run_reads_back_with_the_same_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.txt");
    for (qrels, run, _) in cases() {
        let mut bytes = Vec::new();
        run.write(&mut bytes, "two words").unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let back = Run::read(&path).unwrap();
        assert_eq!(evaluate(&qrels, &back), evaluate(&qrels, &run));
        assert!(String::from_utf8(bytes).unwrap().lines().all(|l| l.ends_with(" two_words")));
    }
}
