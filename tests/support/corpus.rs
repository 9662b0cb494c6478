//! Real files, where they are at hand: no part of the project.

use std::path::PathBuf;

/// A part of the folder that `RDPTRIAGE_CORPUS` names (`""` is all of it); where it names none, the test says that it is skipped.
pub fn corpus(part: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("RDPTRIAGE_CORPUS") else {
        println!("skipped: RDPTRIAGE_CORPUS names no folder of real files");
        return None;
    };
    Some(PathBuf::from(folder).join(part))
}
