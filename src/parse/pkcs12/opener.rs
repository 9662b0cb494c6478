//! Opens what is encrypted, with the empty password or one of those given.

use zeroize::Zeroizing;

use super::super::ber::{Cursor, SEQUENCE};
use super::effort::Effort;
use super::encryption::{Method, Outcome, Refusal};
use super::integrity::Checksum;
use super::{Part, Pkcs12Problem};
use crate::parse::certificate::ObjectIdentifier;

/// A password in the two forms that keys are made of: two bytes a letter with two zeros at the end (RFC 7292, B.1), and UTF-8.
pub(super) struct Phrase {
    pub(super) wide: Zeroizing<Vec<u8>>,
    pub(super) narrow: Zeroizing<Vec<u8>>,
}

impl Phrase {
    fn of(text: &str) -> Self {
        let wide = text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes);
        Phrase {
            wide: Zeroizing::new(wide.collect()),
            narrow: Zeroizing::new(text.as_bytes().to_vec()),
        }
    }

    /// No password, which some writers tell from an empty one.
    fn none() -> Self {
        Phrase {
            wide: Zeroizing::default(),
            narrow: Zeroizing::default(),
        }
    }
}

/// What the checksum over the file says of the passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checked {
    /// There is none, or none that is read.
    Unchecked,
    /// One of them is right.
    Right,
    /// None of them is, or what is held was changed.
    Wrong,
}

/// Opens the parts of one file.
pub(super) struct Opener {
    phrases: Vec<Phrase>,
    /// Which of them is known to be right.
    right: Option<usize>,
    given: bool,
    checked: Checked,
    effort: Effort,
}

impl Opener {
    pub(super) fn new(passwords: &[&str], effort: Effort) -> Self {
        let given = passwords.iter().copied();
        Opener {
            phrases: given
                .map(Phrase::of)
                .chain([Phrase::of(""), Phrase::none()])
                .collect(),
            right: None,
            given: !passwords.is_empty(),
            checked: Checked::Unchecked,
            effort,
        }
    }

    /// Finds the password by the checksum over the contents.
    pub(super) fn check(&mut self, contents: &[u8], data: Cursor<'_>) -> Result<(), Pkcs12Problem> {
        let Some(checksum) = Checksum::read(data)? else {
            return Ok(());
        };
        for (index, phrase) in self.phrases.iter().enumerate() {
            match checksum.fits(phrase, contents, &mut self.effort) {
                Some(true) => {
                    self.right = Some(index);
                    self.checked = Checked::Right;
                    return Ok(());
                }
                Some(false) => {}
                // What it says is not known; decrypting tells as well.
                None => return Ok(()),
            }
        }
        self.checked = Checked::Wrong;
        Ok(())
    }

    /// Whether a password opened something and the checksum does not fit it.
    pub(super) fn opened_against_checksum(&self) -> bool {
        self.checked == Checked::Wrong && self.right.is_some()
    }

    /// What was encrypted by this method.
    pub(super) fn open(
        &mut self,
        part: Part,
        method: Cursor<'_>,
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Pkcs12Problem> {
        let method = Method::read(method).map_err(|refusal| match refusal {
            Refusal::Unknown(method) => Pkcs12Problem::Method {
                part,
                method: ObjectIdentifier(method),
            },
            Refusal::Damaged => Pkcs12Problem::Damaged(part),
        })?;
        for (index, phrase) in self.phrases.iter().enumerate() {
            if self.right.is_some_and(|right| right != index) {
                continue;
            }
            match method.open(phrase, bytes, &mut self.effort) {
                Outcome::Opened(opened) if is_one_sequence(&opened) => {
                    self.right = Some(index);
                    return Ok(opened);
                }
                Outcome::Opened(_) | Outcome::Refused => {}
                Outcome::TooDear => {
                    return Err(Pkcs12Problem::Rounds {
                        part,
                        asked: method.rounds(),
                    });
                }
            }
        }
        Err(match (self.right, self.given) {
            (Some(_), _) => Pkcs12Problem::Damaged(part),
            (None, true) => Pkcs12Problem::WrongPassword(part),
            (None, false) => Pkcs12Problem::NoPassword(part),
        })
    }
}

/// Whether bytes are one sequence to their very end: what a wrong password gives is not, one time in millions apart.
fn is_one_sequence(bytes: &[u8]) -> bool {
    match Cursor::of(bytes).next() {
        Ok(Some(element)) => {
            element.tag == SEQUENCE && element.whole && element.raw.len() == bytes.len()
        }
        _ => false,
    }
}
