//! Which finding is the verdict, and what part the others play in it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::graph::Explanations;
use super::model::{Role, Status};
use crate::facts::catalog::session::SessionDrops;
use crate::facts::fact::{FactId, FactSet};
use crate::facts::incident::ConnectionState;
use crate::facts::value::{FieldState, Value};
use crate::rules::RuleSet;
use crate::rules::eval::{Evaluation, Hold, evaluate};
use crate::rules::level::Level;
use crate::rules::model::{Rule, Standing, TestRole};

/// What one rule came to, and its part in the verdict.
#[derive(Debug, Clone)]
pub struct Judged<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// What its tests came to.
    pub evaluation: Evaluation,
    /// Its part.
    pub role: Role,
}

/// What all rules came to, and what follows from it. Lists hold rule ids.
#[derive(Debug, Clone)]
pub struct Judgement<'r> {
    /// Every rule, by id.
    pub findings: Vec<Judged<'r>>,
    /// How sure the verdict is.
    pub status: Status,
    /// The verdict; none for healthy and inconclusive.
    pub cause: Option<&'r str>,
    /// Causes beside it, in order.
    pub also: Vec<&'r str>,
    /// What it explains, nearest to the cause first, else by id.
    pub consequences: Vec<&'r str>,
    /// What makes it worse.
    pub contributing: Vec<&'r str>,
    /// Faults that do no harm yet.
    pub latent: Vec<&'r str>,
    /// Kinds of the verdict that the evidence cannot tell apart.
    pub candidates: Vec<&'r str>,
}

impl<'r> Judgement<'r> {
    /// The finding of that rule.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<&Judged<'r>> {
        self.findings.iter().find(|finding| finding.rule.id == id)
    }
}

/// Judges the facts of one host by every rule.
#[must_use]
pub fn judge<'r>(rules: &'r RuleSet, facts: &mut FactSet) -> Judgement<'r> {
    let evaluations: BTreeMap<&str, Weighed<'r>> = rules
        .rules()
        .map(|rule| {
            (
                rule.id.as_str(),
                Weighed {
                    rule,
                    evaluation: evaluate(rule, facts),
                },
            )
        })
        .collect();
    let first_failure = facts.anchors.first_failure.settled().copied().flatten();
    let ranking = Ranking {
        drops_are_hidden: drops_are_hidden(facts),
        ..Ranking::new(evaluations, first_failure)
    };
    ranking.judgement(facts.anchors.state)
}

/// Whether damage may hide that people who get in are thrown out.
fn drops_are_hidden(facts: &FactSet) -> bool {
    let hidden = Some(&FieldState::Is(Value::Bool(true)));
    facts
        .of_kind(SessionDrops::KIND)
        .any(|fact| fact.field("hidden") == hidden)
}

#[derive(Debug, Clone)]
struct Weighed<'r> {
    rule: &'r Rule,
    evaluation: Evaluation,
}

impl Weighed<'_> {
    fn decided(&self) -> bool {
        self.rule.tests_of(TestRole::Decisive).any(|(place, _)| {
            self.evaluation
                .truths
                .get(place)
                .is_some_and(|truth| truth.is_true())
        })
    }

    /// Likely by a support alone.
    fn weak(&self) -> bool {
        self.evaluation.level == Level::Likely && !self.decided()
    }

    fn is_symptom(&self) -> bool {
        self.rule.standing == Standing::Symptom
    }

    fn level(&self) -> Level {
        self.evaluation.level
    }
}

struct Ranking<'r> {
    rules: BTreeMap<&'r str, Weighed<'r>>,
    holds: BTreeMap<&'r str, Hold>,
    graph: Explanations<'r>,
    first_failure: Option<Timestamp>,
    drops_are_hidden: bool,
}

/// What becomes of weak causes: by id, the symptoms that each is a candidate for (none: it is only named).
type SetAside<'r> = BTreeMap<&'r str, Vec<&'r str>>;

impl<'r> Ranking<'r> {
    fn new(rules: BTreeMap<&'r str, Weighed<'r>>, first_failure: Option<Timestamp>) -> Self {
        let graph = Explanations::new(
            rules
                .iter()
                .map(|(id, weighed)| (*id, weighed.level(), weighed.rule.explains.as_slice())),
        );
        let holds = rules
            .iter()
            .map(|(id, weighed)| (*id, hold(weighed, &rules)))
            .collect();
        Ranking {
            rules,
            holds,
            graph,
            first_failure,
            drops_are_hidden: false,
        }
    }

    fn active(&self, id: &str) -> bool {
        self.holds.get(id) == Some(&Hold::Active)
    }

    /// What may be a verdict, and may explain another: confirmed or likely, neither latent nor contributing, and not by a support
    /// alone where nothing of what it would do is so.
    fn standing(&self) -> BTreeSet<&'r str> {
        let stands = self.rules.iter().filter(|(id, weighed)| {
            let idle = weighed.weak() && self.does_nothing(weighed.rule);
            weighed.level().stands() && self.active(id) && !idle
        });
        stands.map(|(id, _)| *id).collect()
    }

    /// Whether everything that the rule explains is ruled out.
    fn does_nothing(&self, rule: &Rule) -> bool {
        let mut explained = rule
            .explains
            .iter()
            .filter_map(|id| self.rules.get(id.as_str()))
            .peekable();
        explained.peek().is_some() && explained.all(|other| other.level() == Level::RuledOut)
    }

    /// Weak causes that are no verdict: several that explain the same symptom, which nothing confirmed explains, are its candidates;
    /// where something confirmed explains it, or is what they explain, they are only named.
    fn set_aside(&self, standing: &BTreeSet<&'r str>) -> SetAside<'r> {
        let (weak, firm): (Vec<&'r str>, Vec<&'r str>) = standing
            .iter()
            .copied()
            .partition(|id| self.rules[id].weak() && !self.rules[id].is_symptom());
        let confirmed: Vec<&str> = firm
            .into_iter()
            .filter(|id| self.rules[id].level() == Level::Confirmed)
            .collect();
        let mut aside = SetAside::new();
        for id in &weak {
            let explained: Vec<&'r str> = self.graph.of(id).collect();
            let symptoms: Vec<&'r str> = explained
                .iter()
                .copied()
                .filter(|other| self.rules[other].is_symptom())
                .collect();
            // The symptoms it explains that no other of them explains: those it would be a kind of.
            let nearest: Vec<&'r str> = symptoms
                .iter()
                .copied()
                .filter(|symptom| {
                    !symptoms
                        .iter()
                        .any(|other| self.graph.explains(other, symptom))
                })
                .collect();
            let open: Vec<&'r str> = nearest
                .iter()
                .copied()
                .filter(|symptom| {
                    !confirmed
                        .iter()
                        .any(|other| self.graph.explains(other, symptom))
                })
                .collect();
            let shared: Vec<&'r str> = open
                .iter()
                .copied()
                .filter(|symptom| {
                    weak.iter()
                        .filter(|other| self.graph.explains(other, symptom))
                        .count()
                        > 1
                })
                .collect();
            let explains_confirmed_cause = explained
                .iter()
                .any(|other| confirmed.contains(other) && !self.rules[other].is_symptom());
            let only_named = (shared.is_empty() && explains_confirmed_cause)
                || (!nearest.is_empty() && open.is_empty());
            if !shared.is_empty() || only_named {
                aside.insert(id, if only_named { Vec::new() } else { shared });
            }
        }
        aside
    }

    /// Whether the one, by explaining the other, keeps it from being the verdict. A symptom does so to a cause only when several kinds
    /// of fault lie open behind it: certificate-expired rests on the very renewal that certificate-renewal-failing reports, and stays
    /// the cause; behind a key that cannot be used stands a fault that is deeper than the certificate's end.
    fn dethrones(&self, one: &str, other: &str, aside: &SetAside<'r>) -> bool {
        let is_symptom = |id: &str| self.rules[id].is_symptom();
        let has_kinds = aside.values().flatten().any(|symptom| *symptom == one);
        self.graph.explains(one, other) && (!is_symptom(one) || is_symptom(other) || has_kinds)
    }

    /// Confirmed causes, else likely causes, else confirmed symptoms, else likely symptoms.
    fn tier(&self, id: &str) -> u8 {
        let weighed = &self.rules[id];
        match (weighed.is_symptom(), weighed.level()) {
            (false, Level::Confirmed) => 0,
            (false, Level::Likely) => 1,
            (true, Level::Confirmed) => 2,
            (true, Level::Likely) => 3,
            (false, _) => 4,
            (true, _) => 5,
        }
    }

    /// Independent causes: the latest that is not after the first failure first, then those after it, then those without a time.
    fn order(&self, id: &'r str) -> impl Ord + use<'r> {
        let time = match (self.rules[id].evaluation.fault, self.first_failure) {
            (Some(fault), Some(failure)) if fault > failure => (1, Some(fault), Reverse(None)),
            (Some(fault), _) => (0, None, Reverse(Some(fault))),
            (None, _) => (2, None, Reverse(None)),
        };
        (self.tier(id), time, id)
    }

    fn judgement(self, state: ConnectionState) -> Judgement<'r> {
        let standing = self.standing();
        let mut aside = self.set_aside(&standing);
        let eligible: BTreeSet<&'r str> = standing
            .iter()
            .copied()
            .filter(|id| !aside.contains_key(id))
            .collect();
        let mut found: Vec<&'r str> = eligible
            .iter()
            .copied()
            .filter(|id| {
                !eligible
                    .iter()
                    .any(|other| self.dethrones(other, id, &aside))
            })
            .collect();
        if found.is_empty() {
            let possible = self
                .rules
                .iter()
                .filter(|(id, weighed)| weighed.level() == Level::Possible && self.active(id));
            found = possible.map(|(id, _)| *id).collect();
            // Symptoms that are merely possible say nothing beside a possible cause.
            let first = found.iter().map(|id| self.tier(id)).min();
            let symptoms: Vec<&'r str> = found
                .iter()
                .copied()
                .filter(|id| self.rules[id].is_symptom())
                .collect();
            found.retain(|id| Some(self.tier(id)) == first);
            self.gather_kinds(&mut found, &symptoms, &mut aside);
        }
        found.sort_by_key(|id| self.order(id));
        let cause = found.first().copied();
        let also = self.beside(&found);
        let chosen: BTreeSet<&str> = cause.iter().chain(&also).copied().collect();
        let folded = |of: &[&'r str]| -> Vec<&'r str> {
            let reached: BTreeSet<&'r str> = of.iter().flat_map(|id| self.graph.of(id)).collect();
            reached
                .into_iter()
                .filter(|id| self.active(id) && !chosen.contains(id))
                .collect()
        };
        let mut consequences = folded(cause.as_slice());
        // What explains most of the others is nearest to the cause.
        consequences.sort_by_key(|id| {
            let explained = consequences_among(&self.graph, id, &standing);
            (Reverse(explained), *id)
        });
        let all_folded = folded(&[cause.as_slice(), &also].concat());
        let candidates: Vec<&'r str> = aside
            .iter()
            .filter(|(_, symptoms)| symptoms.iter().any(|symptom| chosen.contains(symptom)))
            .map(|(id, _)| *id)
            .collect();
        let of_hold = |hold: Hold, least: Level| -> Vec<&'r str> {
            let held = self
                .holds
                .iter()
                .filter(|(_, each)| **each == hold)
                .map(|(id, _)| *id);
            held.filter(|id| self.rules[id].level() >= least).collect()
        };
        let contributing = of_hold(Hold::Contributing, Level::Likely);
        let latent = of_hold(Hold::Latent, Level::RuledOut);
        let status = match cause.map(|id| self.rules[id].level()) {
            Some(Level::Confirmed) => Status::Confirmed,
            Some(Level::Likely) => Status::Likely,
            Some(_) => Status::Possible,
            None if self.healthy(state, &contributing, &latent) => Status::Healthy,
            None => Status::Inconclusive,
        };
        let role = |id: &'r str| {
            if cause == Some(id) {
                Role::RootCause
            } else if also.contains(&id) {
                Role::Also
            } else if latent.contains(&id) {
                Role::Latent
            } else if contributing.contains(&id) {
                Role::Contributing
            } else if candidates.contains(&id) {
                Role::Candidate
            } else if all_folded.contains(&id) {
                Role::Consequence
            } else {
                Role::None
            }
        };
        let roles: BTreeMap<&str, Role> = self.rules.keys().map(|id| (*id, role(id))).collect();
        let findings = self
            .rules
            .into_iter()
            .map(|(id, Weighed { rule, evaluation })| Judged {
                rule,
                evaluation,
                role: roles[id],
            })
            .collect();
        Judgement {
            findings,
            status,
            cause,
            also,
            consequences,
            contributing,
            latent,
            candidates,
        }
    }

    /// Where several causes that are merely possible are kinds of one possible symptom, and nothing decides between them, that symptom
    /// is what can be said, and they are its candidates.
    fn gather_kinds(
        &self,
        found: &mut Vec<&'r str>,
        symptoms: &[&'r str],
        aside: &mut SetAside<'r>,
    ) {
        for symptom in symptoms
            .iter()
            .copied()
            .filter(|id| !found.contains(id))
            .collect::<Vec<_>>()
        {
            let kinds: Vec<&'r str> = found
                .iter()
                .copied()
                .filter(|id| {
                    let weighed = &self.rules[id];
                    !weighed.is_symptom()
                        && !weighed.decided()
                        && weighed.rule.explains.iter().any(|other| other == symptom)
                })
                .collect();
            if kinds.len() < 2 {
                continue;
            }
            found.retain(|id| !kinds.contains(id));
            found.push(symptom);
            aside.extend(kinds.into_iter().map(|kind| (kind, vec![symptom])));
        }
    }

    /// What stands beside the verdict. A less sure cause of nothing but what a surer one already explains is a rival of it, not a
    /// second fault.
    fn beside(&self, found: &[&'r str]) -> Vec<&'r str> {
        let Some((cause, others)) = found.split_first() else {
            return Vec::new();
        };
        let top = self.tier(cause);
        let mut explained: BTreeSet<&str> = self.graph.of(cause).collect();
        for id in others.iter().filter(|id| self.tier(id) == top) {
            explained.extend(self.graph.of(id));
        }
        let stands_beside = |id: &&'r str| {
            if self.rules[id].is_symptom() && self.graph.explains(id, cause) {
                return false; // it reports what the cause is about
            }
            if self.tier(id) == top || self.rules[id].is_symptom() {
                return self.rules[id].level() == self.rules[cause].level()
                    || self.rules[id].level().stands();
            }
            let mut own = self.graph.of(id).peekable();
            let idle = own.peek().is_none();
            let rival = own.all(|consequence| explained.contains(consequence));
            !(rival && (!idle || self.rules[id].weak())) && self.rules[id].level().stands()
        };
        others.iter().copied().filter(stands_beside).collect()
    }

    /// Nothing stands: is that because nothing is wrong?
    fn healthy(&self, state: ConnectionState, contributing: &[&str], latent: &[&str]) -> bool {
        let all_ruled_out = || {
            self.rules.iter().all(|(id, weighed)| {
                weighed.level() == Level::RuledOut
                    || contributing.contains(id)
                    || latent.contains(id)
            })
        };
        match state {
            ConnectionState::Succeeding => !self.drops_are_hidden,
            ConnectionState::Silent | ConnectionState::Unseen => all_ruled_out(),
            ConnectionState::Mixed | ConnectionState::Dropping | ConnectionState::Failing => false,
        }
    }
}

fn consequences_among(graph: &Explanations<'_>, id: &str, among: &BTreeSet<&str>) -> usize {
    graph.of(id).filter(|other| among.contains(other)).count()
}

/// What kind of finding it is: what its tests make it, and latent too when it explains something and all of that is ruled out.
fn hold(weighed: &Weighed<'_>, rules: &BTreeMap<&str, Weighed<'_>>) -> Hold {
    let Weighed { rule, evaluation } = weighed;
    let required = rule.tests_of(TestRole::Require).all(|(place, _)| {
        evaluation
            .truths
            .get(place)
            .is_some_and(|truth| truth.is_true())
    });
    let harmless = !rule.explains.is_empty()
        && rule.explains.iter().all(|id| {
            rules
                .get(id.as_str())
                .is_some_and(|other| other.level() == Level::RuledOut)
        });
    if evaluation.hold == Hold::Active
        && evaluation.level.stands()
        && required
        && weighed.decided()
        && harmless
    {
        Hold::Latent
    } else {
        evaluation.hold
    }
}

/// The facts that a finding rests on: what filled its tests.
#[must_use]
pub fn evidence(finding: &Judged<'_>) -> Vec<FactId> {
    finding.evaluation.evidence()
}

#[cfg(test)]
mod tests;
