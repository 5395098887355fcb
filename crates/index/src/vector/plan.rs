//! From a recipe to the parts that carry it out: which level keeps what, and what is left to refine with.
//! Every rule about which words go together is here.

use super::code::kind::Kind;
use super::code::levels::{First, Levels};
use super::recipe::{Code, Recipe, Structure, Transform};
use super::residual::Rest;
use base::Metric;
use kernels::distance::Element;

/// The parts of a recipe that this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What scans and lists keep; graphs have the records only.
    pub levels: Levels,
    /// How what the records leave is kept for the hits, if it is.
    pub rest: Option<Rest>,
    /// Finer rows, as they were before the transform, that hits are scored with again.
    pub refine: Option<Kind>,
    /// The number that rows are made of when they are scanned exactly.
    pub exact: Option<Element>,
}

/// The width of number that a code keeps, if it keeps numbers.
pub(crate) fn element(code: Code) -> Option<Element> {
    match code {
        Code::Flat => Some(Element::F32),
        Code::Fp16 => Some(Element::F16),
        Code::Bf16 => Some(Element::Bf16),
        _ => None,
    }
}

/// How records keep rows of this code.
fn kind(code: Code) -> Option<Kind> {
    match code {
        Code::Lvq8 | Code::Lvq8x4 => Some(Kind::Lvq),
        Code::Lvq4x8 => Some(Kind::Lvq4),
        Code::Pq { parts, bits: 8 } => Some(Kind::Product(parts)),
        _ => element(code).map(Kind::Float),
    }
}

/// Whether inner products are the same after `transform`.
pub(crate) fn isometric(transform: Option<Transform>) -> bool {
    matches!(transform, None | Some(Transform::Rotation(None) | Transform::Opq { dimension: None, .. }))
}

impl Plan {
    /// What a graph over records of this kind is built over: rows that can be compared with each other.
    pub fn comparable(kind: Kind) -> Kind {
        match kind {
            Kind::Lvq4 | Kind::Product(_) => Kind::Lvq,
            kind => kind,
        }
    }

    /// The plan of `recipe` under `metric`, if there is one.
    pub fn of(recipe: &Recipe, metric: Metric) -> Option<Plan> {
        let graph = match recipe.structure {
            Structure::Scan | Structure::Ivf { .. } => false,
            Structure::Vamana { .. } | Structure::Hnsw { .. } => true,
        };
        // What the grammar can say; a segment is opened by its recipe's text.
        if !matches!(recipe.refine, None | Some(Code::Flat | Code::Fp16 | Code::Bf16 | Code::Lvq8)) {
            return None;
        }
        let refine = recipe.refine.map(kind);
        if refine == Some(None) {
            return None;
        }
        let refine = refine.flatten();
        if metric == Metric::Manhattan {
            // Codes, rotations and projections are made for inner products.
            let straight = matches!(recipe.transform, None | Some(Transform::Truncate(_)));
            let element = element(recipe.code).filter(|_| straight && refine.is_none())?;
            let exact = (recipe.structure == Structure::Scan).then_some(element);
            let levels = Levels { first: None, kind: Kind::Float(element) };
            return Some(Plan { levels, rest: None, refine: None, exact });
        }
        let first = match recipe.code {
            Code::Pq { parts, bits: 4 } => Some(First::Product(parts)),
            Code::Pq { .. } => None,
            _ => Some(First::Signs),
        };
        // A code that is only looked at first stands before the records that refine it, unless those are of
        // rows that a transform has changed.
        let looked_at = matches!(recipe.code, Code::Bin | Code::Pq { bits: 4, .. });
        let (kind, refine) = match (looked_at, refine) {
            (true, Some(kind)) if isometric(recipe.transform) => (kind, None),
            (true, refine) => (Kind::Nothing, refine),
            (false, refine) => (kind(recipe.code)?, refine),
        };
        let exact = element(recipe.code).filter(|_| recipe.structure == Structure::Scan);
        // Rows that are exact already need no finer ones; links need records that can be compared.
        let useless = refine.is_some() && exact.is_some() && recipe.transform.is_none();
        let bare = graph && (kind == Kind::Nothing || matches!(recipe.code, Code::Pq { bits: 4, .. }));
        if useless || bare {
            return None;
        }
        let rest = match recipe.code {
            Code::Lvq4x8 => Some(Rest::Byte),
            Code::Lvq8x4 => Some(Rest::Nibble),
            _ => None,
        };
        Some(Plan { levels: Levels { first, kind }, rest, refine, exact })
    }
}
