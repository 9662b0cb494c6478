//! What can be wrong in a hive, and how a look-up says so.

use std::fmt;

use super::ValueKind;

/// The answer to a look-up. That something is absent is said only when every place where it could stand was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is there, and was read whole.
    Present(T),
    /// It is not there: the whole list that would hold it was read.
    Absent,
    /// It may be there or not: the bytes that would tell are damaged or missing.
    Unreadable(Trouble),
}

impl<T> Lookup<T> {
    /// What was found, if it is there and readable.
    pub fn present(self) -> Option<T> {
        match self {
            Lookup::Present(found) => Some(found),
            Lookup::Absent | Lookup::Unreadable(_) => None,
        }
    }

    /// Looks further in what was found; what is absent or unreadable stays so.
    pub fn and_then<U>(self, further: impl FnOnce(T) -> Lookup<U>) -> Lookup<U> {
        match self {
            Lookup::Present(found) => further(found),
            Lookup::Absent => Lookup::Absent,
            Lookup::Unreadable(trouble) => Lookup::Unreadable(trouble),
        }
    }

    /// Turns what was found into something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Lookup<U> {
        self.and_then(|found| Lookup::Present(change(found)))
    }
}

/// The entries of a list that could be read, and what could not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The readable entries, in the order of the hive.
    pub entries: Vec<T>,
    /// Why entries are missing or doubtful. Empty when the list is whole.
    pub troubles: Vec<Trouble>,
}

impl<T> Listing<T> {
    /// Turns every entry into something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listing<U> {
        Listing {
            entries: self.entries.into_iter().map(change).collect(),
            troubles: self.troubles,
        }
    }

    /// Whether every entry of the list was read, so that one that is not here does not exist.
    pub fn is_whole(&self) -> bool {
        self.troubles.is_empty()
    }
}

/// Something that could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}{}: {why}", KeyPath(path), Place(*offset, why))]
pub struct Trouble {
    /// The key that was being read, from the root of the hive; empty for the root itself.
    pub path: String,
    /// The place in the hive file, in bytes from its beginning.
    pub offset: u64,
    /// What is wrong there.
    pub why: Why,
}

/// Where in the file; what was not exported stands nowhere.
struct Place<'w>(u64, &'w Why);

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Why::NotExported => Ok(()),
            _ => write!(out, ", byte {}", self.0),
        }
    }
}

struct KeyPath<'p>(&'p str);

impl fmt::Display for KeyPath<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => out.write_str("the root key"),
            path => write!(out, "key {path}"),
        }
    }
}

/// What is wrong with a structure of a hive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Why {
    /// A reference that leads nowhere.
    #[error("points outside of the hive, which may have been cut short")]
    Outside,
    /// The cell is marked as free space.
    #[error("points at free space")]
    Free,
    /// The size of a cell is zero or not a multiple of eight.
    #[error("cell of the impossible size {size}; the page may have been zeroed")]
    CellSize {
        /// The size as it is stored.
        size: i32,
    },
    /// The cell would reach beyond the end.
    #[error("cell of {size} bytes, of which only {there} are in the file")]
    CutShort {
        /// Bytes that the cell says it has.
        size: u32,
        /// Bytes up to the end of the file.
        there: u64,
    },
    /// Another structure stands where this one was expected.
    #[error("expected a cell marked \"{expected}\", found \"{}\"", found.escape_ascii())]
    Signature {
        /// The mark of the expected structure.
        expected: &'static str,
        /// What stands there.
        found: [u8; 2],
    },
    /// A structure is longer than the cell that holds it.
    #[error("{what} needs {needs} bytes, its cell has {has}")]
    TooLong {
        /// The structure.
        what: &'static str,
        /// How long it says it is.
        needs: u64,
        /// How many bytes there are.
        has: u64,
    },
    /// The number of entries does not fit the list.
    #[error("{says} {what} are announced, the list holds {holds}")]
    Count {
        /// Subkeys, values or segments.
        what: &'static str,
        /// The number announced.
        says: u64,
        /// The number found.
        holds: u64,
    },
    /// The same cell stands twice where it can stand only once.
    #[error("a {what} that was met before: the hive runs in a circle")]
    Again {
        /// Subkey, list or segment.
        what: &'static str,
    },
    /// A key says that it belongs to another key.
    #[error("a subkey whose parent is another key")]
    Foreign,
    /// A name that cannot be right.
    #[error("a name that is empty or holds NUL characters")]
    Name,
    /// A name that does not fit the hash kept beside it.
    #[error("the name \"{name}\" does not fit its hash")]
    Hash {
        /// The name as it stands in the key.
        name: String,
    },
    /// A security descriptor that does not hold together.
    #[error("no self-relative security descriptor")]
    Descriptor,
    /// A text that is cut off by zeroes where a sector begins.
    #[error("a text that breaks off where a zeroed sector begins")]
    Zeroed,
    /// It may be there on the machine; what was exported as text does not hold it.
    #[error(
        "what is not here was not exported, or its export is cut or contradicted: collect the hive"
    )]
    NotExported,
    /// Keys nested deeper than Windows allows.
    #[error("keys nested deeper than {limit}")]
    Depth {
        /// The limit.
        limit: usize,
    },
}

impl Trouble {
    /// Why a question stays open.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.why {
            Why::NotExported => self.to_string(),
            _ => format!("damaged: {self}"),
        }
    }
}

/// A flaw, before it is known which key it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// The place in the file.
    pub offset: u64,
    pub why: Why,
}

impl Flaw {
    pub fn new(offset: u64, why: Why) -> Self {
        Flaw { offset, why }
    }

    /// The flaw as one of the key at `path`.
    pub fn of(self, path: &str) -> Trouble {
        Trouble {
            path: path.to_owned(),
            offset: self.offset,
            why: self.why,
        }
    }
}

/// Something about the hive as a whole that a reader of the report should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The place in the hive file, in bytes from its beginning.
    pub at: u64,
    /// What is wrong there, as a sentence.
    pub message: String,
}

/// A value that is not of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found} of {length} bytes")]
pub struct WrongType {
    /// The type that was asked for.
    pub expected: &'static str,
    /// The type that the value has.
    pub found: ValueKind,
    /// The length of its data in bytes.
    pub length: usize,
}
