//! The recipe for those who have not chosen one.

use super::code::kind::Kind;
use super::code::lvq::EVEN_LEAST;
use super::graph::packed::links_bytes;
use super::recipe::{Code, Recipe, Structure};
use base::Metric;

/// Rows from which a graph answers much faster than a scan: a scan of 20,000 rows of 384 half-precision
/// numbers takes about a millisecond.
const GRAPH_ROWS: usize = 20_000;

/// What [`Recipe::auto`] picked, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The recipe.
    pub recipe: Recipe,
    /// Bytes that its rows will take, links and sketches included.
    pub bytes: usize,
    /// One sentence for the user.
    pub reason: String,
}

impl Recipe {
    /// Picks a recipe for `rows` rows: exact search while that is quick, then a graph over 8-bit codes. With
    /// `bytes_max`, what does not fit gives way: first the graph, then all but one bit a number.
    pub fn auto(rows: usize, dimension: usize, metric: Metric, bytes_max: Option<usize>) -> Choice {
        let fits = |bytes: usize| bytes_max.is_none_or(|max| bytes <= max);
        let graph = Structure::Vamana { links: if metric == Metric::Manhattan { 32 } else { 44 } };
        let plain = |structure, code, refine| Recipe { transform: None, structure, code, refine };
        let candidates: &[(Recipe, &str)] = if metric == Metric::Manhattan {
            &[
                (plain(graph, Code::Fp16, None), "a graph, because a scan would be slow"),
                (plain(Structure::Scan, Code::Fp16, None), "a scan, because a graph would not fit"),
            ]
        } else {
            &[
                (plain(graph, Code::Lvq8, None), "a graph, because a scan would be slow"),
                (plain(Structure::Scan, Code::Lvq8, None), "a scan over 8-bit codes, because a graph would not fit"),
                (plain(Structure::Scan, Code::Bin, None), "one bit a number, because nothing better would fit"),
            ]
        };
        let size = |recipe: &Recipe| rows.saturating_mul(row_bytes(recipe, rows, dimension));
        let exact = Recipe::scan(Code::Fp16);
        let (recipe, why) = if rows < GRAPH_ROWS && fits(size(&exact)) {
            (exact, "exact search, because it is quick at this size")
        } else {
            let found = candidates.iter().find(|(recipe, _)| fits(size(recipe)));
            *found.unwrap_or(&candidates[candidates.len() - 1])
        };
        let bytes = size(&recipe);
        Choice { recipe, bytes, reason: format!("{rows} rows: `{recipe}`, {why}") }
    }
}

/// Bytes a row of `rows` takes under the recipes above.
fn row_bytes(recipe: &Recipe, rows: usize, dimension: usize) -> usize {
    let code = |code| match code {
        Code::Fp16 | Code::Bf16 => 2 * dimension,
        Code::Lvq8 if recipe.structure != Structure::Scan && dimension >= EVEN_LEAST => Kind::Split.bytes(dimension),
        Code::Lvq8 => Kind::Lvq.bytes(dimension),
        Code::Bin => 0,
        _ => 4 * dimension,
    };
    let sketch = (dimension.div_ceil(64) * 8 + 8).next_multiple_of(32);
    let plain = recipe.structure == Structure::Scan && recipe.code == Code::Fp16;
    let links = match recipe.structure {
        Structure::Vamana { links } => links_bytes(links, rows),
        _ => 0,
    };
    code(recipe.code) + recipe.refine.map_or(0, code) + links + if plain { 0 } else { sketch }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_the_rows_and_shrinks_with_the_memory() {
        let pick = |rows, max| Recipe::auto(rows, 384, Metric::Cosine, max).recipe.to_string();
        assert_eq!(pick(0, None), "SQfp16");
        assert_eq!(pick(19_999, None), "SQfp16");
        assert_eq!(pick(100_000, None), "Vamana44,LVQ8");
        assert_eq!(pick(100_000, Some(70_000_000)), "Vamana44,LVQ8");
        assert_eq!(pick(100_000, Some(50_000_000)), "Vamana44,LVQ8");
        assert_eq!(pick(100_000, Some(47_000_000)), "LVQ8");
        assert_eq!(pick(100_000, Some(10_000_000)), "BIN");
        assert_eq!(pick(10_000, Some(1_000)), "BIN");
        assert_eq!(Recipe::auto(50_000, 8, Metric::Manhattan, None).recipe.to_string(), "Vamana32,SQfp16");
        let choice = Recipe::auto(100_000, 384, Metric::Cosine, None);
        assert!(choice.reason.contains("100000 rows") && choice.bytes == 100_000 * 476, "{choice:?}");
    }
}
