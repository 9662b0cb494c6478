//! Reports made by hand: what each screen has to hold, without any evidence behind it.

use jiff::{SignedDuration, Timestamp};
use rdptriage::verdict::client_error::ClientCode;
use rdptriage::verdict::model::*;
use serde_json::{Value, json};

/// A report that is filled piece by piece; facts and gaps are named as they come.
pub struct Made(pub Report);

pub fn healthy_shell(name: &str) -> Made {
    Made(Report {
        host: Host {
            name: Some(name.to_owned()),
            aliases: Vec::new(),
            domain: Some("contoso.example".to_owned()),
            product: Some("Windows Server 2022 Datacenter".to_owned()),
            build: Some(20348),
            as_of: Some("2026-11-18T15:12:00Z".to_owned()),
            time_zone: Some("W. Europe Standard Time".to_owned()),
            collected: Some([
                "2026-11-12T00:03:11Z".to_owned(),
                "2026-11-18T15:12:00Z".to_owned(),
            ]),
        },
        layout: CollectionLayout::default(),
        verdict: Verdict {
            status: Status::Healthy,
            cause: None,
            family: None,
            title: "No fault of Remote Desktop found".to_owned(),
            summary: String::new(),
            consequences: Vec::new(),
            also: Vec::new(),
            contributing: Vec::new(),
            latent: Vec::new(),
            candidates: Vec::new(),
            last_success: None,
            first_failure: None,
            state: "succeeding".to_owned(),
            client_error: None,
            refuse: Vec::new(),
        },
        findings: Vec::new(),
        facts: Vec::new(),
        changes: Vec::new(),
        timeline: Vec::new(),
        connections: Vec::new(),
        negotiation: Negotiation::default(),
        artifacts: vec![
            artifact("logs/System.evtx", "event log", Some(38_211)),
            artifact("logs/RdpCoreTS.evtx", "event log", Some(2_996)),
            artifact("hives/SYSTEM", "hive", None),
        ],
        problems: Vec::new(),
        gaps: Vec::new(),
    })
}

impl Made {
    pub fn fact(
        &mut self,
        kind: &str,
        time: Option<&str>,
        fields: Value,
        sources: &[SourceEntry],
    ) -> String {
        let id = format!("f{}", self.0.facts.len() + 1);
        self.0.facts.push(FactEntry {
            id: id.clone(),
            kind: kind.to_owned(),
            time: time.map(str::to_owned),
            fields: fields.as_object().cloned().unwrap_or_default(),
            sources: sources.to_vec(),
        });
        id
    }

    pub fn gap(&mut self, kind: &str, why: &str, obtain: &str) -> String {
        let id = format!("g{}", self.0.gaps.len() + 1);
        self.0.gaps.push(GapEntry {
            id: id.clone(),
            kind: kind.to_owned(),
            why: why.to_owned(),
            obtain: obtain.to_owned(),
        });
        id
    }

    pub fn finding(
        &mut self,
        cause: &str,
        family: &str,
        title: &str,
        level: Level,
        role: Role,
        tests: Vec<TestEntry>,
    ) -> &mut Finding {
        self.0.findings.push(Finding {
            cause: cause.to_owned(),
            family: family.to_owned(),
            title: title.to_owned(),
            level,
            role,
            strikes: None,
            tests,
            fixes: Vec::new(),
        });
        self.0.findings.last_mut().expect("just pushed")
    }

    /// One attempt every ten minutes; those until `broke` get in.
    pub fn attempts(&mut self, from: &str, to: &str, broke: Option<&str>) {
        let moment = |text: &str| text.parse::<Timestamp>().expect("a time");
        let mut time = moment(from);
        while time <= moment(to) {
            let fails = broke.is_some_and(|broke| time >= moment(broke));
            let fields = json!({
                "client": "10.1.0.44",
                "reached": if fails { "arrived" } else { "session" },
                "ended": if fails { json!("tls") } else { Value::Null },
                "code": null, "affected": fails, "stranger": false,
            });
            let number = 5000 + self.0.facts.len() as u64;
            self.fact(
                "connection.attempt",
                Some(&time.to_string()),
                fields,
                &[record("logs/RdpCoreTS.evtx", number)],
            );
            time += SignedDuration::from_mins(10);
        }
    }
}

fn artifact(path: &str, kind: &str, records: Option<u64>) -> ArtifactEntry {
    ArtifactEntry {
        path: path.to_owned(),
        kind: kind.to_owned(),
        bytes: 20_975_616,
        sha256: None,
        records,
        first: None,
        last: None,
        coverage: "whole".to_owned(),
        problems: Vec::new(),
        gaps: Vec::new(),
    }
}

pub fn record(artifact: &str, number: u64) -> SourceEntry {
    SourceEntry {
        artifact: Some(artifact.to_owned()),
        record: Some(number),
        ..SourceEntry::default()
    }
}

fn value(key: &str, value: &str) -> SourceEntry {
    SourceEntry {
        artifact: Some("hives/SYSTEM".to_owned()),
        key: Some(key.to_owned()),
        value: Some(value.to_owned()),
        written: Some("2026-10-02T11:20:44Z".to_owned()),
        ..SourceEntry::default()
    }
}

fn line(artifact: &str, number: u64) -> SourceEntry {
    SourceEntry {
        artifact: Some(artifact.to_owned()),
        line: Some(number),
        ..SourceEntry::default()
    }
}

fn computed(facts: &[&String]) -> SourceEntry {
    SourceEntry {
        facts: Some(facts.iter().map(|id| (*id).clone()).collect()),
        ..SourceEntry::default()
    }
}

pub fn yes(role: TestRole, name: &str, evidence: &[&String]) -> TestEntry {
    test(role, name, TruthValue::True, evidence, &[])
}

pub fn no(role: TestRole, name: &str, evidence: &[&String]) -> TestEntry {
    test(role, name, TruthValue::False, evidence, &[])
}

pub fn open(role: TestRole, name: &str, gaps: &[&String]) -> TestEntry {
    test(role, name, TruthValue::Unknown, &[], gaps)
}

fn test(
    role: TestRole,
    name: &str,
    truth: TruthValue,
    evidence: &[&String],
    gaps: &[&String],
) -> TestEntry {
    let owned = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect();
    TestEntry {
        name: name.to_owned(),
        role,
        truth,
        evidence: owned(evidence),
        gaps: owned(gaps),
    }
}

const KEY: &str = "C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\f686aace6942fb7f7ceb231212eef4a4_8a2ac2b4-7f24-46d1-8a3c-2b0d7f559d1c";
const THUMBPRINT: &str = "9F3C0A6E55B1D7C2481F90E3AA17B6C4D05E41D2";

/// The key file cannot be read: the classic case, with everything a screen can hold.
pub fn key_denied() -> Report {
    let mut made = healthy_shell("CONTOSO-TS01");
    made.attempts(
        "2026-11-18T05:00:00Z",
        "2026-11-18T15:10:00Z",
        Some("2026-11-18T09:50:00Z"),
    );
    let acl = made.fact(
        "key_file.access",
        None,
        json!({"listener": true, "path": KEY, "account": "S-1-5-20", "can_read": false, "can_write": false, "denied": false}),
        &[line("MachineKeys.acl", 12)],
    );
    let certificate = made.fact(
        "listener.certificate",
        Some("2026-10-02T11:20:44Z"),
        json!({"thumbprint": THUMBPRINT, "chosen_by": "self-signed", "not_before": "2026-09-23T08:00:00Z",
               "not_after": "2027-03-25T08:00:00Z", "ended": false}),
        &[value("ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp", "SSLCertificateSHA1Hash")],
    );
    let mut denied = Vec::new();
    for (number, time) in [
        (48_113, "2026-11-18T09:58:03Z"),
        (48_190, "2026-11-18T11:02:41Z"),
        (49_004, "2026-11-18T15:08:03Z"),
    ] {
        denied.push(made.fact(
            "schannel.failure",
            Some(time),
            json!({"event": 36870, "role": "server", "error": "0x8009030D", "state": 10001, "alert": null, "attributed": true}),
            &[record("logs/System.evtx", number)],
        ));
    }
    let tls = made.fact(
        "listener.tls",
        None,
        json!({"in_use": true, "security_layer": 2, "user_authentication": 1, "set_by": "local"}),
        &[computed(&[&certificate])],
    );
    let service = made.fact(
        "service.start",
        None,
        json!({"service": "TermService", "present": true, "start": "manual"}),
        &[value("ControlSet001\\Services\\TermService", "Start")],
    );
    let no_software = made.gap(
        "SOFTWARE hive",
        "not in the collection",
        "reg save HKLM\\SOFTWARE SOFTWARE.hiv",
    );
    let no_client = made.gap(
        "TLS settings of the client",
        "no client was named",
        "name the client with --client, or collect its SYSTEM and SOFTWARE hives",
    );
    let finding = made.finding(
        "key-access-denied",
        "private-key",
        "The RDP certificate's private key cannot be read by the service",
        Level::Confirmed,
        Role::RootCause,
        vec![
            yes(
                TestRole::Require,
                "the listener has a certificate",
                &[&certificate],
            ),
            yes(TestRole::Require, "TLS is in use", &[&tls]),
            yes(
                TestRole::Decisive,
                "its key file does not let NETWORK SERVICE read",
                &[&acl],
            ),
            yes(
                TestRole::Support,
                "Schannel could not open the key when it failed",
                &denied.iter().collect::<Vec<_>>(),
            ),
            no(
                TestRole::Exclude,
                "TLS with this certificate succeeded after the fault",
                &[],
            ),
        ],
    );
    finding.fixes = vec![
        Fix {
            step: "Save the present permissions".to_owned(),
            run: Some(format!("icacls \"{KEY}\" /save acl.bak")),
            risk: None,
            rollback: None,
            verify: None,
        },
        Fix {
            step: "Let NETWORK SERVICE read this one key file".to_owned(),
            run: Some(format!("icacls \"{KEY}\" /grant *S-1-5-20:R")),
            risk: Some("low: one file, one account, reading only".to_owned()),
            rollback: Some(
                "icacls \"C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\" /restore acl.bak"
                    .to_owned(),
            ),
            verify: Some("A new connection logs RdpCoreTS 153 and no Schannel 36870.".to_owned()),
        },
    ];
    made.finding(
        "key-unusable",
        "private-key",
        "The listener's private key cannot be used",
        Level::Confirmed,
        Role::Consequence,
        vec![yes(
            TestRole::Decisive,
            "Schannel could not open the key",
            &[&denied[0]],
        )],
    );
    made.finding(
        "tls-handshake-failed",
        "tls",
        "TLS fails before anybody can log on",
        Level::Likely,
        Role::Consequence,
        vec![yes(TestRole::Support, "attempts end in TLS", &[])],
    );
    let latent = made.finding(
        "machinekeys-permissions",
        "private-key",
        "The permissions of the MachineKeys folder are not Windows' own",
        Level::Confirmed,
        Role::Latent,
        Vec::new(),
    );
    latent.strikes = Some("2027-03-25T08:00:00Z".to_owned());
    made.finding(
        "certificate-expired",
        "certificate",
        "The RDP certificate has expired and was not renewed",
        Level::RuledOut,
        Role::None,
        vec![no(
            TestRole::Require,
            "the certificate ended before the incident",
            &[&certificate],
        )],
    );
    made.finding(
        "termservice-disabled",
        "service",
        "The Remote Desktop service is disabled",
        Level::RuledOut,
        Role::None,
        vec![no(
            TestRole::Decisive,
            "TermService is disabled",
            &[&service],
        )],
    );
    made.finding(
        "rdp-disabled",
        "listener",
        "Remote Desktop is switched off",
        Level::RuledOut,
        Role::None,
        vec![yes(
            TestRole::Exclude,
            "connections arrived after it was set",
            &[],
        )],
    );
    made.finding(
        "tls-suite-policy-unusable",
        "tls",
        "The cipher suite policy leaves nothing to use",
        Level::Undetermined,
        Role::None,
        vec![open(
            TestRole::Decisive,
            "the policy leaves no usable suite",
            &[&no_software],
        )],
    );
    made.finding(
        "tls-no-common-suite",
        "tls",
        "Server and client have no cipher suite in common",
        Level::Undetermined,
        Role::None,
        vec![open(
            TestRole::Decisive,
            "the lists share nothing",
            &[&no_software, &no_client],
        )],
    );
    let report = &mut made.0;
    report.changes.push(Change {
        time: "2026-11-18T09:47:12Z".to_owned(),
        what: "permissions of the listener's key file".to_owned(),
        before: Some("NETWORK SERVICE may read".to_owned()),
        after: Some("it may not".to_owned()),
        evidence: vec![acl],
        in_bracket: true,
        pending_restart: false,
    });
    report.connections = vec![
        connection("10.1.0.44", false, 62, "locked-out"),
        connection("203.0.113.9", true, 1_204, "locked-out"),
    ];
    report.problems.push(Problem {
        artifact: Some("logs/System.evtx".to_owned()),
        at: Some("chunk 17".to_owned()),
        message: "the checksum is wrong; records 31,200 to 31,287 could not be read".to_owned(),
    });
    report.verdict = Verdict {
        status: Status::Confirmed,
        cause: Some("key-access-denied".to_owned()),
        family: Some("private-key".to_owned()),
        title: "The RDP certificate's private key cannot be read by the service".to_owned(),
        summary: "TermService runs as NETWORK SERVICE. The key file of the certificate bound to RDP-Tcp (SHA-1 9F3C…41D2) does not \
                  grant it read access, so Schannel ends the TLS handshake before any credentials are asked for."
            .to_owned(),
        consequences: vec!["key-unusable".to_owned(), "tls-handshake-failed".to_owned()],
        also: Vec::new(),
        contributing: Vec::new(),
        latent: vec!["machinekeys-permissions".to_owned()],
        candidates: Vec::new(),
        last_success: Some("2026-11-18T09:40:00Z".to_owned()),
        first_failure: Some("2026-11-18T09:50:00Z".to_owned()),
        state: "failing".to_owned(),
        client_error: Some(ClientCode::parse("0x904/0x7").expect("a code").explain()),
        refuse: vec![Refusal {
            advice: "Rename MachineKeys and restart".to_owned(),
            why: "It takes the keys of every other service on the machine away too: IIS, SQL Server, agents.".to_owned(),
            instead: "Mend the permissions of this one file.".to_owned(),
        }],
    };
    made.0
}

/// The key cannot be used, and what would say why was not collected.
pub fn key_candidates() -> Report {
    let mut made = healthy_shell("FILESRV");
    made.0.host.product = None;
    let renewal = made.fact(
        "certificate.renewal",
        Some("2026-11-17T22:01:09Z"),
        json!({"event": 1057, "result": "failed", "status": "no-keyset", "code": null, "superseded": false}),
        &[record("logs/System.evtx", 30_112)],
    );
    let denied = made.fact(
        "schannel.failure",
        Some("2026-11-18T08:12:40Z"),
        json!({"event": 36870, "error": "0x8009030D", "state": 10001, "alert": null, "attributed": true}),
        &[record("logs/System.evtx", 30_400)],
    );
    let listing = made.gap(
        "MachineKeys listing with permissions",
        "not in the collection",
        "icacls \"C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\*\" /save MachineKeys.acl /c",
    );
    let key = made.gap(
        "private key file",
        "not in the collection",
        "robocopy C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys MachineKeys f686aace6942fb7f7ceb231212eef4a4_* /B",
    );
    let symptom = made.finding(
        "key-unusable",
        "private-key",
        "MachineKeys: the listener's private key cannot be used",
        Level::Likely,
        Role::RootCause,
        vec![
            yes(
                TestRole::Decisive,
                "the certificate could not be renewed, with a status of the key",
                &[&renewal],
            ),
            yes(
                TestRole::Support,
                "Schannel could not open the key",
                &[&denied],
            ),
        ],
    );
    symptom.fixes = vec![Fix {
        step: "Find out which of the candidates it is before anything is changed".to_owned(),
        run: None,
        risk: Some("none".to_owned()),
        rollback: None,
        verify: None,
    }];
    for (cause, title, test, gap) in [
        (
            "key-access-denied",
            "The key cannot be read by the service",
            "its permissions deny it",
            &listing,
        ),
        (
            "key-missing",
            "The key file is missing",
            "a complete listing does not hold it",
            &listing,
        ),
        (
            "key-damaged",
            "The key file is damaged",
            "the file is no key file",
            &key,
        ),
    ] {
        made.finding(
            cause,
            "private-key",
            title,
            Level::Possible,
            Role::Candidate,
            vec![
                open(TestRole::Decisive, test, &[gap]),
                yes(
                    TestRole::Support,
                    "Schannel could not open the key",
                    &[&denied],
                ),
            ],
        );
    }
    let report = &mut made.0;
    report.verdict.status = Status::Likely;
    report.verdict.cause = Some("key-unusable".to_owned());
    report.verdict.family = Some("private-key".to_owned());
    report.verdict.title = "MachineKeys: the listener's private key cannot be used".to_owned();
    report.verdict.summary = "Windows could not open the key of the RDP certificate. Whether it is missing, denied or damaged, \
                              the logs do not say."
        .to_owned();
    report.verdict.candidates = vec![
        "key-access-denied".to_owned(),
        "key-missing".to_owned(),
        "key-damaged".to_owned(),
    ];
    report.verdict.first_failure = Some("2026-11-18T08:12:40Z".to_owned());
    report.verdict.state = "unseen".to_owned();
    made.0
}

/// People work, and the Internet knocks at the door.
pub fn healthy_with_noise() -> Report {
    let mut made = healthy_shell("GATE");
    made.attempts("2026-11-17T06:00:00Z", "2026-11-18T15:00:00Z", None);
    let state = made.fact(
        "connection.state",
        None,
        json!({"state": "succeeding", "stage": null, "clients": 1, "strangers": 148}),
        &[SourceEntry {
            artifact: Some("logs/RdpCoreTS.evtx".to_owned()),
            ..SourceEntry::default()
        }],
    );
    made.fact(
        "client.outcome",
        Some("2026-11-18T15:00:00Z"),
        json!({"client": "10.1.0.44", "state": "in", "stage": "session", "code": null, "since": "2026-11-18T15:00:00Z", "stranger": false}),
        &[computed(&[&state])],
    );
    made.0.connections = vec![
        connection("10.1.0.44", false, 199, "in"),
        connection("203.0.113.9", true, 81_204, "locked-out"),
    ];
    for (cause, test) in [
        (
            "tls-handshake-failed",
            "people's connections passed TLS to the end",
        ),
        ("key-unusable", "people's connections passed TLS to the end"),
        (
            "credentials-rejected",
            "people's connections got a session to the end",
        ),
    ] {
        made.finding(
            cause,
            "tls",
            "A title",
            Level::RuledOut,
            Role::None,
            vec![yes(TestRole::Exclude, test, &[&state])],
        );
    }
    made.0.verdict.summary = "Everybody who ever got in still does, most recently at the end of the collection. 148 addresses never \
                              got in; name one with --client-address if it is yours."
        .to_owned();
    made.0.verdict.last_success = Some("2026-11-18T15:00:00Z".to_owned());
    made.0
}

/// Almost nothing was collected.
pub fn inconclusive() -> Report {
    let mut made = healthy_shell("OLDBOX");
    made.0.artifacts.truncate(1);
    made.0.host.collected = None;
    made.fact(
        "connection.state",
        None,
        json!({"state": "unseen", "stage": {"gap": "g1"}, "clients": 0, "strangers": 0}),
        &[SourceEntry {
            artifact: Some("logs/System.evtx".to_owned()),
            ..SourceEntry::default()
        }],
    );
    let logs = made.gap(
        "logs of connections",
        "none was collected",
        "wevtutil epl Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational RdpCoreTS.evtx",
    );
    let hive = made.gap(
        "SYSTEM hive",
        "not in the collection",
        "reg save HKLM\\SYSTEM SYSTEM.hiv",
    );
    for cause in [
        "rdp-disabled",
        "sessionenv-disabled",
        "termservice-disabled",
        "tls-local-suite-list-damaged",
        "tls-server-protocols-disabled",
    ] {
        made.finding(
            cause,
            "service",
            "A title",
            Level::Undetermined,
            Role::None,
            vec![open(TestRole::Decisive, "as SYSTEM says", &[&hive])],
        );
    }
    made.finding(
        "tls-handshake-failed",
        "tls",
        "TLS fails before anybody can log on",
        Level::Undetermined,
        Role::None,
        vec![open(TestRole::Decisive, "attempts end in TLS", &[&logs])],
    );
    made.0.verdict.status = Status::Inconclusive;
    made.0.verdict.state = "unseen".to_owned();
    made.0.verdict.title =
        "Whether Remote Desktop works cannot be told from this collection".to_owned();
    made.0.verdict.summary =
        "No log that records connections was collected, nor the SYSTEM hive.".to_owned();
    made.0
}

/// Everything that came from outside tries to do harm.
pub fn hostile() -> Report {
    let mut report = key_denied();
    let evil =
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}gpj.exe\u{200b}\r\nHEALTHY  nothing is wrong\u{9b}31m";
    report.host.name = Some(evil.to_owned());
    report.host.product = Some(evil.to_owned());
    report.verdict.title = format!("Broken {evil}");
    report.verdict.summary = format!("Broken {evil} {}", "A".repeat(5_000));
    report.facts[0]
        .fields
        .insert("client".to_owned(), json!(evil));
    for fact in &mut report.facts {
        if fact.kind == "schannel.failure" {
            fact.kind = "unknown.kind".to_owned();
            fact.fields
                .insert("text".to_owned(), json!(evil.repeat(40)));
        }
        for source in &mut fact.sources {
            source.artifact = source.artifact.as_ref().map(|path| format!("{path}{evil}"));
        }
    }
    for finding in &mut report.findings {
        for test in &mut finding.tests {
            test.name.push_str(evil);
        }
        for fix in &mut finding.fixes {
            fix.run = fix
                .run
                .as_ref()
                .map(|run| format!("{run}\u{1b}[0m\u{202e}"));
        }
    }
    report.problems[0].message.push_str(evil);
    report.gaps[0].why.push_str(evil);
    report
}

fn connection(client: &str, stranger: bool, attempts: u64, state: &str) -> Connection {
    Connection {
        client: client.to_owned(),
        stranger,
        attempts,
        first: None,
        last: None,
        reached: [("arrived".to_owned(), attempts)].into(),
        state: state.to_owned(),
    }
}
