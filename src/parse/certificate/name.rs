//! Distinguished names (RFC 5280 section 4.1.2.4), walked part by part: the certificate library stops without a word at
//! the first part it cannot read, an empty SET for one, and loses all that follows (measured on zlint's test
//! certificates).

use std::fmt;

use x509_parser::asn1_rs::{FromDer, Oid, Tag};

use super::ObjectIdentifier;
use super::der::{Element, Elements, Stop};
use super::error::{CertificateProblem, Field};

/// Whether all parts of a name were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Every part.
    Complete,
    /// Some part could not be read and is missing from the attributes; the certificate's problems say which.
    Incomplete,
}

/// One attribute of a name, such as `CN=rds01.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub identifier: ObjectIdentifier,
    /// Its value as text; `#` and hexadecimal digits where it is no string.
    pub value: String,
}

/// A subject or an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    /// The attributes in the order of the encoding: usually the country first and the common name last.
    pub attributes: Vec<Attribute>,
    /// The DER bytes of the whole name; two names are the same when these are.
    pub raw: Vec<u8>,
    /// Whether all parts could be read.
    pub completeness: Completeness,
}

impl DistinguishedName {
    /// The common names, in the order of the encoding.
    pub fn common_names(&self) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.identifier.0 == "2.5.4.3")
            .map(|attribute| attribute.value.as_str())
    }
}

/// As Windows shows it: the last attribute first, `CN=rds01, O=Example, C=DE`; empty for a name without attributes.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, attribute) in self.attributes.iter().rev().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            let identifier = attribute.identifier.0.as_str();
            match short_name(identifier) {
                Some(short) => f.write_str(short)?,
                None => write!(f, "OID.{identifier}")?,
            }
            let value = attribute.value.as_str();
            let quoted = value.contains([',', '+', '"', '=', '\n', ';', '<', '>'])
                || value.starts_with([' ', '#'])
                || value.ends_with(' ');
            if quoted {
                write!(f, "=\"{}\"", value.replace('"', "\"\""))?;
            } else {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// The names that Windows prints (wincrypt.h, CertNameToStr).
fn short_name(identifier: &str) -> Option<&'static str> {
    Some(match identifier {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "S",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "T",
        "2.5.4.42" => "G",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "E",
        _ => return None,
    })
}

/// Reads a name; what cannot be read of it goes to `problems`.
pub(super) fn read(
    element: &Element<'_>,
    field: Field,
    problems: &mut Vec<CertificateProblem>,
) -> DistinguishedName {
    let mut walk = Walk {
        field,
        problems,
        attributes: Vec::new(),
        completeness: Completeness::Complete,
    };
    walk.name(element.inside());
    DistinguishedName {
        attributes: walk.attributes,
        raw: element.raw.to_vec(),
        completeness: walk.completeness,
    }
}

struct Walk<'p> {
    field: Field,
    problems: &'p mut Vec<CertificateProblem>,
    attributes: Vec<Attribute>,
    completeness: Completeness,
}

impl Walk<'_> {
    /// A name is a sequence of sets of attributes.
    fn name(&mut self, mut sets: Elements<'_>) {
        while let Some(set) = self.step(&mut sets) {
            if !set.is(Tag::Set) {
                self.lost(set.offset, "a SET is expected");
                continue;
            }
            if set.content.is_empty() {
                self.lost(set.offset, "it is an empty SET");
            }
            let mut attributes = set.inside();
            while let Some(attribute) = self.step(&mut attributes) {
                self.attribute(&attribute);
            }
        }
    }

    /// An attribute is a sequence of its type and its value.
    fn attribute(&mut self, attribute: &Element<'_>) {
        let mut parts = attribute.inside();
        let (Ok(kind), Ok(value)) = (parts.next(), parts.next()) else {
            self.lost(attribute.offset, "an attribute has a type and a value");
            return;
        };
        let Ok((_, identifier)) = Oid::from_der(kind.raw) else {
            self.lost(kind.offset, "an object identifier is expected");
            return;
        };
        if parts.position().1 > 0 {
            self.lost(
                parts.position().0,
                "something follows the attribute's value",
            );
        }
        let value = string(&value).unwrap_or_else(|| {
            self.lost(value.offset, "its bytes do not fit its string type");
            hexadecimal(value.content)
        });
        self.attributes.push(Attribute {
            identifier: ObjectIdentifier(identifier.to_id_string()),
            value,
        });
    }

    fn step<'a>(&mut self, elements: &mut Elements<'a>) -> Option<Element<'a>> {
        match elements.next() {
            Ok(element) => Some(element),
            Err(Stop::End { .. }) => None,
            Err(Stop::Cut { offset, .. }) => {
                self.lost(offset, "it says it is longer than what holds it");
                None
            }
            Err(Stop::NoHeader { offset }) => {
                self.lost(offset, "no DER header stands there");
                None
            }
        }
    }

    fn lost(&mut self, offset: usize, why: &str) {
        self.completeness = Completeness::Incomplete;
        self.problems.push(CertificateProblem::Name {
            field: self.field,
            offset,
            why: why.to_owned(),
        });
    }
}

/// The text of a string type; `None` when the bytes do not fit the type. What is no string is shown in hexadecimal.
fn string(value: &Element<'_>) -> Option<String> {
    let bytes = value.content;
    Some(match value.tag {
        Tag::Utf8String => String::from_utf8(bytes.to_vec()).ok()?,
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            // Windows writes these with characters outside the type too; Latin-1 loses none.
            bytes.iter().copied().map(char::from).collect()
        }
        // T.61 is read as Latin-1 by everybody, Windows included.
        Tag::T61String => bytes.iter().copied().map(char::from).collect(),
        Tag::BmpString => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            char::decode_utf16(units)
                .collect::<Result<String, _>>()
                .ok()?
        }
        Tag::UniversalString => {
            let (quads, rest) = bytes.as_chunks::<4>();
            if !rest.is_empty() {
                return None;
            }
            quads
                .iter()
                .map(|quad| char::from_u32(u32::from_be_bytes(*quad)))
                .collect::<Option<String>>()?
        }
        _ => hexadecimal(bytes),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("#");
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    text
}
