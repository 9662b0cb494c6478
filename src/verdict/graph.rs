//! What explains what on one host.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::level::Level;

/// The explanations that hold on one host. An edge holds when the consequence is confirmed or likely; explanations pass through
/// any rule that is not ruled out.
#[derive(Debug, Clone)]
pub struct Explanations<'a> {
    reach: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Explanations<'a> {
    /// Builds them from what each rule came to, and the ids that it names in `explains`.
    pub fn new(rules: impl IntoIterator<Item = (&'a str, Level, &'a [String])>) -> Self {
        let rules: BTreeMap<&str, (Level, &[String])> = rules
            .into_iter()
            .map(|(id, level, explains)| (id, (level, explains)))
            .collect();
        let mut reach = BTreeMap::new();
        for start in rules.keys().copied() {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            let mut held = BTreeSet::new();
            let mut open = vec![start];
            while let Some(id) = open.pop() {
                let Some((_, explains)) = rules.get(id) else {
                    continue;
                };
                for next in explains.iter() {
                    let Some((level, _)) = rules.get(next.as_str()) else {
                        continue;
                    };
                    if *level == Level::RuledOut || !seen.insert(next) {
                        continue;
                    }
                    if level.stands() {
                        held.insert(next.as_str());
                    }
                    open.push(next);
                }
            }
            reach.insert(start, held);
        }
        Explanations { reach }
    }

    /// What a rule explains, directly or through others: what of it is confirmed or likely.
    pub fn of(&self, id: &str) -> impl Iterator<Item = &'a str> + '_ {
        self.reach.get(id).into_iter().flatten().copied()
    }

    /// Whether the one explains the other.
    #[must_use]
    pub fn explains(&self, cause: &str, consequence: &str) -> bool {
        self.reach
            .get(cause)
            .is_some_and(|reach| reach.contains(consequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(rules: &[(&'static str, Level, &[&str])]) -> Vec<(String, String)> {
        let owned: Vec<(&str, Level, Vec<String>)> = rules
            .iter()
            .map(|(id, level, explains)| {
                (
                    *id,
                    *level,
                    explains.iter().map(|id| (*id).to_owned()).collect(),
                )
            })
            .collect();
        let graph = Explanations::new(
            owned
                .iter()
                .map(|(id, level, explains)| (*id, *level, explains.as_slice())),
        );
        owned
            .iter()
            .flat_map(|(id, ..)| {
                graph
                    .of(id)
                    .map(|other| ((*id).to_owned(), other.to_owned()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn an_edge_holds_when_the_consequence_is_confirmed_or_likely() {
        for (level, holds) in [
            (Level::Confirmed, true),
            (Level::Likely, true),
            (Level::Possible, false),
            (Level::Undetermined, false),
            (Level::RuledOut, false),
        ] {
            let found = graph(&[("a", Level::Confirmed, &["b"]), ("b", level, &[])]);
            assert_eq!(!found.is_empty(), holds, "{level}");
        }
    }

    #[test]
    fn edges_pass_through_whatever_is_not_ruled_out() {
        for (level, passes) in [
            (Level::Undetermined, true),
            (Level::Possible, true),
            (Level::RuledOut, false),
        ] {
            let found = graph(&[
                ("a", Level::Confirmed, &["b"]),
                ("b", level, &["c"]),
                ("c", Level::Confirmed, &[]),
            ]);
            assert_eq!(
                found.contains(&("a".to_owned(), "c".to_owned())),
                passes,
                "{level}"
            );
        }
    }
}
