//! Reads typed events out of records. By the names of fields; the classic events that have none are read by the place of
//! their nameless values, which is their meaning.
//!
//! Field names are those of the providers' manifests and of real logs (Windows 7 to 11, Server 2008 R2 to 2025).

use jiff::Timestamp;

use super::{Event, SchannelEvent, ServiceName, Transport};
use crate::facts::catalog::firewall::NetworkKind;
use crate::facts::catalog::key::StorageTrouble;
use crate::facts::catalog::load::Resource;
use crate::facts::catalog::schannel::SchannelRole;
use crate::facts::connection::address;
use crate::facts::value::Code;
use crate::facts::watch::{self, Writer};
use crate::parse::event_log::{EventData, EventRecord};

impl Event {
    /// What a record says; none if it is not on the watch list, or lacks what such an event must hold.
    #[must_use]
    pub fn read(record: &EventRecord) -> Option<Event> {
        let writer = watch::watched(
            &record.provider,
            record.source_name.as_deref(),
            record.event_id,
        )?;
        let data = &record.data;
        let event = record.event_id;
        match writer {
            Writer::RdpCoreTs => Some(transport_event(event, data)),
            Writer::NetLogon => Some(Event::DomainFailed {
                provider: "NETLOGON",
                event,
            }),
            Writer::GroupPolicy if event == 1502 => Some(Event::PolicyApplied),
            Writer::GroupPolicy => Some(Event::DomainFailed {
                provider: "GroupPolicy",
                event,
            }),
            Writer::LocalSecurity => local_security_event(event, data),
            Writer::Ntlm => Some(Event::NtlmRefused { event }),
            Writer::SmartCards => Some(Event::SmartCardRefused {
                provider: "SCardSvr",
                event,
            }),
            Writer::KeyDistribution => Some(Event::SmartCardRefused {
                provider: "Kdcsvc",
                event,
            }),
            Writer::ConnectionManager => Some(manager_event(event, data)),
            Writer::SessionManager => Some(session_event(event, data)),
            Writer::TermDd => Some(driver_error(event, data)),
            Writer::Schannel => Some(Event::Schannel(schannel_event(event, data))),
            Writer::Security => security_event(event, data),
            Writer::ServiceControl => Some(service_event(event, data)),
            Writer::Kernel if event == 1 => clock_set(data),
            Writer::Kernel | Writer::EventLog => Some(Event::Booted {
                event,
                build: match event {
                    12 => number(data, "BuildVersion"),
                    // The second string of 6009: "10.00.", "17763", "", "Multiprocessor Free", "0".
                    6009 => data
                        .unnamed
                        .get(1)
                        .and_then(|build| build.trim().parse().ok()),
                    _ => None,
                },
            }),
            Writer::LogKeeper => Some(Event::LogCleared {
                channel: match data.field("Channel") {
                    Some(channel) if event == 104 && !channel.is_empty() => channel.to_owned(),
                    _ if event == 1102 => "Security".to_owned(),
                    _ => record.channel.clone(),
                },
            }),
            Writer::Winlogon => Some(Event::DesktopBegan {
                session: number(data, "TSId")?,
            }),
            Writer::RdpClient => client_event(event, data),
            Writer::FileSystem => Some(Event::StorageFailed {
                trouble: StorageTrouble::FileSystem,
                provider: "Ntfs",
                event,
            }),
            Writer::Disk => Some(Event::StorageFailed {
                trouble: StorageTrouble::Device,
                provider: "disk",
                event,
            }),
            Writer::Crashes | Writer::Wininit => crashed(event, data),
            Writer::Networks => network_changed(event, data),
            Writer::FileServer if event == 2013 => Some(Event::StorageFailed {
                trouble: StorageTrouble::Full,
                provider: "srv",
                event,
            }),
            Writer::FileServer | Writer::Tcpip | Writer::ResourceExhaustion => {
                Some(exhausted(writer, event))
            }
            // The client's notes of what went well bear the same numbers on some builds.
            Writer::BrokerClient if record.level.is_some_and(|level| level >= 4) => None,
            Writer::Broker | Writer::BrokerClient => Some(Event::BrokerFailed { event }),
            Writer::Update => article(data.field("updateTitle")?),
            Writer::Servicing => article(installed_package(data)?),
        }
    }
}

fn exhausted(writer: Writer, event: u32) -> Event {
    let (resource, provider) = match (writer, event) {
        (Writer::Tcpip, _) => (Resource::Ports, "Tcpip"),
        (Writer::FileServer, 2019) => (Resource::NonpagedPool, "srv"),
        (Writer::FileServer, _) => (Resource::PagedPool, "srv"),
        _ => (Resource::Memory, "Resource-Exhaustion-Detector"),
    };
    Event::Exhausted {
        resource,
        provider,
        event,
    }
}

/// The update that a title or a package names by its number; none where it names none (a driver, a definition).
fn article(named: &str) -> Option<Event> {
    let start = named.to_ascii_uppercase().find("KB")?;
    let digits: String = named
        .get(start + 2..)?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    (digits.len() >= 6).then(|| Event::Updated {
        article: format!("KB{digits}"),
    })
}

/// The package of Servicing 2 that is installed now (CBS_STATE 112 of Windows' servicing, written `5112` by some builds).
fn installed_package(data: &EventData) -> Option<&str> {
    let installed = match number(data, "IntendedPackageState") {
        Some(state) => matches!(state, 112 | 5112),
        None => data
            .field("IntendedPackageStateTextized")
            .is_some_and(|state| state.trim().eq_ignore_ascii_case("installed")),
    };
    installed.then(|| data.field("PackageIdentifier")).flatten()
}

fn transport_event(event: u32, data: &EventData) -> Event {
    let client = || data.field("IPString").and_then(address::parse);
    match event {
        131 => Event::Accepted {
            transport: match data.field("ConnType") {
                Some(kind) if kind.trim().eq_ignore_ascii_case("UDP") => Transport::Udp,
                _ => Transport::Tcp,
            },
            client: data.field("ClientIP").and_then(address::parse),
        },
        66 => Event::Assigned {
            session: number(data, "SessionID"),
        },
        153 => Event::TlsNegotiated {
            version: data.field("TLSVersion").map(|text| text.trim().to_owned()),
        },
        139 => Event::SecurityLayerError {
            code: number(data, "ResultCode").map(Code),
            client: client(),
        },
        226 => Event::TransitionFailed {
            // The client's provider of the same id says StateTransitionName.
            machine: data
                .field("StateTransition")
                .or_else(|| data.field("StateTransitionName"))
                .unwrap_or("")
                .trim()
                .to_owned(),
            code: number(data, "ErrorCode").map(Code),
        },
        140 => Event::PasswordRefused { client: client() },
        149 => Event::SmartCardRefused {
            provider: "RdpCoreTS",
            event,
        },
        142 | 143 => Event::TransportBroken {
            code: number(data, "error").map(Code),
        },
        106 => Event::ListenerRefused { event },
        102 | 103 => Event::Ended {
            reason: number(data, "ReasonCode"),
        },
        138 => Event::SideChannelFailed {
            code: number(data, "ResultCode").map(Code),
        },
        _ => Event::Created,
    }
}

fn manager_event(event: u32, data: &EventData) -> Event {
    match event {
        258 => Event::ListenerStarted,
        260 => Event::ListenerFailed {
            event,
            code: number(data, "errorCode").map(Code),
        },
        // "The relevant status code was %1."
        1035 | 1036 => Event::ListenerFailed {
            event,
            code: said(data)
                .and_then(|text| parse_number(text.trim_end_matches('.')))
                .map(Code),
        },
        261 => Event::ListenerReached,
        1149 => Event::Authenticated {
            client: data.field("Param3").and_then(address::parse),
        },
        1158 => Event::AcceptedFrom {
            client: data.field("Param1").and_then(address::parse),
        },
        1006 => Event::TooManyIncomplete,
        1003 | 1004 | 1068 | 1069 => Event::Licensing { event },
        1136 => Event::NoSessionHost,
        1056 | 1057 | 1058 | 1063 | 1064 | 1065 => Event::Renewal {
            event,
            text: said(data),
        },
        _ => Event::CertificateNotice { event },
    }
}

/// What a classic event says: its nameless values; in manifests of some builds they bear the name `errorCode`.
fn said(data: &EventData) -> Option<String> {
    let named = data.named.iter().map(|(_, value)| value);
    let text = data
        .unnamed
        .iter()
        .chain(named)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    (!text.is_empty()).then_some(text)
}

fn session_event(event: u32, data: &EventData) -> Event {
    let session = ["SessionID", "Session", "TargetSession"]
        .iter()
        .find_map(|name| number(data, name));
    match event {
        21 | 22 | 25 => Event::SessionOpened {
            event,
            session,
            client: data.field("Address").and_then(address::parse),
        },
        34 => Event::SetupRefuses,
        _ => Event::SessionLeft {
            event,
            session,
            reason: number(data, "Reason"),
        },
    }
}

/// The status is the last four bytes; 0xDxxxxxxx stands for the NTSTATUS 0xCxxxxxxx (Microsoft's remarks on TermDD 56).
fn driver_error(event: u32, data: &EventData) -> Event {
    let code = data
        .binary
        .as_deref()
        .and_then(|bytes| bytes.last_chunk::<4>())
        .map(|bytes| u32::from_le_bytes(*bytes))
        .map(|code| match code >> 28 {
            0xD => code & 0x0FFF_FFFF | 0xC000_0000,
            _ => code,
        });
    Event::DriverError {
        event,
        code: code.filter(|code| *code != 0).map(Code),
        client: data.unnamed.get(1).and_then(|text| address::parse(text)),
    }
}

fn schannel_event(event: u32, data: &EventData) -> SchannelEvent {
    let text = |name: &str| {
        let text = data.field(name)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    SchannelEvent {
        event,
        role: match event {
            // "... the cipher suites supported by the client application are (not) supported by the server"; "no suitable
            // default server credential exists".
            36874 | 36886 => Some(SchannelRole::Server),
            36881 => Some(SchannelRole::Client),
            _ => data.field("Type").and_then(schannel_role),
        },
        error: number(data, "ErrorCode").map(Code),
        state: number(data, "ErrorState").or_else(|| number(data, "ErrorStatus")),
        alert: number(data, "AlertDesc"),
        protocol: text("Protocol"),
        suite: number(data, "CipherSuite"),
        caller: number(data, "CallerProcessId").filter(|process| *process != 0),
        image: text("CallerProcessImageName"),
    }
}

/// The words for the two ends of TLS, in the languages of Windows that are known here.
const ROLE_WORDS: &[(SchannelRole, &[&str])] = &[
    (
        SchannelRole::Server,
        &[
            "server",
            "serveur",
            "servidor",
            "сервер",
            "сервера",
            "サーバー",
            "服务器",
            "伺服器",
            "서버",
            "serwer",
            "kiszolgáló",
        ],
    ),
    (
        SchannelRole::Client,
        &[
            "client",
            "cliente",
            "клиент",
            "клиента",
            "クライアント",
            "客户端",
            "用戶端",
            "클라이언트",
            "klient",
            "ügyfél",
        ],
    ),
];

fn schannel_role(text: &str) -> Option<SchannelRole> {
    let text = text.trim().to_lowercase();
    ROLE_WORDS
        .iter()
        .find(|(_, words)| words.contains(&text.as_str()))
        .map(|(role, _)| *role)
}

fn security_event(event: u32, data: &EventData) -> Option<Event> {
    let text = |name: &str| {
        data.field(name)
            .map(str::trim)
            .filter(|text| !text.is_empty() && *text != "-")
    };
    match event {
        4624 | 4625 => {
            let kind = number(data, "LogonType").filter(|kind| [3, 7, 10].contains(kind))?;
            let status = ["SubStatus", "Status"]
                .iter()
                .filter_map(|name| number(data, name))
                .find(|code| *code != 0);
            Some(Event::Logon {
                kind,
                client: text("IpAddress").and_then(address::parse),
                // STATUS_LOGON_FAILURE where the record does not say why.
                refused: (event == 4625).then_some(Code(status.unwrap_or(0xC000_006D))),
            })
        }
        4740 => Some(Event::AccountLocked {
            // Here, and only here, the field holds a computer.
            caller: text("TargetDomainName").map(str::to_owned),
        }),
        4825 => Some(Event::DesktopDenied {
            client: text("ClientAddress").and_then(address::parse),
        }),
        4616 => {
            let (from, to) = (text("PreviousTime")?, text("NewTime")?);
            Some(Event::ClockSet {
                from: from.parse().ok()?,
                to: to.parse().ok()?,
            })
        }
        4653 | 4654 | 4984 => Some(Event::IpsecFailed { event }),
        _ => Some(Event::KeyOperation {
            event,
            container: text("KeyName")?.to_owned(),
            account: text("SubjectUserSid").map(str::to_owned),
            path: text("KeyFilePath").map(str::to_owned),
            result: Code(number(data, "ReturnCode")?),
        }),
    }
}

/// 6041: "A CredSSP authentication to %1 failed to negotiate a common protocol version." The number 6167 means something else,
/// and holds values, from build 28000 on.
fn local_security_event(event: u32, data: &EventData) -> Option<Event> {
    let mut values = data.named.iter().map(|(_, value)| value);
    match event {
        6041 => {
            let server = data.unnamed.iter().chain(&mut values).next()?.trim();
            Some(Event::CredSspRefused {
                server: server.to_owned(),
            })
        }
        _ => (data.unnamed.is_empty() && data.named.is_empty()).then_some(Event::MachineSidRefused),
    }
}

fn service_event(event: u32, data: &EventData) -> Event {
    let text = |name: &str| data.field(name).unwrap_or("").trim().to_owned();
    let bytes = data.binary.as_deref().and_then(utf16);
    let (key, state) = match bytes.as_deref().map(|text| text.split_once('/')) {
        Some(Some((key, state))) => (Some(key), state.parse().ok()),
        Some(None) => (bytes.as_deref(), None),
        None => (None, None),
    };
    let key = key.filter(|key| is_key_name(key)).map(str::to_owned);
    match event {
        7036 => Event::ServiceRan {
            service: ServiceName {
                key,
                shown: text("param1"),
            },
            state,
            word: text("param2"),
        },
        7040 => {
            let named = text("param4");
            Event::ServiceChanged {
                service: ServiceName {
                    key: if is_key_name(&named) {
                        Some(named)
                    } else {
                        key
                    },
                    shown: text("param1"),
                },
                words: text("param3"),
            }
        }
        _ => {
            // The first value of 7009 and 7011 is the time waited.
            let (name, error) = match event {
                7009 | 7011 => ("param2", None),
                7001 => ("param1", Some("param3")),
                7000 | 7023 | 7024 => ("param1", Some("param2")),
                _ => ("param1", None),
            };
            Event::ServiceFailed {
                event,
                service: ServiceName {
                    key,
                    shown: text(name),
                },
                code: error.and_then(|name| number(data, name)).map(Code),
            }
        }
    }
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    String::from_utf16(&units)
        .ok()
        .filter(|text| !text.is_empty())
}

fn is_key_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_-.$ ".contains(letter))
}

/// A synchronization with the hardware clock that sets the time forward is what every wake-up does (Reason 2).
fn clock_set(data: &EventData) -> Option<Event> {
    let time = |name: &str| data.field(name)?.trim().parse::<Timestamp>().ok();
    let (from, to) = (time("OldTime")?, time("NewTime")?);
    if number(data, "Reason") == Some(2) && to > from {
        return None;
    }
    Some(Event::ClockSet { from, to })
}

/// Before Windows 11 the values of 1000 have no names: program, its version and time, module, its version and time, exception.
/// Those of 1015 are the program's path and its status.
fn crashed(event: u32, data: &EventData) -> Option<Event> {
    let value = |name: &str, place: usize| {
        let text = data
            .field(name)
            .or_else(|| data.unnamed.get(place).map(String::as_str));
        text.map(str::trim).filter(|text| !text.is_empty())
    };
    let hexadecimal = |text: &str| {
        let digits = text.trim_start_matches("0x").trim_start_matches("0X");
        u32::from_str_radix(digits, 16).ok().map(Code)
    };
    let (program, module, code) = match event {
        1015 => (value("ProcessName", 0)?, None, value("StatusCode", 1)),
        _ => (
            value("AppName", 0)?,
            value("ModuleName", 3),
            value("ExceptionCode", 6),
        ),
    };
    let file = program.rsplit(['\\', '/']).next().unwrap_or(program);
    Some(Event::Crashed {
        event,
        program: file.to_owned(),
        module: module.map(str::to_owned),
        code: code.and_then(hexadecimal),
    })
}

/// Categories are those of NLM_NETWORK_CATEGORY (netlistmgr.h).
fn network_changed(event: u32, data: &EventData) -> Option<Event> {
    let kind = match number(data, "Category")? {
        0 => NetworkKind::Public,
        1 => NetworkKind::Private,
        2 => NetworkKind::Domain,
        _ => return None,
    };
    Some(Event::NetworkChanged {
        kind,
        joined: event == 10000,
        network: data
            .field("Guid")
            .or_else(|| data.field("Name"))
            .map(str::to_owned),
    })
}

fn client_event(event: u32, data: &EventData) -> Option<Event> {
    if event == 226 {
        return Some(Event::ClientTransitionFailed {
            code: number(data, "ErrorCode").map(Code)?,
        });
    }
    let value = data.field("Value")?;
    Some(match event {
        1024 => Event::ClientConnects {
            server: value.trim().to_owned(),
        },
        _ => Event::ClientDisconnected {
            reason: parse_number(value).map(Code),
        },
    })
}

fn number(data: &EventData, name: &str) -> Option<u32> {
    data.field(name).and_then(parse_number)
}

/// Numbers as records and exporting tools write them: decimal, signed decimal, `0x...`, and `%%1058` for a message's number.
pub(super) fn parse_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let text = text.strip_prefix("%%").unwrap_or(text);
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16)
            .ok()
            .and_then(|number| u32::try_from(number & 0xFFFF_FFFF).ok());
    }
    let number: i64 = text.parse().ok()?;
    u32::try_from(number)
        .ok()
        .or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(provider: &str, event_id: u32, fields: &[(&str, &str)]) -> EventRecord {
        EventRecord {
            number: 1,
            order: 1,
            time: Timestamp::UNIX_EPOCH,
            provider: provider.to_owned(),
            source_name: None,
            event_id,
            qualifiers: None,
            version: None,
            level: None,
            keywords: None,
            channel: "System".to_owned(),
            computer: String::new(),
            process_id: None,
            thread_id: None,
            activity_id: None,
            user_sid: None,
            data: EventData {
                named: fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                ..EventData::default()
            },
            chunk: 0,
            offset: 0,
            integrity: crate::parse::event_log::Integrity::Whole,
        }
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for text in ["0x8009030D", "2148074253", "-2146893043", " 0x8009030d "] {
            assert_eq!(parse_number(text), Some(0x8009_030D), "{text}");
        }
        assert_eq!(parse_number("%%1058"), Some(1058));
        assert_eq!(parse_number("-"), None);
    }

    #[test]
    fn schannel_fields_are_found_by_name_in_old_and_new_templates() {
        let old = [
            ("Type", "server"),
            ("ErrorCode", "0x8009030d"),
            ("ErrorStatus", "10001"),
        ];
        let new = [
            ("CallerProcessId", "1234"),
            ("CallerProcessImageName", r"C:\Windows\System32\svchost.exe"),
        ];
        for fields in [old.to_vec(), [new.to_vec(), old.to_vec()].concat()] {
            let Some(Event::Schannel(event)) = Event::read(&record("Schannel", 36870, &fields))
            else {
                panic!("not read")
            };
            assert_eq!(event.role, Some(SchannelRole::Server));
            assert_eq!(event.error, Some(Code(0x8009_030D)));
            assert_eq!(event.state, Some(10001));
        }
        let unknown_word = record(
            "Schannel",
            36871,
            &[("Type", "palvelin"), ("ErrorState", "10013")],
        );
        let Some(Event::Schannel(event)) = Event::read(&unknown_word) else {
            panic!("not read")
        };
        assert_eq!(event.role, None);
    }

    #[test]
    fn a_driver_error_holds_its_status_at_the_end_of_its_bytes() {
        let mut error = record("TermDD", 56, &[]);
        error.data.unnamed = vec![r"\Device\Termdd".to_owned(), "10.0.0.5".to_owned()];
        error.data.binary = Some([vec![0; 40], vec![0xB5, 0, 0, 0xD0]].concat());
        assert_eq!(
            Event::read(&error),
            Some(Event::DriverError {
                event: 56,
                code: Some(Code(0xC000_00B5)),
                client: address::parse("10.0.0.5"),
            })
        );
        error.data.binary = Some(vec![1]);
        error.data.unnamed = vec!["X.224".to_owned()];
        assert_eq!(
            Event::read(&error),
            Some(Event::DriverError {
                event: 56,
                code: None,
                client: None
            })
        );
    }

    #[test]
    fn the_bytes_of_a_service_event_name_the_service_in_every_language() {
        let mut ran = record(
            "Service Control Manager",
            7036,
            &[
                ("param1", "Remotedesktopdienste"),
                ("param2", "Wird ausgeführt"),
            ],
        );
        ran.data.binary = Some(
            "TermService/4\0"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        );
        let Some(Event::ServiceRan { service, state, .. }) = Event::read(&ran) else {
            panic!("not read")
        };
        assert_eq!(service.key.as_deref(), Some("TermService"));
        assert_eq!(state, Some(4));
    }

    #[test]
    fn a_wake_up_is_no_clock_step() {
        let times = [
            ("OldTime", "2025-01-01T00:00:00Z"),
            ("NewTime", "2025-01-01T08:00:00Z"),
        ];
        let provider = "Microsoft-Windows-Kernel-General";
        let woken = [times.to_vec(), vec![("Reason", "2")]].concat();
        assert_eq!(Event::read(&record(provider, 1, &woken)), None);
        assert!(Event::read(&record(provider, 1, &times)).is_some());
    }
}
