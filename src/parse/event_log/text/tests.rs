use super::super::{EventRecord, LogSummary, read};

const XML: &str = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Schannel' Guid='{1F678132-5938-4686-9FDC-C8FF68F15C85}'/><EventID>36870</EventID><Version>0</Version><Level>2</Level><Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime='2026-11-12T16:00:00.1234567Z'/><EventRecordID>71</EventRecordID><Correlation ActivityID='{AB66B19A-5C27-4CF6-9C85-000000000000}'/><Execution ProcessID='668' ThreadID='3120'/><Channel>System</Channel><Computer>TS1.contoso.example</Computer><Security UserID='S-1-5-18'/></System><EventData><Data Name='Type'>server &amp; more</Data><Data Name='ErrorCode'>0x8009030D</Data><Data Name='ErrorStatus'></Data></EventData></Event>";

const CLASSIC: &str = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='TermDD'/><EventID Qualifiers='49162'>56</EventID><TimeCreated SystemTime='2026-11-12T15:00:00.000000000Z'/><EventRecordID>70</EventRecordID><Channel>System</Channel><Computer>TS1.contoso.example</Computer><Security/></System><EventData><Data>\\Device\\Termdd</Data><Data>10.1.2.3</Data><Binary>0000B500D0</Binary></EventData><RenderingInfo Culture='de-DE'><Message>&lt;Event&gt;</Message></RenderingInfo></Event>";

fn all(bytes: &[u8]) -> (Vec<EventRecord>, LogSummary) {
    let mut records = Vec::new();
    let summary = read(&bytes.to_vec(), &|_| true, &mut |record| {
        records.push(record);
    });
    (records, summary.unwrap())
}

fn told(summary: &LogSummary) -> Vec<&str> {
    let problems = summary.problems.iter();
    problems.map(|problem| problem.what.as_str()).collect()
}

#[test]
fn records_in_xml_are_read_with_a_root_and_without_in_any_encoding() {
    let rooted = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\r\n<Events>{XML}{CLASSIC}</Events>"
    );
    let bare = format!("{XML}\r\n{CLASSIC}\r\n");
    let wide: Vec<u8> = rooted.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [rooted.into_bytes(), bare.into_bytes(), wide] {
        let (records, summary) = all(&bytes);
        assert_eq!(told(&summary), Vec::<&str>::new());
        assert_eq!(summary.records, 2);
        assert!(summary.is_selection());
        let [older, newer] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!((older.number, older.event_id), (70, 56));
        assert_eq!(older.qualifiers, Some(49162));
        assert_eq!(older.data.unnamed, ["\\Device\\Termdd", "10.1.2.3"]);
        assert_eq!(older.data.binary.as_deref().unwrap(), [0, 0, 0xB5, 0, 0xD0]);
        assert_eq!(newer.time.to_string(), "2026-11-12T16:00:00.1234567Z");
        assert_eq!(newer.data.field("Type"), Some("server & more"));
        assert_eq!(newer.data.field("ErrorStatus"), Some(""));
        assert_eq!(newer.process_id, Some(668));
        assert_eq!(newer.user_sid.as_deref(), Some("S-1-5-18"));
        assert!(newer.activity_id.as_deref().unwrap().starts_with("{ab66"));
        assert_eq!(newer.keywords, Some(0x8000_0000_0000_0000));
    }
}

#[test]
fn user_data_bears_the_names_of_its_elements() {
    let text = CLASSIC.replace(
        "<EventData><Data>\\Device\\Termdd</Data><Data>10.1.2.3</Data><Binary>0000B500D0</Binary></EventData>",
        "<UserData><EventXML xmlns='Event_NS'><User>CONTOSO\\anna</User><SessionID>3</SessionID><Address>10.1.2.3</Address></EventXML></UserData>",
    );
    let (records, _) = all(text.as_bytes());
    assert_eq!(records[0].data.container, "EventXML");
    assert_eq!(records[0].data.field("SessionID"), Some("3"));
    assert_eq!(records[0].data.field("User"), Some("CONTOSO\\anna"));
}

#[test]
fn a_record_that_is_cut_is_named_by_its_line_and_the_others_are_read() {
    let text = format!("{XML}\n{}\n{CLASSIC}\n{}", &XML[..400], &CLASSIC[..500]);
    let (records, summary) = all(text.as_bytes());
    assert_eq!(records.len(), 2);
    assert_eq!(
        told(&summary),
        [
            "line 2: the record is cut: not used",
            "line 4: the record is cut: not used"
        ]
    );
    let damaged = XML.replace("<EventID>36870</EventID>", "<EventID>368&&70</EventID>");
    let (records, summary) = all(format!("{damaged}\n{CLASSIC}").as_bytes());
    assert_eq!((records.len(), told(&summary).len()), (1, 1));
}

#[test]
fn json_of_evtx_dump_is_read_line_by_line_and_with_headings() {
    let one = r##"{"Event":{"#attributes":{"xmlns":"x"},"EventData":{"ConnType":"TCP","ClientIP":"10.1.2.3:51000"},"System":{"Channel":"Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational","Computer":"TS1","EventID":131,"EventRecordID":5,"Provider":{"#attributes":{"Name":"Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"}},"TimeCreated":{"#attributes":{"SystemTime":"2026-11-12T16:00:00.5Z"}}}}}"##;
    for text in [
        format!("{one}\n{one}\n"),
        format!("Record 1\n{one}\nRecord 2\n{one}\n"),
        format!("[{one},\n{one}]"),
    ] {
        let (records, summary) = all(text.as_bytes());
        assert_eq!((records.len(), told(&summary).len()), (2, 0), "{text}");
        assert_eq!(records[0].data.field("ClientIP"), Some("10.1.2.3:51000"));
    }
    let (records, summary) = all(format!("{one}\n{}", &one[..300]).as_bytes());
    assert_eq!(records.len(), 1);
    assert_eq!(told(&summary), ["line 2: the record is cut: not used"]);
}

#[test]
fn json_of_powershell_is_read_where_its_values_can_be_named() {
    let event = |provider: &str, id: u32, created: &str, properties: &str| {
        format!(
            r#"{{"Id": {id}, "ProviderName": "{provider}", "LogName": "System", "RecordId": 9, "MachineName": "TS1", "TimeCreated": "{created}", "UserId": {{"Value": "S-1-5-20"}}, "Properties": [{properties}]}}"#
        )
    };
    let manager = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
    let values = r#"{"Value": "anna"}, {"Value": "CONTOSO"}, {"Value": "10.1.2.3"}"#;
    let date = r"\/Date(1763107200123)\/";
    let text = format!(
        "[\n    {},\n    {},\n    {},\n    {},\n    {}\n]",
        event(manager, 1149, date, values),
        event(
            manager,
            1057,
            "2026-11-12T17:00:00.5+01:00",
            r#"{"Value": "Keyset does not exist"}"#
        ),
        event("Schannel", 36870, date, r#"{"Value": "server"}"#),
        event(manager, 1149, "2026-11-12T17:00:00", values),
        event(
            manager,
            1149,
            date,
            r#""System.Diagnostics.Eventing.Reader.EventProperty""#
        ),
    );
    let (records, summary) = all(text.as_bytes());
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].data.field("Param3"), Some("10.1.2.3"));
    assert_eq!(records[0].time.as_millisecond(), 1_763_107_200_123);
    assert_eq!(records[1].data.unnamed, ["Keyset does not exist"]);
    assert_eq!(records[1].user_sid.as_deref(), Some("S-1-5-20"));
    let told = told(&summary);
    assert!(told[0].starts_with("line 4: Schannel 36870 is written without the names"));
    assert!(told[1].contains("no time with a time zone"), "{told:?}");
    assert!(told[2].contains("-Depth 4"), "{told:?}");
}

#[test]
fn nesting_and_the_number_of_problems_are_bounded() {
    let deep = format!("<Event>{}", "<a>".repeat(100_000));
    let (_, summary) = all(format!("{XML}{deep}</Event>").as_bytes());
    assert_eq!(told(&summary).len(), 1);
    let many = "<Event x>\n".repeat(10_000);
    let (_, summary) = all(format!("{XML}\n{many}").as_bytes());
    let told = told(&summary);
    assert_eq!(told.len(), 21);
    assert_eq!(told[20], "and 9980 more records that cannot be used");
    let json = format!("{{\"Event\":{}", "[".repeat(100_000));
    assert_eq!(all(json.as_bytes()).1.records, 0);
}
