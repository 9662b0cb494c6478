//! From a machine's events to log files.

use super::super::event_log::{Event, LogBuilder, Value};
use super::{Channel, Datum, Logged, Machine, Payload};

/// The file of one channel, its events in the order of time.
pub fn file(machine: &Machine, channel: Channel, events: &[Logged]) -> Vec<u8> {
    let mut chosen: Vec<&Logged> = events
        .iter()
        .filter(|event| event.channel == channel)
        .collect();
    chosen.sort_by_key(|event| event.time);
    let log = LogBuilder::new(channel.name())
        .computer(&machine.full_name())
        .first_record(channel.first_record());
    log.extend(chosen.into_iter().map(|event| record(machine, event)))
        .to_bytes()
}

fn record(machine: &Machine, logged: &Logged) -> Event {
    let mut event = Event::new(logged.provider.name, logged.id)
        .channel(logged.channel.name())
        .computer(&machine.full_name())
        .level(logged.level)
        .process(logged.process, logged.process + 44)
        .at(logged.time);
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
