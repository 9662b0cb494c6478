//! What Windows' own tools write as text tells the same as the files that it was taken from, as far as it holds enough.

mod support;
#[path = "support/text_export.rs"]
mod text_export;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rdptriage::bundle::{self, EventLogForm, Kind};
use rdptriage::parse::event_log;
use rdptriage::parse::hive::Hive;
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::Report;
use rdptriage::{Options, diagnose};
use support::machine::{Machine, Windows, at};
use text_export::{event_xml, reg_export, reg_query, service_settings};

type Files = BTreeMap<String, Vec<u8>>;

/// What each file of a sample is replaced by; none where it stays.
type Retell<'r> = &'r dyn Fn(&Kind, &str, &[u8]) -> Option<Files>;

fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("collected").is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn collected(sample: &str) -> PathBuf {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    samples.join(sample).join("collected")
}

/// Copies a sample with other files in the place of some.
fn retold(sample: &str, name: &str, retell: Retell<'_>) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("text_exports")
        .join(format!("{name}-{sample}"));
    if target.exists() {
        std::fs::remove_dir_all(&target).unwrap();
    }
    let bundle = bundle::open(&[collected(sample)]).unwrap();
    for artifact in &bundle.artifacts {
        let bytes = artifact.open().unwrap().read_all(1 << 30).unwrap();
        let path = artifact.path.as_str();
        let files = match retell(&artifact.kind, path, &bytes) {
            Some(files) => files,
            None => BTreeMap::from([(path.to_owned(), bytes)]),
        };
        for (path, bytes) in files {
            let place = target.join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, bytes).unwrap();
        }
    }
    target
}

fn report(folder: &Path) -> Report {
    let rules = RuleSet::builtin().unwrap();
    let mut reports = diagnose(&[folder.to_owned()], &rules, &Options::default()).unwrap();
    assert_eq!(reports.len(), 1, "{}", folder.display());
    reports.remove(0)
}

/// `cause protocols-disabled`, `healthy`.
fn verdict(report: &Report) -> String {
    let verdict = serde_json::to_value(&report.verdict).unwrap();
    format!("{} {}", verdict["status"], verdict["cause"]).replace('"', "")
}

/// The level of every finding by its cause; of one that does no harm yet, that.
fn levels(report: &Report) -> BTreeMap<String, String> {
    let findings = report.findings.iter().map(|finding| {
        let finding = serde_json::to_value(finding).unwrap();
        let word = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        let level = match word("role").as_str() {
            "latent" => "latent".to_owned(),
            _ => word("level"),
        };
        (word("cause"), level)
    });
    findings.collect()
}

/// The root of the registry that a hive is, by its file's name.
fn root_of(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_uppercase();
    match name.as_str() {
        "SYSTEM" => Some("HKEY_LOCAL_MACHINE\\SYSTEM"),
        "SOFTWARE" => Some("HKEY_LOCAL_MACHINE\\SOFTWARE"),
        "SECURITY" => Some("HKEY_LOCAL_MACHINE\\SECURITY"),
        _ => None,
    }
}

/// Replaces hives by what `write` makes of them.
fn of_hives(
    kind: &Kind,
    path: &str,
    bytes: &[u8],
    write: &dyn Fn(&Hive, &str) -> Files,
) -> Option<Files> {
    let root = root_of(path).filter(|_| matches!(kind, Kind::Hive(_)))?;
    let hive = Hive::open(&bytes.to_vec(), &[]).unwrap();
    Some(write(&hive, root))
}

fn named(root: &str, ending: &str) -> String {
    let name = root.rsplit('\\').next().unwrap();
    format!("{name}.{ending}")
}

/// Causes of which the text says more than the hives do, or something else: only doubt may come of what a text lacks.
fn says_more(of_hive: &Report, of_text: &Report) -> Vec<String> {
    const ORDER: [&str; 4] = ["undetermined", "possible", "likely", "confirmed"];
    let rank = |level: &str| ORDER.iter().position(|known| *known == level);
    let in_hive = levels(of_hive);
    let mut more = Vec::new();
    for (cause, level) in levels(of_text) {
        let before = in_hive[&cause].as_str();
        let is_less = match (rank(before), rank(&level)) {
            (Some(before), Some(now)) => now <= before,
            (None, Some(now)) => now == 0,
            (before, None) => before.is_none(),
        };
        if !is_less {
            more.push(format!("{cause} {before} -> {level}"));
        }
    }
    more
}

/// Samples whose folder of keys is known to be whole because a hive lies in its place beside it; a text in its place proves nothing
/// of the folder.
const BY_THE_HIVES_PLACE: [&str; 3] = [
    "key-missing-object-exists",
    "key-of-another-machine",
    "machinekeys-renamed",
];

/// What more a text may say than the files.
#[derive(Clone, Copy)]
enum More {
    Nothing,
    /// Where nobody is known to be locked out, what would lock out one client is not asked of it.
    RuledOut,
}

/// Judges every sample with other files in its place. Says where the verdict differs; that a text says more than the files it was
/// taken from is a failure at once.
fn differing(name: &str, allowed: More, retell: Retell<'_>) -> Vec<String> {
    let mut differing = Vec::new();
    for sample in samples() {
        if BY_THE_HIVES_PLACE.contains(&sample.as_str()) {
            continue;
        }
        let told = report(&collected(&sample));
        let retold = report(&retold(&sample, name, retell));
        let more = match allowed {
            More::Nothing => says_more(&told, &retold),
            More::RuledOut => Vec::new(),
        };
        assert!(more.is_empty(), "{sample}: {more:?}");
        let (told, retold) = (verdict(&told), verdict(&retold));
        if told != retold {
            differing.push(format!("{sample}: {told} / {retold}"));
        }
    }
    differing
}

#[test]
fn whole_hives_as_text_say_the_same() {
    let differing = differing("reg", More::Nothing, &|kind, path, bytes| {
        of_hives(kind, path, bytes, &|hive, root| {
            BTreeMap::from([(named(root, "reg"), reg_export(hive, "", root))])
        })
    });
    // Whether the service has read the port since it was set, and which of two causes came first, only the times in the hives tell.
    assert_eq!(
        differing,
        [
            "port-moved: confirmed listener-port-moved / inconclusive null",
            "two-causes: confirmed termservice-disabled / confirmed rdp-disabled",
        ]
    );
}

#[test]
fn queries_prove_presence_and_nothing_else() {
    let differing = differing("query", More::Nothing, &|kind, path, bytes| {
        of_hives(kind, path, bytes, &|hive, root| {
            let text = reg_query(hive, "", root);
            BTreeMap::from([(named(root, "txt"), text.into_bytes())])
        })
    });
    // What rests on the lack of a value is open.
    assert_eq!(
        differing,
        [
            "ecdsa-only-policy: confirmed tls-suite-policy-unusable / confirmed tls-handshake-failed",
            "firewall-policy-without-merge: confirmed firewall-blocks-rdp / inconclusive null",
            "key-denied-explicitly: confirmed key-access-denied / likely key-access-denied",
            "old-clients-locked-out: likely tls-no-common-suite / confirmed tls-handshake-failed",
            "policy-of-another-generation: confirmed tls-suite-policy-unusable / confirmed tls-handshake-failed",
            "port-moved: confirmed listener-port-moved / inconclusive null",
            "protocols-off: confirmed tls-server-protocols-disabled / confirmed tls-handshake-failed",
            "two-causes: confirmed termservice-disabled / confirmed rdp-disabled",
        ]
    );
}

#[test]
fn logs_as_xml_prove_presence_and_nothing_else() {
    let differing = differing("xml", More::RuledOut, &|kind, path, bytes| {
        let Kind::EventLog(EventLogForm::Whole) = kind else {
            return None;
        };
        let mut records = Vec::new();
        let keep = &mut |record| records.push(record);
        event_log::read(&bytes.to_vec(), &|_| true, keep).unwrap();
        let text = event_xml(&records);
        Some(BTreeMap::from([(format!("{path}.xml"), text.into_bytes())]))
    });
    assert!(!differing.is_empty(), "a text may be a choice of records");
    for one in differing {
        let (told, retold) = one.split_once(" / ").unwrap();
        let (level, cause) = retold.split_once(' ').unwrap();
        let same = told.ends_with(cause) && level == "likely";
        assert!(same || level == "inconclusive", "{one}");
    }
}

#[test]
fn a_disabled_service_is_told_by_its_settings_as_text() {
    let folder = retold("service-disabled", "services", &|kind, path, bytes| {
        root_of(path).filter(|_| matches!(kind, Kind::Hive(_)))?;
        let hive = Hive::open(&bytes.to_vec(), &[]).unwrap();
        let services = hive.key("ControlSet001\\Services").present();
        let text = services.map(|services| service_settings(&services));
        Some(text.map_or_else(BTreeMap::new, |text| {
            BTreeMap::from([("services.txt".to_owned(), text.into_bytes())])
        }))
    });
    let report = report(&folder);
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("termservice-disabled")
    );
    let places: Vec<_> = report.facts.iter().flat_map(|fact| &fact.sources).collect();
    let start = places.iter().find(|source| {
        let key = source.key.as_deref();
        key == Some("CurrentControlSet\\Services\\TermService") && source.line.is_some()
    });
    assert_eq!(start.unwrap().artifact.as_deref(), Some("services.txt"));
}

#[test]
fn a_listing_of_certificates_tells_where_the_pinned_ones_key_is_kept() {
    let made = at("2026-09-14T06:10:00Z");
    let mut machine = Machine::new("CONTOSO-CU01", Windows::Server2019, made);
    machine.pinned_cng_certificate(made, "te-RemoteDesktop-4711");
    let der = machine.certificate.as_ref().unwrap().der();
    let thumbprint = sha1_of(&der);
    let listing = format!(
        "my \"Personnel\"\r\n================ Certificat 0 ================\r\nNum\u{e9}ro de s\u{e9}rie : 1f\r\nHach. cert. (sha1): {thumbprint}\r\n  Conteneur de cl\u{e9} = te-RemoteDesktop-4711\r\n  Fournisseur = Microsoft Software Key Storage Provider\r\nSucc\u{e8}s du test de chiffrement\r\nCertUtil: -store\r\n"
    );
    // In a code page, as a console of that language redirects it.
    let listing: Vec<u8> = listing.chars().map(|letter| letter as u8).collect();
    let told = |files: &[(&str, Vec<u8>)]| {
        let files = files.iter().cloned();
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes));
        let report = support::verdict::report(&files.collect());
        let mut facts = report.facts.iter();
        let fact = facts.find(|fact| fact.kind == "listener.certificate");
        let fields = &fact.unwrap().fields;
        (fields["container"].clone(), fields["subject"].clone())
    };
    let system = machine.system.to_bytes();
    let (container, subject) = told(&[
        ("SYSTEM", system.clone()),
        ("SOFTWARE", machine.software.to_bytes()),
    ]);
    assert_eq!(container, "te-RemoteDesktop-4711");
    let listed = told(&[("SYSTEM", system.clone()), ("my.txt", listing.clone())]);
    assert_eq!(listed.0, container);
    assert!(listed.1.is_object(), "a listing's words are not read");
    let with_file = told(&[("SYSTEM", system), ("my.txt", listing), ("x.cer", der)]);
    assert_eq!(with_file, (container, subject));
}

fn sha1_of(der: &[u8]) -> String {
    let certificate = rdptriage::parse::certificate::Certificate::from_der(der).unwrap();
    certificate.thumbprint.to_string().to_lowercase()
}
