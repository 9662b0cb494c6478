//! Evidence of keys as it comes in tickets: huge, cut, converted, of another machine, damaged. What it still tells is told, and
//! nothing else.

mod support;

use rdptriage::parse::key_file::KeyFileName;
use rdptriage::parse::store_blob::KeyStorage;
use rdptriage::verdict::model::{FactEntry, Level, Report};
use serde_json::{Value, json};
use support::certificate::{TestKey, capi_key_file};
use support::corpus::corpus;
use support::machine::keys::{
    HEALTHY_KEY, LISTENER_CONTAINER, MACHINE_GUID, MACHINE_KEYS, OTHER_GUID, key_file_name,
    listener_key, saved,
};
use support::machine::{LISTENER, Machine, Windows, at};
use support::verdict::{Files, collect, diagnosed_folder, level, report, rules};

const WITHOUT_NETWORK_SERVICE: &str = "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)";
const STORE: &str = r"Microsoft\SystemCertificates\Remote Desktop";

fn machine() -> Machine {
    let mut machine = Machine::new("RDS01", Windows::Server2022, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine.written(at("2026-11-13T08:05:00Z"));
    machine
}

fn hives(machine: &Machine, folder: &str) -> Files {
    Files::from([
        (format!("{folder}SYSTEM"), machine.system.to_bytes()),
        (format!("{folder}SOFTWARE"), machine.software.to_bytes()),
    ])
}

fn disk() -> Files {
    hives(&machine(), "Windows/System32/config/")
}

fn ticket(listing: Vec<u8>) -> Report {
    let mut files = hives(&machine(), "");
    files.insert("MachineKeys.acl".into(), listing);
    report(&files)
}

fn fact<'r>(report: &'r Report, kind: &str) -> Option<&'r FactEntry> {
    report.facts.iter().find(|fact| fact.kind == kind)
}

/// A field; an open one is "?".
fn field(report: &Report, kind: &str, name: &str) -> Value {
    match &fact(report, kind)
        .unwrap_or_else(|| panic!("no {kind}"))
        .fields[name]
    {
        Value::Object(_) => json!("?"),
        value => value.clone(),
    }
}

/// Whether some rule says that the key cannot be used.
fn blamed(report: &Report) -> Vec<&str> {
    let keys = report.findings.iter().filter(|finding| {
        finding.family == "private-key" && matches!(finding.level, Level::Confirmed | Level::Likely)
    });
    keys.map(|finding| finding.cause.as_str()).collect()
}

#[test]
fn among_a_hundred_thousand_files_the_one_is_found() {
    let others: Vec<String> = (0..100_000_u32)
        .map(|number| format!("{number:032x}_{MACHINE_GUID}"))
        .collect();
    let mut entries: Vec<(&str, &str)> = others
        .iter()
        .map(|name| (name.as_str(), WITHOUT_NETWORK_SERVICE))
        .collect();
    let key = listener_key();
    entries.push((&key, WITHOUT_NETWORK_SERVICE));
    let report = ticket(saved(&entries));
    assert_eq!(field(&report, "key_folder.listing", "files"), 100_001);
    assert_eq!(field(&report, "key_file.access", "can_read"), false);
    assert_eq!(field(&report, "key_folder.dependents", "others"), 100_000);
}

#[test]
fn a_listing_cut_in_mid_line_proves_what_stands_before_and_nothing_else() {
    let iis = key_file_name("iisConfigurationKey", KeyStorage::Capi, MACHINE_GUID);
    let whole = saved(&[(&iis, "D:PAI(A;;FA;;;SY)"), (&listener_key(), HEALTHY_KEY)]);
    for left in (8..whole.len()).step_by(14) {
        let report = ticket(whole[..left].to_vec());
        assert_eq!(blamed(&report), Vec::<&str>::new(), "{left} bytes");
        let complete =
            fact(&report, "key_folder.listing").map(|listing| &listing.fields["complete"]);
        assert_ne!(complete, Some(&json!(true)), "{left} bytes");
    }
}

#[test]
fn a_listing_that_was_converted_is_read_or_left_open() {
    let text = format!("{}\r\n{WITHOUT_NETWORK_SERVICE}\r\n", listener_key());
    let big_endian: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [vec![0xFE, 0xFF], big_endian].concat();
    for (what, bytes) in [
        ("UTF-8", text.clone().into_bytes()),
        ("UTF-16, the other order", marked),
        (
            "UTF-8 with its mark",
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        ),
    ] {
        let report = ticket(bytes);
        assert_eq!(
            field(&report, "key_file.access", "can_read"),
            false,
            "{what}"
        );
    }
    // The console of a German machine, in code page 850, and as a Latin-1 program saved it: the accounts' names differ.
    for (what, a_umlaut) in [("850", 0x8E_u8), ("1252", 0xC4)] {
        let line = |account: &str, first: bool| {
            let name = if first {
                listener_key()
            } else {
                " ".repeat(69)
            };
            format!("{name} NT-AUTORIT@T\\{account}\r\n")
        };
        let text = [
            line("SYSTEM:(F)", true),
            line("NETZWERKDIENST:(R)", false),
            "\r\n1 Dateien erfolgreich verarbeitet, bei 0 Dateien ist ein Verarbeitungsfehler aufgetreten.\r\n".to_owned(),
        ]
        .concat();
        let bytes: Vec<u8> = text
            .bytes()
            .map(|byte| if byte == b'@' { a_umlaut } else { byte })
            .collect();
        let report = ticket(bytes);
        assert_ne!(
            field(&report, "key_file.access", "can_read"),
            false,
            "{what}"
        );
        assert_eq!(blamed(&report), Vec::<&str>::new(), "{what}");
    }
}

/// The access rules that Microsoft's support collector leaves, in UTF-16 as PowerShell's Out-File writes.
#[test]
fn the_support_collectors_rules_tell_who_may_read() {
    let rule = |rights: &str, account: &str| {
        format!(
            "FileSystemRights  : {rights}\r\nAccessControlType : Allow\r\nIdentityReference : {account}\r\nIsInherited       : False\r\nInheritanceFlags  : None\r\nPropagationFlags  : None\r\n\r\n"
        )
    };
    let folder = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys";
    let report = |entries: &[String]| {
        let text = [
            format!("Get-Acl -Path '{folder}'\r\n\r\n\r\n"),
            rule("Write, Read, Synchronize", "Everyone"),
            rule("FullControl", r"BUILTIN\Administrators"),
            format!("\r\nGet-Acl -Path '{folder}\\f686aace6942fb7f7ceb231212eef4a4_*'\n\r\n\r\n"),
            entries.concat(),
        ]
        .concat();
        let bytes = [0xFEFF].into_iter().chain(text.encode_utf16());
        let mut files = hives(&machine(), "");
        files.insert(
            "RDS01_Certificates/RDS01_MachineKeys.txt".into(),
            bytes.flat_map(u16::to_le_bytes).collect(),
        );
        self::report(&files)
    };
    let system = rule("FullControl", r"NT AUTHORITY\SYSTEM");
    let service = rule("Read, Synchronize", r"NT AUTHORITY\NETWORK SERVICE");
    let healthy = report(&[system.clone(), service.clone()]);
    assert_eq!(field(&healthy, "key_file.access", "can_read"), true);
    assert_eq!(field(&healthy, "key_folder.access", "is_default"), true);
    let refused = report(std::slice::from_ref(&system));
    assert_eq!(field(&refused, "key_file.access", "can_read"), false);
    assert_eq!(blamed(&refused), ["key-access-denied"]);
    // Two files fit the star: whose are which is not told.
    let two = report(&[system.clone(), service, system]);
    assert!(fact(&two, "key_file.access").is_none());
}

#[test]
fn names_with_spaces_and_dots_are_other_files() {
    let key = listener_key();
    let (dotted, spaced, copied) = (
        format!("{key}."),
        format!("{key} - Copy"),
        format!("Copy of {key}"),
    );
    let listing = saved(&[
        (&dotted, WITHOUT_NETWORK_SERVICE),
        (&spaced, WITHOUT_NETWORK_SERVICE),
        (&copied, WITHOUT_NETWORK_SERVICE),
        (&key, HEALTHY_KEY),
    ]);
    let report = ticket(listing);
    assert_eq!(field(&report, "key_file.access", "can_read"), true);
    assert_eq!(level(&report, "key-access-denied"), Level::RuledOut);
    let mut files = disk();
    for name in [&spaced, &copied] {
        files.insert(
            format!("{MACHINE_KEYS}/{name}"),
            capi_key_file(LISTENER_CONTAINER, TestKey::Rsa2048),
        );
    }
    let iis = key_file_name("iisConfigurationKey", KeyStorage::Capi, MACHINE_GUID);
    files.insert(
        format!("{MACHINE_KEYS}/{iis}"),
        capi_key_file("iisConfigurationKey", TestKey::OtherRsa2048),
    );
    let report = self::report(&files);
    assert_eq!(field(&report, "key_file.state", "missing"), true);
}

#[test]
fn a_listing_of_another_machine_says_so_and_blames_nobody() {
    let other = key_file_name(LISTENER_CONTAINER, KeyStorage::Capi, OTHER_GUID);
    let iis = key_file_name("iisConfigurationKey", KeyStorage::Capi, OTHER_GUID);
    let report = ticket(saved(&[
        (&other, WITHOUT_NETWORK_SERVICE),
        (&iis, WITHOUT_NETWORK_SERVICE),
    ]));
    assert_eq!(field(&report, "key_folder.listing", "other_machine"), true);
    assert_eq!(field(&report, "key_file.state", "missing"), "?");
    assert_eq!(blamed(&report), Vec::<&str>::new());
    let said = report
        .gaps
        .iter()
        .any(|gap| gap.why.contains("another MachineGuid"));
    assert!(said, "{:?}", report.gaps);
}

#[test]
fn key_files_of_no_bytes_and_of_a_hundred_megabytes() {
    let whole = capi_key_file(LISTENER_CONTAINER, TestKey::Rsa2048);
    for (what, bytes, length, state) in [
        ("empty", Vec::new(), 0, "empty"),
        ("zeros", Vec::new(), 100 << 20, "zeroed"),
        (
            "a whole key and zeros behind it",
            whole,
            100 << 20,
            "trailing",
        ),
    ] {
        let folder = collect(&disk());
        let path = folder.path().join(MACHINE_KEYS).join(listener_key());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(length).unwrap();
        let report = diagnosed_folder(folder.path(), &rules());
        assert_eq!(field(&report, "key_file.state", "state"), state, "{what}");
        assert_eq!(field(&report, "key_file.state", "damaged"), true, "{what}");
    }
}

/// The security descriptors of a hive are chained; here each names itself, and nobody else, as its neighbour.
#[test]
fn a_hive_whose_security_descriptors_loop() {
    let mut machine = machine();
    let deny = [(1, 0x6, &[18][..]), (0, 0xf_003f, &[18])];
    let descriptor = support::hive::descriptor(&[18], &[18], &deny);
    machine.software.security(STORE, &descriptor);
    machine.system.touch(LISTENER, at("2026-11-13T08:05:00Z"));
    let straight = report(&hives(&machine, ""));
    let mut files = hives(&machine, "");
    let hive = files.get_mut("SOFTWARE").unwrap();
    let mut looped = 0;
    for start in (4096..hive.len() - 20).step_by(8) {
        if hive[start + 4..start + 6] == *b"sk" {
            let own = u32::try_from(start - 4096).unwrap().to_le_bytes();
            hive[start + 8..start + 12].copy_from_slice(&own);
            hive[start + 12..start + 16].copy_from_slice(&own);
            looped += 1;
        }
    }
    assert!(looped >= 1, "the hive has no descriptor");
    let report = report(&files);
    for name in ["can_write", "denied"] {
        assert_eq!(
            field(&report, "certificate_store.access", name),
            field(&straight, "certificate_store.access", name),
            "{name}"
        );
    }
    assert_eq!(field(&report, "certificate_store.access", "denied"), true);
}

/// The certificate of a machine whose hives are not there, in hives forged for it, beside each of the key files that go with it.
#[test]
fn the_corpus_certificate_without_hives_is_bound_to_its_keys() {
    let Some(keys) = corpus("keys/SOFTWARE-RunTests") else {
        return;
    };
    let thumbprint = "967514FFE1269FDA973C211FD7007336B485A85E";
    let entry = format!("certs/rdp-real/SOFTWARE-RunTests_{thumbprint}.blob");
    let blob = std::fs::read(corpus(&entry).unwrap()).unwrap();
    let key_file = |folder: &str| {
        let mut files = std::fs::read_dir(keys.join(folder)).unwrap();
        let path = files.next().unwrap().unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    let guid = key_file("MachineKeys").0.parse::<KeyFileName>().unwrap();
    let mut machine = Machine::new(
        "RUNTESTS",
        Windows::Server2012R2,
        at("2012-01-02T06:00:00Z"),
    );
    let bytes: Vec<u8> = (0..20)
        .map(|index| u8::from_str_radix(&thumbprint[2 * index..2 * index + 2], 16).unwrap())
        .collect();
    let stations = r"ControlSet001\Control\Terminal Server\WinStations";
    machine
        .system
        .set_binary(stations, "SelfSignedCertificate", &bytes);
    machine
        .software
        .set_binary(
            &format!(r"{STORE}\Certificates\{thumbprint}"),
            "Blob",
            &blob,
        )
        .set_sz(
            r"Microsoft\Cryptography",
            "MachineGuid",
            &guid.machine.to_string(),
        );
    for (folder, state) in [
        ("MachineKeys", "good"),
        ("bad_garbage", "garbage"),
        ("bad_halfzero", "zeroed"),
        ("bad_trailing", "trailing"),
        ("bad_truncated", "cut"),
        ("bad_wrongmodulus", "mismatch"),
        ("bad_wrongname", "other-name"),
        ("bad_zeroed", "zeroed"),
        ("bad_zerolen", "empty"),
    ] {
        let (name, bytes) = key_file(folder);
        let mut files = hives(&machine, "Windows/System32/config/");
        files.insert(format!("{MACHINE_KEYS}/{name}"), bytes);
        let report = report(&files);
        assert_eq!(field(&report, "key_file.state", "state"), state, "{folder}");
        let expected = match state {
            "good" => vec![],
            "mismatch" => vec!["key-mismatch"],
            _ => vec!["key-damaged"],
        };
        assert_eq!(blamed(&report), expected, "{folder}");
    }
}
