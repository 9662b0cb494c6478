//! Reads the compact scripts of events, and says in one line what they come to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rdptriage::facts::catalog::connection::Outcome;
use rdptriage::facts::clock::Clock;
use rdptriage::facts::connection::address;
use rdptriage::facts::coverage::Window;
use rdptriage::facts::event::LoggedEvent;
use rdptriage::facts::fact::{Fact, FactSet};
use rdptriage::facts::forgery::Forged;
use rdptriage::facts::gap::Gaps;
use rdptriage::facts::history::{Bearing, History, Options, Surroundings};
use rdptriage::facts::incident::ConnectionState;
use rdptriage::facts::known::Known;
use rdptriage::facts::log_coverage::{CollectedLog, Logging};
use rdptriage::facts::schannel::OtherListeners;
use rdptriage::facts::subject::Subject;
use rdptriage::facts::value::FieldState;
use rdptriage::facts::watch;
use rdptriage::parse::event_log::{
    self, ClockStep, EventData, EventRecord, Gap, GapKind, Hole, Integrity, LogSummary, Mark, Span,
};

const CORE: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
const MANAGER: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";

/// Events, logs and end of one script.
pub struct Script {
    pub events: Vec<LoggedEvent>,
    pub logs: Vec<CollectedLog>,
    pub end: Timestamp,
}

/// `01T09:00`, in March 2025.
pub fn time(text: &str) -> Timestamp {
    format!("2025-03-{text}:00Z").parse().expect(text)
}

fn said(time: Timestamp) -> String {
    time.to_string()["2025-03-".len()..][.."01T09:00".len()].to_owned()
}

impl Script {
    pub fn read(script: &str, logs: &str, end: &str) -> Script {
        let end = time(end);
        let mut records: BTreeMap<&'static str, Vec<EventRecord>> = BTreeMap::new();
        let mut day = "01";
        for (number, group) in script
            .split('|')
            .map(str::trim)
            .filter(|group| !group.is_empty())
            .enumerate()
        {
            let (activity, group) = match group.strip_prefix('~') {
                Some(group) => (None, group),
                None => (Some(format!("{{{number:08x}}}")), group),
            };
            let mut words = group.split_whitespace();
            let clock = words.next().expect("a time");
            let clock = match clock.split_once('T') {
                Some((named, clock)) => {
                    day = named;
                    clock
                }
                None => clock,
            };
            let mut at = time(&format!("{day}T{clock}"));
            let client = words.next().expect("a client");
            for word in words {
                if let Some(pause) = word.strip_prefix('+') {
                    at += pause_of(pause);
                    continue;
                }
                let (log, mut record) = record(word, client, number);
                record.time = at;
                if let Some((_, new)) = record
                    .data
                    .named
                    .iter_mut()
                    .find(|(name, _)| name == "NewTime")
                {
                    *new = at.to_string();
                }
                record.activity_id.clone_from(&activity);
                at += SignedDuration::from_millis(100);
                records.entry(log).or_default().push(record);
            }
        }
        let mut script = Script {
            events: Vec::new(),
            logs: Vec::new(),
            end,
        };
        for spec in logs.split_whitespace() {
            script.log(spec, &mut records);
        }
        script
    }

    fn log(&mut self, spec: &str, records: &mut BTreeMap<&'static str, Vec<EventRecord>>) {
        let name = spec.split(['?', '!', '<']).next().expect("a name");
        let channel = match name {
            "core" => format!("{CORE}/Operational"),
            "rcm" => format!("{MANAGER}/Operational"),
            "lsm" => format!("{SESSIONS}/Operational"),
            "system" => "System".to_owned(),
            "security" => "Security".to_owned(),
            other => panic!("no log {other}"),
        };
        let artifact: Arc<str> = Arc::from(format!("{name}.evtx"));
        let first = Mark {
            number: 1,
            order: 1,
            time: time("01T00:00"),
        };
        let mut span = Span {
            oldest: first,
            newest: first,
        };
        let mut summary = LogSummary::default();
        for (index, mut record) in records
            .remove(name)
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            record.number = index as u64 + 2;
            record.order = record.number;
            record.channel.clone_from(&channel);
            let mark = Mark {
                number: record.number,
                order: record.order,
                time: record.time,
            };
            if mark.time < span.newest.time {
                summary.clock_steps.push(ClockStep {
                    from: span.newest,
                    to: mark,
                    undone: false,
                });
            }
            span.newest = mark;
            self.events.extend(LoggedEvent::read(&artifact, &record));
        }
        if let Some((_, last)) = spec.split_once('<') {
            assert!(span.newest.time <= time(last), "{spec}");
        }
        summary.span = Some(span);
        summary.channels = BTreeMap::from([(channel, span)]);
        if spec.ends_with('?') {
            summary.gap_count = 1;
            summary.gaps = vec![Gap {
                numbers: 1..=1,
                kind: GapKind::Selected,
                after: first.time,
                before: first.time,
            }];
        }
        if let Some((_, hole)) = spec.split_once('!') {
            let (from, to) = hole.split_once('-').expect("a hole");
            summary.holes = vec![Hole {
                chunk: 0,
                offset: 0,
                length: 0,
                hides: None,
                after: Some(time(&format!("01T{from}"))),
                before: Some(time(&format!("01T{to}"))),
                what: "damaged".to_owned(),
            }];
        }
        self.logs.push(CollectedLog {
            artifact,
            summary,
            forged: Forged::default(),
            left_out_until: None,
        });
    }

    /// What a collection says that knows all about the machine: no other listener, Schannel logs errors.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings {
            written: Some(self.end),
            logging: Logging {
                channels_off: BTreeSet::new(),
                schannel_errors: Known::Is(true),
            },
            others: OtherListeners {
                domain_controller: Known::Is(false),
                tls_listener: Known::Is(false),
            },
        }
    }
}

fn pause_of(text: &str) -> SignedDuration {
    let (count, unit) = text.split_at(text.len() - 1);
    let count: i64 = count.parse().expect(text);
    match unit {
        "s" => SignedDuration::from_secs(count),
        "m" => SignedDuration::from_mins(count),
        _ => SignedDuration::from_hours(count),
    }
}

/// One word of a script as a record, and the log that it stands in.
fn record(word: &str, client: &str, session: usize) -> (&'static str, EventRecord) {
    let (word, code) = word
        .split_once('=')
        .map_or((word, None), |(word, code)| (word, Some(code)));
    let (word, process) = word
        .split_once('@')
        .map_or((word, None), |(word, process)| (word, Some(process)));
    let mut parts = word.split('/');
    let event = parts.next().expect("an event");
    let details: Vec<&str> = parts.collect();
    let id: u32 = event.trim_end_matches(['u', 't']).parse().unwrap_or(1);
    let with_port = match client.contains(':') {
        true => format!("[{client}]:50222"),
        false => format!("{client}:50222"),
    };
    let address = if client == "-" { "LOCAL" } else { client };
    let session = session.to_string();
    let code = code.unwrap_or("0");
    let (log, provider, fields): (_, _, Vec<(&str, &str)>) = match id {
        1 => ("system", "Microsoft-Windows-Kernel-General", vec![]),
        131 => (
            "core",
            CORE,
            vec![
                ("ConnType", if event.ends_with('u') { "UDP" } else { "TCP" }),
                ("ClientIP", &with_port),
            ],
        ),
        66 => (
            "core",
            CORE,
            vec![("ConnectionName", "RDP-Tcp#1"), ("SessionID", &session)],
        ),
        139 => (
            "core",
            CORE,
            vec![("ResultCode", code), ("IPString", address)],
        ),
        140 => ("core", CORE, vec![("IPString", address)]),
        226 => (
            "core",
            CORE,
            vec![
                (
                    "StateTransition",
                    if event.ends_with('t') {
                        "RDP_TCP"
                    } else {
                        "RDP_SEC"
                    },
                ),
                ("ErrorCode", code),
            ],
        ),
        142 | 143 => ("core", CORE, vec![("error", code)]),
        65 | 98 | 102 | 103 | 153 => ("core", CORE, vec![]),
        261 | 258 => ("rcm", MANAGER, vec![("listenerName", "RDP-Tcp")]),
        1149 => (
            "rcm",
            MANAGER,
            vec![
                ("Param1", "user"),
                ("Param2", "DOMAIN"),
                ("Param3", address),
            ],
        ),
        1158 => ("rcm", MANAGER, vec![("Param1", address)]),
        21 | 22 | 25 => (
            "lsm",
            SESSIONS,
            vec![
                ("User", "user"),
                ("SessionID", &session),
                ("Address", address),
            ],
        ),
        23 | 24 => (
            "lsm",
            SESSIONS,
            vec![("User", "user"), ("SessionID", &session)],
        ),
        39 => ("lsm", SESSIONS, vec![("TargetSession", &session)]),
        40 => (
            "lsm",
            SESSIONS,
            vec![("Session", &session), ("Reason", code)],
        ),
        50 | 56 => ("system", "TermDD", vec![]),
        4624 | 4625 => (
            "security",
            "Microsoft-Windows-Security-Auditing",
            vec![
                ("LogonType", details[0]),
                ("IpAddress", address),
                ("Status", "0xC000006D"),
                ("SubStatus", code),
            ],
        ),
        7001 => (
            "system",
            "Microsoft-Windows-Winlogon",
            vec![("TSId", details[0])],
        ),
        1053..=1065 => ("system", MANAGER, vec![]),
        5058 | 5061 => (
            "security",
            "Microsoft-Windows-Security-Auditing",
            vec![
                ("KeyName", details[0]),
                ("SubjectUserSid", "S-1-5-20"),
                ("ReturnCode", code),
            ],
        ),
        36874 | 36886..=36888 => ("system", "Schannel", vec![]),
        36864.. => ("system", "Schannel", vec![("Type", "server")]),
        other => panic!("no event {other}"),
    };
    let mut data = EventData {
        named: fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        ..EventData::default()
    };
    let mut field = |name: &str, value: &str| data.named.push((name.to_owned(), value.to_owned()));
    match id {
        1 => {
            field("OldTime", &time(code).to_string());
            // Filled in with the time at which the group stands.
            field("NewTime", "");
        }
        36870 => field("ErrorCode", code),
        36887 => field("AlertDesc", details[0]),
        36888 => {
            field("AlertDesc", details[0]);
            field("ErrorState", details[1]);
        }
        _ => {}
    }
    if let Some(process) = process {
        field("CallerProcessId", process);
        field("CallerProcessImageName", r"C:\Windows\System32\svchost.exe");
    }
    if provider == MANAGER && log == "system" {
        data.unnamed = vec![code.replace('_', " ")];
    }
    if log == "system" && provider == "TermDD" {
        data.unnamed = vec![r"\Device\Termdd".to_owned(), address.to_owned()];
        let code = u32::from_str_radix(code.trim_start_matches("0x"), 16).expect(code);
        data.binary = Some([vec![0; 40], code.to_le_bytes().to_vec()].concat());
    }
    let record = EventRecord {
        number: 0,
        order: 0,
        time: Timestamp::UNIX_EPOCH,
        provider: provider.to_owned(),
        source_name: None,
        event_id: id,
        qualifiers: None,
        version: None,
        level: None,
        keywords: None,
        channel: String::new(),
        computer: "SERVER".to_owned(),
        process_id: matches!(log, "core" | "rcm").then_some(332),
        thread_id: None,
        activity_id: None,
        user_sid: None,
        data,
        chunk: 0,
        offset: 0,
        integrity: Integrity::Whole,
    };
    (log, record)
}

/// What a script comes to, in one line.
pub fn report(script: &Script, named: &str) -> String {
    let options = Options {
        incident: None,
        client_addresses: address::parse(named).into_iter().collect(),
    };
    let mut gaps = Gaps::default();
    let history = History::read(
        &script.events,
        &script.logs,
        &script.surroundings(),
        &options,
        &mut gaps,
    );
    let anchors = &history.anchors;
    let stage = history
        .standing
        .stage
        .map(|stage| format!(" at {stage}"))
        .unwrap_or_default();
    let mut parts = vec![format!("{}{stage}", anchors.state)];
    let name = |address: &Option<IpAddr>| {
        address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    };
    for (outcome, word) in [
        (Outcome::LockedOut, "locked out"),
        (Outcome::Undecided, "undecided"),
        (Outcome::In, "in"),
    ] {
        let clients: Vec<String> = history
            .clients
            .iter()
            .filter(|client| !client.stranger && client.outcome == outcome)
            .map(|client| name(&client.address))
            .collect();
        if !clients.is_empty() {
            parts.push(format!("{word} {}", clients.join(", ")));
        }
    }
    if let Some(Some(last)) = anchors.last_success.settled() {
        parts.push(format!("last {}", said(*last)));
    }
    if let Some(Some(first)) = anchors.first_failure.settled() {
        parts.push(format!("first {}", said(*first)));
    }
    let locked_out = history.clients.iter().filter(|client| client.is_affected());
    let codes: BTreeSet<String> = locked_out
        .filter_map(|client| client.code)
        .map(|code| code.to_string())
        .collect();
    if !codes.is_empty() {
        parts.push(format!(
            "code {}",
            codes.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    let strangers = history
        .clients
        .iter()
        .filter(|client| client.stranger)
        .count();
    if strangers > 0 {
        parts.push(format!("strangers {strangers}"));
    }
    if anchors.state == ConnectionState::Unseen
        && let Some(incident) = anchors.incident
    {
        parts.push(format!("incident {}", said(incident)));
    }
    parts.join("; ")
}

/// The facts of one kind that a script gives, each as the values of some fields: `?` is open, `-` is none.
pub fn facts(script: &Script, kind: &str, fields: &[&str]) -> String {
    let mut gaps = Gaps::default();
    let not_looked = gaps.open(Subject::SystemHive, "not in the collection");
    let surroundings = script.surroundings();
    let history = History::read(
        &script.events,
        &script.logs,
        &surroundings,
        &Options::default(),
        &mut gaps,
    );
    let mut facts = FactSet::new(gaps, history.anchors.clone());
    let bearing = Bearing {
        lists_share: Known::Open(not_looked),
        list_locks_out: Known::Open(not_looked),
        listener_container: Known::Open(not_looked),
        certificate_validity: Known::Is(Some((time("01T00:00"), time("02T00:00")))),
        display_names: BTreeMap::new(),
    };
    history.add_facts(&bearing, &mut facts);
    let value = |fact: &Fact, name: &str| match fact.field(name) {
        Some(FieldState::Is(value)) => value.to_string(),
        Some(FieldState::Nothing) => "-".to_owned(),
        Some(FieldState::Open(_)) => "?".to_owned(),
        None => panic!("no field {name}"),
    };
    facts
        .facts()
        .iter()
        .filter(|fact| fact.kind.name == kind)
        .map(|fact| {
            let values: Vec<String> = fields.iter().map(|name| value(fact, name)).collect();
            values.join(" ")
        })
        .collect::<Vec<_>>()
        .join(" | ")
}

impl Script {
    /// The events and logs of real files.
    pub fn of_files(paths: &[std::path::PathBuf]) -> Script {
        let mut script = Script {
            events: Vec::new(),
            logs: Vec::new(),
            end: Timestamp::UNIX_EPOCH,
        };
        for path in paths {
            let artifact: Arc<str> = Arc::from(path.file_name().expect("a name").to_string_lossy());
            let bytes = std::fs::read(path).expect("a readable file");
            let summary = event_log::read(&bytes, &watch::wants, &mut |record| {
                script.events.extend(LoggedEvent::read(&artifact, &record));
            })
            .expect("an event log");
            script.end = summary
                .span
                .map_or(script.end, |span| script.end.max(span.newest.time));
            script.logs.push(CollectedLog {
                artifact,
                summary,
                forged: Forged::default(),
                left_out_until: None,
            });
        }
        script
    }
}

/// Whether the logs of a script prove what did not happen between two times.
pub fn covers(
    script: &Script,
    surroundings: &Surroundings,
    subject: Subject,
    from: &str,
    to: &str,
) -> bool {
    let mut gaps = Gaps::default();
    let options = Options::default();
    let history = History::read(
        &script.events,
        &script.logs,
        surroundings,
        &options,
        &mut gaps,
    );
    let window = Window {
        from: Some(time(from)),
        to: Some(time(to)),
    };
    history.coverage.covers(subject, &window)
}

/// The end of the collection as the logs alone tell it.
pub fn end_of(script: &Script) -> Option<String> {
    let clock = Clock::read(&script.events, &script.logs, None);
    clock.as_of.map(said)
}
