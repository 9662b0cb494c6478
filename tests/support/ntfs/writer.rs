//! Puts the files of a volume onto its clusters.

use std::collections::BTreeMap;

use super::index::{Entry, Index};
use super::record::{
    ATTRIBUTE_LIST, BITMAP, CLUSTER, DATA, FILE_NAME, INDEX_ALLOCATION, INDEX_ROOT, Kept, RECORD,
    REPARSE_POINT, Record, Run, SECURITY_DESCRIPTOR, STANDARD_INFORMATION, in_clusters, resident,
    wide,
};
use super::security::Descriptors;
use super::system::{system_names, system_reference};
use super::{EXTEND, Lies, Node, ROOT, TABLE_AT, Times, Volume, file_time, journal, lznt1};

/// Puts a volume onto its clusters.
pub(super) struct Writer<'v> {
    pub(super) volume: &'v Volume,
    pub(super) clusters: Vec<u8>,
    pub(super) records: BTreeMap<usize, Record>,
    pub(super) descriptors: Descriptors,
    pub(super) table_clusters: usize,
}

impl<'v> Writer<'v> {
    pub(super) fn new(volume: &'v Volume) -> Self {
        let records = (volume.next + 1)
            .max(256)
            .next_multiple_of(CLUSTER / RECORD);
        let table_clusters = records * RECORD / CLUSTER;
        let mut descriptors = Descriptors::default();
        for node in volume.nodes.values() {
            descriptors.add(node.descriptor.as_deref());
        }
        Writer {
            volume,
            clusters: vec![0; (TABLE_AT as usize + table_clusters) * CLUSTER],
            records: BTreeMap::new(),
            descriptors,
            table_clusters,
        }
    }

    pub(super) fn store(&mut self, bytes: &[u8]) -> Run {
        let at = (self.clusters.len() / CLUSTER) as u64;
        self.clusters.extend(bytes);
        let end = self.clusters.len().next_multiple_of(CLUSTER);
        self.clusters.resize(end, 0);
        (bytes.len().div_ceil(CLUSTER) as u64, Some(at))
    }

    /// In pieces of two clusters, with a cluster of garbage behind each.
    fn store_in_pieces(&mut self, bytes: &[u8]) -> Vec<Run> {
        bytes
            .chunks(2 * CLUSTER)
            .map(|piece| {
                let run = self.store(piece);
                self.store(&[0xDB; CLUSTER]);
                run
            })
            .collect()
    }

    /// In units of 16 clusters: packed where that saves one, as they are, or not at all.
    fn store_packed(&mut self, bytes: &[u8]) -> Vec<Run> {
        const UNIT: usize = 16;
        let mut runs = Vec::new();
        for unit in bytes.chunks(UNIT * CLUSTER) {
            let packed = lznt1::pack(unit);
            let clusters = packed.len().div_ceil(CLUSTER);
            if unit.iter().all(|byte| *byte == 0) {
                runs.push((UNIT as u64, None));
            } else if clusters < UNIT {
                runs.push(self.store(&packed));
                runs.push(((UNIT - clusters) as u64, None));
            } else {
                let mut whole = unit.to_vec();
                whole.resize(UNIT * CLUSTER, 0);
                runs.push(self.store(&whole));
            }
        }
        runs
    }

    pub(super) fn value(&mut self, kind: u32, name: &str, bytes: &[u8]) -> Vec<u8> {
        let run = self.store(bytes);
        in_clusters(kind, name, bytes.len() as u64, 0, &[run], Kept::Plain)
    }

    pub(super) fn standard(&self, node: &Node) -> Vec<u8> {
        let mut value = Vec::new();
        let Times {
            created,
            modified,
            changed,
            ..
        } = node.times;
        for time in [created, modified, changed, changed] {
            value.extend(file_time(time).to_le_bytes());
        }
        let attributes: u32 = match (node.is_folder, node.lies) {
            (true, _) => 0,
            (false, Lies::Sparse) => 0x220,
            (false, Lies::Compressed | Lies::Packed) => 0x820,
            (false, Lies::Encrypted) => 0x4020,
            (false, _) => 0x20,
        };
        value.extend(attributes.to_le_bytes());
        value.extend([0; 16]);
        let descriptor = match node.keeps_descriptor {
            true => 0,
            false => self.descriptors.id(node.descriptor.as_deref()),
        };
        value.extend(descriptor.to_le_bytes());
        value.extend([0; 16]);
        resident(STANDARD_INFORMATION, "", &value)
    }

    fn name_value(&self, node: &Node, name: &str, namespace: u8) -> Vec<u8> {
        let folder = node.was_in.unwrap_or(self.volume.reference(node.parent));
        let mut value = folder.to_le_bytes().to_vec();
        let created = file_time(node.times.created.min(node.times.named));
        let named = file_time(node.times.named);
        for time in [created, named, named, named] {
            value.extend(time.to_le_bytes());
        }
        let size = node.content.len() as u64;
        value.extend(size.next_multiple_of(CLUSTER as u64).to_le_bytes());
        value.extend(size.to_le_bytes());
        let attributes: u32 = if node.is_folder { 0x1000_0000 } else { 0x20 };
        let refers: u32 = if node.reparse.is_some() { 0x400 } else { 0 };
        value.extend((attributes | refers).to_le_bytes());
        value.extend([0; 4]);
        value.push(name.encode_utf16().count() as u8);
        value.push(namespace);
        value.extend(wide(name));
        value
    }

    /// Each name with its namespace: 1 a long one, 2 a short one, 3 one that is both.
    pub(super) fn names(&self, node: &Node) -> Vec<Vec<u8>> {
        match &node.short {
            None => vec![self.name_value(node, &node.name, 3)],
            Some(short) => vec![
                self.name_value(node, &node.name, 1),
                self.name_value(node, short, 2),
            ],
        }
    }

    pub(super) fn record(
        &self,
        number: usize,
        sequence: u16,
        flags: u16,
        attributes: Vec<Vec<u8>>,
    ) -> Record {
        Record {
            number: number as u64,
            sequence,
            flags,
            base: 0,
            links: 1,
            attributes,
        }
    }

    fn index(&mut self, folder: usize) -> Vec<Vec<u8>> {
        let mut entries = Vec::new();
        let system = system_names()
            .into_iter()
            .map(|(number, name)| (number, self.volume.node(name, ROOT, false)));
        let system: Vec<(usize, Node)> = match folder {
            ROOT => system
                .chain([(ROOT, self.volume.node(".", ROOT, true))])
                .collect(),
            _ => Vec::new(),
        };
        let own = self.volume.nodes.iter().filter(|(number, node)| {
            node.parent == folder && !node.is_deleted && !node.is_unlisted && **number != ROOT
        });
        for (number, node) in system
            .iter()
            .map(|(number, node)| (number, node))
            .chain(own)
        {
            for key in self.names(node) {
                let name = &key[66..];
                let (pairs, _) = name.as_chunks::<2>();
                let order = pairs
                    .iter()
                    .map(|pair| upper(u16::from_le_bytes(*pair)))
                    .collect();
                entries.push(Entry {
                    reference: system_reference(*number).unwrap_or(self.volume.reference(*number)),
                    key,
                    order,
                });
            }
        }
        let index = Index::of(entries);
        let mut attributes = vec![resident(INDEX_ROOT, "$I30", &index.root)];
        if !index.blocks.is_empty() {
            let count = index.blocks.len() / CLUSTER;
            attributes.push(self.value(INDEX_ALLOCATION, "$I30", &index.blocks));
            let bits = bits(count);
            attributes.push(match bits.len() {
                0..=64 => resident(BITMAP, "$I30", &bits),
                _ => self.value(BITMAP, "$I30", &bits),
            });
        }
        attributes
    }

    fn write_node(&mut self, number: usize, node: &Node) {
        let mut attributes = vec![self.standard(node)];
        attributes.extend(
            self.names(node)
                .iter()
                .map(|name| resident(FILE_NAME, "", name)),
        );
        if node.keeps_descriptor {
            let descriptor = node.descriptor.as_ref().expect("it has one");
            attributes.push(resident(SECURITY_DESCRIPTOR, "", descriptor));
        }
        let flags = match (node.is_deleted, node.is_folder) {
            (false, false) => 1,
            (false, true) => 3,
            (true, false) => 0,
            (true, true) => 2,
        };
        if node.is_folder {
            attributes.extend(self.index(number));
        } else if node.lies == Lies::InRecords {
            self.write_in_records(number, node, attributes);
            return;
        } else {
            attributes.push(self.content(node));
            for (name, bytes) in &node.streams {
                attributes.push(resident(DATA, name, bytes));
            }
        }
        if let Some(tag) = node.reparse {
            let value = [tag.to_le_bytes(), [0; 4]].concat();
            attributes.push(resident(REPARSE_POINT, "", &value));
        }
        self.records
            .insert(number, self.record(number, node.uses, flags, attributes));
    }

    fn content(&mut self, node: &Node) -> Vec<u8> {
        let bytes = &node.content;
        let size = bytes.len() as u64;
        match node.lies {
            Lies::Simply if bytes.len() <= 300 => resident(DATA, "", bytes),
            Lies::Simply => self.value(DATA, "", bytes),
            Lies::InPieces | Lies::InRecords => {
                let runs = self.store_in_pieces(bytes);
                in_clusters(DATA, "", size, 0, &runs, Kept::Plain)
            }
            Lies::Compressed => {
                let mut padded = bytes.clone();
                padded.resize(padded.len().next_multiple_of(16 * CLUSTER), 0);
                let run = self.store(&padded);
                in_clusters(DATA, "", size, 0, &[run], Kept::Compressed)
            }
            Lies::Packed => {
                let runs = self.store_packed(bytes);
                in_clusters(DATA, "", size, 0, &runs, Kept::Compressed)
            }
            Lies::Encrypted => {
                let run = self.store(bytes);
                in_clusters(DATA, "", size, 0, &[run], Kept::Encrypted)
            }
            Lies::At(cluster) => {
                let run = (bytes.len().div_ceil(CLUSTER) as u64, Some(cluster));
                in_clusters(DATA, "", size, 0, &[run], Kept::Plain)
            }
            Lies::Sparse => {
                let (hole, rest) = bytes.split_at(16 * CLUSTER);
                assert!(hole.iter().all(|byte| *byte == 0));
                let run = self.store(rest);
                in_clusters(DATA, "", size, 0, &[(16, None), run], Kept::Sparse)
            }
        }
    }

    /// The runs in two further records, and a list of attributes that names them.
    fn write_in_records(&mut self, number: usize, node: &Node, mut attributes: Vec<Vec<u8>>) {
        let runs = self.store_in_pieces(&node.content);
        let (first, second) = runs.split_at(runs.len() / 2);
        let from: u64 = first.iter().map(|(count, _)| count).sum();
        let size = node.content.len() as u64;
        let reference = self.volume.reference(number);
        let mut list = Vec::new();
        let mut entry = |kind: u32, vcn: u64, reference: u64, id: u16| {
            let begin = list.len();
            list.extend(kind.to_le_bytes());
            list.extend(32_u16.to_le_bytes());
            list.extend([0, 26]);
            list.extend(vcn.to_le_bytes());
            list.extend(reference.to_le_bytes());
            list.extend(id.to_le_bytes());
            list.resize(begin + 32, 0);
        };
        let further = |index: usize| (1 << 48) | (number + index) as u64;
        entry(STANDARD_INFORMATION, 0, reference, 0);
        entry(FILE_NAME, 0, reference, 2);
        entry(DATA, 0, further(1), 0);
        entry(DATA, from, further(2), 0);
        attributes.insert(1, resident(ATTRIBUTE_LIST, "", &list));
        self.records
            .insert(number, self.record(number, node.uses, 1, attributes));
        for (index, vcn, runs) in [(1, 0, first), (2, from, second)] {
            let data = in_clusters(DATA, "", size, vcn, runs, Kept::Plain);
            let mut record = self.record(number + index, 1, 1, vec![data]);
            record.base = reference;
            self.records.insert(number + index, record);
        }
    }

    fn write_journal(&mut self) {
        let volume = self.volume;
        let gone = volume.journal_gone;
        let stream = journal::stream(&volume.journal, gone);
        if stream.is_empty() {
            return;
        }
        let number = volume.next;
        let node = volume.node("$UsnJrnl", EXTEND, false);
        let run = self.store(&stream);
        let hole = gone / CLUSTER as u64;
        let runs: Vec<Run> = [(hole, None), run]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .collect();
        let size = gone + stream.len() as u64;
        let mut attributes = vec![self.standard(&node)];
        attributes.extend(
            self.names(&node)
                .iter()
                .map(|name| resident(FILE_NAME, "", name)),
        );
        attributes.push(in_clusters(DATA, "$J", size, 0, &runs, Kept::Sparse));
        attributes.push(resident(DATA, "$Max", &[0; 32]));
        self.records
            .insert(number, self.record(number, 1, 1, attributes));
    }

    pub(super) fn build(mut self) -> Vec<u8> {
        let volume = self.volume;
        for (number, node) in &volume.nodes {
            if *number == EXTEND && !self.volume.journal.is_empty() {
                self.write_extend(node);
            } else {
                self.write_node(*number, node);
            }
        }
        self.write_journal();
        self.write_system_files();
        self.finish()
    }

    /// $Extend holds the journal, which is no node of the user's.
    fn write_extend(&mut self, node: &Node) {
        let journal = self.volume.node("$UsnJrnl", EXTEND, false);
        let key = self.names(&journal).remove(0);
        let order = journal.name.encode_utf16().map(upper).collect();
        let reference = (1 << 48) | self.volume.next as u64;
        let index = Index::of(vec![Entry {
            reference,
            key,
            order,
        }]);
        let mut attributes = vec![self.standard(node)];
        attributes.extend(
            self.names(node)
                .iter()
                .map(|name| resident(FILE_NAME, "", name)),
        );
        attributes.push(resident(INDEX_ROOT, "$I30", &index.root));
        self.records
            .insert(EXTEND, self.record(EXTEND, node.uses, 3, attributes));
    }
}

pub(super) fn upper(letter: u16) -> u16 {
    match letter {
        0x61..=0x7A | 0xE0..=0xF6 | 0xF8..=0xFE => letter - 0x20,
        other => other,
    }
}

/// So many bits that are set.
pub(super) fn bits(count: usize) -> Vec<u8> {
    let mut bytes = vec![0xFF; count / 8];
    if !count.is_multiple_of(8) {
        bytes.push((1 << (count % 8)) - 1);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}
