//! An open segment: whatever its recipe, it is opened and searched here.

use super::container::{Bytes, Reader, Shape, Writer, corrupt};
use super::flat::{self, Flat};
use super::input;
use super::top::VectorHit;
use base::{Error, Kind, Metric, Result, RowSet};
use kernels::distance::Element;

/// An immutable index over rows `0..len()`.
pub struct VectorSegment {
    reader: Reader,
    recipe: String,
    body: Flat,
}

/// Writes an exact index: `rows` is row-major, `dimension` numbers a row, `element` how they are kept.
///
/// Under cosine rows are scaled to unit length; a zero row stays and scores 0. Fails with
/// [`Kind::BadInput`], naming the row, when a number is not finite or does not fit.
pub fn write_flat(rows: &[f32], dimension: usize, metric: Metric, element: Element) -> Result<Vec<u8>> {
    input::check_dimension(dimension)?;
    let mut rows = rows.to_vec();
    input::prepare_rows(&mut rows, 0, dimension, metric)?;
    if u32::try_from(rows.len() / dimension).is_err() {
        return Err(Error::new(Kind::BadInput, "building a vector index: more than 4294967295 rows")
            .hint("split the rows over several segments"));
    }
    let bytes = flat::encode(&rows, dimension, element)?;
    let mut writer = Writer::new(Shape { rows: rows.len() / dimension, dimension, metric });
    writer.section("recipe", flat_name(element).as_bytes().to_vec());
    writer.section("rows", bytes);
    Ok(writer.finish())
}

impl VectorSegment {
    /// Opens the bytes of a segment; reads its header and recipe only.
    ///
    /// Fails with [`Kind::Corrupt`] when they are damaged and [`Kind::Unsupported`] when a later version
    /// wrote them. Damage in the rest is found, as [`Kind::Corrupt`], by the first search or by
    /// [`VectorSegment::verify`].
    pub fn open(bytes: Bytes) -> Result<VectorSegment> {
        let reader = Reader::open(bytes)?;
        let shape = reader.shape;
        let recipe = reader.section("recipe")?;
        let recipe = std::str::from_utf8(recipe.bytes()?).map_err(|_| corrupt("its recipe is not text".into()))?;
        let element = flat_element(recipe).ok_or_else(|| {
            Error::new(Kind::Unsupported, format!("opening a vector segment: recipe `{recipe}` is unknown"))
        })?;
        let len = shape.rows.checked_mul(shape.dimension).and_then(|n| n.checked_mul(element.bytes()));
        let body = Flat { shape, element, rows: reader.sized("rows", len)? };
        let recipe = recipe.to_owned();
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

    /// What the index is made of, in the grammar of recipes.
    pub fn recipe(&self) -> &str {
        &self.recipe
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
        if row as usize >= self.len() {
            return Err(Error::new(
                Kind::NotFound,
                format!("reading row {row} of a vector segment: it has {} rows", self.len()),
            ));
        }
        out.clear();
        self.body.row(row, out)
    }

    /// Replaces `out` by the best `k` rows for `query`, best first, equal scores by row.
    ///
    /// Only rows of `visible` are returned when it is given; there are fewer than `k` hits when there are
    /// fewer rows. Fails with [`Kind::BadInput`] on a query of another dimension or one that is not finite.
    pub fn search(&self, query: &[f32], k: usize, visible: Option<&RowSet>, out: &mut Vec<VectorHit>) -> Result<()> {
        out.clear();
        let mut prepared = Vec::with_capacity(query.len());
        input::prepare_query(query, self.dimension(), self.metric(), &mut prepared)?;
        self.body.search(&prepared, k.min(self.len()), visible, out)
    }

    /// [`VectorSegment::search`] for many queries, row-major: one list of hits per query, in order.
    pub fn search_batch(&self, queries: &[f32], k: usize, visible: Option<&RowSet>) -> Result<Vec<Vec<VectorHit>>> {
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
        self.body.search_batch(&prepared, k.min(self.len()), visible)
    }
}

fn flat_name(element: Element) -> &'static str {
    match element {
        Element::F32 => "Flat",
        Element::F16 => "SQfp16",
        Element::Bf16 => "SQbf16",
    }
}

fn flat_element(recipe: &str) -> Option<Element> {
    [Element::F32, Element::F16, Element::Bf16].into_iter().find(|&e| flat_name(e) == recipe)
}
