//! What servers and clients would agree on, read from forged hives: the command and its answers, what `diagnose` makes of a
//! pair, and that nothing which public sources leave open ever confirms a cause by itself.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rdptriage::bundle;
use rdptriage::facts::gap::Gaps;
use rdptriage::facts::registry::{Registry, open_hives};
use rdptriage::facts::tls_settings;
use rdptriage::rules::RuleSet;
use rdptriage::tls::{CertificateKind, Generation, ServerOffer, Standing, Version};
use rdptriage::verdict::model::{ClientNegotiation, Level, NegotiationOutput};
use rdptriage::{NegotiateError, Options, client, diagnose, negotiate};
use support::corpus::corpus;
use support::machine::{
    CONTROL_SET, Channel, Machine, PROTOCOLS, SUITE_POLICY, TlsFailure, Windows, at, minutes,
};
use support::verdict::{Files, collect, level, report_with};

const SCHANNEL: &str = r"ControlSet001\Control\SecurityProviders\SCHANNEL";
const SET: &str = "2026-11-10T20:00:00Z";
const ANNA: &str = "10.20.4.17";

/// A machine that has served for some days, since its last boot on 1 November.
fn machine(windows: Windows) -> Machine {
    Machine::serving("FABRIKAM-RD5", windows, at("2026-11-01T03:00:00Z"))
}

/// It boots again after its settings were written, and from then on clients are refused.
fn refuses(machine: &mut Machine) {
    machine.gets_in(at("2026-11-10T08:00:00Z"), ANNA, "anna");
    machine.leaves(at("2026-11-10T11:00:00Z"), ANNA, "anna");
    machine
        .boots(at("2026-11-11T03:00:00Z"))
        .listener_starts(at("2026-11-11T03:00:40Z"));
    for index in 0..6 {
        let time = at("2026-11-11T08:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, ANNA, TlsFailure::NoCommonSuite);
    }
}

fn files(machine: &mut Machine) -> Files {
    machine.written(at("2026-11-11T10:00:00Z"));
    machine.logs_and_hives(&Channel::OF_CONNECTIONS)
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().to_str().unwrap().to_owned()
}

/// What a collection and these clients come to.
fn asked(files: &Files, clients: &[&str]) -> Result<NegotiationOutput, NegotiateError> {
    let folder = collect(files);
    let clients: Vec<String> = clients.iter().map(|name| (*name).to_owned()).collect();
    negotiate(&[path(&folder)], &clients)
}

fn only(said: &NegotiationOutput) -> &ClientNegotiation {
    assert_eq!(said.negotiation.clients.len(), 1);
    &said.negotiation.clients[0]
}

/// Writes a key's value, and when.
fn set(machine: &mut Machine, key: &str, name: &str, value: u32) {
    machine
        .system
        .set_dword(key, name, value)
        .touch(key, at(SET));
}

fn policy(machine: &mut Machine, list: &str) {
    machine
        .software
        .set_sz(SUITE_POLICY, "Functions", list)
        .touch(SUITE_POLICY, at(SET));
}

fn only_tls12(machine: &mut Machine) {
    for version in ["TLS 1.0", "TLS 1.1", "TLS 1.3"] {
        set(
            machine,
            &format!(r"{PROTOCOLS}\{version}\Server"),
            "Enabled",
            0,
        );
    }
}

#[test]
fn the_first_obstacle_comes_first_and_all_others_with_it() {
    let mut machine = machine(Windows::Server2019);
    only_tls12(&mut machine);
    policy(&mut machine, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    let said = asked(&files(&mut machine), &["win-7-2008r2"]).unwrap();
    let client = only(&said);
    assert_eq!(client.outcome, "none");
    assert_eq!(client.obstacle.as_deref(), Some("version"));
    assert_eq!((&client.version, &client.suite), (&None, &None));
    let besides = "the policy allows only ECDSA suites; the certificate is RSA 2048";
    assert!(
        client.also.iter().any(|also| also.contains(besides)) && client.reason.contains(besides),
        "{client:#?}"
    );
    let server = said.negotiation.server.unwrap();
    let found = server
        .settings
        .iter()
        .find(|setting| setting.key == SUITE_POLICY)
        .unwrap();
    assert_eq!(
        (found.artifact.as_str(), found.name.as_str()),
        ("SOFTWARE", "Functions")
    );
    assert_eq!(found.written.as_deref(), Some(SET));
    // Written after the boot of 1 November, and no other since.
    assert_eq!(
        (found.waits, found.read_at.as_deref()),
        (Some(true), Some("boot"))
    );
}

#[test]
fn a_version_of_windows_stands_for_its_defaults() {
    let all = |server: &str, client: &str| {
        let said = negotiate(&[server.to_owned()], &[client.to_owned()]).unwrap();
        let client = only(&said).clone();
        (client.outcome, client.version, client.suite)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        all("8.1-2012r2", "freerdp-3.27+"),
        (
            "agreed".into(),
            some("TLS 1.2"),
            some("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")
        )
    );
    assert_eq!(
        all("8.1-2012R2", "ironrdp-rustls"),
        ("none".into(), None, None)
    );
    assert_eq!(all("server-2022", "web-client").0, "uncertain");
    let said = negotiate(&["server-2022".to_owned()], &["all".to_owned()]).unwrap();
    assert_eq!(said.negotiation.clients.len(), 34);
    assert_eq!(said.negotiation.server.unwrap().settings, []);
}

#[test]
fn what_is_agreed_in_any_case_says_what_it_depends_on() {
    let said = negotiate(&["server-2022".to_owned()], &["ironrdp-rustls".to_owned()]).unwrap();
    let client = only(&said);
    assert_eq!(
        (client.outcome.as_str(), client.version.as_deref()),
        ("agreed", Some("TLS 1.3"))
    );
    assert!(
        client
            .reason
            .contains("no source says whether Remote Desktop on Windows Server 2022")
    );
    assert_eq!(client.open.len(), 1);
}

#[test]
fn a_client_is_read_from_its_own_hives() {
    let mut laptop = Machine::new("LAPTOP-7", Windows::Server2019, at("2026-05-04T06:00:00Z"));
    set(
        &mut laptop,
        &format!(r"{PROTOCOLS}\TLS 1.2\Client"),
        "Enabled",
        0,
    );
    let laptop = collect(&files(&mut laptop));
    let mut machine = machine(Windows::Server2019);
    only_tls12(&mut machine);
    let said = asked(&files(&mut machine), &[&path(&laptop)]).unwrap();
    let own = only(&said);
    assert_eq!(own.profile, "LAPTOP-7");
    assert_eq!(
        (own.outcome.as_str(), own.obstacle.as_deref()),
        ("none", Some("version"))
    );
}

#[test]
fn names_that_are_not_known_are_answered_with_the_nearest() {
    let refused = |server: &str, client: &str| {
        negotiate(&[server.to_owned()], &[client.to_owned()])
            .unwrap_err()
            .to_string()
    };
    let said = refused("server-2022", "freerdp-3.28");
    assert!(
        said.lines().nth(1).unwrap().starts_with("freerdp-3.27+, "),
        "{said}"
    );
    let said = refused("server-2021", "all");
    assert!(
        said.lines().nth(1).unwrap().starts_with("server-2022, "),
        "{said}"
    );
}

#[test]
fn what_is_missing_is_said_in_clear_words() {
    let mut machine = machine(Windows::Server2019);
    let mut whole = files(&mut machine);
    let software = whole.remove("SOFTWARE").unwrap();
    let said = asked(&whole, &["win-10-22h2"]).unwrap();
    let reason = &only(&said).reason;
    assert!(
        reason.contains("holds only if no cipher suite policy is set, which SOFTWARE would show"),
        "{reason}"
    );
    whole.insert("SOFTWARE".into(), software);
    let system = whole.remove("SYSTEM").unwrap();
    let said = asked(&whole, &["all"]).unwrap_err().to_string();
    assert!(
        said.contains("no SYSTEM hive") && said.contains("reg save HKLM\\SYSTEM"),
        "{said}"
    );

    // Half a hive: whatever is said, it is not said for sure without a word about the damage.
    whole.insert("SYSTEM".into(), system[..system.len() / 2].to_vec());
    match asked(&whole, &["win-10-22h2"]) {
        Ok(said) => assert!(!said.problems.is_empty(), "{said:#?}"),
        Err(error) => assert!(error.to_string().contains("SYSTEM"), "{error}"),
    }
}

#[test]
fn a_list_of_another_type_is_named_with_its_type() {
    let mut machine = machine(Windows::Server2019);
    machine.software.set_dword(SUITE_POLICY, "Functions", 1);
    let said = asked(&files(&mut machine), &["win-10-22h2"]).unwrap();
    let problem = said
        .problems
        .iter()
        .find(|problem| problem.message.contains("REG_DWORD"));
    assert!(problem.is_some(), "{:?}", said.problems);
    assert!(
        only(&said).reason.contains("REG_DWORD"),
        "{}",
        only(&said).reason
    );
    let residue = said.negotiation.server.unwrap().residue;
    assert!(
        residue.iter().any(|line| line.contains("REG_DWORD")),
        "{residue:?}"
    );
}

#[test]
fn what_hardening_left_behind_is_named() {
    let mut machine = machine(Windows::Server2019);
    set(
        &mut machine,
        &format!(r"{SCHANNEL}\Ciphers\RC4 128\128"),
        "Enabled",
        0,
    );
    set(
        &mut machine,
        &format!(r"{SCHANNEL}\Ciphers\AES 128"),
        "Enabled",
        0,
    );
    set(
        &mut machine,
        &format!(r"{PROTOCOLS}\TLS 1.3\Server"),
        "Enabled",
        1,
    );
    let signatures =
        format!(r"{CONTROL_SET}\Control\Cryptography\Configuration\Local\SSL\00010003");
    machine
        .system
        .set_multi_sz(&signatures, "Functions", &["NistP256", "RSA/SHA256"]);
    let other = PROTOCOLS.replace("ControlSet001", "ControlSet002");
    machine
        .system
        .set_dword(&format!(r"{other}\TLS 1.2\Server"), "Enabled", 0);
    let long: Vec<&str> = vec!["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P256"; 30];
    policy(&mut machine, &long.join(","));
    let report = report_with(&files(&mut machine), &Options::default());
    let says: Vec<String> = report
        .facts
        .iter()
        .filter(|fact| fact.kind == "tls.residue")
        .map(|fact| fact.fields["says"].to_string())
        .collect();
    for part in [
        "RC4 128/128",
        "AES 128/128",
        "TLS 1.3 is switched on",
        "holds names of curves",
        "over the limit of 1023",
        "curve suffix",
        "ControlSet002 has other Protocols",
    ] {
        assert!(
            says.iter().any(|line| line.contains(part)),
            "{part}: {says:#?}"
        );
    }
    assert_eq!(level(&report, "tls13-forced"), Level::Confirmed);
}

#[test]
fn diagnose_judges_the_client_that_it_is_given() {
    let mut machine = machine(Windows::Server2019);
    only_tls12(&mut machine);
    refuses(&mut machine);
    let files = files(&mut machine);
    let of = |name: &str| Options {
        client: Some(client(name).unwrap()),
        ..Options::default()
    };
    let old = report_with(&files, &of("win-7-2008r2"));
    assert_eq!(old.verdict.cause.as_deref(), Some("tls-no-common-version"));
    assert_eq!(level(&old, "tls-no-common-version"), Level::Confirmed);
    assert_eq!(old.negotiation.clients[0].profile, "win-7-2008r2");
    assert_ne!(
        level(
            &report_with(&files, &of("win-10-22h2")),
            "tls-no-common-version"
        ),
        Level::Confirmed
    );
}

#[test]
fn what_sources_leave_open_confirms_no_cause() {
    type Setting = fn(&mut Machine);
    let open: &[(&str, Windows, Setting)] = &[
        ("Enabled = 1 in Ciphers", Windows::Server2019, |machine| {
            for cipher in ["AES 128/128", "AES 256/256", "Triple DES 168"] {
                set(
                    machine,
                    &format!(r"{SCHANNEL}\Ciphers\{cipher}"),
                    "Enabled",
                    1,
                );
            }
        }),
        ("DisabledByDefault", Windows::Server2019, |machine| {
            for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2"] {
                let key = format!(r"{PROTOCOLS}\{version}\Server");
                set(machine, &key, "Enabled", 1);
                set(machine, &key, "DisabledByDefault", 1);
            }
        }),
        ("names with suffixes", Windows::Server2016, |machine| {
            policy(machine, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P256");
        }),
        ("names in lower case", Windows::Server2019, |machine| {
            policy(machine, "tls_ecdhe_rsa_with_aes_256_gcm_sha384");
        }),
        ("TLS 1.3 alone in 2022", Windows::Server2022, |machine| {
            // Its own default, which has RSA-PSS for TLS 1.3 in front.
            let signatures =
                format!(r"{CONTROL_SET}\Control\Cryptography\Configuration\Local\SSL\00010003");
            let default = [
                "RSAE-PSS/SHA256",
                "RSAE-PSS/SHA384",
                "RSA/SHA256",
                "RSA/SHA384",
            ];
            machine
                .system
                .set_multi_sz(&signatures, "Functions", &default);
            for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2"] {
                set(
                    machine,
                    &format!(r"{PROTOCOLS}\{version}\Server"),
                    "Enabled",
                    0,
                );
            }
        }),
        (
            "TLS 1.0 and 1.1 by default in 2025",
            Windows::Server2025,
            |machine| {
                for version in ["TLS 1.2", "TLS 1.3"] {
                    set(
                        machine,
                        &format!(r"{PROTOCOLS}\{version}\Server"),
                        "Enabled",
                        0,
                    );
                }
            },
        ),
        ("PKCS = 0 and RSA alone", Windows::Server2019, |machine| {
            set(
                machine,
                &format!(r"{SCHANNEL}\KeyExchangeAlgorithms\PKCS"),
                "Enabled",
                0,
            );
        }),
        (
            "SHA-384 off and one suite of it",
            Windows::Server2019,
            |machine| {
                set(machine, &format!(r"{SCHANNEL}\Hashes\SHA384"), "Enabled", 0);
                policy(machine, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
            },
        ),
    ];
    const COMPUTED: [&str; 6] = [
        "tls-no-common-suite",
        "tls-suite-policy-unusable",
        "tls-local-suite-list-damaged",
        "tls-algorithms-disabled",
        "tls-server-protocols-disabled",
        "tls-no-common-group",
    ];
    for (name, windows, settings) in open {
        let mut machine = machine(*windows);
        settings(&mut machine);
        refuses(&mut machine);
        let files = files(&mut machine);
        // Windows 10 has no TLS 1.3 to be uncertain of.
        let client = match windows {
            Windows::Server2022 => "win-11-24h2",
            _ => "win-10-22h2",
        };
        let said = asked(&files, &[client]).unwrap();
        let pair = only(&said);
        assert_eq!(pair.outcome, "uncertain", "{name}: {pair:#?}");
        assert!(!pair.open.is_empty(), "{name}");
        let report = report_with(&files, &Options::default());
        for cause in COMPUTED {
            assert_ne!(level(&report, cause), Level::Confirmed, "{name}: {cause}");
        }
    }
}

#[test]
fn without_tls_1_2_a_silent_server_is_likely_missed() {
    let mut machine = machine(Windows::Server2022);
    for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2"] {
        set(
            &mut machine,
            &format!(r"{PROTOCOLS}\{version}\Server"),
            "Enabled",
            0,
        );
    }
    machine
        .boots(at("2026-11-11T03:00:00Z"))
        .listener_starts(at("2026-11-11T03:00:40Z"));
    let report = report_with(&files(&mut machine), &Options::default());
    assert_eq!(level(&report, "tls-no-common-version"), Level::Likely);
    assert_eq!(
        level(&report, "tls-server-protocols-disabled"),
        Level::Undetermined
    );
}

#[test]
fn what_was_logged_against_the_settings_is_a_problem() {
    let contradictions = |files: &Files| -> Vec<String> {
        let problems = report_with(files, &Options::default()).problems.into_iter();
        problems
            .map(|problem| problem.message)
            .filter(|message| message.starts_with("contradicts the settings"))
            .collect()
    };
    let mut machine = machine(Windows::Server2019);
    machine.gets_in(at("2026-11-10T08:00:00Z"), ANNA, "anna");
    assert_eq!(contradictions(&files(&mut machine)), Vec::<String>::new());
    let key = format!(r"{PROTOCOLS}\TLS 1.2\Server");
    machine
        .system
        .set_dword(&key, "Enabled", 0)
        .touch(&key, at("2026-06-01T06:00:00Z"));
    let said = contradictions(&files(&mut machine));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("RdpCoreTS 153 logged a handshake with TLS 1.2"),
        "{said:?}"
    );
}

/// The whole way: a System log whose Schannel writes its successes, hives that do not allow them, the screen.
#[test]
fn a_handshake_that_the_lists_do_not_allow_is_shown() {
    const ECDHE_RSA_AES_256_GCM: u32 = 0xC030;
    const RC4_SHA: u32 = 0x0005;
    let mut machine = machine(Windows::Server2019);
    machine.gets_in(at("2026-11-10T08:00:00Z"), ANNA, "anna");
    machine.schannel_success(at("2026-11-10T08:00:01Z"), "TLS 1.2", ECDHE_RSA_AES_256_GCM);
    let shown = |files: &Files| {
        let folder = collect(files);
        let (_, diagnosed, _) = run(&["diagnose", &path(&folder), "--width", "200"]);
        let (_, negotiated, _) = run(&["negotiate", &path(&folder), "--width", "200"]);
        [diagnosed, negotiated].map(|text| unwrapped(&text))
    };
    for text in shown(&files(&mut machine)) {
        assert!(!text.contains("contradicts the settings"), "{text}");
    }
    for minute in 0..3 {
        let time = at("2026-11-10T09:00:00Z") + minutes(minute);
        machine.schannel_success(time, "TLS 1.2", RC4_SHA);
    }
    for text in shown(&files(&mut machine)) {
        assert!(
            text.contains("Schannel 36880 logged a handshake with TLS_RSA_WITH_RC4_128_SHA"),
            "{text}"
        );
        assert!(text.contains("(3 records)"), "{text}");
    }
}

/// The log of a client: 1024 names the server, 1026 has the reason for the end.
fn client_log(reason: u32) -> Vec<u8> {
    use support::event_log::{Event, LogBuilder};
    const LOG: &str = "Microsoft-Windows-TerminalServices-RDPClient/Operational";
    let event = |id: u16, name: &str, value: &str, time: &str| {
        Event::new("Microsoft-Windows-TerminalServices-ClientActiveXCore", id)
            .guid("{28aa95bb-d444-4719-a36f-40462168127e}")
            .computer("LAPTOP-7")
            .channel(LOG)
            .time(time)
            .data("Name", name)
            .data("Value", value)
            .data("CustomLevel", "Info")
    };
    LogBuilder::new(LOG)
        .computer("LAPTOP-7")
        .first_record(310)
        .push(event(
            1024,
            "Server Name",
            "fabrikam-rd5",
            "2026-11-11T08:00:00Z",
        ))
        .push(event(
            1026,
            "Disconnect Reason",
            &reason.to_string(),
            "2026-11-11T08:00:03Z",
        ))
        .to_bytes()
}

#[test]
fn a_client_that_was_denied_for_fips_says_so_in_its_own_log() {
    let found = |level_of_encryption: u32, reason: u32| {
        let mut machine = machine(Windows::Server2019);
        let key = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
        set(&mut machine, key, "MinEncryptionLevel", level_of_encryption);
        refuses(&mut machine);
        let folder = collect(&files(&mut machine));
        let laptop = folder.path().join("laptop");
        std::fs::create_dir(&laptop).unwrap();
        std::fs::write(laptop.join("RDPClient.evtx"), client_log(reason)).unwrap();
        let rules = RuleSet::builtin().unwrap();
        let reports = diagnose(&[folder.path().to_owned()], &rules, &Options::default()).unwrap();
        let server = reports
            .iter()
            .find(|report| report.host.name.as_deref() == Some("FABRIKAM-RD5"));
        level(server.unwrap(), "fips-conflict")
    };
    assert_eq!(found(4, 8), Level::Confirmed);
    assert_eq!(found(2, 8), Level::RuledOut);
    // The log tells of one attempt and does not reach to the end: that nobody was denied is not proved.
    assert_eq!(found(4, 2308), Level::Undetermined);
}

#[test]
fn a_forged_2022_serves_windows_11_by_tls_1_3() {
    let said = asked(&files(&mut machine(Windows::Server2025)), &["win-11-24h2"]).unwrap();
    let client = only(&said);
    assert_eq!(
        (client.outcome.as_str(), client.version.as_deref()),
        ("agreed", Some("TLS 1.3")),
        "{}",
        client.reason
    );
    let said = asked(
        &files(&mut machine(Windows::Server2022)),
        &["ironrdp-rustls"],
    )
    .unwrap();
    assert_eq!(only(&said).version.as_deref(), Some("TLS 1.3"));
}

#[test]
fn a_system_hive_alone_tells_its_windows_where_its_lists_do() {
    let alone = |windows: Windows| {
        let mut machine = machine(windows);
        let system = machine.written(at(SET)).system.to_bytes();
        let files = BTreeMap::from([("SYSTEM".to_owned(), system)]);
        asked(&files, &["freerdp-3.27+"]).unwrap()
    };
    // 7 and 8.1 register the same suites, in libraries of different names.
    let told = alone(Windows::Server2012R2);
    assert_eq!(
        told.negotiation.server.unwrap().windows.as_deref(),
        Some("Windows 8.1 / Windows Server 2012 R2")
    );
    let told = alone(Windows::Server2016);
    let server = told.negotiation.server.as_ref().unwrap();
    assert_eq!(
        server.windows.as_deref(),
        Some("Windows 10 1607 / Windows Server 2016 to Windows 10 1703")
    );
    assert!(
        server
            .assumptions
            .iter()
            .any(|line| line.contains("nothing tells the build")),
        "{:?}",
        server.assumptions
    );
    assert_eq!(
        alone(Windows::Server2025)
            .negotiation
            .server
            .unwrap()
            .windows,
        None
    );
}

#[test]
fn algorithms_that_are_off_are_told_from_a_bad_list() {
    let mut machine = machine(Windows::Server2019);
    for cipher in ["AES 128/128", "AES 256/256", "Triple DES 168"] {
        set(
            &mut machine,
            &format!(r"{SCHANNEL}\Ciphers\{cipher}"),
            "Enabled",
            0,
        );
    }
    refuses(&mut machine);
    let report = report_with(&files(&mut machine), &Options::default());
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("tls-algorithms-disabled")
    );
    assert_eq!(level(&report, "tls-algorithms-disabled"), Level::Confirmed);
    assert_ne!(
        level(&report, "tls-local-suite-list-damaged"),
        Level::Confirmed
    );
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdptriage"));
    command.env("LANG", "en_US.UTF-8").env("NO_COLOR", "1");
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A screen's words, wherever its lines end.
fn unwrapped(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn sample(name: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    samples
        .join(name)
        .join("collected")
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_command_answers_people_and_programs() {
    let server = sample("ecdsa-only-policy");
    let (code, text, _) = run(&["negotiate", &server, "--client", "win-10-22h2"]);
    assert_eq!(code, 0);
    for part in [
        "NOTHING IN COMMON  win-10-22h2",
        "the policy allows only ECDSA suites",
        "Settings found",
        SUITE_POLICY,
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let (code, text, _) = run(&["negotiate", &server, "-v"]);
    assert_eq!(code, 0);
    assert!(
        text.contains("not-in-policy") && text.contains("certificate-type"),
        "{text}"
    );
    let (code, json, _) = run(&[
        "negotiate",
        "10-1809-2019",
        "--client",
        "freerdp-3.27+",
        "-f",
        "json",
    ]);
    assert_eq!(code, 0);
    let said: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(said["schema_version"], 1);
    let client = &said["negotiation"]["clients"][0];
    assert_eq!(client["outcome"], "agreed");
    assert_eq!(client["version"], "TLS 1.2");
    assert_eq!(client["suite"], "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    let (code, text, complaint) = run(&["negotiate", "server-2022", "--client", "rdesktop"]);
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(complaint.contains("freerdp-3.27+"), "{complaint}");
}

#[test]
fn the_report_says_whom_tls_lets_in() {
    let (_, text, _) = run(&["diagnose", &sample("ecdsa-only-policy")]);
    let section = text.split("Whom TLS lets in").nth(1).unwrap();
    assert!(section.trim_start().contains("cannot"), "{section}");
    let (_, text, _) = run(&["diagnose", &sample("healthy-under-scan")]);
    let section = text.split("Whom TLS lets in").nth(1).unwrap();
    assert!(
        section.contains("can ") && section.contains("win-11-24h2"),
        "{section}"
    );
}

/// The effective list of a real hive is its own; nothing is lost, and nothing but names of TLS 1.3 waits.
fn real_hive(name: &str, windows: &str) -> Option<ServerOffer> {
    let folder = corpus("hives")?.join(name);
    let (hives, _) = open_hives(&bundle::open(&[folder]).unwrap());
    let registry = Registry::of(hives);
    let settings = tls_settings::read(&registry, &mut Gaps::default()).settings;
    let own = settings.local_suites.present().unwrap().clone();
    let generation = Generation::by_id(windows).unwrap();
    let certificate = CertificateKind::remote_desktop_default();
    let offer = ServerOffer::evaluate(&settings, Some(generation.into()), Some(certificate));
    let listed: Vec<String> = offer
        .suites
        .iter()
        .filter(|suite| suite.standing != Standing::NotInLocalList)
        .map(|suite| suite.name.clone())
        .collect();
    assert_eq!(listed, own, "{name}");
    let strangers = offer.suites.iter().filter(|suite| suite.suite.is_none());
    assert_eq!(strangers.count(), 0, "{name}");
    Some(offer)
}

#[test]
fn the_list_of_a_real_windows_7_is_its_own() {
    let Some(offer) = real_hive("wks-win732bita", "7-2008r2") else {
        return;
    };
    assert_eq!(
        offer
            .suites
            .iter()
            .filter(|suite| suite.name.starts_with("TLS_AES"))
            .count(),
        0
    );
}

#[test]
fn names_of_tls_1_3_wait_in_a_real_windows_10() {
    let Some(offer) = real_hive("win10-1709", "10-1709") else {
        return;
    };
    let waiting: Vec<&str> = offer
        .suites
        .iter()
        .filter(|suite| {
            suite
                .suite
                .as_ref()
                .is_some_and(|suite| suite.versions == [Version::Tls13])
        })
        .inspect(|suite| {
            assert_eq!(
                suite.standing,
                Standing::NoEnabledVersion,
                "{}",
                suite.reason
            )
        })
        .map(|suite| suite.name.as_str())
        .collect();
    assert_eq!(
        waiting,
        ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]
    );
    // The hive came without SOFTWARE; its own lists tell what Windows it is, as far as that matters, and the screen says so.
    let hive = corpus("hives/win10-1709/SYSTEM").unwrap();
    let hive = hive.to_str().unwrap();
    let (code, text, _) = run(&[
        "negotiate",
        hive,
        "--client",
        "win-10-22h2",
        "--width",
        "200",
    ]);
    let text = unwrapped(&text);
    assert_eq!(code, 0);
    for part in [
        "Windows 10 1709 / Server 1709 to Windows 10 22H2",
        "nothing tells the build",
        "TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256: suites of TLS 1.3, which is off here (this build does not support it)",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}
