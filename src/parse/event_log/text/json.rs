//! Records in JSON: one after another, one in a line, or in one list.

use std::borrow::Cow;

use serde::Deserialize;

use super::super::node::Node;
use super::super::record::System;
use super::{Content, Found, LONGEST_RECORD, Refused, properties, time, too_long, xml};

/// Gives each record of a text to `take`. Where one cannot be read, the next that begins a line is looked for.
pub(super) fn read(text: &str, take: &mut dyn FnMut(Result<Found<'_>, Refused>)) {
    let mut at = 0;
    while let Some(start) = next_object(text, at) {
        // More is read of no record, so that neither time nor memory grows out of proportion.
        let end = text.floor_char_boundary(start.saturating_add(LONGEST_RECORD));
        let rest = text.get(start..end).unwrap_or_default();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Object<'_>>();
        let next = stream.next();
        let is_longer = end < text.len() && matches!(&next, Some(Err(error)) if error.is_eof());
        let read = match next {
            Some(Ok(object)) => content(object.0),
            Some(Err(_)) if is_longer => Err(too_long()),
            Some(Err(error)) if error.is_eof() => Err("the record is cut".to_owned()),
            Some(Err(error)) => Err(error.to_string()),
            None => return,
        };
        let length = stream.byte_offset();
        let is_read = length > 0;
        take(match read {
            Ok(content) => Ok(Found { content, start }),
            Err(why) => Err(Refused { start, why }),
        });
        at = match (is_longer, is_read) {
            (true, _) => end,
            (false, true) => start + length,
            (false, false) => match text.get(start + 1..).and_then(|rest| rest.find("\n{")) {
                Some(next) => start + 1 + next,
                None => return,
            },
        };
    }
}

struct Object<'t>(Node<'t>);

impl<'de: 't, 't> Deserialize<'de> for Object<'t> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Node::deserialize(deserializer).map(Object)
    }
}

/// Where the next object begins. Between them stand what parts the items of a list, and the headings of `evtx_dump`.
fn next_object(text: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find('{').map(|at| from + at)
}

fn content(object: Node<'_>) -> Result<Content<'_>, String> {
    let Node::Map(members) = object else {
        return Err("no event".to_owned());
    };
    let is_event = |name: &str| members.iter().any(|(member, _)| member == name);
    if is_event("ProviderName") && is_event("TimeCreated") {
        return of_powershell(&Node::Map(members));
    }
    let event = members.into_iter().find(|(name, _)| name == "Event");
    match event {
        Some((_, event)) => xml::parts(event),
        None => Err("no event of a kind that is known".to_owned()),
    }
}

/// An `EventLogRecord` of .NET: its values have places where the record has names.
fn of_powershell<'t>(event: &Node<'_>) -> Result<Content<'t>, String> {
    let text = |name: &str| event.member(name).and_then(Node::text).map(str::to_owned);
    let provider = text("ProviderName").ok_or("it does not name who wrote it")?;
    let id = event.member("Id").and_then(Node::number);
    let id = id.ok_or("its Id is no number")?;
    let created = event.member("TimeCreated").and_then(|created| {
        // PowerShell 5.1 wraps what Select-Object has touched.
        let wrapped = created
            .member("value")
            .or_else(|| created.member("DateTime"));
        created.text().or_else(|| wrapped.and_then(Node::text))
    });
    let created = created.and_then(time);
    let created = created.ok_or("its TimeCreated is no time with a time zone")?;
    let attributes = |given: Vec<(&'static str, Option<String>)>| {
        let given = given.into_iter();
        let known = given.filter_map(|(name, value)| Some(member(name, owned(value?))));
        Node::Map(vec![member("#attributes", Node::Map(known.collect()))])
    };
    let user = event.member("UserId").and_then(|user| {
        let sid = user.member("Value").unwrap_or(user);
        sid.text().map(str::to_owned)
    });
    let activity = text("ActivityId").map(|guid| match guid.starts_with('{') {
        true => guid,
        false => format!("{{{guid}}}"),
    });
    let mut system = vec![
        member(
            "Provider",
            attributes(vec![("Name", Some(provider.clone()))]),
        ),
        member("EventID", owned(id.to_string())),
        member(
            "TimeCreated",
            attributes(vec![("SystemTime", Some(created.to_string()))]),
        ),
        member(
            "Execution",
            attributes(vec![
                ("ProcessID", text("ProcessId")),
                ("ThreadID", text("ThreadId")),
            ]),
        ),
        member("Correlation", attributes(vec![("ActivityID", activity)])),
        member("Security", attributes(vec![("UserID", user)])),
    ];
    for (name, given) in [
        ("EventRecordID", "RecordId"),
        ("Channel", "LogName"),
        ("Computer", "MachineName"),
        ("Version", "Version"),
        ("Level", "Level"),
    ] {
        system.extend(text(given).map(|value| member(name, owned(value))));
    }
    let values = event.member("Properties").map(values).transpose()?;
    let event_data = properties::named(&provider, id, values.unwrap_or_default())?;
    Ok(Content {
        system: System::of(Node::Map(system)),
        event_data: Some(event_data),
        user_data: None,
    })
}

/// The values of `Properties`: objects with one value each.
fn values(properties: &Node<'_>) -> Result<Vec<String>, String> {
    let items = match properties {
        Node::List(items) => items.as_slice(),
        Node::Null => &[],
        single => std::slice::from_ref(single),
    };
    let value = |item: &Node<'_>| match item.member("Value") {
        Some(Node::Null) => Ok(String::new()),
        Some(value) => {
            let inner = value.member("Value").unwrap_or(value);
            Ok(inner.text().unwrap_or_default().to_owned())
        }
        None => {
            Err("its values were lost when it was written: use ConvertTo-Json -Depth 4".to_owned())
        }
    };
    items.iter().map(value).collect()
}

fn member<'t>(name: &'static str, node: Node<'t>) -> (Cow<'t, str>, Node<'t>) {
    (Cow::Borrowed(name), node)
}

fn owned<'t>(text: String) -> Node<'t> {
    Node::Text(Cow::Owned(text))
}
