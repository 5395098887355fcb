//! Charts in documents and slides (ISO/IEC 29500-1, part 21.2, DrawingML charts): the numbers they were drawn from,
//! kept in the chart beside the drawing, as a table with a column for each series.

use super::clean::{collapsed, table_row};
use super::tree::Element;
use base::{BlockKind, DocumentBuilder, Locator};

/// More points than a reader could tell apart are left out.
const POINTS_MAX: usize = 10_000;

/// A chart's title and its rows; the first row names the series.
pub struct Chart {
    /// Empty if it has none.
    pub title: String,
    /// One line a category; empty if the chart keeps no numbers.
    pub rows: String,
}

impl Chart {
    /// Writes the chart as a table below its title.
    pub fn write(&self, at: &Locator, builder: &mut DocumentBuilder) {
        if !self.title.is_empty() {
            builder.block(BlockKind::Caption, at.clone(), &self.title);
        }
        if !self.rows.is_empty() {
            builder.block(BlockKind::Table, at.clone(), &self.rows);
        }
    }
}

/// The chart of a part `chartN.xml`.
pub fn read(part: &Element) -> Chart {
    let mut all = Vec::new();
    part.each(&mut |e| {
        if e.name == "ser" {
            all.push(e);
        }
        e.name == "ser"
    });
    let title = part.find("chart").and_then(|c| c.child("title")).map(|t| collapsed(&text(t))).unwrap_or_default();
    let series: Vec<Series> = all.iter().map(|ser| Series::of(ser)).collect();
    let points = series.iter().map(|s| s.values.len().max(s.categories.len())).max().unwrap_or(0).min(POINTS_MAX);
    let mut rows = Vec::new();
    if points > 0 {
        let names = series.iter().map(|s| s.name.as_str());
        rows.push(table_row(&std::iter::once("").chain(names).collect::<Vec<_>>()));
    }
    for point in 0..points {
        let at = |list: &[String]| list.get(point).cloned().unwrap_or_default();
        let category = series.iter().map(|s| at(&s.categories)).find(|c| !c.is_empty()).unwrap_or_default();
        let values = series.iter().map(|s| at(&s.values));
        rows.push(table_row(&std::iter::once(category).chain(values).collect::<Vec<_>>()));
    }
    rows.retain(|row| !row.is_empty());
    Chart { title, rows: rows.join("\n") }
}

struct Series {
    name: String,
    categories: Vec<String>,
    values: Vec<String>,
}

impl Series {
    fn of(ser: &Element) -> Series {
        let points = |names: [&str; 2]| names.iter().find_map(|name| ser.child(name)).map(points).unwrap_or_default();
        let name = ser.child("tx").map(|tx| self::points(tx).join(" ")).unwrap_or_default();
        Series { name, categories: points(["cat", "xVal"]), values: points(["val", "yVal"]) }
    }
}

/// The cached points in `element`, each at its index.
fn points(element: &Element) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    element.each(&mut |e| {
        if e.name == "pt" {
            let index = e.get("idx").and_then(|i| i.parse::<usize>().ok()).unwrap_or(out.len());
            if index < POINTS_MAX {
                out.resize(out.len().max(index + 1), String::new());
                out[index] = number(&collapsed(&e.text()));
            }
        }
        e.name == "pt"
    });
    if out.is_empty() { element.child("v").map(|v| collapsed(&v.text())).into_iter().collect() } else { out }
}

/// A number as it was meant: calculated values carry the noise of binary fractions (`0.30000000000000004`).
fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(value) if text.len() > 15 && value.is_finite() => {
            let rounded: f64 = format!("{value:.12e}").parse().unwrap_or(value);
            rounded.to_string()
        }
        _ => text.to_owned(),
    }
}

/// The runs of a title.
fn text(title: &Element) -> String {
    let mut out = String::new();
    title.each(&mut |e| {
        if matches!(e.name.as_str(), "t" | "v") {
            out.push_str(&e.text());
        } else if e.name == "p" && !out.is_empty() {
            out.push(' ');
        }
        matches!(e.name.as_str(), "t" | "v")
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tree::parse;
    use base::Limits;

    fn chart(xml: &str) -> Chart {
        read(&parse(xml.as_bytes(), &Limits::default()).0)
    }

    #[test]
    fn series_become_columns() {
        let series = |name: &str, values: [&str; 2]| {
            format!(
                "<c:ser><c:tx><c:strRef><c:f>S!$B$1</c:f><c:strCache><c:pt idx='0'><c:v>{name}</c:v></c:pt></c:strCache>\
                 </c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:ptCount val='2'/><c:pt idx='0'><c:v>North</c:v></c:pt>\
                 <c:pt idx='1'><c:v>South</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache>\
                 <c:formatCode>General</c:formatCode><c:pt idx='0'><c:v>{}</c:v></c:pt><c:pt idx='1'><c:v>{}</c:v></c:pt>\
                 </c:numCache></c:numRef></c:val></c:ser>",
                values[0], values[1]
            )
        };
        let found = chart(&format!(
            "<c:chartSpace><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Rain</a:t></a:r><a:r><a:t> in mm</a:t></a:r></a:p>\
             </c:rich></c:tx></c:title><c:plotArea><c:barChart>{}{}</c:barChart></c:plotArea></c:chart></c:chartSpace>",
            series("2019", ["4", "0.30000000000000004"]),
            series("2020", ["5", "6.5"]),
        ));
        assert_eq!(found.title, "Rain in mm");
        assert_eq!(found.rows, "| 2019 | 2020\nNorth | 4 | 5\nSouth | 0.3 | 6.5".replacen("| 2019", " | 2019", 1));
    }

    #[test]
    fn odd_charts_are_read_as_far_as_they_go() {
        assert_eq!(chart("<c:chartSpace/>").rows, "");
        let far = "<c:chart><c:ser><c:val><c:pt idx='4000000000'><c:v>1</c:v></c:pt><c:pt idx='1'><c:v>2</c:v></c:pt></c:val></c:ser></c:chart>";
        assert_eq!(chart(far).rows, " | 2");
    }
}
