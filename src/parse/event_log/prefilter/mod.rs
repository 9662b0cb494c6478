//! What the `System` part of a record says, read from the raw bytes of a chunk, so that only wanted records are decoded.
//!
//! ```text
//! tokens   elements, attributes, texts and slots, one by one
//! form     where a template, or a record without one, keeps what is asked for
//! slots    the values that a record puts into its template
//! reach    whether a record can be decoded alone
//! texts    UTF-16 → text, each once
//! decision which kinds of events are wanted, each asked once
//! ```
//!
//! It never guesses: whatever is not written exactly as Windows and its exporting tools write it (an unknown token, an
//! offset that leads out of place, an element that stands twice or hangs on another slot, a value of another type) is a
//! doubt, and a record in doubt is decoded. It may only be used on a chunk whose checksums are right. Layout after
//! [MS-EVEN6] 2.2.12; the behaviour that it has to agree with is the `evtx` crate's, which decodes the rest.

mod cursor;
mod decision;
mod form;
mod reach;
mod slots;
mod texts;
mod tokens;

use jiff::Timestamp;

use super::chunk::{RECORD_HEADER, RecordSpan};
use super::record::{self, RecordKey};
use cursor::Cursor;
use decision::Decisions;
use form::{Form, Part};
pub(super) use reach::Reach;
use slots::Slots;
use texts::Column;
pub(super) use texts::{TextId, Texts};
use tokens::Origin;

const FRAGMENT_HEADER: [u8; 4] = [0x0f, 1, 1, 0];
const TEMPLATE_INSTANCE: u8 = 0x0c;
const OPEN: u8 = 0x01;
const OPEN_WITH_ATTRIBUTES: u8 = 0x41;
const END: u8 = 0x00;
/// Times outside of these are left to the decoder: 2000-01-01 and 2200-01-01 as FILETIME.
const PLAIN_TIMES: std::ops::Range<u64> = 125_911_584_000_000_000..189_025_056_000_000_000;
/// Who writes, where and which event: whether a record of that kind is wanted.
pub(super) type Wants<'a> = &'a (dyn Fn(&RecordKey<'_>) -> bool + Sync);

/// What a record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glance {
    /// `EventRecordID`.
    pub number: u64,
    /// `TimeCreated`.
    pub time: Timestamp,
    pub channel: TextId,
    pub computer: TextId,
    pub wanted: bool,
}

/// Looks at the records of some chunks.
pub(super) struct Prefilter<'a> {
    /// The template definitions of the chunk at hand, by place; `None`: in doubt.
    forms: Vec<(usize, Option<Form>)>,
    /// Those of the record at hand.
    slots: Slots,
    glancing: Glancing<'a>,
}

/// What the records of some chunks share.
struct Glancing<'a> {
    wants: Wants<'a>,
    decisions: Decisions,
    provider: Column,
    source: Column,
    channel: Column,
    computer: Column,
}

impl<'a> Prefilter<'a> {
    pub fn new(wants: Wants<'a>) -> Self {
        Prefilter {
            forms: Vec::new(),
            slots: Slots::none(),
            glancing: Glancing {
                wants,
                decisions: Decisions::new(),
                provider: Column::default(),
                source: Column::default(),
                channel: Column::default(),
                computer: Column::default(),
            },
        }
    }

    /// To be called before the first record of another chunk.
    pub fn enter_chunk(&mut self) {
        self.forms.clear();
    }

    /// What a record says, or `None` where that is in doubt.
    pub fn glance(&mut self, chunk: &[u8], span: &RecordSpan, texts: &mut Texts) -> Option<Glance> {
        // The last four bytes are the copy of the size.
        let end = (span.offset + span.size).checked_sub(4)?;
        let mut cursor = Cursor::new(chunk.get(..end)?, span.offset + RECORD_HEADER);
        cursor.skip_if(&FRAGMENT_HEADER);
        match cursor.peek()? {
            TEMPLATE_INSTANCE => self.instance(chunk, &mut cursor, texts),
            OPEN | OPEN_WITH_ATTRIBUTES => {
                let form = Form::read(&mut cursor, chunk, Origin::Record)?;
                self.glancing.said(chunk, &form, &Slots::none(), texts)
            }
            _ => None,
        }
    }

    fn instance(
        &mut self,
        chunk: &[u8],
        cursor: &mut Cursor<'_>,
        texts: &mut Texts,
    ) -> Option<Glance> {
        let start = cursor.at();
        cursor.skip(6)?; // the token, a byte without meaning, the template's id
        let definition = usize::try_from(cursor.u32()?).ok()?;
        if definition == cursor.at() {
            cursor.skip(20)?;
            let size = usize::try_from(cursor.u32()?).ok()?;
            cursor.skip(size)?;
        } else if definition >= start {
            return None; // defined by a later record: nothing writes so
        }
        self.slots.read(cursor)?;
        if !matches!(cursor.peek(), None | Some(END)) {
            return None;
        }
        let form = form(&mut self.forms, chunk, definition)?;
        self.glancing.said(chunk, form, &self.slots, texts)
    }
}

/// The form of the definition at that place, read once.
fn form<'f>(
    forms: &'f mut Vec<(usize, Option<Form>)>,
    chunk: &[u8],
    definition: usize,
) -> Option<&'f Form> {
    let known = forms.iter().position(|(place, _)| *place == definition);
    let index = known.unwrap_or_else(|| {
        forms.push((definition, Form::of_definition(chunk, definition)));
        forms.len() - 1
    });
    forms.get(index)?.1.as_ref()
}

impl Glancing<'_> {
    fn said(
        &mut self,
        chunk: &[u8],
        form: &Form,
        slots: &Slots,
        texts: &mut Texts,
    ) -> Option<Glance> {
        if form.needed.iter().any(|slot| slots.is_null(*slot)) {
            return None; // the elements that hang on it are left out
        }
        let event_id = u32::try_from(number(chunk, &form.event_id, slots)?).ok()?;
        let provider = text(chunk, &form.provider, slots)?;
        let provider = self.provider.intern(texts, provider)?;
        let source = match &form.source {
            Some(part) => match text(chunk, part, slots) {
                Some(name) => Some(self.source.intern(texts, name)?),
                None if part.is_null(slots) => None,
                None => return None,
            },
            None => None,
        };
        let channel = text(chunk, &form.channel, slots)?;
        let computer = text(chunk, &form.computer, slots)?;
        let number = number(chunk, &form.number, slots)?;
        let wants = self.wants;
        let wanted = self.decisions.ask(provider, source, event_id, || {
            wants(&RecordKey {
                provider: texts.text(provider),
                source_name: source.map(|source| texts.text(source)),
                event_id,
            })
        });
        Some(Glance {
            number: Some(number).filter(|number| *number != 0)?,
            time: time(chunk, &form.time, slots)?,
            channel: self.channel.intern(texts, channel)?,
            computer: self.computer.intern(texts, computer)?,
            wanted,
        })
    }
}

/// The UTF-16 bytes of a text, a NUL and what stands behind it included; `None` for none and for values of another type.
fn text<'c>(chunk: &'c [u8], part: &Part, slots: &Slots) -> Option<&'c [u8]> {
    let bytes = match part {
        Part::Text(range) => chunk.get(range.clone())?,
        Part::Slot(slot) => slots.text(chunk, *slot)?,
    };
    (!bytes.is_empty()).then_some(bytes)
}

fn number(chunk: &[u8], part: &Part, slots: &Slots) -> Option<u64> {
    match part {
        Part::Slot(slot) => slots.number(chunk, *slot),
        Part::Text(range) => {
            let digits = texts::ascii(chunk.get(range.clone())?)?;
            let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
            plain.then(|| digits.parse().ok())?
        }
    }
}

fn time(chunk: &[u8], part: &Part, slots: &Slots) -> Option<Timestamp> {
    match part {
        Part::Slot(slot) => {
            let filetime = slots.filetime(chunk, *slot)?;
            PLAIN_TIMES
                .contains(&filetime)
                .then(|| record::timestamp(filetime))?
        }
        Part::Text(range) => texts::ascii(chunk.get(range.clone())?)?.parse().ok(),
    }
}
