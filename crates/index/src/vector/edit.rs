//! Changing an index in memory, and writing it again.

mod finer;

use super::body::{Ask, Effort};
use super::builder::{VectorBuilder, links};
use super::code::kind::Kind as RowKind;
use super::container::Writer;
use super::flat;
use super::graph::GraphBody;
use super::graph::edit::GraphEdit;
use super::input;
use super::measure::measure;
use super::plan::{Plan, element};
use super::recipe::{Recipe, Structure};
use super::segment::VectorSegment;
use super::top::{Top, VectorHit};
use base::{Error, Kind, Metric, Result, RowSet};
use finer::{Finer, Form};
use kernels::distance::pair;
use std::ops::Range;

/// A copy of a segment in memory to which rows are added and from which rows are removed.
///
/// Row numbers only grow: a removed row's number is not given again until [`VectorEditor::finish`], which
/// writes the rows that are left in the same order, numbered from 0.
///
/// Graphs change in place: a new row costs what it costs in a build, removed rows are cut out and their
/// neighbours linked anew. Rows of other recipes are kept aside as numbers, searched exactly, and indexed
/// when the segment is written; codes that round, round what they gave back.
///
/// ```
/// use base::Metric;
/// use index::vector::{Effort, VectorEditor, VectorSegment};
/// use std::sync::Arc;
///
/// let mut editor = VectorEditor::new("HNSW16,LVQ8".parse()?, 2, Metric::L2)?;
/// editor.add(&[0.0, 0.0, 3.0, 4.0, 6.0, 8.0])?;
/// editor.remove(&[1].into_iter().collect());
/// let segment = VectorSegment::open(Arc::new(editor.finish()?))?;
/// let mut hits = Vec::new();
/// segment.search(&[5.0, 5.0], 1, None, &mut hits)?;
/// assert_eq!((segment.len(), hits[0].row), (2, 1));
/// # Ok::<(), base::Error>(())
/// ```
pub struct VectorEditor {
    recipe: Recipe,
    dimension: usize,
    metric: Metric,
    body: Body,
    /// What the recipe keeps beside a graph, if it does.
    finer: Option<Finer>,
    rows: usize,
    dead: RowSet,
}

enum Body {
    Graph(Box<GraphEdit>),
    /// Prepared rows.
    Rows(Vec<f32>),
}

impl VectorEditor {
    /// An index of `recipe` without rows.
    pub fn new(recipe: Recipe, dimension: usize, metric: Metric) -> Result<VectorEditor> {
        let empty = VectorBuilder::new(recipe, dimension, metric)?.finish()?;
        VectorEditor::open(&VectorSegment::open(std::sync::Arc::new(empty))?)
    }

    /// A copy of `segment`. Reads all of it; fails with [`Kind::Corrupt`] when it is damaged.
    pub fn open(segment: &VectorSegment) -> Result<VectorEditor> {
        segment.verify()?;
        let recipe = segment.asked()?;
        let layered = matches!(recipe.structure, Structure::Hnsw { .. });
        let plan = Plan::of(&recipe, segment.metric()).filter(|_| recipe.transform.is_none());
        let numbers = plan.and_then(|plan| match (plan.refine, plan.rest) {
            (None, None) => Some((plan.levels.kind, None)),
            (None, Some(rest)) => Some((plan.levels.kind, Some(Form::Rest(rest)))),
            (Some(RowKind::Float(element)), None) => Some((plan.levels.kind, Some(Form::Numbers(element)))),
            (Some(_), _) => None,
        });
        // Rows that cannot be compared with each other cannot be linked anew.
        let numbers = numbers.filter(|(kind, _)| Plan::comparable(*kind) == *kind);
        let (body, finer) = match (links(recipe.structure, None, 1, 1), numbers) {
            (Some(links), Some((kind, finer))) => {
                let body = GraphBody::open(&segment.reader, kind, layered)?;
                let finer = finer.map(|form| Finer::open(segment, form)).transpose()?;
                (Body::Graph(Box::new(GraphEdit::open(&body, links)?)), finer)
            }
            _ => (Body::Rows(rows_of(segment)?), None),
        };
        Ok(VectorEditor {
            recipe,
            dimension: segment.dimension(),
            metric: segment.metric(),
            rows: segment.len(),
            dead: RowSet::new(),
            finer,
            body,
        })
    }

    /// Number of rows that were not removed.
    pub fn len(&self) -> usize {
        self.rows - self.dead.len()
    }

    /// Whether there is no row, or all were removed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends rows, row-major, and returns their numbers. Nothing is appended when one is refused.
    ///
    /// Fails as [`VectorBuilder::extend`] does.
    pub fn add(&mut self, rows: &[f32]) -> Result<Range<u32>> {
        let mut rows = rows.to_vec();
        input::prepare_rows(&mut rows, self.rows, self.dimension, self.metric)?;
        let elements = [self.finer.as_ref().and_then(Finer::element), element(self.recipe.code)];
        for element in elements.into_iter().flatten() {
            flat::check(&rows, self.dimension, element)?;
        }
        let first = self.rows;
        let end = first + rows.len() / self.dimension;
        if end > super::graph::beam::NODES_MAX {
            return Err(Error::new(Kind::BadInput, format!("adding rows to a vector index: {end} rows are too many"))
                .hint("split the rows over several segments"));
        }
        match &mut self.body {
            Body::Graph(graph) => {
                graph.add(&rows);
                if let Some(finer) = &mut self.finer {
                    finer.add(&rows, first, graph);
                }
            }
            Body::Rows(all) => all.extend_from_slice(&rows),
        }
        self.rows = end;
        Ok(first as u32..end as u32)
    }

    /// Removes rows. Numbers of rows that do not exist or were removed before are ignored.
    pub fn remove(&mut self, rows: &RowSet) {
        rows.iter().take_while(|&row| (row as usize) < self.rows).for_each(|row| _ = self.dead.insert(row));
        if let Body::Graph(graph) = &mut self.body {
            graph.remove(rows);
        }
    }

    /// Replaces `out` by the best `k` rows for `query` that are in `visible` and were not removed, as
    /// [`VectorSegment::search_with`] does.
    pub fn search(
        &mut self,
        query: &[f32],
        k: usize,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        out.clear();
        let mut prepared = Vec::with_capacity(query.len());
        input::prepare_query(query, self.dimension, self.metric, &mut prepared)?;
        let k = k.min(self.len());
        if k == 0 {
            return Ok(());
        }
        match &mut self.body {
            Body::Graph(graph) => {
                let candidates = if self.finer.is_some() { k.saturating_mul(2).saturating_add(8) } else { k };
                let candidates = candidates.min(self.rows - self.dead.len());
                graph.search(&Ask { query: &prepared, k: candidates, sure: k, effort, visible }, out);
                if let Some(finer) = &self.finer {
                    finer.rescore(graph.shape(), &prepared, k, out);
                }
            }
            Body::Rows(all) => {
                let shown = |row: &u32| !self.dead.contains(*row) && visible.is_none_or(|set| set.contains(*row));
                let mut top = Top::new(k);
                for row in (0..self.rows as u32).filter(shown) {
                    let own = &all[row as usize * self.dimension..][..self.dimension];
                    top.push(pair(measure(self.metric), &prepared, own), row);
                }
                top.finish(out);
            }
        }
        Ok(())
    }

    /// The bytes of a segment of the rows that were not removed, in the same order, numbered from 0.
    pub fn finish(self) -> Result<Vec<u8>> {
        let kept: Vec<u32> = (0..self.rows as u32).filter(|&row| !self.dead.contains(row)).collect();
        match self.body {
            Body::Rows(rows) => {
                let d = self.dimension;
                let kept = kept.iter().flat_map(|&row| &rows[row as usize * d..(row as usize + 1) * d]).copied();
                VectorBuilder::prepared(self.recipe, d, self.metric, kept.collect()).finish()
            }
            Body::Graph(graph) => {
                let mut writer = Writer::new(graph.shape());
                writer.section("recipe", self.recipe.to_string().into_bytes());
                graph.write(&mut writer);
                if let Some(finer) = self.finer {
                    finer.write(&kept, self.dimension, &mut writer);
                }
                Ok(writer.finish())
            }
        }
    }
}

/// All rows of a segment.
fn rows_of(segment: &VectorSegment) -> Result<Vec<f32>> {
    let (mut rows, mut row) = (Vec::with_capacity(segment.len() * segment.dimension()), Vec::new());
    for number in 0..segment.len() as u32 {
        segment.row(number, &mut row)?;
        rows.extend_from_slice(&row);
    }
    Ok(rows)
}
