//! Distances between compressed rows, from which graphs choose their links.

use super::kind::Kind;
use super::lvq;
use super::query::Query;
use super::rows::Rows;
use base::Metric;
use kernels::codes::byte_pairs;

impl Rows<'_> {
    /// Distances from a row to others; needs `squares` unless rows are floats.
    pub fn between(&self, row: u32, others: &[u32], out: &mut [f32]) {
        match self.kind {
            Kind::Float(_) => {
                let mut query = Query::default();
                self.set_row(row, &mut query);
                self.score(&query, others, out);
                for (&other, out) in others.iter().zip(out) {
                    *out = match self.shape.metric {
                        Metric::Manhattan => -*out,
                        Metric::L2 => query.square - *out,
                        // In the space of `heights` all rows have the length of the first.
                        _ => {
                            let own = query.square + query.height * query.height;
                            let height = self.heights.get(other as usize).copied().unwrap_or(0.0);
                            own + self.norm(other) + height * height - 2.0 * *out
                        }
                    }
                    .max(0.0);
                }
            }
            Kind::Lvq => self.between_codes(row, others, out),
            // Graphs are built over rows that can be compared.
            Kind::Split | Kind::Lvq4 | Kind::Product(_) | Kind::Nothing => out.fill(0.0),
        }
    }

    fn between_codes(&self, row: u32, others: &[u32], out: &mut [f32]) {
        let a = self.head(row);
        let at = row as usize * self.stride + lvq::HEADER;
        let code = &self.records[at..at + self.shape.dimension];
        let mut dots = [0i32; 64];
        let count = self.shape.dimension as f32;
        for (others, out) in others.chunks(64).zip(out.chunks_mut(64)) {
            let dots = &mut dots[..others.len()];
            byte_pairs(code, a.sum, self.codes(), others, dots);
            for ((&other, &dot), out) in others.iter().zip(&*dots).zip(out) {
                let b = self.head(other);
                let cross = count * a.low * b.low
                    + a.low * b.step * b.sum as f32
                    + b.low * a.step * a.sum as f32
                    + a.step * b.step * dot as f32;
                *out = (self.squares[row as usize] + self.squares[other as usize] - 2.0 * cross).max(0.0);
                if !self.heights.is_empty() {
                    *out += (self.heights[row as usize] - self.heights[other as usize]).powi(2);
                }
            }
        }
    }

    /// Squared length of a row.
    fn norm(&self, row: u32) -> f32 {
        let mut values = Vec::with_capacity(self.shape.dimension);
        self.decode(row, &mut values);
        values.iter().map(|v| v * v).sum()
    }
}
