//! The formats that a report can be written in.

use std::path::{Path, PathBuf};

use super::{json, text, text::TextOptions};
use crate::verdict::model::Report;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The screen, for people.
    Text,
    /// Everything, for programs.
    Json,
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
    pub const ALL: &'static [Format] = &[Format::Text, Format::Json];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
        }
    }

    /// The extension of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Json => "json",
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

    /// The reports in this format. Text carries terminal styles, which whoever prints it keeps or strips.
    #[must_use]
    pub fn render(self, reports: &[Report], options: &TextOptions) -> Vec<u8> {
        match self {
            Format::Text => text::render(reports, options).into_bytes(),
            Format::Json => json::render(reports),
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
