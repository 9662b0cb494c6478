//! Where a fact stands, in as few letters as still lead there.

use std::collections::{BTreeMap, BTreeSet};

use crate::verdict::model::{FactEntry, Report, SourceEntry};

/// How deep facts that were computed from facts are followed to a place in a file.
const DEPTH: usize = 6;

/// Finds and shortens the places of one report.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    facts: BTreeMap<&'a str, &'a FactEntry>,
    /// File names that more than one artifact bears, so that the folder has to be named too.
    shared_names: BTreeSet<&'a str>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let mut names = BTreeSet::new();
        let mut shared_names = BTreeSet::new();
        for artifact in &report.artifacts {
            let name = last_part(&artifact.path);
            if !names.insert(name) {
                shared_names.insert(name);
            }
        }
        Sources {
            facts: report
                .facts
                .iter()
                .map(|fact| (fact.id.as_str(), fact))
                .collect(),
            shared_names,
        }
    }

    /// The fact of that name.
    pub(super) fn fact(&self, id: &str) -> Option<&'a FactEntry> {
        self.facts.get(id).copied()
    }

    /// Where a fact stands: its first place, and how many more there are. Where there is room, values have their names.
    pub(super) fn place(&self, fact: &FactEntry, wide: bool) -> String {
        let mut places = BTreeSet::new();
        let first = self.places(fact, wide, DEPTH, &mut places);
        match (first, places.len()) {
            (None, _) => "computed".to_owned(),
            (Some(first), 0 | 1) => first,
            (Some(first), count) => format!("{first} (+{})", count - 1),
        }
    }

    /// The places themselves, in the fact's own order, each once; at most so many.
    pub(super) fn leaves(&self, fact: &'a FactEntry, most: usize) -> Vec<&'a SourceEntry> {
        let mut found = Vec::new();
        self.follow(fact, DEPTH, most, &mut found);
        found
    }

    fn follow(
        &self,
        fact: &'a FactEntry,
        depth: usize,
        most: usize,
        found: &mut Vec<&'a SourceEntry>,
    ) {
        for source in &fact.sources {
            if found.len() >= most {
                return;
            }
            match &source.facts {
                Some(ids) if depth > 0 => {
                    for under in ids.iter().filter_map(|id| self.fact(id)) {
                        self.follow(under, depth - 1, most, found);
                    }
                }
                Some(_) => {}
                None if !found.contains(&source) => found.push(source),
                None => {}
            }
        }
    }

    /// The first place in the fact's own order; all of them go to `places`.
    fn places(
        &self,
        fact: &FactEntry,
        wide: bool,
        depth: usize,
        places: &mut BTreeSet<String>,
    ) -> Option<String> {
        let mut first = None;
        for source in &fact.sources {
            let found = match &source.facts {
                Some(ids) if depth > 0 => ids
                    .iter()
                    .filter_map(|id| self.fact(id))
                    .map(|under| self.places(under, wide, depth - 1, places))
                    .fold(None, Option::or),
                Some(_) => None,
                None => {
                    let place = self.one(source, wide);
                    places.insert(place.clone());
                    Some(place)
                }
            };
            first = first.or(found);
        }
        first
    }

    fn one(&self, source: &SourceEntry, wide: bool) -> String {
        let file = source.artifact.as_deref().map(|path| self.file(path));
        if let Some(number) = source.record {
            return format!("{} #{number}", file.unwrap_or_default());
        }
        if let Some(key) = &source.key {
            let mut hive = file.unwrap_or_default();
            // An export as text has lines, where a hive has none.
            if let Some(line) = source.line {
                hive = format!("{hive}:{line}");
            }
            let key = match (last_part(key), last_part(key).len() < key.len()) {
                (last, true) => format!("…\\{last}"),
                (last, false) => last.to_owned(),
            };
            return match &source.value {
                Some(value) if wide => format!("{hive}!{key}:{value}"),
                _ => format!("{hive}!{key}"),
            };
        }
        if let Some(thumbprint) = &source.thumbprint {
            return format!("certificate {}", fingerprint(thumbprint));
        }
        if let Some(line) = source.line {
            return format!("{}:{line}", file.unwrap_or_default());
        }
        if let Some(option) = &source.option {
            return option.clone();
        }
        file.unwrap_or_else(|| "computed".to_owned())
    }

    fn file(&self, path: &str) -> String {
        let name = last_part(path);
        if !self.shared_names.contains(name) {
            return name.to_owned();
        }
        let folder = path
            .strip_suffix(name)
            .map(|rest| last_part(rest.trim_end_matches(['/', '\\'])));
        match folder {
            Some(folder) if !folder.is_empty() => format!("{folder}/{name}"),
            _ => name.to_owned(),
        }
    }
}

/// What stands after the last slash of either kind.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// `9F3C…41D2`.
pub(super) fn fingerprint(thumbprint: &str) -> String {
    let letters: Vec<char> = thumbprint.chars().collect();
    match letters.len() {
        0..=12 => thumbprint.to_owned(),
        count => letters[..4]
            .iter()
            .chain(&['…'])
            .chain(&letters[count - 4..])
            .collect(),
    }
}
