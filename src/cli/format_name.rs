//! The names of formats on the command line.

use clap::ValueEnum;
use rdptriage::report::{Format, ListFormat};

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// The screen
    Text,
    /// The whole report, for programs
    Json,
    /// The same, one host a line
    Jsonl,
    /// Markdown, for tickets
    Md,
    /// A page to send on and to print
    Html,
    /// The timeline, as Timesketch imports it
    Csv,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Format::Text,
            FormatName::Json => Format::Json,
            FormatName::Jsonl => Format::Jsonl,
            FormatName::Md => Format::Markdown,
            FormatName::Html => Format::Html,
            FormatName::Csv => Format::Csv,
        }
    }
}

/// A format of what is neither a report nor a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJsonName {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A format of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormatName {
    /// A table
    Text,
    /// An array of objects
    Json,
    /// An object a line
    Jsonl,
    /// Rows with a head
    Csv,
}

impl From<ListFormatName> for ListFormat {
    fn from(name: ListFormatName) -> Self {
        match name {
            ListFormatName::Text => ListFormat::Text,
            ListFormatName::Json => ListFormat::Json,
            ListFormatName::Jsonl => ListFormat::Jsonl,
            ListFormatName::Csv => ListFormat::Csv,
        }
    }
}
