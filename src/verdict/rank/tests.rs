//! Each sentence about graph, order and latency, on small made-up rules.

use super::*;
use crate::facts::catalog::connection::{Passed, Stage};
use crate::facts::catalog::host::{ClockStep, LogCleared, SessionBegan};
use crate::facts::catalog::service::ServiceFailure;
use crate::facts::fact::Source;
use crate::facts::gap::{Gap, Gaps};
use crate::facts::incident::Anchors;
use crate::facts::known::Known;
use crate::rules::Cases;

/// How a made-up rule comes out.
#[derive(Clone, Copy)]
enum Comes {
    Confirmed,
    /// With a true decisive, and an exclude that is open.
    Likely,
    /// By a support alone.
    Weak,
    Possible,
    Undetermined,
    RuledOut,
    /// A true decisive, and somebody connected after it.
    Refuted,
    /// A true decisive, and something else refutes it.
    Disproved,
    /// Only a decisive that is marked so is true.
    LatentOnly,
    ContributingOnly,
    /// Only a require that is marked latent is false.
    Hidden,
}

struct Made {
    id: &'static str,
    standing: &'static str,
    comes: Comes,
    explains: &'static [&'static str],
    /// Minutes after the first failure.
    at: Option<i64>,
}

fn cause(id: &'static str, comes: Comes, explains: &'static [&'static str]) -> Made {
    Made {
        id,
        standing: "cause",
        comes,
        explains,
        at: Some(-5),
    }
}

fn symptom(id: &'static str, comes: Comes, explains: &'static [&'static str]) -> Made {
    Made {
        standing: "symptom",
        ..cause(id, comes, explains)
    }
}

/// The test is true, for the rule's own service fails.
fn yes(role: &str, name: &str, id: &str, more: &str) -> String {
    format!(
        "[[{role}]]\nname = \"{name}\"\nfact = \"service.failure\"\nwhere = {{ service = \"{id}\" }}\nwindow = \"all\"\n{more}\n"
    )
}

/// The test is unknown: the kind was not collected.
fn open(role: &str, name: &str) -> String {
    format!("[[{role}]]\nname = \"{name}\"\nfact = \"log.cleared\"\n")
}

/// The test is false: there is no such fact.
fn no(role: &str, name: &str, more: &str) -> String {
    format!("[[{role}]]\nname = \"{name}\"\nfact = \"clock.step\"\n{more}\n")
}

impl Made {
    fn toml(&self) -> String {
        let id = self.id;
        let decided = yes("decisive", "d", id, "");
        let tests = match self.comes {
            Comes::Confirmed => decided,
            Comes::Likely => decided + &open("exclude", "e"),
            Comes::Weak => open("decisive", "d") + &yes("support", "s", id, ""),
            Comes::Possible => open("require", "r") + &decided,
            Comes::Undetermined => open("decisive", "d"),
            Comes::RuledOut => no("decisive", "d", ""),
            Comes::Refuted => {
                decided
                    + "[[exclude]]\nname = \"e\"\nfact = \"connection.passed\"\nafter = \"fault\"\n"
            }
            Comes::Disproved => {
                decided
                    + "[[exclude]]\nname = \"e\"\nfact = \"host.session_began\"\nwindow = \"all\"\n"
            }
            Comes::LatentOnly => {
                no("decisive", "d", "") + &yes("decisive", "l", id, "standing = \"latent\"")
            }
            Comes::ContributingOnly => {
                no("decisive", "d", "") + &yes("decisive", "c", id, "standing = \"contributing\"")
            }
            Comes::Hidden => no("require", "r", "standing = \"latent\"") + &decided,
        };
        format!(
            "id = \"{id}\"\nfamily = \"tls\"\nstanding = \"{}\"\ntitle = \"{id}\"\nsummary = \"{id}\"\nexplains = {:?}\n{tests}",
            self.standing, self.explains
        )
    }
}

fn at(minutes: i64) -> Timestamp {
    let failure: Timestamp = "2026-03-02T08:10:00Z".parse().unwrap();
    failure
        .checked_add(jiff::SignedDuration::from_mins(minutes))
        .unwrap()
}

fn facts(made: &[Made], state: ConnectionState) -> FactSet {
    let mut gaps = Gaps::default();
    let gap = gaps.record(Gap {
        about: "log.cleared".to_owned(),
        why: String::new(),
        obtain: String::new(),
    });
    let mut facts = FactSet::new(
        gaps,
        Anchors {
            state,
            last_success: Known::Is(Some(at(-10))),
            first_failure: Known::Is(Some(at(0))),
            incident: Some(at(0)),
            last_boot: Known::Open(gap),
            service_start: Known::Open(gap),
            as_of: Some(at(60)),
            oldest: Some(at(-1000)),
            gap,
        },
    );
    facts.miss(LogCleared::KIND, gap);
    for kind in [
        ServiceFailure::KIND,
        Passed::KIND,
        SessionBegan::KIND,
        ClockStep::KIND,
    ] {
        facts.vouch(kind);
    }
    let source = || {
        vec![Source::File {
            artifact: "made up".to_owned(),
        }]
    };
    for each in made {
        let failure = ServiceFailure {
            service: each.id.to_owned(),
            event: 7034,
            code: None,
        };
        facts.add(each.at.map(at), failure, source());
    }
    let passed = Passed {
        stage: Stage::Session,
        client: Known::Is(None),
        affected: Known::Is(false),
        stranger: false,
    };
    facts.add(Some(at(50)), passed, source());
    facts.add(Some(at(50)), SessionBegan { session: 2 }, source());
    facts
}

struct Said {
    status: Status,
    cause: Option<String>,
    also: Vec<String>,
    consequences: Vec<String>,
    contributing: Vec<String>,
    latent: Vec<String>,
    candidates: Vec<String>,
    levels: BTreeMap<String, Level>,
}

fn judged_when(state: ConnectionState, made: &[Made]) -> Said {
    let files: Vec<(String, String)> = made
        .iter()
        .map(|each| (format!("{}.toml", each.id), each.toml()))
        .collect();
    let texts = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let rules =
        RuleSet::from_texts(texts, Cases::Optional).unwrap_or_else(|errors| panic!("{errors}"));
    let mut facts = facts(made, state);
    let judgement = judge(&rules, &mut facts);
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Said {
        status: judgement.status,
        cause: judgement.cause.map(str::to_owned),
        also: owned(&judgement.also),
        consequences: owned(&judgement.consequences),
        contributing: owned(&judgement.contributing),
        latent: owned(&judgement.latent),
        candidates: owned(&judgement.candidates),
        levels: judgement
            .findings
            .iter()
            .map(|each| (each.rule.id.clone(), each.evaluation.level))
            .collect(),
    }
}

fn judged(made: &[Made]) -> Said {
    judged_when(ConnectionState::Failing, made)
}

#[test]
fn the_made_up_rules_come_out_as_they_say() {
    let all = [
        (Comes::Confirmed, Level::Confirmed),
        (Comes::Likely, Level::Likely),
        (Comes::Weak, Level::Likely),
        (Comes::Possible, Level::Possible),
        (Comes::Undetermined, Level::Undetermined),
        (Comes::RuledOut, Level::RuledOut),
        (Comes::Refuted, Level::RuledOut),
        (Comes::Disproved, Level::RuledOut),
        (Comes::LatentOnly, Level::Confirmed),
        (Comes::ContributingOnly, Level::Confirmed),
        (Comes::Hidden, Level::RuledOut),
    ];
    for (comes, level) in all {
        assert_eq!(judged(&[cause("a", comes, &[])]).levels["a"], level);
    }
}

#[test]
fn the_deepest_is_the_verdict_and_the_rest_is_folded_under_it() {
    let said = judged(&[
        cause("a", Comes::Confirmed, &["b"]),
        cause("b", Comes::Undetermined, &["c"]),
        symptom("c", Comes::Confirmed, &["d"]),
        symptom("d", Comes::Likely, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("a"));
    assert_eq!(said.consequences, ["c", "d"]);
    assert!(said.also.is_empty());
}

#[test]
fn a_symptom_is_the_verdict_only_when_nothing_explains_it() {
    let alone = judged(&[
        cause("a", Comes::Possible, &["s"]),
        symptom("s", Comes::Confirmed, &[]),
    ]);
    assert_eq!(alone.cause.as_deref(), Some("s"));
    let explained = judged(&[
        cause("a", Comes::Likely, &["s"]),
        symptom("s", Comes::Confirmed, &[]),
    ]);
    assert_eq!(
        (explained.cause.as_deref(), explained.status),
        (Some("a"), Status::Likely)
    );
    assert_eq!(explained.consequences, ["s"]);
}

#[test]
fn confirmed_causes_come_before_likely_ones_and_these_before_confirmed_symptoms() {
    let said = judged(&[
        symptom("a", Comes::Confirmed, &[]),
        cause("b", Comes::Likely, &[]),
        cause("c", Comes::Confirmed, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("c"));
    assert_eq!(said.also, ["b", "a"]);
    let said = judged(&[
        symptom("a", Comes::Confirmed, &[]),
        cause("b", Comes::Likely, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("b"));
    let said = judged(&[
        symptom("a", Comes::Confirmed, &[]),
        cause("b", Comes::Possible, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("a"));
    let said = judged(&[cause("b", Comes::Possible, &[])]);
    assert_eq!(
        (said.cause.as_deref(), said.status),
        (Some("b"), Status::Possible)
    );
}

#[test]
fn several_weak_causes_of_a_symptom_are_its_candidates() {
    let said = judged(&[
        cause("a", Comes::Weak, &["s"]),
        cause("b", Comes::Weak, &["s"]),
        symptom("s", Comes::Confirmed, &["t"]),
        symptom("t", Comes::Confirmed, &[]),
    ]);
    assert_eq!(
        (said.cause.as_deref(), said.status),
        (Some("s"), Status::Confirmed)
    );
    assert_eq!(said.candidates, ["a", "b"]);
    assert_eq!(said.consequences, ["t"]);
    assert!(said.also.is_empty());
}

#[test]
fn candidates_leave_a_likely_symptom_at_its_own_level() {
    let said = judged(&[
        cause("a", Comes::Weak, &["s"]),
        cause("b", Comes::Weak, &["s"]),
        symptom("s", Comes::Likely, &[]),
    ]);
    assert_eq!(
        (said.cause.as_deref(), said.status),
        (Some("s"), Status::Likely)
    );
}

#[test]
fn one_weak_cause_is_a_likely_verdict() {
    let said = judged(&[
        cause("a", Comes::Weak, &["s"]),
        symptom("s", Comes::Confirmed, &["t"]),
        symptom("t", Comes::Confirmed, &[]),
    ]);
    assert_eq!(
        (said.cause.as_deref(), said.status),
        (Some("a"), Status::Likely)
    );
}

#[test]
fn weak_causes_are_only_named_where_something_confirmed_explains_the_symptom() {
    let said = judged(&[
        cause("a", Comes::Weak, &["s"]),
        cause("b", Comes::Weak, &["s"]),
        cause("c", Comes::Confirmed, &["s"]),
        symptom("s", Comes::Confirmed, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("c"));
    assert!(said.candidates.is_empty() && said.also.is_empty());
}

#[test]
fn a_weak_cause_does_not_displace_a_confirmed_one_that_it_would_explain() {
    let said = judged(&[
        cause("a", Comes::Weak, &["b"]),
        cause("b", Comes::Confirmed, &[]),
    ]);
    assert_eq!(
        (said.cause.as_deref(), said.status),
        (Some("b"), Status::Confirmed)
    );
}

#[test]
fn a_likely_rival_of_a_confirmed_cause_does_not_stand_beside_it() {
    let said = judged(&[
        cause("a", Comes::Likely, &["s"]),
        cause("b", Comes::Confirmed, &["s"]),
        symptom("s", Comes::Confirmed, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("b"));
    assert!(said.also.is_empty());
}

#[test]
fn independent_causes_stand_latest_before_the_failure_first_without_a_time_last() {
    let made = |id, at| Made {
        at,
        ..cause(id, Comes::Confirmed, &[])
    };
    let said = judged(&[
        made("a-old", Some(-60)),
        made("b-late", Some(20)),
        made("c-fresh", Some(-1)),
        made("d-old-too", Some(-60)),
    ]);
    assert_eq!(said.cause.as_deref(), Some("c-fresh"));
    assert_eq!(said.also, ["a-old", "d-old-too", "b-late"]);
}

#[test]
fn a_fault_that_only_connections_refute_is_latent() {
    let said = judged(&[cause("a", Comes::Refuted, &[])]);
    assert_eq!(said.latent, ["a"]);
    assert_eq!((said.cause, said.status), (None, Status::Inconclusive));
    let gone = judged(&[cause("a", Comes::Disproved, &[])]);
    assert!(gone.latent.is_empty());
}

#[test]
fn a_fault_is_latent_when_all_that_it_explains_is_ruled_out() {
    let said = judged(&[
        cause("a", Comes::Confirmed, &["b", "c"]),
        symptom("b", Comes::RuledOut, &[]),
        symptom("c", Comes::RuledOut, &[]),
    ]);
    assert_eq!(
        (said.latent.as_slice(), said.cause),
        (["a".to_owned()].as_slice(), None)
    );
    let said = judged(&[
        cause("a", Comes::Confirmed, &["b", "c"]),
        symptom("b", Comes::RuledOut, &[]),
        symptom("c", Comes::Undetermined, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("a"));
}

#[test]
fn tests_marked_latent_or_contributing_make_no_verdict() {
    let said = judged(&[
        cause("a", Comes::LatentOnly, &["s"]),
        cause("b", Comes::ContributingOnly, &["s"]),
        Made {
            standing: "contributing",
            ..cause("c", Comes::Confirmed, &["s"])
        },
        cause("d", Comes::Hidden, &[]),
        symptom("s", Comes::Confirmed, &[]),
    ]);
    assert_eq!(said.cause.as_deref(), Some("s"));
    assert_eq!(said.latent, ["a", "d"]);
    assert_eq!(said.contributing, ["b", "c"]);
}

#[test]
fn healthy_needs_people_who_get_in_or_everything_ruled_out() {
    use ConnectionState::{Dropping, Failing, Mixed, Silent, Succeeding, Unseen};
    let status = |state, comes| judged_when(state, &[cause("a", comes, &[])]).status;
    for state in [Succeeding, Silent, Unseen] {
        assert_eq!(status(state, Comes::RuledOut), Status::Healthy, "{state}");
        assert_eq!(status(state, Comes::LatentOnly), Status::Healthy, "{state}");
        assert_eq!(status(state, Comes::Possible), Status::Possible, "{state}");
    }
    assert_eq!(status(Succeeding, Comes::Undetermined), Status::Healthy);
    assert_eq!(status(Silent, Comes::Undetermined), Status::Inconclusive);
    assert_eq!(status(Unseen, Comes::Undetermined), Status::Inconclusive);
    for state in [Failing, Mixed, Dropping] {
        assert_eq!(
            status(state, Comes::RuledOut),
            Status::Inconclusive,
            "{state}"
        );
    }
}

#[test]
fn a_likely_cause_that_is_decided_stands_above_the_confirmed_one_it_explains() {
    let said = judged(&[
        cause("a", Comes::Likely, &["b"]),
        cause("b", Comes::Confirmed, &[]),
    ]);
    assert_eq!(
        (said.cause.as_deref(), said.status),
        (Some("a"), Status::Likely)
    );
    assert_eq!(said.consequences, ["b"]);
}
