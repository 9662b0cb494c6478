use super::*;
use crate::parse::hive::ValueKind;

fn wide(text: &str) -> Vec<u8> {
    let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn only(bytes: &[u8]) -> Export {
    let mut exports = read(bytes).unwrap().exports;
    assert_eq!(exports.len(), 1);
    exports.remove(0)
}

const HEAD: &str = "Windows Registry Editor Version 5.00\n\n";

#[test]
fn every_type_is_read_and_joined_over_its_lines() {
    let text = format!(
        "{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n\
         @=\"C:\\\\a \\\"b\\\"\"\n\
         \"d\"=dword:0000000a\n\
         \"b\"=hex:01,02,\\\n  ff\n\
         \"e\"=hex(2):25,00,41,00,00,00\n\
         \"m\"=hex(7):61,00,00,00,\\\n  62,00,00,00,00,00\n\
         \"q\"=hex(b):01,00,00,00,00,00,00,80\n\
         \"empty\"=hex(0):\n\
         \"lines\"=\"one\ntwo\"\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\X\\below]\n\n"
    );
    let export = only(&wide(&text));
    assert_eq!(
        export.whole.as_deref(),
        Some("HKEY_LOCAL_MACHINE\\SYSTEM\\X")
    );
    assert!(export.holes.is_empty() && export.flaws.is_empty());
    let value = |name: &str| {
        let values = &export.keys[0].values;
        let mut values = values.iter().map(|value| &value.value);
        values.find(|value| value.name == name).unwrap()
    };
    assert_eq!(value("").text().unwrap(), "C:\\a \"b\"");
    assert_eq!(value("d").dword().unwrap(), 10);
    assert_eq!(value("b").bytes, [1, 2, 255]);
    assert_eq!(value("e").text().unwrap(), "%A");
    assert_eq!(value("e").kind, ValueKind::RegExpandSz);
    assert_eq!(value("m").multi_text().unwrap(), ["a", "b"]);
    assert_eq!(value("q").qword().unwrap(), 0x8000_0000_0000_0001);
    assert_eq!(value("empty").kind, ValueKind::RegNone);
    assert_eq!(value("lines").text().unwrap(), "one\r\ntwo");
    assert_eq!(export.keys[1].path, "HKEY_LOCAL_MACHINE\\SYSTEM\\X\\below");
}

#[test]
fn old_exports_hold_texts_in_a_code_page() {
    let text = b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\r\n\"m\"=hex(7):61,00,00\r\n\"u\"=\"\xfcber\"\r\n\r\n";
    let export = only(text);
    let key = &export.keys[0];
    assert_eq!(key.values[0].value.multi_text().unwrap(), ["a"]);
    // What the letters are, nobody knows; that there is such a value is known.
    assert_eq!(key.values.len(), 1);
    assert!(export.holes.contains(&key.path.to_lowercase()));
}

#[test]
fn what_was_written_to_change_a_registry_is_refused() {
    let key = "[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n";
    for deleting in [
        format!("{HEAD}[-HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n\n"),
        format!("{HEAD}{key}\"a\"=-\n\n"),
        format!("{HEAD}{key}@=-\n\n"),
    ] {
        assert_eq!(
            read(&wide(&deleting)),
            Err(NoExport::Deletes(deleting.lines().count() as u64 - 1))
        );
    }
    for other in [
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\Y]",
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\X\\a\\b]",
    ] {
        let text = format!("{HEAD}{key}\n{other}\n\n");
        assert_eq!(read(&wide(&text)), Err(NoExport::Order(5)));
    }
    assert_eq!(read(&wide(HEAD)), Err(NoExport::Empty));
    assert_eq!(read(b"hello"), Err(NoExport::Title));
}

#[test]
fn a_cut_leaves_open_what_it_may_have_taken() {
    let text = format!(
        "{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\X\\a]\n\"d\"=dword:00000001\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\X\\b]\n\"d\"=dword:00000002\n\"e\"=dword:00000003\n\n"
    );
    let whole = wide(&text);
    let all = only(&whole);
    for length in (0..whole.len()).filter(|length| *length > 100) {
        let Ok(text) = read(&whole[..length]) else {
            continue;
        };
        let cut = &text.exports[0];
        for key in &cut.keys {
            let full = all.keys.iter().find(|full| full.path == key.path).unwrap();
            assert!(key.values.iter().all(|value| full.values.contains(value)));
            let misses = key.values.len() < full.values.len();
            assert!(!misses || cut.holes.contains(&key.path.to_lowercase()));
        }
        if cut.keys.len() < all.keys.len() && !whole[..length].ends_with(b"\r\0\n\0\r\0\n\0") {
            assert!(
                cut.holes.contains("hkey_local_machine\\system\\x"),
                "{length}"
            );
        }
    }
}

#[test]
fn a_hole_in_the_middle_opens_the_keys_around_it() {
    let text = format!(
        "{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\X\\a]\n\"d\"=dw\0\0\0\0\n\"e\"=dword:00000001\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\X\\b]\n\"f\"=dword:00000002\n\n"
    );
    let export = only(&wide(&text));
    assert_eq!(export.flaws.len(), 1);
    assert!(export.keys[1].values.is_empty());
    assert_eq!(export.keys[2].values.len(), 1);
    assert!(export.holes.contains("hkey_local_machine\\system\\x"));
    assert!(export.holes.contains("hkey_local_machine\\system\\x\\a"));
    assert!(!export.holes.contains("hkey_local_machine\\system\\x\\b"));
}

#[test]
fn mixed_encodings_lose_only_what_is_not_text() {
    let mut bytes = wide(&format!(
        "{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n\"d\"=dword:00000001\n\n"
    ));
    bytes.extend(b"[HKEY_LOCAL_MACHINE\\SYSTEM\\X\\a]\r\n\"d\"=dword:00000001\r\n\r\n");
    let export = only(&bytes);
    assert_eq!(export.keys.len(), 1);
    assert_eq!(export.keys[0].values.len(), 1);
    assert!(!export.flaws.is_empty());
}

#[test]
fn a_file_without_what_every_windows_keeps_was_written_by_hand() {
    for (key, lacks) in [
        (r"ControlSet001\Control\Terminal Server", "WinStations"),
        (r"CurrentControlSet\Services\TermService", "ObjectName"),
    ] {
        let text = format!(
            "{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\{key}]\n\"fDenyTSConnections\"=dword:00000000\n\n"
        );
        let line = 3;
        assert_eq!(read(&wide(&text)), Err(NoExport::Shortened { line, lacks }));
    }
}

#[test]
fn what_a_query_prints_is_read_in_any_language() {
    let text = "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\r\n    (Standard)    REG_SZ    ein Text\r\n    a  b    REG_DWORD    0xd3d\r\n    m    REG_MULTI_SZ    one\\0two\r\n    b    REG_BINARY    00FF1a\r\n    e    REG_EXPAND_SZ    %SystemRoot%\\x\r\n    q    REG_QWORD    0x100000000\r\n    n    REG_DWORD (4)    0x7\r\n\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\\below\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\\other\r\n\r\nEnde der Suche: 7 gefunden.\r\n";
    let export = only(text.as_bytes());
    assert_eq!(export.whole, None);
    assert_eq!(export.flaws, []);
    assert_eq!(export.keys.len(), 3);
    let values: Vec<&Value> = export.keys[0]
        .values
        .iter()
        .map(|value| &value.value)
        .collect();
    assert_eq!(values[0].name, "");
    assert_eq!(values[0].text().unwrap(), "ein Text");
    assert_eq!(values[1].name, "a  b");
    assert_eq!(values[1].dword().unwrap(), 3389);
    assert_eq!(values[2].multi_text().unwrap(), ["one", "two"]);
    assert_eq!(values[3].bytes, [0, 255, 0x1a]);
    assert_eq!(values[4].kind, ValueKind::RegExpandSz);
    assert_eq!(values[5].qword().unwrap(), 1 << 32);
    assert_eq!(values[6].dword().unwrap(), 7);
    assert_eq!(export.keys[0].values[6].line, 9);
}

#[test]
fn a_value_that_runs_over_its_line_or_is_cut_is_not_used() {
    let key = "HKEY_LOCAL_MACHINE\\SYSTEM\\X\r\n";
    let folded = "hkey_local_machine\\system\\x";
    for (text, line) in [
        (format!("{key}    a    REG_SZ    one\r\ntwo\r\n"), 3),
        (format!("{key}    a    REG_DWORD    0x1"), 2),
        (format!("{key}    a    REG_DWORD    one\r\n"), 2),
        (format!("{key}    a    REG_BINARY    0F0\r\n"), 2),
    ] {
        let export = only(text.as_bytes());
        assert_eq!(export.flaws[0].line, line, "{text}");
        assert!(export.keys[0].values.is_empty());
        assert!(export.holes.contains(folded));
    }
}

#[test]
fn long_lines_many_values_and_deep_keys_are_bounded() {
    let long = "x".repeat(1 << 20);
    let values: String = (0..100_000)
        .map(|value| format!("\"{value}\"=dword:00000001\n"))
        .collect();
    let text = format!("{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n\"a\"=\"{long}\"\n{values}\n");
    let export = only(text.as_bytes());
    assert_eq!(export.keys[0].values.len(), 100_001);
    assert_eq!(
        export.keys[0].values[0].value.text().unwrap().len(),
        1 << 20
    );

    let deep = "\\a".repeat(100_000);
    let text =
        format!("{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM]\n\n[HKEY_LOCAL_MACHINE\\SYSTEM{deep}]\n\n");
    assert_eq!(only(text.as_bytes()).keys.len(), 1);
    let text = format!("HKEY_LOCAL_MACHINE\\SYSTEM\r\n\r\nHKEY_LOCAL_MACHINE\\SYSTEM{deep}\r\n");
    assert_eq!(only(text.as_bytes()).keys.len(), 1);

    let nonsense = "nonsense\n".repeat(100_000);
    let text = format!("{HEAD}[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\n{nonsense}");
    let export = only(text.as_bytes());
    assert_eq!(export.flaws.len() + export.further_flaws, 1);
}

#[test]
fn settings_of_services_are_read_in_any_language() {
    let english = "[SC] QueryServiceConfig SUCCESS\r\n\r\nSERVICE_NAME: TermService\r\n        TYPE               : 20  WIN32_SHARE_PROCESS \r\n        START_TYPE         : 4   DISABLED\r\n        ERROR_CONTROL      : 1   NORMAL\r\n        BINARY_PATH_NAME   : C:\\Windows\\System32\\svchost.exe -k NetworkService\r\n        LOAD_ORDER_GROUP   : \r\n        TAG                : 0\r\n        DISPLAY_NAME       : Remote Desktop Services\r\n        DEPENDENCIES       : RPCSS\r\n                           : TermDD\r\n        SERVICE_START_NAME : NT Authority\\NetworkService\r\n";
    let spanish = english
        .replace("SUCCESS", "CORRECTO")
        .replace("SERVICE_NAME", "NOMBRE_SERVICIO")
        .replace("START_TYPE         ", "TIPO_INICIO        ")
        .replace("SERVICE_START_NAME ", "NOMBRE_INICIO_SERVICIO")
        .replace("TermService", "SessionEnv");
    let export = only(format!("{english}\r\n{spanish}").as_bytes());
    assert_eq!((export.whole, export.flaws), (None, Vec::new()));
    for (key, name) in export.keys.iter().zip(["TermService", "SessionEnv"]) {
        let path = format!("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\{name}");
        assert_eq!(key.path, path);
        let values: Vec<&Value> = key.values.iter().map(|value| &value.value).collect();
        assert_eq!(
            (values[0].name.as_str(), values[0].dword().unwrap()),
            ("Start", 4)
        );
        assert!(values[1].text().unwrap().starts_with("C:\\Windows"));
        assert_eq!(values[2].text().unwrap(), "NT Authority\\NetworkService");
    }
    // What is cut tells what stands before; a state alone tells nothing of the settings.
    let cut = english.split("        TAG").next().unwrap();
    let export = only(cut.as_bytes());
    assert_eq!((export.keys[0].values.len(), export.flaws[0].line), (1, 3));
    let state = "SERVICE_NAME: TermService\r\nDISPLAY_NAME: Remote Desktop Services\r\n        TYPE               : 20  WIN32\r\n        STATE              : 1  STOPPED\r\n";
    assert_eq!(read(state.as_bytes()), Err(NoExport::Title));
}
