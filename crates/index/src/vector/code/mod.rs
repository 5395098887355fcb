//! Compressed rows: what a record may be (`kind`, with `lvq` and `product`), encoding (`encoded`), rows in a
//! file (`stored`) and as they are read (`rows`), compared with a query (`query`) and with each other
//! (`between`); cheaper first looks (`sketch`; `blocks`, whose
//! codes `drawing` makes), and records behind such a look (`levels`).

mod between;
pub(crate) mod blocks;
pub(crate) mod drawing;
pub(crate) mod encoded;
pub(crate) mod kind;
pub(crate) mod levels;
pub(crate) mod lvq;
pub(crate) mod product;
pub(crate) mod query;
pub(crate) mod rows;
pub(crate) mod sketch;
pub(crate) mod stored;

/// The mean of the rows, summed in f64 so that the order of a million rows does not matter much.
pub(crate) fn mean(rows: &[f32], dimension: usize) -> Vec<f32> {
    let mut sums = vec![0f64; dimension];
    for row in rows.chunks_exact(dimension) {
        sums.iter_mut().zip(row).for_each(|(s, &v)| *s += f64::from(v));
    }
    let count = (rows.len() / dimension).max(1) as f64;
    sums.into_iter().map(|s| (s / count) as f32).collect()
}

/// `row` minus `mean` into `out`.
pub(crate) fn center(row: &[f32], mean: &[f32], out: &mut Vec<f32>) {
    out.clear();
    out.extend(row.iter().zip(mean).map(|(v, m)| v - m));
}
