//! What a metric asks of the kernels.

use base::Metric;
use kernels::distance::Measure;

/// The measure that a metric's rows are compared with, rows being of unit length under cosine.
pub(crate) fn measure(metric: Metric) -> Measure {
    match metric {
        Metric::Cosine | Metric::InnerProduct => Measure::Dot,
        Metric::L2 => Measure::L2,
        Metric::Manhattan => Measure::L1,
    }
}
