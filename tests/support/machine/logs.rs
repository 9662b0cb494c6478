//! From a machine's events to log files.

use super::super::event_log::{Event, LogBuilder, Value};
use super::{Channel, Datum, Logged, Machine, Payload};

/// The events of one channel in the order of time, in so many files; the older ones are named as archives.
pub fn files(
    machine: &Machine,
    channel: Channel,
    events: &[Logged],
    parts: usize,
) -> Vec<(String, Vec<u8>)> {
    let mut chosen: Vec<&Logged> = events
        .iter()
        .filter(|event| event.channel == channel)
        .collect();
    chosen.sort_by_key(|event| event.time);
    let size = chosen.len().div_ceil(parts).max(1);
    let mut stretches: Vec<&[&Logged]> = chosen.chunks(size).collect();
    let newest = stretches.pop().unwrap_or_default();
    let number = |before: usize| channel.first_record() + (before * size) as u64;
    let file = |stretch: &[&Logged], first| {
        let mut log = LogBuilder::new(channel.name())
            .computer(&machine.full_name())
            .first_record(first);
        let Some(query) = machine.query else {
            let records = stretch.iter().map(|event| record(machine, event));
            return log.extend(records).to_bytes();
        };
        log = log.exported();
        for (number, event) in (first..).zip(stretch) {
            if query.contains(&event.id) {
                log = log.first_record(number).push(record(machine, event));
            }
        }
        log.to_bytes()
    };
    let archives = stretches.len();
    let mut files = vec![(channel.file_name(), file(newest, number(archives)))];
    for (index, stretch) in stretches.into_iter().enumerate() {
        let name = format!("Archive-{index}-{}", channel.file_name());
        files.push((name, file(stretch, number(index))));
    }
    files
}

fn record(machine: &Machine, logged: &Logged) -> Event {
    let mut event = Event::new(logged.provider.name, logged.id)
        .channel(logged.channel.name())
        .computer(&computer(machine, logged))
        .level(logged.level)
        .process(logged.process, logged.process + 44)
        .at(shown(machine, logged));
    if let Some(guid) = logged.provider.guid {
        event = event.guid(guid);
    }
    if let Some(source) = logged.provider.source {
        event = event.source_name(source);
    }
    if let Some(qualifiers) = logged.qualifiers {
        event = event.qualifiers(qualifiers);
    }
    if let Some(user) = logged.user {
        event = event.user(user);
    }
    if let Some(activity) = &logged.activity {
        event = event.activity(activity);
    }
    match &logged.payload {
        Payload::Named(fields) => {
            for (name, datum) in fields {
                event = event.data(name, value(datum));
            }
        }
        Payload::User(fields) => {
            event = event.user_data("EventXML", "Event_NS");
            for (name, datum) in fields {
                event = event.data(name, value(datum));
            }
        }
        Payload::Classic(texts, binary) => {
            for text in texts {
                event = event.string(text);
            }
            if let Some(bytes) = binary {
                event = event.binary(bytes);
            }
        }
    }
    event
}

/// The name that the machine had when it logged this.
fn computer(machine: &Machine, logged: &Logged) -> String {
    match machine.former {
        Some((until, name)) if logged.time < until => format!("{name}.contoso.example"),
        _ => machine.full_name(),
    }
}

/// What the machine's clock said when it logged this.
fn shown(machine: &Machine, logged: &Logged) -> jiff::Timestamp {
    match machine.clock_ahead {
        Some((from, until, ahead)) if from <= logged.time && logged.time < until => {
            logged.time + ahead
        }
        _ => logged.time,
    }
}

fn value(datum: &Datum) -> Value {
    match datum {
        Datum::Text(text) => Value::Text(text.clone()),
        Datum::U32(number) => Value::U32(*number),
        Datum::U64(number) => Value::U64(*number),
        Datum::Hex32(number) => Value::Hex32(*number),
        Datum::Time(time) => Value::Time(*time),
        Datum::Sid(sid) => Value::Sid((*sid).to_owned()),
    }
}
