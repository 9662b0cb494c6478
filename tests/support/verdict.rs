//! Diagnosing a collection within the test's own process, and what of the report two collections are compared by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Finding, Level, Report, Role, Status, TestRole, TruthValue};
use rdptriage::{Hashing, Options};
use tempfile::TempDir;

/// The files of a collection: their paths in it, and their bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The built-in rules.
pub fn rules() -> RuleSet {
    RuleSet::builtin().expect("the built-in rules load")
}

/// Writes the files into a folder of their own, as a user would have collected them.
pub fn collect(files: &Files) -> TempDir {
    let folder = TempDir::new().expect("a folder for the collection");
    for (name, bytes) in files {
        write(folder.path(), name, bytes);
    }
    folder
}

/// Writes one file of a collection.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap_or(folder)).expect("a folder");
    std::fs::write(path, bytes).expect("written");
}

/// What these inputs come to.
pub fn diagnosed(inputs: &[PathBuf], rules: &RuleSet) -> Vec<Report> {
    rdptriage::diagnose(inputs, rules, &unhashed()).expect("something to read")
}

/// As users have it, but without hashes, which no verdict rests on.
pub fn unhashed() -> Options {
    Options {
        hashing: Hashing::Off,
        ..Options::default()
    }
}

/// The one report on a collection of one host.
pub fn diagnosed_folder(folder: &Path, rules: &RuleSet) -> Report {
    let mut reports = diagnosed(&[folder.to_owned()], rules);
    assert_eq!(reports.len(), 1, "one host");
    reports.remove(0)
}

/// The one report on files of one host, as users have it.
pub fn report(files: &Files) -> Report {
    report_with(files, &unhashed())
}

/// The same with options of its own.
pub fn report_with(files: &Files, options: &Options) -> Report {
    let folder = collect(files);
    let mut reports =
        rdptriage::diagnose(&[folder.path().to_owned()], &rules(), options).expect("readable");
    assert_eq!(reports.len(), 1, "one host");
    reports.remove(0)
}

/// Status, cause and state in one line.
pub fn says(report: &Report) -> String {
    let verdict = &report.verdict;
    let cause = verdict.cause.as_deref().unwrap_or("-");
    format!("{:?} {cause} {}", verdict.status, verdict.state).to_lowercase()
}

/// What a rule came to.
pub fn finding<'r>(report: &'r Report, cause: &str) -> &'r Finding {
    let mut findings = report.findings.iter();
    let found = findings.find(|finding| finding.cause == cause);
    found.unwrap_or_else(|| panic!("no rule {cause}"))
}

pub fn level(report: &Report, cause: &str) -> Level {
    finding(report, cause).level
}

pub fn role(report: &Report, cause: &str) -> Role {
    finding(report, cause).role
}

/// What a report says, without the words and the times: what must not change when the same case is told differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub status: Status,
    pub cause: Option<String>,
    pub state: String,
    pub levels: BTreeMap<String, (Level, String)>,
    /// The rules of which a decisive is true.
    pub decided: BTreeSet<String>,
}

impl Said {
    pub fn of(report: &Report) -> Self {
        let levels = report.findings.iter().map(|finding| {
            let role = format!("{:?}", finding.role);
            (finding.cause.clone(), (finding.level, role))
        });
        let decided = report.findings.iter().filter(|finding| {
            finding
                .tests
                .iter()
                .any(|test| test.role == TestRole::Decisive && test.truth == TruthValue::True)
        });
        Said {
            status: report.verdict.status,
            cause: report.verdict.cause.clone(),
            state: report.verdict.state.clone(),
            levels: levels.collect(),
            decided: decided.map(|finding| finding.cause.clone()).collect(),
        }
    }

    pub fn level(&self, cause: &str) -> Level {
        self.levels
            .get(cause)
            .map_or(Level::Undetermined, |(level, _)| *level)
    }
}

/// Everything that a rule explains, directly or through others, whatever it came to.
pub fn explained_by(rules: &RuleSet, id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![id.to_owned()];
    while let Some(next) = open.pop() {
        for consequence in rules
            .rule(&next)
            .into_iter()
            .flat_map(|rule| &rule.explains)
        {
            if found.insert(consequence.clone()) {
                open.push(consequence.clone());
            }
        }
    }
    found
}
