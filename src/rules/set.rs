//! A set of rules: the built-in ones, and those that a user adds.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::builtin;
use super::check;
use super::error::{RuleError, RuleErrors};
use super::load::{Loaded, load};
use super::model::Rule;

/// How large a rule file may be, in bytes. The largest built-in one has a hundredth of that.
pub const LARGEST_FILE: u64 = 1 << 20;

/// Reads the text of a rule file.
///
/// # Errors
/// What the system says, and [`std::io::ErrorKind::FileTooLarge`] for what is no rule.
pub fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!(
                "more than the {LARGEST_FILE} bytes that a rule file may have; write one rule into each file"
            ),
        ));
    }
    Ok(text)
}

/// Rules that fit together.
#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: BTreeMap<String, Loaded>,
    replaced: Vec<Replaced>,
}

/// A built-in rule that a user's rule replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The id of both.
    pub id: String,
    /// The name of the user's file, without folders.
    pub file: String,
}

/// Whether rules must carry their cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cases {
    /// At least one each of confirmed, ruled-out and undetermined.
    Required,
    /// As many as there are.
    Optional,
}

impl RuleSet {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// What is wrong with them; a test sees to it that nothing is.
    pub fn builtin() -> Result<Self, RuleErrors> {
        Self::from_texts(builtin::FILES.iter().copied(), Cases::Required)
    }

    /// The rules in these files: names and texts.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn from_texts<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        cases: Cases,
    ) -> Result<Self, RuleErrors> {
        let empty = RuleSet {
            rules: BTreeMap::new(),
            replaced: Vec::new(),
        };
        empty.with_texts(files, cases)
    }

    /// With every `*.toml` of a folder: rules are added, and those that have the id of one here replace it.
    ///
    /// # Errors
    /// A folder or file that cannot be read, a folder without rules, and everything that is wrong with these.
    pub fn with_dir(self, folder: &Path, cases: Cases) -> Result<Self, RuleErrors> {
        let unreadable = |path: &Path, error: &std::io::Error| {
            RuleErrors(vec![RuleError {
                file: path.display().to_string(),
                message: format!("cannot be read: {error}"),
                help: None,
                place: None,
            }])
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
            let path = entry.map_err(|error| unreadable(folder, &error))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
            {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(RuleErrors(vec![RuleError {
                file: folder.display().to_string(),
                message: "no rules in this folder".to_owned(),
                help: Some("rules are files named *.toml".to_owned()),
                place: None,
            }]));
        }
        let mut files = Vec::new();
        for path in &paths {
            let text = read_file(path).map_err(|error| unreadable(path, &error))?;
            files.push((path.display().to_string(), text));
        }
        self.with_texts(
            files
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str())),
            cases,
        )
    }

    fn with_texts<'a>(
        mut self,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        cases: Cases,
    ) -> Result<Self, RuleErrors> {
        let mut errors = Vec::new();
        let mut added = Vec::new();
        for (name, text) in files {
            match load(name, text) {
                Ok(loaded) => added.push(loaded),
                Err(found) => errors.extend(found),
            }
        }
        errors.extend(check::duplicates(&added));
        if cases == Cases::Required {
            errors.extend(added.iter().flat_map(check::cases));
        }
        // Whether what is explained is there can only be told when every file could be read.
        let complete = errors.is_empty();
        for loaded in added {
            let id = loaded.rule.id.clone();
            let file = loaded.rule.file.clone();
            if self.rules.insert(id.clone(), loaded).is_some() {
                self.replaced.push(Replaced { id, file });
            }
        }
        if complete {
            errors.extend(check::explanations(&self.rules));
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(RuleErrors(errors))
        }
    }

    /// Every rule, by id.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().map(|loaded| &loaded.rule)
    }

    /// The rule of that id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id).map(|loaded| &loaded.rule)
    }

    /// The built-in rules that were replaced.
    #[must_use]
    pub fn replaced(&self) -> &[Replaced] {
        &self.replaced
    }

    /// A rule's file as it was written.
    #[must_use]
    pub fn text(&self, id: &str) -> Option<&str> {
        self.rules.get(id).map(|loaded| loaded.text.as_str())
    }
}
