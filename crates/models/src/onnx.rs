//! Sentence embedders in ONNX files, run by [rten](https://crates.io/crates/rten): for architectures that the
//! engine does not know, and files that exist as graphs only.
//!
//! Beside the graph, `model.onnx` or `onnx/model.onnx` as the hub keeps it, the same files are read as for other
//! folders: `config.json`, `tokenizer.json`, and what sentence-transformers adds.

use crate::files::ModelFiles;
use crate::folder::Settings;
use crate::pooling::{Head, Pooling};
use crate::prompts::Prompts;
use crate::tokenizer::Tokenizer;
use base::{EmbedSpec, Embedder, Error, Kind, Metric, Result, Role, TokenCounter};
use rten::{Model, NodeId, Value, ValueOrView};
use rten_tensor::{Layout, Tensor};
use std::path::Path;
use std::sync::Arc;

/// Tokens of a batch, padding included.
const BATCH_TOKENS: usize = 2048;
/// Names of outputs with a row per token, as exporters call them; without one of these the first output counts.
const HIDDEN: [&str; 3] = ["last_hidden_state", "token_embeddings", "hidden_states"];

/// What an input of the graph is given.
#[derive(Clone, Copy)]
enum Input {
    /// Token numbers.
    Ids,
    /// 1 for a token, 0 for padding.
    Mask,
    /// 0: there are no pairs.
    Types,
    /// 0, 1, 2, ...
    Positions,
}

impl Input {
    fn named(name: &str) -> Option<Input> {
        match name {
            "input_ids" => Some(Input::Ids),
            "attention_mask" => Some(Input::Mask),
            "token_type_ids" => Some(Input::Types),
            "position_ids" => Some(Input::Positions),
            _ => None,
        }
    }
}

/// A graph with its tokenizer and what makes one vector of its rows.
struct GraphEmbedder {
    spec: EmbedSpec,
    tokenizer: Tokenizer,
    graph: Model,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    /// Values of a row of the output.
    width: usize,
    /// Whether the output has one row per text, not per token.
    pooled: bool,
    head: Head,
    prompts: Prompts,
}

/// Opens the embedder in `folder` that is kept as `model.onnx` or `onnx/model.onnx`.
///
/// # Errors
/// `NotFound` when a file is missing, `BadInput` when the graph cannot be read or run, `Unsupported` when it
/// wants something that a text does not have.
pub fn open_onnx(folder: &Path) -> Result<Arc<dyn Embedder>> {
    let mut files = ModelFiles::open_with(folder, read_graph)?;
    let fail = |what: String| Error::new(Kind::BadInput, format!("opening the model {}: {what}", folder.display()));
    let graph = Model::load(std::mem::take(&mut files.weights)).map_err(|e| fail(format!("reading its graph: {e}")))?;
    let name = |id: NodeId| graph.node_info(id).and_then(|node| node.name().map(str::to_owned)).unwrap_or_default();
    let inputs = graph.input_ids().iter().map(|&id| match Input::named(&name(id)) {
        Some(input) => Ok((id, input)),
        None => Err(files
            .unsupported(format!("its graph wants {:?}", name(id)))
            .hint("a graph of a text encoder takes input_ids, attention_mask, token_type_ids and position_ids")),
    });
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let outputs = graph.output_ids();
    let hidden = HIDDEN.iter().find_map(|wanted| outputs.iter().find(|&&id| name(id) == *wanted));
    let output = *hidden.or(outputs.first()).ok_or_else(|| fail("its graph has no output".to_owned()))?;
    let settings = Settings::read(&files)?;
    let mut spec = EmbedSpec {
        name: files.name.clone(),
        dimension: 0,
        metric: settings.metric,
        max_tokens: settings.max_tokens,
        fingerprint: files.fingerprint(&format!("onnx {settings:?}")),
    };
    if spec.max_tokens <= files.tokenizer.affixes() || files.tokenizer.affixes() == 0 {
        let what =
            format!("texts have at most {} tokens, {} of them special", spec.max_tokens, files.tokenizer.affixes());
        return Err(fail(format!("{what}; expected some of both")));
    }
    // The shape of what it gives for one text says whether its rows are pooled already.
    let mut ids = Vec::new();
    files.tokenizer.encode("a", spec.max_tokens, &mut ids)?;
    let probe = run(&graph, &inputs, output, &[&ids]).map_err(&fail)?;
    let (pooled, width) = match *probe.shape() {
        [1, tokens, width] if tokens == ids.len() && width > 0 => (false, width),
        [1, width] if width > 0 => (true, width),
        ref shape => return Err(fail(format!("expected a row per token or per text from its graph, found {shape:?}"))),
    };
    let mut head = match pooled {
        true => Head::from(Pooling::First),
        false => settings.head(&files, width, kernels::level())?,
    };
    head.normalise = settings.normalise || spec.metric == Metric::Cosine;
    spec.dimension = head.dimension(width);
    let (tokenizer, prompts) = (files.tokenizer, settings.prompts);
    Ok(Arc::new(GraphEmbedder { spec, tokenizer, graph, inputs, output, width, pooled, head, prompts }))
}

fn read_graph(folder: &Path) -> Result<Vec<u8>> {
    let places = [folder.join("model.onnx"), folder.join("onnx").join("model.onnx")];
    let Some(path) = places.iter().find(|path| path.exists()) else {
        let what = format!("opening the model {}: there is no model.onnx", folder.display());
        return Err(
            Error::new(Kind::NotFound, what).hint("give a folder with config.json, tokenizer.json and model.onnx")
        );
    };
    std::fs::read(path).map_err(|e| Error::io(format!("reading {}", path.display()), e))
}

/// What the graph gives for `texts`, padded to the longest: one row of texts, rows of tokens, values.
fn run(graph: &Model, inputs: &[(NodeId, Input)], output: NodeId, texts: &[&[u32]]) -> Result<Tensor<f32>, String> {
    let longest = texts.iter().map(|t| t.len()).max().unwrap_or(0);
    let filled = |value: &dyn Fn(&[u32], usize) -> i32| -> Value {
        let cells = texts.iter().flat_map(|text| (0..longest).map(move |i| value(text, i)));
        Tensor::from_data(&[texts.len(), longest], cells.collect::<Vec<i32>>()).into()
    };
    let given = inputs.iter().map(|(id, input)| {
        let value = match input {
            Input::Ids => filled(&|text, i| text.get(i).map_or(0, |&id| id as i32)),
            Input::Mask => filled(&|text, i| i32::from(i < text.len())),
            Input::Types => filled(&|_, _| 0),
            Input::Positions => filled(&|_, i| i as i32),
        };
        (*id, ValueOrView::from(value))
    });
    let made = graph.run(given.collect(), &[output], None).map_err(|e| format!("running its graph: {e}"))?;
    let first = made.into_iter().next().ok_or("running its graph: it gave nothing")?;
    first.try_into().map_err(|e| format!("running its graph: expected 32-bit floats, found something else ({e})"))
}

impl Embedder for GraphEmbedder {
    fn spec(&self) -> &EmbedSpec {
        &self.spec
    }

    fn embed(&self, texts: &[&str], role: Role, out: &mut Vec<f32>) -> Result<()> {
        let (ids, skip) = self.prompts.tokenize(&self.tokenizer, texts, role, self.spec.max_tokens)?;
        let start = out.len();
        let dimension = self.spec.dimension;
        out.resize(start + texts.len() * dimension, 0.0);
        // Texts of like length together, so that little is padding.
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&i| ids[i].len());
        let (mut from, width) = (0, self.width);
        while from < order.len() {
            // The last text of a batch is its longest.
            let fits = |(n, i): &(usize, &usize)| *n == 0 || (n + 1) * ids[**i].len() <= BATCH_TOKENS;
            let batch = &order[from..][..order[from..].iter().enumerate().take_while(fits).count()];
            from += batch.len();
            let given: Vec<&[u32]> = batch.iter().map(|&i| ids[i].as_slice()).collect();
            let what = |why: String| Error::new(Kind::BadInput, format!("embedding with {}: {why}", self.spec.name));
            let made = run(&self.graph, &self.inputs, self.output, &given).map_err(&what)?;
            let longest = ids[batch[batch.len() - 1]].len();
            let expected = if self.pooled { vec![batch.len(), width] } else { vec![batch.len(), longest, width] };
            if made.shape() != expected {
                return Err(what(format!("expected {expected:?} from its graph, found {:?}", made.shape())));
            }
            let made = made.into_data();
            for (rows, &i) in made.chunks_exact(made.len() / batch.len()).zip(batch) {
                // A text that is nothing but prompt still gives its last token.
                let used = if self.pooled { 0..1 } else { skip.min(ids[i].len() - 1)..ids[i].len() };
                let row = &mut out[start + i * dimension..][..dimension];
                self.head.apply(&rows[used.start * width..used.end * width], width, row);
            }
        }
        Ok(())
    }

    fn tokens(&self) -> &dyn TokenCounter {
        &self.tokenizer
    }
}
