//! The formats that a report can be written in.

use std::path::{Path, PathBuf};

use super::{html, json, markdown, text, text::TextOptions, timeline};
use crate::verdict::model::Report;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The screen, for people.
    Text,
    /// Everything, for programs.
    Json,
    /// The same, one host a line.
    Jsonl,
    /// Markdown, for tickets.
    Markdown,
    /// A page of its own, to be sent on and printed.
    Html,
    /// The timeline, as Timesketch imports it.
    Csv,
}

/// A file name whose extension names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: the extension names no format; use one of {}", .path.display(), Format::extensions())]
pub struct UnknownExtension {
    /// The file.
    pub path: PathBuf,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Format] = &[
        Format::Text,
        Format::Html,
        Format::Markdown,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Markdown => "md",
            Format::Html => "html",
            Format::Csv => "csv",
        }
    }

    /// The extension of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Json | Format::Jsonl | Format::Markdown | Format::Html | Format::Csv => {
                self.name()
            }
        }
    }

    /// The format that a file's extension names.
    ///
    /// # Errors
    /// [`UnknownExtension`] when it names none.
    pub fn of_file(path: &Path) -> Result<Format, UnknownExtension> {
        let extension = path.extension().unwrap_or_default();
        Format::ALL
            .iter()
            .copied()
            .find(|format| extension.eq_ignore_ascii_case(format.extension()))
            .ok_or_else(|| UnknownExtension {
                path: path.to_owned(),
            })
    }

    /// Whether it is for the eyes of people at a terminal, and carries its styles.
    #[must_use]
    pub fn is_styled(self) -> bool {
        self == Format::Text
    }

    /// The reports in this format. Text carries terminal styles, which whoever prints it keeps or strips.
    #[must_use]
    pub fn render(self, reports: &[Report], options: &TextOptions) -> Vec<u8> {
        match self {
            Format::Text => text::render(reports, options).into_bytes(),
            Format::Json => json::render(reports),
            Format::Jsonl => json::lines(reports),
            Format::Markdown => markdown::render(reports, &options.clock).into_bytes(),
            Format::Html => html::render(reports, &options.clock).into_bytes(),
            Format::Csv => timeline::csv(reports),
        }
    }

    fn extensions() -> String {
        let dotted: Vec<String> = Format::ALL
            .iter()
            .map(|format| format!(".{}", format.extension()))
            .collect();
        dotted.join(", ")
    }
}
