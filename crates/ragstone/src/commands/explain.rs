//! Scores of words taken apart, for `ragstone search --explain`.

use crate::terminal::{Terminal, printable_name};
use base::{Explanation, Result, Standing};

/// A passage's explanation, below the passage.
pub(super) fn show(explanation: &Explanation, terminal: &Terminal) -> Result<()> {
    let standing = match explanation.standing {
        Standing::Ranked(rank) => format!("rank {rank} by words"),
        Standing::Unknown => "not in the index of words".to_owned(),
        Standing::NoMatch => "no word of the query scores".to_owned(),
        Standing::Excluded => "a required word is missing, or an excluded one is there".to_owned(),
        Standing::Below(last) => format!("below the last of the list, which has {last:.3}"),
    };
    terminal.line(&format!("     words {:.3}: {standing}", explanation.score))?;
    let label = |term: &str, field: &str| match field {
        "all" => printable_name(term),
        field => format!("{field}:{}", printable_name(term)),
    };
    let rows: Vec<_> = explanation.terms.iter().map(|t| (label(&t.term, t.field), t)).collect();
    let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, t) in rows {
        terminal.line(&terminal.dim(&format!(
            "       {label:width$}  {:+.3}  tf {}, df {}, weight {:.3}, length {} (mean {:.1}, norm {:.3})",
            t.contribution, t.tf, t.df, t.weight, t.len, t.mean_len, t.length_norm
        )))?;
    }
    if !explanation.missing.is_empty() {
        let missing = printable_name(&explanation.missing.join(", "));
        terminal.line(&terminal.dim(&format!("       words that it does not have: {missing}")))?;
    }
    terminal.line("")
}
