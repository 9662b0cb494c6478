//! Event records of any log, filtered. What a filter on provider and id can decide is decided before a record is decoded whole.

use std::ops::{Bound, RangeInclusive};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::bundle::{Artifact, Bundle, Kind};
use crate::contain::contain;
use crate::parse::event_log::{self, During, EventRecord, RecordKey};

/// What is asked for. Of each kind of filter one must hold, where there is any; all kinds must.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Parts of provider names, in either case.
    pub providers: Vec<String>,
    /// Event ids.
    pub ids: Vec<RangeInclusive<u32>>,
    /// A text in one of the fields, in either case.
    pub text: Option<String>,
    /// Nothing before this.
    pub since: Option<Timestamp>,
    /// Nothing from this on.
    pub until: Option<Timestamp>,
}

/// A record, and the log it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The log's path in the collection.
    pub artifact: Arc<str>,
    /// The record.
    pub record: EventRecord,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The records, oldest first.
    pub events: Vec<Held>,
    /// How many logs were looked through.
    pub logs: usize,
    /// What could not be read, and where records may be missing.
    pub problems: Vec<String>,
}

/// Looks through every log of the collection, several at once.
#[must_use]
pub fn find(bundle: &Bundle, query: &Query) -> Found {
    let query = &Prepared::of(query);
    let logs: Vec<&Artifact> = bundle
        .artifacts
        .iter()
        .filter(|artifact| matches!(artifact.kind, Kind::EventLog(_)))
        .collect();
    let mut found = Found {
        logs: logs.len(),
        ..Found::default()
    };
    let looked: Vec<(Vec<Held>, Vec<String>)> =
        logs.into_par_iter().map(|log| look(log, query)).collect();
    for (events, problems) in looked {
        found.events.extend(events);
        found.problems.extend(problems);
    }
    found.events.sort_by(|one, other| {
        let key = |held: &Held| (held.record.time, held.artifact.clone(), held.record.order);
        key(one).cmp(&key(other))
    });
    found
}

/// A query whose texts are in lower case.
struct Prepared<'q> {
    query: &'q Query,
    providers: Vec<String>,
    text: Option<String>,
}

impl<'q> Prepared<'q> {
    fn of(query: &'q Query) -> Self {
        Prepared {
            query,
            providers: query
                .providers
                .iter()
                .map(|name| name.to_lowercase())
                .collect(),
            text: query.text.as_ref().map(|text| text.to_lowercase()),
        }
    }

    fn wants(&self, key: &RecordKey<'_>) -> bool {
        let ids = &self.query.ids;
        if !ids.is_empty() && !ids.iter().any(|range| range.contains(&key.event_id)) {
            return false;
        }
        self.providers.is_empty()
            || [Some(key.provider), key.source_name]
                .into_iter()
                .flatten()
                .any(|name| {
                    let name = name.to_lowercase();
                    self.providers
                        .iter()
                        .any(|part| name.contains(part.as_str()))
                })
    }

    /// When what is asked for happened.
    fn during(&self) -> During {
        let bound = |time: Option<Timestamp>, bound: fn(Timestamp) -> Bound<Timestamp>| {
            time.map_or(Bound::Unbounded, bound)
        };
        (
            bound(self.query.since, Bound::Included),
            bound(self.query.until, Bound::Excluded),
        )
    }

    fn holds(&self, record: &EventRecord) -> bool {
        let Some(text) = &self.text else {
            return true;
        };
        let data = &record.data;
        data.named
            .iter()
            .map(|(_, value)| value)
            .chain(&data.unnamed)
            .chain([&record.computer])
            .chain(&record.user_sid)
            .any(|value| value.to_lowercase().contains(text.as_str()))
    }
}

fn look(log: &Artifact, query: &Prepared<'_>) -> (Vec<Held>, Vec<String>) {
    let artifact: Arc<str> = Arc::from(log.path.as_str());
    let read = contain(AssertUnwindSafe(|| {
        let mut events = Vec::new();
        let source = log.open().map_err(|error| error.to_string())?;
        let mut keep = |record: EventRecord| {
            if query.holds(&record) {
                events.push(Held {
                    artifact: Arc::clone(&artifact),
                    record,
                });
            }
        };
        let wants = |key: &RecordKey<'_>| query.wants(key);
        let summary = event_log::read_during(source.as_ref(), query.during(), &wants, &mut keep)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>((events, summary))
    }));
    let (events, summary) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(why)) => return (Vec::new(), vec![format!("{}: {why}", log.path)]),
        Err(panicked) => return (Vec::new(), vec![format!("{}: {panicked}", log.path)]),
    };
    let damaged = summary.holes.len();
    let problems = match damaged {
        0 => Vec::new(),
        1 => vec![format!(
            "{}: records may be missing, 1 place in it is damaged",
            log.path
        )],
        many => vec![format!(
            "{}: records may be missing, {many} places in it are damaged",
            log.path
        )],
    };
    (events, problems)
}
