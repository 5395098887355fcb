//! The lexical index on a BEIR folder: index CPU seconds, query latency, bytes, and a TREC run.
//!
//! Answers the question "how does ours compare with tantivy and bm25s on the same texts": the peers' script hands
//! us a folder and reads the run and one line of JSON back. One thread, one query at a time, title and
//! text. Bytes are those of the finished segment, positions included.

use base::{Context, Error, Kind, Result};
use clap::Args;
use flate2::read::GzDecoder;
use index::lexical::{
    Fields, LexicalBuilder, LexicalHit, LexicalOptions, LexicalSearcher, LexicalSegment, Pruning, Query, SegmentView,
};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Options of `ragstone-bench lexical`.
#[derive(Args)]
pub struct Options {
    /// BEIR folder: corpus.jsonl[.gz], queries.jsonl[.gz], qrels.tsv.
    #[arg(long)]
    dir: PathBuf,
    /// TREC run to write.
    #[arg(long)]
    run: PathBuf,
    /// Number of judged queries to answer.
    #[arg(long, default_value_t = 1000)]
    queries: usize,
    /// Cut the corpus into this many segments.
    #[arg(long, default_value_t = 1)]
    segments: usize,
    /// Times all queries are answered; the fastest time of each query counts, which leaves out what other programs
    /// do to the machine.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Number of results.
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Which algorithm: maxscore, wand or exhaustive.
    #[arg(long, default_value = "maxscore")]
    pruning: String,
    /// Instead of measuring queries: milliseconds to add this many rows to the rest of the corpus and see them.
    #[arg(long)]
    add: Option<usize>,
}

/// Indexes, answers, prints one JSON line.
///
/// # Errors
/// If the folder cannot be read or the run not written.
pub fn run(options: &Options) -> Result<()> {
    options.run()
}

impl Options {
    fn run(&self) -> Result<()> {
        let corpus = rows(&self.dir, "corpus.jsonl")?;
        let judged = judged(&self.dir)?;
        let mut queries = rows(&self.dir, "queries.jsonl")?;
        queries.retain(|q| judged.contains(&text(q, "_id")));
        queries.truncate(self.queries);
        let documents: Vec<(String, String, String)> =
            corpus.iter().map(|c| (text(c, "_id"), text(c, "title"), text(c, "text"))).collect();

        if let Some(rows) = self.add {
            return self.added(&documents, rows, &queries);
        }
        let pruning = match self.pruning.as_str() {
            "maxscore" => Pruning::MaxScore,
            "wand" => Pruning::BlockMaxWand,
            "exhaustive" => Pruning::Exhaustive,
            other => {
                return Err(Error::new(
                    Kind::BadInput,
                    format!("--pruning is maxscore, wand or exhaustive, not {other}"),
                ));
            }
        };
        let query = |question: &str| Query::parse(question).with_pruning(pruning);
        let cpu = cpu_seconds();
        let mut views = Vec::new();
        let mut bytes = 0;
        for part in documents.chunks(documents.len().div_ceil(self.segments.max(1)).max(1)) {
            let mut builder = LexicalBuilder::new(LexicalOptions::default());
            for (_, title, body) in part {
                builder.add(&Fields { title, headings: "", body });
            }
            let segment = builder.finish();
            bytes += segment.len();
            views.push(SegmentView { segment: LexicalSegment::from_vec(segment)?, visible: None });
        }
        let index_cpu_s = cpu_seconds() - cpu;
        let starts: Vec<usize> = views
            .iter()
            .scan(0, |start, v| Some(std::mem::replace(start, *start + v.segment.rows() as usize)))
            .collect();
        let searcher = LexicalSearcher::new(views)?;

        let mut run =
            BufWriter::new(File::create(&self.run).context(Kind::Io, || format!("creating {}", self.run.display()))?);
        let mut hits: Vec<LexicalHit> = Vec::new();
        for row in queries.iter().take(10) {
            searcher.search(&query(&text(row, "text")), self.k, &mut hits)?;
        }
        let mut micros = vec![f64::INFINITY; queries.len()];
        for round in 0..self.rounds.max(1) {
            for (row, best) in queries.iter().zip(&mut micros) {
                let question = text(row, "text");
                let start = Instant::now();
                searcher.search(&query(&question), self.k, &mut hits)?;
                *best = best.min(start.elapsed().as_nanos() as f64 / 1e3);
                if round > 0 {
                    continue;
                }
                for (rank, hit) in hits.iter().enumerate() {
                    let (id, _, _) = &documents[starts[hit.segment as usize] + hit.row as usize];
                    writeln!(run, "{} Q0 {id} {} {} ragstone", text(row, "_id"), rank + 1, hit.score)
                        .context(Kind::Io, || "writing the run".into())?;
                }
            }
        }
        run.flush().context(Kind::Io, || "writing the run".into())?;
        micros.sort_by(f64::total_cmp);
        let at =
            |share: f64| micros.get(((micros.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
        println!(
            "{}",
            serde_json::json!({
                "index_cpu_s": (index_cpu_s * 1e3).round() / 1e3,
                "p50_us": at(0.5).round(),
                "p99_us": at(0.99).round(),
                "index_bytes": bytes,
            })
        );
        Ok(())
    }

    /// How long new rows take to be found, and how long a merge takes.
    fn added(&self, documents: &[(String, String, String)], rows: usize, queries: &[serde_json::Value]) -> Result<()> {
        let (old, new) = documents.split_at(documents.len().saturating_sub(rows));
        let build = |part: &[(String, String, String)]| {
            let mut builder = LexicalBuilder::new(LexicalOptions::default());
            for (_, title, body) in part {
                builder.add(&Fields { title, headings: "", body });
            }
            LexicalSegment::from_vec(builder.finish())
        };
        let large = build(old)?;
        let start = Instant::now();
        let small = build(new)?;
        let view = |segment: &LexicalSegment| SegmentView { segment: segment.clone(), visible: None };
        let searcher = LexicalSearcher::new(vec![view(&large), view(&small)])?;
        let mut hits = Vec::new();
        searcher.search(
            &Query::parse(&queries.first().map_or_else(String::new, |q| text(q, "text"))),
            10,
            &mut hits,
        )?;
        let visible_ms = start.elapsed().as_secs_f64() * 1e3;
        let start = Instant::now();
        let merged = LexicalSegment::merge(&[(&large, None), (&small, None)])?;
        let merge_ms = start.elapsed().as_secs_f64() * 1e3;
        let line = serde_json::json!({
            "rows": documents.len(), "added": new.len(), "visible_ms": visible_ms.round(), "merge_ms": merge_ms.round(),
            "merged_bytes": merged.len(),
        });
        println!("{line}");
        Ok(())
    }
}

fn text(row: &serde_json::Value, key: &str) -> String {
    match &row[key] {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn rows(dir: &Path, name: &str) -> Result<Vec<serde_json::Value>> {
    let zipped = dir.join(format!("{name}.gz"));
    let open = |path: &Path| File::open(path).context(Kind::NotFound, || format!("opening {}", path.display()));
    let reader: Box<dyn Read> =
        if zipped.exists() { Box::new(GzDecoder::new(open(&zipped)?)) } else { Box::new(open(&dir.join(name))?) };
    let mut rows = Vec::new();
    for line in BufReader::new(reader).lines() {
        let line = line.context(Kind::Io, || format!("reading {name}"))?;
        if !line.trim().is_empty() {
            rows.push(serde_json::from_str(&line).context(Kind::BadInput, || format!("reading {name}"))?);
        }
    }
    Ok(rows)
}

fn judged(dir: &Path) -> Result<std::collections::HashSet<String>> {
    let qrels =
        std::fs::read_to_string(dir.join("qrels.tsv")).context(Kind::NotFound, || "reading qrels.tsv".into())?;
    Ok(qrels.lines().skip(1).filter_map(|l| l.split('\t').next()).map(str::to_owned).collect())
}

/// CPU time of this process, seconds.
fn cpu_seconds() -> f64 {
    // utime and stime are the 14th and 15th fields, in ticks of a hundredth of a second; the 2nd may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
