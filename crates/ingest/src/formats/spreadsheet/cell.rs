//! A cell as a reader sees it, nearly.
//!
//! Dates are written as ISO 8601, percentages as percentages (where the format of the cell is known: XLSX); other formats
//! of numbers are not applied.

use super::super::clean::collapsed;
use calamine::Data;

/// What is in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CellKind {
    /// Nothing to see.
    #[default]
    Empty,
    /// Words, an error.
    Text,
    /// A whole number that a year can be.
    Year,
    /// A day, a time, a duration.
    Date,
    /// Any other number, a truth value.
    Number,
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// What is in it.
    pub kind: CellKind,
    /// What it shows.
    pub text: String,
}

impl Cell {
    /// A cell that holds `data`, a number of percents if it `is_percent`.
    pub(super) fn new(data: &Data, is_percent: bool) -> Self {
        let text = match data {
            Data::Float(x) if is_percent => percent(*x),
            Data::Int(n) if is_percent => percent(*n as f64),
            _ => shown(data),
        };
        let kind = match data {
            _ if text.is_empty() => CellKind::Empty,
            Data::Float(_) | Data::Int(_) if !is_percent && is_year(&text) => CellKind::Year,
            Data::Float(_) | Data::Int(_) | Data::Bool(_) => CellKind::Number,
            Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_) => CellKind::Date,
            Data::Empty | Data::String(_) | Data::Error(_) => CellKind::Text,
        };
        Cell { kind, text }
    }
}

/// Whether `text` is a year of our time.
fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse().is_ok_and(|year: u16| (1900..=2100).contains(&year))
}

/// Whether a format of numbers shows percentages: a percent sign that is neither quoted nor escaped.
pub(super) fn is_percent_format(code: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    code.chars().any(|c| {
        let plain = !quoted && !escaped;
        quoted ^= c == '"' && !escaped;
        escaped = plain && c == '\\';
        plain && c == '%'
    })
}

/// `12.35%` for .123456.
fn percent(x: f64) -> String {
    format!("{}%", number((x * 1e4).round() / 1e2))
}

/// What a cell shows.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => collapsed(text),
        Data::Int(n) => n.to_string(),
        Data::Float(x) => number(*x),
        Data::Bool(true) => "TRUE".to_owned(),
        Data::Bool(false) => "FALSE".to_owned(),
        Data::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            match (date.as_f64() < 1.0, hour, minute, second) {
                (true, ..) => format!("{hour:02}:{minute:02}:{second:02}"),
                (false, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                (false, ..) => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        Data::DateTime(duration) => {
            let seconds = (duration.as_f64().abs() * 86_400.0).round().min(1e15) as u64;
            format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        Data::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
    }
}

/// Fifteen significant digits, as spreadsheets show: `0.1 + 0.2` is `0.3`.
fn number(x: f64) -> String {
    if !x.is_finite() || x == 0.0 {
        return if x == 0.0 { "0".to_owned() } else { x.to_string() };
    }
    if x.abs() >= 1e15 || x.abs() < 1e-6 {
        return x.to_string();
    }
    let decimals = (14 - x.abs().log10().floor() as i32).clamp(0, 20) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_percentages() {
        for (x, text) in [
            (0.1 + 0.2, "0.3"),
            (42.0, "42"),
            (-1.5, "-1.5"),
            (1234567.891, "1234567.891"),
            (0.0, "0"),
            (1e-9, "0.000000001"),
        ] {
            assert_eq!(number(x), text);
        }
        for (x, text) in [(0.25, "25%"), (0.123456, "12.35%"), (-1.5, "-150%"), (0.0, "0%"), (1.1, "110%")] {
            assert_eq!(percent(x), text);
        }
        assert_eq!(percent(f64::INFINITY), "inf%");
    }

    #[test]
    fn formats_that_show_percentages() {
        for (code, shows) in
            [("0%", true), ("0.00\\ %", true), ("0\\%", false), ("0\"%\"", false), ("#,##0", false), ("\"a\"0%", true)]
        {
            assert_eq!(is_percent_format(code), shows, "{code}");
        }
    }

    #[test]
    fn kinds() {
        let kind = |data: Data| Cell::new(&data, false).kind;
        assert_eq!(kind(Data::Float(2024.0)), CellKind::Year);
        assert_eq!(kind(Data::Float(2024.5)), CellKind::Number);
        assert_eq!(kind(Data::Int(12)), CellKind::Number);
        assert_eq!(kind(Data::String(" ".to_owned())), CellKind::Empty);
        assert_eq!(kind(Data::String("2024".to_owned())), CellKind::Text);
        assert_eq!(Cell::new(&Data::Float(0.5), true).text, "50%");
    }
}
