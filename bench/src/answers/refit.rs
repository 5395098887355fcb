//! The weights of units and of the confidence, from the sets, with figures on what they had not seen.

use super::corpus::{Remembering, dot};
use super::fit::{self, Group};
use super::{Asked, Compose};
use base::{Error, Kind, Result};
use engine::answer::{FEATURE_NAMES, Judged, SIGNALS, compose, judge, signals};

/// Strength of the penalty on weights of units.
const DECAY: f64 = 10.0;
/// The same for the confidence.
const CONFIDENCE_DECAY: f64 = 4.5;

/// Fits the weights of units.
pub fn units(own: &[Vec<Asked<'_>>], embedder: &Remembering) -> Result<()> {
    let mut groups: Vec<(usize, usize, Group)> = Vec::new();
    for (set, asked) in own.iter().enumerate() {
        for question in asked.iter().filter(|q| !q.gold.is_empty()) {
            let judged = judge(question.question, &question.candidates, embedder, &Compose::default())?;
            let right = |j: &Judged| {
                let document = question.candidates[j.candidate].chunk.document.0 as usize;
                question.relevant.contains(&document) && question.holds_answer(question.quote(j.candidate, &j.range))
            };
            let group = Group {
                right: judged.iter().map(right).collect(),
                rows: judged.iter().map(|j| j.features.to_vec()).collect(),
            };
            groups.push((set, question.part, group));
        }
    }
    let sets: Vec<usize> = (0..own.len()).filter(|set| groups.iter().any(|g| g.0 == *set)).collect();
    let name = |set: usize| own[set].first().map_or("", |asked| asked.corpus.name.as_str());
    println!("\nunits: share of questions whose first 1, 2, 3 units hold the answer");
    println!("| tested on | fitted without those documents | without that set |\n|---|---|---|");
    for &set in &sets {
        let mut by_part = [0.0; 3];
        for part in 0..Asked::PARTS {
            let weights = fit::softmax(&pick(&groups, |g| g.0 != set || g.1 != part), DECAY);
            let right = first(&weights, &pick(&groups, |g| g.0 == set && g.1 == part));
            by_part.iter_mut().zip(right).for_each(|(sum, r)| *sum += r);
        }
        let all = pick(&groups, |g| g.0 == set);
        let by_set = match sets.len() {
            1 => None,
            _ => Some(first(&fit::softmax(&pick(&groups, |g| g.0 != set), DECAY), &all)),
        };
        let shares = |right: [f64; 3]| right.map(|r| format!("{:.3}", r / all.len() as f64)).join(" / ");
        println!("| {} | {} | {} |", name(set), shares(by_part), by_set.map_or("-".to_owned(), shares));
    }
    let weights = fit::softmax(&pick(&groups, |_| true), DECAY);
    println!("\nweights fitted on all:");
    for (name, weight) in FEATURE_NAMES.iter().zip(&weights) {
        println!("    {weight:.2}, // {name}");
    }
    Ok(())
}

fn pick(groups: &[(usize, usize, Group)], keep: impl Fn(&(usize, usize, Group)) -> bool) -> Vec<&Group> {
    groups.iter().filter(|g| keep(g)).map(|g| &g.2).collect()
}

/// Number of groups whose first 1, 2, 3 rows by `weights` hold a right one.
fn first(weights: &[f32], groups: &[&Group]) -> [f64; 3] {
    let mut right = [0.0; 3];
    for group in groups {
        let mut order: Vec<usize> = (0..group.rows.len()).collect();
        let score = |row: usize| dot(&group.rows[row], weights);
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        for (k, right) in right.iter_mut().enumerate() {
            *right += f64::from(u8::from(order.iter().take(k + 1).any(|&row| group.right[row])));
        }
    }
    right
}

/// A question as the confidence sees it.
struct Case {
    set: usize,
    kind: Over,
    part: usize,
    row: Vec<f32>,
    right: bool,
}

/// What a question is asked over.
#[derive(Clone, Copy, PartialEq)]
enum Over {
    Own,
    Removed,
    Foreign,
}

/// Fits the confidence; questions that can and that cannot be answered weigh the same together.
pub fn confidence(
    own: &[Vec<Asked<'_>>],
    without: &[Vec<Asked<'_>>],
    foreign: &[(&str, Vec<Asked<'_>>)],
    embedder: &Remembering,
) -> Result<()> {
    let name = |set: usize| own[set].first().map_or("", |asked| asked.corpus.name.as_str());
    let mut cases = Vec::new();
    let lists = own.iter().enumerate().map(|(set, asked)| (set, Over::Own, asked));
    let lists = lists.chain(without.iter().enumerate().map(|(set, asked)| (set, Over::Removed, asked)));
    let set_of = |from: &str| (0..own.len()).find(|&set| name(set) == from).unwrap_or_default();
    for (set, kind, asked) in lists.chain(foreign.iter().map(|(from, a)| (set_of(from), Over::Foreign, a))) {
        for question in asked {
            let found = signals(question.question, &question.candidates, embedder, &Compose::default())?;
            if found.found {
                let composed = compose(question.question, &question.candidates, embedder, &Compose::default())?;
                let right = kind == Over::Own && question.right(&composed);
                cases.push(Case { set, kind, part: question.part, row: found.values.to_vec(), right });
            }
        }
    }
    if cases.is_empty() {
        return Err(Error::new(Kind::BadInput, "no question found anything"));
    }
    println!("\nconfidence: share answered of own questions, of those without their documents, of foreign ones,");
    println!("at thresholds .1, .15, .2, .24, .3, .4");
    println!("| tested on | fitted | own | removed | foreign |\n|---|---|---|---|---|");
    for set in 0..own.len() {
        let mut chances = vec![Vec::new(); 3];
        for part in 0..Asked::PARTS {
            let model = logistic(&cases, |c| c.set != set || c.part != part);
            collect(&cases, |c| c.set == set && c.part == part, &model, &mut chances);
        }
        print(name(set), "without those documents", &chances);
        if own.len() > 1 {
            let mut chances = vec![Vec::new(); 3];
            let model = logistic(&cases, |c| c.set != set);
            collect(&cases, |c| c.set == set, &model, &mut chances);
            print(name(set), "without that set", &chances);
        }
    }
    let (weights, bias) = logistic(&cases, |_| true);
    for set in 0..own.len() {
        let mut chances = vec![Vec::new(); 3];
        collect(&cases, |c| c.set == set, &(weights.clone(), bias), &mut chances);
        print(name(set), "on all", &chances);
    }
    println!("\nconfidence: bias {bias:.2}");
    for (name, weight) in SIGNALS.iter().zip(&weights) {
        println!("    {weight:.2}, // {name}");
    }
    Ok(())
}

/// Half of the weight for own questions, a quarter for removed documents, a quarter for foreign ones; sets
/// count alike whatever their size.
fn logistic(cases: &[Case], keep: impl Fn(&Case) -> bool) -> (Vec<f32>, f32) {
    let kept: Vec<&Case> = cases.iter().filter(|c| keep(c)).collect();
    let size = |case: &Case| kept.iter().filter(|c| c.set == case.set && c.kind == case.kind).count() as f64;
    let importance: Vec<f64> =
        kept.iter().map(|case| 1000.0 * if case.kind == Over::Own { 0.5 } else { 0.25 } / size(case)).collect();
    let rows: Vec<Vec<f32>> = kept.iter().map(|c| c.row.clone()).collect();
    let right: Vec<bool> = kept.iter().map(|c| c.right).collect();
    fit::logistic(&rows, &right, &importance, CONFIDENCE_DECAY)
}

/// Adds the chances of the cases that `keep` to the list of their kind.
fn collect(cases: &[Case], keep: impl Fn(&Case) -> bool, model: &(Vec<f32>, f32), chances: &mut [Vec<f32>]) {
    for case in cases.iter().filter(|c| keep(c)) {
        let chance = 1.0 / (1.0 + (-(dot(&case.row, &model.0) + model.1)).exp());
        chances[case.kind as usize].push(chance);
    }
}

fn print(name: &str, how: &str, chances: &[Vec<f32>]) {
    let shares = |list: &Vec<f32>| {
        let share = |least: f32| list.iter().filter(|&&c| c >= least).count() as f64 / list.len().max(1) as f64;
        [0.1, 0.15, 0.2, 0.24, 0.3, 0.4].map(|least| format!("{:.3}", share(least))).join(" ")
    };
    println!("| {name} | {how} | {} |", chances.iter().map(shares).collect::<Vec<_>>().join(" | "));
}
