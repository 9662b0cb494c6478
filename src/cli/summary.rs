//! Several hosts at a glance, after what is said of each: host, verdict, cause, first failure.

use rdptriage::report::{ListFormat, Listing, Room, TextOptions};
use rdptriage::verdict::model::{Report, Status};

/// A row for each host.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<Row>,
}

/// A host, or a collection that could not be read.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    /// The collection's path, where there are many of them.
    path: Option<String>,
    cells: [String; 4],
}

impl Summary {
    /// Whether there is anything that the findings themselves do not show at a glance.
    pub(crate) fn is_of_several(&self) -> bool {
        self.rows.len() > 1
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A host; `path` is its collection's, where there are many.
    pub(crate) fn add(&mut self, path: Option<&str>, report: &Report) {
        let verdict = &report.verdict;
        self.rows.push(Row {
            path: path.map(str::to_owned),
            cells: [
                report.host.name.clone().unwrap_or_default(),
                word(verdict.status).to_owned(),
                verdict.cause.clone().unwrap_or_default(),
                verdict.first_failure.clone().unwrap_or_default(),
            ],
        });
    }

    /// A collection that nothing could be read of.
    pub(crate) fn add_unreadable(&mut self, path: &str, why: &str) {
        let first = why.lines().next().unwrap_or_default().to_owned();
        self.rows.push(Row {
            path: Some(path.to_owned()),
            cells: [String::new(), "unreadable".to_owned(), first, String::new()],
        });
    }

    /// Orders the rows by path, whatever finished first.
    pub(crate) fn sort(&mut self) {
        self.rows.sort();
    }

    /// The table.
    pub(crate) fn render(self, options: &TextOptions) -> Vec<u8> {
        let cells = [
            ("verdict", Room::Content),
            ("cause", Room::AtMost(34)),
            ("first failure", Room::AtMost(20)),
        ];
        let has_paths = self.rows.iter().any(|row| row.path.is_some());
        let first: &[(&str, Room)] = match has_paths {
            true => &[("collection", Room::Rest), ("host", Room::AtMost(20))],
            false => &[("host", Room::Rest)],
        };
        let mut list = Listing::new(&[first, &cells].concat());
        for Row { path, cells } in self.rows {
            let path = has_paths.then(|| path.unwrap_or_default());
            list.row(path.into_iter().chain(cells).collect());
        }
        list.render(ListFormat::Text, options)
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "confirmed",
        Status::Likely => "likely",
        Status::Possible => "possible",
        Status::Inconclusive => "inconclusive",
        Status::Healthy => "healthy",
    }
}
