//! Typed values of substitution slots ([MS-EVEN6] 2.2.16), and how they read as text.

use jiff::Timestamp;

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    I32(i32),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    Bool(bool),
    /// Shown as `0x...`.
    Hex32(u32),
    /// Shown as `0x...`.
    Hex64(u64),
    Time(Timestamp),
    /// `S-1-...`
    Sid(String),
    /// With or without braces.
    Guid(String),
    Bytes(Vec<u8>),
    /// Strings in one slot: the element around it is repeated for each.
    Texts(Vec<String>),
    /// Numbers in one slot: the same.
    Numbers(Vec<u32>),
    /// Fields of its own, by a template within the template.
    Fields(Vec<(String, Value)>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::U32(number)
    }
}

impl Value {
    /// The type byte of the slot.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Value::Null => 0x00,
            Value::Text(_) => 0x01,
            Value::U8(_) => 0x04,
            Value::U16(_) => 0x06,
            Value::I32(_) => 0x07,
            Value::U32(_) => 0x08,
            Value::U64(_) => 0x0a,
            Value::Bool(_) => 0x0d,
            Value::Bytes(_) => 0x0e,
            Value::Guid(_) => 0x0f,
            Value::Time(_) => 0x11,
            Value::Sid(_) => 0x13,
            Value::Hex32(_) => 0x14,
            Value::Hex64(_) => 0x15,
            Value::Texts(_) => 0x81,
            Value::Numbers(_) => 0x88,
            Value::Fields(_) => super::binxml::BINXML,
        }
    }

    /// The bytes of the slot.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Null => Vec::new(),
            Value::Text(text) => utf16(text),
            Value::U8(number) => vec![*number],
            Value::U16(number) => number.to_le_bytes().to_vec(),
            Value::I32(number) => number.to_le_bytes().to_vec(),
            Value::U32(number) | Value::Hex32(number) => number.to_le_bytes().to_vec(),
            Value::U64(number) | Value::Hex64(number) => number.to_le_bytes().to_vec(),
            Value::Bool(truth) => u32::from(*truth).to_le_bytes().to_vec(),
            Value::Bytes(bytes) => bytes.clone(),
            Value::Guid(text) => guid(text).to_vec(),
            Value::Time(time) => filetime(*time).to_le_bytes().to_vec(),
            Value::Sid(text) => sid(text),
            Value::Texts(texts) => texts
                .iter()
                .flat_map(|text| utf16(text).into_iter().chain([0, 0]))
                .collect(),
            Value::Numbers(numbers) => numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
            Value::Fields(_) => unreachable!("BinXML is written where it stands"),
        }
    }

    /// As an exporting tool writes it.
    pub(crate) fn text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Text(text) | Value::Sid(text) => text.clone(),
            Value::Guid(text) => format!("{{{}}}", text.trim_matches(['{', '}']).to_uppercase()),
            Value::U8(number) => number.to_string(),
            Value::U16(number) => number.to_string(),
            Value::I32(number) => number.to_string(),
            Value::U32(number) => number.to_string(),
            Value::U64(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Hex32(number) => format!("0x{number:x}"),
            Value::Hex64(number) => format!("0x{number:x}"),
            Value::Time(time) => time_text(*time),
            Value::Bytes(bytes) => hex(bytes),
            Value::Texts(texts) => texts.join(" "),
            Value::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                numbers.join(" ")
            }
            Value::Fields(fields) => {
                let fields: Vec<String> = fields.iter().map(|(_, value)| value.text()).collect();
                fields.join(" ")
            }
        }
    }
}

pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{time:.9}")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// 100 ns since 1601.
pub(crate) fn filetime(time: Timestamp) -> u64 {
    let ticks = time.as_nanosecond() / 100 + 116_444_736_000_000_000;
    u64::try_from(ticks).expect("a time after 1601")
}

fn guid(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let mut bytes: [u8; 16] = std::array::from_fn(|index| {
        u8::from_str_radix(&digits[index * 2..index * 2 + 2], 16).expect("a GUID")
    });
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn sid(text: &str) -> Vec<u8> {
    let mut parts = text
        .split('-')
        .skip(1)
        .map(|part| part.parse::<u64>().expect("a SID"));
    let revision = parts.next().expect("a SID");
    let authority = parts.next().expect("a SID");
    let rest: Vec<u64> = parts.collect();
    let mut bytes = vec![revision as u8, rest.len() as u8];
    bytes.extend_from_slice(&authority.to_be_bytes()[2..]);
    for part in rest {
        bytes.extend_from_slice(&(part as u32).to_le_bytes());
    }
    bytes
}
