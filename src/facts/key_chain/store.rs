//! What keeps Windows from putting its own certificate, or that one's key, where they belong: permissions on the store's
//! registry keys, and settings that name another place.

use crate::facts::catalog::certificate::{
    CertificateStanding, ChosenBy, Renewal, StoreAccess, StorePlace,
};
use crate::facts::certificate::Choice;
use crate::facts::fact::FactSet;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;
use crate::parse::hive::Lookup;
use crate::parse::security::{AccessMask, Answer, ObjectKind, SecurityDescriptor};

use super::access::Token;

/// The keys of the store, in SOFTWARE.
const STORE_KEYS: [&str; 2] = [
    "Microsoft\\SystemCertificates\\Remote Desktop",
    "Microsoft\\SystemCertificates\\Remote Desktop\\Certificates",
];
/// The store that Windows keeps the listener's own certificate in.
const STORE: &str = "Remote Desktop";
const PROGRAM_DATA: &str = "\\ProgramData";

/// Whether the listener depends on a certificate that Windows makes, and that is missing, has ended or failed to be renewed.
/// The facts about renewals must be there before.
pub(super) fn needed(
    choice: &Choice,
    standing: &Known<CertificateStanding>,
    facts: &FactSet,
) -> Known<bool> {
    let own = match choice {
        Choice::Unknown(gap) => return Known::Open(*gap),
        Choice::None(_) => return Known::Is(true),
        Choice::Certificate(chosen) => {
            !chosen.custom && !matches!(chosen.chosen_by, ChosenBy::Pin | ChosenBy::Template)
        }
    };
    if !own {
        return Known::Is(false);
    }
    let failing = facts
        .of_kind(Renewal::KIND)
        .any(|fact| fact.is("result", "failed") && fact.is("superseded", false));
    let due = standing
        .clone()
        .map(|standing| standing != CertificateStanding::Valid);
    due.or(Known::Is(failing))
}

/// Adds `certificate_store.access` for each of the store's keys that is there.
pub(super) fn add_access(registry: &Registry, needed: &Known<bool>, facts: &mut FactSet) {
    const WRITE: AccessMask = AccessMask::KEY_SET_VALUE.with(AccessMask::KEY_CREATE_SUB_KEY);
    for path in STORE_KEYS {
        let answer = registry.key(&mut facts.gaps, Place::Software(path));
        let (Some(key), Some(source)) = (answer.present(), answer.source.clone()) else {
            continue;
        };
        let descriptor = match key.security_descriptor() {
            Lookup::Present(bytes) => {
                SecurityDescriptor::from_bytes(&bytes).map_err(|why| why.to_string())
            }
            Lookup::Absent => Err("the key has no security descriptor".to_owned()),
            Lookup::Unreadable(trouble) => Err(trouble.to_string()),
        };
        let token = Token::system();
        let gaps = &mut facts.gaps;
        let mut known = |answer: Result<Answer, String>| match answer {
            Ok(Answer::Allowed) => Known::Is(true),
            Ok(Answer::Denied) => Known::Is(false),
            Ok(Answer::Unknown) => {
                let why = format!("{path}: an entry's condition is not known");
                Known::Open(gaps.open(Subject::SoftwareHive, why))
            }
            Err(why) => Known::Open(gaps.open(Subject::SoftwareHive, format!("{path}: {why}"))),
        };
        let ask = |answer: &dyn Fn(&SecurityDescriptor) -> Answer| {
            descriptor.as_ref().map(answer).map_err(Clone::clone)
        };
        let body = StoreAccess {
            key: path.to_owned(),
            can_write: known(ask(&|each| token.may(each, WRITE, ObjectKind::RegistryKey))),
            denied: known(ask(&|each| match token.denied_by(each, WRITE).is_empty() {
                true => Answer::Denied,
                false => Answer::Allowed,
            })),
            needed: needed.clone(),
        };
        facts.add(answer.written, body, vec![source]);
    }
}

/// Adds `certificate_store.place`.
pub(super) fn add_place(registry: &Registry, needed: &Known<bool>, facts: &mut FactSet) {
    let stations = Place::ControlSet("Control\\Terminal Server\\WinStations");
    let list = Place::Software("Microsoft\\Windows NT\\CurrentVersion\\ProfileList");
    let gaps = &mut facts.gaps;
    let store = registry.text(gaps, stations, "SelfSignedCertStore");
    let program_data = registry.text(gaps, list, "ProgramData");
    let elsewhere = store.value.clone().map(|store| {
        store.is_some_and(|store| {
            !store.trim().is_empty() && !store.trim().eq_ignore_ascii_case(STORE)
        })
    });
    let moved = program_data.value.clone().map(|path| {
        path.is_some_and(|path| {
            let path = path.trim().trim_end_matches('\\').to_lowercase();
            // `%SystemDrive%\ProgramData`, or with the drive's letter.
            let drive = path.strip_suffix(&PROGRAM_DATA.to_lowercase());
            !drive.is_some_and(|drive| {
                drive == "%systemdrive%" || (drive.len() == 2 && drive.ends_with(':'))
            })
        })
    });
    let sources: Vec<_> = [&store.source, &program_data.source]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    if sources.is_empty() {
        return;
    }
    let at = [
        store.written.filter(|_| elsewhere == Known::Is(true)),
        program_data.written.filter(|_| moved == Known::Is(true)),
    ];
    let body = StorePlace {
        store: store.value,
        program_data: program_data.value,
        redirected: elsewhere.or(moved),
        needed: needed.clone(),
    };
    facts.add(at.into_iter().flatten().max(), body, sources);
}
