//! Where hostile bytes come in: one function for each parser, and one for the whole. The fuzzer calls them with what it
//! makes up, and plain `cargo test` with every finding that was kept, with the samples' own files and with damaged ones.
//!
//! Each returns when all is well. A panic, a hang or an `assert!` is a finding.

use std::path::Path;
use std::sync::OnceLock;

use rdptriage::bundle::{self, Access, Limits, ReadAt};
use rdptriage::parse::acl_listing::AclListing;
use rdptriage::parse::certificate::Certificate;
use rdptriage::parse::certificate_bundle;
use rdptriage::parse::collection_manifest::CollectionManifest;
use rdptriage::parse::event_log::{self, EventRecord, RecordKey};
use rdptriage::parse::firewall_rule::{ConnectionSecurityRule, FirewallRule, Profile};
use rdptriage::parse::hive::{Hive, Key, Lookup};
use rdptriage::parse::key_file::KeyFile;
use rdptriage::parse::pkcs12::{self, Effort};
use rdptriage::parse::registry_text::{self, TextTree};
use rdptriage::parse::revocation_list::RevocationList;
use rdptriage::parse::running_state;
use rdptriage::parse::security::{ObjectKind, SecurityDescriptor, Sid, granted, parse_sddl};
use rdptriage::parse::store_blob::StoreBlob;
use rdptriage::parse::{certificate_listing, change_journal, file_table, folder_listing, pem};
use rdptriage::report::{Charset, Clock, Detail, Format, TextOptions};
use rdptriage::rules::{Cases, RuleSet};
use rdptriage::{Hashing, Options};

/// A parser that takes what it is given.
pub type Entry = fn(&[u8]);

/// All of them, by the name of their fuzz target.
pub const ENTRIES: [(&str, Entry); 22] = [
    ("event_log", event_log),
    ("prefilter", prefilter),
    ("hive", hive),
    ("transaction_log", transaction_log),
    ("store_blob", store_blob),
    ("certificate", certificate),
    ("certificate_bundle", certificate_bundle),
    ("key_file", key_file),
    ("pkcs12", pkcs12),
    ("security_descriptor", security_descriptor),
    ("acl_listing", acl_listing),
    ("folder_listing", folder_listing),
    ("firewall_rule", firewall_rule),
    ("registry_text", registry_text),
    ("event_text", event_text),
    ("certificate_listing", certificate_listing),
    ("running_state", running_state),
    ("archive", archive),
    ("file_table", file_table),
    ("change_journal", change_journal),
    ("rule_file", rule_file),
    ("diagnose", diagnose),
];

/// No machine has that many keys in a hive of the size that is tried here.
const MOST_KEYS: usize = 50_000;

fn records(bytes: &[u8], wants: &(dyn Fn(&RecordKey<'_>) -> bool + Sync)) -> Vec<EventRecord> {
    let bytes = bytes.to_vec();
    let mut records = Vec::new();
    // A refusal is an answer.
    let _ = event_log::read(&bytes as &dyn ReadAt, wants, &mut |record| {
        records.push(record)
    });
    records
}

/// An event log, every record decoded.
pub fn event_log(bytes: &[u8]) {
    for record in records(bytes, &|_| true) {
        assert!(
            record.offset < bytes.len() as u64,
            "a record is in the file"
        );
    }
}

/// The pre-filter gives what a full decode gives.
pub fn prefilter(bytes: &[u8]) {
    let wanted =
        |key: &RecordKey<'_>| key.event_id.is_multiple_of(3) || key.provider.contains("Schannel");
    let filtered = records(bytes, &wanted);
    let mut decoded = records(bytes, &|_| true);
    decoded.retain(|record| {
        wanted(&RecordKey {
            provider: &record.provider,
            source_name: record.source_name.as_deref(),
            event_id: record.event_id,
        })
    });
    assert_eq!(filtered, decoded, "with the filter and without it");
}

/// A hive without logs: every key, every value, every descriptor.
pub fn hive(bytes: &[u8]) {
    if let Ok(hive) = Hive::open(&bytes.to_vec(), &[]) {
        look_through(&hive);
    }
}

/// A hive with a transaction log: the first two bytes say where, in pages, the one ends and the other begins.
pub fn transaction_log(bytes: &[u8]) {
    let Some((split, files)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let split = usize::from(u16::from_le_bytes(*split)).saturating_mul(512);
    let (primary, log) = files.split_at(split.min(files.len()));
    let (primary, log) = (primary.to_vec(), log.to_vec());
    if let Ok(hive) = Hive::open(&primary, &[("SYSTEM.LOG1", &log as &dyn ReadAt)]) {
        look_through(&hive);
    }
}

fn look_through(hive: &Hive) {
    for path in [
        r"Select",
        r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp",
        r"Microsoft\SystemCertificates\Remote Desktop\Certificates",
    ] {
        if let Lookup::Present(key) = hive.key(path) {
            let _ = key.value("SecurityLayer");
        }
    }
    let mut open = match hive.key("") {
        Lookup::Present(root) => vec![root],
        _ => Vec::new(),
    };
    let mut seen = 0;
    while let Some(key) = open.pop() {
        seen += 1;
        if seen > MOST_KEYS {
            break;
        }
        describe(&key);
        open.extend(key.subkeys().entries);
    }
    let _ = (hive.problems(), hive.survey(), hive.newest_write());
}

fn describe(key: &Key<'_>) {
    let _ = (key.name(), key.path(), key.written());
    for value in key.values().entries {
        let _ = (
            value.text(),
            value.multi_text(),
            value.dword(),
            value.qword(),
        );
    }
    if let Lookup::Present(descriptor) = key.security_descriptor() {
        let _ = SecurityDescriptor::from_bytes(&descriptor);
    }
}

/// An entry of a certificate store.
pub fn store_blob(bytes: &[u8]) {
    let blob = StoreBlob::parse(bytes);
    let _ = blob.certificate();
}

/// A certificate or a list of revoked ones, bare or as PEM.
pub fn certificate(bytes: &[u8]) {
    let _ = Certificate::from_der(bytes);
    let _ = RevocationList::from_der(bytes);
    let _ = pem::read_revocation_lists(bytes);
    for block in pem::read_pem(bytes) {
        let _ = format!("{block:?}");
    }
}

/// Certificates that were exported together: a PKCS #7 message, or a serialized store.
pub fn certificate_bundle(bytes: &[u8]) {
    let _ = certificate_bundle::pkcs7(bytes);
    let _ = certificate_bundle::serialized_store(bytes);
    for list in certificate_bundle::revocation_lists_of_pkcs7(bytes)
        .into_iter()
        .chain(certificate_bundle::revocation_lists_of_store(bytes))
    {
        assert!(list.offset < bytes.len(), "a list is in the file");
        let _ = RevocationList::from_der(&list.der);
    }
}

/// A key file.
pub fn key_file(bytes: &[u8]) {
    if let Ok(file) = KeyFile::read(&bytes.to_vec()) {
        let _ = (file.is_whole(), file.name_inside("TSSecKeySet1"));
    }
}

/// A PKCS #12 file, with the password of those that the tests were given.
pub fn pkcs12(bytes: &[u8]) {
    let read = pkcs12::read(bytes, &["Vordertür-7"], Effort::rounds(50_000));
    for problem in &read.problems {
        assert!(!problem.to_string().is_empty(), "a refusal says why");
    }
}

/// A security descriptor, in its binary form and as SDDL, and who gets in by it.
pub fn security_descriptor(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = [
        SecurityDescriptor::from_bytes(bytes).ok(),
        parse_sddl(&text).ok(),
    ];
    for descriptor in read.iter().flatten() {
        let token = [Sid::network_service(), Sid::everyone()];
        let _ = granted(descriptor, &token, ObjectKind::File);
    }
}

/// What icacls or Get-Acl printed.
pub fn acl_listing(bytes: &[u8]) {
    if let Some(listing) = AclListing::parse(bytes) {
        let _ =
            listing.find("f686aace6942fb7f7ceb231212eef4a4_7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55");
    }
}

/// What dir printed, or what the script of `rdptriage collect` writes.
pub fn folder_listing(bytes: &[u8]) {
    let _ = folder_listing::read(bytes);
    let _ = CollectionManifest::parse(bytes);
}

/// Keys of a registry as text, found again in the tree that is made of them.
pub fn registry_text(bytes: &[u8]) {
    let Ok(text) = registry_text::read(bytes) else {
        return;
    };
    let mut tree = TextTree::default();
    let keys = text.exports.iter().flat_map(|export| &export.keys);
    for key in keys {
        tree.add_key(&key.path, None);
        let found = tree.key(&key.path).present().expect("a key that was added");
        assert_eq!(found.path().to_lowercase(), key.path.to_lowercase());
    }
}

/// Records in XML and in JSON.
pub fn event_text(bytes: &[u8]) {
    for mark in [b"".as_slice(), b"<Event ", b"{\"Event\":"] {
        records(&[mark, bytes].concat(), &|_| true);
    }
}

/// What certutil printed, or PowerShell of Cert:.
pub fn certificate_listing(bytes: &[u8]) {
    const BEGINNINGS: [&[u8]; 4] = [
        b"",
        b"================ 0 ================\n",
        b"Thumbprint;NotBefore;NotAfter;HasPrivateKey\n",
        b"Subject   Thumbprint                               NotAfter\n-------   ----------                               --------\n",
    ];
    for beginning in BEGINNINGS {
        let listing = certificate_listing::read(&[beginning, bytes].concat());
        for certificate in listing.certificates {
            for moment in [certificate.begins, certificate.ends].into_iter().flatten() {
                assert!(
                    moment.earliest <= moment.latest,
                    "a moment lies in its bounds"
                );
            }
        }
    }
}

/// What sc query and qwinsta printed.
pub fn running_state(bytes: &[u8]) {
    const BEGINNINGS: [&[u8]; 3] = [b"", b" services  0  Disc\n", b"SERVICE_NAME: TermService\n"];
    for beginning in BEGINNINGS {
        let state = running_state::read(&[beginning, bytes].concat());
        for row in state.sessions.iter().flat_map(|list| &list.rows) {
            let _ = (row.is_listener(), row.listens());
        }
    }
}

/// A rule of the firewall, as the registry holds it.
pub fn firewall_rule(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(rule) = FirewallRule::parse(&text) {
        let _ = (rule.holds_in(Profile::Public), rule.covers_port(3389));
    }
    let _ = ConnectionSecurityRule::parse(&text);
}

/// A $MFT that was copied out.
pub fn file_table(bytes: &[u8]) {
    let mut entries = 0_u64;
    let _ = file_table::read(&bytes.to_vec(), &mut |_| entries += 1);
    assert!(entries <= bytes.len() as u64, "no more entries than bytes");
}

/// A change journal that was copied out.
pub fn change_journal(bytes: &[u8]) {
    let mut changes = 0_u64;
    change_journal::read(&bytes.to_vec(), &mut |_| changes += 1);
    assert!(changes <= bytes.len() as u64, "no more changes than bytes");
}

/// What an archive may take of memory here, in bytes.
const UNPACKED: u64 = 8 << 20;

/// An archive of whatever form, or whatever else a file may be: opened, and everything in it read.
pub fn archive(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made-up");
    std::fs::write(&path, bytes).expect("written");
    let access = Access {
        limits: Limits {
            entries: 1000,
            size: UNPACKED,
            memory: UNPACKED,
            ..Limits::default()
        },
        ..Access::default()
    };
    let Ok(mut opened) = bundle::open_with(&[path], &access) else {
        return;
    };
    opened.hash();
    for artifact in &opened.artifacts {
        if let Ok(source) = artifact.open() {
            let _ = source.read_all(UNPACKED);
        }
        let name = &artifact.path;
        assert!(
            !name.split('/').any(|part| part == ".."),
            "{name} leads nowhere"
        );
    }
}

/// A rule that somebody wrote.
pub fn rule_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match RuleSet::from_texts([("made-up.toml", text.as_ref())], Cases::Optional) {
        Ok(rules) => {
            for rule in rules.rules() {
                for case in &rule.cases {
                    let _ = rdptriage::rules::case::run(rule, case);
                }
            }
        }
        Err(errors) => assert!(!errors.to_string().is_empty(), "a refusal says why"),
    }
}

/// The collection that [`diagnose`] damages.
const COLLECTION: [(&str, &[u8]); 4] = [
    (
        "System.evtx",
        include_bytes!("../../samples/machine-keys/collected/System.evtx"),
    ),
    (
        "SYSTEM",
        include_bytes!("../../samples/machine-keys/collected/SYSTEM"),
    ),
    (
        "rdp.cer",
        include_bytes!("../../samples/machine-keys/collected/rdp.cer"),
    ),
    ("made-up.txt", b""),
];

/// A whole collection, damaged as the bytes say: each eight of them name a file, a place and what is written there. What is
/// left over stands in a file of its own.
pub fn diagnose(bytes: &[u8]) {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    let rules = RULES.get_or_init(|| RuleSet::builtin().expect("the built-in rules load"));
    let mut files = COLLECTION.map(|(name, content)| (name, content.to_vec()));
    let (edits, rest) = bytes.as_chunks::<8>();
    for [file, a, b, c, length, value @ ..] in edits.iter().take(64) {
        let Some((_, content)) = files.get_mut(usize::from(*file) % 3) else {
            continue;
        };
        let at = u32::from_le_bytes([*a, *b, *c, 0]) as usize % content.len().max(1);
        let end = at.saturating_add(usize::from(*length)).min(content.len());
        match content.get_mut(at..end) {
            // The highest lengths cut the file instead.
            _ if *length > 250 => content.truncate(at),
            Some(place) => {
                for (byte, new) in place.iter_mut().zip(value.iter().cycle()) {
                    *byte = *new;
                }
            }
            None => {}
        }
    }
    if let Some((_, left_over)) = files.last_mut() {
        *left_over = rest.to_vec();
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in &files {
        std::fs::write(folder.path().join(name), content).expect("written");
    }
    judged(folder.path(), rules);
}

fn judged(folder: &Path, rules: &RuleSet) {
    let options = Options {
        hashing: Hashing::Off,
        ..Options::default()
    };
    let Ok(reports) = rdptriage::diagnose(&[folder.to_owned()], rules, &options) else {
        return;
    };
    for report in &reports {
        for format in [Format::Json, Format::Html, Format::Markdown, Format::Csv] {
            let screen = TextOptions {
                width: 80,
                charset: Charset::Unicode,
                clock: Clock::new(jiff::tz::TimeZone::UTC),
                detail: Detail::Screen,
            };
            assert!(
                !format
                    .render(std::slice::from_ref(report), &screen)
                    .is_empty()
            );
        }
    }
}
