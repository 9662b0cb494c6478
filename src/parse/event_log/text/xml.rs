//! Records in XML, with a root element or without, one by one: what is wrong in one does not touch the others.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::node::Node;
use super::super::record::System;
use super::{Content, Found, LONGEST_RECORD, Refused, too_long};

/// How deep elements may be nested; events of Windows have five levels.
const MOST_NESTED: usize = 64;

const START: &str = "<Event";
const END: &str = "</Event>";

/// Whether a text holds records in XML.
pub(super) fn is_xml(text: &str) -> bool {
    next_start(text, 0).is_some()
}

/// Gives each record of a text to `take`.
pub(super) fn read(text: &str, take: &mut dyn FnMut(Result<Found<'_>, Refused>)) {
    let mut next = next_start(text, 0);
    while let Some(start) = next {
        next = next_start(text, start + START.len());
        let all = text
            .get(start..next.unwrap_or(text.len()))
            .unwrap_or_default();
        let read = match all.find(END) {
            Some(end) if end > LONGEST_RECORD => Err(too_long()),
            Some(end) => content(all.get(..end + END.len()).unwrap_or_default()),
            None => Err("the record is cut".to_owned()),
        };
        take(match read {
            Ok(content) => Ok(Found { content, start }),
            Err(why) => Err(Refused { start, why }),
        });
    }
}

/// Where the next `<Event>` or `<Event xmlns=...>` begins, as against `<EventID>` and `<Events>`.
fn next_start(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let mut found = rest.match_indices(START).map(|(at, _)| at);
    let at = found.find(|at| {
        let after = rest.get(at + START.len()..).unwrap_or_default();
        after.starts_with(['>', ' ', '\t', '\r', '\n'])
    });
    Some(from + at?)
}

/// An element in the making.
struct Element {
    name: String,
    attributes: Vec<(Cow<'static, str>, Node<'static>)>,
    children: Vec<(Cow<'static, str>, Node<'static>)>,
    text: String,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Result<Element, String> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| error.to_string())?;
            attributes.push((
                Cow::Owned(attribute.key.into_inner().to_owned()),
                Node::Text(Cow::Owned(value.into_owned())),
            ));
        }
        Ok(Element {
            name: start.local_name().into_inner().to_owned(),
            attributes,
            children: Vec::new(),
            text: String::new(),
        })
    }

    /// As the decoder of binary logs renders it: named `Data` by its name, nameless as `Data`.
    fn finish(self) -> (Cow<'static, str>, Node<'static>) {
        let text = Node::Text(Cow::Owned(self.text));
        if self.name == "Data" && self.children.is_empty() {
            let name = self.attributes.into_iter().find(|(name, _)| name == "Name");
            return match name {
                Some((_, Node::Text(name))) => (name, text),
                _ => (
                    Cow::Borrowed("Data"),
                    Node::Map(vec![(Cow::Borrowed("#text"), text)]),
                ),
            };
        }
        let is_empty = matches!(&text, Node::Text(text) if text.trim().is_empty());
        let name = Cow::Owned(self.name);
        if self.children.is_empty() && self.attributes.is_empty() {
            return (name, if is_empty { Node::Null } else { text });
        }
        let mut members = self.children;
        if !self.attributes.is_empty() {
            members.insert(
                0,
                (Cow::Borrowed("#attributes"), Node::Map(self.attributes)),
            );
        }
        if !is_empty {
            members.push((Cow::Borrowed("#text"), text));
        }
        (name, Node::Map(members))
    }
}

/// The parts of one record.
fn content(xml: &str) -> Result<Content<'static>, String> {
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let mut closed = None;
        match event {
            Event::Start(start) if open.len() < MOST_NESTED => open.push(Element::of(&start)?),
            Event::Start(_) => return Err(format!("nested deeper than {MOST_NESTED}")),
            Event::Empty(start) => closed = Some(Element::of(&start)?),
            Event::End(_) => closed = open.pop(),
            Event::Text(text) => push(&mut open, &text.xml10_content()),
            Event::CData(text) => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let letter = match reference.resolve_char_ref() {
                    Ok(Some(letter)) => letter,
                    _ => named(&reference).unwrap_or(char::REPLACEMENT_CHARACTER),
                };
                push(&mut open, letter.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => return Err("the record is cut".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if let Some(closed) = closed {
            let finished = closed.finish();
            match open.last_mut() {
                Some(parent) => parent.children.push(finished),
                None => return parts(finished.1),
            }
        }
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn named(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// System, EventData and UserData of an event.
pub(super) fn parts(event: Node<'_>) -> Result<Content<'_>, String> {
    let Node::Map(members) = event else {
        return Err("an event without System".to_owned());
    };
    let mut content = (None, None, None);
    for (name, node) in members {
        match name.as_ref() {
            "System" => content.0 = Some(node),
            "EventData" => content.1 = Some(node),
            "UserData" => content.2 = Some(node),
            // What it means in the language of the machine that wrote it, and what debugging adds.
            _ => {}
        }
    }
    Ok(Content {
        system: System::of(content.0.ok_or("an event without System")?),
        event_data: content.1,
        user_data: content.2,
    })
}
