//! Machines on which people's logons are refused, and healthy ones that log the same of strangers: through the whole pipeline.

mod support;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Level, Report, Role, TruthValue};
use rdptriage::{Options, diagnose};
use support::corpus::corpus;
use support::machine::{
    Channel, Datum, Machine, Refused, TlsFailure, Windows, at, minutes, rights,
};
use support::verdict::{Files, collect, finding, level, report, rules, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
const STRANGERS: [&str; 3] = ["203.0.113.9", "203.0.113.77", "198.51.100.4"];
const GUESSED: [&str; 5] = ["administrator", "admin", "test", "anna", "backup"];

const LOGS: [Channel; 5] = [
    Channel::System,
    Channel::Security,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];
const OURS: [&str; 8] = [
    "account-locked-by-attack",
    "credentials-rejected",
    "credssp-mismatch",
    "duplicate-machine-sid",
    "logon-right-denied",
    "nla-domain-unreachable",
    "ntlm-blocked",
    "smartcard-logon-refused",
];

fn reports_of(files: &Files, options: &Options) -> Vec<Report> {
    let folder = collect(files);
    diagnose(&[folder.path().to_owned()], &rules(), options).unwrap()
}

/// The kinds of the gaps that leave a rule open.
fn gaps<'r>(report: &'r Report, cause: &str) -> Vec<&'r str> {
    let tests = finding(report, cause).tests.iter();
    let open = tests.filter(|test| test.truth == TruthValue::Unknown);
    open.flat_map(|test| &test.gaps)
        .filter_map(|id| report.gaps.iter().find(|gap| gap.id == *id))
        .map(|gap| gap.kind.as_str())
        .collect()
}

/// A machine on which two people have worked for three days.
fn machine(windows: Windows) -> Machine {
    let mut machine = Machine::serving("FABRIKAM-RD4", windows, at("2026-11-09T03:00:00Z"));
    for day in 0..3 {
        for (offset, client, user) in [(0, ANNA, "anna"), (25, BERTIL, "bertil")] {
            let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440 + offset);
            machine.logs_on(time, client, user);
            machine.leaves(time + minutes(200), client, user);
        }
    }
    machine
}

/// Guessers from the Internet, all of a day long.
fn spray(machine: &mut Machine, first: &str, times: i64) {
    for index in 0..times {
        let turn = usize::try_from(index).unwrap();
        let why = match turn % 3 {
            0 => Refused::NoSuchUser,
            _ => Refused::Password,
        };
        machine.is_refused(
            at(first) + minutes(index * 4),
            STRANGERS[turn % 3],
            GUESSED[turn % 5],
            why,
        );
    }
}

/// Somebody tries for half an hour.
fn keeps_trying(
    machine: &mut Machine,
    first: &str,
    mut attempt: impl FnMut(&mut Machine, jiff::Timestamp),
) {
    for index in 0..5 {
        attempt(machine, at(first) + minutes(index * 7));
    }
}

fn collected(machine: &mut Machine, end: &str, channels: &[Channel]) -> Files {
    machine.service_state(at(end), "Windows Update", "stopped");
    machine.written(at(end));
    let mut files = machine.logs(channels);
    files.retain(|name, _| machine.windows.has_rdp_core_ts() || !name.contains("RdpCoreTS"));
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

fn all(machine: &mut Machine, end: &str) -> Files {
    collected(machine, end, &LOGS)
}

fn without_security(machine: &mut Machine, end: &str) -> Files {
    let logs: Vec<Channel> = LOGS
        .into_iter()
        .filter(|channel| *channel != Channel::Security)
        .collect();
    collected(machine, end, &logs)
}

#[test]
fn a_spray_while_people_work_is_no_fault_of_credentials() {
    for windows in Windows::WITH_RDP_CORE_TS {
        let mut machine = machine(windows);
        spray(&mut machine, "2026-11-11T00:00:00Z", 300);
        machine.logs_on(at("2026-11-11T20:30:00Z"), ANNA, "anna");
        let report = report(&all(&mut machine, "2026-11-11T21:00:00Z"));
        assert_eq!(says(&report), "healthy - succeeding", "{windows:?}");
        for cause in OURS {
            assert_eq!(
                level(&report, cause),
                Level::RuledOut,
                "{windows:?} {cause}"
            );
        }
    }
}

#[test]
fn a_spray_upon_a_quiet_weekend_is_no_fault_either() {
    let mut machine = machine(Windows::Server2022);
    spray(&mut machine, "2026-11-13T00:00:00Z", 600);
    let report = report(&without_security(&mut machine, "2026-11-14T20:00:00Z"));
    assert_eq!(report.verdict.cause, None, "{}", says(&report));
    assert_ne!(level(&report, "credentials-rejected"), Level::Confirmed);
}

#[test]
fn a_persons_wrong_password_is_seen_with_and_without_the_security_log() {
    for windows in Windows::WITH_RDP_CORE_TS {
        let mut machine = machine(windows);
        spray(&mut machine, "2026-11-11T12:00:00Z", 60);
        keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
            machine.is_refused(time, ANNA, "anna", Refused::Password);
        });
        let end = "2026-11-12T09:00:00Z";
        for files in [all(&mut machine, end), without_security(&mut machine, end)] {
            let report = report(&files);
            assert_eq!(
                says(&report),
                "confirmed credentials-rejected failing",
                "{windows:?}"
            );
        }
    }
}

#[test]
fn without_rdpcorets_the_security_log_tells_of_an_expired_password() {
    let mut machine = machine(Windows::Server2008R2);
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.is_refused(time, ANNA, "anna", Refused::PasswordExpired);
    });
    let files = all(&mut machine, "2026-11-12T09:00:00Z");
    assert!(files.keys().all(|name| !name.contains("RdpCoreTS")));
    let report = report(&files);
    assert_eq!(says(&report), "confirmed credentials-rejected failing");
}

#[test]
fn of_many_who_never_got_in_nobody_knows_who_is_people() {
    let mut machine = Machine::new(
        "FABRIKAM-RD5",
        Windows::Server2022,
        at("2026-05-04T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine.boots(at("2026-11-09T03:00:00Z"));
    spray(&mut machine, "2026-11-11T00:00:00Z", 100);
    let files = all(&mut machine, "2026-11-11T08:00:00Z");
    let found = report(&files);
    assert_ne!(
        level(&found, "credentials-rejected"),
        Level::Confirmed,
        "{}",
        says(&found)
    );
    assert_eq!(found.verdict.cause, None);

    // A person tries as well, and the user names the address.
    keeps_trying(&mut machine, "2026-11-11T08:10:00Z", |machine, time| {
        machine.is_refused(time, ANNA, "anna", Refused::PasswordExpired);
    });
    let files = all(&mut machine, "2026-11-11T09:00:00Z");
    let named = Options {
        client_addresses: vec![ANNA.parse().unwrap()],
        ..Options::default()
    };
    let reports = reports_of(&files, &named);
    assert_eq!(says(&reports[0]), "confirmed credentials-rejected failing");
}

#[test]
fn one_guesser_alone_is_nobody_of_people() {
    let mut machine = Machine::new(
        "FABRIKAM-RD5",
        Windows::Server2022,
        at("2026-05-04T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine.boots(at("2026-11-09T03:00:00Z"));
    for index in 0..60 {
        let time = at("2026-11-11T00:00:00Z") + minutes(index);
        machine.is_refused(time, STRANGERS[0], "administrator", Refused::Password);
    }
    let found = report(&all(&mut machine, "2026-11-11T02:00:00Z"));
    let level = level(&found, "credentials-rejected");
    assert!(
        matches!(level, Level::RuledOut | Level::Undetermined),
        "{level:?}"
    );
    assert_eq!(found.verdict.cause, None, "{}", says(&found));
}

#[test]
fn a_domain_that_cannot_be_reached_explains_the_refusals() {
    for windows in [
        Windows::WITH_RDP_CORE_TS.as_slice(),
        &[Windows::Server2008R2],
    ]
    .concat()
    {
        for why in [Refused::NoLogonServers, Refused::TrustFailed] {
            let mut machine = machine(windows);
            // Strangers go on guessing at the same time.
            spray(&mut machine, "2026-11-12T07:00:00Z", 30);
            keeps_trying(&mut machine, "2026-11-12T08:01:00Z", |machine, time| {
                machine.is_refused(time, ANNA, "anna", why);
            });
            let files = all(&mut machine, "2026-11-12T09:00:00Z");
            let report = report(&files);
            assert_eq!(
                says(&report),
                "confirmed nla-domain-unreachable failing",
                "{windows:?} {why:?}"
            );
        }
    }
}

#[test]
fn a_refusal_without_an_address_belongs_to_whoever_is_connecting() {
    let trying = |also_a_stranger: bool| {
        let mut machine = machine(Windows::Server2016);
        keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
            if also_a_stranger {
                machine.is_probed(time, STRANGERS[0]);
            }
            machine.ends_after_tls(time + minutes(0), ANNA);
            machine.refused(
                time + support::machine::seconds(2),
                None,
                "anna",
                3,
                Refused::NoLogonServers,
            );
        });
        report(&all(&mut machine, "2026-11-12T09:00:00Z"))
    };
    let alone = trying(false);
    assert_eq!(says(&alone), "confirmed nla-domain-unreachable failing");
    let beside = trying(true);
    assert_eq!(
        level(&beside, "nla-domain-unreachable"),
        Level::Undetermined,
        "{}",
        says(&beside)
    );
}

#[test]
fn noise_of_the_domain_at_a_start_is_no_fault() {
    let mut machine = machine(Windows::Server2019);
    machine
        .boots(at("2026-11-12T03:00:00Z"))
        .domain_lost(at("2026-11-12T03:00:50Z"))
        .domain_lost(at("2026-11-12T03:02:10Z"));
    // A stranger who names a domain that is not there.
    machine.is_refused(
        at("2026-11-12T05:00:00Z"),
        STRANGERS[1],
        "admin",
        Refused::NoLogonServers,
    );
    machine.logs_on(at("2026-11-12T08:00:00Z"), ANNA, "anna");
    let report = report(&all(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn without_the_security_log_the_reason_stays_open_and_is_named() {
    let mut machine = machine(Windows::Server2019);
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.ends_after_tls(time, ANNA);
    });
    let report = report(&without_security(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&report), "inconclusive - failing");
    for cause in [
        "credentials-rejected",
        "nla-domain-unreachable",
        "ntlm-blocked",
        "account-locked-by-attack",
        "logon-right-denied",
    ] {
        assert_eq!(level(&report, cause), Level::Undetermined, "{cause}");
        assert!(
            gaps(&report, cause).contains(&"Security log"),
            "{cause}: {:?}",
            gaps(&report, cause)
        );
    }
}

#[test]
fn a_security_log_without_any_failure_may_not_audit_them() {
    let mut machine = machine(Windows::Server2019);
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.ends_after_tls(time, ANNA);
    });
    let report = report(&all(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(
        level(&report, "nla-domain-unreachable"),
        Level::Undetermined
    );
}

#[test]
fn deaths_in_tls_are_no_matter_of_credentials() {
    let mut machine = machine(Windows::Server2022);
    spray(&mut machine, "2026-11-12T05:00:00Z", 60);
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.dies_in_tls(time, ANNA, TlsFailure::NoCredential);
    });
    let report = report(&without_security(&mut machine, "2026-11-12T09:00:00Z"));
    for cause in OURS {
        let level = level(&report, cause);
        assert!(
            matches!(level, Level::RuledOut | Level::Undetermined),
            "{cause}: {level:?}"
        );
    }
}

/// Strangers guess at anna's password until her account is locked; then she tries.
fn locked(end: &str, she_tries: impl FnOnce(&mut Machine)) -> Report {
    let mut machine = machine(Windows::Server2022);
    for index in 0..40 {
        let turn = usize::try_from(index).unwrap();
        let (time, user) = (
            at("2026-11-12T06:00:00Z") + minutes(index * 2),
            GUESSED[turn % 5],
        );
        machine.is_refused(time, STRANGERS[turn % 3], user, Refused::Password);
    }
    machine.account_locked(at("2026-11-12T07:20:00Z"), "anna", "KALI");
    she_tries(&mut machine);
    report(&all(&mut machine, end))
}

#[test]
fn a_lock_under_attack_is_the_attackers_doing() {
    let refused = locked("2026-11-12T08:20:00Z", |machine| {
        keeps_trying(machine, "2026-11-12T07:30:00Z", |machine, time| {
            machine.is_refused(time, ANNA, "anna", Refused::Locked);
        });
    });
    assert_eq!(says(&refused), "confirmed account-locked-by-attack failing");
    let fix = &finding(&refused, "account-locked-by-attack").fixes;
    assert!(
        fix.iter()
            .any(|fix| fix.run.as_deref().is_some_and(|run| run.contains("anna"))),
        "{fix:#?}"
    );
}

#[test]
fn a_lock_that_ended_before_she_came_is_no_fault() {
    let report = locked("2026-11-12T09:00:00Z", |machine| {
        machine.logs_on(at("2026-11-12T08:30:00Z"), ANNA, "anna");
    });
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn somebody_who_locked_herself_is_under_no_attack() {
    let mut machine = machine(Windows::Server2022);
    spray(&mut machine, "2026-11-11T20:00:00Z", 60);
    for index in 0..4 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index);
        machine.is_refused(time, ANNA, "anna.lind", Refused::Password);
    }
    keeps_trying(&mut machine, "2026-11-12T08:10:00Z", |machine, time| {
        machine.is_refused(time, ANNA, "anna.lind", Refused::Locked);
    });
    let report = report(&all(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&report), "confirmed credentials-rejected failing");
    assert_eq!(level(&report, "account-locked-by-attack"), Level::RuledOut);
}

#[test]
fn a_right_that_lacks_refuses_in_the_session_and_before_it() {
    for windows in Windows::WITH_RDP_CORE_TS {
        let mut machine = machine(windows);
        keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
            machine.is_refused_in_session(time, ANNA, "anna", Refused::NotGranted);
        });
        machine.logs_on(at("2026-11-12T08:40:00Z"), BERTIL, "bertil");
        let found = report(&all(&mut machine, "2026-11-12T09:00:00Z"));
        assert_eq!(
            says(&found),
            "confirmed logon-right-denied mixed",
            "{windows:?}"
        );
    }
    // Without the log of sessions, an authentication alone does not mean that she got in; nor is it proved that she never did.
    let mut machine = machine(Windows::Server2019);
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.is_refused_in_session(time, ANNA, "anna", Refused::NotGranted);
    });
    let mut files = all(&mut machine, "2026-11-12T09:00:00Z");
    files.retain(|name, _| !name.contains("LocalSessionManager"));
    assert_eq!(says(&report(&files)), "likely logon-right-denied failing");
}

#[test]
fn the_security_hive_tells_who_may_log_on() {
    let with = |accounts: &[(&str, u32)], people_get_in: bool| {
        let mut machine = machine(Windows::Server2022);
        match people_get_in {
            true => {
                machine.logs_on(at("2026-11-12T08:00:00Z"), ANNA, "anna");
            }
            false => keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
                machine.ends_after_tls(time, ANNA);
            }),
        }
        let mut files = without_security(&mut machine, "2026-11-12T09:00:00Z");
        let hive = rights(accounts, at("2026-11-12T06:00:00Z"));
        files.insert("SECURITY".into(), hive.to_bytes());
        report(&files)
    };
    let nobody = [("S-1-5-32-544", 0x007), ("S-1-5-32-555", 0x000)];
    assert_eq!(
        says(&with(&nobody, false)),
        "confirmed logon-right-denied failing"
    );
    let denied = [("S-1-1-0", 0x802)];
    assert_eq!(
        says(&with(&denied, false)),
        "confirmed logon-right-denied failing"
    );
    // Published hardening on a machine of a domain, and a group of one's own: neither says that anybody is kept out.
    let baseline = [("S-1-5-113", 0x800), ("S-1-5-32-546", 0x8C0)];
    let found = with(&baseline, false);
    assert_eq!(
        level(&found, "logon-right-denied"),
        Level::Undetermined,
        "{}",
        says(&found)
    );
    let own_group = [
        nobody[0],
        nobody[1],
        ("S-1-5-21-1004336348-1177238915-682003330-1104", 0x400),
    ];
    let found = with(&own_group, false);
    assert_eq!(level(&found, "logon-right-denied"), Level::Undetermined);
    assert_eq!(says(&with(&own_group, true)), "healthy - succeeding");
    assert_eq!(says(&with(&baseline, true)), "healthy - succeeding");
    // Whoever gets in all the same shows that it hinders nobody now.
    let hidden = with(&denied, true);
    assert_eq!(hidden.verdict.cause, None);
    assert_eq!(finding(&hidden, "logon-right-denied").role, Role::Latent);
}

#[test]
fn on_a_machine_of_its_own_a_denial_of_local_accounts_keeps_everybody_out() {
    let mut machine = machine(Windows::Server2022);
    machine
        .system
        .remove_value(r"ControlSet001\Services\Tcpip\Parameters", "NV Domain");
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.ends_after_tls(time, ANNA);
    });
    let mut files = without_security(&mut machine, "2026-11-12T09:00:00Z");
    let hive = rights(&[("S-1-5-113", 0x800)], at("2026-11-12T06:00:00Z"));
    files.insert("SECURITY".into(), hive.to_bytes());
    assert_eq!(
        says(&report(&files)),
        "confirmed logon-right-denied failing"
    );
}

#[test]
fn ntlm_that_is_blocked_is_told_by_either_log() {
    let refused = |restricted: bool, channels: &[Channel], security: bool| {
        let mut machine = machine(Windows::Server2025);
        if restricted {
            let key = r"ControlSet001\Control\Lsa\MSV1_0";
            machine
                .system
                .set_dword(key, "RestrictReceivingNTLMTraffic", 2)
                .touch(key, at("2026-06-01T00:00:00Z"));
        }
        keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
            if security {
                machine.is_refused(time, ANNA, "anna", Refused::NtlmBlocked);
            } else {
                machine.ends_after_tls(time, ANNA);
                machine.ntlm_refused(time + support::machine::seconds(2));
            }
        });
        report(&collected(&mut machine, "2026-11-12T09:00:00Z", channels))
    };
    let expected = "confirmed ntlm-blocked failing";
    assert_eq!(says(&refused(false, &LOGS, true)), expected);
    let with_ntlm: Vec<Channel> = LOGS.into_iter().chain([Channel::Ntlm]).collect();
    assert_eq!(says(&refused(true, &with_ntlm, false)), expected);
    // The policy stands for months, and nothing tells why the attempts end.
    let open = refused(true, &LOGS, false);
    assert_eq!(says(&open), "inconclusive - failing");
    assert!(gaps(&open, "ntlm-blocked").contains(&"NTLM log"));
}

#[test]
fn a_restriction_of_ntlm_while_people_get_in_is_no_fault() {
    let mut machine = machine(Windows::Server2022);
    let key = r"ControlSet001\Control\Lsa\MSV1_0";
    machine
        .system
        .set_dword(key, "RestrictReceivingNTLMTraffic", 2);
    for index in 0..20 {
        let time = at("2026-11-12T05:00:00Z") + minutes(index * 5);
        machine.is_refused(time, STRANGERS[0], "admin", Refused::NtlmBlocked);
        machine.ntlm_refused(time + support::machine::seconds(2));
    }
    machine.logs_on(at("2026-11-12T08:00:00Z"), ANNA, "anna");
    let channels: Vec<Channel> = LOGS.into_iter().chain([Channel::Ntlm]).collect();
    let report = report(&collected(&mut machine, "2026-11-12T09:00:00Z", &channels));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn a_clients_log_confirms_a_mismatch_of_credssp_with_this_server_alone() {
    for (server, expected) in [
        ("TERMSRV/fabrikam-rd4.contoso.example", Level::Confirmed),
        ("TERMSRV/another-server", Level::Undetermined),
    ] {
        let mut machine = machine(Windows::Server2016);
        // As a client, the server itself was refused by another one.
        machine.refuses_server(at("2026-11-12T07:00:00Z"), "TERMSRV/fabrikam-db1");
        keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
            machine.ends_after_tls(time, ANNA);
        });
        let mut files = all(&mut machine, "2026-11-12T09:00:00Z");
        let mut laptop = Machine::new("LAPTOP-4", Windows::Server2025, at("2026-05-04T06:00:00Z"));
        laptop.refuses_server(at("2026-11-12T08:00:02Z"), server);
        for (name, bytes) in laptop.logs(&[Channel::System]) {
            files.insert(format!("laptop/{name}"), bytes);
        }
        let reports = reports_of(&files, &Options::default());
        let of = |name: &str| {
            reports
                .iter()
                .find(|report| report.host.name.as_deref() == Some(name))
                .unwrap()
        };
        assert_eq!(
            level(of("FABRIKAM-RD4"), "credssp-mismatch"),
            expected,
            "{server}"
        );
        assert_ne!(level(of("LAPTOP-4"), "credssp-mismatch"), Level::Confirmed);
    }
}

#[test]
fn a_twin_of_the_machine_is_refused_from_build_26100_on() {
    let twin = |windows: Windows, values: Vec<(&'static str, Datum)>, at_attempts: bool| {
        let mut machine = machine(windows);
        keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
            machine.ends_after_tls(time, ANNA);
            let offset = match at_attempts {
                true => support::machine::seconds(2),
                false => minutes(3),
            };
            machine.machine_sid_refused(time + offset, values.clone());
        });
        report(&all(&mut machine, "2026-11-12T09:00:00Z"))
    };
    assert_eq!(
        says(&twin(Windows::Server2025, vec![], true)),
        "confirmed duplicate-machine-sid failing"
    );
    let other_event = vec![
        ("MaxRefCount", Datum::U32(7)),
        ("AccountName", "anna".into()),
    ];
    for (windows, values, at_attempts) in [
        (Windows::Server2025, vec![], false),
        (Windows::Server2022, vec![], true),
        (Windows::Server2025, other_event, true),
    ] {
        let report = twin(windows, values, at_attempts);
        assert_eq!(
            level(&report, "duplicate-machine-sid"),
            Level::RuledOut,
            "{windows:?} {at_attempts}"
        );
    }
}

#[test]
fn a_smart_card_that_does_not_pass_is_told_for_people_alone() {
    let mut machine = machine(Windows::Server2022);
    keeps_trying(&mut machine, "2026-11-12T08:00:00Z", |machine, time| {
        machine.card_is_refused(time, ANNA);
    });
    let found = report(&all(&mut machine, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&found), "confirmed smartcard-logon-refused failing");

    let mut healthy = self::machine(Windows::Server2022);
    keeps_trying(&mut healthy, "2026-11-12T07:00:00Z", |machine, time| {
        machine.card_is_refused(time, STRANGERS[2]);
    });
    healthy.logs_on(at("2026-11-12T08:00:00Z"), ANNA, "anna");
    let found = report(&all(&mut healthy, "2026-11-12T09:00:00Z"));
    assert_eq!(says(&found), "healthy - succeeding");
}

/// Real logs, each alone: none shows that people, and not guessers, are refused.
#[test]
fn real_logs_alone_confirm_nothing_of_these() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let rules = RuleSet::builtin().unwrap();
    let folder = std::path::Path::new(&corpus).join("evtx");
    let mut logs: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    logs.sort();
    for log in logs {
        for report in
            diagnose(std::slice::from_ref(&log), &rules, &Options::default()).unwrap_or_default()
        {
            for cause in OURS {
                let level = level(&report, cause);
                let name = log.file_name().unwrap().to_string_lossy().into_owned();
                assert!(
                    matches!(level, Level::RuledOut | Level::Undetermined),
                    "{name}: {cause} {level:?}"
                );
            }
        }
    }
}
