//! What records say, in every shape that logs hold them.

use super::*;

/// One event of each shape.
pub fn shapes() -> Vec<Event> {
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
    let classic = Event::new(
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
        1056,
    )
    .guid("{c76baa63-ae81-421c-b425-340b4b24157f}")
    .source_name("TermService")
    .qualifiers(49152)
    .level(2)
    .time("2026-03-01T08:00:01Z")
    .string("srv1.corp.example")
    .string("")
    .string("third")
    .binary(&[0x01, 0xab, 0xff, 0x00]);
    let single = Event::new("TermDD", 56)
        .qualifiers(49162)
        .time("2026-03-01T08:00:02Z")
        .string("\u{1F512} \\Device\\Termdd");
    let user_data = Event::new(
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
        1149,
    )
    .time("2026-03-01T08:00:03Z")
    .user_data("EventXML", "Event_NS")
    .data("Param1", "admin")
    .data("Param2", "")
    .data("Param3", "10.0.0.5");
    let attribute = Event::new(
        "Microsoft-Windows-CertificateServicesClient-Lifecycle-System",
        1003,
    )
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
        .data(
            "Time",
            Value::Time("2026-01-02T03:04:05.5Z".parse().expect("a time")),
        )
        .data("Sid", Value::Sid("S-1-5-21-1-2-3-500".into()))
        .data(
            "Guid",
            Value::Guid("{00112233-4455-6677-8899-AABBCCDDEEFF}".into()),
        )
        .data("Bytes", Value::Bytes(vec![1, 2, 254]))
        .data("None", Value::Null)
        .data("Many", Value::Texts(vec!["a".into(), "b".into()]));
    let bare = Event::new("Schannel", 36864).time("2026-03-01T08:00:06Z");
    vec![rdp, classic, single, user_data, attribute, types, bare]
}

#[test]
fn a_template_event_with_named_data_reads_back() {
    let (records, _) = read(
        &LogBuilder::new("System")
            .first_record(1000)
            .extend(shapes())
            .to_bytes(),
    );
    let rdp = &records[0];
    assert_eq!(rdp.number, 1000);
    assert_eq!(rdp.time.to_string(), "2026-03-01T08:00:00.1234567Z");
    assert_eq!(
        rdp.provider,
        "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
    );
    assert_eq!(
        (rdp.event_id, rdp.version, rdp.level, rdp.qualifiers),
        (131, Some(0), Some(4), None)
    );
    assert_eq!(rdp.keywords, Some(0x4000_0000_0000_0000));
    assert_eq!(
        rdp.channel,
        "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"
    );
    assert_eq!(rdp.computer, "SRV1");
    assert_eq!((rdp.process_id, rdp.thread_id), (Some(1232), Some(4321)));
    assert_eq!(
        rdp.activity_id.as_deref(),
        Some("{f4202d6c-1234-4d4e-9a11-0123456789ab}")
    );
    assert_eq!(rdp.user_sid.as_deref(), Some("S-1-5-20"));
    assert_eq!(rdp.data.field("ClientIP"), Some("10.0.0.5:50222"));
    assert_eq!(rdp.data.field("clientip"), None);
    assert_eq!(rdp.integrity, Integrity::Whole);
}

#[test]
fn a_classic_event_keeps_the_places_of_its_strings_and_its_bytes() {
    let (records, _) = read(&LogBuilder::new("System").extend(shapes()).to_bytes());
    let classic = &records[1];
    assert_eq!(classic.source_name.as_deref(), Some("TermService"));
    assert_eq!((classic.event_id, classic.qualifiers), (1056, Some(49152)));
    assert_eq!(classic.data.unnamed, ["srv1.corp.example", "", "third"]);
    assert_eq!(
        classic.data.binary.as_deref(),
        Some(&[0x01, 0xab, 0xff, 0x00][..])
    );
    assert_eq!(records[2].data.unnamed, ["\u{1F512} \\Device\\Termdd"]);
    assert_eq!(records[2].data.binary, None);
}

#[test]
fn user_data_is_looked_up_by_leaf_and_by_attribute() {
    let (records, _) = read(&LogBuilder::new("System").extend(shapes()).to_bytes());
    assert_eq!(records[3].data.container, "EventXML");
    assert_eq!(records[3].data.field("Param1"), Some("admin"));
    assert_eq!(records[3].data.field("Param2"), Some(""));
    assert_eq!(records[3].data.field("EventXML@xmlns"), None);
    assert_eq!(records[4].data.container, "CertNotificationData");
    assert_eq!(
        records[4].data.field("CertificateDetails@Thumbprint"),
        Some("00ff")
    );
}

#[test]
fn every_type_of_value_reads_as_its_text() {
    let (records, _) = read(&LogBuilder::new("System").extend(shapes()).to_bytes());
    let types = &records[5].data;
    for (name, text) in [
        ("U8", "200"),
        ("U16", "65000"),
        ("U32", "4000000000"),
        ("U64", "18446744073709551615"),
        ("I32", "-5"),
        ("Bool", "true"),
        ("Hex32", "0x8009030d"),
        ("Hex64", "0x8000000000000001"),
        ("Time", "2026-01-02T03:04:05.5000000Z"),
        ("Sid", "S-1-5-21-1-2-3-500"),
        ("Guid", "{00112233-4455-6677-8899-aabbccddeeff}"),
        ("Bytes", "0102FE"),
    ] {
        assert_eq!(types.field(name), Some(text), "{name}");
    }
    assert_eq!(types.fields("Many").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(records[5].version, Some(3));
}

#[test]
fn fields_of_the_same_name_are_all_found() {
    let event = Event::new("Twice", 1)
        .data("Name", "first")
        .data("Other", "x")
        .data("Name", "second")
        .data("Name_of", "no");
    let (records, _) = read(&LogBuilder::new("System").push(event).to_bytes());
    assert_eq!(records[0].data.field("Name"), Some("first"));
    assert_eq!(
        records[0].data.fields("Name").collect::<Vec<_>>(),
        ["first", "second"]
    );
}

#[test]
fn records_without_templates_say_the_same() {
    let with = LogBuilder::new("System").extend(shapes()).to_bytes();
    let without = shapes().into_iter().map(Event::templateless);
    let without = LogBuilder::new("System").extend(without).to_bytes();
    let (with, summary) = read(&with);
    assert_eq!(summary.templateless, 0);
    let (without, summary) = read(&without);
    assert_eq!(summary.templateless, 7);
    for (with, without) in with
        .iter()
        .zip(&without)
        .filter(|(with, _)| with.provider != "Types")
    {
        assert_eq!(
            EventRecord {
                offset: 0,
                ..with.clone()
            },
            EventRecord {
                offset: 0,
                ..without.clone()
            }
        );
    }
    assert_eq!(with.len(), without.len());
}

#[test]
fn only_what_is_wanted_is_delivered_and_all_is_summed_up() {
    let log = LogBuilder::new("System").extend(shapes()).to_bytes();
    let mut delivered = Vec::new();
    let wants =
        |key: &RecordKey<'_>| key.source_name == Some("TermService") && key.event_id == 1056;
    let summary = event_log::read(&log, &wants, &mut |record| delivered.push(record.event_id));
    assert_eq!(delivered, [1056]);
    assert_eq!(summary.expect("a log").records, 7);
}

#[test]
fn a_control_character_in_a_field_name_hides_no_record() {
    let event = Event::new("Schannel", 36874)
        .data("Pro\u{1}tocol", "TLS 1.2")
        .data("Index", 7);
    let (records, summary) = read(&LogBuilder::new("System").push(event).to_bytes());
    assert_eq!(records[0].data.field("Index"), Some("7"));
    assert_eq!(summary.holes, []);
}
