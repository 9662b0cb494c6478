//! Certificates that do not serve, each beside a healthy machine that looks like it: pins, purposes, keys, stores, enrolment, and
//! the clock that they are judged by.

mod support;

use rcgen::ExtendedKeyUsagePurpose;
use rdptriage::Options;
use rdptriage::tls::Client;
use rdptriage::verdict::model::{Level, Report, Role};
use support::certificate::{ForgedCertificate, SignatureLabel, StoreEntry, TestKey};
use support::machine::{
    CONTROL_SET, Channel, Machine, SUITE_POLICY, TlsFailure, Windows, at, minutes, seconds,
};
use support::verdict::{Files, collect, diagnosed, finding, report_with, rules, says};

const ANNA: &str = "10.20.4.17";
const HOST: &str = "FABRIKAM-RD5";
const FULL_NAME: &str = "fabrikam-rd5.contoso.example";
const TEMPLATE_POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
const WIN_STATIONS: &str = r"ControlSet001\Control\Terminal Server\WinStations";
/// Before the service's last start, and so in force.
const INSTALLED: &str = "2026-10-20T09:00:00Z";
const END: &str = "2026-11-12T13:00:00Z";

fn machine(windows: Windows) -> Machine {
    Machine::serving(HOST, windows, at("2026-11-01T03:00:00Z"))
}

fn people(machine: &mut Machine, days: i64) {
    for day in 0..days {
        for hour in [0, 4] {
            let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440 + hour * 60);
            machine.gets_in(time, ANNA, "anna");
            machine.leaves(time + minutes(200), ANNA, "anna");
        }
    }
}

/// From Thursday morning on nobody gets in.
fn locked_out(machine: &mut Machine, failure: TlsFailure) {
    for index in 0..8 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, ANNA, failure);
    }
}

fn files(machine: &mut Machine) -> Files {
    machine.written(at(END));
    machine.logs_and_hives(&Channel::OF_CONNECTIONS)
}

fn report(machine: &mut Machine) -> Report {
    report_with(&files(machine), &Options::default())
}

/// The commands of a finding's repair.
fn repair(report: &Report, cause: &str) -> String {
    let fixes = finding(report, cause).fixes.iter();
    fixes
        .filter_map(|fix| fix.run.clone())
        .collect::<Vec<_>>()
        .join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn issued() -> ForgedCertificate {
    ForgedCertificate::issued(
        FULL_NAME,
        "Contoso Issuing CA 1",
        at("2026-10-20T08:00:00Z"),
    )
}

fn with_key(der: Vec<u8>) -> StoreEntry {
    StoreEntry::cng(der, "rdp-2026")
}

#[test]
fn a_pin_that_names_no_certificate_and_no_fall_back() {
    let mut machine = machine(Windows::Server2019);
    machine.pins(&[0x5A; 20], at(INSTALLED));
    let newer = machine.personal_certificate(&issued(), with_key, at(INSTALLED));
    people(&mut machine, 3);
    locked_out(&mut machine, TlsFailure::NoCredential);
    let report = report(&mut machine);
    assert_eq!(says(&report), "confirmed certificate-pin-dangling failing");
    let repair = repair(&report, "certificate-pin-dangling");
    assert!(repair.contains(&hex(&newer)), "{repair}");
    assert!(!repair.contains("(unknown)"), "{repair}");
}

#[test]
fn a_pin_that_names_no_certificate_is_common_and_harmless() {
    for notice in [Some(1051), Some(1059), None] {
        let mut machine = machine(Windows::Server2022);
        machine.pins(&[0x5A; 20], at(INSTALLED));
        if let Some(notice) = notice {
            machine.certificate_notice(at("2026-11-01T03:00:39Z"), notice, &["RDP-Tcp"]);
        }
        people(&mut machine, 4);
        let report = report(&mut machine);
        assert_eq!(says(&report), "healthy - succeeding", "{notice:?}");
    }
}

#[test]
fn a_dangling_pin_is_no_cause_where_the_service_uses_its_own_certificate() {
    let mut machine = machine(Windows::Server2022);
    machine.pins(&[0x5A; 20], at(INSTALLED));
    machine.certificate_notice(at("2026-11-01T03:00:41Z"), 1051, &["RDP-Tcp"]);
    people(&mut machine, 3);
    locked_out(&mut machine, TlsFailure::KeyUnusable);
    let report = report(&mut machine);
    assert_eq!(
        finding(&report, "certificate-pin-dangling").role,
        Role::Contributing
    );
    assert_eq!(says(&report), "confirmed key-unusable failing");
}

#[test]
fn without_the_stores_nobody_knows_what_a_pin_names() {
    let mut machine = machine(Windows::Server2022);
    machine.pins(&[0x5A; 20], at(INSTALLED));
    locked_out(&mut machine, TlsFailure::NoCredential);
    let mut files = files(&mut machine);
    files.remove("SOFTWARE");
    let report = report_with(&files, &Options::default());
    assert_eq!(
        finding(&report, "certificate-pin-dangling").level,
        Level::Undetermined
    );
}

/// A pinned certificate with these purposes, and whether people get in with it.
fn pinned_for(purposes: Vec<ExtendedKeyUsagePurpose>, broken: bool) -> Report {
    let mut machine = machine(Windows::Server2022);
    let certificate = ForgedCertificate {
        purposes,
        ..issued()
    };
    let thumbprint = machine.personal_certificate(&certificate, with_key, at(INSTALLED));
    machine.pins(&thumbprint, at(INSTALLED));
    people(&mut machine, if broken { 3 } else { 4 });
    if broken {
        locked_out(&mut machine, TlsFailure::CertificateRefused);
    }
    report(&mut machine)
}

#[test]
fn a_certificate_for_clients_serves_no_server() {
    let broken = pinned_for(vec![ExtendedKeyUsagePurpose::ClientAuth], true);
    assert_eq!(says(&broken), "confirmed certificate-wrong-usage failing");
    let tolerated = pinned_for(vec![ExtendedKeyUsagePurpose::ClientAuth], false);
    assert_eq!(says(&tolerated), "healthy - succeeding");
    let remote_desktop = vec![1, 3, 6, 1, 4, 1, 311, 54, 1, 2];
    for purposes in [
        vec![ExtendedKeyUsagePurpose::Other(remote_desktop)],
        vec![ExtendedKeyUsagePurpose::Any],
        vec![],
    ] {
        let fits = pinned_for(purposes, true);
        assert_eq!(
            finding(&fits, "certificate-wrong-usage").level,
            Level::RuledOut
        );
    }
}

/// The log of a client whose security layer ends with this status.
fn client_log(status: u32) -> Vec<u8> {
    use support::event_log::{Event, LogBuilder};
    const CHANNEL: &str = "Microsoft-Windows-TerminalServices-RDPClient/Operational";
    let event = |id: u16, time: &str| {
        Event::new("Microsoft-Windows-TerminalServices-ClientActiveXCore", id)
            .guid("{28aa95bb-d444-4719-a36f-40462168127e}")
            .computer("LAPTOP-7.contoso.example")
            .channel(CHANNEL)
            .time(time)
    };
    LogBuilder::new(CHANNEL)
        .computer("LAPTOP-7.contoso.example")
        .first_record(310)
        .push(
            event(1024, "2026-11-12T08:00:00Z")
                .data("Name", "Server Name")
                .data("Value", FULL_NAME)
                .data("CustomLevel", "Info"),
        )
        .push(
            event(226, "2026-11-12T08:00:02Z")
                .data("StateTransitionName", "RDPClient_SSL")
                .data("ErrorCode", status.to_string().as_str()),
        )
        .to_bytes()
}

#[test]
fn a_client_that_says_what_a_certificate_is_not_for_decides() {
    for (status, expected) in [
        (0x8009_0349, Role::RootCause),
        (0x8009_0304, Role::Contributing),
    ] {
        let mut machine = machine(Windows::Server2022);
        let certificate = ForgedCertificate {
            purposes: vec![ExtendedKeyUsagePurpose::ClientAuth],
            ..issued()
        };
        let thumbprint = machine.personal_certificate(&certificate, with_key, at(INSTALLED));
        machine.pins(&thumbprint, at(INSTALLED));
        machine.certificate_notice(at("2026-11-01T03:00:41Z"), 1054, &["RDP-Tcp"]);
        machine.written(at(END));
        let mut files = machine.logs_and_hives(&[Channel::System]);
        files.insert("laptop/RDPClient.evtx".to_owned(), client_log(status));
        let reports = diagnosed(&[collect(&files).path().to_owned()], &rules());
        let of_server = |report: &&Report| report.host.name.as_deref() == Some(HOST);
        let report = reports.iter().find(of_server).unwrap();
        let found = finding(report, "certificate-wrong-usage");
        assert_eq!(found.role, expected, "{status:#x}: {:#?}", found.tests);
    }
}

/// A pinned certificate that was imported without its key.
fn without_key() -> Machine {
    let mut machine = machine(Windows::Server2022);
    let bare = |der| StoreEntry {
        key: None,
        ..with_key(der)
    };
    let thumbprint = machine.personal_certificate(&issued(), bare, at(INSTALLED));
    machine.pins(&thumbprint, at(INSTALLED));
    machine
}

#[test]
fn a_certificate_imported_without_its_key() {
    let mut broken = without_key();
    people(&mut broken, 3);
    for index in 0..3 {
        let time = at("2026-11-12T08:00:01Z") + minutes(index * 6);
        let server = vec![("Type", "server".into())];
        broken.schannel(time - seconds(1), 36869, 1184, server);
    }
    locked_out(&mut broken, TlsFailure::NoCredential);
    let report_broken = report(&mut broken);
    assert_eq!(
        says(&report_broken),
        "confirmed certificate-without-key failing"
    );
    assert!(repair(&report_broken, "certificate-without-key").contains("-repairstore my"));
    let mut falls_back = without_key();
    falls_back.certificate_notice(at("2026-11-01T03:00:41Z"), 1051, &["RDP-Tcp"]);
    people(&mut falls_back, 4);
    let falls_back = report(&mut falls_back);
    assert_eq!(says(&falls_back), "healthy - succeeding");
}

#[test]
fn a_weak_certificate_is_a_cause_only_for_a_client_that_refuses_it() {
    let client = |bits| {
        let mut client = Client::mainstream().remove(0);
        client.limits.rsa_bits = bits;
        Options {
            client: Some(client),
            ..Options::default()
        }
    };
    let small = ForgedCertificate {
        key: TestKey::Rsa1024,
        ..issued()
    };
    let mut refused = machine(Windows::Server2022);
    let thumbprint = refused.personal_certificate(&small, with_key, at(INSTALLED));
    refused.pins(&thumbprint, at(INSTALLED));
    people(&mut refused, 3);
    locked_out(&mut refused, TlsFailure::CertificateRefused);
    let refused = files(&mut refused);
    let level =
        |options: &Options| finding(&report_with(&refused, options), "certificate-weak").level;
    assert_eq!(level(&client(2048)), Level::Confirmed);
    assert_eq!(level(&client(1024)), Level::RuledOut);
    let mut signed_over_md5 = machine(Windows::Server2022);
    let old = ForgedCertificate {
        signature: SignatureLabel::Md5,
        ..issued()
    };
    let thumbprint = signed_over_md5.personal_certificate(&old, with_key, at(INSTALLED));
    signed_over_md5.pins(&thumbprint, at(INSTALLED));
    people(&mut signed_over_md5, 4);
    let report = report(&mut signed_over_md5);
    assert_eq!(says(&report), "healthy - succeeding");
}

/// A pinned certificate whose key was made with AT_SIGNATURE.
fn signature_key(suites: Option<&str>) -> Machine {
    let mut machine = machine(Windows::Server2019);
    let signs = |der| StoreEntry {
        key: Some((
            "rdp-signs".to_owned(),
            "Microsoft Enhanced Cryptographic Provider v1.0".to_owned(),
            1,
            0x20,
            2,
        )),
        ..with_key(der)
    };
    let thumbprint = machine.personal_certificate(&issued(), signs, at(INSTALLED));
    machine.pins(&thumbprint, at(INSTALLED));
    if let Some(suites) = suites {
        machine
            .software
            .set_sz(SUITE_POLICY, "Functions", suites)
            .touch(SUITE_POLICY, at("2026-10-20T10:00:00Z"));
    }
    machine
}

#[test]
fn a_key_that_only_signs_needs_suites_that_sign() {
    let transport = "TLS_RSA_WITH_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_GCM_SHA256";
    let mut broken = signature_key(Some(transport));
    locked_out(&mut broken, TlsFailure::NoCommonSuite);
    let broken = report(&mut broken);
    assert_eq!(
        says(&broken),
        "confirmed certificate-signature-only-key failing"
    );
    let mut healthy = signature_key(None);
    people(&mut healthy, 4);
    let healthy = report(&mut healthy);
    assert_eq!(says(&healthy), "healthy - succeeding");
    assert_eq!(
        finding(&healthy, "certificate-signature-only-key").level,
        Level::RuledOut
    );
}

/// A template's certificate, from this day on for a year.
fn enrolled(from: &str) -> Machine {
    let mut machine = machine(Windows::Server2022);
    machine
        .software
        .set_sz(TEMPLATE_POLICY, "CertTemplateName", "RDPServer");
    let certificate = ForgedCertificate::issued(FULL_NAME, "Contoso Issuing CA 1", at(from));
    let thumbprint = machine.personal_certificate(&certificate, with_key, at(from));
    machine
        .system
        .set_binary(WIN_STATIONS, "TemplateCertificate", &thumbprint);
    machine
}

#[test]
fn enrolment_that_fails_matters_when_the_certificate_in_use_has_ended() {
    let mut broken = enrolled("2025-11-10T08:00:00Z");
    people(&mut broken, 1);
    broken.certificate_notice(
        at("2026-11-10T09:00:00Z"),
        1065,
        &["The requested certificate template is not supported by this CA."],
    );
    locked_out(&mut broken, TlsFailure::NoCredential);
    let broken = report(&mut broken);
    assert_eq!(
        says(&broken),
        "confirmed certificate-enrolment-failing failing"
    );
    assert!(repair(&broken, "certificate-enrolment-failing").contains("\"RDPServer\""));
    let mut healthy = enrolled("2026-10-20T08:00:00Z");
    healthy.certificate_notice(
        at("2026-11-10T09:00:00Z"),
        1064,
        &["The RPC server is unavailable."],
    );
    people(&mut healthy, 4);
    let healthy = report(&mut healthy);
    assert_eq!(says(&healthy), "healthy - succeeding");
    let mut recovered = enrolled("2026-10-20T08:00:00Z");
    recovered
        .certificate_notice(
            at("2026-11-10T09:00:00Z"),
            1064,
            &["The RPC server is unavailable."],
        )
        .certificate_notice(at("2026-11-10T17:00:00Z"), 1063, &["RDPServer"]);
    people(&mut recovered, 4);
    assert_eq!(
        finding(&report(&mut recovered), "certificate-enrolment-failing").level,
        Level::RuledOut
    );
}

/// A machine whose store holds an entry that is cut: the listener's, or another certificate's.
fn damaged_entry(listeners: bool) -> Machine {
    let mut machine = machine(Windows::Server2022);
    let certificate = if listeners {
        machine.certificate.clone().unwrap()
    } else {
        issued()
    };
    let store = if listeners { "Remote Desktop" } else { "MY" };
    let der = certificate.der();
    let thumbprint = {
        use sha1::Digest;
        hex(&sha1::Sha1::digest(&der))
    };
    let mut blob = StoreEntry::listener(der).blob();
    blob.truncate(blob.len() - 300);
    let entry = format!(r"Microsoft\SystemCertificates\{store}\Certificates\{thumbprint}");
    machine
        .software
        .set_binary(&entry, "Blob", &blob)
        .touch(&entry, at("2026-11-11T20:00:00Z"));
    machine
}

#[test]
fn the_listeners_store_entry_is_cut() {
    let mut broken = damaged_entry(true);
    people(&mut broken, 3);
    broken.renewal_fails(
        at("2026-11-12T07:00:00Z"),
        1057,
        "The parameter is incorrect.",
    );
    locked_out(&mut broken, TlsFailure::NoCredential);
    let broken = report(&mut broken);
    assert_eq!(says(&broken), "confirmed certificate-store-damaged failing");
    let repair = repair(&broken, "certificate-store-damaged");
    assert!(
        repair.contains(r"HKLM\SOFTWARE\Microsoft\SystemCertificates\Remote Desktop"),
        "{repair}"
    );
    let mut another = damaged_entry(false);
    people(&mut another, 4);
    let another = report(&mut another);
    assert_eq!(says(&another), "healthy - succeeding");
    assert_eq!(
        finding(&another, "certificate-store-damaged").level,
        Level::RuledOut
    );
}

fn disabled(service: &str) -> Machine {
    let mut machine = machine(Windows::Server2022);
    let key = format!(r"{CONTROL_SET}\Services\{service}");
    machine
        .system
        .set_dword(&key, "Start", 4)
        .touch(&key, at("2026-11-11T19:00:00Z"));
    machine
}

#[test]
fn a_disabled_key_service_is_a_cause_and_a_disabled_store_service_waits() {
    let mut broken = disabled("KeyIso");
    people(&mut broken, 3);
    broken
        .boots(at("2026-11-11T22:00:00Z"))
        .listener_starts(at("2026-11-11T22:00:40Z"));
    locked_out(&mut broken, TlsFailure::KeyUnusable);
    let broken = report(&mut broken);
    assert_eq!(says(&broken), "confirmed crypto-service-disabled failing");
    assert!(repair(&broken, "crypto-service-disabled").contains("config KeyIso start= demand"));
    for service in ["CryptSvc", "CertPropSvc"] {
        let mut healthy = disabled(service);
        people(&mut healthy, 4);
        let healthy = report(&mut healthy);
        assert_eq!(says(&healthy), "healthy - succeeding", "{service}");
        assert_eq!(
            finding(&healthy, "crypto-service-disabled").role,
            Role::Latent
        );
    }
}

#[test]
fn a_clock_set_back_by_a_year() {
    let mut broken = machine(Windows::Server2022);
    people(&mut broken, 3);
    broken.clock_is_set(at("2026-11-12T03:00:00Z"), at("2025-11-12T03:00:00Z"));
    for index in 0..8 {
        let time = at("2025-11-12T04:00:00Z") + minutes(index * 6);
        broken.dies_in_tls(time, ANNA, TlsFailure::CertificateRefused);
    }
    broken.written(at("2025-11-12T05:00:00Z"));
    let files = broken.logs_and_hives(&Channel::OF_CONNECTIONS);
    let report = report_with(&files, &Options::default());
    assert_eq!(says(&report), "confirmed clock-wrong failing");
    let consequences = &report.verdict.consequences;
    assert!(
        consequences
            .iter()
            .any(|id| id == "certificate-not-yet-valid"),
        "{consequences:?}"
    );
}

#[test]
fn clocks_that_are_set_and_people_get_in() {
    // By seven minutes; by a year and back; by an hour at a boot.
    let steps: [&[(&str, &str)]; 3] = [
        &[("2026-11-12T03:00:00Z", "2026-11-12T03:07:00Z")],
        &[
            ("2026-11-12T03:00:00Z", "2025-11-12T03:00:00Z"),
            ("2025-11-12T03:02:00Z", "2026-11-12T03:02:05Z"),
        ],
        &[("2026-11-12T04:00:00Z", "2026-11-12T03:00:00Z")],
    ];
    for steps in steps {
        let mut machine = machine(Windows::Server2022);
        people(&mut machine, 3);
        for (from, to) in steps {
            machine.clock_is_set(at(from), at(to));
        }
        machine.gets_in(at("2026-11-12T08:00:00Z"), ANNA, "anna");
        machine.leaves(at("2026-11-12T11:00:00Z"), ANNA, "anna");
        let report = report(&mut machine);
        assert_eq!(says(&report), "healthy - succeeding", "{steps:?}");
        assert_eq!(finding(&report, "clock-wrong").level, Level::RuledOut);
    }
}

#[test]
fn a_clock_that_is_off_refuses_credentials_in_a_domain() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, 3);
    machine.clock_is_set(at("2026-11-12T07:00:00Z"), at("2026-11-12T07:50:00Z"));
    for index in 0..8 {
        machine.mistypes(at("2026-11-12T08:00:00Z") + minutes(index * 6), ANNA);
    }
    let report = report(&mut machine);
    assert_eq!(says(&report), "confirmed clock-wrong failing");
}
