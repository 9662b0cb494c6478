//! What lies beside the cause: what changed and when, what will strike later, what earlier repairs left behind, and which policy would
//! revert the next one.

#[allow(dead_code)]
#[path = "support/archive.rs"]
mod archive;
mod support;

use std::collections::BTreeMap;

use rdptriage::parse::store_blob::KeyStorage;
use rdptriage::verdict::model::{Report, Role, Status};
use support::certificate::{ForgedCertificate, StoreEntry};
use support::machine::keys::{HEALTHY_KEY, MACHINE_GUID, key_file_name, listener_key, saved};
use support::machine::{CONTROL_SET, Channel, LISTENER, Machine, TlsFailure, Windows, at, minutes};
use support::verdict::{Files, finding, report};

const ANNA: &str = "10.20.4.17";
const END: &str = "2026-11-12T13:00:00Z";
const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
const FOLDER: &str = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys";

fn machine() -> Machine {
    let mut machine = Machine::serving(
        "CONTOSO-LO1",
        Windows::Server2022,
        at("2026-11-01T03:00:00Z"),
    );
    for day in 0..3 {
        let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440);
        machine.gets_in(time, ANNA, "anna");
        machine.leaves(time + minutes(200), ANNA, "anna");
    }
    machine
}

/// The same, and from Thursday morning on nobody gets in.
fn locked_out(failure: TlsFailure) -> Machine {
    let mut machine = machine();
    for index in 0..8 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, ANNA, failure);
    }
    machine
}

fn files(machine: &mut Machine) -> Files {
    machine.written(at(END));
    machine.logs_and_hives(&Channel::OF_CONNECTIONS)
}

fn left(report: &Report) -> Vec<String> {
    let facts = report.facts.iter();
    let left = facts.filter(|fact| fact.kind == "repair.residue");
    let mut left: Vec<String> = left
        .map(|fact| fact.fields["left"].as_str().unwrap().to_owned())
        .collect();
    left.sort();
    left.dedup();
    left
}

#[test]
fn each_left_over_of_a_well_known_repair_is_found_and_none_where_there_is_none() {
    assert_eq!(left(&report(&files(&mut machine()))), [""; 0]);
    type Leave = fn(&mut Machine);
    let each: [(&str, Leave); 6] = [
        ("reset-rdp-cert", |machine| {
            machine
                .system
                .set_dword(LISTENER, "SecurityLayer", 0)
                .set_dword(LISTENER, "MinEncryptionLevel", 1);
        }),
        ("spaced-name", |machine| {
            machine.software.set_dword(POLICY, " MaxIdleTime", 0);
        }),
        ("misnamed-pin", |machine| {
            machine
                .system
                .set_binary(LISTENER, "SSLCertificateSHA1HashValue", &[0x5A; 20]);
        }),
        ("group-policy-off", |machine| {
            let service = format!(r"{CONTROL_SET}\Services\gpsvc");
            machine.system.set_dword(&service, "Start", 4);
        }),
        ("credssp-weakened", |machine| {
            let key = r"Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters";
            machine.software.set_dword(key, "AllowEncryptionOracle", 2);
        }),
        ("other-control-set", |machine| {
            let key = r"ControlSet002\Control\Terminal Server";
            machine
                .system
                .set_dword(key, "fDenyTSConnections", 1)
                .touch(key, at("2026-11-12T09:00:00Z"));
        }),
    ];
    for (name, leave) in each {
        let mut machine = machine();
        leave(&mut machine);
        let report = report(&files(&mut machine));
        assert_eq!(left(&report), [name]);
        let undo = report
            .facts
            .iter()
            .find(|fact| fact.kind == "repair.residue")
            .and_then(|fact| fact.fields["undo"].as_str().map(str::to_owned));
        assert_eq!(
            undo.is_none(),
            name == "other-control-set",
            "{name}: {undo:?}"
        );
        if name == "spaced-name" {
            let key = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";
            let expected = format!("reg delete \"{key}\" /v \" MaxIdleTime\" /f");
            assert_eq!(undo.as_deref(), Some(expected.as_str()));
        }
    }
    // The seventh stands in the permissions of the key files: one grant for the whole folder, and a key made since without it.
    let mut with_keys = files(&mut machine());
    let open = "D:AI(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;BA)";
    let names: Vec<String> = CONTAINERS.iter().map(|name| capi(name)).collect();
    let mut entries: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), open)).collect();
    let listener = listener_key();
    entries.push((&listener, HEALTHY_KEY));
    entries[0].1 = "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)";
    with_keys.insert("MachineKeys.acl".into(), saved(&entries));
    assert_eq!(left(&report(&with_keys)), ["keys-opened"]);
    // Own keys of two web services that name it are no such thing.
    for entry in entries.iter_mut().skip(3) {
        if entry.0 != listener {
            entry.1 = "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)";
        }
    }
    with_keys.insert("MachineKeys.acl".into(), saved(&entries));
    assert_eq!(left(&report(&with_keys)), [""; 0]);
}

/// What other programs of a web server keep in the folder, as far as their containers are known by name.
const CONTAINERS: [&str; 8] = [
    "iisConfigurationKey",
    "iisWasKey",
    "iisRsaProviderKeyContainer",
    "NetFrameworkConfigurationKey",
    "MS IIS DCOM Server",
    "Microsoft Internet Information Server",
    "WMSvc Certificate Key Container",
    "MS_DPAPI_MACHINEKEY",
];

fn capi(container: &str) -> String {
    key_file_name(container, KeyStorage::Capi, MACHINE_GUID)
}

#[test]
fn who_wants_to_rename_machine_keys_reads_whose_keys_go_with_it() {
    let mut files = files(&mut locked_out(TlsFailure::KeyUnusable));
    let mut names: Vec<String> = CONTAINERS.iter().map(|name| capi(name)).collect();
    names.extend(["one", "two", "three"].map(capi));
    let listener = listener_key();
    let denied = "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)";
    let mut entries: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), denied)).collect();
    entries.push((&listener, denied));
    assert_eq!(entries.len(), 12);
    files.insert("MachineKeys.acl".into(), saved(&entries));
    let report = report(&files);
    assert_eq!(report.verdict.cause.as_deref(), Some("key-access-denied"));
    let refusals = report.verdict.refuse.iter();
    let rename = refusals
        .clone()
        .find(|refusal| refusal.advice.contains("Rename the MachineKeys"));
    let why = &rename.unwrap().why;
    assert!(why.contains("the 11 other keys"), "{why}");
    for container in CONTAINERS {
        assert!(why.contains(container), "{container}: {why}");
    }
    assert!(!why.contains("TSSecKeySet1"), "{why}");
}

#[test]
fn a_pin_to_a_certificate_near_its_end_is_a_fault_to_come_and_says_when() {
    let pinned = |begins: &str, template: bool| {
        let mut machine = machine();
        let name = machine.full_name();
        let certificate = ForgedCertificate::issued(&name, "Contoso Issuing CA 1", at(begins));
        let entry = |der| StoreEntry::cng(der, "rdp-2025");
        let thumbprint = machine.personal_certificate(&certificate, entry, at(begins));
        machine.pins(&thumbprint, at("2026-10-20T09:00:00Z"));
        if template {
            machine
                .software
                .set_sz(POLICY, "CertTemplateName", "RemoteDesktop");
        }
        report(&files(&mut machine))
    };
    // It lasts a year: to the end of November 2026, or far into 2027.
    let near = pinned("2025-11-25T08:00:00Z", false);
    let found = finding(&near, "certificate-pin-dangling");
    assert_eq!(
        (found.role, near.verdict.status),
        (Role::Latent, Status::Healthy)
    );
    assert_eq!(found.strikes.as_deref(), Some("2026-11-25T08:00:00Z"));
    assert_eq!(near.verdict.latent, ["certificate-pin-dangling"]);
    for quiet in [
        pinned("2026-08-25T08:00:00Z", false),
        pinned("2025-11-25T08:00:00Z", true),
    ] {
        assert_eq!(finding(&quiet, "certificate-pin-dangling").role, Role::None);
    }
}

#[test]
fn the_other_faults_to_come_have_their_dates_too() {
    let mut machine = machine();
    let service = format!(r"{CONTROL_SET}\Services\SessionEnv");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-10-20T09:00:00Z"));
    let mut files = files(&mut machine);
    let inside = format!("MachineKeys\\{}", listener_key());
    let folder = "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)";
    files.insert(
        "MachineKeys.acl".into(),
        saved(&[("MachineKeys", folder), (&inside, HEALTHY_KEY)]),
    );
    let report = report(&files);
    assert_eq!(
        report.verdict.status,
        Status::Healthy,
        "{:?}",
        report.verdict
    );
    let strikes = |cause| {
        let finding = finding(&report, cause);
        (finding.role, finding.strikes.clone().unwrap_or_default())
    };
    // Windows' own certificate lasts 183 days, dated a day back.
    let renewal = strikes("sessionenv-disabled");
    assert_eq!(renewal, (Role::Latent, "2027-03-02T06:10:00Z".to_owned()));
    // The key made then lacks an entry, and fails at the renewal after it.
    let (role, next) = strikes("machinekeys-permissions");
    assert_eq!(role, Role::Latent);
    assert!(
        next.starts_with("2027-08") || next.starts_with("2027-09"),
        "{next}"
    );
}

fn change<'r>(report: &'r Report, what: &str) -> Option<(usize, &'r str, bool)> {
    let in_bracket = |change: &&rdptriage::verdict::model::Change| change.in_bracket;
    let others = report.changes.iter().filter(|change| !change.in_bracket);
    let mut changes = report
        .changes
        .iter()
        .filter(in_bracket)
        .chain(others)
        .enumerate();
    let (rank, change) = changes.find(|(_, change)| change.what.contains(what))?;
    Some((rank, &change.time, change.in_bracket))
}

#[test]
fn the_key_file_s_own_time_is_among_what_changed() {
    let key = listener_key();
    let base = files(&mut locked_out(TlsFailure::KeyUnusable));
    let listed = |dates: &str| {
        let mut files = base.clone();
        let text = format!(
            " Directory of {FOLDER}\r\n\r\n{}\r\n               2 File(s)          4,450 bytes\r\n",
            dates
                .replace("KEY", &key)
                .replace("OTHER", &capi("iisWasKey"))
        );
        files.insert("MachineKeys.txt".into(), text.into_bytes());
        report(&files)
    };
    // An hour east of Greenwich; only the other file's date tells which number is the month.
    let told = listed(
        "11/12/2026  08:20 AM             2,225 KEY\r\n10/31/2026  08:20 AM             2,225 OTHER",
    );
    let (rank, time, in_bracket) = change(&told, "key file").expect("the key file was written");
    assert_eq!((time, in_bracket), ("2026-11-12T07:20:00Z", true));
    assert_eq!(rank, 0, "nothing else changed in between");
    // A date that can be read in two ways is none.
    let unclear = listed("11/12/2026  08:20             2,225 KEY");
    assert_eq!(change(&unclear, "key file"), None);
}

#[test]
fn what_an_archive_says_of_a_key_file_counts_and_a_copy_on_this_disk_says_nothing() {
    let mut files = files(&mut locked_out(TlsFailure::KeyUnusable));
    let key = format!(
        "ProgramData/Microsoft/Crypto/RSA/MachineKeys/{}",
        listener_key()
    );
    files.insert(key.clone(), vec![0; 2225]);
    assert_eq!(change(&report(&files), "key file"), None);

    let written = at("2026-11-11T21:30:00Z");
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in &files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(written.as_second().cast_unsigned());
        tar.append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    let archived = BTreeMap::from([("ticket.tar".to_owned(), tar.into_inner().unwrap())]);
    let report = report(&archived);
    let (_, time, in_bracket) = change(&report, "key file").unwrap();
    assert_eq!((time, in_bracket), ("2026-11-11T21:30:00Z", true));
}

#[test]
fn the_certificate_s_dates_are_among_what_changed() {
    let mut machine = locked_out(TlsFailure::KeyUnusable);
    machine.self_signed_certificate(at("2026-11-11T20:00:00Z"));
    let report = report(&files(&mut machine));
    let (_, time, in_bracket) = change(&report, "certificate was made").unwrap();
    assert_eq!((time, in_bracket), ("2026-11-11T20:00:00Z", true));
}

#[test]
fn the_policy_that_would_revert_the_repair_comes_first() {
    let switched_off = |by_policy: bool| {
        let mut machine = machine();
        let key = format!(r"{CONTROL_SET}\Control\Terminal Server");
        let time = at("2026-11-11T20:00:00Z");
        machine
            .system
            .set_dword(&key, "fDenyTSConnections", 1)
            .touch(&key, time);
        if by_policy {
            machine
                .software
                .set_dword(POLICY, "fDenyTSConnections", 1)
                .touch(POLICY, time);
        }
        report(&files(&mut machine))
    };
    let by_policy = switched_off(true);
    let fixes = &finding(&by_policy, "rdp-disabled").fixes;
    assert!(
        fixes[0].step.contains("Allow users to connect remotely"),
        "{fixes:#?}"
    );
    assert!(fixes[0].run.as_deref().unwrap().contains("gpresult"));
    let by_hand = switched_off(false);
    let fixes = &finding(&by_hand, "rdp-disabled").fixes;
    assert!(
        !fixes[0].step.contains("policy that sets this"),
        "{fixes:#?}"
    );
    let offline = fixes.last().unwrap();
    assert!(
        offline
            .run
            .as_deref()
            .unwrap()
            .contains(r"reg load HKLM\BROKENSYSTEM"),
        "{offline:?}"
    );
    assert!(
        offline
            .run
            .as_deref()
            .unwrap()
            .contains(r"BROKENSYSTEM\ControlSet001\Control\Terminal Server")
    );
}

/// An upgrade between the last good day and the first bad one is what changed; one of long ago is no change that matters, and a date that
/// SOFTWARE does not have says nothing.
#[test]
fn an_upgrade_in_place_is_among_the_changes() {
    const BEFORE: &str = r"Setup\Source OS (Updated on 11/11/2026 23:10:00)";
    const LONG_BEFORE: &str = r"Setup\Source OS (Updated on 3/5/2021 07:01:02)";
    const VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
    let set_up = |report: &Report| -> Vec<(String, String, bool)> {
        let changes = report.changes.iter();
        let of_setup = changes.filter(|change| {
            change.what.contains("upgraded in") || change.what.contains("from an image")
        });
        of_setup
            .map(|change| (change.time.clone(), change.what.clone(), change.in_bracket))
            .collect()
    };
    let mut machine = locked_out(TlsFailure::NoCredential);
    assert!(set_up(&report(&files(&mut machine))).is_empty());
    let seconds = |text: &str| u32::try_from(at(text).as_second()).unwrap();
    let upgraded = "2026-11-11T22:10:00Z";
    machine
        .software
        .set_dword(VERSION, "InstallDate", seconds(upgraded));
    let told = set_up(&report(&files(&mut machine)));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("from an image"), "{told:?}");
    for (key, build, product, installed) in [
        (
            LONG_BEFORE,
            "9600",
            "Windows Server 2012 R2 Standard",
            "2014-02-01T08:00:00Z",
        ),
        (
            BEFORE,
            "14393",
            "Windows Server 2016 Standard",
            "2021-03-05T06:01:02Z",
        ),
    ] {
        machine
            .system
            .set_sz(key, "CurrentBuild", build)
            .set_sz(key, "ProductName", product)
            .set_dword(key, "InstallDate", seconds(installed));
    }
    let report = report(&files(&mut machine));
    let told = set_up(&report);
    let what = "Windows was upgraded in place from Windows Server 2016 Standard (14393)";
    assert_eq!(told, [(upgraded.to_owned(), what.to_owned(), true)]);
}
