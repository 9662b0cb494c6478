//! Certificates that were looked up: a row for each, or one with everything in it and what a listener would mind.

use jiff::Timestamp;

use super::lookup::{is_for_people, time};
use super::source::last_part;
use super::{Clock, ListFormat, Listing, Room};
use crate::lookup::certificates::{Held, KeyHeld, Revocation};
use crate::parse::certificate::{
    AlternativeName, Certificate, Extension, Hash, KeyUse, PublicKey, Purpose, SignatureAlgorithm,
};
use crate::parse::pkcs12::KeyHeld as Exported;
use crate::parse::revocation_list::Revoked;

/// RSA keys below this are refused by Windows' own default for chains (Microsoft, KB2661254); below the second they are weak.
const REFUSED_BITS: u64 = 1024;
const WEAK_BITS: u64 = 2048;

/// Certificates, one a row.
#[must_use]
pub fn certificate_list(certificates: &[Held], format: ListFormat, clock: &Clock) -> Listing {
    let mut listing = Listing::new(&[
        ("Thumbprint", Room::Content),
        ("Store", Room::AtMost(18)),
        ("Subject", Room::Rest),
        ("Valid from", Room::Content),
        ("Valid to", Room::Content),
        ("Key", Room::AtMost(24)),
    ]);
    for held in certificates {
        let (subject, from, to) = match &held.certificate {
            Ok(certificate) => (
                certificate.subject.to_string(),
                time(Some(certificate.not_before), format, clock),
                time(Some(certificate.not_after), format, clock),
            ),
            Err(why) => (why.clone(), String::new(), String::new()),
        };
        let thumbprint = held.thumbprint.to_string();
        listing.row(vec![
            match is_for_people(format) {
                true => thumbprint.chars().take(12).chain(['…']).collect(),
                false => thumbprint,
            },
            store(held),
            subject,
            from,
            to,
            key_in_brief(held).to_owned(),
        ]);
    }
    listing
}

fn store(held: &Held) -> String {
    match &held.store {
        Some(store) => store.clone(),
        None => last_part(&held.artifact).to_owned(),
    }
}

fn key_in_brief(held: &Held) -> &'static str {
    let any = |wanted: fn(&KeyHeld) -> bool| held.key_files.iter().any(wanted);
    if held.revocations.iter().any(|list| list.entry.is_some()) {
        "revoked"
    } else if any(|file| matches!(file, KeyHeld::Same { .. }))
        || held.exported_key == Exported::Fits
    {
        "its key is here"
    } else if any(|file| matches!(file, KeyHeld::Another { .. }))
        || held.exported_key == Exported::Another
    {
        "another key is here"
    } else if any(|file| matches!(file, KeyHeld::Unreadable { .. })) {
        "its key file is damaged"
    } else {
        ""
    }
}

/// Certificates with everything in them, a field a row.
#[must_use]
pub fn certificate_details(certificates: &[Held], clock: &Clock) -> Listing {
    let mut listing = Listing::new(&[
        ("Thumbprint", Room::Content),
        ("Field", Room::Content),
        ("Content", Room::Rest),
    ]);
    for held in certificates {
        let thumbprint = held.thumbprint.to_string();
        let short: String = thumbprint.chars().take(8).chain(['…']).collect();
        for (field, content) in fields(held, clock) {
            listing.row(vec![short.clone(), field.to_owned(), content]);
        }
    }
    listing
}

fn fields(held: &Held, clock: &Clock) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("thumbprint", held.thumbprint.to_string()),
        ("file", held.artifact.clone()),
    ];
    if let Some(store) = &held.store {
        fields.push(("store", store.clone()));
    }
    match &held.certificate {
        Ok(certificate) => content(certificate, clock, &mut fields),
        Err(why) => fields.push(("content", why.clone())),
    }
    if held.marked {
        fields.push((
            "mark",
            "made by Windows for the Remote Desktop listener".to_owned(),
        ));
    }
    match (&held.key, &held.store) {
        (Some(key), _) => {
            fields.push(("key container", key.container.clone()));
            fields.push((
                "key provider",
                format!("{} (type {})", key.provider, key.provider_type),
            ));
        }
        (None, Some(_)) => fields.push((
            "key container",
            "none: this machine holds no private key for it".to_owned(),
        )),
        (None, None) => {}
    }
    if let Some(file) = &held.key_file {
        fields.push(("key file", format!("must be named {file}")));
    }
    fields.extend(
        held.key_files
            .iter()
            .map(|file| ("key match", key_match(file))),
    );
    if let Some(says) = exported_key(held.exported_key) {
        fields.push(("key match", format!("{} {says}", held.artifact)));
    }
    fields.extend(
        held.revocations
            .iter()
            .map(|list| ("revocation", revocation(list, clock))),
    );
    if let Ok(certificate) = &held.certificate {
        for remark in remarks(certificate) {
            fields.push(("remark", remark));
        }
    }
    fields
}

fn revocation(list: &Revocation, clock: &Clock) -> String {
    let at = |time: Timestamp| format!("{} {}", clock.full(&time.to_string()), clock.zone_name());
    let says = match &list.entry {
        Some(Revoked {
            at: revoked,
            reason: Some(reason),
        }) => format!("revoked on {} ({reason})", at(*revoked)),
        Some(Revoked {
            at: revoked,
            reason: None,
        }) => format!("revoked on {}", at(*revoked)),
        None => "not on the list".to_owned(),
    };
    let until = match list.next_due {
        Some(due) => format!(", good to {}", at(due)),
        None => String::new(),
    };
    format!(
        "{says}: {}, issued {}{until}; its signature is not checked",
        list.artifact,
        at(list.issued)
    )
}

fn exported_key(key: Exported) -> Option<&'static str> {
    match key {
        Exported::None => None,
        Exported::Fits => {
            Some("holds the private key of this certificate: the public keys are the same")
        }
        Exported::Another => Some("holds a private key for it that is of another pair"),
        Exported::Locked => Some("holds a private key for it that no password opens"),
        Exported::NotCompared => Some("holds a private key for it that cannot be compared"),
    }
}

fn key_match(file: &KeyHeld) -> String {
    match file {
        KeyHeld::Same { artifact, damages } if damages.is_empty() => {
            format!("{artifact} holds the key of this certificate: the public keys are the same")
        }
        KeyHeld::Same { artifact, damages } => format!(
            "{artifact} holds the public key of this certificate, but is damaged: {}",
            damages.join("; ")
        ),
        KeyHeld::Another { artifact } => {
            format!("{artifact} has the name of its key file and holds the key of another pair")
        }
        KeyHeld::Unreadable { artifact, damages } => format!(
            "{artifact} has the name of its key file, and its key cannot be read: {}",
            damages.join("; ")
        ),
    }
}

fn content(certificate: &Certificate, clock: &Clock, fields: &mut Vec<(&'static str, String)>) {
    let at = |time: Timestamp| format!("{} {}", clock.full(&time.to_string()), clock.zone_name());
    fields.push(("subject", certificate.subject.to_string()));
    fields.push(("issuer", certificate.issuer.to_string()));
    fields.push(("serial number", certificate.serial_number.to_string()));
    fields.push(("valid from", at(certificate.not_before)));
    fields.push(("valid to", at(certificate.not_after)));
    fields.push(("public key", public_key(&certificate.public_key)));
    fields.push(("signature", signature(&certificate.signature_algorithm)));
    if let Some(usage) = certificate.key_usage.present() {
        let uses = usage.uses().into_iter().map(key_use);
        fields.push(("key usage", uses.collect::<Vec<_>>().join(", ")));
    }
    if let Some(purposes) = certificate.extended_key_usage.present() {
        let purposes = purposes.iter().map(purpose);
        fields.push(("purposes", purposes.collect::<Vec<_>>().join(", ")));
    }
    if let Some(names) = certificate.alternative_names.present() {
        let names = names.iter().map(alternative_name);
        fields.push(("other names", names.collect::<Vec<_>>().join(", ")));
    }
}

fn public_key(key: &PublicKey) -> String {
    match key {
        PublicKey::Rsa(key) => format!("RSA {}", key.bits()),
        PublicKey::Ec(key) => match key.curve.bits() {
            Some(bits) => format!("elliptic curve P-{bits}"),
            None => "another elliptic curve".to_owned(),
        },
        PublicKey::Other(algorithm) => format!("algorithm {algorithm}"),
        PublicKey::Unreadable(algorithm) => {
            format!("algorithm {algorithm}, its bytes cannot be read")
        }
    }
}

fn signature(algorithm: &SignatureAlgorithm) -> String {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(by) => format!("RSA with {}", hash(by)),
        SignatureAlgorithm::RsaPss(by) => format!("RSA-PSS with {}", hash(by)),
        SignatureAlgorithm::Ecdsa(by) => format!("ECDSA with {}", hash(by)),
        SignatureAlgorithm::Dsa(by) => format!("DSA with {}", hash(by)),
        SignatureAlgorithm::Ed25519 => "Ed25519".to_owned(),
        SignatureAlgorithm::Other(identifier) => format!("algorithm {identifier}"),
    }
}

fn hash(hash: &Hash) -> String {
    let name = match hash {
        Hash::Md2 => "MD2",
        Hash::Md4 => "MD4",
        Hash::Md5 => "MD5",
        Hash::Sha1 => "SHA-1",
        Hash::Sha224 => "SHA-224",
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
        Hash::Other(identifier) => return format!("hash {identifier}"),
    };
    name.to_owned()
}

fn key_use(usage: KeyUse) -> &'static str {
    match usage {
        KeyUse::DigitalSignature => "digital signature",
        KeyUse::NonRepudiation => "non-repudiation",
        KeyUse::KeyEncipherment => "key encipherment",
        KeyUse::DataEncipherment => "data encipherment",
        KeyUse::KeyAgreement => "key agreement",
        KeyUse::KeyCertSign => "certificate signing",
        KeyUse::CrlSign => "CRL signing",
        KeyUse::EncipherOnly => "encipher only",
        KeyUse::DecipherOnly => "decipher only",
    }
}

fn purpose(purpose: &Purpose) -> String {
    let name = match purpose {
        Purpose::Any => "any",
        Purpose::ServerAuthentication => "server authentication",
        Purpose::ClientAuthentication => "client authentication",
        Purpose::RemoteDesktopAuthentication => "Remote Desktop authentication",
        Purpose::Other(identifier) => return identifier.to_string(),
    };
    name.to_owned()
}

fn alternative_name(name: &AlternativeName) -> String {
    match name {
        AlternativeName::Dns(name) | AlternativeName::Email(name) | AlternativeName::Uri(name) => {
            name.clone()
        }
        AlternativeName::Ip(address) => address.to_string(),
        AlternativeName::Other(tag) => format!("a name of kind {tag}"),
    }
}

/// What is odd about it, and what a Remote Desktop listener or its clients would mind.
fn remarks(certificate: &Certificate) -> Vec<String> {
    let bits = match &certificate.public_key {
        PublicKey::Rsa(key) => Some(key.bits()),
        _ => None,
    };
    let hash = certificate.signature_algorithm.hash();
    let serves = |purpose: &Purpose| {
        matches!(
            purpose,
            Purpose::Any | Purpose::ServerAuthentication | Purpose::RemoteDesktopAuthentication
        )
    };
    let purposes = certificate.extended_key_usage.present();
    let usage = certificate.key_usage.present();
    let remarks = [
        (
            certificate.not_after < certificate.not_before,
            "it ends before it begins",
        ),
        (
            bits.is_some_and(|bits| bits < REFUSED_BITS),
            "an RSA key below 1024 bits: Windows clients refuse it",
        ),
        (
            bits.is_some_and(|bits| (REFUSED_BITS..WEAK_BITS).contains(&bits)),
            "an RSA key below 2048 bits is weak; it still serves",
        ),
        (
            matches!(hash, Some(Hash::Md2 | Hash::Md4 | Hash::Md5)),
            "signed with a broken hash: clients that check the chain refuse it",
        ),
        (
            matches!(hash, Some(Hash::Sha1)),
            "signed with SHA-1; a self-signed one is not refused for it",
        ),
        (
            purposes.is_some_and(|purposes| !purposes.iter().any(serves)),
            "neither for server authentication nor for Remote Desktop authentication: the listener cannot use it",
        ),
        (
            bits.is_some()
                && usage.is_some_and(|usage| {
                    !usage.allows(KeyUse::DigitalSignature)
                        && !usage.allows(KeyUse::KeyEncipherment)
                }),
            "its key usage allows neither signatures nor key encipherment: no TLS suite can use it",
        ),
        (
            matches!(certificate.alternative_names, Extension::Absent)
                && !certificate.self_issued(),
            "no subject alternative name: clients compare names with it",
        ),
    ];
    let odd = certificate.problems.iter().map(ToString::to_string);
    let minded = remarks.into_iter().filter(|(applies, _)| *applies);
    odd.chain(minded.map(|(_, remark)| remark.to_owned()))
        .collect()
}
