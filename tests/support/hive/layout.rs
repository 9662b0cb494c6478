//! From the description of a hive to its bytes.

use super::cells::{self, Bins, filetime};
use super::{HiveBuilder, KeySpec, ValueSpec, upper_case, utf16};

const NIL: u32 = u32::MAX;
/// The most entries of one leaf before an index is put over several.
const LEAF: usize = 511;
/// The most bytes of one segment of big data.
const SEGMENT: usize = 16344;
const INLINE: u32 = 0x8000_0000;

/// The whole file.
pub fn hive(spec: &HiveBuilder) -> Vec<u8> {
    let mut writer = Writer {
        bins: Bins::default(),
        minor_version: spec.minor_version,
        descriptors: Vec::new(),
    };
    let root = writer.bins.reserve(key_size(&spec.root));
    writer.key(&spec.root, root, NIL, 0);
    writer.descriptors();
    let bins = writer.bins.finish(spec.written);
    let mut bytes = base_block(spec, root, bins.len());
    bytes.extend(bins);
    bytes
}

fn base_block(spec: &HiveBuilder, root: u32, hbins_size: usize) -> Vec<u8> {
    let mut block = b"regf".to_vec();
    block.extend(spec.sequence.to_le_bytes());
    block.extend(spec.sequence.to_le_bytes());
    block.extend(filetime(spec.written).to_le_bytes());
    for word in [1, spec.minor_version, 0, 1, root, hbins_size as u32, 1] {
        block.extend(word.to_le_bytes());
    }
    let name = utf16(&spec.name, 0);
    // Windows keeps the end of a path that is too long.
    block.extend(&name[name.len().saturating_sub(62)..]);
    block.resize(cells::PAGE, 0);
    cells::seal(&mut block);
    block
}

struct Writer {
    bins: Bins,
    minor_version: u32,
    /// The descriptors in use, with the cell and the number of keys of each.
    descriptors: Vec<Descriptor>,
}

struct Descriptor {
    bytes: Vec<u8>,
    cell: u32,
    keys: u32,
}

impl Writer {
    /// Fills the cell `at` with `key`, and puts what belongs to it behind. `inherited` is the parent's descriptor.
    fn key(&mut self, key: &KeySpec, at: u32, parent: u32, inherited: usize) {
        let descriptor = match &key.security {
            Some(bytes) => self.descriptor(bytes),
            None => inherited,
        };
        self.descriptors[descriptor].keys += 1;
        let class = key
            .class
            .as_ref()
            .map(|class| utf16(class, 0))
            .unwrap_or_default();
        let class_cell = self.optional(&class);
        let values: Vec<u32> = key.values.iter().map(|value| self.value(value)).collect();
        let values = self.optional(&words(&values));
        let subkeys: Vec<(u32, &KeySpec)> = key
            .subkeys
            .values()
            .map(|subkey| (self.bins.reserve(key_size(subkey)), subkey))
            .collect();
        let list = self.subkey_list(&subkeys);
        for (cell, subkey) in &subkeys {
            self.key(subkey, *cell, at, descriptor);
        }

        let (name, latin1) = stored_name(&key.name);
        let root = if parent == NIL { 0x000C } else { 0 };
        let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0) as u32;
        let utf16_size = |text: &str| 2 * text.encode_utf16().count();
        let mut node = b"nk".to_vec();
        node.extend((root | if latin1 { 0x0020_u16 } else { 0 }).to_le_bytes());
        node.extend(filetime(key.written).to_le_bytes());
        node.extend(words(&[
            0,
            if parent == NIL { 0 } else { parent },
            subkeys.len() as u32,
            0,
            list,
            NIL,
            key.values.len() as u32,
            values,
            self.descriptors[descriptor].cell,
            class_cell,
            longest(&mut key.subkeys.values().map(|subkey| utf16_size(&subkey.name))),
            longest(
                &mut key
                    .subkeys
                    .values()
                    .map(|subkey| utf16_size(subkey.class.as_deref().unwrap_or(""))),
            ),
            longest(&mut key.values.iter().map(|value| utf16_size(&value.name))),
            longest(&mut key.values.iter().map(|value| value.data.len())),
            0,
        ]));
        node.extend((name.len() as u16).to_le_bytes());
        node.extend((class.len() as u16).to_le_bytes());
        node.extend(name);
        self.bins.fill(at, &node);
    }

    /// A leaf, or an index over leaves. Windows NT has `lf` with the first letters, later ones `lh` with a hash.
    fn subkey_list(&mut self, subkeys: &[(u32, &KeySpec)]) -> u32 {
        let mark = if self.minor_version >= 5 {
            b"lh"
        } else {
            b"lf"
        };
        let leaves: Vec<u32> = subkeys
            .chunks(LEAF)
            .map(|chunk| {
                let mut leaf = mark.to_vec();
                leaf.extend((chunk.len() as u16).to_le_bytes());
                for (cell, subkey) in chunk {
                    leaf.extend(cell.to_le_bytes());
                    leaf.extend(if mark == b"lh" {
                        hash(&subkey.name)
                    } else {
                        hint(&subkey.name)
                    });
                }
                self.bins.put(&leaf)
            })
            .collect();
        match leaves.as_slice() {
            [] => NIL,
            [leaf] => *leaf,
            leaves => {
                let count = (leaves.len() as u16).to_le_bytes();
                self.bins
                    .put(&[b"ri".as_slice(), &count, &words(leaves)].concat())
            }
        }
    }

    fn value(&mut self, value: &ValueSpec) -> u32 {
        let length = value.data.len() as u32;
        let (size, offset) = match value.data.len() {
            0 => (INLINE, 0),
            1..=4 => {
                let mut word = [0; 4];
                word[..value.data.len()].copy_from_slice(&value.data);
                (length | INLINE, u32::from_le_bytes(word))
            }
            _ if value.data.len() > SEGMENT && self.minor_version > 3 => {
                (length, self.big_data(&value.data))
            }
            _ => (length, self.bins.put(&value.data)),
        };
        let (name, latin1) = stored_name(&value.name);
        let mut node = b"vk".to_vec();
        node.extend((name.len() as u16).to_le_bytes());
        node.extend(words(&[size, offset, value.kind]));
        node.extend([u8::from(latin1 && !name.is_empty()), 0, 0, 0]);
        node.extend(name);
        self.bins.put(&node)
    }

    fn big_data(&mut self, data: &[u8]) -> u32 {
        let segments: Vec<u32> = data
            .chunks(SEGMENT)
            .map(|segment| self.bins.put(segment))
            .collect();
        let list = self.bins.put(&words(&segments));
        let count = (segments.len() as u16).to_le_bytes();
        self.bins
            .put(&[b"db".as_slice(), &count, &words(&[list])].concat())
    }

    /// The number of the `sk` cell for a descriptor; equal ones share it.
    fn descriptor(&mut self, bytes: &[u8]) -> usize {
        if let Some(known) = self
            .descriptors
            .iter()
            .position(|known| known.bytes == bytes)
        {
            return known;
        }
        let cell = self.bins.reserve(20 + bytes.len());
        self.descriptors.push(Descriptor {
            bytes: bytes.to_vec(),
            cell,
            keys: 0,
        });
        self.descriptors.len() - 1
    }

    /// Fills the `sk` cells, each linked to the next and the last to the first.
    fn descriptors(&mut self) {
        let count = self.descriptors.len();
        for (at, descriptor) in self.descriptors.iter().enumerate() {
            let next = self.descriptors[(at + 1) % count].cell;
            let previous = self.descriptors[(at + count - 1) % count].cell;
            let mut node = b"sk\0\0".to_vec();
            node.extend(words(&[
                next,
                previous,
                descriptor.keys,
                descriptor.bytes.len() as u32,
            ]));
            node.extend(&descriptor.bytes);
            self.bins.fill(descriptor.cell, &node);
        }
    }

    /// A cell with `data`, or none when there is none.
    fn optional(&mut self, data: &[u8]) -> u32 {
        match data {
            [] => NIL,
            data => self.bins.put(data),
        }
    }
}

fn key_size(key: &KeySpec) -> usize {
    76 + stored_name(&key.name).0.len()
}

/// The bytes of a name, and whether they are Latin-1 rather than UTF-16.
fn stored_name(name: &str) -> (Vec<u8>, bool) {
    match name
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)))
        .collect()
    {
        Ok(latin1) => (latin1, true),
        Err(_) => (utf16(name, 0), false),
    }
}

/// What `lh` keeps of a name.
fn hash(name: &str) -> [u8; 4] {
    let units = upper_case(name).into_iter();
    let hash = units.fold(0_u32, |hash, unit| {
        hash.wrapping_mul(37).wrapping_add(u32::from(unit))
    });
    hash.to_le_bytes()
}

/// What `lf` keeps of a name.
fn hint(name: &str) -> [u8; 4] {
    let mut hint = [0; 4];
    if let (letters, true) = stored_name(name) {
        let length = letters.len().min(4);
        hint[..length].copy_from_slice(&letters[..length]);
    }
    hint
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
