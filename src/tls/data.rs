//! The tables in `data/`, built into the program.

use serde::de::DeserializeOwned;

/// Parses a built-in table. It panics where the table is broken, which a test of every table keeps from being released.
pub(super) fn embedded<T: DeserializeOwned>(text: &str, file: &str) -> T {
    match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => panic!("the built-in table {file} is broken: {error}"),
    }
}
