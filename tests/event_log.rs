//! Event logs: every shape of record, every kind of damage.

mod support;

use rdptriage::parse::event_log::{self, EventRecord, LogSummary};
use support::event_log::{Event, LogBuilder, Value};

fn read(log: &Vec<u8>) -> (Vec<EventRecord>, LogSummary) {
    let mut records = Vec::new();
    let summary = event_log::read(log, &|_| true, &mut |record| records.push(record)).expect("a log");
    (records, summary)
}

/// One event of each shape.
fn shapes() -> Vec<Event> {
    let rdp = Event::new("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS", 131)
        .guid("{1139c61b-b549-4251-8ed3-27250a1edec8}")
        .time("2026-03-01T08:00:00.1234567Z")
        .channel("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational")
        .process(1232, 4321)
        .task(4, 15)
        .keywords(0x4000_0000_0000_0000)
        .activity("{F4202D6C-1234-4D4E-9A11-0123456789AB}")
        .user("S-1-5-20")
        .data("ConnType", "TCP")
        .data("ClientIP", "10.0.0.5:50222");
    let classic = Event::new("Microsoft-Windows-TerminalServices-RemoteConnectionManager", 1056)
        .guid("{c76baa63-ae81-421c-b425-340b4b24157f}")
        .source_name("TermService")
        .qualifiers(49152)
        .level(2)
        .time("2026-03-01T08:00:01Z")
        .string("srv1.corp.example")
        .string("")
        .string("third")
        .binary(&[0x01, 0xab, 0xff, 0x00]);
    let single = Event::new("TermDD", 56).qualifiers(49162).time("2026-03-01T08:00:02Z").string("\u{1F512} \\Device\\Termdd");
    let user_data = Event::new("Microsoft-Windows-TerminalServices-RemoteConnectionManager", 1149)
        .time("2026-03-01T08:00:03Z")
        .user_data("EventXML", "Event_NS")
        .data("Param1", "admin")
        .data("Param2", "")
        .data("Param3", "10.0.0.5");
    let attribute = Event::new("Microsoft-Windows-CertificateServicesClient-Lifecycle-System", 1003)
        .time("2026-03-01T08:00:04Z")
        .user_data("CertNotificationData", "urn:x")
        .data("CertificateDetails@Thumbprint", "00ff")
        .data("Action", "x");
    let types = Event::new("Types", 7)
        .version(3)
        .time("2026-03-01T08:00:05Z")
        .data("U8", Value::U8(200))
        .data("U16", Value::U16(65000))
        .data("U32", Value::U32(4_000_000_000))
        .data("U64", Value::U64(u64::MAX))
        .data("I32", Value::I32(-5))
        .data("Bool", Value::Bool(true))
        .data("Hex32", Value::Hex32(0x8009_030d))
        .data("Hex64", Value::Hex64(0x8000_0000_0000_0001))
        .data("Time", Value::Time("2026-01-02T03:04:05.5Z".parse().expect("a time")))
        .data("Sid", Value::Sid("S-1-5-21-1-2-3-500".into()))
        .data("Guid", Value::Guid("{00112233-4455-6677-8899-AABBCCDDEEFF}".into()))
        .data("Bytes", Value::Bytes(vec![1, 2, 254]))
        .data("None", Value::Null)
        .data("Many", Value::Texts(vec!["a".into(), "b".into()]));
    let bare = Event::new("Schannel", 36864).time("2026-03-01T08:00:06Z");
    vec![rdp, classic, single, user_data, attribute, types, bare]
}

#[test]
fn prints() {
    let log = LogBuilder::new("System").first_record(1000).extend(shapes()).extend(shapes().into_iter().map(Event::templateless)).to_bytes();
    std::fs::write("/tmp/evtxpy/forged.evtx", &log).unwrap();
    let (r, s) = read(&log);
    println!("{r:#?} {s:#?}");
}
