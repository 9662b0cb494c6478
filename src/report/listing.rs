//! Lists of things that are looked up (moments, event records, registry values, certificates): as a table for people, as CSV or as
//! JSON Lines for programs.

use serde_json::{Map, Value};

use super::TextOptions;
use super::escape::{self, Charset};
use super::text::paper::Paper;
use super::text::table::{self};

/// How much room a column takes in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// As much as its widest cell, which is short by nature.
    Content,
    /// At most so many columns of the screen.
    AtMost(usize),
    /// What the others leave.
    Rest,
}

/// The forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// A table.
    Text,
    /// CSV (RFC 4180), with a head.
    Csv,
    /// An object a line.
    Jsonl,
    /// An array of objects.
    Json,
}

/// A list: its columns and its rows.
#[derive(Debug, Clone)]
pub struct Listing {
    columns: Vec<(&'static str, Room)>,
    rows: Vec<Vec<String>>,
}

impl Listing {
    /// An empty list.
    #[must_use]
    pub fn new(columns: &[(&'static str, Room)]) -> Self {
        Listing {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a cell for each column.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The list in this form.
    #[must_use]
    pub fn render(&self, format: ListFormat, options: &TextOptions) -> Vec<u8> {
        match format {
            ListFormat::Text => self.text(options).into_bytes(),
            ListFormat::Csv => self.csv(),
            ListFormat::Jsonl => self
                .objects()
                .flat_map(|object| {
                    let mut line = Value::Object(object).to_string().into_bytes();
                    line.push(b'\n');
                    line
                })
                .collect(),
            ListFormat::Json => super::json::pretty(&self.objects().collect::<Vec<_>>()),
        }
    }

    fn objects(&self) -> impl Iterator<Item = Map<String, Value>> + '_ {
        self.rows.iter().map(|row| {
            self.columns
                .iter()
                .zip(row)
                .map(|((name, _), cell)| {
                    (
                        name.to_lowercase().replace(' ', "_"),
                        Value::from(cell.as_str()),
                    )
                })
                .collect()
        })
    }

    fn text(&self, options: &TextOptions) -> String {
        let mut paper = Paper::new(options.width, options.charset);
        let columns: Vec<table::Column> = self
            .columns
            .iter()
            .map(|(title, room)| table::Column {
                title,
                room: match room {
                    Room::Content => table::Room::Content,
                    Room::AtMost(most) => table::Room::AtMost(*most),
                    Room::Rest => table::Room::Rest,
                },
            })
            .collect();
        // Thousands of rows are laid out piece by piece: one wide row does not squeeze all others.
        for (index, rows) in self.rows.chunks(500).enumerate() {
            let titled = |column: &table::Column| match index {
                0 => *column,
                _ => table::Column::untitled(column.room),
            };
            let columns: Vec<table::Column> = columns.iter().map(titled).collect();
            paper.table(0, &columns, rows);
        }
        paper.into_text()
    }

    pub(super) fn csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let head = self
            .columns
            .iter()
            .map(|(name, _)| name.to_lowercase().replace(' ', "_"));
        let written = writer.write_record(head).and_then(|()| {
            self.rows
                .iter()
                .try_for_each(|row| writer.write_record(row.iter().map(|cell| in_csv(cell))))
        });
        written.expect("rows have a cell for each column and memory takes every byte");
        writer.into_inner().expect("memory takes every byte")
    }
}

/// A cell that acts neither in a terminal nor as a formula in a spreadsheet (OWASP, "CSV Injection").
fn in_csv(cell: &str) -> String {
    let shown = escape::visible(cell, Charset::Unicode);
    match shown.starts_with(['=', '+', '-', '@']) {
        true => format!("'{shown}"),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_neither_breaks_nor_calculates() {
        let mut listing = Listing::new(&[("Name", Room::Rest), ("Last written", Room::Content)]);
        listing.row(vec!["=1+1".to_owned(), "a\"b\n\u{202e},c".to_owned()]);
        let csv = String::from_utf8(listing.csv()).expect("UTF-8");
        assert_eq!(
            csv,
            "name,last_written\r\n'=1+1,\"a\"\"b\\n\\u{202e},c\"\r\n"
        );
    }
}
