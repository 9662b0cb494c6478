//! Who may read a key file: the tokens that open it, as data, and what its permissions grant them.

use crate::parse::security::{
    AccessMask, AceKind, Answer, Dacl, ObjectKind, SecurityDescriptor, Sid, Trustee, granted,
};

/// SessionEnv's service SID, S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833.
pub(super) const SESSION_ENV: &str = "SessionEnv";

/// Who opens a key file.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The account that facts name it by.
    pub(super) account: Sid,
    /// What it holds, user and groups alike.
    sids: Vec<Sid>,
}

impl Token {
    /// TermService runs as NETWORK SERVICE; LSASS opens the file as its caller.
    pub(super) fn term_service() -> Token {
        let account = Sid::network_service();
        let sids = vec![
            account.clone(),
            Sid::everyone(),
            Sid::users(),
            Sid::authenticated_users(),
            Sid::service(),
            Sid::of_service("TermService"),
        ];
        Token { account, sids }
    }

    /// SYSTEM, which replaces the key at a renewal.
    pub(super) fn system() -> Token {
        let account = Sid::system();
        let sids = vec![
            account.clone(),
            Sid::administrators(),
            Sid::everyone(),
            Sid::authenticated_users(),
        ];
        Token { account, sids }
    }

    /// SessionEnv runs as SYSTEM with a service SID of its own, by which facts name it.
    pub(super) fn session_env() -> Token {
        let account = Sid::of_service(SESSION_ENV);
        let mut sids = Token::system().sids;
        sids.extend([Sid::service(), account.clone()]);
        Token { account, sids }
    }

    /// An administrator who looks at files without any privilege in use.
    fn administrator() -> Token {
        let account = Sid::administrators();
        let sids = vec![
            account.clone(),
            Sid::everyone(),
            Sid::users(),
            Sid::authenticated_users(),
        ];
        Token { account, sids }
    }

    /// Everybody, and nobody in particular.
    pub(super) fn everyone() -> Token {
        let account = Sid::everyone();
        Token {
            sids: vec![account.clone()],
            account,
        }
    }

    /// Whether these permissions grant all of the rights.
    pub(super) fn may(
        &self,
        descriptor: &SecurityDescriptor,
        rights: AccessMask,
        kind: ObjectKind,
    ) -> Answer {
        granted(descriptor, &self.sids, kind).allows(rights)
    }

    /// The accounts of the entries that deny it some of the rights, by name or SID.
    pub(super) fn denied_by(
        &self,
        descriptor: &SecurityDescriptor,
        rights: AccessMask,
    ) -> Vec<Sid> {
        let Dacl::Entries { entries, .. } = &descriptor.dacl else {
            return Vec::new();
        };
        let generic = AccessMask::GENERIC_ALL.with(AccessMask::GENERIC_READ);
        let mut found: Vec<Sid> = entries
            .iter()
            .filter(|entry| entry.kind == AceKind::Deny && !entry.flags.inherit_only())
            .filter(|entry| entry.mask.intersects(rights.with(generic)))
            .filter_map(|entry| match &entry.trustee {
                Trustee::Sid(sid) if self.sids.contains(sid) => Some(sid.clone()),
                _ => None,
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

/// Whether an account may read a file. Opening it to read asks for more than its data; with the data alone it is not known
/// what comes of it.
pub(super) fn can_read(token: &Token, descriptor: &SecurityDescriptor) -> Answer {
    let may = |rights| token.may(descriptor, rights, ObjectKind::File);
    match (
        may(AccessMask::FILE_READ_DATA),
        may(AccessMask::FILE_GENERIC_READ),
    ) {
        (Answer::Denied, _) => Answer::Denied,
        (Answer::Allowed, Answer::Allowed) => Answer::Allowed,
        _ => Answer::Unknown,
    }
}

/// Whether administrators may not even see the permissions: whoever listed this was SYSTEM, or read past permissions. Of an
/// owner that a listing does not name, Windows' own keys speak: it is SYSTEM.
pub(super) fn hidden_from_administrators(descriptor: &SecurityDescriptor) -> bool {
    let sids = Token::administrator().sids;
    let certain = granted(descriptor, &sids, ObjectKind::File).certain;
    matches!(descriptor.dacl, Dacl::Entries { .. }) && !certain.contains(AccessMask::READ_CONTROL)
}
