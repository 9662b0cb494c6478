//! Registry hives (`regf`): look-ups that tell absent from unreadable, over files that may be dirty, cut or damaged.
//!
//! A hive is read into memory once. Where it is dirty, its transaction logs are applied to that copy first, and without
//! them everything it says is marked as stale. Two readers then look at the same bytes: nt-hive, and a walk of our own
//! that checks every bound, goes ahead of nt-hive so that it never meets what makes it panic, and reads what nt-hive keeps
//! to itself: last-write times, security descriptors, places in the file. Where they disagree the careful one counts, and
//! [`Hive::problems`] says so.

mod base_block;
mod bins;
mod cell;
mod flaw;
mod key;
mod key_node;
mod library;
pub mod marvin32;
mod name;
mod security;
mod subkey_list;
mod survey;
mod transaction_log;
mod value;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;

use crate::bundle::ReadAt;

pub use base_block::BaseBlock;
pub use flaw::{Listing, Lookup, Problem, Trouble, Why, WrongType};
pub use key::Key;
pub use survey::Survey;
pub use transaction_log::{Ignored, LogFormat, LogUse, Replay, Stop};
pub use value::{Value, ValueKind};

use cell::{BASE_BLOCK_SIZE, Cells};

/// The longest hive that is read, in bytes.
const LARGEST: usize = 1 << 30;

/// How deep keys may be nested; Windows allows 512 levels.
const MOST_NESTED: usize = 512;

/// How far what is in memory is what Windows would see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All writes had ended when the file was copied.
    Clean,
    /// A write had not ended; the transaction logs were applied.
    Replayed,
    /// A write had not ended, or may not have, and what is missing is not in the logs that were given.
    Stale,
}

/// Why a file cannot be read as a hive at all.
#[derive(Debug, thiserror::Error)]
pub enum HiveError {
    /// The file has no bytes.
    #[error("the file is empty: collect the hive again, with `reg save` or from a shadow copy")]
    Empty,
    /// Neither the mark of a hive nor one of its bins.
    #[error("not a registry hive: neither \"regf\" at its beginning nor a bin behind it")]
    NotAHive,
    /// A hive's base block with nothing behind it.
    #[error("only the first {0} bytes of a hive are there, before any key: collect it again")]
    NoKeys(u64),
    /// The file is longer than any hive that Windows loads well.
    #[error("{0} bytes long; hives of more than {LARGEST} bytes are not read")]
    TooLarge(u64),
    /// The bytes could not be read.
    #[error("could not be read: {0}")]
    Read(#[from] io::Error),
}

/// A registry hive in memory.
#[derive(Debug)]
pub struct Hive {
    bytes: Vec<u8>,
    header: BaseBlock,
    state: State,
    replay: Option<Replay>,
    problems: Vec<Problem>,
    /// What the two readers disagreed about while they were asked.
    remarks: Mutex<BTreeSet<Problem>>,
    survey: OnceLock<Survey>,
}

impl Hive {
    /// Opens a hive with the transaction logs that lie beside it, each with the name of its file.
    ///
    /// # Errors
    /// When nothing can be read from it, whatever is asked: see [`HiveError`].
    pub fn open(primary: &dyn ReadAt, logs: &[(&str, &dyn ReadAt)]) -> Result<Hive, HiveError> {
        let length = primary.len();
        if length == 0 {
            return Err(HiveError::Empty);
        }
        if length > LARGEST as u64 {
            return Err(HiveError::TooLarge(length));
        }
        let mut bytes = primary.read_all(LARGEST as u64)?;
        let stored = BaseBlock::read(&bytes);
        if stored.is_none() && !bins::any(&bytes) {
            return Err(HiveError::NotAHive);
        }
        let mut problems = Vec::new();
        let intact = stored.as_ref().filter(|header| header.intact);
        let clean = intact.is_some_and(|header| !header.is_dirty());
        let replay = match logs {
            [] => None,
            logs if clean => Some(unneeded(logs, intact)),
            logs => Some(recover(&mut bytes, intact, logs)),
        };
        let applied = replay
            .as_ref()
            .is_some_and(|replay| !replay.used.is_empty());
        let header = match BaseBlock::read(&bytes) {
            Some(header) => header,
            None => rebuild(&mut bytes, &mut problems).ok_or(HiveError::NotAHive)?,
        };
        if bytes.len() <= BASE_BLOCK_SIZE {
            return Err(HiveError::NoKeys(length));
        }
        let header = with_root(&mut bytes, header, &mut problems);
        if !header.intact {
            let message = "the base block is damaged: its checksum does not fit".to_owned();
            problems.push(Problem { at: 0, message });
        } else if intact.is_none() && applied {
            let message =
                "the base block is damaged; the one of the transaction log is used".to_owned();
            problems.push(Problem { at: 0, message });
        }
        problems.extend(bins::problems(&bytes, header.hbins_size));
        let names: Vec<&str> = logs.iter().map(|(name, _)| *name).collect();
        let half = transaction_log::is_one_of_two(&names);
        let lost = replay.as_ref().is_some_and(|replay| {
            replay.lost_something() || half && !replay.is_complete_alone(intact)
        });
        let state = match (clean, applied) {
            (true, _) => State::Clean,
            (false, true) if !lost => State::Replayed,
            _ => State::Stale,
        };
        Ok(Hive {
            bytes,
            header,
            state,
            replay,
            problems,
            remarks: Mutex::default(),
            survey: OnceLock::new(),
        })
    }

    /// The key at `path`: names with `\` between them, in whatever case; empty for the root.
    pub fn key(&self, path: &str) -> Lookup<Key<'_>> {
        match Key::root(self) {
            Ok(root) => root.key(path),
            Err(trouble) => Lookup::Unreadable(trouble),
        }
    }

    /// The base block, as it stands after the transaction logs were applied.
    pub fn header(&self) -> &BaseBlock {
        &self.header
    }

    /// The name of the hive that its base block gives: the end of its path, or the name that it was saved under.
    pub fn name_in_header(&self) -> &str {
        &self.header.name
    }

    /// How far what is read is what Windows would see.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether values may be older than what the machine last wrote.
    pub fn is_stale(&self) -> bool {
        self.state == State::Stale
    }

    /// What was done with the transaction logs; `None` when none were given.
    pub fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    /// What is wrong with the hive as a whole, and what the two readers disagreed about so far, by place.
    pub fn problems(&self) -> Vec<Problem> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = self.problems.clone();
        problems.extend(remarks.iter().cloned());
        problems.sort();
        problems
    }

    /// What a walk over every key finds. The walk is made once.
    pub fn survey(&self) -> &Survey {
        self.survey.get_or_init(|| survey::survey(self))
    }

    /// The newest last-write time of a key. The base block's own time is in [`Hive::header`]; newer Windows leave it empty.
    pub fn newest_write(&self) -> Option<Timestamp> {
        self.survey().newest_write
    }

    /// The hive with its logs applied, as the two readers see it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn cells(&self) -> Cells<'_> {
        Cells::new(&self.bytes)
    }

    /// Keeps something that was noticed while a question was answered.
    fn remark(&self, at: u64, message: String) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.insert(Problem { at, message });
    }
}

/// The report on logs that a clean hive does not need.
fn unneeded(logs: &[(&str, &dyn ReadAt)], header: Option<&BaseBlock>) -> Replay {
    let ignored = logs
        .iter()
        .map(|(name, _)| ((*name).to_owned(), Ignored::Clean));
    Replay {
        used: Vec::new(),
        ignored: ignored.collect(),
        sequence: header.map_or(0, |header| header.secondary_sequence),
    }
}

/// Reads the logs and applies them.
fn recover(
    bytes: &mut Vec<u8>,
    header: Option<&BaseBlock>,
    logs: &[(&str, &dyn ReadAt)],
) -> Replay {
    let mut readable = Vec::new();
    let mut unreadable = Vec::new();
    for (name, source) in logs {
        match source.read_all(LARGEST as u64) {
            Ok(bytes) => readable.push(transaction_log::Log { name, bytes }),
            Err(error) => unreadable.push(((*name).to_owned(), Ignored::Read(error.to_string()))),
        }
    }
    let mut replay = transaction_log::replay(bytes, header, readable);
    replay.ignored.append(&mut unreadable);
    replay
}

/// Makes a new base block for bins that have lost theirs, without a root: that is looked for later.
fn rebuild(bytes: &mut [u8], problems: &mut Vec<Problem>) -> Option<BaseBlock> {
    base_block::synthesize(bytes, cell::NIL);
    let message = "the base block is gone and was made anew".to_owned();
    problems.push(Problem { at: 0, message });
    BaseBlock::read(bytes)
}

/// Looks for the root key where the base block names another place for it.
fn with_root(bytes: &mut [u8], header: BaseBlock, problems: &mut Vec<Problem>) -> BaseBlock {
    if key_node::KeyNode::read(Cells::new(bytes), header.root).is_ok() {
        return header;
    }
    // Without a base block of its own, nothing says where it is.
    let named = (header.root != cell::NIL).then(|| cell::position(header.root));
    let Some(root) = bins::find_root(bytes) else {
        let message = "the root key is unreadable, so no key can be looked up".to_owned();
        let at = named.unwrap_or(0);
        problems.push(Problem { at, message });
        return header;
    };
    let (at, message) = match named {
        Some(at) => (
            at,
            "the root key is not where the base block says; it was found by its mark",
        ),
        None => (cell::position(root), "the root key was found by its mark"),
    };
    let message = message.to_owned();
    problems.push(Problem { at, message });
    base_block::set_root(bytes, root);
    BaseBlock { root, ..header }
}
