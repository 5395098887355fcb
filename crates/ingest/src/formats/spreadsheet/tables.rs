//! Where the tables of a sheet begin, and what their columns are called.
//!
//! A sheet made by hand has titles above its tables, more than one table, years or dates as names of columns, and names
//! in two rows, the upper ones over several columns. Nothing in the file says which row is which, so it is told from
//! where the texts and numbers stand.

use super::cell::{Cell, CellKind};

/// Longest name of a column, characters.
const NAME_CHARS_MAX: usize = 100;
/// Titles between the first title and the row that names the columns.
const TITLES_MAX: usize = 6;

/// A row with something in it.
pub(super) struct Row {
    /// Where it stands in the sheet, counted from 0.
    pub number: u32,
    /// From the first column of the used range on.
    pub cells: Vec<Cell>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It stands above the names of columns; the number says how many titles of this table stand above it.
    Title(u8),
    /// It names columns.
    Header,
    /// Its columns have the names of this number, if any.
    Body(Option<usize>),
}

/// What the rows of a sheet are.
#[derive(Default)]
pub(super) struct Tables {
    /// One for each row.
    pub roles: Vec<Role>,
    /// For each header the names by column, some of them empty.
    pub names: Vec<Vec<String>>,
}

impl Row {
    fn filled(&self) -> impl Iterator<Item = (usize, &Cell)> {
        self.cells.iter().enumerate().filter(|(_, cell)| cell.kind != CellKind::Empty)
    }

    fn is_single(&self) -> bool {
        self.filled().count() == 1
    }

    fn kind(&self, column: usize) -> CellKind {
        self.cells.get(column).map_or(CellKind::Empty, |cell| cell.kind)
    }

    fn text(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| &cell.text)
    }

    /// Whether every cell could name a column. `Name: | Ada` is a pair; years and dates stand beside a text or to the right
    /// of an empty corner.
    fn could_head(&self) -> bool {
        let named = |cell: &Cell| cell.kind != CellKind::Number && cell.text.chars().count() <= NAME_CHARS_MAX;
        self.filled().all(|(_, cell)| named(cell) && !cell.text.ends_with(':'))
            && (self.kind(0) == CellKind::Empty || self.filled().any(|(_, cell)| cell.kind == CellKind::Text))
    }

    fn is_distinct(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        self.filled().all(|(_, cell)| seen.insert(cell.text.to_lowercase()))
    }

    /// Whether a number, year or date stands in a column that `header` names, other than one of the kind that names it.
    fn counts_below(&self, header: &Row) -> bool {
        header.filled().any(|(column, name)| {
            !matches!(self.kind(column), CellKind::Empty | CellKind::Text) && self.kind(column) != name.kind
        })
    }

    fn counts(&self) -> bool {
        self.filled().any(|(_, cell)| cell.kind != CellKind::Text)
    }
}

/// Tells what `rows` are, of which each has something in it.
pub(super) fn tables(rows: &[Row]) -> Tables {
    let mut found = Tables::default();
    let (mut at, mut titles) = (0, 0);
    // What names the columns now, and whether the first row below it has numbers.
    let (mut names, mut counts) = (None, None);
    // Whether no table goes on here, and whether the row above holds a lone cell, which may be the title of the next.
    let (mut between, mut lone) = (true, false);
    while let Some(row) = rows.get(at) {
        let gap = at > 0 && row.number > rows[at - 1].number + 1;
        between |= gap;
        let single = row.is_single();
        let begins =
            if (between || lone) && !single { header(&rows[at..], names.is_none() || titles > 0) } else { None };
        if let Some(header) = begins {
            if header.rows == 2 {
                found.roles.push(if header.upper_is_title { Role::Title(titles) } else { Role::Header });
            }
            found.roles.push(Role::Header);
            names = Some(found.names.len());
            found.names.push(header.names);
            (counts, between, lone, titles) = (None, false, false, 0);
            at += header.rows;
            continue;
        }
        if single && leads_to_header(&rows[at..], between) {
            found.roles.push(Role::Title(titles));
            (between, titles) = (true, titles.saturating_add(1));
        } else if single && between {
            found.roles.push(Role::Body(None));
            titles = 0;
        } else {
            if gap && !names.is_none_or(|names| fits(row, &found.names[names], counts)) {
                names = None;
            }
            found.roles.push(Role::Body(names));
            counts = counts.or(Some(row.counts()));
            (between, titles) = (false, 0);
        }
        lone = single;
        at += 1;
    }
    found
}

/// Names of columns.
struct Header {
    names: Vec<String>,
    /// In one row or two.
    rows: usize,
    /// Whether the upper of two says something of the whole table.
    upper_is_title: bool,
}

/// The names of columns that the first of `rows` begin with. Without numbers below they are taken for names only if
/// `trusting`.
fn header(rows: &[Row], trusting: bool) -> Option<Header> {
    let [row, below, rest @ ..] = rows else { return None };
    if !row.could_head() {
        return None;
    }
    let next = below.number == row.number + 1;
    let wider = below.filled().count() > row.filled().count();
    if next && wider && below.could_head() && rest.first().is_some_and(|body| body.counts_below(below)) {
        return Some(joined(row, below));
    }
    let texts = row.filled().all(|(_, cell)| cell.kind == CellKind::Text);
    let names = || row.cells.iter().map(|cell| cell.text.clone()).collect();
    (row.is_distinct() && (below.counts_below(row) || trusting && next && texts)).then(|| Header {
        names: names(),
        rows: 1,
        upper_is_title: false,
    })
}

/// Names in two rows. Those of `upper` count for the columns up to the next one of them, unless the only one says
/// something of the whole table.
fn joined(upper: &Row, lower: &Row) -> Header {
    let is_corner = |column: usize| lower.kind(column) == CellKind::Empty;
    let groups = upper.filled().filter(|(column, _)| !is_corner(*column)).count();
    let upper_is_title = groups < 2 && lower.is_distinct();
    let mut group = "";
    let name = |column| {
        if upper_is_title {
            return lower.text(column).to_owned();
        }
        if is_corner(column) {
            return upper.text(column).to_owned();
        }
        if upper.kind(column) != CellKind::Empty {
            group = upper.text(column);
        }
        let words = [group, lower.text(column)];
        words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ")
    };
    Header { names: (0..lower.cells.len()).map(name).collect(), rows: 2, upper_is_title }
}

/// Whether the first of `rows` is a text and only texts like it stand between it and names of columns, which are taken for
/// such without numbers below only if `trusting`.
fn leads_to_header(rows: &[Row], trusting: bool) -> bool {
    let is_title = |row: &&Row| row.is_single() && !row.counts();
    let titles = rows.iter().take(TITLES_MAX).take_while(is_title).count();
    titles > 0 && header(&rows[titles..], trusting).is_some()
}

/// Whether a row after a gap can belong to the table of `names`: its cells have names, and it has numbers if the first
/// row of that table `counts`.
fn fits(row: &Row, names: &[String], counts: Option<bool>) -> bool {
    let is_named = |column: usize| column == 0 || names.get(column).is_some_and(|name| !name.is_empty());
    row.filled().all(|(column, _)| is_named(column)) && (row.counts() || counts != Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::Data;
    use proptest::prelude::*;

    /// A sheet of lines with cells between bars; empty lines are empty rows.
    fn sheet(text: &str) -> Vec<Row> {
        let cell = |word: &str| match word.trim() {
            word if word.ends_with('d') && word.trim_end_matches('d').parse::<f64>().is_ok() => {
                Data::DateTimeIso(format!("2024-01-{word}"))
            }
            word => word.parse().map_or(Data::String(word.to_owned()), Data::Float),
        };
        let cells = |line: &str| line.split('|').map(|word| Cell::new(&cell(word), false)).collect();
        let rows = (0..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        rows.map(|(number, line)| Row { number, cells: cells(line) }).collect()
    }

    /// What each row is: titles by their level, `=` for names, the names of a row of numbers.
    fn read(text: &str) -> Vec<String> {
        let rows = sheet(text);
        let found = tables(&rows);
        assert_eq!(found.roles.len(), rows.len());
        let shown = |role: &Role| match role {
            Role::Title(above) => format!("title {above}"),
            Role::Header => "=".to_owned(),
            Role::Body(None) => "-".to_owned(),
            Role::Body(Some(names)) => found.names[*names].join(","),
        };
        found.roles.iter().map(shown).collect()
    }

    #[test]
    fn the_first_row_names_columns() {
        assert_eq!(read("Town|Rain\nBath|4\nYork|2"), ["=", "Town,Rain", "Town,Rain"]);
        // Texts only, too, and empty cells.
        assert_eq!(read("Team|City\nBlues|\n|York"), ["=", "Team,City", "Team,City"]);
        for bare in ["Bath|4\nYork|2", "Name:|Ada\nBorn:|1815", "x|x\nx|x", "4|5\n6|7", "alone", ""] {
            assert!(read(bare).iter().all(|role| role == "-"), "{bare}");
        }
    }

    /// Only the first row of a sheet could once name its columns.
    #[test]
    fn titles_stand_above_names() {
        assert_eq!(read("Report\nRain in 2024\n\nTown|Rain\nBath|4"), ["title 0", "title 1", "=", "Town,Rain"]);
        assert_eq!(read("Cups\nTeam|City\nBlues|York"), ["title 0", "=", "Team,City"]);
        // A note below a table is none.
        assert_eq!(read("Town|Rain\nBath|4\n\nMeasured daily.")[2..], ["-"]);
    }

    #[test]
    fn a_sheet_holds_many_tables() {
        let two = "Rain\nTown|mm\nBath|4\n\nSnow\nTown|cm|Posts\nYork|2|1";
        assert_eq!(read(two), ["title 0", "=", "Town,mm", "title 0", "=", "Town,cm,Posts"]);
        // Without a gap, and without a title.
        assert_eq!(read("Town|mm\nBath|4\nSnow\nPlace|cm\nYork|2")[3..], ["=", "Place,cm"]);
        assert_eq!(read("Town|mm\nBath|4\n\nPlace|cm\nYork|2")[2..], ["=", "Place,cm"]);
        // A gap inside a table, a section of it, a second table without names, notes in two cells.
        assert_eq!(read("Town|mm\n\nBath|4\n\nYork|2"), ["=", "Town,mm", "Town,mm"]);
        assert_eq!(read("Town|mm\nNorth\nYork|2")[1..], ["Town,mm", "Town,mm"]);
        assert_eq!(read("Team|City\nBlues|York\nNorth\nReds|Bath\nGreens|Hull")[1..], ["Team,City"; 4]);
        assert_eq!(read("Town|mm\nBath|4\n\nYork|2|7")[2..], ["-"]);
        assert_eq!(read("Town|mm\nBath|4\n\nSource|the office")[2..], ["-"]);
    }

    #[test]
    fn years_and_dates_name_columns() {
        assert_eq!(read("Sales|2023|2022\nNorth|12|9")[1..], ["Sales,2023,2022"]);
        assert_eq!(read("|2023|2022\nNorth|12|9")[1..], [",2023,2022"]);
        assert_eq!(read("Day|01d|02d\nNorth|12|9")[1..], ["Day,2024-01-01d,2024-01-02d"]);
        // Years below years are data.
        assert_eq!(read("Ann|1990|2001\nBob|1985|1999"), ["-", "-"]);
        assert_eq!(read("Name|Born\nAnn|1990")[1..], ["Name,Born"]);
    }

    #[test]
    fn names_stand_in_two_rows() {
        let quarters = "|2023||2022|\n|Q1|Q2|Q1|Q2\nNorth|1|2|3|4";
        assert_eq!(read(quarters), ["=", "=", ",2023 Q1,2023 Q2,2022 Q1,2022 Q2"]);
        // What stands above the corner names the rows.
        assert_eq!(
            read("Zone|Plan||Real|\n|Q1|Q2|Q3|Q4\nNorth|1|2|3|4")[2..],
            ["Zone,Plan Q1,Plan Q2,Real Q3,Real Q4"]
        );
        // One thing said of all.
        assert_eq!(read("In millions|||June\n|Sales|Profit|Cash\nNorth|1|2|3"), ["title 0", "=", ",Sales,Profit,Cash"]);
    }

    proptest! {
        #[test]
        fn any_sheet_is_read(text in "[a12:|\n]{0,80}") {
            let rows = sheet(&text);
            let found = tables(&rows);
            prop_assert_eq!(found.roles.len(), rows.len());
            for role in &found.roles {
                prop_assert!(!matches!(role, Role::Body(Some(names)) if *names >= found.names.len()));
            }
        }
    }
}
