//! How many texts does the encoder turn into vectors per second of CPU time?
//!
//! Two kinds of work. Token ids (`--ids`, written by a driver that also runs the peers): a batch of texts of
//! one length and a short query, so that tokenisation is left out; the vectors go to `--out` for the driver
//! to compare with the original. Passages (`--passages`, one a line): real text of mixed lengths,
//! tokenisation included and also timed apart. CPU time is that of the whole process, so it holds on a
//! machine that does other things too.

use base::{Context, Embedder, Error, Kind, Result, Role};
use models::SentenceEmbedder;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// A Hugging Face folder; the built-in model if absent.
    #[arg(long)]
    model: Option<PathBuf>,
    /// JSON: {"batch": [[id, ...], ...], "query": [[id, ...]]}.
    #[arg(long, requires = "out")]
    ids: Option<PathBuf>,
    /// Where the vectors of the batch and the query go, as .npy.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A text file with one passage a line.
    #[arg(long)]
    passages: Option<PathBuf>,
    /// Threads that embed.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Numbers to multiply with: f32, bf16, int16 or int8; what the model is opened with if absent.
    #[arg(long)]
    kind: Option<String>,
}

#[derive(serde::Deserialize)]
struct Ids {
    batch: Vec<Vec<u32>>,
    query: Vec<Vec<u32>>,
}

/// Runs the measurements that were asked for; prints one JSON line for each.
pub fn run(options: &Options) -> Result<()> {
    let kind = options.kind.as_deref().map(|name| {
        let what = || format!("--kind {name}: expected {}", kernels::KINDS.map(kernels::Kind::name).join(", "));
        kernels::Kind::parse(name).ok_or_else(|| Error::new(Kind::BadInput, what()))
    });
    let kind = kind.transpose()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.context(Kind::Overloaded, || format!("starting {} threads", options.threads))?;
    let level = kernels::level();
    let start = Instant::now();
    let model = match &options.model {
        Some(folder) => models::folder::open_sentence_embedder(folder, level, kind)?,
        None => models::builtin_sentence_embedder(level, kind)?,
    };
    eprintln!("{} at level {level}, opened in {:.1} ms", model.spec().name, start.elapsed().as_secs_f64() * 1e3);
    pool.install(|| {
        if let (Some(ids), Some(out)) = (&options.ids, &options.out) {
            measure_ids(&model, ids, out)?;
        }
        if let Some(passages) = &options.passages {
            measure_passages(&model, passages)?;
        }
        Ok(())
    })
}

fn measure_ids(model: &SentenceEmbedder, ids: &Path, out: &Path) -> Result<()> {
    let text = std::fs::read_to_string(ids).map_err(|e| Error::io(format!("reading {}", ids.display()), e))?;
    let ids: Ids = serde_json::from_str(&text).context(Kind::BadInput, || format!("reading {}", ids.display()))?;
    let batch: Vec<&[u32]> = ids.batch.iter().map(Vec::as_slice).collect();
    let query: Vec<&[u32]> = ids.query.iter().map(Vec::as_slice).collect();
    let mut rows = Vec::new();
    model.embed_ids(&batch, &mut rows)?;
    model.embed_ids(&query, &mut rows)?;
    write_npy(out, &rows, model.spec().dimension)?;
    let mut rows = Vec::new();
    let batches = measure(Duration::from_secs(3), 3, || {
        rows.clear();
        model.embed_ids(&batch, &mut rows)
    })?;
    let queries = measure(Duration::ZERO, 100, || {
        rows.clear();
        model.embed_ids(&query, &mut rows)
    })?;
    let texts = (batch.len() * batches.runs) as f64;
    let line = serde_json::json!({
        "texts_per_cpu_s": round(texts / batches.cpu, 1),
        "texts_per_s": round(texts / batches.wall, 1),
        "query_cpu_ms": round(queries.cpu / queries.runs as f64 * 1e3, 3),
        "query_p50_ms": round(queries.median * 1e3, 3),
    });
    println!("{line}");
    Ok(())
}

fn measure_passages(model: &SentenceEmbedder, passages: &Path) -> Result<()> {
    let what = || format!("reading {}", passages.display());
    let text = std::fs::read_to_string(passages).map_err(|e| Error::io(what(), e))?;
    let texts: Vec<&str> = text.lines().collect();
    let (most, mut tokens) = (model.spec().max_tokens, 0);
    let mut ids = Vec::new();
    let tokenise = measure(Duration::from_secs(1), 2, || {
        tokens = 0;
        for text in &texts {
            ids.clear();
            model.tokenizer().encode(text, most, &mut ids)?;
            tokens += ids.len();
        }
        Ok(())
    })?;
    let mut rows = Vec::new();
    let all = measure(Duration::from_secs(3), 1, || {
        rows.clear();
        model.embed(&texts, Role::Passage, &mut rows)
    })?;
    let cpu = all.cpu / all.runs as f64;
    let line = serde_json::json!({
        "passages": texts.len(),
        "tokens": tokens,
        "passages_per_cpu_s": round(texts.len() as f64 / cpu, 1),
        "tokens_per_cpu_s": round(tokens as f64 / cpu, 0),
        "passages_per_s": round((texts.len() * all.runs) as f64 / all.wall, 1),
        "tokenising_share": round(tokenise.cpu / tokenise.runs as f64 / cpu, 4),
        "tokens_per_cpu_s_tokenising": round((tokens * tokenise.runs) as f64 / tokenise.cpu, 0),
    });
    println!("{line}");
    Ok(())
}

/// Totals of several runs of the same work, in seconds.
struct Measured {
    runs: usize,
    cpu: f64,
    wall: f64,
    median: f64,
}

/// Repeats `work` for at least `time` and `runs` times, after one run that does not count.
fn measure(time: Duration, runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<Measured> {
    work()?;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut times = Vec::new();
    while times.len() < runs || start.elapsed() < time {
        let begin = Instant::now();
        work()?;
        times.push(begin.elapsed().as_secs_f64());
    }
    let (cpu, wall) = (cpu_seconds() - cpu, start.elapsed().as_secs_f64());
    times.sort_by(f64::total_cmp);
    Ok(Measured { runs: times.len(), cpu, wall, median: times[times.len() / 2] })
}

/// CPU time of this process and all its threads.
fn cpu_seconds() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

fn round(x: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (x * unit).round() / unit
}

/// Version 1.0 of NumPy's format: magic, a Python literal padded to 64 bytes, the numbers.
fn write_npy(path: &Path, rows: &[f32], width: usize) -> Result<()> {
    let shape = format!("({}, {width})", rows.len() / width);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(rows.iter().flat_map(|x| x.to_le_bytes()));
    std::fs::write(path, bytes).map_err(|e| Error::io(format!("writing {}", path.display()), e))
}
