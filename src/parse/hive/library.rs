//! The only place that calls nt-hive, and that knows what makes it panic or err.
//!
//! What is kept away from it, as measured on version 0.3.0: its checks of the base block (a panic without the signature);
//! every reference that our own walk found to be damaged (a panic on offset -1); the data of empty values (the same); long
//! values of hives before version 1.4 (taken for big data); its readers of numbers (messages with addresses of the stack
//! in them). Whatever is left that panics is caught here.

use std::panic::AssertUnwindSafe;

use nt_hive::{Hive, KeyNode, NtHiveError};

use crate::contain::contain;

/// What nt-hive answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    Found(T),
    NotFound,
    /// It gave an error, or panicked.
    Failed(String),
}

type Key<'h> = KeyNode<'h, &'h [u8]>;

/// Whether there is a key at `path`, and the name that stands in it.
pub(super) fn key_name(bytes: &[u8], path: &str) -> Answer<String> {
    contained(bytes, path, |key| Ok(Some(key.name()?.to_string_lossy())))
}

/// The data of the value `name` of the key at `path`. Only for a value whose data is not empty, and that our own walk has
/// found to be well placed.
pub(super) fn value_data(bytes: &[u8], path: &str, name: &str) -> Answer<Vec<u8>> {
    contained(bytes, path, |key| match key.value(name) {
        Some(value) => value?.data()?.into_vec().map(Some),
        None => Ok(None),
    })
}

/// Looks for the key at `path` and asks it something, with every panic caught.
fn contained<T>(
    bytes: &[u8],
    path: &str,
    ask: impl FnOnce(Key<'_>) -> Result<Option<T>, NtHiveError>,
) -> Answer<T> {
    let asked = contain(AssertUnwindSafe(|| {
        let hive = Hive::without_validation(bytes)?;
        match hive.root_key_node()?.subpath(path) {
            Some(key) => ask(key?),
            None => Ok(None),
        }
    }));
    match asked {
        Ok(Ok(Some(found))) => Answer::Found(found),
        Ok(Ok(None)) => Answer::NotFound,
        Ok(Err(error)) => Answer::Failed(error.to_string()),
        Err(_) => Answer::Failed("it panicked".to_owned()),
    }
}
