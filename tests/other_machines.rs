//! Machines that no sample shows: other generations, other collections of the same fault, healthy ones with what looks like one.

mod support;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Level, Role, Status};
use rdptriage::{Options, diagnose};
use support::corpus::corpus;
use support::machine::{
    CONTROL_SET, Channel, LISTENER, Machine, PROTOCOLS, SUITE_POLICY, TlsFailure, Windows, at,
    minutes,
};
use support::verdict::{Files, collect, diagnosed, level, report, report_with, role, rules, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
const ECDSA: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";

fn machine(windows: Windows) -> Machine {
    Machine::serving("FABRIKAM-RD3", windows, at("2026-11-01T03:00:00Z"))
}

/// Two people, twice a day, for some days.
fn people(machine: &mut Machine, first: &str, days: i64) {
    for day in 0..days {
        for (offset, client, user) in [
            (0, ANNA, "anna"),
            (25, BERTIL, "bertil"),
            (250, ANNA, "anna"),
        ] {
            let time = at(first) + minutes(day * 1440 + offset);
            machine.gets_in(time, client, user);
            machine.leaves(time + minutes(200), client, user);
        }
    }
}

fn fail(machine: &mut Machine, first: &str, client: &str, times: i64, failure: TlsFailure) {
    for index in 0..times {
        machine.dies_in_tls(at(first) + minutes(index * 6), client, failure);
    }
}

const LOGS: &[Channel] = &[
    Channel::System,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];

fn all(machine: &mut Machine, end: &str) -> Files {
    machine.written(at(end));
    machine.logs_and_hives(LOGS)
}

fn ticket(machine: &mut Machine, end: &str) -> Files {
    machine.written(at(end));
    let mut files = machine.logs(&[Channel::System]);
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    if let Some(certificate) = &machine.certificate {
        files.insert("listener.cer".into(), certificate.der());
    }
    files
}

#[test]
fn healthy_machines_of_every_generation() {
    for windows in [
        Windows::Server2012R2,
        Windows::Server2016,
        Windows::Server2019,
        Windows::Server2022,
        Windows::Server2025,
    ] {
        let mut machine = machine(windows);
        people(&mut machine, "2026-11-09T08:00:00Z", 4);
        machine.schannel_noise(at("2026-11-11T10:00:00Z"));
        let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
        assert_eq!(says(&report), "healthy - succeeding", "{windows:?}");
    }
}

#[test]
fn refusals_alone_make_a_mismatch_likely() {
    let mut machine = machine(Windows::Server2022);
    for index in 0..12 {
        let time = at("2026-11-12T07:00:00Z") + minutes(index * 9);
        machine.schannel_failure(time, TlsFailure::NoCommonSuite);
    }
    let report = report(&machine.logs(&[Channel::System]));
    assert_eq!(says(&report), "likely tls-no-common-suite unseen");
}

#[test]
fn refusals_where_the_lists_share_enough_are_somebody_elses() {
    let mut machine = machine(Windows::Server2022);
    for index in 0..12 {
        let time = at("2026-11-12T07:00:00Z") + minutes(index * 9);
        machine.schannel_failure(time, TlsFailure::NoCommonSuite);
    }
    let report = report(&ticket(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&report), "inconclusive - unseen");
}

#[test]
fn without_the_caller_and_without_connections_nothing_is_attributed() {
    let mut machine = machine(Windows::Server2019);
    for index in 0..12 {
        let time = at("2026-11-12T07:00:00Z") + minutes(index * 9);
        machine.schannel_failure(time, TlsFailure::KeyUnusable);
    }
    let report = report(&ticket(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(
        report.verdict.status,
        Status::Inconclusive,
        "{}",
        says(&report)
    );
}

#[test]
fn an_expired_certificate_by_whatever_status_its_renewal_fails() {
    for status in [
        "Access is denied.",
        "Keyset does not exist",
        "Zugriff verweigert",
        "Le jeu de clés n’existe pas.",
        "The parameter is incorrect.",
        "Something in a language nobody here knows",
    ] {
        let mut machine = Machine::new(
            "FABRIKAM-RD3",
            Windows::Server2016,
            at("2026-01-04T06:00:00Z"),
        );
        machine.self_signed_certificate(at("2026-05-11T08:00:00Z"));
        machine.boots(at("2026-11-05T03:00:00Z"));
        machine.renewal_fails(at("2026-11-11T04:00:00Z"), 1058, status);
        let report = report(&ticket(&mut machine, "2026-11-12T09:00:00Z"));
        assert_eq!(
            says(&report),
            "confirmed certificate-expired unseen",
            "{status}"
        );
    }
}

#[test]
fn a_key_that_cannot_be_opened_lies_deeper_than_the_end_of_its_certificate() {
    let mut machine = Machine::new(
        "FABRIKAM-RD3",
        Windows::Server2022,
        at("2026-01-04T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-05-11T08:00:00Z"));
    machine.boots(at("2026-11-05T03:00:00Z"));
    machine.renewal_fails(at("2026-11-11T04:00:00Z"), 1058, "Object already exists.");
    for index in 0..6 {
        let time = at("2026-11-12T07:00:00Z") + minutes(index * 9);
        machine.schannel_failure(time, TlsFailure::KeyUnusable);
    }
    let report = report(&ticket(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&report), "confirmed key-unusable unseen");
    for kind in ["key-access-denied", "key-missing", "key-damaged"] {
        assert!(
            report.verdict.candidates.iter().any(|id| id == kind),
            "{:?}",
            report.verdict.candidates
        );
    }
}

#[test]
fn a_renewal_that_succeeded_at_last_is_no_fault() {
    let mut machine = machine(Windows::Server2022);
    machine.renewal_fails(at("2026-11-02T04:00:00Z"), 1057, "Keyset does not exist");
    machine.certificate_made(at("2026-11-02T05:00:00Z"), &[7; 20]);
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(
        level(&report, "certificate-renewal-failing"),
        Level::RuledOut
    );
}

#[test]
fn a_list_that_fits_is_no_fault_and_a_pin_neither() {
    let mut machine = machine(Windows::Server2022);
    machine.software.set_sz(
        SUITE_POLICY,
        "Functions",
        "TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    );
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn a_list_that_waits_for_the_restart_is_latent() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    machine
        .software
        .set_sz(SUITE_POLICY, "Functions", ECDSA)
        .touch(SUITE_POLICY, at("2026-11-12T09:30:00Z"));
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(role(&report, "tls-suite-policy-unusable"), Role::Latent);
}

#[test]
fn a_disabled_renewal_service_is_latent_while_the_certificate_is_valid() {
    let mut machine = machine(Windows::Server2022);
    let service = format!(r"{CONTROL_SET}\Services\SessionEnv");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-10-02T15:20:00Z"));
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(role(&report, "sessionenv-disabled"), Role::Latent);
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.cause == "sessionenv-disabled")
        .unwrap();
    assert_eq!(finding.strikes.as_deref(), Some("2027-03-02T06:10:00Z"));
}

#[test]
fn versions_off_for_clients_only_do_not_matter_to_the_listener() {
    let mut machine = machine(Windows::Server2019);
    for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2"] {
        machine
            .system
            .set_dword(&format!(r"{PROTOCOLS}\{version}\Client"), "Enabled", 0);
    }
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn rdp_switched_off_by_policy() {
    let mut machine = machine(Windows::Server2019);
    people(&mut machine, "2026-11-09T08:00:00Z", 3);
    let policy = r"Policies\Microsoft\Windows NT\Terminal Services";
    machine
        .software
        .set_dword(policy, "fDenyTSConnections", 1)
        .touch(policy, at("2026-11-11T16:00:00Z"));
    machine.boots(at("2026-11-12T03:00:00Z"));
    let report = report(&all(&mut machine, "2026-11-13T13:00:00Z"));
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("rdp-disabled"),
        "{}",
        says(&report)
    );
    assert_eq!(report.verdict.status, Status::Confirmed);
}

#[test]
fn rdp_switched_off_and_on_again_is_no_fault() {
    let mut machine = machine(Windows::Server2019);
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    // The policy's copy wins over the local one.
    machine.system.set_dword(
        &format!(r"{CONTROL_SET}\Control\Terminal Server"),
        "fDenyTSConnections",
        1,
    );
    machine.software.set_dword(
        r"Policies\Microsoft\Windows NT\Terminal Services",
        "fDenyTSConnections",
        0,
    );
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn rdp_security_hides_what_is_wrong_with_tls() {
    let mut machine = machine(Windows::Server2022);
    machine
        .system
        .set_dword(LISTENER, "SecurityLayer", 0)
        .set_dword(LISTENER, "UserAuthentication", 0);
    machine.software.set_sz(SUITE_POLICY, "Functions", ECDSA);
    machine
        .software
        .touch(SUITE_POLICY, at("2026-06-01T09:30:00Z"));
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(level(&report, "tls-suite-policy-unusable"), Level::RuledOut);
    assert_eq!(role(&report, "tls-suite-policy-unusable"), Role::Latent);
}

#[test]
fn without_nla_tls_faults_are_at_most_likely_unless_failures_bear_them_out() {
    let mut machine = machine(Windows::Server2022);
    machine
        .system
        .set_dword(LISTENER, "SecurityLayer", 1)
        .set_dword(LISTENER, "UserAuthentication", 0);
    machine.software.set_sz(SUITE_POLICY, "Functions", ECDSA);
    machine
        .software
        .touch(SUITE_POLICY, at("2026-06-01T09:30:00Z"));
    let quiet = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(level(&quiet, "tls-suite-policy-unusable"), Level::Likely);
    fail(
        &mut machine,
        "2026-11-12T08:00:00Z",
        ANNA,
        8,
        TlsFailure::NoCommonSuite,
    );
    let loud = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(
        level(&loud, "tls-suite-policy-unusable"),
        Level::Confirmed,
        "{}",
        says(&loud)
    );
}

#[test]
fn some_are_locked_out_and_others_get_in() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, "2026-11-09T08:00:00Z", 3);
    fail(
        &mut machine,
        "2026-11-12T08:00:00Z",
        BERTIL,
        8,
        TlsFailure::NoCommonSuite,
    );
    machine.gets_in(at("2026-11-12T09:30:00Z"), ANNA, "anna");
    let report = report(&all(&mut machine, "2026-11-12T13:00:00Z"));
    assert_eq!(report.verdict.state, "mixed");
    assert_ne!(report.verdict.status, Status::Healthy, "{}", says(&report));
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("tls-handshake-failed"),
        "{}",
        says(&report)
    );
}

#[test]
fn mistyped_passwords_are_no_lock_out() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, "2026-11-09T08:00:00Z", 3);
    machine.mistypes(at("2026-11-12T08:00:00Z"), ANNA);
    machine.mistypes(at("2026-11-12T08:01:00Z"), ANNA);
    let report = report(&all(&mut machine, "2026-11-12T08:30:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn a_quiet_weekend_is_no_failure() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, "2026-11-02T08:00:00Z", 5);
    people(&mut machine, "2026-11-09T08:00:00Z", 5);
    let report = report(&all(&mut machine, "2026-11-15T18:00:00Z"));
    assert_ne!(
        report.verdict.status,
        Status::Confirmed,
        "{}",
        says(&report)
    );
    assert!(report.verdict.cause.is_none(), "{}", says(&report));
}

#[test]
fn the_clients_code_never_decides() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, "2026-11-09T08:00:00Z", 4);
    let files = all(&mut machine, "2026-11-12T13:00:00Z");
    let options = Options {
        client_error: Some(
            rdptriage::verdict::client_error::ClientCode::parse("0x904/0x7").unwrap(),
        ),
        ..Options::default()
    };
    let told = report_with(&files, &options);
    assert_eq!(says(&told), says(&report(&files)));
    assert!(told.verdict.client_error.is_some());
}

/// The log of a client, as its Remote Desktop program writes it: 1024 names the server, 1026 the reason for the end.
fn client_log(server: &str, reason: u32) -> Vec<u8> {
    use support::event_log::{Event, LogBuilder};
    let event = |id: u16, name: &str, value: &str, time: &str| {
        Event::new("Microsoft-Windows-TerminalServices-ClientActiveXCore", id)
            .guid("{28aa95bb-d444-4719-a36f-40462168127e}")
            .computer("LAPTOP-7.contoso.example")
            .channel("Microsoft-Windows-TerminalServices-RDPClient/Operational")
            .time(time)
            .data("Name", name)
            .data("Value", value)
            .data("CustomLevel", "Info")
    };
    LogBuilder::new("Microsoft-Windows-TerminalServices-RDPClient/Operational")
        .computer("LAPTOP-7.contoso.example")
        .first_record(310)
        .push(event(1024, "Server Name", server, "2026-11-12T08:00:00Z"))
        .push(event(
            1026,
            "Disconnect Reason",
            &reason.to_string(),
            "2026-11-12T08:00:03Z",
        ))
        .to_bytes()
}

#[test]
fn a_client_that_refuses_the_certificates_time_confirms_its_end() {
    for (server, reason, expected) in [
        ("fabrikam-rd3.contoso.example", 6919, Level::Confirmed),
        ("fabrikam-rd3.contoso.example", 2308, Level::Likely),
        ("another-server", 6919, Level::Likely),
    ] {
        let mut machine = Machine::new(
            "FABRIKAM-RD3",
            Windows::Server2022,
            at("2026-01-04T06:00:00Z"),
        );
        machine.self_signed_certificate(at("2026-05-11T08:00:00Z"));
        machine.boots(at("2026-11-05T03:00:00Z"));
        let mut files = ticket(&mut machine, "2026-11-12T09:00:00Z");
        files.insert("laptop/RDPClient.evtx".into(), client_log(server, reason));
        let reports = diagnosed(&[collect(&files).path().to_owned()], &rules());
        let server_report = reports
            .iter()
            .find(|report| report.host.name.as_deref() == Some("FABRIKAM-RD3"))
            .unwrap();
        let finding = server_report
            .findings
            .iter()
            .find(|finding| finding.cause == "certificate-expired")
            .unwrap();
        assert_eq!(
            finding.level, expected,
            "{server} {reason}: {:#?}",
            finding.tests
        );
    }
}

#[test]
fn a_dirty_hive_without_its_logs_confirms_nothing_alone() {
    let mut machine = machine(Windows::Server2022);
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-11T18:00:00Z"));
    people(&mut machine, "2026-11-09T08:00:00Z", 3);
    machine.boots(at("2026-11-11T22:00:00Z"));
    machine.service_state(at("2026-11-14T13:00:00Z"), "Windows Update", "stopped");
    let mut files = all(&mut machine, "2026-11-14T13:00:00Z");
    let clean = report(&files);
    assert_eq!(says(&clean), "confirmed termservice-disabled silent");
    let dirty = support::hive::dirty(&files["SYSTEM"]);
    files.insert("SYSTEM".into(), dirty);
    let stale = report(&files);
    assert_eq!(
        level(&stale, "termservice-disabled"),
        Level::Likely,
        "{}",
        says(&stale)
    );
}

#[test]
fn rpc_services_that_differ_in_case_alone_share_their_process() {
    let hosted = |mapper: &str| {
        let mut machine = machine(Windows::Server2019);
        let path = |service: &str| format!(r"{CONTROL_SET}\Services\{service}");
        let calls = r"%SystemRoot%\system32\svchost.exe -k rpcss";
        machine
            .system
            .set_expand_sz(&path("RpcSs"), "ImagePath", calls);
        machine
            .system
            .set_expand_sz(&path("RpcEptMapper"), "ImagePath", mapper);
        level(
            &report(&ticket(&mut machine, "2026-11-12T09:00:00Z")),
            "rpc-hosting-broken",
        )
    };
    assert_eq!(
        hosted(r"%SystemRoot%\System32\svchost.exe -k RPCSS"),
        Level::RuledOut
    );
    assert_eq!(
        hosted(r"%SystemRoot%\System32\svchost.exe -k netsvcs"),
        Level::Likely
    );
}

/// What `RDPTRIAGE_CORPUS` holds of real machines: hives alone, so that nothing is confirmed, and one machine's certificate is found.
#[test]
fn real_hives_alone_confirm_nothing() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let hives = std::path::Path::new(&corpus).join("hives");
    let rules = RuleSet::builtin().unwrap();
    let of = |name: &str| {
        let mut reports = diagnose(&[hives.join(name)], &rules, &Options::default()).unwrap();
        assert_eq!(reports.len(), 1, "{name}");
        reports.remove(0)
    };
    let whole = of("wks-win732bita");
    assert_eq!(says(&whole), "inconclusive - unseen");
    let certificate = whole
        .facts
        .iter()
        .find(|fact| fact.kind == "listener.certificate")
        .unwrap();
    assert_eq!(
        certificate.fields["thumbprint"],
        "3349EFE1B964207CA08F1DBB2A091650F6790155"
    );
    assert_eq!(certificate.fields["container"], "TSSecKeySet1");
    assert_eq!(certificate.fields["ended"], false);
    // Remote Desktop is off on these two clients, in hives that are dirty or stand alone.
    for name in ["win10-1709", "dirty-b"] {
        assert_eq!(says(&of(name)), "likely rdp-disabled unseen", "{name}");
    }
    assert_eq!(says(&of("corrupted_system_hive")), "inconclusive - unseen");
}
