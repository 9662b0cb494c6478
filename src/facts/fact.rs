//! A fact: something that the evidence says, with the place where it says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::catalog::Kind;
use super::coverage::{Coverage, Window, join_covers};
use super::gap::{Gap, GapId, Gaps};
use super::incident::Anchors;
use super::known::Known;
use super::subject::Subject;
use super::value::{FieldState, FieldValue, Value};

/// Names one fact of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(usize);

impl std::fmt::Display for FactId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "f{}", self.0 + 1)
    }
}

/// Where a fact comes from. Artifacts are named by their path relative to the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A record of an event log.
    Record {
        /// The log.
        artifact: String,
        /// The record's number (EventRecordID).
        number: u64,
        /// Where the record begins in the file, in bytes.
        offset: u64,
    },
    /// A value of a hive, or a key where no value is named.
    Value {
        /// The hive.
        artifact: String,
        /// The key, from the hive's root.
        key: String,
        /// The value's name, if it is about one.
        name: Option<String>,
        /// When the key was last written.
        written: Option<Timestamp>,
        /// The line, from 1, where the hive was exported as text.
        line: Option<u64>,
    },
    /// A certificate, by its thumbprint.
    Certificate {
        /// The file or hive it was read from.
        artifact: String,
        /// SHA-1 of the certificate, upper-case hexadecimal.
        thumbprint: String,
    },
    /// A line of a text.
    Line {
        /// The text.
        artifact: String,
        /// Counted from 1.
        line: u64,
    },
    /// A whole file: that it is there, or what its structure says.
    File {
        /// The file.
        artifact: String,
    },
    /// What the user said on the command line.
    CommandLine {
        /// The option.
        option: String,
    },
    /// Other facts.
    Derived(Vec<FactId>),
}

/// Something that the evidence says.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its name in this report.
    pub id: FactId,
    /// What it is about; the catalogue says what its fields mean.
    pub kind: &'static Kind,
    /// When it happened or, for a state, when it took effect. None for what is only a circumstance.
    pub at: Option<Timestamp>,
    /// Its fields, in the catalogue's order.
    pub fields: Vec<(&'static str, FieldState)>,
    /// Never empty.
    pub sources: Vec<Source>,
    /// The gap that makes it stale: it stands in a dirty hive whose logs were not collected, so that the machine may have held
    /// something newer. It counts, but nothing rests on it alone above likely.
    pub stale: Option<GapId>,
    /// The gap that makes it doubtful: it stands among records one of which is not as it was written. It counts, but where it is the
    /// only one of its kind nothing is confirmed by it.
    pub doubtful: Option<GapId>,
    /// The gap that leaves open since when it is so: a setting in it was exported as text, without its time. `at` may be too early.
    pub undated: Option<GapId>,
}

impl Fact {
    /// What is known of one of its fields; none if its kind has no such field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldState> {
        self.fields
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, state)| state)
    }

    /// Whether a field is known, and is this.
    pub fn is(&self, field: &str, value: impl FieldValue) -> bool {
        self.field(field) == Some(&value.state())
    }

    /// A field of yes or no, as it is known; known to be no where it is none.
    pub fn truth(&self, field: &str) -> Known<bool> {
        match self.field(field) {
            Some(FieldState::Is(Value::Bool(value))) => Known::Is(*value),
            Some(FieldState::Open(gap)) => Known::Open(*gap),
            _ => Known::Is(false),
        }
    }

    /// A field of text, where it is known.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.field(field)? {
            FieldState::Is(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// A typed body of one kind, as the extractors build it.
pub trait Body {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// Its fields, in the catalogue's order.
    fn into_fields(self) -> Vec<(&'static str, FieldState)>;
}

/// Everything that is known of one host: what rules judge.
#[derive(Debug, Clone)]
pub struct FactSet {
    facts: Vec<Fact>,
    coverage: BTreeMap<Subject, Vec<Coverage>>,
    /// Kinds that nothing was looked at for, whatever the subjects say.
    missing: BTreeMap<&'static str, GapId>,
    /// Kinds of which everything is there, whatever the subjects say.
    vouched: BTreeSet<&'static str>,
    /// What could not be checked.
    pub gaps: Gaps,
    /// The moments to measure from.
    pub anchors: Anchors,
}

impl FactSet {
    /// A set without facts and without coverage.
    #[must_use]
    pub fn new(gaps: Gaps, anchors: Anchors) -> Self {
        FactSet {
            facts: Vec::new(),
            coverage: BTreeMap::new(),
            missing: BTreeMap::new(),
            vouched: BTreeSet::new(),
            gaps,
            anchors,
        }
    }

    /// No facts, and no anchor known: what a test begins with that is about neither.
    #[cfg(test)]
    pub(crate) fn of_nothing() -> Self {
        use super::incident::ConnectionState;
        let mut gaps = Gaps::default();
        let gap = gaps.record(super::gap::Gap {
            about: String::new(),
            why: String::new(),
            obtain: String::new(),
        });
        let anchors = Anchors {
            state: ConnectionState::Unseen,
            last_success: Known::Open(gap),
            first_failure: Known::Open(gap),
            incident: None,
            last_boot: Known::Open(gap),
            service_start: Known::Open(gap),
            as_of: None,
            oldest: None,
            gap,
        };
        FactSet::new(gaps, anchors)
    }

    /// Adds a fact.
    pub fn add(&mut self, at: Option<Timestamp>, body: impl Body, sources: Vec<Source>) -> FactId {
        let kind = body.kind();
        self.add_fields(kind, at, body.into_fields(), sources)
    }

    /// Adds a fact whose fields are already in the catalogue's form (a rule's case).
    pub fn add_fields(
        &mut self,
        kind: &'static Kind,
        at: Option<Timestamp>,
        fields: Vec<(&'static str, FieldState)>,
        sources: Vec<Source>,
    ) -> FactId {
        debug_assert!(
            !sources.is_empty(),
            "a fact without a source: {}",
            kind.name
        );
        let id = FactId(self.facts.len());
        self.facts.push(Fact {
            id,
            kind,
            at,
            fields,
            sources,
            stale: None,
            doubtful: None,
            undated: None,
        });
        id
    }

    /// Says how much of a subject one more artifact covers.
    pub fn cover(&mut self, subject: Subject, coverage: Coverage) {
        self.coverage.entry(subject).or_default().push(coverage);
    }

    /// Says that nothing was looked at for a kind.
    pub fn miss(&mut self, kind: &'static Kind, gap: GapId) {
        self.missing.insert(kind.name, gap);
    }

    /// Says that every fact of a kind is there (a rule's case), so that what is not there is absent.
    pub fn vouch(&mut self, kind: &'static Kind) {
        self.vouched.insert(kind.name);
    }

    /// Whether every fact of a kind is there, whatever the subjects say.
    #[must_use]
    pub fn vouches(&self, kind: &'static Kind) -> bool {
        self.vouched.contains(kind.name) && !self.missing.contains_key(kind.name)
    }

    /// Marks a fact as doubtful.
    pub fn mark_doubtful(&mut self, id: FactId, gap: GapId) {
        if let Some(fact) = self.facts.get_mut(id.0) {
            fact.doubtful = Some(gap);
        }
    }

    /// Marks a fact as stale.
    pub fn mark_stale(&mut self, id: FactId, gap: GapId) {
        if let Some(fact) = self.facts.get_mut(id.0) {
            fact.stale = Some(gap);
        }
    }

    /// Marks a fact as one that may have become true later than it says.
    pub fn mark_undated(&mut self, id: FactId, gap: GapId) {
        if let Some(fact) = self.facts.get_mut(id.0) {
            fact.undated = Some(gap);
        }
    }

    /// Every fact.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The fact of that name.
    #[must_use]
    pub fn fact(&self, id: FactId) -> &Fact {
        &self.facts[id.0]
    }

    /// The facts of one kind.
    pub fn of_kind<'a>(&'a self, kind: &'static Kind) -> impl Iterator<Item = &'a Fact> {
        self.facts
            .iter()
            .filter(move |fact| fact.kind.name == kind.name)
    }

    /// Whether the absence of a fact of this kind in this window is proved by all its subjects; else the gaps that leave it
    /// open. Artifacts of one subject join: two halves of a log that touch cover what both span.
    ///
    /// # Errors
    /// The gaps that keep the absence from being proved.
    pub fn proves_absence(
        &mut self,
        kind: &'static Kind,
        subjects: &[Subject],
        asked: &Window,
    ) -> Result<(), Vec<GapId>> {
        if let Some(gap) = self.missing.get(kind.name) {
            return Err(vec![*gap]);
        }
        if self.vouches(kind) {
            return Ok(());
        }
        let mut open = Vec::new();
        for subject in subjects {
            if let Err(gap) = self.subject_covers(*subject, asked) {
                open.push(gap);
            }
        }
        open.sort_unstable();
        open.dedup();
        if open.is_empty() { Ok(()) } else { Err(open) }
    }

    /// The stretches of time in which a subject's artifacts prove what did not happen.
    #[must_use]
    pub fn covered(&self, subject: Subject) -> Vec<Window> {
        let parts = self.coverage.get(&subject);
        parts
            .into_iter()
            .flatten()
            .flat_map(Coverage::covered)
            .collect()
    }

    /// Whether a subject covers the window.
    ///
    /// # Errors
    /// The gap that leaves it open.
    pub fn subject_covers(&mut self, subject: Subject, asked: &Window) -> Result<(), GapId> {
        let lacking = |why: &str| Gap {
            about: subject.name().to_owned(),
            why: why.to_owned(),
            obtain: subject.obtain().to_owned(),
        };
        let Some(parts) = self.coverage.get(&subject) else {
            return Err(self.gaps.record(lacking("not in the collection")));
        };
        if join_covers(parts, asked) {
            return Ok(());
        }
        let own = parts.iter().find_map(|part| part.gap(asked));
        Err(own.unwrap_or_else(|| {
            self.gaps
                .record(lacking("does not reach over the whole time in question"))
        }))
    }
}
