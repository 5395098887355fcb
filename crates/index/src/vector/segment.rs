//! An open segment: whatever its recipe, it is opened and searched here.

use super::body::{Ask, Body, Effort};
use super::container::{Bytes, Reader, corrupt};
use super::fitting;
use super::flat::{Flat, IMAGES, ROWS};
use super::graph::GraphBody;
use super::input;
use super::ivf::Ivf;
use super::plan::{Plan, isometric};
use super::recipe::{Code, Recipe, Structure};
use super::refine::Refined;
use super::residual::Residual;
use super::scan::Scan;
use super::top::{VectorHit, pack};
use super::transform::Transformed;
use base::{Error, Kind, Metric, Result, RowSet};

/// An immutable index over rows `0..len()`.
pub struct VectorSegment {
    pub(crate) reader: Reader,
    recipe: Recipe,
    body: Box<dyn Body>,
}

impl VectorSegment {
    /// Opens the bytes of a segment; reads its header and recipe only.
    ///
    /// Fails with [`Kind::Corrupt`] when they are damaged and [`Kind::Unsupported`] when a later version
    /// wrote them. Damage in the rest is found, as [`Kind::Corrupt`], by the first search or by
    /// [`VectorSegment::verify`].
    pub fn open(bytes: Bytes) -> Result<VectorSegment> {
        let reader = Reader::open(bytes)?;
        let recipe = reader.section("recipe")?;
        let recipe = std::str::from_utf8(recipe.bytes()?).map_err(|_| corrupt("its recipe is not text".into()))?;
        let recipe: Recipe = recipe.parse().map_err(|e| {
            Error::new(Kind::Unsupported, format!("opening a vector segment: recipe `{recipe}` is unknown")).because(e)
        })?;
        let body = body(recipe, &reader)?;
        Ok(VectorSegment { reader, recipe, body })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.reader.shape.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers in a row.
    pub fn dimension(&self) -> usize {
        self.reader.shape.dimension
    }

    /// How rows are compared.
    pub fn metric(&self) -> Metric {
        self.reader.shape.metric
    }

    /// What the index is made of.
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// The recipe that was asked for.
    pub(crate) fn asked(&self) -> Result<Recipe> {
        let Some(section) = self.reader.optional("asked") else { return Ok(self.recipe) };
        String::from_utf8_lossy(section.bytes()?).parse().map_err(|_| corrupt("section `asked` is no recipe".into()))
    }

    /// What the rows were too few for, if the recipe is not the one that was asked for.
    pub fn note(&self) -> Result<Option<String>> {
        Ok(fitting::recipe(self.asked()?, self.len()).1)
    }

    /// Size of the file.
    pub fn file_bytes(&self) -> usize {
        self.reader.file_bytes
    }

    /// Reads everything and compares it with its checksums.
    pub fn verify(&self) -> Result<()> {
        self.reader.verify()
    }

    /// Replaces `out` by row `row` as it is kept: of unit length under cosine, rounded as the recipe rounds.
    ///
    /// Fails with [`Kind::NotFound`] when there is no such row.
    pub fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.check_row(row)?;
        out.clear();
        self.body.row(row, out)
    }

    fn check_row(&self, row: u32) -> Result<()> {
        if row as usize >= self.len() {
            return Err(Error::new(
                Kind::NotFound,
                format!("reading row {row} of a vector segment: it has {} rows", self.len()),
            ));
        }
        Ok(())
    }

    /// How far each number of row `row` may be from the number that was added: 0 for recipes that keep floats
    /// (their width aside), half a step of the row's code for 8-bit codes, infinite for codes that cannot say.
    ///
    /// Fails with [`Kind::NotFound`] when there is no such row.
    pub fn row_slack(&self, row: u32) -> Result<f32> {
        self.check_row(row)?;
        self.body.slack(row)
    }

    /// Replaces `out` by the best `k` rows for `query`, best first, equal scores by row.
    ///
    /// Only rows of `visible` are returned when it is given; there are fewer than `k` hits when there are
    /// fewer rows. Fails with [`Kind::BadInput`] on a query of another dimension or one that is not finite.
    pub fn search(&self, query: &[f32], k: usize, visible: Option<&RowSet>, out: &mut Vec<VectorHit>) -> Result<()> {
        self.search_with(query, k, Effort::default(), visible, out)
    }

    /// [`VectorSegment::search`] with a chosen effort.
    pub fn search_with(
        &self,
        query: &[f32],
        k: usize,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        out.clear();
        let mut prepared = Vec::with_capacity(query.len());
        input::prepare_query(query, self.dimension(), self.metric(), &mut prepared)?;
        let k = k.min(self.len());
        if k == 0 {
            return Ok(());
        }
        self.body.search(&Ask { query: &prepared, k, sure: k, effort, visible }, out)
    }

    /// Replaces `out` by the rows with a score of at least `bar`, best first, equal scores by row.
    ///
    /// Scores are those of [`VectorHit`]: inner products or cosines, or distances negated, so `-t * t` asks
    /// for all rows within the Euclidean distance `t` and `-t` for those within the Manhattan distance `t`.
    /// Recipes that are exact find all, the others nearly all. Fails as [`VectorSegment::search`] does, and
    /// with [`Kind::BadInput`] when `bar` is not a number.
    pub fn search_range(
        &self,
        query: &[f32],
        bar: f32,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        out.clear();
        if bar.is_nan() {
            return Err(Error::new(Kind::BadInput, "searching a vector index: the least score is not a number"));
        }
        let mut prepared = Vec::with_capacity(query.len());
        input::prepare_query(query, self.dimension(), self.metric(), &mut prepared)?;
        if !self.is_empty() {
            let k = self.len();
            self.body.range(&Ask { query: &prepared, k, sure: k, effort, visible }, bar, out)?;
            out.sort_unstable_by_key(|hit| pack(hit.score, hit.row));
        }
        Ok(())
    }

    /// [`VectorSegment::search`] for many queries, row-major: one list of hits per query, in order.
    pub fn search_batch(
        &self,
        queries: &[f32],
        k: usize,
        effort: Effort,
        visible: Option<&RowSet>,
    ) -> Result<Vec<Vec<VectorHit>>> {
        if !queries.len().is_multiple_of(self.dimension()) {
            return Err(Error::new(
                Kind::BadInput,
                format!(
                    "searching a vector index: {} numbers are not whole queries of {}",
                    queries.len(),
                    self.dimension()
                ),
            ));
        }
        let prepared = queries
            .chunks_exact(self.dimension())
            .map(|query| {
                let mut prepared = Vec::new();
                input::prepare_query(query, self.dimension(), self.metric(), &mut prepared).map(|()| prepared)
            })
            .collect::<Result<Vec<_>>>()?;
        let k = k.min(self.len());
        let asks: Vec<Ask<'_>> = prepared.iter().map(|query| Ask { query, k, sure: k, effort, visible }).collect();
        self.body.search_batch(&asks)
    }
}

fn body(recipe: Recipe, reader: &Reader) -> Result<Box<dyn Body>> {
    let Some(plan) = Plan::of(&recipe, reader.shape.metric) else {
        return Err(Error::new(
            Kind::Unsupported,
            format!("opening a vector segment: this build has no recipe `{recipe}`"),
        )
        .hint("use the Ragstone that wrote it, or index again"));
    };
    let rows = if recipe.transform.is_none() { ROWS } else { IMAGES };
    let structure = |reader: &Reader| -> Result<Box<dyn Body>> {
        let body: Box<dyn Body> = match (recipe.structure, plan.exact) {
            (Structure::Scan, Some(element)) => Box::new(Flat::open(reader, element, rows)?),
            (Structure::Scan, None) => Box::new(Scan::open(reader, plan.levels)?),
            (Structure::Ivf { .. }, _) => Box::new(Ivf::open(reader, plan.levels)?),
            (Structure::Vamana { .. }, _) => Box::new(GraphBody::open(reader, plan.levels.kind, false)?),
            (Structure::Hnsw { .. }, _) => Box::new(GraphBody::open(reader, plan.levels.kind, true)?),
        };
        Ok(match plan.rest {
            Some(rest) => Box::new(Residual::open(reader, body, rest)?),
            None => body,
        })
    };
    let inner = match recipe.transform {
        None => structure(reader)?,
        Some(transform) => Box::new(Transformed::open(transform, reader, structure)?),
    };
    match plan.refine {
        Some(kind) => {
            let rough =
                !matches!(recipe.code, Code::Lvq8 | Code::Lvq4x8 | Code::Lvq8x4) || !isometric(recipe.transform);
            Ok(Box::new(Refined::open(reader, inner, kind, rough)?))
        }
        None => Ok(inner),
    }
}
