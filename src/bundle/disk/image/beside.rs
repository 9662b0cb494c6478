//! The other files of an image: its parent, its extents, its further segments. They lie in its own folder; a path that an image
//! names is a path of the machine that it was made on, so that only the name at its end counts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::bundle::source::{FileSource, ReadAt};

/// The folder of an image; without one, nothing is beside it.
#[derive(Debug, Default)]
pub(in crate::bundle::disk) struct Beside {
    folder: Option<PathBuf>,
    own_name: String,
    opened: Mutex<BTreeSet<PathBuf>>,
}

impl Beside {
    /// What is beside the file of that path.
    pub(in crate::bundle::disk) fn of(file: &std::path::Path) -> Self {
        Beside {
            folder: file.parent().map(PathBuf::from),
            own_name: file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            opened: Mutex::default(),
        }
    }

    /// The image's own file name.
    pub(super) fn own_name(&self) -> &str {
        &self.own_name
    }

    /// Opens the file that a path, as Windows or others write it, ends in; in whatever case it is written there.
    pub(super) fn open(&self, path: &str) -> Option<Arc<dyn ReadAt>> {
        let name = path.rsplit(['\\', '/']).next()?.trim();
        let folder = self.folder.as_ref()?;
        if name.is_empty() || name == "." || name == ".." {
            return None;
        }
        let exact = folder.join(name);
        let found = if exact.is_file() {
            exact
        } else {
            let mut same: Vec<PathBuf> = std::fs::read_dir(folder)
                .ok()?
                .filter_map(Result::ok)
                .filter(|entry| {
                    entry
                        .file_name()
                        .to_string_lossy()
                        .eq_ignore_ascii_case(name)
                })
                .map(|entry| entry.path())
                .filter(|path| path.is_file())
                .collect();
            same.sort();
            same.into_iter().next()?
        };
        let source = FileSource::open(&found).ok()?;
        if let Ok(mut opened) = self.opened.lock() {
            opened.insert(found);
        }
        Some(Arc::new(source))
    }

    /// Every file that was opened.
    pub(in crate::bundle::disk) fn opened(&self) -> BTreeSet<PathBuf> {
        self.opened
            .lock()
            .map(|opened| opened.clone())
            .unwrap_or_default()
    }
}
