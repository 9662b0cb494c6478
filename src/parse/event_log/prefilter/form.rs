//! Where a template definition, or a record without a template, keeps the parts of `System` that are asked for.

use std::ops::Range;

use super::super::chunk::RECORDS_START;
use super::FRAGMENT_HEADER;
use super::cursor::Cursor;
use super::tokens::{Origin, Token, Tokens};

/// Elements within elements; nothing that Windows writes comes near.
const DEEPEST: usize = 64;
/// A template definition before its BinXML: the next one's place, a GUID, the size.
const DEFINITION_HEADER: usize = 24;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// UTF-16 at this place of the chunk, without its NUL.
    Text(Range<usize>),
    /// In this slot of each record.
    Slot(u16),
}

impl Part {
    pub fn is_null(&self, slots: &super::Slots) -> bool {
        match self {
            Part::Text(range) => range.is_empty(),
            Part::Slot(slot) => slots.is_null(*slot),
        }
    }
}

/// Where all that is asked for stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub provider: Part,
    /// `EventSourceName`.
    pub source: Option<Part>,
    pub event_id: Part,
    pub number: Part,
    pub time: Part,
    pub channel: Part,
    pub computer: Part,
    /// Slots that elements on the way depend on: where one is empty, an element is left out.
    pub needed: Vec<u16>,
}

impl Form {
    /// The form of the definition at that place of the chunk.
    pub fn of_definition(chunk: &[u8], definition: usize) -> Option<Form> {
        let body = definition_body(chunk, definition)?;
        let mut cursor = Cursor::new(chunk.get(..body.end)?, body.start);
        cursor.skip_if(&FRAGMENT_HEADER).then_some(())?;
        Form::read(&mut cursor, chunk, Origin::Definition)
    }

    /// Walks the elements at the cursor to their end. Names may stand anywhere in `chunk`.
    pub fn read<'c>(cursor: &mut Cursor<'c>, chunk: &'c [u8], origin: Origin) -> Option<Form> {
        let mut tokens = Tokens {
            cursor,
            chunk,
            origin,
        };
        let mut walk = Walk {
            found: Found::default(),
            depth: 0,
            opened: 0,
            in_system: false,
            element: Element::Other,
            attribute: None,
        };
        while walk.step(tokens.next()?)? {}
        walk.found.form()
    }
}

/// Where the BinXML of the definition at that place stands.
pub(super) fn definition_body(chunk: &[u8], definition: usize) -> Option<Range<usize>> {
    if definition < RECORDS_START {
        return None;
    }
    let mut cursor = Cursor::new(chunk, definition);
    cursor.skip(DEFINITION_HEADER - 4)?;
    let size = usize::try_from(cursor.u32()?).ok()?;
    let start = cursor.at();
    Some(start..start.checked_add(size)?)
}

/// An element that is asked for, or within `System` any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Provider,
    EventId,
    Number,
    Time,
    Channel,
    Computer,
    Other,
}

/// An attribute at whose value the walk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Name,
    EventSourceName,
    SystemTime,
    Other,
}

#[derive(Default)]
struct Found {
    systems: usize,
    provider: Option<Part>,
    source: Option<Part>,
    event_id: Option<Part>,
    number: Option<Part>,
    time: Option<Part>,
    channel: Option<Part>,
    computer: Option<Part>,
    needed: Vec<u16>,
}

impl Found {
    fn form(self) -> Option<Form> {
        Some(Form {
            provider: self.provider?,
            source: self.source,
            event_id: self.event_id?,
            number: self.number?,
            time: self.time?,
            channel: self.channel?,
            computer: self.computer?,
            needed: self.needed,
        })
    }
}

struct Walk {
    found: Found,
    depth: usize,
    /// Elements at the top.
    opened: usize,
    in_system: bool,
    /// The child of `System` that the walk is in.
    element: Element,
    attribute: Option<Attribute>,
}

impl Walk {
    /// One token; whether more follow.
    fn step(&mut self, token: Token<'_>) -> Option<bool> {
        match token {
            Token::End => {
                let done = self.depth == 0 && self.opened == 1 && self.found.systems == 1;
                return done.then_some(false);
            }
            Token::Open { name, dependency } => self.open(name.text, dependency)?,
            Token::Content => self.attribute = None,
            Token::Close => self.close()?,
            Token::Attribute(name) => self.attribute = Some(attribute(name.text)),
            Token::Text(place) => self.content(|| Part::Text(place))?,
            Token::Slot(slot) => self.content(|| Part::Slot(slot))?,
            // A doubt in what is asked for.
            Token::Piece(_) if self.asked() => return None,
            Token::Piece(_) => {}
        }
        Some(true)
    }

    fn open(&mut self, name: &[u8], dependency: Option<u16>) -> Option<()> {
        self.attribute = None;
        match self.depth {
            0 => {
                self.opened += 1;
                is(name, "Event").then_some(())?;
                self.found.needed.extend(dependency);
            }
            1 => {
                self.in_system = is(name, "System");
                if self.in_system {
                    self.found.systems += 1;
                    self.found.needed.extend(dependency);
                }
            }
            2 if self.in_system => {
                self.element = element(name);
                if self.element != Element::Other {
                    self.found.needed.extend(dependency);
                }
            }
            // Something within an element that is asked for.
            _ if self.asked() => return None,
            _ => {}
        }
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }

    fn close(&mut self) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        self.attribute = None;
        match self.depth {
            1 => self.in_system = false,
            2 => self.element = Element::Other,
            _ => {}
        }
        Some(())
    }

    /// Whether the walk is in an element that is asked for.
    fn asked(&self) -> bool {
        self.in_system && self.element != Element::Other
    }

    /// A value: of the attribute at hand, or of the element.
    fn content(&mut self, part: impl FnOnce() -> Part) -> Option<()> {
        if !self.asked() {
            return Some(());
        }
        let found = &mut self.found;
        let place = match (self.element, self.attribute) {
            (Element::Provider, Some(Attribute::Name)) => &mut found.provider,
            (Element::Provider, Some(Attribute::EventSourceName)) => &mut found.source,
            (Element::Time, Some(Attribute::SystemTime)) => &mut found.time,
            (Element::EventId, None) => &mut found.event_id,
            (Element::Number, None) => &mut found.number,
            (Element::Channel, None) => &mut found.channel,
            (Element::Computer, None) => &mut found.computer,
            (_, Some(_)) => return Some(()),
            (_, None) => return None,
        };
        // Twice the same, or a value in several pieces.
        place.is_none().then(|| *place = Some(part()))
    }
}

fn element(name: &[u8]) -> Element {
    const ELEMENTS: [(&str, Element); 6] = [
        ("Provider", Element::Provider),
        ("EventID", Element::EventId),
        ("EventRecordID", Element::Number),
        ("TimeCreated", Element::Time),
        ("Channel", Element::Channel),
        ("Computer", Element::Computer),
    ];
    let found = ELEMENTS.iter().find(|(known, _)| is(name, known));
    found.map_or(Element::Other, |(_, element)| *element)
}

fn attribute(name: &[u8]) -> Attribute {
    const ATTRIBUTES: [(&str, Attribute); 3] = [
        ("Name", Attribute::Name),
        ("EventSourceName", Attribute::EventSourceName),
        ("SystemTime", Attribute::SystemTime),
    ];
    let found = ATTRIBUTES.iter().find(|(known, _)| is(name, known));
    found.map_or(Attribute::Other, |(_, attribute)| *attribute)
}

/// Whether UTF-16 bytes spell an ASCII text.
fn is(name: &[u8], text: &str) -> bool {
    let (units, _) = name.as_chunks::<2>();
    name.len() == text.len() * 2
        && units
            .iter()
            .zip(text.bytes())
            .all(|([low, high], byte)| *low == byte && *high == 0)
}
