//! What a token may do with an object: the kernel's access check (MS-DTYP section 2.5.3.2), without privileges.

use super::descriptor::{AccessMask, Ace, AceKind, Condition, Dacl, SecurityDescriptor, Trustee};
use super::sid::Sid;

/// What kind of object a descriptor protects: it says what the generic rights stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A file or a folder.
    File,
    /// A registry key.
    RegistryKey,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// What it may do in any case.
    pub certain: AccessMask,
    /// What it may do besides if names and conditions that are not known turn out in its favour.
    pub possible: AccessMask,
}

/// Whether something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is.
    Allowed,
    /// It is not.
    Denied,
    /// An entry's name or condition that is not known decides.
    Unknown,
}

impl Granted {
    /// Whether all of these rights are granted.
    pub fn allows(self, rights: AccessMask) -> Answer {
        if self.certain.contains(rights) {
            Answer::Allowed
        } else if self.possible.contains(rights) {
            Answer::Unknown
        } else {
            Answer::Denied
        }
    }
}

/// What a token with these SIDs may do, its user and its enabled groups alike. Entries count in the order they stand in,
/// canonical or not: a right is settled by the first entry that speaks of it.
pub fn granted(descriptor: &SecurityDescriptor, token: &[Sid], kind: ObjectKind) -> Granted {
    let entries = match &descriptor.dacl {
        Dacl::NotGiven => {
            return Granted {
                certain: AccessMask::NONE,
                possible: kind.all(),
            };
        }
        Dacl::Null => {
            return Granted {
                certain: kind.all(),
                possible: kind.all(),
            };
        }
        Dacl::Entries { entries, .. } => entries,
    };
    let check = Check {
        token,
        owner: descriptor.owner.as_ref(),
        kind,
    };
    Granted {
        certain: check.run(entries, Doubt::AgainstToken),
        possible: check.run(entries, Doubt::ForToken),
    }
}

impl ObjectKind {
    fn all(self) -> AccessMask {
        match self {
            ObjectKind::File => AccessMask::FILE_ALL_ACCESS,
            ObjectKind::RegistryKey => AccessMask::KEY_ALL_ACCESS,
        }
    }

    /// What Windows makes of generic rights when it stores a descriptor.
    fn map(self, mask: AccessMask) -> AccessMask {
        let (read, write, execute) = match self {
            ObjectKind::File => (
                AccessMask::FILE_GENERIC_READ,
                AccessMask::FILE_GENERIC_WRITE,
                AccessMask::FILE_GENERIC_EXECUTE,
            ),
            ObjectKind::RegistryKey => (
                AccessMask::KEY_READ,
                AccessMask::KEY_WRITE,
                AccessMask::KEY_READ,
            ),
        };
        let generic = [
            (AccessMask::GENERIC_READ, read),
            (AccessMask::GENERIC_WRITE, write),
            (AccessMask::GENERIC_EXECUTE, execute),
            (AccessMask::GENERIC_ALL, self.all()),
        ];
        generic.into_iter().fold(mask, |mask, (generic, specific)| {
            if mask.intersects(generic) {
                mask.without(generic).with(specific)
            } else {
                mask
            }
        })
    }
}

/// How to take an entry of which it is not known whether it counts for the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    AgainstToken,
    ForToken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Applies {
    Yes,
    No,
    Unknown,
}

struct Check<'a> {
    token: &'a [Sid],
    owner: Option<&'a Trustee>,
    kind: ObjectKind,
}

impl Check<'_> {
    fn run(&self, entries: &[Ace], doubt: Doubt) -> AccessMask {
        let mut granted = AccessMask::NONE;
        let mut denied = AccessMask::NONE;
        let counting = entries.iter().filter(|ace| !ace.flags.inherit_only());
        // An entry for OWNER RIGHTS replaces what the owner is granted without any.
        let owner_rights = Trustee::Sid(Sid::owner_rights());
        let owns = self.owner.map_or(Applies::Unknown, |owner| self.is(owner));
        let implied = owns.resolve(doubt == Doubt::ForToken)
            && !counting.clone().any(|ace| ace.trustee == owner_rights);
        if implied {
            granted = AccessMask::READ_CONTROL.with(AccessMask::WRITE_DAC);
        }
        for ace in counting {
            let trustee = if ace.trustee == owner_rights {
                owns
            } else {
                self.is(&ace.trustee)
            };
            let applies = match (trustee, ace.condition) {
                (Applies::Yes, Condition::Conditional) => Applies::Unknown,
                (applies, _) => applies,
            };
            let in_favour = (ace.kind == AceKind::Allow) == (doubt == Doubt::ForToken);
            if !applies.resolve(in_favour) {
                continue;
            }
            let mask = self.kind.map(ace.mask);
            match ace.kind {
                AceKind::Allow => granted = granted.with(mask.without(denied)),
                AceKind::Deny => denied = denied.with(mask.without(granted)),
            }
        }
        granted
    }

    fn is(&self, trustee: &Trustee) -> Applies {
        match trustee {
            Trustee::Sid(sid) if self.token.contains(sid) => Applies::Yes,
            Trustee::Sid(_) => Applies::No,
            Trustee::AccountRid(rid)
                if self.token.iter().any(|sid| sid.account_rid() == Some(*rid)) =>
            {
                Applies::Unknown
            }
            Trustee::AccountRid(_) => Applies::No,
            Trustee::Account(_) if self.token.iter().any(Sid::is_account) => Applies::Unknown,
            Trustee::Account(_) => Applies::No,
            Trustee::Unknown(_) => Applies::Unknown,
        }
    }
}

impl Applies {
    /// Whether it is taken to apply, when not knowing counts as `unknown` says.
    fn resolve(self, unknown: bool) -> bool {
        match self {
            Applies::Yes => true,
            Applies::No => false,
            Applies::Unknown => unknown,
        }
    }
}
