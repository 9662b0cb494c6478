//! Security descriptors: who owns an object, and who may do what with it. Read from their binary, self-relative form here
//! (MS-DTYP section 2.4.6), from text in [`super::sddl`].

use super::sid::Sid;

/// Rights, as bits (MS-DTYP section 2.4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessMask(pub u32);

#[allow(missing_docs)] // The names of winnt.h.
impl AccessMask {
    pub const NONE: AccessMask = AccessMask(0);
    pub const FILE_READ_DATA: AccessMask = AccessMask(0x1);
    pub const FILE_WRITE_DATA: AccessMask = AccessMask(0x2);
    pub const KEY_SET_VALUE: AccessMask = AccessMask(0x2);
    pub const KEY_CREATE_SUB_KEY: AccessMask = AccessMask(0x4);
    pub const DELETE: AccessMask = AccessMask(0x1_0000);
    pub const READ_CONTROL: AccessMask = AccessMask(0x2_0000);
    pub const WRITE_DAC: AccessMask = AccessMask(0x4_0000);
    pub const WRITE_OWNER: AccessMask = AccessMask(0x8_0000);
    pub const SYNCHRONIZE: AccessMask = AccessMask(0x10_0000);
    pub const FILE_GENERIC_READ: AccessMask = AccessMask(0x12_0089);
    pub const FILE_GENERIC_WRITE: AccessMask = AccessMask(0x12_0116);
    pub const FILE_GENERIC_EXECUTE: AccessMask = AccessMask(0x12_00a0);
    pub const FILE_ALL_ACCESS: AccessMask = AccessMask(0x1f_01ff);
    pub const KEY_READ: AccessMask = AccessMask(0x2_0019);
    pub const KEY_WRITE: AccessMask = AccessMask(0x2_0006);
    pub const KEY_ALL_ACCESS: AccessMask = AccessMask(0xf_003f);
    pub const GENERIC_READ: AccessMask = AccessMask(0x8000_0000);
    pub const GENERIC_WRITE: AccessMask = AccessMask(0x4000_0000);
    pub const GENERIC_EXECUTE: AccessMask = AccessMask(0x2000_0000);
    pub const GENERIC_ALL: AccessMask = AccessMask(0x1000_0000);
}

impl AccessMask {
    /// Whether all of these rights are among them.
    pub const fn contains(self, rights: AccessMask) -> bool {
        self.0 & rights.0 == rights.0
    }

    /// Whether any of these rights is among them.
    pub const fn intersects(self, rights: AccessMask) -> bool {
        self.0 & rights.0 != 0
    }

    /// These rights and those.
    pub const fn with(self, rights: AccessMask) -> AccessMask {
        AccessMask(self.0 | rights.0)
    }

    /// These rights but not those.
    pub const fn without(self, rights: AccessMask) -> AccessMask {
        AccessMask(self.0 & !rights.0)
    }
}

/// Whom an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trustee {
    /// This SID.
    Sid(Sid),
    /// An account of the machine's own or its domain, by its relative identifier: SDDL abbreviates them without saying whose
    /// (`LA` is S-1-5-21-...-500).
    AccountRid(u32),
    /// An account of a machine or a domain, by name: certainly none of the well-known ones.
    Account(String),
    /// A name that is not known in any language here; it may be anybody.
    Unknown(String),
}

/// Whether an entry allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AceKind {
    /// Allows.
    Allow,
    /// Denies.
    Deny,
}

/// Whether an entry always counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It does.
    Always,
    /// Only when an expression over claims is true, which nothing here can tell (types XA, XD).
    Conditional,
}

/// The inheritance bits of an entry (MS-DTYP section 2.4.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AceFlags(pub u8);

#[allow(missing_docs)] // The names of SDDL.
impl AceFlags {
    pub const OBJECT_INHERIT: u8 = 0x01;
    pub const CONTAINER_INHERIT: u8 = 0x02;
    pub const NO_PROPAGATE: u8 = 0x04;
    pub const INHERIT_ONLY: u8 = 0x08;
    pub const INHERITED: u8 = 0x10;
}

impl AceFlags {
    /// Whether the entry is passed on to children only and does not count for the object itself.
    pub fn inherit_only(self) -> bool {
        self.0 & Self::INHERIT_ONLY != 0
    }

    /// Whether the entry came from the parent.
    pub fn inherited(self) -> bool {
        self.0 & Self::INHERITED != 0
    }
}

/// One entry of a DACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// Allow or deny.
    pub kind: AceKind,
    /// Always, or only under a condition.
    pub condition: Condition,
    /// How it is inherited.
    pub flags: AceFlags,
    /// Which rights.
    pub mask: AccessMask,
    /// Whom it is about.
    pub trustee: Trustee,
}

/// The list that decides about access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dacl {
    /// The text says nothing about it: access is not known.
    NotGiven,
    /// There is none: everybody may do everything.
    Null,
    /// These entries, in their order; with none, nobody may do anything.
    Entries {
        /// Whether it is protected from what the parent would pass on (`P`).
        inheritance: Inheritance,
        /// The entries.
        entries: Vec<Ace>,
    },
}

/// Whether a DACL takes over its parent's inheritable entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inheritance {
    /// It does.
    Open,
    /// It does not (SE_DACL_PROTECTED).
    Protected,
}

/// A security descriptor, without its audit part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// Who owns the object, where that is given.
    pub owner: Option<Trustee>,
    /// Its primary group, where that is given.
    pub group: Option<Trustee>,
    /// Who may do what.
    pub dacl: Dacl,
}

/// Why a binary descriptor cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the security descriptor is damaged at offset {offset:#x}: {why}")]
pub struct DescriptorError {
    /// Where.
    pub offset: usize,
    /// What is wrong there.
    pub why: &'static str,
}

const SE_DACL_PRESENT: u16 = 0x0004;
const SE_DACL_PROTECTED: u16 = 0x1000;
const SE_SELF_RELATIVE: u16 = 0x8000;

impl SecurityDescriptor {
    /// Reads a self-relative descriptor, as a hive's `sk` cells hold it.
    ///
    /// # Errors
    /// Where it is damaged, or which kind of entry is not understood: half a list would tell a wrong story.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DescriptorError> {
        let broken = |offset, why| DescriptorError { offset, why };
        if bytes.first() != Some(&1) {
            return Err(broken(0, "its revision is not 1"));
        }
        let control = half(bytes, 2).ok_or(broken(2, "it is shorter than its header"))?;
        if control & SE_SELF_RELATIVE == 0 {
            return Err(broken(2, "it is not self-relative"));
        }
        let offset = |at: usize| word(bytes, at).ok_or(broken(at, "it is shorter than its header"));
        let sid = |at: usize, why| match offset(at)? as usize {
            0 => Ok(None),
            place => {
                let sid = bytes
                    .get(place..)
                    .and_then(Sid::from_bytes)
                    .ok_or(broken(place, why))?;
                Ok(Some(Trustee::Sid(sid)))
            }
        };
        let dacl = match offset(16)? as usize {
            _ if control & SE_DACL_PRESENT == 0 => Dacl::Null,
            0 => Dacl::Null,
            place => Dacl::Entries {
                inheritance: if control & SE_DACL_PROTECTED == 0 {
                    Inheritance::Open
                } else {
                    Inheritance::Protected
                },
                entries: entries(bytes, place)?,
            },
        };
        Ok(SecurityDescriptor {
            owner: sid(4, "the owner is no SID")?,
            group: sid(8, "the group is no SID")?,
            dacl,
        })
    }
}

/// An ACL: revision, size, count, then entries of type, flags, size, mask and SID (MS-DTYP section 2.4.5).
fn entries(bytes: &[u8], start: usize) -> Result<Vec<Ace>, DescriptorError> {
    let broken = |offset, why| DescriptorError { offset, why };
    let count = half(bytes, start.saturating_add(4)).ok_or(broken(start, "the DACL is cut"))?;
    let size = half(bytes, start + 2).ok_or(broken(start, "the DACL is cut"))?;
    let end = start + usize::from(size);
    let list = bytes.get(..end).ok_or(broken(
        start,
        "the DACL says it is longer than its descriptor",
    ))?;
    let mut offset = start + 8;
    let mut aces = Vec::new();
    for _ in 0..count {
        let header = list.get(offset..).and_then(|rest| rest.first_chunk::<4>());
        let &[kind, flags, size_low, size_high] =
            header.ok_or(broken(offset, "an entry is missing"))?;
        let size = usize::from(u16::from_le_bytes([size_low, size_high]));
        let ace = list
            .get(offset..)
            .and_then(|rest| rest.get(..size))
            .ok_or(broken(offset, "an entry says it is longer than the DACL"))?;
        let (kind, condition) = match kind {
            0x00 => (AceKind::Allow, Condition::Always),
            0x01 => (AceKind::Deny, Condition::Always),
            0x09 => (AceKind::Allow, Condition::Conditional),
            0x0a => (AceKind::Deny, Condition::Conditional),
            0x05 | 0x06 | 0x0b | 0x0c => {
                return Err(broken(
                    offset,
                    "it has an object entry, which only directory objects have",
                ));
            }
            _ => return Err(broken(offset, "it has an entry of an unknown type")),
        };
        let mask = word(ace, 4).ok_or(broken(offset, "an entry is shorter than its mask"))?;
        let sid = ace
            .get(8..)
            .and_then(Sid::from_bytes)
            .ok_or(broken(offset, "an entry has no SID"))?;
        aces.push(Ace {
            kind,
            condition,
            flags: AceFlags(flags),
            mask: AccessMask(mask),
            trustee: Trustee::Sid(sid),
        });
        offset += size;
    }
    Ok(aces)
}

fn half(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        *bytes.get(offset..)?.first_chunk::<2>()?,
    ))
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        *bytes.get(offset..)?.first_chunk::<4>()?,
    ))
}
