//! RemoteConnectionManager 1057 and 1058 hold their status in the system's language: the same machine, told in nine of them, comes
//! to the same verdict, and a language that is not known is shown as it stands and proves nothing about the key.

mod support;

use rdptriage::verdict::model::{Level, Report};
use support::machine::{Channel, Machine, Windows, at};
use support::verdict::{level, report};

fn told(status: &str) -> Report {
    let mut machine = Machine::new(
        "FABRIKAM-RD6",
        Windows::Server2019,
        at("2026-05-04T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine.boots(at("2026-11-09T03:00:00Z")).renewal_fails(
        at("2026-11-09T03:01:00Z"),
        1057,
        status,
    );
    machine.written(at("2026-11-09T09:00:00Z"));
    let files = machine.logs_and_hives(&[Channel::System]);
    report(&files)
}

fn renewal<'r>(report: &'r Report, field: &str) -> &'r serde_json::Value {
    let fact = report
        .facts
        .iter()
        .find(|fact| fact.kind == "certificate.renewal")
        .unwrap();
    &fact.fields[field]
}

#[test]
fn a_missing_key_is_told_alike_in_nine_languages() {
    for status in [
        "Keyset does not exist",
        "Der Schlüsselsatz ist nicht vorhanden.",
        "Le jeu de clés n’existe pas.",
        "El conjunto de claves no existe.",
        "Набор ключей не существует.",
        "O conjunto de chaves não existe.",
        "Il set di chiavi non esiste.",
        "キー セットが存在しません。",
        "密钥集不存在。",
    ] {
        let report = told(status);
        assert_eq!(renewal(&report, "status"), "no-keyset", "{status}");
        assert_eq!(renewal(&report, "about_key"), true, "{status}");
        assert_eq!(level(&report, "key-unusable"), Level::Confirmed, "{status}");
    }
}

#[test]
fn a_language_that_is_not_known_is_shown_and_proves_nothing_about_the_key() {
    for status in ["Sleutelset bestaat niet.", "키 집합이 없습니다."] {
        let report = told(status);
        assert_eq!(renewal(&report, "status"), "unrecognized", "{status}");
        assert_eq!(renewal(&report, "text"), status);
        let about_key = renewal(&report, "about_key");
        assert!(about_key.get("gap").is_some(), "{status}: {about_key}");
        assert_ne!(level(&report, "key-unusable"), Level::Confirmed, "{status}");
        // That a certificate could not be made, the number says in every language.
        let failing = level(&report, "certificate-renewal-failing");
        assert!(
            matches!(failing, Level::Confirmed | Level::Likely),
            "{status}: {failing:?}"
        );
        assert!(
            report.gaps.iter().any(|gap| gap.why.contains("status")),
            "{status}: {:?}",
            report.gaps
        );
    }
}
