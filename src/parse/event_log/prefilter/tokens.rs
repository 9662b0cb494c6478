//! BinXML token by token ([MS-EVEN6] 2.2.12): elements, attributes, texts and slots, never past the end that was given.

use std::ops::Range;

use super::cursor::Cursor;
use super::texts::until_nul;

const NO_DEPENDENCY: u16 = 0xffff;
const STRING: u8 = 0x01;

/// Whose BinXML it is: elements of a definition say on which slot they depend, those of a record do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Definition,
    Record,
}

/// A name, which stands once in a chunk.
#[derive(Debug, Clone)]
pub(super) struct Name<'c> {
    /// UTF-16, without its NUL.
    pub text: &'c [u8],
    /// Where it stands in the chunk, with its link, hash and length.
    pub place: Range<usize>,
}

/// What stands next.
#[derive(Debug, Clone)]
pub(super) enum Token<'c> {
    /// All elements have ended.
    End,
    /// An element begins; where the slot it depends on is empty, it is left out.
    Open {
        name: Name<'c>,
        dependency: Option<u16>,
    },
    /// Its attributes have ended, what follows stands within it.
    Content,
    Close,
    Attribute(Name<'c>),
    /// UTF-16 at this place of the chunk, without its NUL.
    Text(Range<usize>),
    Slot(u16),
    /// A piece of a text that is put together of several: CDATA, a character or an entity by its number or its name.
    Piece(Option<Name<'c>>),
}

/// Reads tokens at a cursor.
pub(super) struct Tokens<'t, 'c> {
    pub cursor: &'t mut Cursor<'c>,
    /// Names may stand anywhere in it.
    pub chunk: &'c [u8],
    pub origin: Origin,
}

impl<'c> Tokens<'_, 'c> {
    /// The next token; `None` where none can be read.
    pub fn next(&mut self) -> Option<Token<'c>> {
        Some(match self.cursor.u8()? {
            0x00 => Token::End,
            token @ (0x01 | 0x41) => {
                let dependency = match self.origin {
                    Origin::Definition => {
                        Some(self.cursor.u16()?).filter(|slot| *slot != NO_DEPENDENCY)
                    }
                    Origin::Record => None,
                };
                self.cursor.skip(4)?; // the size, which nobody who reads tokens needs
                let name = self.name()?;
                if token == 0x41 {
                    self.cursor.skip(4)?;
                }
                Token::Open { name, dependency }
            }
            0x02 => Token::Content,
            0x03 | 0x04 => Token::Close,
            0x05 | 0x45 => {
                (self.cursor.u8()? == STRING).then_some(())?;
                let size = usize::from(self.cursor.u16()?) * 2;
                let start = self.cursor.at();
                let text = until_nul(self.cursor.take(size)?);
                Token::Text(start..start + text.len())
            }
            0x06 | 0x46 => Token::Attribute(self.name()?),
            0x07 | 0x47 => {
                let size = usize::from(self.cursor.u16()?) * 2;
                self.cursor.skip(size)?;
                Token::Piece(None)
            }
            0x08 | 0x48 => {
                self.cursor.skip(2)?;
                Token::Piece(None)
            }
            0x09 | 0x49 => Token::Piece(Some(self.name()?)),
            0x0d | 0x0e => {
                let slot = self.cursor.u16()?;
                self.cursor.u8()?;
                Token::Slot(slot)
            }
            _ => return None,
        })
    }

    /// A name, by its place in the chunk; where it is used first, it stands behind the reference.
    fn name(&mut self) -> Option<Name<'c>> {
        let place = usize::try_from(self.cursor.u32()?).ok()?;
        let mut name = Cursor::new(self.chunk, place);
        name.skip(6)?;
        let size = usize::from(name.u16()?) * 2;
        let text = name.take(size)?;
        // No name holds a NUL; a decoder may end it there or read it whole.
        (until_nul(text).len() == size).then_some(())?;
        if place == self.cursor.at() {
            self.cursor.skip(8 + size + 2)?;
        }
        Some(Name {
            text,
            place: place..name.at() + 2,
        })
    }
}
