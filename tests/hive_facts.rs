//! Facts of forged hives and certificates, as a user would meet them; and of real hives, where they are at hand.

mod support;

use std::sync::Arc;

use jiff::Timestamp;
use rdptriage::bundle::{self, Artifact, Bundle, CertificateForm, HiveForm, Kind, Origin};
use rdptriage::facts::catalog::Kind as FactKind;
use rdptriage::facts::catalog::certificate::{ListenerCertificate, RenewalDue, RenewalService};
use rdptriage::facts::catalog::host::{HostBoot, HostIdentity};
use rdptriage::facts::catalog::listener::{ListenerSwitch, ListenerTls};
use rdptriage::facts::catalog::service::ServiceStart;
use rdptriage::facts::catalog::tls::{LocalSuites, Overlap, SuitePolicy, TlsServer};
use rdptriage::facts::fact::{Fact, FactSet, Source};
use rdptriage::facts::gap::Gaps;
use rdptriage::facts::hives::{self, Evidence, FromHives};
use rdptriage::facts::host::{Hints, identify};
use rdptriage::facts::incident::{Anchors, ConnectionState};
use rdptriage::facts::known::Known;
use rdptriage::facts::registry::{Registry, open_hives};
use rdptriage::facts::store::exported;
use rdptriage::facts::subject::Subject;
use rdptriage::facts::tls_settings::read;
use rdptriage::facts::value::FieldState;
use rdptriage::tls::Setting;
use support::certificate::{ForgedCertificate, StoreEntry};
use support::corpus::corpus;
use support::hive::{HiveBuilder, dirty, time};

const LISTENER: &str = "ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp";
const WIN_STATIONS: &str = "ControlSet001\\Control\\Terminal Server\\WinStations";
const TERMINAL_SERVER: &str = "ControlSet001\\Control\\Terminal Server";
const POLICY: &str = "Policies\\Microsoft\\Windows NT\\Terminal Services";
const SUITE_POLICY: &str = "Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002";
const PROTOCOLS: &str = "ControlSet001\\Control\\SecurityProviders\\SCHANNEL\\Protocols";
const INCIDENT: &str = "2024-06-01T12:00:00Z";

/// SYSTEM of a member server that works.
fn system() -> HiveBuilder {
    let mut hive = HiveBuilder::new("SYSTEM");
    hive.set_dword("Select", "Current", 1);
    let name = "ControlSet001\\Control\\ComputerName\\ComputerName";
    hive.set_sz(name, "ComputerName", "RDS01");
    let parameters = "ControlSet001\\Services\\Tcpip\\Parameters";
    hive.set_sz(parameters, "Domain", "corp.example");
    hive.set_sz(
        "ControlSet001\\Control\\ProductOptions",
        "ProductType",
        "ServerNT",
    );
    hive.set_dword(TERMINAL_SERVER, "fDenyTSConnections", 0);
    hive.set_dword(LISTENER, "SecurityLayer", 2);
    hive.set_dword(LISTENER, "UserAuthentication", 1);
    for (service, start) in [
        ("TermService", 3),
        ("SessionEnv", 3),
        ("LanmanWorkstation", 2),
    ] {
        hive.set_dword(
            &format!("ControlSet001\\Services\\{service}"),
            "Start",
            start,
        );
    }
    hive
}

/// SOFTWARE of Windows Server 2019.
fn software() -> HiveBuilder {
    let mut hive = HiveBuilder::new("SOFTWARE");
    let version = "Microsoft\\Windows NT\\CurrentVersion";
    hive.set_sz(version, "CurrentBuild", "17763");
    hive.set_sz(version, "ProductName", "Windows Server 2019 Standard");
    hive
}

fn own_certificate() -> Vec<u8> {
    ForgedCertificate::listener("RDS01", time("2024-03-01T00:00:00Z")).der()
}

fn thumbprint(der: &[u8]) -> Vec<u8> {
    rdptriage::parse::certificate::Thumbprint::of(der)
        .0
        .to_vec()
}

fn hex(der: &[u8]) -> String {
    rdptriage::parse::certificate::Thumbprint::of(der).to_string()
}

fn install(software: &mut HiveBuilder, store: &str, entry: &StoreEntry) {
    let name = hex(&entry.certificate);
    let key = format!("Microsoft\\SystemCertificates\\{store}\\Certificates\\{name}");
    software.set_binary(&key, "Blob", &entry.blob());
}

/// What a collection comes to.
struct Told {
    facts: FactSet,
    beside: FromHives,
    problems: Vec<String>,
}

fn told(files: Vec<(&str, Vec<u8>)>) -> Told {
    told_of(&collection(files), Some(time(INCIDENT)))
}

fn collection(files: Vec<(&str, Vec<u8>)>) -> Bundle {
    let artifacts = files.into_iter().map(|(path, bytes)| Artifact {
        path: path.to_owned(),
        kind: if bytes.starts_with(b"regf") {
            Kind::Hive(HiveForm::Whole)
        } else {
            Kind::Certificate(CertificateForm::Der)
        },
        bytes: bytes.len() as u64,
        sha256: None,
        origin: Origin::Memory(Arc::new(bytes)),
        written: None,
    });
    Bundle {
        artifacts: artifacts.collect(),
        problems: Vec::new(),
    }
}

fn told_of(bundle: &Bundle, incident: Option<Timestamp>) -> Told {
    told_with(bundle, incident, |_| {})
}

/// What a collection comes to when its logs have told their part.
fn told_with(
    bundle: &Bundle,
    incident: Option<Timestamp>,
    logs: impl FnOnce(&mut FactSet),
) -> Told {
    let (files, problems) = open_hives(bundle);
    assert!(problems.is_empty(), "{problems:?}");
    let registry = Registry::of(files);
    let incident = incident.or(registry.newest_write());
    let mut gaps = Gaps::default();
    let gap = gaps.open(Subject::SystemLog, "no log in this test");
    let identity = identify(&registry, &Hints::default(), &mut gaps);
    let anchors = Anchors {
        state: ConnectionState::Unseen,
        last_success: Known::Open(gap),
        first_failure: Known::Open(gap),
        incident,
        last_boot: Known::Open(gap),
        service_start: Known::Open(gap),
        as_of: incident,
        oldest: None,
        gap,
    };
    let mut facts = FactSet::new(gaps, anchors);
    logs(&mut facts);
    let (exported, problems) = exported(&bundle.artifacts);
    assert!(problems.is_empty(), "{problems:?}");
    let evidence = Evidence {
        registry: &registry,
        identity: &identity,
        exported,
        listed: Vec::new(),
        affected: None,
        served: Default::default(),
    };
    let beside = hives::read(evidence, &mut facts);
    beside.add_facts(&registry, &[], &mut facts);
    let problems = registry.problems();
    let problems = problems
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    Told {
        facts,
        beside,
        problems,
    }
}

impl Told {
    fn fact(&self, kind: &'static FactKind) -> &Fact {
        let mut found = self.facts.of_kind(kind);
        let first = found.next().unwrap_or_else(|| panic!("no {}", kind.name));
        assert!(found.next().is_none(), "more than one {}", kind.name);
        first
    }

    fn has(&self, kind: &'static FactKind) -> bool {
        self.facts.of_kind(kind).next().is_some()
    }

    /// One field: its value, `-` for known to be none, `?` and why for open.
    fn field(&self, fact: &Fact, name: &str) -> String {
        match fact.field(name).unwrap() {
            FieldState::Is(value) => value.to_string(),
            FieldState::Nothing => "-".to_owned(),
            FieldState::Open(gap) => format!("? {}", self.facts.gaps.gap(*gap).about),
        }
    }

    fn fields(&self, kind: &'static FactKind, names: &[&str]) -> String {
        let fact = self.fact(kind);
        let fields = names.iter().map(|name| self.field(fact, name));
        fields.collect::<Vec<_>>().join(", ")
    }

    fn service(&self, kind: &'static FactKind, service: &str) -> &Fact {
        let mut facts = self.facts.of_kind(kind);
        facts
            .find(|fact| self.field(fact, "service") == service)
            .unwrap()
    }
}

fn both(system: &HiveBuilder, software: &HiveBuilder) -> Told {
    told(vec![
        ("SOFTWARE", software.to_bytes()),
        ("SYSTEM", system.to_bytes()),
    ])
}

#[test]
fn every_fact_has_a_source() {
    let told = both(&system(), &software());
    assert!(told.facts.facts().len() > 20);
    for fact in told.facts.facts() {
        assert!(!fact.sources.is_empty(), "{}", fact.kind.name);
    }
}

#[test]
fn the_machine_says_who_it_is() {
    let names = ["name", "domain", "product", "build", "role"];
    assert_eq!(
        both(&system(), &software()).fields(HostIdentity::KIND, &names),
        "RDS01, corp.example, Windows Server 2019 Standard, 17763, server"
    );
    let alone = told(vec![("SYSTEM", system().to_bytes())]);
    assert_eq!(
        alone.fields(HostIdentity::KIND, &names),
        "RDS01, corp.example, ? SOFTWARE hive, ? SOFTWARE hive, server"
    );
}

#[test]
fn the_control_set_in_use_is_the_one_that_select_names() {
    let mut hive = system();
    hive.set_dword("Select", "Current", 2);
    hive.set_dword(&LISTENER.replace("001", "002"), "SecurityLayer", 0);
    hive.set_dword(&LISTENER.replace("001", "002"), "UserAuthentication", 1);
    let told = both(&hive, &software());
    let names = ["in_use", "security_layer", "conflict"];
    assert_eq!(told.fields(ListenerTls::KIND, &names), "no, 0, yes");
}

#[test]
fn whether_tls_is_in_use_follows_policy_then_the_machine() {
    const OPEN: &str = "? SOFTWARE hive";
    let table = [
        // SecurityLayer, UserAuthentication, policy's SecurityLayer, SOFTWARE there → in use, avoidable, set by
        (2, 1, None, true, "yes, no, local"),
        (1, 1, None, true, "yes, no, local"),
        (1, 0, None, true, "yes, ? listener.tls, local"),
        (0, 0, None, true, "no, no, local"),
        (2, 1, Some(0), true, "no, no, policy"),
        (0, 1, Some(2), true, "yes, no, policy"),
        (2, 1, None, false, &format!("yes, {OPEN}, local")),
        (0, 1, None, false, &format!("{OPEN}, {OPEN}, local")),
        (7, 1, None, true, "? SYSTEM hive, ? SYSTEM hive, local"),
    ];
    for (layer, authentication, policy, with_software, expected) in table {
        let mut system = system();
        system.set_dword(LISTENER, "SecurityLayer", layer);
        system.set_dword(LISTENER, "UserAuthentication", authentication);
        let mut software = software();
        if let Some(layer) = policy {
            software.set_dword(POLICY, "SecurityLayer", layer);
        }
        let mut files = vec![("SYSTEM", system.to_bytes())];
        if with_software {
            files.push(("SOFTWARE", software.to_bytes()));
        }
        let told = told(files);
        let fields = told.fields(ListenerTls::KIND, &["in_use", "avoidable", "set_by"]);
        assert_eq!(
            fields, expected,
            "{layer} {authentication} {policy:?} {with_software}"
        );
    }
}

#[test]
fn the_switch_says_what_turned_it() {
    let names = ["off", "set_by", "never_on"];
    let state = |deny: u32, policy: Option<u32>, enabled: Option<u32>, certificate: bool| {
        let mut system = system();
        system.set_dword(TERMINAL_SERVER, "fDenyTSConnections", deny);
        if let Some(enabled) = enabled {
            system.set_dword(TERMINAL_SERVER, "TSEnabled", enabled);
        }
        if certificate {
            system.set_binary(WIN_STATIONS, "SelfSignedCertificate", &[7; 20]);
        }
        let mut software = software();
        if let Some(deny) = policy {
            software.set_dword(POLICY, "fDenyTSConnections", deny);
        }
        both(&system, &software).fields(ListenerSwitch::KIND, &names)
    };
    assert_eq!(state(0, None, None, true), "no, local, no");
    assert_eq!(state(1, None, None, true), "yes, local, no");
    assert_eq!(state(1, None, None, false), "yes, local, yes");
    assert_eq!(state(0, Some(1), None, true), "yes, policy, no");
    assert_eq!(state(1, Some(0), None, true), "no, policy, no");
    assert_eq!(state(0, None, Some(0), true), "yes, local, no");
    let alone = |deny: u32| {
        let mut system = system();
        system.set_dword(TERMINAL_SERVER, "fDenyTSConnections", deny);
        told(vec![("SYSTEM", system.to_bytes())]).fields(ListenerSwitch::KIND, &names[..2])
    };
    assert_eq!(alone(1), "yes, ? SOFTWARE hive");
    assert_eq!(alone(0), "? SOFTWARE hive, ? SOFTWARE hive");
}

#[test]
fn a_value_of_another_type_is_open_and_a_problem() {
    let mut system = system();
    system.remove_value(LISTENER, "SecurityLayer");
    system.set_sz(LISTENER, "SecurityLayer", "2");
    let told = both(&system, &software());
    assert_eq!(told.fields(ListenerTls::KIND, &["in_use"]), "? SYSTEM hive");
    let problem = told
        .problems
        .iter()
        .find(|problem| problem.contains("REG_DWORD"));
    assert!(problem.is_some(), "{:?}", told.problems);
}

#[test]
fn in_a_stale_hive_what_is_there_counts_and_what_is_not_is_open() {
    let told = told(vec![
        ("SOFTWARE", dirty(&software().to_bytes())),
        ("SYSTEM", system().to_bytes()),
    ]);
    assert_eq!(told.fields(HostIdentity::KIND, &["build"]), "17763");
    assert_eq!(
        told.fields(SuitePolicy::KIND, &["present"]),
        "? SOFTWARE hive"
    );
    assert!(
        told.problems
            .iter()
            .any(|problem| problem.contains("dirty"))
    );
}

#[test]
fn services_say_how_they_start_and_since_when_they_do_not() {
    let disabled = time("2024-05-20T10:00:00Z");
    let mut system = system();
    system.set_dword("ControlSet001\\Services\\SessionEnv", "Start", 4);
    system.touch("ControlSet001\\Services\\SessionEnv", disabled);
    let told = both(&system, &software());
    let start = |service: &str| {
        let fact = told.service(ServiceStart::KIND, service);
        (
            told.field(fact, "present"),
            told.field(fact, "start"),
            fact.at,
        )
    };
    let is = |present: &str, start: &str, at| (present.to_owned(), start.to_owned(), at);
    assert_eq!(start("SessionEnv"), is("yes", "disabled", Some(disabled)));
    assert_eq!(start("LanmanWorkstation"), is("yes", "automatic", None));
    assert_eq!(start("KeyIso"), is("no", "-", None));
    let renewal = told.service(RenewalService::KIND, "SessionEnv");
    assert_eq!(told.field(renewal, "blocked"), "yes");
    assert_eq!(told.field(renewal, "certificate"), "missing");
    let renewal = told.service(RenewalService::KIND, "LanmanWorkstation");
    assert_eq!(told.field(renewal, "blocked"), "no");
}

const CERTIFICATE: [&str; 4] = ["chosen_by", "found", "custom", "container"];

#[test]
fn the_listener_s_certificate_is_the_one_that_system_names() {
    let own = own_certificate();
    let mut system = system();
    system.set_binary(WIN_STATIONS, "SelfSignedCertificate", &thumbprint(&own));
    let mut software = software();
    install(
        &mut software,
        "Remote Desktop",
        &StoreEntry::listener(own.clone()),
    );
    let younger = ForgedCertificate::listener("RDS01", time("2024-05-30T00:00:00Z"));
    install(
        &mut software,
        "Remote Desktop",
        &StoreEntry::listener(younger.der()),
    );
    let told = both(&system, &software);
    let kind = ListenerCertificate::KIND;
    assert_eq!(told.fields(kind, &["thumbprint"]), hex(&own));
    assert_eq!(
        told.fields(kind, &CERTIFICATE),
        "self-signed, yes, no, TSSecKeySet1"
    );
    assert_eq!(
        told.fields(
            kind,
            &["self_signed", "ended", "not_begun", "names_host", "key"]
        ),
        "yes, no, no, yes, RSA 2048"
    );
    assert_eq!(told.fields(RenewalDue::KIND, &["standing"]), "valid");
}

#[test]
fn a_pin_comes_first_if_a_store_holds_it() {
    let own = own_certificate();
    let pinned = ForgedCertificate::issued(
        "rds01.corp.example",
        "CORP CA",
        time("2023-02-01T00:00:00Z"),
    );
    let mut system = system();
    system.set_binary(WIN_STATIONS, "SelfSignedCertificate", &thumbprint(&own));
    system.set_binary(
        LISTENER,
        "SSLCertificateSHA1Hash",
        &thumbprint(&pinned.der()),
    );
    let mut software = software();
    install(
        &mut software,
        "Remote Desktop",
        &StoreEntry::listener(own.clone()),
    );
    // It dangles: the default certificate is in use.
    let dangling = both(&system, &software);
    let kind = ListenerCertificate::KIND;
    assert_eq!(
        dangling.fields(kind, &CERTIFICATE),
        "self-signed, yes, no, TSSecKeySet1"
    );
    install(
        &mut software,
        "MY",
        &StoreEntry::cng(pinned.der(), "pinned"),
    );
    let told = both(&system, &software);
    assert_eq!(told.fields(kind, &CERTIFICATE), "pin, yes, yes, pinned");
    assert_eq!(
        told.fields(
            kind,
            &["self_signed", "ended", "names_host", "provider_type"]
        ),
        "no, yes, yes, 0"
    );
    assert_eq!(told.fields(RenewalDue::KIND, &["standing"]), "ended");
    // Without SOFTWARE nobody knows whether it resolves; it is named all the same.
    let alone = self::told(vec![("SYSTEM", system.to_bytes())]);
    assert_eq!(
        alone.fields(kind, &CERTIFICATE),
        "pin, no, yes, ? SOFTWARE hive"
    );
    assert_eq!(
        alone.fields(RenewalDue::KIND, &["standing"]),
        "? SOFTWARE hive"
    );
}

#[test]
fn a_template_s_certificate_counts_where_a_policy_names_the_template() {
    let own = own_certificate();
    let issued = ForgedCertificate::issued(
        "rds01.corp.example",
        "CORP CA",
        time("2024-02-01T00:00:00Z"),
    );
    let mut system = system();
    system.set_binary(WIN_STATIONS, "SelfSignedCertificate", &thumbprint(&own));
    system.set_binary(
        WIN_STATIONS,
        "TemplateCertificate",
        &thumbprint(&issued.der()),
    );
    let mut software = software();
    install(&mut software, "Remote Desktop", &StoreEntry::listener(own));
    install(
        &mut software,
        "MY",
        &StoreEntry::cng(issued.der(), "issued"),
    );
    let kind = ListenerCertificate::KIND;
    assert_eq!(
        both(&system, &software).fields(kind, &["chosen_by"]),
        "self-signed"
    );
    software.set_sz(POLICY, "CertTemplateName", "RemoteDesktopComputer");
    assert_eq!(
        both(&system, &software).fields(kind, &["chosen_by"]),
        "template"
    );
}

#[test]
fn a_certificate_that_is_not_there_is_missing_and_not_unknown() {
    let told = both(&system(), &software());
    assert!(!told.has(ListenerCertificate::KIND));
    assert_eq!(told.fields(RenewalDue::KIND, &["standing"]), "missing");
    let mut system = system();
    system.set_binary(
        WIN_STATIONS,
        "SelfSignedCertificate",
        &thumbprint(&own_certificate()),
    );
    let told = both(&system, &software());
    let names = ["chosen_by", "found", "not_after", "ended"];
    let fields = told.fields(ListenerCertificate::KIND, &names);
    assert_eq!(fields, "self-signed, no, -, no");
    assert_eq!(told.fields(RenewalDue::KIND, &["standing"]), "missing");
}

#[test]
fn without_software_an_exported_certificate_counts_by_thumbprint_else_by_name() {
    let own = own_certificate();
    let other = ForgedCertificate::listener("RDS01", time("2023-01-01T00:00:00Z")).der();
    let foreign = ForgedCertificate::listener("SRV9", time("2024-05-01T00:00:00Z")).der();
    let kind = ListenerCertificate::KIND;
    let files = |system: &HiveBuilder| {
        vec![
            ("SYSTEM", system.to_bytes()),
            ("foreign.cer", foreign.clone()),
            ("other.cer", other.clone()),
        ]
    };
    let mut named = system();
    named.set_binary(WIN_STATIONS, "SelfSignedCertificate", &thumbprint(&own));
    let mut with_own = files(&named);
    with_own.push(("own.cer", own.clone()));
    let told_own = told(with_own);
    assert_eq!(told_own.fields(kind, &["thumbprint"]), hex(&own));
    assert_eq!(
        told_own.fields(kind, &CERTIFICATE),
        "export-by-thumbprint, yes, no, ? Remote Desktop certificate store"
    );
    // SYSTEM names another one than those exported: they are not the listener's, whatever name they bear.
    let told_other = told(files(&named));
    assert_eq!(
        told_other.fields(kind, &["chosen_by", "found"]),
        "self-signed, no"
    );
    // SYSTEM names none.
    let by_name = told(files(&system()));
    assert_eq!(by_name.fields(kind, &["thumbprint"]), hex(&other));
    assert_eq!(
        by_name.fields(kind, &["chosen_by", "ended"]),
        "export-by-name, yes"
    );
    // A file that bears another computer's name is nobody's.
    let nobody = told(vec![
        ("SYSTEM", system().to_bytes()),
        ("foreign.cer", foreign),
    ]);
    assert!(!nobody.has(kind));
    assert!(!nobody.has(RenewalDue::KIND));
}

#[test]
fn a_certificate_of_the_old_name_is_due_after_a_rename() {
    let old = ForgedCertificate::listener("OLD01", time("2024-03-01T00:00:00Z")).der();
    let mut system = system();
    system.set_binary(WIN_STATIONS, "SelfSignedCertificate", &thumbprint(&old));
    let mut software = software();
    install(&mut software, "Remote Desktop", &StoreEntry::listener(old));
    let told = both(&system, &software);
    assert_eq!(told.fields(RenewalDue::KIND, &["standing"]), "other-name");
}

#[test]
fn a_store_entry_under_another_name_is_a_problem() {
    let own = own_certificate();
    let mut software = software();
    let key = format!(
        "Microsoft\\SystemCertificates\\Remote Desktop\\Certificates\\{}",
        "AB".repeat(20)
    );
    software.set_binary(&key, "Blob", &StoreEntry::listener(own).blob());
    let told = both(&system(), &software);
    let named = |problem: &&String| problem.contains("but holds the certificate");
    assert!(
        told.problems.iter().any(|problem| named(&problem)),
        "{:?}",
        told.problems
    );
}

const LIST: [&str; 5] = ["present", "usable", "fault", "length", "first_unknown"];

#[test]
fn a_server_without_settings_serves_mainstream_clients() {
    let told = both(&system(), &software());
    assert_eq!(told.fields(SuitePolicy::KIND, &LIST), "no, yes, -, -, -");
    let names = ["with", "shares", "obstacle", "policy_known"];
    assert_eq!(
        told.fields(Overlap::KIND, &names),
        "mainstream-windows, yes, -, yes"
    );
    let names = ["versions", "all_versions_off", "list_source"];
    assert_eq!(
        told.fields(TlsServer::KIND, &names),
        "TLS 1.2, TLS 1.1, TLS 1.0, no, build-default"
    );
    assert_eq!(told.beside.tls.unwrap().negotiations().count(), 7);
}

#[test]
fn a_policy_that_leaves_nothing_says_why() {
    let state = |list: &str| {
        let mut software = software();
        software.set_sz(SUITE_POLICY, "Functions", list);
        let written = time("2024-05-20T10:00:00Z");
        software.touch(SUITE_POLICY, written);
        let told = both(&system(), &software);
        assert_eq!(told.fact(SuitePolicy::KIND).at, Some(written));
        let list = told.fields(SuitePolicy::KIND, &["present", "usable", "fault"]);
        let shares = told.fields(Overlap::KIND, &["shares", "obstacle"]);
        format!("{list}; {shares}")
    };
    assert_eq!(
        state("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        "yes, no, certificate-type; no, suite"
    );
    assert_eq!(
        state("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        "yes, yes, -; yes, -"
    );
    assert_eq!(
        state("ECDHE-RSA-AES256-GCM-SHA384"),
        "yes, no, unknown-names; no, suite"
    );
    let mut software = software();
    software.set_sz(
        SUITE_POLICY,
        "Functions",
        "NOT_A_SUITE,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    );
    let told = both(&system(), &software);
    assert_eq!(
        told.fields(SuitePolicy::KIND, &LIST),
        "yes, yes, -, 49, NOT_A_SUITE"
    );
    assert_eq!(told.fields(LocalSuites::KIND, &["in_force"]), "no");
}

/// A suite policy that leaves nothing, written on 20 May, and the logs' word on boots.
fn with_boots(boots: &[&str]) -> Told {
    let mut software = software();
    software.set_sz(SUITE_POLICY, "Functions", "NOTHING_OF_USE");
    software.touch(SUITE_POLICY, time("2024-05-20T10:00:00Z"));
    let files = vec![
        ("SOFTWARE", software.to_bytes()),
        ("SYSTEM", system().to_bytes()),
    ];
    told_with(&collection(files), Some(time(INCIDENT)), |facts| {
        for boot in boots.iter().map(|boot| time(boot)) {
            let source = Source::Record {
                artifact: "System.evtx".to_owned(),
                number: 1,
                offset: 0,
            };
            facts.add(Some(boot), HostBoot { event: 12 }, vec![source]);
            facts.anchors.last_boot = Known::Is(boot);
        }
    })
}

#[test]
fn a_suite_policy_takes_effect_at_the_boot_after_it() {
    let (before, after, later) = (
        "2024-05-01T00:00:00Z",
        "2024-05-25T00:00:00Z",
        "2024-05-28T00:00:00Z",
    );
    let told = with_boots(&[before, after, later]);
    assert_eq!(told.fact(SuitePolicy::KIND).at, Some(time(after)));
    assert_eq!(told.fields(SuitePolicy::KIND, &["usable"]), "no");
}

#[test]
fn a_suite_policy_that_waits_for_a_boot_is_not_in_effect() {
    let told = with_boots(&["2024-05-01T00:00:00Z"]);
    let fact = told.fact(SuitePolicy::KIND);
    assert_eq!(fact.at, None);
    assert_eq!(told.field(fact, "present"), "yes");
    assert_eq!(told.field(fact, "usable"), "? tls.suite_policy");
    assert_eq!(
        told.fields(Overlap::KIND, &["shares"]),
        "? tls.suite_policy"
    );
}

#[test]
fn versions_that_are_all_off_leave_nothing() {
    let written = time("2024-05-20T10:00:00Z");
    let mut system = system();
    for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2"] {
        let key = format!("{PROTOCOLS}\\{version}\\Server");
        system.set_dword(&key, "Enabled", 0);
        system.touch(&key, written);
    }
    let told = both(&system, &software());
    let fact = told.fact(TlsServer::KIND);
    assert_eq!(told.field(fact, "all_versions_off"), "yes");
    assert_eq!(fact.at, Some(written));
    assert!(fact.sources.iter().any(|source| {
        matches!(source, Source::Value { key, written: Some(at), .. } if key.contains("TLS 1.2") && *at == written)
    }));
    assert_eq!(
        told.fields(Overlap::KIND, &["shares", "obstacle"]),
        "no, version"
    );
}

#[test]
fn algorithm_keys_are_read_with_the_ones_inside_of_them() {
    let schannel = "ControlSet001\\Control\\SecurityProviders\\SCHANNEL";
    let mut system = system();
    // What New-Item makes of 'RC4 128/128', and a key as it should be.
    system.set_dword(&format!("{schannel}\\Ciphers\\RC4 128\\128"), "Enabled", 0);
    system.set_dword(&format!("{schannel}\\Ciphers\\AES 256/256"), "Enabled", 0);
    system.set_sz(&format!("{schannel}\\Hashes\\MD5"), "Enabled", "0");
    let bundle = collection(vec![("SYSTEM", system.to_bytes())]);
    let registry = Registry::of(open_hives(&bundle).0);
    let settings = read(&registry, &mut Gaps::default()).settings;
    let ciphers = settings.ciphers.present().unwrap();
    let state = |name: &str| ciphers.get(name).cloned();
    assert_eq!(state("AES 256/256"), Some(Setting::Present(0)));
    assert_eq!(state("RC4 128\\128"), Some(Setting::Present(0)));
    assert_eq!(state("RC4 128"), Some(Setting::Absent));
    let hashes = settings.hashes.present().unwrap();
    assert!(matches!(hashes.get("MD5"), Some(Setting::Unknown(_))));
    assert_eq!(settings.wrong_types.len(), 1);
    assert!(matches!(settings.policy_suites, Setting::Unknown(_)));
}

#[test]
fn without_software_a_policy_is_not_known() {
    let told = told(vec![("SYSTEM", system().to_bytes())]);
    assert!(!told.has(SuitePolicy::KIND));
    assert_eq!(
        told.fields(LocalSuites::KIND, &["in_force"]),
        "? SOFTWARE hive"
    );
    assert_eq!(
        told.fields(Overlap::KIND, &["policy_known"]),
        "? SOFTWARE hive"
    );
}

#[test]
fn without_system_there_are_no_facts_of_it() {
    let told = told(vec![("SOFTWARE", software().to_bytes())]);
    for kind in [
        ListenerTls::KIND,
        ListenerSwitch::KIND,
        TlsServer::KIND,
        ServiceStart::KIND,
    ] {
        assert!(!told.has(kind), "{}", kind.name);
    }
    assert_eq!(
        told.fields(HostIdentity::KIND, &["build", "role"]),
        "17763, ? SYSTEM hive"
    );
}

#[test]
fn of_several_hives_the_one_written_last_is_asked() {
    let mut old = system();
    old.set_dword(LISTENER, "SecurityLayer", 0);
    let mut new = system();
    new.touch(LISTENER, time("2024-05-01T00:00:00Z"));
    let told = told(vec![
        ("config/RegBack/SYSTEM", old.to_bytes()),
        ("config/SYSTEM", new.to_bytes()),
    ]);
    assert_eq!(told.fields(ListenerTls::KIND, &["security_layer"]), "2");
    assert!(
        told.problems
            .iter()
            .any(|problem| problem.contains("not used: config/SYSTEM"))
    );
}

#[test]
fn no_damage_makes_anything_panic() {
    let own = own_certificate();
    let mut system = system();
    system.set_binary(WIN_STATIONS, "SelfSignedCertificate", &thumbprint(&own));
    let mut software = software();
    install(&mut software, "Remote Desktop", &StoreEntry::listener(own));
    software.set_sz(
        SUITE_POLICY,
        "Functions",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    );
    let files = [system.to_bytes(), software.to_bytes()];
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % below
    };
    for _ in 0..150 {
        let [system, software] = files.clone().map(|mut bytes| {
            for _ in 0..8 {
                let place = 4096 + next(bytes.len() - 4096);
                bytes[place] = u8::try_from(next(256)).unwrap();
            }
            if next(4) == 0 {
                bytes.truncate(5000 + next(bytes.len() - 5000));
            }
            bytes
        });
        let told = told(vec![("SOFTWARE", software), ("SYSTEM", system)]);
        for fact in told.facts.facts() {
            assert!(!fact.sources.is_empty(), "{}", fact.kind.name);
        }
    }
}

#[test]
fn a_real_windows_7_names_its_certificate_and_judges_it_at_its_own_time() {
    let Some(folder) = corpus("hives/wks-win732bita") else {
        return;
    };
    let bundle = bundle::open(&[folder]).unwrap();
    let told = told_of(&bundle, None);
    let kind = ListenerCertificate::KIND;
    assert_eq!(
        told.fields(kind, &["thumbprint"]),
        "3349EFE1B964207CA08F1DBB2A091650F6790155"
    );
    assert_eq!(
        told.fields(kind, &CERTIFICATE),
        "self-signed, yes, no, TSSecKeySet1"
    );
    assert_eq!(
        told.fields(
            kind,
            &["self_signed", "ended", "names_host", "key", "provider_type"]
        ),
        "yes, no, yes, RSA 2048, 1"
    );
    let identity = told.fields(HostIdentity::KIND, &["name", "product", "build", "role"]);
    assert_eq!(identity, "WKS-WIN732BITA, Windows 7 Ultimate, 7601, client");
    assert_eq!(
        told.fields(ListenerTls::KIND, &["security_layer", "in_use"]),
        "1, yes"
    );
    assert_eq!(
        told.fields(TlsServer::KIND, &["list_source", "policy_known"]),
        "local, yes"
    );
    assert_eq!(
        told.fields(LocalSuites::KIND, &["in_force", "usable"]),
        "yes, yes"
    );
}

#[test]
fn real_hives_dirty_and_damaged_are_read_without_a_panic() {
    for name in [
        "hives/dirty-b",
        "hives/win10-1709",
        "hives/corrupted_system_hive",
    ] {
        let Some(folder) = corpus(name) else {
            return;
        };
        let bundle = bundle::open(&[folder]).unwrap();
        let told = told_of(&bundle, None);
        for fact in told.facts.facts() {
            println!("{name} {} {:?} {:?}", fact.kind.name, fact.at, fact.fields);
        }
        for problem in &told.problems {
            println!("{name} problem: {problem}");
        }
    }
}
