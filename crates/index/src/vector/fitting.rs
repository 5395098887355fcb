//! Fewer rows than a recipe can learn from: what is left of it.

use super::recipe::{Code, Recipe, Structure, Transform};

/// The recipe that `rows` rows get instead of `asked`, and a sentence about it when it is another.
///
/// A partition needs a row for each list, and a product quantiser one for each centroid. Without them the
/// lists are left out, and the rows are kept as they are: that is exact, and no larger than the centroids.
pub(crate) fn recipe(asked: Recipe, rows: usize) -> (Recipe, Option<String>) {
    let mut fit = asked;
    let mut reasons = Vec::new();
    if let Structure::Ivf { lists } = asked.structure
        && rows < lists
    {
        fit.structure = Structure::Scan;
        reasons.push(format!("{lists} lists"));
    }
    let mut centroids = None;
    if let Code::Pq { bits, .. } = asked.code {
        centroids = Some(1usize << bits);
    }
    if let Some(Transform::Opq { .. }) = asked.transform {
        centroids = centroids.max(Some(256));
    }
    if let Some(centroids) = centroids.filter(|&c| rows < c) {
        if matches!(asked.code, Code::Pq { .. }) {
            fit.code = Code::Flat;
            fit.refine = None;
        }
        if let Some(Transform::Opq { dimension, .. }) = asked.transform {
            // Without its quantiser the rotation has nothing to suit.
            fit.transform = dimension.map(|dimension| Transform::Pca { dimension, whiten: false });
        }
        reasons.push(format!("{centroids} centroids"));
    }
    if fit == asked {
        return (asked, None);
    }
    if fit.structure == Structure::Scan && fit.code == Code::Flat && fit.transform.is_none() {
        fit.refine = None;
    }
    let note =
        format!("{rows} rows are too few for the {} of `{asked}`; they are kept as `{fit}`", reasons.join(" and "));
    (fit, Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_learnt_is_left_out() {
        for (asked, rows, want) in [
            ("IVF1024,PQ48", 3, "Flat"),
            ("IVF1024,PQ48", 500, "PQ48"),
            ("IVF16,PQ48", 100, "IVF16,Flat"),
            ("IVF1024,Flat,RFlat", 3, "Flat"),
            ("IVF1024,PQ96x4fs,RFlat", 10, "Flat"),
            ("IVF1024,PQ96x4fs,RFlat", 20, "PQ96x4fs,RFlat"),
            ("OPQ48,IVF8,PQ48", 100, "IVF8,Flat"),
            ("OPQ48_8,PQ48", 100, "PCA8,Flat"),
            ("OPQ48,Flat", 100, "Flat"),
            ("PCA8,IVF1024,LVQ8", 0, "PCA8,LVQ8"),
            ("Vamana32,LVQ8", 0, "Vamana32,LVQ8"),
            ("IVF1024,PQ48", 1024, "IVF1024,PQ48"),
        ] {
            let (fit, note) = recipe(asked.parse().unwrap(), rows);
            assert_eq!(fit.to_string(), want, "{asked} with {rows} rows");
            assert_eq!(note.is_some(), asked != want);
            assert!(note.is_none_or(|n| n.contains(asked) && n.contains(want) && n.contains(&rows.to_string())));
        }
    }
}
