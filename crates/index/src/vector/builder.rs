//! Making the bytes of a segment.

use super::code::encoded::{Plan as RowPlan, encode};
use super::code::kind::Kind as RowKind;
use super::code::product::Codebooks;
use super::container::{Shape, Writer};
use super::plan::Plan;
use super::recipe::{Code, Recipe, Structure};
use super::transform::{self, Map};
use super::{fitting, flat, graph, input, ivf, refine, residual, scan};
use base::{Error, Kind, Metric, Result};
use kernels::distance::Element;

/// How a graph of this structure is built, if it is one.
pub(crate) fn links(structure: Structure, window: Option<usize>, passes: usize, seed: u64) -> Option<graph::Plan> {
    match structure {
        Structure::Vamana { links } => {
            // More links want more candidates to choose from.
            let window = window.unwrap_or(if links > 32 { 150 } else { 100 });
            Some(graph::Plan { degree: links, own: links, window, alpha: graph::ALPHA, passes, seed, layered: false })
        }
        // Twice the links on the lowest level and a heuristic without slack, as in the paper.
        Structure::Hnsw { links } => {
            let window = window.unwrap_or(100);
            Some(graph::Plan { degree: 2 * links, own: links, window, alpha: 1.0, passes, seed, layered: true })
        }
        Structure::Scan | Structure::Ivf { .. } => None,
    }
}

/// Collects rows and writes a segment.
///
/// Work is spread over the threads of the current rayon pool; the bytes do not depend on their number.
#[derive(Clone, Debug)]
pub struct VectorBuilder {
    recipe: Recipe,
    metric: Metric,
    dimension: usize,
    rows: Vec<f32>,
    seed: u64,
    window: Option<usize>,
    passes: usize,
}

impl VectorBuilder {
    /// A builder of `recipe` for rows of `dimension` numbers.
    pub fn new(recipe: Recipe, dimension: usize, metric: Metric) -> Result<VectorBuilder> {
        input::check_dimension(dimension)?;
        Ok(VectorBuilder { recipe, metric, dimension, rows: Vec::new(), seed: 1, window: None, passes: 1 })
    }

    /// Decides everything that is drawn at random; 1 unless set.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Graphs: how many nodes the search for a node's links keeps in sight.
    #[must_use]
    pub fn window(mut self, window: usize) -> Self {
        self.window = Some(window);
        self
    }

    /// Graphs: how often every node is inserted. A second pass costs as much again and finds better links.
    #[must_use]
    pub fn passes(mut self, passes: usize) -> Self {
        self.passes = passes.clamp(1, 8);
        self
    }

    /// A builder with rows that are prepared already.
    pub(crate) fn prepared(recipe: Recipe, dimension: usize, metric: Metric, rows: Vec<f32>) -> VectorBuilder {
        VectorBuilder { recipe, metric, dimension, rows, seed: 1, window: None, passes: 1 }
    }

    /// Number of rows so far.
    pub fn len(&self) -> usize {
        self.rows.len() / self.dimension
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends rows, row-major. Nothing is appended when one is refused.
    ///
    /// Under cosine rows are scaled to unit length; a zero row stays and scores 0. Fails with
    /// [`Kind::BadInput`], naming the row, when a number is not finite or too large.
    pub fn extend(&mut self, rows: &[f32]) -> Result<()> {
        let start = self.rows.len();
        self.rows.extend_from_slice(rows);
        let first = start / self.dimension;
        let done = input::prepare_rows(&mut self.rows[start..], first, self.dimension, self.metric);
        if done.is_err() {
            self.rows.truncate(start);
        }
        done
    }

    /// The bytes of the segment.
    pub fn finish(self) -> Result<Vec<u8>> {
        if u32::try_from(self.len()).is_err() {
            return Err(Error::new(Kind::BadInput, "building a vector index: more than 4294967295 rows")
                .hint("split the rows over several segments"));
        }
        let shape = Shape { rows: self.len(), dimension: self.dimension, metric: self.metric };
        // Refused whatever the number of rows: with more of them it could not be built either.
        if Plan::of(&self.recipe, self.metric).is_none() {
            return Err(unsupported(self.recipe));
        }
        let recipe = fitting::recipe(self.recipe, shape.rows).0;
        let mut writer = Writer::new(shape);
        writer.section("recipe", recipe.to_string().into_bytes());
        if recipe != self.recipe {
            writer.section("asked", self.recipe.to_string().into_bytes());
        }
        let Some(plan) = Plan::of(&recipe, self.metric) else { return Err(unsupported(recipe)) };
        if let Some(kind) = plan.refine {
            check(&self.rows, self.dimension, kind)?;
            refine::write(&self.rows, shape, kind, &mut writer);
        }
        let (rows, shape, name) = match recipe.transform {
            None => (self.rows, shape, flat::ROWS),
            Some(transform) => {
                let map = Map::train(transform, &self.rows, shape, self.seed);
                map.write(&mut writer);
                let images = map.apply_all(&self.rows);
                (images, Shape { dimension: transform::output(transform, self.dimension), ..shape }, flat::IMAGES)
            }
        };
        check(&rows, shape.dimension, plan.levels.kind)?;
        match (recipe.structure, plan.exact) {
            (Structure::Scan, Some(element)) => writer.section(name, flat::encode(&rows, element)),
            (Structure::Scan, None) => scan::write(&rows, shape, plan.levels, self.seed, &mut writer),
            (Structure::Ivf { lists }, _) => ivf::write(&rows, shape, plan.levels, lists, self.seed, &mut writer),
            (Structure::Vamana { .. } | Structure::Hnsw { .. }, _) => {
                let Some(links) = links(recipe.structure, self.window, self.passes, self.seed) else {
                    return Err(unsupported(recipe));
                };
                let (kind, built) = (plan.levels.kind, Plan::comparable(plan.levels.kind));
                let with = |books: Option<Codebooks>| {
                    let sketches = books.is_none();
                    let tail = graph::packed::links_bytes(links.degree, shape.rows);
                    RowPlan { tail, sketches, books, even: true, ..RowPlan::default() }
                };
                let kept = (built != kind).then(|| {
                    let books = match kind {
                        RowKind::Product(parts) => Some(Codebooks::train(&rows, shape.dimension, parts, 8, self.seed)),
                        _ => None,
                    };
                    encode(&rows, shape, kind, with(books))
                });
                graph::write(encode(&rows, shape, built, with(None)), kept, links, &mut writer);
            }
        }
        if let Some(rest) = plan.rest {
            // The first level as it was written above.
            let even = matches!(recipe.structure, Structure::Vamana { .. } | Structure::Hnsw { .. });
            let rough = encode(&rows, shape, plan.levels.kind, RowPlan { sketches: even, even, ..RowPlan::default() });
            residual::write(rest, &rows, &rough.view(), &mut writer);
        }
        Ok(writer.finish())
    }
}

/// Refuses rows that 16-bit floats cannot hold, where they are kept as such.
fn check(rows: &[f32], dimension: usize, kind: RowKind) -> Result<()> {
    match kind {
        RowKind::Float(element) => flat::check(rows, dimension, element),
        _ => Ok(()),
    }
}

fn unsupported(recipe: Recipe) -> Error {
    Error::new(Kind::Unsupported, format!("building a vector index: the recipe `{recipe}` cannot be built"))
        .hint("Flat, SQfp16, LVQ8, PQ48, HNSW32,SQ8, Vamana32,LVQ8, IVF1024,PQ96x4fs,RSQ8 and OPQ48,IVF1024,PQ48 can")
}

/// Writes an exact index: `rows` is row-major, `dimension` numbers a row, `encoding` how they are kept.
///
/// As [`VectorBuilder`], in one call.
pub fn write_flat(rows: &[f32], dimension: usize, metric: Metric, encoding: Element) -> Result<Vec<u8>> {
    let code = match encoding {
        Element::F32 => Code::Flat,
        Element::F16 => Code::Fp16,
        Element::Bf16 => Code::Bf16,
    };
    let mut builder = VectorBuilder::new(Recipe::scan(code), dimension, metric)?;
    builder.extend(rows)?;
    builder.finish()
}
