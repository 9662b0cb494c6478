//! Security descriptors as text, in the security descriptor definition language (MS-DTYP section 2.5.1).

use super::abbreviation;
use super::descriptor::{
    AccessMask, Ace, AceFlags, AceKind, Condition, Dacl, Inheritance, SecurityDescriptor, Trustee,
};

/// Why a text is no descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SDDL cannot be read at character {at}: {why}")]
pub struct SddlError {
    /// The byte of the text where reading stopped, from 0.
    pub at: usize,
    /// What is wrong there.
    pub why: SddlProblem,
}

/// What is wrong with a descriptor's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SddlProblem {
    /// No `O:`, `G:`, `D:` or `S:` where one should be.
    #[error("O:, G:, D: or S: is expected")]
    NoSection,
    /// A section that stands there twice.
    #[error("the section stands there twice")]
    Repeated,
    /// The text ends inside an entry.
    #[error("the text ends inside an entry: it is cut")]
    Cut,
    /// A SID or an abbreviation that does not exist.
    #[error("\"{0}\" is no SID and no known abbreviation")]
    NoSid(String),
    /// Something other than `P`, `AR`, `AI` or `NO_ACCESS_CONTROL` before the entries.
    #[error("unknown flags before the entries")]
    DaclFlags,
    /// An entry with too few or too many fields.
    #[error("an entry has six fields, this one has {0}")]
    Fields(usize),
    /// An entry for a property of a directory object (`OA`, `OD`).
    #[error("object entries belong to directory objects, not to files or keys")]
    ObjectAce,
    /// An entry of another type.
    #[error("an entry of type \"{0}\" is not understood")]
    AceType(String),
    /// Flags of an entry.
    #[error("\"{0}\" are no inheritance flags")]
    AceFlags(String),
    /// Rights of an entry.
    #[error("\"{0}\" are no rights")]
    Rights(String),
}

/// Reads a descriptor from text. The audit part (`S:`) is checked for its framing and dropped.
///
/// # Errors
/// Where and why the text is none. Nothing is guessed: half a list would tell a wrong story.
pub fn parse_sddl(text: &str) -> Result<SecurityDescriptor, SddlError> {
    let mut reader = Reader { text, at: 0 };
    let mut descriptor = SecurityDescriptor {
        owner: None,
        group: None,
        dacl: Dacl::NotGiven,
    };
    let mut seen = Vec::new();
    reader.skip_space();
    loop {
        let section = reader.section()?;
        if seen.contains(&section) {
            return Err(reader.error(SddlProblem::Repeated));
        }
        seen.push(section);
        match section {
            b'O' => descriptor.owner = Some(reader.principal()?),
            b'G' => descriptor.group = Some(reader.principal()?),
            b'D' => descriptor.dacl = reader.dacl()?,
            _ => reader.skip_sacl()?,
        }
        reader.skip_space();
        if reader.rest().is_empty() {
            return Ok(descriptor);
        }
    }
}

/// Whether a line of a listing is a descriptor: no file's name has a colon as its second character and no drive's path
/// stands in such a listing.
pub fn looks_like_sddl(line: &str) -> bool {
    let line = line.trim_start().as_bytes();
    matches!(line, [b'O' | b'G' | b'D' | b'S', b':', ..])
        && !matches!(line.get(2), Some(b'\\' | b'/'))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, why: SddlProblem) -> SddlError {
        SddlError { at: self.at, why }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The letter of the section that begins here.
    fn section(&mut self) -> Result<u8, SddlError> {
        match self.rest().as_bytes() {
            [letter, b':', ..]
                if matches!(letter.to_ascii_uppercase(), b'O' | b'G' | b'D' | b'S') =>
            {
                self.at += 2;
                Ok(letter.to_ascii_uppercase())
            }
            _ => Err(self.error(SddlProblem::NoSection)),
        }
    }

    /// An owner or a group: it ends before the letter of the next section.
    fn principal(&mut self) -> Result<Trustee, SddlError> {
        let rest = self.rest();
        let end = rest
            .find(':')
            .map_or(rest.len(), |colon| colon.saturating_sub(1));
        let text = rest.get(..end).unwrap_or(rest);
        let trustee = principal(text.trim()).map_err(|why| self.error(why))?;
        self.at += text.len();
        Ok(trustee)
    }

    fn dacl(&mut self) -> Result<Dacl, SddlError> {
        let mut inheritance = Inheritance::Open;
        let mut null = false;
        loop {
            self.skip_space();
            if self.accept("NO_ACCESS_CONTROL") {
                null = true;
            } else if self.accept("AR") || self.accept("AI") {
                // What they ask for, or tell of, happened when the descriptor was stored.
            } else if self.accept("P") {
                inheritance = Inheritance::Protected;
            } else {
                break;
            }
        }
        let mut entries = Vec::new();
        while let Some(ace) = self.ace_text()? {
            entries.push(parse_ace(ace).map_err(|why| SddlError {
                at: self.at - ace.len() - 1,
                why,
            })?);
        }
        self.end_of_acl()?;
        Ok(if null {
            Dacl::Null
        } else {
            Dacl::Entries {
                inheritance,
                entries,
            }
        })
    }

    fn skip_sacl(&mut self) -> Result<(), SddlError> {
        while self.accept("NO_ACCESS_CONTROL")
            || self.accept("AR")
            || self.accept("AI")
            || self.accept("P")
        {}
        while self.ace_text()?.is_some() {}
        self.end_of_acl()
    }

    /// After the entries only another section or the end may follow.
    fn end_of_acl(&mut self) -> Result<(), SddlError> {
        self.skip_space();
        let followed = self.rest().is_empty() || self.rest().as_bytes().get(1) == Some(&b':');
        if followed {
            Ok(())
        } else {
            Err(self.error(SddlProblem::DaclFlags))
        }
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self
            .rest()
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word));
        if found {
            self.at += word.len();
        }
        found
    }

    /// What stands between the parentheses of the next entry. Conditions have parentheses and quoted strings of their own.
    fn ace_text(&mut self) -> Result<Option<&'a str>, SddlError> {
        self.skip_space();
        let rest = self.rest();
        if !rest.starts_with('(') {
            return Ok(None);
        }
        let (mut depth, mut quoted) = (0_usize, false);
        for (position, byte) in rest.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b'(' if !quoted => depth += 1,
                b')' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at += position + 1;
                return Ok(rest.get(1..position));
            }
        }
        Err(self.error(SddlProblem::Cut))
    }
}

/// `type;flags;rights;object;inherited object;trustee`, and a condition as the seventh field.
fn parse_ace(text: &str) -> Result<Ace, SddlProblem> {
    let fields: Vec<&str> = text.splitn(7, ';').map(str::trim).collect();
    let &[
        kind,
        flags,
        rights,
        object,
        inherited_object,
        who,
        ref condition @ ..,
    ] = &fields[..]
    else {
        return Err(SddlProblem::Fields(fields.len()));
    };
    let (kind, expected) = match kind.to_ascii_uppercase().as_str() {
        "A" => (AceKind::Allow, Condition::Always),
        "D" => (AceKind::Deny, Condition::Always),
        "XA" => (AceKind::Allow, Condition::Conditional),
        "XD" => (AceKind::Deny, Condition::Conditional),
        "OA" | "OD" | "ZA" => return Err(SddlProblem::ObjectAce),
        other => return Err(SddlProblem::AceType(other.to_owned())),
    };
    if condition.is_empty() != (expected == Condition::Always) {
        return Err(SddlProblem::Fields(fields.len()));
    }
    if !object.is_empty() || !inherited_object.is_empty() {
        return Err(SddlProblem::ObjectAce);
    }
    Ok(Ace {
        kind,
        condition: expected,
        flags: ace_flags(flags).ok_or_else(|| SddlProblem::AceFlags(flags.to_owned()))?,
        mask: parse_rights(rights).ok_or_else(|| SddlProblem::Rights(rights.to_owned()))?,
        trustee: principal(who)?,
    })
}

fn ace_flags(text: &str) -> Option<AceFlags> {
    let mut flags = 0;
    for pair in pairs(text)? {
        flags |= match pair.as_str() {
            "OI" => AceFlags::OBJECT_INHERIT,
            "CI" => AceFlags::CONTAINER_INHERIT,
            "NP" => AceFlags::NO_PROPAGATE,
            "IO" => AceFlags::INHERIT_ONLY,
            "ID" => AceFlags::INHERITED,
            "CR" => 0x20,
            "SA" => 0x40,
            "FA" => 0x80,
            _ => return None,
        };
    }
    Some(AceFlags(flags))
}

/// Rights in letters, or one number: hexadecimal after 0x, octal after 0, else decimal.
fn parse_rights(text: &str) -> Option<AccessMask> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let lower = text.to_ascii_lowercase();
        let number = if let Some(digits) = lower.strip_prefix("0x") {
            u32::from_str_radix(digits, 16)
        } else if lower.len() > 1 && lower.starts_with('0') {
            u32::from_str_radix(&lower, 8)
        } else {
            lower.parse()
        };
        return number.ok().map(AccessMask);
    }
    pairs(text)?
        .into_iter()
        .try_fold(AccessMask::NONE, |mask, pair| {
            Some(mask.with(AccessMask(match pair.as_str() {
                "GA" => 0x1000_0000,
                "GX" => 0x2000_0000,
                "GW" => 0x4000_0000,
                "GR" => 0x8000_0000,
                "SD" => 0x1_0000,
                "RC" => 0x2_0000,
                "WD" => 0x4_0000,
                "WO" => 0x8_0000,
                "CC" => 0x1,
                "DC" => 0x2,
                "LC" => 0x4,
                "SW" => 0x8,
                "RP" => 0x10,
                "WP" => 0x20,
                "DT" => 0x40,
                "LO" => 0x80,
                "CR" => 0x100,
                "FA" => 0x1f_01ff,
                "FR" => 0x12_0089,
                "FW" => 0x12_0116,
                "FX" => 0x12_00a0,
                "KA" => 0xf_003f,
                "KR" | "KX" => 0x2_0019,
                "KW" => 0x2_0006,
                _ => return None,
            })))
        })
}

/// Two letters each, in upper case; `None` for an odd number, or for what is not ASCII.
fn pairs(text: &str) -> Option<Vec<String>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    Some(
        pairs
            .iter()
            .map(|pair| String::from_utf8_lossy(pair).to_ascii_uppercase())
            .collect(),
    )
}

fn principal(text: &str) -> Result<Trustee, SddlProblem> {
    abbreviation::trustee(text).ok_or_else(|| SddlProblem::NoSid(text.to_owned()))
}
