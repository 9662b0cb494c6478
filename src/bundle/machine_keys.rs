//! What a key folder's files and listings look like from outside: enough to tell their kind, nothing more.

/// How much of a text is looked at for access entries: `icacls` prints them from the first object on.
const TEXT_LOOKED_AT: usize = 64 << 10;
const LINES_LOOKED_AT: usize = 200;
/// The header of a CryptoAPI key file: ten words, of which the last eight are the lengths of its parts.
const CAPI_HEADER: u64 = 40;
/// The header of a CNG key file: seven words, of which four are lengths, and 16 bytes.
const CNG_HEADER: u64 = 44;
const MOST_PARTS: u64 = 1 << 20;

/// Whether a file holds a private key as CryptoAPI or CNG keep one. Its content tells while its structure is whole; where it
/// is damaged, only the name is left, which no other kind of file has: 32 hexadecimal digits, `_` and a GUID.
pub(super) fn is_key_file(head: &[u8], bytes: u64, name: &str) -> bool {
    is_key_file_name(name) || is_capi(head, bytes) || is_cng(head, bytes)
}

/// Whether a name is that of a key file.
pub(super) fn is_key_file_name(name: &str) -> bool {
    let Some((hash, machine)) = name.split_once('_') else {
        return false;
    };
    hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_guid(machine)
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hexadecimal = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hexadecimal)
}

fn is_capi(head: &[u8], bytes: u64) -> bool {
    let Some([2, _, name, rest @ ..]) = words::<10>(head) else {
        return false;
    };
    let parts = rest
        .iter()
        .fold(u64::from(name), |sum, part| sum + u64::from(*part));
    let end = usize::try_from(CAPI_HEADER + u64::from(name)).unwrap_or(usize::MAX);
    name > 1 && CAPI_HEADER + parts == bytes && head.get(end.saturating_sub(1)) == Some(&0)
}

fn is_cng(head: &[u8], bytes: u64) -> bool {
    let Some([1, _, name, _, public, private, key]) = words::<7>(head) else {
        return false;
    };
    let parts = [name, public, private, key];
    let total = parts
        .iter()
        .fold(CNG_HEADER, |sum, part| sum + u64::from(*part));
    name > 0 && name % 2 == 0 && key > 0 && total == bytes && total < MOST_PARTS
}

/// Whether a file is a DPAPI master key: version 2, two empty words, its own GUID as text (MS-BKRP does not describe it; the
/// layout is dpapick3's and mimikatz').
pub(super) fn is_master_key(head: &[u8]) -> bool {
    if words::<3>(head) != Some([2, 0, 0]) {
        return false;
    }
    let Some(wide) = head.get(12..84) else {
        return false;
    };
    let (pairs, _) = wide.as_chunks::<2>();
    let text: Option<String> = pairs
        .iter()
        .map(|[low, high]| (*high == 0).then_some(char::from(*low)))
        .collect();
    text.is_some_and(|text| is_guid(&text))
}

fn words<const N: usize>(head: &[u8]) -> Option<[u32; N]> {
    let (found, _) = head.as_chunks::<4>();
    let mut words = [0; N];
    let found = found.get(..N)?;
    for (word, bytes) in words.iter_mut().zip(found) {
        *word = u32::from_le_bytes(*bytes);
    }
    Some(words)
}

/// Whether a text lists permissions as `icacls` or `Get-Acl` write them. All that is looked for is ASCII; `text` is without the
/// zero bytes of UTF-16. What follows `D:`, or stands in the last parentheses of a line, must look like entries.
pub(super) fn is_acl_listing(text: &[u8]) -> bool {
    let text = text.get(..TEXT_LOOKED_AT).unwrap_or(text);
    lines(text).take(LINES_LOOKED_AT).any(|line| {
        is_descriptor(line)
            || is_console_entry(line)
            || is_labelled_descriptor(line)
            || is_access_rule(line)
    })
}

/// Whether a text lists a key folder as `dir` or `Get-ChildItem` do: a line that ends in its path, whatever the language of the
/// words before it.
pub(super) fn is_folder_listing(text: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 5] = [
        b"\\microsoft\\crypto\\rsa\\machinekeys",
        b"\\microsoft\\crypto\\keys",
        b"\\microsoft\\crypto\\systemkeys",
        b"\\microsoft\\protect\\s-1-5-18",
        b"\\microsoft\\protect\\s-1-5-18\\user",
    ];
    lines(text).any(|line| {
        let line = line.to_ascii_lowercase();
        FOLDERS.iter().any(|folder| line.ends_with(folder))
    })
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

/// The first property of an access rule as .NET shows it: `FileSystemRights  : Read, Synchronize`.
fn is_access_rule(line: &[u8]) -> bool {
    line.strip_prefix(b"FileSystemRights")
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b": "))
}

/// SDDL: `O:SYG:SYD:PAI(A;;FA;;;SY)`; a list without entries is `D:P`, one that is not there has its own word.
fn is_descriptor(line: &[u8]) -> bool {
    const EMPTY: [&[u8]; 4] = [b"D:P", b"D:PAI", b"D:AI", b"D:PARAI"];
    if EMPTY.contains(&line) {
        return true;
    }
    let starts = [b"O:".as_slice(), b"G:", b"D:"]
        .iter()
        .any(|start| line.starts_with(start));
    starts && (line.windows(2).any(|pair| pair == b";;") || line.ends_with(b"NO_ACCESS_CONTROL"))
}

/// `NT AUTHORITY\SYSTEM:(I)(F)`.
fn is_console_entry(line: &[u8]) -> bool {
    let Some(colon) = line.windows(2).rposition(|pair| pair == b":(") else {
        return false;
    };
    let rights = line.get(colon + 2..).unwrap_or_default();
    rights.strip_suffix(b")").is_some_and(|rights| {
        !rights.is_empty()
            && rights
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || b"(),".contains(byte))
    })
}

/// `Sddl   : O:SYG:SY...`.
fn is_labelled_descriptor(line: &[u8]) -> bool {
    line.strip_prefix(b"Sddl")
        .map(<[u8]>::trim_ascii)
        .and_then(|rest| rest.strip_prefix(b":"))
        .is_some_and(|value| is_descriptor(value.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_key_file_is_told_by_its_name_alone() {
        let name = "F686AACE6942FB7F7CEB231212EEF4A4_61841625-24c4-495b-9080-eccd903b9e6f";
        assert!(is_key_file(b"", 0, name));
        assert!(is_key_file(&[0; 64], 64, name));
        assert!(!is_key_file(b"", 0, "f686aace6942fb7f7ceb231212eef4a4"));
        assert!(!is_key_file(&[2, 0, 0, 0], 4, "key"));
    }

    #[test]
    fn listings_are_told_from_other_text() {
        for text in [
            "f686\r\nD:PAI(A;;FA;;;SY)\r\n",
            "O:SYG:SYD:AI(A;ID;FA;;;BA)",
            "k NT AUTHORITY\\SYSTEM:(F)\r\n  VORDEFINIERT\\Administratoren:(I)(OI)(RX,W)\r\n",
            "Path   : x\r\nSddl   : O:SYG:SYD:PAI(A;;FA;;;BA)\r\n",
        ] {
            assert!(is_acl_listing(text.as_bytes()), "{text}");
        }
        for text in [
            "Drive D: is full (see below)\r\n",
            "D: NTFS; 40 GB; free\r\n",
            "note: see (a) and (b)",
            "Path : C:\\x",
            "",
        ] {
            assert!(!is_acl_listing(text.as_bytes()), "{text}");
        }
        let listed = b" Verzeichnis von C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\r\n";
        assert!(is_folder_listing(listed));
        assert!(!is_folder_listing(
            b"rename C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys to x"
        ));
    }
}
