//! What cannot be read, told to people.

use super::archive::ArchiveTrouble;
use super::disk::DiskTrouble;
use super::kind::NotUsed;

/// Why a path, or a part of it, was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Trouble {
    /// Nothing is there.
    #[error("there is no such file or folder; check the spelling, and that the drive is mounted")]
    NoSuchPath,
    /// A symbolic link inside of a folder.
    #[error(
        "a symbolic link, which is not followed; name its target as a further input if it belongs to the collection"
    )]
    SymbolicLink,
    /// A pipe, socket or device.
    #[error("a pipe, socket or device, which is never opened; copy its content into a file")]
    NotAFile,
    /// A folder that cannot be listed.
    #[error(
        "the folder cannot be read ({0}), so nothing in it was seen; give yourself read access, or copy it"
    )]
    UnreadableFolder(String),
    /// A file that cannot be read.
    #[error("the file cannot be read ({0}); give yourself read access, or copy it again")]
    UnreadableFile(String),
    /// A folder given as an input without a file in it.
    #[error("the folder is empty; name the folder that holds the collected files")]
    EmptyFolder,
    /// Too much in it.
    #[error(
        "more than {limit} files and folders in it, of which the rest was not looked at; name the folders that hold the collected files"
    )]
    TooManyEntries {
        /// How many are looked at.
        limit: usize,
    },
    /// A file without bytes, whose name promises some.
    #[error("named like {0}, but empty: 0 bytes; collect it again")]
    Empty(&'static str),
    /// A file whose content is not what its name promises.
    #[error(
        "named like {promised}, but its content is none ({found}); collect it again, or convert it"
    )]
    NotWhatItsNameSays {
        /// What its name promises, with its article.
        promised: &'static str,
        /// What it is instead.
        found: NotUsed,
    },
    /// A transaction log without its hive.
    #[error(
        "a transaction log, but its hive is not beside it; collect both, or the log is of no use"
    )]
    TransactionLogAlone,
    /// Something about a disk image, or on it.
    #[error("{0}")]
    Disk(DiskTrouble),
    /// Something about an archive, or in it.
    #[error("{0}")]
    Archive(ArchiveTrouble),
}

/// A path that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path as artifacts are named: relative to the input, never absolute.
    pub path: String,
    /// The argument as the user gave it, where the trouble is with the argument itself. For messages on the terminal, not
    /// for reports: it may be an absolute path.
    pub given: Option<String>,
    /// Why.
    pub trouble: Trouble,
}

impl Problem {
    pub(super) fn of(path: &str, trouble: Trouble) -> Self {
        Problem {
            path: path.to_owned(),
            given: None,
            trouble,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.given.as_ref().unwrap_or(&self.path);
        write!(formatter, "{path}: {}", self.trouble)
    }
}

/// Why there is nothing to work on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No argument.
    #[error("no input; name the folder, or the files, that were collected from the server")]
    NoInput,
    /// Not one event log, hive or certificate.
    #[error("{}", nothing_usable(problems, files))]
    NothingUsable {
        /// What could not be read.
        problems: Vec<Problem>,
        /// The files that were read and are of no use, and what they are.
        files: Vec<(String, NotUsed)>,
    },
}

/// How many paths a message lists before it only counts them.
const LISTED: usize = 20;

fn nothing_usable(problems: &[Problem], files: &[(String, NotUsed)]) -> String {
    let mut text = match files.len() {
        0 => "nothing could be read".to_owned(),
        1 => "nothing to work on: the one file found is neither event log nor hive nor certificate"
            .to_owned(),
        count => format!(
            "nothing to work on: none of the {count} files found is an event log, a hive or a certificate"
        ),
    };
    let named = |path: &str| problems.iter().any(|problem| problem.path == path);
    let unnamed = files.iter().filter(|(path, _)| !named(path));
    let lines: Vec<String> = problems
        .iter()
        .map(Problem::to_string)
        .chain(unnamed.map(|(path, what)| format!("{path}: {what}")))
        .collect();
    for line in lines.iter().take(LISTED) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if lines.len() > LISTED {
        text.push_str(&format!("\n  and {} more", lines.len() - LISTED));
    }
    if !files.is_empty() {
        text.push_str(
            "\nExport the logs with `wevtutil epl System System.evtx`, the hives with `reg save HKLM\\SYSTEM SYSTEM.hiv`",
        );
    }
    text
}
