//! Tables, laid out by comfy-table; the only place that knows it.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// How much room a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Room {
    /// As much as its widest cell, which is short by nature.
    Content,
    /// At most so many columns; what is longer goes on in the next line.
    AtMost(usize),
    /// What the others leave.
    Rest,
}

/// A column: its title, or nothing, and its room.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Column {
    pub(in crate::report) title: &'static str,
    pub(in crate::report) room: Room,
}

impl Column {
    /// A column that speaks for itself.
    pub(in crate::report) const fn untitled(room: Room) -> Self {
        Column { title: "", room }
    }
}

/// The lines of each row, the titles' first if there are any. The first cell of a row must not be empty: it marks where a row
/// begins.
pub(in crate::report) fn rows(
    columns: &[Column],
    rows: &[Vec<String>],
    width: usize,
) -> Vec<Vec<String>> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(columns_u16(width));
    if columns.iter().any(|column| !column.title.is_empty()) {
        table.set_header(columns.iter().map(|column| column.title));
    }
    for row in rows {
        table.add_row(row.iter().cloned());
    }
    for (index, column) in columns.iter().enumerate() {
        let Some(laid) = table.column_mut(index) else {
            continue;
        };
        let last = index + 1 == columns.len();
        laid.set_padding((0, if last { 0 } else { 2 }));
        match column.room {
            Room::Content => {
                laid.set_constraint(ColumnConstraint::ContentWidth);
            }
            Room::AtMost(room) => {
                let most = columns_u16(room + if last { 0 } else { 2 });
                laid.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(most)));
            }
            Room::Rest => {}
        }
    }
    let mut parts: Vec<Vec<String>> = Vec::new();
    for line in table.lines() {
        let line = line.trim_end().to_owned();
        match parts.last_mut() {
            Some(part) if line.starts_with(' ') => part.push(line),
            _ => parts.push(vec![line]),
        }
    }
    parts
}

fn columns_u16(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn no_line_is_wider_than_asked_and_nothing_is_lost() {
        let columns = [
            Column {
                title: "#",
                room: Room::Content,
            },
            Column {
                title: "Says",
                room: Room::Rest,
            },
            Column {
                title: "Source",
                room: Room::AtMost(20),
            },
        ];
        let cells = vec![
            vec![
                "1".to_owned(),
                "a long observation that has to go on below ".repeat(3),
                "System.evtx #1".to_owned(),
            ],
            vec!["2".to_owned(), "証明書".repeat(20), "q".repeat(60)],
        ];
        let laid = rows(&columns, &cells, 60);
        assert_eq!(laid.len(), 3);
        assert!(
            laid.iter().flatten().all(|line| line.width() <= 60),
            "{laid:#?}"
        );
        let count = laid
            .iter()
            .flatten()
            .flat_map(|line| line.chars())
            .filter(|letter| *letter == 'q')
            .count();
        assert_eq!(count, 60);
    }
}
