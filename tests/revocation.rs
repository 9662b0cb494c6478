//! Lists of revoked certificates: whether the listener's certificate, or one above it, stands on one, and whether it was out of date.

mod support;

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

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

/// A message of PKCS #7 that holds lists beside certificates, as "include all certificates in the path" makes one.
fn message(certificates: &[u8], lists: &[u8]) -> Vec<u8> {
    const SIGNED: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
    const DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";
    let mut fields = [vec![2, 1, 1], element(0x31, b""), element(0x30, DATA)].concat();
    if !certificates.is_empty() {
        fields.extend(element(0xA0, certificates));
    }
    fields.extend(element(0xA1, lists));
    fields.extend(element(0x31, b""));
    let signed = element(0xA0, &element(0x30, &fields));
    element(0x30, &[SIGNED, &signed].concat())
}

/// A serialized store with a list.
fn store(list: &[u8]) -> Vec<u8> {
    let length = u32::try_from(list.len()).unwrap();
    let header = [33, 1, length].map(u32::to_le_bytes).concat();
    [b"\0\0\0\0CERT", &header[..], list, &[0; 12]].concat()
}

/// A PKCS #12 file with a list in the clear, and nothing else.
fn pfx(list: &[u8]) -> Vec<u8> {
    const DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";
    const LIST_BAG: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x04";
    const X509_LIST: &[u8] = b"\x06\x0A\x2A\x86\x48\x86\xF7\x0D\x01\x09\x17\x01";
    let data = |bytes: &[u8]| {
        let octets = element(0xA0, &element(0x04, bytes));
        element(0x30, &[DATA, &octets].concat())
    };
    let value = element(0xA0, &element(0x04, list));
    let value = element(0x30, &[X509_LIST, &value].concat());
    let bag = element(0x30, &[LIST_BAG, &element(0xA0, &value)].concat());
    let contents = element(0x30, &data(&element(0x30, &bag)));
    element(0x30, &[vec![2, 1, 3], data(&contents)].concat())
}

#[test]
fn a_list_inside_of_other_files_says_the_same() {
    let own = listener();
    let serial = own.serial_number.0.clone();
    let der = list(&name_of(&own), &[&serial], (2027, 1)).der().to_vec();
    let another = fs::read(sample().join("rdp.cer")).unwrap();
    let beside = message(&another, &der);
    let as_text = support::certificate::pem("PKCS7", &beside).into_bytes();
    let fact = |report: &Report| {
        let mut facts = report.facts.iter();
        let fact = facts.find(|fact| fact.kind == "certificate.revocation");
        fact.map(|fact| (fact.time.clone(), fact.fields.clone()))
    };
    let (_, alone) = with("ca.crl", &der);
    assert!(fact(&alone).is_some());
    for (name, bytes) in [
        ("path.p7b", beside),
        ("lists.p7b", message(b"", &der)),
        ("path.pem", as_text),
        ("ca.sst", store(&der)),
        ("ca.pfx", pfx(&der)),
    ] {
        let (folder, report) = with(name, &bytes);
        assert_eq!(fact(&report), fact(&alone), "{name}");
        assert!(report.problems.is_empty(), "{name}: {:?}", report.problems);
        let found = certificates::find(&open(&[folder.path().to_owned()]).unwrap(), &[]);
        let mut held = found.certificates.iter();
        assert!(held.any(|held| !held.revocations.is_empty()), "{name}");
        // What is cut off is told and never another list.
        for length in (0..bytes.len()).step_by(97) {
            let (_, cut) = with(name, &bytes[..length]);
            assert!(
                fact(&cut).is_none() || fact(&cut) == fact(&alone),
                "{name} {length}"
            );
        }
    }
    // A list that is damaged in there says so.
    let mut damaged = der.clone();
    damaged[6] ^= 0x40;
    let (_, report) = with("path.p7b", &message(&another, &damaged));
    let told = |problem: &rdptriage::verdict::model::Problem| {
        problem.message.contains("list of revoked certificates")
    };
    assert!(report.problems.iter().any(told), "{:?}", report.problems);
    assert!(fact(&report).is_none());
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

/// The machine's own stores keep lists as well, one key each.
#[test]
fn a_list_in_the_registry_says_the_same() {
    use support::machine::{Machine, Windows, at};
    let mut machine = Machine::new("TS9", Windows::Server2019, at("2026-09-01T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-02T06:10:00Z"));
    machine.written(at("2026-11-01T06:00:00Z"));
    let own = machine.certificate.as_ref().unwrap().der();
    let own = Certificate::from_der(&own).unwrap();
    let der = list(&name_of(&own), &[&own.serial_number.0], (2027, 1));
    let length = u32::try_from(der.der().len()).unwrap();
    let header = [33, 1, length].map(u32::to_le_bytes).concat();
    let key = r"Microsoft\SystemCertificates\CA\CRLs\109F1CAED645BB78B3EA2B94C0697C740733031C";
    let blob = [&header[..], der.der()].concat();
    machine.software.set_binary(key, "Blob", &blob);
    let report = support::verdict::report(&std::collections::BTreeMap::from([
        ("SYSTEM".to_owned(), machine.system.to_bytes()),
        ("SOFTWARE".to_owned(), machine.software.to_bytes()),
    ]));
    let mut facts = report.facts.iter();
    let fact = facts.find(|fact| fact.kind == "certificate.revocation");
    let fact = fact.expect("a fact");
    assert_eq!(fact.fields["revoked"], true);
    let source = &fact.sources[0];
    assert!(
        source.key.as_deref().unwrap().contains("CA\\CRLs"),
        "{source:?}"
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
