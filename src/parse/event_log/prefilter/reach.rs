//! Whether a record can be decoded alone, with its neighbours passed over.
//!
//! Passing over a record changes its header. All that a sound record says stands in itself and in the names and template
//! definitions that it points to, none of which touches a header. A value that is longer than its record, or a name that is said to
//! stand in the middle of a header, would read differently: such a record is decoded among its neighbours as they are.

use std::ops::Range;

use super::super::chunk::{RECORD_HEADER, RecordSpan};
use super::cursor::Cursor;
use super::form::definition_body;
use super::slots::{self, Value};
use super::tokens::{Name, Origin, Token, Tokens};
use super::{END, FRAGMENT_HEADER, OPEN, OPEN_WITH_ATTRIBUTES, TEMPLATE_INSTANCE};

/// BinXML within a value of BinXML; Windows nests once.
const DEEPEST: usize = 8;
const BINXML: u8 = 0x21;
const STRINGS: u8 = 0x81;

/// Follows the records of one chunk.
pub(in super::super) struct Reach<'c> {
    chunk: &'c [u8],
    /// The records, by place.
    spans: &'c [RecordSpan],
    /// The definitions that were followed, and whether they stay in their places.
    definitions: Vec<(usize, bool)>,
}

impl<'c> Reach<'c> {
    pub fn new(chunk: &'c [u8], spans: &'c [RecordSpan]) -> Self {
        Reach {
            chunk,
            spans,
            definitions: Vec::new(),
        }
    }

    /// Whether all that a record says stands where no header does.
    pub fn is_own(&mut self, span: &RecordSpan) -> bool {
        // The last four bytes are the copy of the size.
        let content = span.offset + RECORD_HEADER..span.offset + span.size - 4;
        self.fragment(content, 0).is_some()
    }

    fn fragment(&mut self, place: Range<usize>, depth: usize) -> Option<()> {
        let mut cursor = Cursor::new(self.chunk.get(..place.end)?, place.start);
        cursor.skip_if(&FRAGMENT_HEADER);
        match cursor.peek()? {
            TEMPLATE_INSTANCE => self.instance(&mut cursor, depth),
            OPEN | OPEN_WITH_ATTRIBUTES => self.elements(&mut cursor, Origin::Record),
            _ => None,
        }
    }

    fn instance(&mut self, cursor: &mut Cursor<'c>, depth: usize) -> Option<()> {
        (depth < DEEPEST).then_some(())?;
        cursor.skip(6)?; // the token, a byte without meaning, the template's id
        let definition = usize::try_from(cursor.u32()?).ok()?;
        if definition == cursor.at() {
            cursor.skip(definition_body(self.chunk, definition)?.end - definition)?;
        }
        self.definition(definition).then_some(())?;
        let mut nested = Vec::new();
        slots::each_value(cursor, |value: Value| {
            match value.kind {
                BINXML if !value.place().is_empty() => nested.push(value.place()),
                // Texts are read up to their NUL, the last one too.
                STRINGS if !value.place().is_empty() && !self.ends_in_nul(&value.place()) => {
                    return None;
                }
                _ => {}
            }
            Some(())
        })?;
        matches!(cursor.peek(), None | Some(END)).then_some(())?;
        for place in nested {
            self.fragment(place, depth + 1)?;
        }
        Some(())
    }

    fn ends_in_nul(&self, place: &Range<usize>) -> bool {
        let texts = self.chunk.get(place.clone()).unwrap_or(&[]);
        texts.len().is_multiple_of(2) && texts.ends_with(&[0, 0])
    }

    fn definition(&mut self, definition: usize) -> bool {
        let known = self
            .definitions
            .iter()
            .find(|(place, _)| *place == definition);
        if let Some((_, stays)) = known {
            return *stays;
        }
        let stays = self.follow_definition(definition).is_some();
        self.definitions.push((definition, stays));
        stays
    }

    fn follow_definition(&self, definition: usize) -> Option<()> {
        let body = definition_body(self.chunk, definition)?;
        self.is_within_a_record(&(definition..body.end))
            .then_some(())?;
        let mut cursor = Cursor::new(self.chunk.get(..body.end)?, body.start);
        cursor.skip_if(&FRAGMENT_HEADER);
        self.elements(&mut cursor, Origin::Definition)
    }

    /// Follows elements to their end.
    fn elements(&self, cursor: &mut Cursor<'c>, origin: Origin) -> Option<()> {
        let mut tokens = Tokens {
            cursor,
            chunk: self.chunk,
            origin,
        };
        loop {
            match tokens.next()? {
                Token::End => return Some(()),
                Token::Open { name, .. } | Token::Attribute(name) | Token::Piece(Some(name)) => {
                    self.name(&name)?
                }
                Token::Content
                | Token::Close
                | Token::Text(_)
                | Token::Slot(_)
                | Token::Piece(None) => {}
            }
        }
    }

    fn name(&self, name: &Name<'_>) -> Option<()> {
        self.is_within_a_record(&name.place).then_some(())
    }

    /// Whether these bytes are the content of one record.
    fn is_within_a_record(&self, bytes: &Range<usize>) -> bool {
        let behind = self
            .spans
            .partition_point(|span| span.offset <= bytes.start);
        let span = behind.checked_sub(1).and_then(|at| self.spans.get(at));
        // The first byte behind the header is changed as well.
        span.is_some_and(|span| {
            span.offset + RECORD_HEADER < bytes.start && bytes.end <= span.offset + span.size
        })
    }
}
