//! Certificates, services and listeners that somebody listed as text, in several languages of Windows: they tell what the machine's own
//! files tell, as far as a text can, and never more.

mod support;

use rdptriage::Options;
use rdptriage::verdict::model::{Level, Report, Role};
use serde_json::{Value, json};
use support::certificate::{ForgedCertificate, StoreEntry};
use support::machine::{CONTROL_SET, Channel, Machine, TlsFailure, Windows, at, minutes};
use support::verdict::{Files, finding, report_with, says};

const ANNA: &str = "10.20.4.17";
const HOST: &str = "FABRIKAM-RD5";
const FULL_NAME: &str = "fabrikam-rd5.contoso.example";
const END: &str = "2026-11-12T13:00:00Z";

fn machine() -> Machine {
    let mut machine = Machine::new(HOST, Windows::Server2019, at("2026-05-04T06:00:00Z"));
    machine
        .boots(at("2026-11-01T03:00:00Z"))
        .listener_starts(at("2026-11-01T03:00:40Z"));
    machine
}

/// People come for three days; from Thursday morning on nobody gets in.
fn locked_out(machine: &mut Machine, failure: TlsFailure) {
    for day in 0..3 {
        let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440);
        machine.gets_in(time, ANNA, "anna");
        machine.leaves(time + minutes(200), ANNA, "anna");
    }
    for index in 0..8 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, ANNA, failure);
    }
}

fn files(machine: &mut Machine) -> Files {
    machine.written(at(END));
    machine.logs_and_hives(&Channel::OF_CONNECTIONS)
}

fn report(files: &Files) -> Report {
    report_with(files, &Options::default())
}

/// The same with a list in the place of SOFTWARE.
fn with_list(files: &Files, list: Vec<u8>) -> Report {
    let mut files = files.clone();
    files.remove("SOFTWARE");
    files.insert("HOST_Certificates/list.txt".to_owned(), list);
    report(&files)
}

fn fields<'r>(report: &'r Report, kind: &str) -> &'r serde_json::Map<String, Value> {
    let mut facts = report.facts.iter();
    let fact = facts.find(|fact| fact.kind == kind);
    &fact.unwrap_or_else(|| panic!("a fact {kind}")).fields
}

/// A rule of which the text says more than the files do: only doubt may come of what a text lacks.
fn says_more(of_files: &Report, of_text: &Report) -> Vec<String> {
    let certain = |report: &Report, cause: &str| {
        let finding = finding(report, cause);
        match (finding.role, finding.level) {
            (Role::Latent, _) => None,
            (_, level) => Some(level),
        }
    };
    let rank = |level: Level| match level {
        Level::Undetermined => 0,
        Level::Possible => 1,
        Level::Likely => 2,
        Level::Confirmed => 3,
        Level::RuledOut => -1,
    };
    let causes = of_text.findings.iter().map(|finding| finding.cause.clone());
    causes
        .filter(
            |cause| match (certain(of_files, cause), certain(of_text, cause)) {
                (Some(Level::RuledOut) | None, Some(now)) => rank(now) > 0,
                (Some(before), Some(now)) => rank(now) > rank(before),
                (_, None) => false,
            },
        )
        .collect()
}

/// What is listed of a certificate.
struct Listed {
    thumbprint: String,
    subject: &'static str,
    /// Year, month, day.
    begins: [u16; 3],
    ends: [u16; 3],
    has_key: bool,
    store: &'static str,
}

fn utf16(text: &str) -> Vec<u8> {
    let text = format!("\u{feff}{text}");
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The list as PowerShell and certutil write it, in several languages and encodings; whether it says that there is a key.
fn lists(of: &Listed) -> Vec<(&'static str, Vec<u8>, bool)> {
    let Listed {
        thumbprint,
        subject,
        begins: [y1, m1, d1],
        ends: [y2, m2, d2],
        has_key,
        store,
    } = of;
    let has_key = if *has_key { "True" } else { "False" };
    let path = format!("Microsoft.PowerShell.Security\\Certificate::LocalMachine\\{store}");
    let german = format!(
        "\r\n\r\nPSPath                   : {path}\\\r\n                           {thumbprint}\r\nPSParentPath             : {path}\r\nPSProvider               : Microsoft.PowerShell.Security\\Certificate\r\nEnhancedKeyUsageList     : {{Serverauthentifizierung (1.3.6.1.5.5.7.3.1)}}\r\nArchived                 : False\r\nNotAfter                 : {d2:02}.{m2:02}.{y2} 07:10:00\r\nNotBefore                : {d1:02}.{m1:02}.{y1} 07:10:00\r\nHasPrivateKey            : {has_key}\r\nSerialNumber             : 1F\r\nThumbprint               : {thumbprint}\r\nIssuer                   : {subject}\r\nSubject                  : {subject}\r\n\r\n\r\n"
    );
    let french = format!(
        "\r\n\r\nPSParentPath  : {path}\r\nSubject       : {subject}\r\nIssuer        : {subject}\r\nThumbprint    : {thumbprint}\r\nFriendlyName  : Clé été\r\nNotBefore     : {d1:02}/{m1:02}/{y1} 07:10:00\r\nNotAfter      : {d2:02}/{m2:02}/{y2} 07:10:00\r\nHasPrivateKey : {has_key}\r\n\r\nThumbprint    : A50337AB015D5612B7DC4C1E759D201E74CC2A93\r\nNotBefore     : 17/11/2025 06:10:00\r\nNotAfter      : 18/11/2045 06:10:00\r\n\r\n"
    );
    let japanese = format!(
        "    ディレクトリ: {path}\r\n\r\nThumbprint                               HasPrivateKey NotBefore            NotAfter             FriendlyName\r\n----------                               ------------- ---------            --------             ------------\r\n{thumbprint} {has_key:<13} {y1}/{m1:02}/{d1:02} 15:10:00  {y2}/{m2:02}/{d2:02} 15:10:00  東京支店サーバー\r\n\r\n"
    );
    let american = format!(
        "\"PSParentPath\",\"Thumbprint\",\"NotBefore\",\"NotAfter\",\"HasPrivateKey\",\"Subject\"\r\n\"{path}\",\"{thumbprint}\",\"{m1}/{d1}/{y1} 7:10:00 AM\",\"{m2}/{d2}/{y2} 7:10:00 AM\",\"{has_key}\",\"{subject}\"\r\n"
    );
    let of_msrd = format!(
        "\"Store\"\t\"Thumbprint\"\t\"Subject\"\t\"Issuer\"\t\"NotAfter\"\t\"IssuerThumbprint\"\t\"EnhancedKeyUsage\"\t\"SerialNumber\"\t\"SubjectKeyIdentifier\"\t\"AuthorityKeyIdentifier\"\r\n\"{store}\"\t\"{}\"\t\"{subject}\"\t\"{subject}\"\t\"{d2:02}.{m2:02}.{y2} 07:10:00\"\t\t\"Server Authentication\"\t\"1f\"\t\"0b\"\t\"\"\r\n",
        thumbprint.to_lowercase()
    );
    let json = format!(
        "[\r\n    {{\r\n        \"Thumbprint\":  \"{thumbprint}\",\r\n        \"PSParentPath\":  \"{}\",\r\n        \"NotBefore\":  \"{y1}-{m1:02}-{d1:02}T07:10:00+01:00\",\r\n        \"NotAfter\":  \"{y2}-{m2:02}-{d2:02}T07:10:00+01:00\",\r\n        \"HasPrivateKey\":  {}\r\n    }}\r\n]\r\n",
        path.replace('\\', "\\\\"),
        has_key.to_lowercase()
    );
    let of_certutil = format!(
        "my \"Eigene Zertifikate\"\r\n================ Zertifikat 0 ================\r\nSeriennummer: 1f\r\nAussteller: {subject}\r\n Nicht vor: {d1:02}.{m1:02}.{y1} 07:10\r\n Nicht nach: {d2:02}.{m2:02}.{y2} 07:10\r\nAntragsteller: {subject}\r\nSignatur stimmt mit \u{f6}ffentlichem Schl\u{fc}ssel \u{fc}berein\r\nZertifikathash(sha1): {}\r\nCertUtil: -store-Befehl wurde erfolgreich ausgef\u{fc}hrt.\r\n",
        thumbprint.to_lowercase()
    );
    let in_code_page = |text: &str| text.chars().map(|letter| letter as u8).collect();
    // As `>` of PowerShell, of cmd, and of PowerShell 7 write it.
    vec![
        ("German", utf16(&german), true),
        ("French", in_code_page(&french), true),
        ("Japanese", japanese.into_bytes(), true),
        ("American", american.into_bytes(), true),
        ("JSON", json.into_bytes(), true),
        ("MSRD-Collect", of_msrd.into_bytes(), false),
        ("certutil", in_code_page(&of_certutil), false),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn pinned(has_key: bool, begins: &str) -> (Machine, Listed) {
    let mut machine = machine();
    let certificate = ForgedCertificate::issued(FULL_NAME, "Contoso CA", at(begins));
    let entry = |der: Vec<u8>| {
        let mut entry = StoreEntry::cng(der, "rdp-2026");
        if !has_key {
            entry.key = None;
        }
        entry
    };
    let installed = at("2026-10-20T09:00:00Z");
    let thumbprint = machine.personal_certificate(&certificate, entry, installed);
    machine.pins(&thumbprint, installed);
    let day = |time: jiff::Timestamp| {
        let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
        [date.year() as u16, date.month() as u16, date.day() as u16]
    };
    let listed = Listed {
        thumbprint: hex(&thumbprint),
        subject: "CN=fabrikam-rd5.contoso.example",
        begins: day(certificate.not_before),
        ends: day(certificate.not_after),
        has_key,
        store: "My",
    };
    (machine, listed)
}

#[test]
fn an_ended_certificate_is_told_by_its_days_in_any_language() {
    let (mut machine, listed) = pinned(true, "2025-03-09T06:10:00Z");
    locked_out(&mut machine, TlsFailure::NoCredential);
    let files = files(&mut machine);
    let whole = report(&files);
    assert_eq!(fields(&whole, "listener.certificate")["ended"], true);
    for (language, list, _) in lists(&listed) {
        let told = with_list(&files, list);
        let certificate = fields(&told, "listener.certificate");
        assert_eq!(certificate["ended"], true, "{language}");
        assert!(
            certificate["not_after"].is_object(),
            "{language}: no moment is guessed"
        );
        assert_eq!(certificate["found"], false, "{language}");
        assert_eq!(says_more(&whole, &told), Vec::<String>::new(), "{language}");
    }
}

#[test]
fn a_valid_certificate_is_told_and_one_that_ends_about_then_is_left_open() {
    let (mut machine, mut listed) = pinned(true, "2026-03-15T06:10:00Z");
    locked_out(&mut machine, TlsFailure::NoCredential);
    let files = files(&mut machine);
    let whole = report(&files);
    for (language, list, _) in lists(&listed) {
        let told = with_list(&files, list);
        let certificate = fields(&told, "listener.certificate");
        assert_eq!(certificate["ended"], false, "{language}");
        assert_eq!(says_more(&whole, &told), Vec::<String>::new(), "{language}");
    }
    // On the very day: the time zone is not known.
    listed.ends = [2026, 11, 12];
    for (language, list, _) in lists(&listed) {
        let told = with_list(&files, list);
        let ended = &fields(&told, "listener.certificate")["ended"];
        assert!(ended.is_object(), "{language}: {ended}");
    }
    // The fifth of December or the twelfth of May: before the incident or after it.
    let either = format!(
        "Thumbprint : {}\r\nNotBefore  : 03/04/2026 06:10:00\r\nNotAfter   : 05/12/2026 06:10:00\r\n",
        listed.thumbprint
    );
    let told = with_list(&files, either.into_bytes());
    assert!(fields(&told, "listener.certificate")["ended"].is_object());
}

#[test]
fn a_certificate_without_a_key_is_told_of_the_machines_store_alone() {
    let (mut machine, mut listed) = pinned(false, "2026-03-15T06:10:00Z");
    locked_out(&mut machine, TlsFailure::NoCredential);
    let files = files(&mut machine);
    let whole = report(&files);
    assert_eq!(says(&whole), "confirmed certificate-without-key failing");
    for (language, list, says_of_key) in lists(&listed) {
        let told = with_list(&files, list);
        let without = &fields(&told, "certificate.key_link")["without_key"];
        match says_of_key {
            true => assert_eq!(without, &json!(true), "{language}"),
            false => assert!(without.is_object(), "{language}: {without}"),
        }
        assert_eq!(says_more(&whole, &told), Vec::<String>::new(), "{language}");
    }
    // A copy elsewhere has no key as a rule.
    listed.store = "Root";
    for (language, list, _) in lists(&listed) {
        let told = with_list(&files, list);
        let without = &fields(&told, "certificate.key_link")["without_key"];
        assert!(without.is_object(), "{language}: {without}");
    }
}

#[test]
fn a_listed_pin_is_not_dangling_and_one_that_is_not_listed_may_be_there() {
    let (mut machine, mut listed) = pinned(true, "2026-03-15T06:10:00Z");
    locked_out(&mut machine, TlsFailure::NoCredential);
    let files = files(&mut machine);
    for (language, list, _) in lists(&listed) {
        let told = with_list(&files, list);
        let dangling = &fields(&told, "certificate.pin")["dangling"];
        // What certutil prints may be a user's store.
        match language {
            "certutil" => assert!(dangling.is_object(), "{dangling}"),
            _ => assert_eq!(dangling, &json!(false), "{language}"),
        }
    }
    listed.thumbprint = "5A".repeat(20);
    for (language, list, _) in lists(&listed) {
        let told = with_list(&files, list);
        let dangling = &fields(&told, "certificate.pin")["dangling"];
        assert!(dangling.is_object(), "{language}: {dangling}");
        assert_ne!(
            told.verdict.cause.as_deref(),
            Some("certificate-pin-dangling"),
            "{language}"
        );
    }
}

#[test]
fn what_the_stores_hold_outweighs_a_list() {
    let (mut machine, mut listed) = pinned(true, "2026-03-15T06:10:00Z");
    locked_out(&mut machine, TlsFailure::NoCredential);
    let mut files = files(&mut machine);
    let whole = report(&files);
    listed.has_key = false;
    listed.ends = [2020, 1, 13];
    for (language, list, _) in lists(&listed) {
        files.insert("list.txt".to_owned(), list);
        let told = report(&files);
        for kind in [
            "listener.certificate",
            "certificate.key_link",
            "certificate.pin",
        ] {
            assert_eq!(fields(&told, kind), fields(&whole, kind), "{language}");
        }
        assert_eq!(says(&told), says(&whole), "{language}");
    }
}

/// What `sc query` prints of TermService in German, as cmd redirects it.
fn query(state: &str, code: &str) -> Vec<u8> {
    let text = format!(
        "\r\nSERVICE_NAME: TermService \r\n        TYP                : 30  WIN32  \r\n        STATUS             : {state} \r\n                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n        WIN32_EXIT_CODE    : {code}\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        PR\u{dc}FPUNKT          : 0x0\r\n        WARTEHINWEIS       : 0x0\r\n"
    );
    text.chars().map(|letter| letter as u8).collect()
}

fn sessions(listener: &str, end: &str) -> Vec<u8> {
    let text = format!(
        " SITZUNGSNAME              BENUTZERNAME             ID  STATUS  TYP         GERÄT \r\n services                                            0  Getr.                        \r\n>console                   Anna                      1  Aktiv                        \r\n{listener}{end}"
    );
    utf16(&text)
}

#[test]
fn a_disabled_service_that_runs_strikes_when_it_stops() {
    let disabled = |state: Option<(&str, &str)>| {
        let mut machine = machine();
        machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
        let service = format!("{CONTROL_SET}\\Services\\TermService");
        machine
            .system
            .set_dword(&service, "Start", 4)
            .touch(&service, at("2026-11-10T15:00:00Z"));
        for day in 0..2 {
            let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440);
            machine.gets_in(time, ANNA, "anna");
            machine.leaves(time + minutes(60), ANNA, "anna");
        }
        // Something later than the last that anybody saw of people.
        machine.program_crashes(at("2026-11-12T10:00:00Z"), "w3wp.exe", "ntdll.dll");
        let mut files = files(&mut machine);
        if let Some((state, code)) = state {
            files.insert("services.txt".to_owned(), query(state, code));
        }
        report(&files)
    };
    let role = |report: &Report| finding(report, "termservice-disabled").role;
    assert_ne!(role(&disabled(None)), Role::Latent);
    let runs = disabled(Some(("4  RUNNING", "0  (0x0)")));
    assert_eq!(role(&runs), Role::Latent, "{}", says(&runs));
    let stopped = disabled(Some(("1  STOPPED", "1077  (0x435)")));
    assert_ne!(role(&stopped), Role::Latent);
    assert_eq!(fields(&stopped, "service.state")["failed"], false);
}

/// A text carries no time, a log does.
#[test]
fn what_was_logged_outweighs_what_was_listed() {
    let found = |tell: &dyn Fn(&mut Machine), name: &str, list: Vec<u8>| {
        let mut machine = machine();
        machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
        tell(&mut machine);
        let mut files = files(&mut machine);
        files.insert(name.to_owned(), list);
        report(&files)
    };
    let stopped = found(
        &|machine| {
            let service = format!("{CONTROL_SET}\\Services\\TermService");
            machine
                .system
                .set_dword(&service, "Start", 4)
                .touch(&service, at("2026-11-10T15:00:00Z"));
            let display = "Remote Desktop Services";
            machine.service_state(at("2026-11-10T15:00:20Z"), display, "stopped");
        },
        "services.txt",
        query("4  RUNNING", "0  (0x0)"),
    );
    assert_ne!(finding(&stopped, "termservice-disabled").role, Role::Latent);
    let boot = "2026-11-12T03:00:00Z";
    let restarted = |list: Vec<u8>| {
        let tell = |machine: &mut Machine| {
            machine.boots(at(boot));
            let display = "Remote Desktop Services";
            machine.service_state(at("2026-11-12T03:00:30Z"), display, "running");
        };
        let report = found(&tell, "sessions.txt", list);
        finding(&report, "listener-missing").level
    };
    let row =
        " rdp-tcp                                         65536  Listen                       \r\n";
    assert_eq!(restarted(Vec::new()), Level::Confirmed);
    assert_eq!(restarted(sessions("", "\r\nx\r\n")), Level::Confirmed);
    // One of the two is of another time, and nobody knows which.
    assert_eq!(restarted(sessions(row, "")), Level::Undetermined);
}

#[test]
fn a_service_found_stopped_with_an_error_supports_and_does_not_confirm() {
    let found = |state: &str, code: &str| {
        let mut machine = machine();
        machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
        let hives = [
            ("SYSTEM", machine.system.to_bytes()),
            ("SOFTWARE", machine.software.to_bytes()),
            ("HOST_ServiceState.txt", query(state, code)),
        ];
        let files = hives.map(|(name, bytes)| (name.to_owned(), bytes));
        let report = report(&Files::from(files));
        finding(&report, "termservice-failing").level
    };
    assert_eq!(found("1  STOPPED", "1067  (0x42b)"), Level::Likely);
    for (state, code) in [
        ("1  STOPPED", "0  (0x0)"),
        ("1  STOPPED", "1077  (0x435)"),
        ("1  STOPPED", "1067  (0x1)"),
        ("4  RUNNING", "0  (0x0)"),
        ("3  STOP_PENDING", "1067  (0x42b)"),
    ] {
        assert_eq!(found(state, code), Level::Undetermined, "{state} {code}");
    }
}

#[test]
fn a_listener_that_listens_is_not_missing_and_a_cut_list_proves_nothing() {
    let found = |list: Option<Vec<u8>>| {
        let mut machine = machine();
        machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
        let mut files = Files::from([
            ("SYSTEM".to_owned(), machine.system.to_bytes()),
            ("SOFTWARE".to_owned(), machine.software.to_bytes()),
        ]);
        files.extend(list.map(|list| ("HOST_Qwinsta.txt".to_owned(), list)));
        let report = report(&files);
        let mut facts = report.facts.iter();
        let session = facts.find(|fact| fact.kind == "listener.session");
        let listens = session.map(|fact| fact.fields["listens"].clone());
        (finding(&report, "listener-missing").level, listens)
    };
    let row =
        " rdp-tcp                                         65536  Abhör.                       \r\n";
    assert_eq!(found(None), (Level::Undetermined, None));
    let listens = Some(json!(true));
    assert_eq!(found(Some(sessions(row, ""))), (Level::RuledOut, listens));
    assert_eq!(found(Some(sessions("", ""))), (Level::Undetermined, None));
    let (level, listens) = found(Some(sessions("", "\r\nGesamtzahl: 5\r\n")));
    assert_eq!((level, listens), (Level::Undetermined, Some(json!(false))));
    let unknown = row.replace("Abhör.", "Écoute");
    let (level, listens) = found(Some(sessions(&unknown, "")));
    assert_eq!(level, Level::Undetermined);
    assert!(listens.unwrap().is_object());
}

#[test]
fn two_lists_that_contradict_each_other_tell_nothing() {
    let mut machine = machine();
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    let row =
        " rdp-tcp                                         65536  Listen                       \r\n";
    let files = Files::from([
        ("SYSTEM".to_owned(), machine.system.to_bytes()),
        (
            "a/QWinSta_Start_.txt".to_owned(),
            sessions(row, "\r\nx\r\n"),
        ),
        ("a/QWinSta_Stop_.txt".to_owned(), sessions("", "\r\nx\r\n")),
        ("a/1.txt".to_owned(), query("4  RUNNING", "0  (0x0)")),
        ("a/2.txt".to_owned(), query("1  STOPPED", "1067  (0x42b)")),
    ]);
    let report = report(&files);
    assert!(fields(&report, "listener.session")["listens"].is_object());
    assert!(fields(&report, "service.state")["running"].is_object());
    assert!(fields(&report, "service.state")["failed"].is_object());
}

/// People gather outputs in one file, by `>>` of cmd and of PowerShell in turn.
#[test]
fn outputs_that_two_consoles_wrote_into_one_file_are_all_read() {
    let (mut machine, listed) = pinned(true, "2025-03-09T06:10:00Z");
    locked_out(&mut machine, TlsFailure::NoCredential);
    let files = files(&mut machine);
    let all = lists(&listed);
    let of = |name: &str| {
        let mut all = all.iter();
        let (_, bytes, _) = all.find(|(language, ..)| *language == name).unwrap();
        bytes.clone()
    };
    let by_cmd = query("4  RUNNING", "0  (0x0)");
    let without_mark = of("German")[2..].to_vec();
    for joined in [
        [by_cmd.clone(), without_mark.clone()].concat(),
        [of("German"), by_cmd.clone()].concat(),
        [of("certutil"), by_cmd, without_mark].concat(),
    ] {
        let told = with_list(&files, joined);
        assert_eq!(fields(&told, "listener.certificate")["ended"], true);
        assert_eq!(fields(&told, "service.state")["running"], true);
    }
}
