//! Security descriptors in binary, from lists of permissions as people collect them.

use rdptriage::parse::security::{AceKind, Dacl, Inheritance, SecurityDescriptor, Trustee};

const PRESENT: u16 = 0x8004;
const PROTECTED: u16 = 0x1000;

/// A self-relative security descriptor (MS-DTYP section 2.4.6). Where the list does not tell the owner, SYSTEM is.
pub fn binary(of: &SecurityDescriptor) -> Vec<u8> {
    let Dacl::Entries {
        inheritance,
        entries,
    } = &of.dacl
    else {
        panic!("no list: {of:?}");
    };
    let list: Vec<u8> = entries
        .iter()
        .flat_map(|entry| {
            let account = sid(&entry.trustee);
            let kind = u8::from(entry.kind == AceKind::Deny);
            let size = (8 + account.len()) as u16;
            let [low, high] = size.to_le_bytes();
            let header = [kind, entry.flags.0, low, high];
            [header.as_slice(), &entry.mask.0.to_le_bytes(), &account].concat()
        })
        .collect();
    let system = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let owner = of.owner.as_ref().map_or_else(|| system.to_vec(), sid);
    let group = of.group.as_ref().map_or_else(|| system.to_vec(), sid);
    let control = match inheritance {
        Inheritance::Protected => PRESENT | PROTECTED,
        Inheritance::Open => PRESENT,
    };
    let list_size = 8 + list.len();
    let mut bytes = vec![1, 0];
    bytes.extend(control.to_le_bytes());
    let owner_at = 20 + list_size;
    for offset in [owner_at, owner_at + owner.len(), 0, 20] {
        bytes.extend((offset as u32).to_le_bytes());
    }
    bytes.extend([2, 0]);
    bytes.extend((list_size as u16).to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    [bytes, list, owner, group].concat()
}

/// `S-1-5-80-...` in binary: the number of parts, the authority in six bytes, high byte first, the parts.
fn sid(trustee: &Trustee) -> Vec<u8> {
    let Trustee::Sid(sid) = trustee else {
        panic!("no SID: {trustee:?}");
    };
    let text = sid.to_string();
    let numbers: Vec<u64> = text
        .trim_start_matches("S-1-")
        .split('-')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let (authority, parts) = numbers.split_first().expect("an authority");
    let mut bytes = vec![1, parts.len() as u8];
    bytes.extend(&authority.to_be_bytes()[2..]);
    bytes.extend(parts.iter().flat_map(|part| (*part as u32).to_le_bytes()));
    bytes
}
