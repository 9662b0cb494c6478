//! Forges registry hives and their transaction logs, the same bytes each time.
//!
//! Written from the public "Windows registry file format specification" (M. Suhanov), with nothing of the reader in it, so
//! that a wrong idea of the format does not cancel out.

mod cells;
mod layout;
mod marvin32;
pub mod transaction_log;

use std::collections::BTreeMap;

use jiff::Timestamp;

/// When a key was written that says nothing else.
const DEFAULT_TIME: &str = "2024-01-15T08:00:00Z";

/// The types that values are stored with.
pub const REG_NONE: u32 = 0;
pub const REG_SZ: u32 = 1;
pub const REG_EXPAND_SZ: u32 = 2;
pub const REG_BINARY: u32 = 3;
pub const REG_DWORD: u32 = 4;
pub const REG_DWORD_BIG_ENDIAN: u32 = 5;
pub const REG_MULTI_SZ: u32 = 7;
pub const REG_QWORD: u32 = 11;

/// A hive in the making. Keys on the way to a key or value are made where they do not exist.
#[derive(Debug, Clone)]
pub struct HiveBuilder {
    name: String,
    written: Timestamp,
    minor_version: u32,
    sequence: u32,
    default_time: Timestamp,
    root: KeySpec,
}

/// A key in the making.
#[derive(Debug, Clone)]
pub struct KeySpec {
    name: String,
    written: Timestamp,
    class: Option<String>,
    /// The descriptor of the key itself; without one it has its parent's.
    security: Option<Vec<u8>>,
    values: Vec<ValueSpec>,
    /// By upper-case name in UTF-16, the order that Windows searches in.
    subkeys: BTreeMap<Vec<u16>, KeySpec>,
}

#[derive(Debug, Clone)]
struct ValueSpec {
    name: String,
    kind: u32,
    data: Vec<u8>,
}

impl HiveBuilder {
    /// A hive whose base block gives `name` as its file's.
    pub fn new(name: &str) -> Self {
        let time = time(DEFAULT_TIME);
        let mut root = KeySpec::new("ROOT", time);
        root.security = Some(default_descriptor());
        HiveBuilder {
            name: name.to_owned(),
            written: time,
            minor_version: 5,
            sequence: 1,
            default_time: time,
            root,
        }
    }

    /// When the hive was last written, as its base block says.
    pub fn written(mut self, time: Timestamp) -> Self {
        self.written = time;
        self
    }

    /// The last-write time of keys that are made from now on, and of the root.
    pub fn default_time(mut self, time: Timestamp) -> Self {
        self.default_time = time;
        self.root.written = time;
        self
    }

    /// 3 for a hive as `reg save` writes it, 5 or 6 for one of the machine's own.
    pub fn minor_version(mut self, version: u32) -> Self {
        self.minor_version = version;
        self
    }

    /// Both sequence numbers of the base block.
    pub fn sequence(mut self, sequence: u32) -> Self {
        self.sequence = sequence;
        self
    }

    /// Makes the key at `path`, written at `time`, and describes it further.
    pub fn key(
        mut self,
        path: &str,
        time: Timestamp,
        describe: impl FnOnce(&mut KeySpec) -> &mut KeySpec,
    ) -> Self {
        let key = self.at(path);
        key.written = time;
        describe(key);
        self
    }

    /// The key at `path`, made when it does not exist.
    pub fn at(&mut self, path: &str) -> &mut KeySpec {
        let time = self.default_time;
        let names = path.split('\\').filter(|name| !name.is_empty());
        names.fold(&mut self.root, |key, name| {
            let subkey = key.subkeys.entry(upper_case(name));
            subkey.or_insert_with(|| KeySpec::new(name, time))
        })
    }

    pub fn set_dword(&mut self, path: &str, name: &str, number: u32) -> &mut Self {
        self.at(path).dword(name, number);
        self
    }

    pub fn set_qword(&mut self, path: &str, name: &str, number: u64) -> &mut Self {
        self.at(path).qword(name, number);
        self
    }

    pub fn set_sz(&mut self, path: &str, name: &str, text: &str) -> &mut Self {
        self.at(path).sz(name, text);
        self
    }

    pub fn set_expand_sz(&mut self, path: &str, name: &str, text: &str) -> &mut Self {
        self.at(path).expand_sz(name, text);
        self
    }

    pub fn set_multi_sz(&mut self, path: &str, name: &str, texts: &[&str]) -> &mut Self {
        self.at(path).multi_sz(name, texts);
        self
    }

    pub fn set_binary(&mut self, path: &str, name: &str, data: &[u8]) -> &mut Self {
        self.at(path).binary(name, data);
        self
    }

    /// Removes a value, if there is one.
    pub fn remove_value(&mut self, path: &str, name: &str) -> &mut Self {
        let wanted = upper_case(name);
        self.at(path)
            .values
            .retain(|value| upper_case(&value.name) != wanted);
        self
    }

    /// The same machine on its second control set; the first holds what an installation left behind, and is not in use.
    pub fn in_set_two(mut self) -> Self {
        let mut set = self.at("ControlSet001").clone();
        set.name = "ControlSet002".to_owned();
        self.root.subkeys.insert(upper_case("ControlSet002"), set);
        for value in ["Current", "Default"] {
            self.set_dword("Select", value, 2);
        }
        let time = self.default_time;
        self.root.subkeys.insert(
            upper_case("ControlSet001"),
            KeySpec::new("ControlSet001", time),
        );
        self
    }

    /// Sets the last-write time of a key.
    pub fn touch(&mut self, path: &str, time: Timestamp) -> &mut Self {
        self.at(path).written = time;
        self
    }

    /// Gives a key, and all below it that have none of their own, a self-relative security descriptor.
    pub fn security(&mut self, path: &str, descriptor: &[u8]) -> &mut Self {
        self.at(path).security(descriptor);
        self
    }

    /// The hive as a clean file.
    pub fn to_bytes(&self) -> Vec<u8> {
        layout::hive(self)
    }
}

impl KeySpec {
    fn new(name: &str, written: Timestamp) -> Self {
        KeySpec {
            name: name.to_owned(),
            written,
            class: None,
            security: None,
            values: Vec::new(),
            subkeys: BTreeMap::new(),
        }
    }

    pub fn dword(&mut self, name: &str, number: u32) -> &mut Self {
        self.value(name, REG_DWORD, &number.to_le_bytes())
    }

    pub fn qword(&mut self, name: &str, number: u64) -> &mut Self {
        self.value(name, REG_QWORD, &number.to_le_bytes())
    }

    pub fn sz(&mut self, name: &str, text: &str) -> &mut Self {
        self.value(name, REG_SZ, &utf16(text, 1))
    }

    pub fn expand_sz(&mut self, name: &str, text: &str) -> &mut Self {
        self.value(name, REG_EXPAND_SZ, &utf16(text, 1))
    }

    pub fn multi_sz(&mut self, name: &str, texts: &[&str]) -> &mut Self {
        let data: Vec<u8> = texts
            .iter()
            .flat_map(|text| utf16(text, 1))
            .chain([0, 0])
            .collect();
        self.value(name, REG_MULTI_SZ, &data)
    }

    pub fn binary(&mut self, name: &str, data: &[u8]) -> &mut Self {
        self.value(name, REG_BINARY, data)
    }

    /// Sets a value of any type to any data, whether they fit or not; the empty name is the default value.
    pub fn value(&mut self, name: &str, kind: u32, data: &[u8]) -> &mut Self {
        let value = ValueSpec {
            name: name.to_owned(),
            kind,
            data: data.to_vec(),
        };
        let same = |known: &&mut ValueSpec| upper_case(&known.name) == upper_case(name);
        match self.values.iter_mut().find(same) {
            Some(known) => *known = value,
            None => self.values.push(value),
        }
        self
    }

    /// Gives the key a class name.
    pub fn class(&mut self, class: &str) -> &mut Self {
        self.class = Some(class.to_owned());
        self
    }

    pub fn security(&mut self, descriptor: &[u8]) -> &mut Self {
        self.security = Some(descriptor.to_vec());
        self
    }
}

/// The bytes of a hive whose last write did not end: its first sequence number is one ahead.
pub fn dirty(hive: &[u8]) -> Vec<u8> {
    let mut bytes = hive.to_vec();
    let sequence = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    bytes[4..8].copy_from_slice(&sequence.wrapping_add(1).to_le_bytes());
    cells::seal(&mut bytes);
    bytes
}

/// A time in RFC 3339, as it stands in the source of a test.
pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time in RFC 3339")
}

/// Owner Administrators, group SYSTEM; full control for both, read for Users: what most keys of a machine have.
pub fn default_descriptor() -> Vec<u8> {
    const ADMINISTRATORS: &[u32] = &[32, 544];
    const USERS: &[u32] = &[32, 545];
    const SYSTEM: &[u32] = &[18];
    const FULL: u32 = 0x000F_003F;
    const READ: u32 = 0x0002_0019;
    descriptor(
        ADMINISTRATORS,
        SYSTEM,
        &[
            (0, FULL, ADMINISTRATORS),
            (0, FULL, SYSTEM),
            (0, READ, USERS),
        ],
    )
}

/// A self-relative descriptor. Accounts are the numbers after `S-1-5`; entries are type (0 allow, 1 deny), mask, account,
/// each inherited by subkeys.
pub fn descriptor(owner: &[u32], group: &[u32], entries: &[(u8, u32, &[u32])]) -> Vec<u8> {
    let aces: Vec<u8> = entries
        .iter()
        .flat_map(|(kind, mask, account)| {
            let sid = sid(account);
            let size = (8 + sid.len()) as u16;
            let header = [*kind, 0x02, size as u8, (size >> 8) as u8];
            [header.as_slice(), &mask.to_le_bytes(), &sid].concat()
        })
        .collect();
    let acl_size = (8 + aces.len()) as u16;
    let mut bytes = vec![1, 0, 0x04, 0x80];
    let (owner, group) = (sid(owner), sid(group));
    let owner_at = 20 + u32::from(acl_size);
    let group_at = owner_at + owner.len() as u32;
    for offset in [owner_at, group_at, 0, 20] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend([2, 0]);
    bytes.extend(acl_size.to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    [bytes, aces, owner, group].concat()
}

/// `S-1-5-...` in binary.
fn sid(numbers: &[u32]) -> Vec<u8> {
    let mut bytes = vec![1, numbers.len() as u8, 0, 0, 0, 0, 0, 5];
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

fn utf16(text: &str, terminators: usize) -> Vec<u8> {
    let units = text
        .encode_utf16()
        .chain(std::iter::repeat_n(0, terminators));
    units.flat_map(u16::to_le_bytes).collect()
}

/// A name in upper case, letter by letter, as Windows compares it.
fn upper_case(name: &str) -> Vec<u16> {
    let upper = name.chars().map(|letter| {
        let mut capital = letter.to_uppercase();
        match (capital.next(), capital.next()) {
            (Some(one), None) => one,
            _ => letter,
        }
    });
    upper.collect::<String>().encode_utf16().collect()
}
