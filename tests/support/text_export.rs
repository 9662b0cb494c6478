//! Writes what Windows' own tools write as text: `reg export`, `reg query /s`, `wevtutil qe /f:xml`.

use rdptriage::parse::event_log::{EventData, EventRecord};
use rdptriage::parse::hive::{Hive, Key, Value, ValueKind};

/// What `reg export` writes of the key `below`, under the name `title`.
pub fn reg_export(hive: &Hive, below: &str, title: &str) -> Vec<u8> {
    let text = reg_export_text(hive, below, title);
    utf16(&format!("\u{feff}{text}"))
}

/// The same, without an encoding.
pub fn reg_export_text(hive: &Hive, below: &str, title: &str) -> String {
    let mut text = "Windows Registry Editor Version 5.00\r\n\r\n".to_owned();
    export_key(&hive.key(below).present().unwrap(), title, &mut text);
    text
}

/// What `reg query KEY /s` prints, as it is redirected into a file.
pub fn reg_query(hive: &Hive, below: &str, title: &str) -> String {
    let mut text = String::new();
    query_key(&hive.key(below).present().unwrap(), title, &mut text);
    text
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn export_key(key: &Key<'_>, path: &str, out: &mut String) {
    out.push_str(&format!("[{path}]\r\n"));
    for value in key.values().entries {
        export_value(&value, out);
    }
    out.push_str("\r\n");
    for subkey in key.subkeys().entries {
        export_key(&subkey, &format!("{path}\\{}", subkey.name()), out);
    }
}

fn export_value(value: &Value, out: &mut String) {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let name = match value.name.as_str() {
        "" => "@".to_owned(),
        name => format!("\"{}\"", escaped(name)),
    };
    let data = match (value.kind, value.dword(), value.text()) {
        (ValueKind::RegDword, Ok(number), _) => format!("dword:{number:08x}"),
        (ValueKind::RegSz, _, Ok(text)) => format!("\"{}\"", escaped(&text)),
        (kind, ..) => {
            let bytes = value.bytes.iter().map(|byte| format!("{byte:02x}"));
            let bytes: Vec<String> = bytes.collect();
            let lines: Vec<String> = bytes.chunks(25).map(|line| line.join(",")).collect();
            let prefix = match kind {
                ValueKind::RegBinary => "hex:".to_owned(),
                other => format!("hex({:x}):", number(other)),
            };
            format!("{prefix}{}", lines.join(",\\\r\n  "))
        }
    };
    out.push_str(&format!("{name}={data}\r\n"));
}

fn number(kind: ValueKind) -> u32 {
    match kind {
        ValueKind::RegNone => 0,
        ValueKind::RegSz => 1,
        ValueKind::RegExpandSz => 2,
        ValueKind::RegBinary => 3,
        ValueKind::RegDword => 4,
        ValueKind::RegDwordBigEndian => 5,
        ValueKind::RegMultiSz => 7,
        ValueKind::RegQword => 11,
        ValueKind::Other(number) => number,
    }
}

fn query_key(key: &Key<'_>, path: &str, out: &mut String) {
    out.push_str(&format!("\r\n{path}\r\n"));
    for value in key.values().entries {
        let name = match value.name.as_str() {
            "" => "(Standard)",
            name => name,
        };
        let (kind, data) = match value.kind {
            ValueKind::RegDword => ("REG_DWORD", format!("{:#x}", value.dword().unwrap())),
            ValueKind::RegQword => ("REG_QWORD", format!("{:#x}", value.qword().unwrap())),
            ValueKind::RegSz => ("REG_SZ", value.text().unwrap()),
            ValueKind::RegExpandSz => ("REG_EXPAND_SZ", value.text().unwrap()),
            ValueKind::RegMultiSz => ("REG_MULTI_SZ", value.multi_text().unwrap().join("\\0")),
            _ => {
                let bytes = value.bytes.iter().map(|byte| format!("{byte:02X}"));
                ("REG_BINARY", bytes.collect())
            }
        };
        out.push_str(&format!("    {name}    {kind}    {data}\r\n"));
    }
    for subkey in key.subkeys().entries {
        query_key(&subkey, &format!("{path}\\{}", subkey.name()), out);
    }
}

/// What `wevtutil qe FILE /lf /f:xml` prints of these records.
pub fn event_xml(records: &[EventRecord]) -> String {
    let mut text = String::new();
    for record in records {
        text.push_str(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>",
        );
        let source = match &record.source_name {
            Some(name) => format!(" EventSourceName='{}'", escaped(name)),
            None => String::new(),
        };
        text.push_str(&format!(
            "<Provider Name='{}'{source}/>",
            escaped(&record.provider)
        ));
        let qualifiers = match record.qualifiers {
            Some(number) => format!(" Qualifiers='{number}'"),
            None => String::new(),
        };
        text.push_str(&format!(
            "<EventID{qualifiers}>{}</EventID>",
            record.event_id
        ));
        text.push_str(&format!("<Level>{}</Level>", record.level.unwrap_or(4)));
        text.push_str(&format!(
            "<Keywords>{:#x}</Keywords>",
            record.keywords.unwrap_or(0)
        ));
        text.push_str(&format!(
            "<TimeCreated SystemTime='{}'/><EventRecordID>{}</EventRecordID>",
            record.time, record.number
        ));
        let activity = match &record.activity_id {
            Some(id) => format!(" ActivityID='{}'", id.to_uppercase()),
            None => String::new(),
        };
        text.push_str(&format!(
            "<Correlation{activity}/><Execution ProcessID='{}' ThreadID='{}'/>",
            record.process_id.unwrap_or(0),
            record.thread_id.unwrap_or(0)
        ));
        text.push_str(&format!(
            "<Channel>{}</Channel><Computer>{}</Computer>",
            escaped(&record.channel),
            escaped(&record.computer)
        ));
        text.push_str(&match &record.user_sid {
            Some(sid) => format!("<Security UserID='{sid}'/></System>"),
            None => "<Security/></System>".to_owned(),
        });
        text.push_str(&provided(&record.data));
        text.push_str("</Event>\r\n");
    }
    text
}

fn provided(data: &EventData) -> String {
    let mut inner = String::new();
    let is_event_data = data.container == "EventData";
    for (name, value) in &data.named {
        let value = escaped(value);
        inner.push_str(&match is_event_data {
            true => format!("<Data Name='{}'>{value}</Data>", escaped(name)),
            false => format!("<{name}>{value}</{name}>"),
        });
    }
    for value in &data.unnamed {
        inner.push_str(&format!("<Data>{}</Data>", escaped(value)));
    }
    if let Some(bytes) = &data.binary {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        inner.push_str(&format!("<Binary>{digits}</Binary>"));
    }
    match data.container.as_str() {
        "" => String::new(),
        "EventData" => format!("<EventData>{inner}</EventData>"),
        name => format!("<UserData><{name} xmlns='Event_NS'>{inner}</{name}></UserData>"),
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('\'', "&apos;")
}

/// What `sc qc` prints of each of the services, on a Spanish Windows.
pub fn service_settings(services: &Key<'_>) -> String {
    const WORDS: [&str; 5] = [
        "BOOT_START",
        "SYSTEM_START",
        "AUTO_START",
        "DEMAND_START",
        "DISABLED",
    ];
    let mut text = String::new();
    for service in services.subkeys().entries {
        let Some(start) = service.value("Start").present() else {
            continue;
        };
        let start = start.dword().unwrap();
        let account = service.value("ObjectName").present();
        let account = account.map(|account| account.text().unwrap());
        text.push_str(&format!(
            "[SC] QueryServiceConfig CORRECTO\r\n\r\nNOMBRE_SERVICIO: {}\r\n        TIPO               : 20  WIN32_SHARE_PROCESS \r\n        TIPO_INICIO        : {start}   {}\r\n        CONTROL_ERROR      : 1   NORMAL\r\n        NOMBRE_RUTA_BINARIO: C:\\Windows\\System32\\svchost.exe\r\n        GRUPO_ORDEN_CARGA  : \r\n        ETIQUETA           : 0\r\n        NOMBRE_MOSTRAR     : x\r\n        DEPENDENCIAS       : RPCSS\r\n                           : TermDD\r\n        NOMBRE_INICIO_SERVICIO: {}\r\n\r\n",
            service.name(),
            WORDS[start as usize],
            account.unwrap_or_default(),
        ));
    }
    text
}
