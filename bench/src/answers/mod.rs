//! How often does the answer without a language model hold the right answer, and does it know when not?
//!
//! Questions of sets with gold answers are asked over all documents of their set (one chunk a document,
//! BM25 and the built-in embedder fused by Ragstone's defaults). An answer is right when it contains a gold
//! answer, ignoring case. Abstention is measured where no answer can be right: questions over the documents
//! of another set, and over their own set without the documents that answer. What is left out: chunking,
//! extraction, time.

mod corpus;
mod fit;
mod refit;

use base::{Embedder, Result, Role};
use clap::Args;
use corpus::{Corpus, Remembering, dot, lexical, lexical_hits};
use engine::answer::{Candidate, Composed, Options as Compose, compose};
use std::path::PathBuf;

/// Options of `ragstone-bench answers`.
#[derive(Args)]
pub struct Options {
    /// BEIR folder; several are also asked over each other's documents.
    #[arg(long = "dir", required = true)]
    dirs: Vec<PathBuf>,
    /// Most questions asked of each folder, in the order of the folders; all where none is given.
    #[arg(long = "questions")]
    questions: Vec<usize>,
    /// Most questions asked of a set over foreign documents.
    #[arg(long, default_value_t = 300)]
    foreign: usize,
    /// Sentences that are embedded for an answer; a row of the table for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [Compose::default().embedded_max])]
    embedded: Vec<usize>,
    /// Fit the weights: on three of four parts of each set, by document, and the other sets, measured on the fourth;
    /// on all sets but one, measured on that one; then on all.
    #[arg(long)]
    fit: bool,
    /// Print the questions whose answer is wrong, with the answer.
    #[arg(long)]
    show: bool,
}

/// A question asked over some documents.
struct Asked<'a> {
    corpus: &'a Corpus,
    question: &'a str,
    /// Lower-case gold answers; empty when the set has none.
    gold: Vec<String>,
    /// Documents that answer.
    relevant: Vec<usize>,
    candidates: Vec<Candidate<'a>>,
    /// Part of the set, by document, 0 to [`Asked::PARTS`].
    part: usize,
}

impl Asked<'_> {
    /// Parts of a set for fitting on some and measuring on the others.
    const PARTS: usize = 4;

    fn quote(&self, candidate: usize, range: &std::ops::Range<usize>) -> &str {
        &self.candidates[candidate].chunk.text[range.clone()]
    }

    fn text(&self, composed: &Composed) -> String {
        composed.picks.iter().map(|p| self.quote(p.candidate, &p.range)).collect::<Vec<_>>().join(" ")
    }

    fn holds_answer(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.gold.iter().any(|gold| lower.contains(gold.as_str()))
    }

    /// Whether the answer is right; where no gold answer is known, whether a relevant document is quoted.
    fn right(&self, composed: &Composed) -> bool {
        if self.gold.is_empty() {
            let chunk = |c: usize| self.candidates[c].chunk.document.0 as usize;
            composed.picks.iter().any(|p| self.relevant.contains(&chunk(p.candidate)))
        } else {
            self.holds_answer(&self.text(composed))
        }
    }
}

/// Runs the measurement.
pub fn run(options: &Options) -> Result<()> {
    let embedder = Remembering::new(models::builtin()?);
    let corpora = options.dirs.iter().map(|dir| Corpus::read(dir, &embedder)).collect::<Result<Vec<_>>>()?;
    let mut own = Vec::new();
    let mut without = Vec::new();
    for (i, corpus) in corpora.iter().enumerate() {
        let most = options.questions.get(i).copied().unwrap_or(usize::MAX);
        own.push(ask(corpus, corpus, &embedder, false, most)?);
        without.push(ask(corpus, corpus, &embedder, true, most)?);
    }
    let mut foreign = Vec::new();
    for from in &corpora {
        for over in corpora.iter().filter(|over| over.name != from.name) {
            foreign.push((from.name.as_str(), ask(from, over, &embedder, false, options.foreign)?));
        }
    }
    for (corpus, asked) in corpora.iter().zip(&own) {
        answers(corpus, asked, &embedder, options)?;
    }
    println!(
        "\n| questions of | over | asked | answered | of them unsure | right | of them unsure | mean confidence |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (corpus, (own, without)) in corpora.iter().zip(own.iter().zip(&without)) {
        abstention(&corpus.name, "its own", own, &embedder)?;
        abstention(&corpus.name, "its own, what answers removed", without, &embedder)?;
    }
    for (from, asked) in &foreign {
        if let Some(first) = asked.first() {
            abstention(from, &first.corpus.name, asked, &embedder)?;
        }
    }
    if options.fit {
        refit::units(&own, &embedder)?;
        refit::confidence(&own, &without, &foreign, &embedder)?;
    }
    Ok(())
}

/// Searches for the questions of `from` among the documents of `over`.
fn ask<'a>(
    from: &'a Corpus,
    over: &'a Corpus,
    embedder: &Remembering,
    remove: bool,
    most: usize,
) -> Result<Vec<Asked<'a>>> {
    let step = from.set.queries.len().div_ceil(most.min(from.set.queries.len()).max(1));
    let mut asked = Vec::new();
    for query in from.set.queries.iter().step_by(step) {
        let same = std::ptr::eq(from, over);
        let is_relevant = |id: &str| from.set.qrels.get(&query.id).and_then(|d| d.get(id)).is_some_and(|&g| g > 0);
        let relevant: Vec<usize> =
            (0..if same { from.set.docs.len() } else { 0 }).filter(|&i| is_relevant(&from.set.docs[i].id)).collect();
        let vector = embedder.row(&query.text, Role::Query)?;
        let found = over.search(&query.text, &vector, if remove { &relevant } else { &[] }, 10)?;
        let group = relevant.first().map_or("", |&i| from.set.docs[i].id.split('-').next().unwrap_or(""));
        let part = group.bytes().fold(0usize, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(b))) % Asked::PARTS;
        let gold = query.answers().iter().map(|a| a.to_lowercase()).filter(|a| !a.is_empty()).collect();
        asked.push(Asked {
            corpus: over,
            question: &query.text,
            gold,
            relevant,
            candidates: over.candidates(&found),
            part,
        });
    }
    Ok(asked)
}

/// Shares of right answers at 1, 2 and 3 sentences, ours and the baseline's.
fn answers(corpus: &Corpus, asked: &[Asked<'_>], embedder: &Remembering, options: &Options) -> Result<()> {
    if asked.iter().all(|a| a.gold.is_empty()) {
        return Ok(());
    }
    println!("\n{}: {} documents, {} questions", corpus.name, corpus.chunks.len(), asked.len());
    println!("| answer | at most 1 | 2 | 3 | words at 1 | 2 | 3 |\n|---|---|---|---|---|---|---|");
    let baseline = Baseline::new(corpus, embedder)?;
    let print = |name: &str, right: [usize; 3], words: [usize; 3]| {
        let n = asked.len() as f64;
        let shares = right.map(|r| format!("{:.3}", r as f64 / n)).join(" | ");
        println!("| {name} | {shares} | {} |", words.map(|w| format!("{:.1}", w as f64 / n)).join(" | "));
    };
    let (mut right, mut words) = ([0; 3], [0; 3]);
    for question in asked {
        let ranked = baseline.rank(question.question, embedder)?;
        for k in 0..3 {
            let text = ranked[..(k + 1).min(ranked.len())].join(" ");
            right[k] += usize::from(question.holds_answer(&text));
            words[k] += text.split_whitespace().count();
        }
    }
    print("baseline", right, words);
    for &embedded_max in &options.embedded {
        let (mut right, mut words) = ([0; 3], [0; 3]);
        for question in asked {
            for k in 0..3 {
                let limits = Compose { sentences_max: k + 1, embedded_max, ..Compose::default() };
                let composed = compose(question.question, &question.candidates, embedder, &limits)?;
                let text = question.text(&composed);
                let is_right = question.holds_answer(&text);
                right[k] += usize::from(is_right);
                words[k] += text.split_whitespace().count();
                if options.show && k == 0 && !is_right {
                    println!("? {}\n  wanted {:?}\n  got {text}", question.question, question.gold);
                }
            }
        }
        print(&format!("Ragstone, {embedded_max} embedded"), right, words);
    }
    Ok(())
}

/// Hybrid passage score, sentence BM25 and sentence cosine, each scaled to 0..1, equal weights.
struct Baseline<'a> {
    corpus: &'a Corpus,
    sentences: Vec<(usize, String)>,
    searcher: index::lexical::LexicalSearcher,
}

impl<'a> Baseline<'a> {
    fn new(corpus: &'a Corpus, embedder: &Remembering) -> Result<Self> {
        let mut sentences = Vec::new();
        for (i, chunk) in corpus.chunks.iter().enumerate() {
            let mut ranges = Vec::new();
            base::sentences(&chunk.text, &mut ranges);
            sentences.extend(ranges.into_iter().map(|r| (i, chunk.text[r].to_owned())));
        }
        let texts: Vec<&str> = sentences.iter().map(|s| s.1.as_str()).collect();
        embedder.embed(&texts, Role::Passage, &mut Vec::new())?;
        let searcher = lexical(texts.into_iter())?;
        Ok(Baseline { corpus, sentences, searcher })
    }

    fn rank(&self, question: &str, embedder: &Remembering) -> Result<Vec<&str>> {
        let vector = embedder.row(question, Role::Query)?;
        let mut passage = vec![0.0; self.corpus.chunks.len()];
        for fused in self.corpus.search(question, &vector, &[], usize::MAX)? {
            passage[fused.chunk.0 as usize] = fused.score;
        }
        let mut bm25 = vec![0.0; self.sentences.len()];
        for hit in lexical_hits(&self.searcher, question, self.sentences.len())? {
            bm25[hit.chunk.0 as usize] = hit.score;
        }
        let cosine = (self.sentences.iter())
            .map(|(_, text)| Ok(dot(&vector, &embedder.row(text, Role::Passage)?)))
            .collect::<Result<Vec<f32>>>()?;
        let (bm25, cosine) = (scaled(&bm25), scaled(&cosine));
        let score = |i: usize| passage[self.sentences[i].0] + bm25[i] + cosine[i];
        let mut order: Vec<usize> = (0..self.sentences.len()).collect();
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        Ok(order.into_iter().take(3).map(|i| self.sentences[i].1.as_str()).collect())
    }
}

fn scaled(values: &[f32]) -> Vec<f32> {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter().map(|v| if high > low { (v - low) / (high - low) } else { 0.0 }).collect()
}

fn abstention(from: &str, over: &str, asked: &[Asked<'_>], embedder: &Remembering) -> Result<()> {
    // All, and those of which the answer says that it is unsure.
    let (mut answered, mut right, mut confidence) = ([0; 2], [0; 2], 0.0);
    for question in asked {
        let composed = compose(question.question, &question.candidates, embedder, &Compose::default())?;
        if !composed.abstained {
            let is_right = u32::from(question.right(&composed));
            for kind in 0..=usize::from(composed.unsure) {
                answered[kind] += 1;
                right[kind] += is_right;
            }
        }
        confidence += f64::from(composed.confidence);
    }
    let n = asked.len().max(1) as f64;
    let share = |counts: [u32; 2]| format!("{:.3} | {:.3}", f64::from(counts[0]) / n, f64::from(counts[1]) / n);
    println!("| {from} | {over} | {} | {} | {} | {:.3} |", asked.len(), share(answered), share(right), confidence / n);
    Ok(())
}
