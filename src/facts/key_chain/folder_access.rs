//! The permissions of the MachineKeys folder, against what was measured on untouched machines (builds 9600 to 26100):
//! everybody may list it and put files into it, administrators everything, nothing is inherited, SYSTEM owns it.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::key::KeyFolderAccess;
use crate::facts::coverage::{Coverage, Window};
use crate::facts::fact::FactSet;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::parse::acl_listing::ListingForm;
use crate::parse::security::{
    AccessMask, AceKind, Answer, Dacl, Inheritance, ObjectKind, SecurityDescriptor, Sid, Trustee,
};

use super::access::Token;
use super::evidence::{FolderPermissions, KeyEvidence};

/// Everyone's rights in the folder, `0x12019f`: read and write, delete nothing.
const EVERYONE: AccessMask = AccessMask(0x12_019f);
/// FILE_ADD_FILE.
const ADD_FILE: AccessMask = AccessMask(0x2);
/// A certificate that Windows makes begins a day before it is made, and lasts 183.
const NEXT_CERTIFICATE: SignedDuration = SignedDuration::from_hours(182 * 24);
/// From this build on SessionEnv has an entry of its own in the key file.
const FIRST_WITH_SESSION_ENV: u32 = 17763;

/// The folder's permissions, where one listing tells them; else the gap.
pub(super) fn descriptor(evidence: &KeyEvidence, facts: &mut FactSet) -> Known<SecurityDescriptor> {
    let readable = evidence
        .folder_permissions
        .iter()
        .find_map(|found| found.descriptor.as_ref().ok());
    match (readable, evidence.folder_permissions.first()) {
        (Some(descriptor), _) => Known::Is(descriptor.clone()),
        (
            None,
            Some(FolderPermissions {
                descriptor: Err(why),
                ..
            }),
        ) => Known::Open(
            facts
                .gaps
                .open(Subject::MachineKeysPermissions, why.clone()),
        ),
        (None, _) => {
            let why = "no listing of the folder itself is in the collection";
            Known::Open(facts.gaps.open(Subject::MachineKeysPermissions, why))
        }
    }
}

/// Adds `key_folder.access` for each listing of the folder; says whether its permissions are covered.
pub(super) fn add_facts(
    evidence: &KeyEvidence,
    path: &str,
    build: &Known<u32>,
    not_after: Option<Timestamp>,
    facts: &mut FactSet,
) {
    let known = descriptor(evidence, facts);
    facts.cover(
        Subject::MachineKeysPermissions,
        match known {
            Known::Is(_) => Coverage::Whole(Window::ALWAYS),
            Known::Open(gap) => Coverage::Missing(gap),
        },
    );
    let Some((found, descriptor)) = evidence
        .folder_permissions
        .iter()
        .find_map(|found| Some((found, found.descriptor.as_ref().ok()?)))
    else {
        return;
    };
    let differs = difference(descriptor, found.form);
    let gaps = &mut facts.gaps;
    let everybody = Token::everyone().may(descriptor, ADD_FILE, ObjectKind::File);
    let hardened = match everybody {
        Answer::Allowed => Known::Is(false),
        Answer::Denied => Known::Is(true),
        Answer::Unknown => Known::Open(gaps.open(
            Subject::MachineKeysPermissions,
            "an entry's account is not known",
        )),
    };
    let names_session_env = build.clone().map(|build| build >= FIRST_WITH_SESSION_ENV);
    let next_key_lacks_entry = hardened.and(names_session_env);
    let strikes = next_key_lacks_entry.clone().map(|lacks| {
        let end = not_after.filter(|_| lacks)?;
        end.checked_add(NEXT_CERTIFICATE).ok()
    });
    let body = KeyFolderAccess {
        path: path.to_owned(),
        is_default: Known::Is(differs.is_none()),
        differs,
        next_key_lacks_entry,
        strikes,
    };
    facts.add(None, body, vec![found.source.clone()]);
}

/// How the permissions differ from the measured ones; what the listing's form does not show is not compared.
fn difference(descriptor: &SecurityDescriptor, form: ListingForm) -> Option<String> {
    let system = Trustee::Sid(Sid::system());
    if let Some(owner) = descriptor.owner.as_ref().filter(|owner| **owner != system) {
        return Some(format!("its owner is {}", who(owner)));
    }
    let (inheritance, entries) = match &descriptor.dacl {
        Dacl::NotGiven => return None,
        Dacl::Null => {
            return Some("it has no list of permissions: everybody may do everything".to_owned());
        }
        Dacl::Entries {
            inheritance,
            entries,
        } => (inheritance, entries),
    };
    let shows_protection = !matches!(form, ListingForm::IcaclsConsole | ListingForm::AccessRules);
    if *inheritance == Inheritance::Open && shows_protection {
        return Some("it inherits permissions".to_owned());
    }
    let expected = [
        (Trustee::Sid(Sid::everyone()), EVERYONE),
        (
            Trustee::Sid(Sid::administrators()),
            AccessMask::FILE_ALL_ACCESS,
        ),
    ];
    for (trustee, mask) in &expected {
        let found = entries.iter().any(|entry| {
            entry.kind == AceKind::Allow
                && entry.trustee == *trustee
                && entry.mask == *mask
                && entry.flags.0 == 0
        });
        if !found {
            return Some(format!("{} does not have its usual rights", who(trustee)));
        }
    }
    let other = entries.iter().find(|entry| {
        entry.kind == AceKind::Deny
            || !expected
                .iter()
                .any(|(trustee, _)| entry.trustee == *trustee)
    });
    other.map(|entry| {
        let verb = match entry.kind {
            AceKind::Allow => "allows",
            AceKind::Deny => "denies",
        };
        format!("an entry {verb} {} something", who(&entry.trustee))
    })
}

fn who(trustee: &Trustee) -> String {
    match trustee {
        Trustee::Sid(sid) if *sid == Sid::everyone() => "Everyone".to_owned(),
        Trustee::Sid(sid) if *sid == Sid::administrators() => "Administrators".to_owned(),
        Trustee::Sid(sid) => sid.to_string(),
        Trustee::AccountRid(rid) => format!("the account ...-{rid}"),
        Trustee::Account(name) | Trustee::Unknown(name) => name.clone(),
    }
}
