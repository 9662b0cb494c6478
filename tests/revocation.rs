//! Lists of revoked certificates: whether the listener's certificate, or one above it, stands on one, and whether it was out of date.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationList,
    CertificateRevocationListParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rdptriage::bundle::{Kind, OpenError, RevocationForm, open};
use rdptriage::lookup::certificates;
use rdptriage::parse::certificate::Certificate;
use rdptriage::parse::revocation_list::{Reason, RevocationList, RevocationListError};
use rdptriage::report::{Clock, ListFormat, certificate_details};
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::Report;
use rdptriage::{Options, diagnose};

fn authority(name: &str) -> Issuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    // The sample's names are printable strings, as those that Windows makes; names are compared byte by byte.
    let name = DnValue::PrintableString(name.try_into().unwrap());
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::CrlSign, KeyUsagePurpose::KeyCertSign];
    Issuer::new(params, KeyPair::generate().unwrap())
}

/// A list of that issuer with these serial numbers, due again on the first of that month.
fn list(issuer: &str, serials: &[&[u8]], due: (i32, u8)) -> CertificateRevocationList {
    let revoked = serials.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: date_time_ymd(2026, 10, 1),
        reason_code: Some(RevocationReason::Superseded),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 9, 20),
        next_update: date_time_ymd(due.0, due.1, 1),
        crl_number: SerialNumber::from(7_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&authority(issuer)).unwrap()
}

fn sample() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/machine-keys/collected")
}

fn listener() -> Certificate {
    Certificate::from_der(&fs::read(sample().join("rdp.cer")).unwrap()).unwrap()
}

fn name_of(certificate: &Certificate) -> String {
    certificate.subject_common_name().unwrap().to_owned()
}

/// The sample with a list beside it.
fn with(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Report) {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(sample()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    fs::write(folder.path().join(name), bytes).unwrap();
    let rules = RuleSet::builtin().unwrap();
    let mut reports = diagnose(&[folder.path().to_owned()], &rules, &Options::default()).unwrap();
    (folder, reports.remove(0))
}

#[test]
fn a_revoked_certificate_is_a_fact_and_not_a_verdict() {
    let own = listener();
    let serial = own.serial_number.0.clone();
    let der = list(&name_of(&own), &[b"\x01", &serial], (2027, 1));
    let pem = der.pem().unwrap();
    let (_, without) = with("notes.txt", b"nothing");
    for (name, bytes) in [("ca.crl", der.der().as_ref()), ("ca.txt", pem.as_bytes())] {
        let (folder, report) = with(name, bytes);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        let fact = report
            .facts
            .iter()
            .find(|fact| fact.kind == "certificate.revocation")
            .expect("a fact");
        assert_eq!(fact.fields["own"], true);
        assert_eq!(fact.fields["revoked"], true);
        assert_eq!(fact.fields["reason"], "superseded");
        assert_eq!(fact.fields["out_of_date"], false);
        assert_eq!(fact.time.as_deref(), Some("2026-10-01T00:00:00Z"));
        assert_eq!(report.verdict.cause, without.verdict.cause);
        let found = certificates::find(&open(&[folder.path().to_owned()]).unwrap(), &[]);
        let details =
            certificate_details(&found.certificates, &Clock::new(jiff::tz::TimeZone::UTC));
        let options = rdptriage::report::TextOptions {
            width: 200,
            charset: rdptriage::report::Charset::Unicode,
            clock: Clock::new(jiff::tz::TimeZone::UTC),
            detail: rdptriage::report::Detail::Screen,
        };
        let text = details.render(ListFormat::Csv, &options);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("revoked on 2026-10-01"), "{text}");
        assert!(text.contains("signature is not checked"), "{text}");
    }
}

#[test]
fn an_old_list_says_so_and_another_issuers_nothing() {
    let own = listener();
    let (_, report) = with("ca.crl", list(&name_of(&own), &[b"\x01"], (2026, 10)).der());
    let fact = report
        .facts
        .iter()
        .find(|fact| fact.kind == "certificate.revocation")
        .expect("a fact");
    assert_eq!(fact.fields["revoked"], false);
    assert_eq!(fact.fields["out_of_date"], true);
    let other = list("Somebody else", &[&own.serial_number.0], (2027, 1));
    let (_, report) = with("ca.crl", other.der());
    assert!(
        !report
            .facts
            .iter()
            .any(|fact| fact.kind == "certificate.revocation")
    );
}

#[test]
fn a_damaged_list_is_refused_with_its_reason() {
    let own = listener();
    let der = list(&name_of(&own), &[b"\x01"], (2027, 1)).der().to_vec();
    let read = RevocationList::from_der(&der).unwrap();
    assert!(read.concerns(&own) && read.entry_of(&own).is_none());
    for length in 0..der.len() {
        let error = RevocationList::from_der(&der[..length]).unwrap_err();
        assert!(matches!(error, RevocationListError::Damaged(_)));
    }
    let (_, report) = with("ca.crl", &der[..der.len() - 10]);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.message.contains("cannot be read")),
        "{:?}",
        report.problems
    );
    assert_eq!(Reason::KeyCompromise.to_string(), "key compromise");
    // Alone it says nothing of any machine, and is told for what it is.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x"), &der).unwrap();
    let alone = open(&[folder.path().to_owned()]);
    assert!(matches!(alone, Err(OpenError::NothingUsable { .. })));
    assert_eq!(
        Kind::RevocationList(RevocationForm::Der).word(),
        "revocation list"
    );
}
