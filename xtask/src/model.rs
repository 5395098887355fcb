//! `cargo xtask model`: makes the file of the built-in model, and compares it with the original.
//!
//! Recipe: fetch `sentence-transformers/all-MiniLM-L6-v2` (a folder with `config.json`, `vocab.txt`,
//! `model.safetensors`, `sentence_bert_config.json`), then
//! `cargo xtask model build --from DIR --out crates/models/assets/all-MiniLM-L6-v2.safetensors`.
//! It takes a minute: matrices are rounded with the passages of `crates/models/assets/calibration.txt` in mind.
//! Sums depend on the width of the machine's vectors in their last bits, so a few integers may differ by one.

use base::{Embedder, Error, Kind, Result, Role};
use clap::Subcommand;
use kernels::{Finish, Left, Panels, Rows, gemm};
use models::builtin::{FORMAT_VERSION, VOCABULARY, seal};
use models::config::Shape;
use models::encoder::{Product, Tokens, Workspace};
use models::quantise::{INT8_MAX, INT9_MAX, Quantised, quantise, quantise_for};
use models::safetensors::{TensorFile, write};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What can be done with the model.
#[derive(Subcommand)]
pub enum Task {
    /// Turns a published folder into the one file that is compiled in.
    Build {
        /// The unpacked folder.
        #[arg(long)]
        from: PathBuf,
        /// A text file with one passage a line: matrices are rounded so that these change least.
        #[arg(long, default_value = "crates/models/assets/calibration.txt")]
        calibrate: PathBuf,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Compares the built-in model with the original at every level of this machine.
    Check {
        /// The unpacked folder.
        #[arg(long)]
        from: PathBuf,
        /// A text file with one passage a line.
        #[arg(long)]
        passages: PathBuf,
        /// Only this level; all that the machine has if absent.
        #[arg(long)]
        level: Option<String>,
    },
}

/// Runs `task`.
pub fn run(task: Task) -> Result<()> {
    match task {
        Task::Build { from, calibrate, out } => build(&from, &calibrate, &out),
        Task::Check { from, passages, level } => check(&from, &passages, level.as_deref()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::io(format!("reading {}", path.display()), e))
}

fn text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|e| Error::new(Kind::BadInput, format!("reading {}: {e}", path.display())))
}

type Tensor = (String, &'static str, Vec<usize>, Vec<u8>);

fn build(from: &Path, calibrate: &Path, out: &Path) -> Result<()> {
    let config = text(&from.join("config.json"))?;
    let shape = Shape::parse("config.json", &config)?;
    let sentence: serde_json::Value = serde_json::from_str(&text(&from.join("sentence_bert_config.json"))?)
        .map_err(|e| Error::new(Kind::BadInput, format!("reading sentence_bert_config.json: {e}")))?;
    let vocabulary = text(&from.join("vocab.txt"))?.into_bytes();
    let bytes = read(&from.join("model.safetensors"))?;
    let file = TensorFile::parse("model.safetensors", &bytes)?;
    let mut tensors: Vec<Tensor> = vec![(VOCABULARY.into(), "U8", vec![vocabulary.len()], vocabulary)];
    let floats = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let max_tokens = sentence["max_seq_length"].as_u64().unwrap_or(256) as usize;
    let inputs = inputs(from, calibrate)?;
    let mut biases: HashMap<String, Vec<f32>> = HashMap::new();
    // Matrices before their biases, which take up what rounding does to the mean input.
    let mut names: Vec<&str> = file.names().collect();
    names.sort_by_key(|name| name.ends_with(".bias"));
    for name in names.into_iter().filter(|n| !n.starts_with("pooler.") && !n.ends_with("position_ids")) {
        let view = file.get(name, file.find(name).map(|v| v.shape.to_vec()).unwrap_or_default().as_slice())?;
        let values = file.floats(name, view.shape)?;
        match view.shape {
            // A position's row is added to every text: rounding it cost a tenth of all that rounding costs.
            [n, k] if name.contains("position") || name.contains("token_type") => {
                let n = if name.contains("position") { max_tokens.min(*n) } else { *n };
                tensors.push((name.to_owned(), "F32", vec![n, *k], floats(&values[..n * k])));
            }
            [n, k] => {
                let most = if is_fine(name) { INT9_MAX } else { INT8_MAX };
                let q = match product(name).and_then(|p| inputs.get(&p)) {
                    Some(inputs) => {
                        let q = quantise_for(&values, *k, most, &inputs.deviations());
                        biases.insert(name.replace(".weight", ".bias"), inputs.change(&values, &q));
                        q
                    }
                    None => quantise(&values, *k, most),
                };
                let high = |x: i16| if is_fine(name) { x >> 1 } else { x } as u8;
                tensors.push((name.to_owned(), "I8", vec![*n, *k], q.values.iter().map(|&x| high(x)).collect()));
                if is_fine(name) {
                    let low: Vec<u8> = q.values.chunks(8).map(low_bits).collect();
                    tensors.push((format!("{name}.low"), "U8", vec![low.len()], low));
                }
                tensors.push((format!("{name}.scale"), "F32", vec![*n], floats(&q.scales)));
            }
            shape if biases.contains_key(name) => {
                let new: Vec<f32> = values.iter().zip(&biases[name]).map(|(b, change)| b - change).collect();
                tensors.push((name.to_owned(), "F32", shape.to_vec(), floats(&new)));
            }
            shape => tensors.push((name.to_owned(), "F32", shape.to_vec(), floats(&values))),
        }
    }
    // Largest alignment first, so that every tensor is aligned for its type.
    tensors.sort_by_key(|(name, dtype, _, _)| (*dtype != "F32", name.clone()));
    let small = serde_json::json!({
        "model_type": "bert", "hidden_size": shape.hidden, "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads, "intermediate_size": shape.intermediate, "vocab_size": shape.vocabulary,
        "max_position_embeddings": max_tokens.min(shape.positions), "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon, "hidden_act": "gelu",
    });
    let metadata = [
        ("blake3", "0".repeat(64)),
        ("ragstone", FORMAT_VERSION.into()),
        ("name", "all-MiniLM-L6-v2".into()),
        ("license", "Apache-2.0".into()),
        ("origin", "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2".into()),
        ("origin_blake3", blake3_hex(&bytes)),
        ("config", small.to_string()),
        ("max_tokens", max_tokens.to_string()),
    ]
    .map(|(k, v): (&str, String)| (k.to_owned(), v));
    let sealed = seal(write(&metadata, &tensors))?;
    std::fs::write(out, &sealed).map_err(|e| Error::io(format!("writing {}", out.display()), e))?;
    println!("{}: {} bytes", out.display(), sealed.len());
    Ok(())
}

/// Whether a bit more is spent on a matrix. Of what 8 bits cost (3.3e-4 of cosine, on passages of ten sets), the
/// second product of the feed-forward part has half, values and the product after the heads a third; the first
/// product, with as many weights, has a sixth, and queries, keys and the embeddings have next to nothing.
fn is_fine(name: &str) -> bool {
    matches!(product(name), Some((_, Product::Output | Product::Down))) || name.contains("attention.self.value")
}

/// The low bits of up to eight integers, the first one's lowest.
fn low_bits(eight: &[i16]) -> u8 {
    eight.iter().enumerate().map(|(i, x)| ((x & 1) as u8) << i).sum()
}

/// Which product a tensor is the matrix of.
fn product(name: &str) -> Option<(usize, Product)> {
    let layer = name.strip_prefix("encoder.layer.")?.split('.').next()?.parse().ok()?;
    let part = if name.contains("attention.self.") {
        Product::Qkv
    } else if name.contains("attention.output.dense") {
        Product::Output
    } else if name.contains("intermediate.dense") {
        Product::Up
    } else {
        Product::Down
    };
    Some((layer, part))
}

/// What a product is given.
#[derive(Default)]
struct Inputs {
    count: f64,
    /// Σ x
    sums: Vec<f64>,
    /// Σ x xᵀ
    products: Vec<f64>,
}

impl Inputs {
    fn add(&mut self, rows: &[f32], width: usize) {
        let count = rows.len() / width;
        self.sums.resize(width, 0.0);
        self.products.resize(width * width, 0.0);
        for row in rows.chunks_exact(width) {
            self.sums.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
        }
        self.count += count as f64;
        let columns: Vec<f32> = (0..width).flat_map(|c| (0..count).map(move |r| rows[r * width + c])).collect();
        let panels = Panels::pack(Rows::F32(&columns), width, count, kernels::Kind::F32, kernels::Level::best());
        let mut products = vec![0.0f32; width * width];
        gemm(Left::f32(&columns, count), width, &panels, Finish::default(), &mut products, width);
        self.products.iter_mut().zip(&products).for_each(|(s, &p)| *s += f64::from(p));
    }

    /// Σ (x - mean) (x - mean)ᵀ
    fn deviations(&self) -> Vec<f64> {
        let width = self.sums.len();
        let product = |i: usize| self.sums[i / width] * self.sums[i % width] / self.count;
        self.products.iter().enumerate().map(|(i, p)| p - product(i)).collect()
    }

    /// What the mean input gives more with the integers than with the weights, per output.
    fn change(&self, weights: &[f32], rounded: &Quantised) -> Vec<f32> {
        let width = self.sums.len();
        let rows = weights.chunks_exact(width).zip(rounded.values.chunks_exact(width)).zip(&rounded.scales);
        let change = rows.map(|((row, integers), &scale)| {
            let each = row.iter().zip(integers).zip(&self.sums);
            let sum: f64 =
                each.map(|((&w, &q), s)| (f64::from(q) * f64::from(scale) - f64::from(w)) * s / self.count).sum();
            sum as f32
        });
        change.collect()
    }
}

/// What every product is given for the passages in `file`.
fn inputs(from: &Path, file: &Path) -> Result<HashMap<(usize, Product), Inputs>> {
    let model = models::folder::open_sentence_embedder(from, kernels::Level::best(), Some(kernels::Kind::F32))?;
    let mut inputs: HashMap<(usize, Product), Inputs> = HashMap::new();
    let (mut tokens, mut work) = (Tokens::default(), Workspace::default());
    let shape = &model.encoder().shape;
    for line in text(file)?.lines() {
        tokens.clear();
        model.tokenizer().encode(line, model.spec().max_tokens, &mut tokens.ids)?;
        tokens.ends.push(tokens.ids.len());
        model.encoder().forward_watched(&tokens, &mut work, &mut |layer, product, rows| {
            // The feed-forward part sees a text in blocks, so the width is known from the product alone.
            let width = if product == Product::Down { shape.intermediate } else { shape.hidden };
            inputs.entry((layer, product)).or_default().add(rows, width);
        });
    }
    Ok(inputs)
}

fn blake3_hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn check(from: &Path, passages: &Path, only: Option<&str>) -> Result<()> {
    let file = std::fs::File::open(passages).map_err(|e| Error::io(format!("opening {}", passages.display()), e))?;
    let lines = BufReader::new(file)
        .lines()
        .collect::<std::io::Result<Vec<String>>>()
        .map_err(|e| Error::io(format!("reading {}", passages.display()), e))?;
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let original = models::open_folder_as(from, kernels::Level::best(), Some(kernels::Kind::F32))?;
    let (mut want, width) = (Vec::new(), original.spec().dimension);
    original.embed(&texts, Role::Passage, &mut want)?;
    println!("{} passages against the original in f32", texts.len());
    let wanted = |l: &kernels::Level| l.available() && only.is_none_or(|name| l.name() == name);
    for level in kernels::LEVELS.into_iter().filter(wanted) {
        let model = models::builtin_sentence_embedder(level, None)?;
        let mut rows = Vec::new();
        model.embed(&texts, Role::Passage, &mut rows)?;
        let bad = rows.iter().filter(|x| !x.is_finite()).count();
        let mut cosines: Vec<f64> = rows
            .chunks_exact(width)
            .zip(want.chunks_exact(width))
            .map(|(a, b)| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum())
            .collect();
        cosines.sort_by(f64::total_cmp);
        let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
        println!(
            "{level:>7}: cosine min {:.6} 1st percentile {:.6} mean {mean:.6}, {bad} values not finite",
            cosines.first().copied().unwrap_or(f64::NAN),
            cosines.get(cosines.len() / 100).copied().unwrap_or(f64::NAN),
        );
    }
    Ok(())
}
