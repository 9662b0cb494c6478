//! Forges an NTFS volume, so that what is tested of disks depends on nothing that is installed. It is laid out as the Linux-NTFS
//! project documents it, and simple: clusters of 4 KiB, records of 1 KiB, every system file that readers ask for.

mod index;
pub mod journal;
mod record;
mod security;

use std::collections::BTreeMap;

use jiff::Timestamp;

use index::{Entry, Index};
use record::{
    ATTRIBUTE_LIST, BITMAP, CLUSTER, DATA, FILE_NAME, INDEX_ALLOCATION, INDEX_ROOT, Kept, RECORD,
    Record, Run, STANDARD_INFORMATION, VOLUME_INFORMATION, VOLUME_NAME, in_clusters, resident,
    wide,
};
use security::Descriptors;

pub use record::{pack, protect, wide as record_wide};

const ROOT: usize = 5;
const EXTEND: usize = 11;
const FIRST_FREE: usize = 24;
/// Where $MFT begins; what is before it is the boot sector's.
const TABLE_AT: u64 = 4;

/// FILETIME.
pub fn file_time(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond() / 100 + 116_444_736_000_000_000).expect("a time after 1601")
}

/// How the content of a file lies on the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lies {
    /// In its record where it fits, else in one run.
    #[default]
    Simply,
    /// In many runs, with gaps between them.
    InPieces,
    /// In many runs, which two further records tell of.
    InRecords,
    /// Marked as compressed; the clusters themselves are as they are, as those are that do not compress.
    Compressed,
    /// With the first 64 KiB, which must be zero, not stored.
    Sparse,
}

/// The times of a file, and those that it had when it got its name.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub created: Timestamp,
    pub modified: Timestamp,
    pub changed: Timestamp,
    pub named: Timestamp,
}

impl Times {
    pub fn all(time: Timestamp) -> Times {
        Times {
            created: time,
            modified: time,
            changed: time,
            named: time,
        }
    }
}

/// A file or a folder.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    pub parent: usize,
    pub is_folder: bool,
    pub content: Vec<u8>,
    pub lies: Lies,
    pub times: Times,
    /// In binary; without one it has the volume's.
    pub descriptor: Option<Vec<u8>>,
    /// How often its record was used.
    pub uses: u16,
    pub is_deleted: bool,
    /// The folder that it was deleted from, with the count that this had then.
    was_in: Option<u64>,
    /// Its short name.
    pub short: Option<String>,
}

/// A volume in the making.
pub struct Volume {
    since: Timestamp,
    /// By the number of the record.
    pub nodes: BTreeMap<usize, Node>,
    next: usize,
    journal: Vec<journal::Change>,
    /// How much of the journal Windows has let go of.
    pub journal_gone: u64,
    pub log_file: Vec<u8>,
    /// Whether the volume is marked as dirty.
    pub is_dirty: bool,
    /// More clusters behind what is used.
    pub spare: usize,
}

impl Volume {
    pub fn new(since: Timestamp) -> Volume {
        let mut volume = Volume {
            since,
            nodes: BTreeMap::new(),
            next: FIRST_FREE,
            journal: Vec::new(),
            journal_gone: 16 << 20,
            log_file: vec![0xFF; 64 << 10],
            is_dirty: false,
            spare: 256,
        };
        volume.nodes.insert(ROOT, volume.node(".", ROOT, true));
        volume
            .nodes
            .insert(EXTEND, volume.node("$Extend", ROOT, true));
        volume
    }

    fn node(&self, name: &str, parent: usize, is_folder: bool) -> Node {
        Node {
            name: name.to_owned(),
            parent,
            is_folder,
            content: Vec::new(),
            lies: Lies::Simply,
            times: Times::all(self.since),
            descriptor: None,
            uses: 1,
            is_deleted: false,
            was_in: None,
            short: None,
        }
    }

    fn add(&mut self, node: Node) -> usize {
        let number = self.next;
        self.next += 1;
        // The further records of a file in records follow it.
        if node.lies == Lies::InRecords {
            self.next += 2;
        }
        self.nodes.insert(number, node);
        number
    }

    /// The number of a file that is there.
    pub fn find(&self, path: &str) -> Option<usize> {
        path.split('/').try_fold(ROOT, |parent, name| {
            let is = |node: &Node| !node.is_deleted && node.parent == parent && node.name == name;
            let found = self
                .nodes
                .iter()
                .find(|(number, node)| is(node) && **number != ROOT);
            found.map(|(number, _)| *number)
        })
    }

    pub fn at(&mut self, path: &str) -> &mut Node {
        let number = self
            .find(path)
            .unwrap_or_else(|| panic!("{path} is not there"));
        self.nodes.get_mut(&number).expect("it is there")
    }

    /// A folder, and those above it.
    pub fn folder(&mut self, path: &str) -> usize {
        let mut parent = ROOT;
        let mut above = String::new();
        for name in path.split('/') {
            above = if above.is_empty() {
                name.to_owned()
            } else {
                format!("{above}/{name}")
            };
            parent = self
                .find(&above)
                .unwrap_or_else(|| self.add(self.node(name, parent, true)));
        }
        parent
    }

    /// A file, and the folders above it.
    pub fn file(&mut self, path: &str, content: &[u8], lies: Lies) -> usize {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if above.is_empty() {
            ROOT
        } else {
            self.folder(above)
        };
        let mut node = self.node(name, parent, false);
        node.content = content.to_vec();
        node.lies = lies;
        self.add(node)
    }

    /// Many files of a few bytes each in a folder.
    pub fn fill(&mut self, path: &str, names: impl Iterator<Item = String>) {
        let parent = self.folder(path);
        for name in names {
            let mut node = self.node(&name, parent, false);
            node.content = b"key".to_vec();
            self.add(node);
        }
    }

    /// Everything of a folder of this machine.
    pub fn copy(&mut self, folder: &std::path::Path) {
        let mut files: Vec<_> = walkdir::WalkDir::new(folder)
            .into_iter()
            .map(|entry| entry.expect("it is read"))
            .collect();
        files.sort_by(|one, other| one.path().cmp(other.path()));
        for entry in files {
            let below = entry.path().strip_prefix(folder).expect("it is below");
            let path = below.to_str().expect("a path in UTF-8").replace('\\', "/");
            if entry.file_type().is_dir() {
                if !path.is_empty() {
                    self.folder(&path);
                }
            } else {
                let content = std::fs::read(entry.path()).expect("it is read");
                self.file(&path, &content, Lies::Simply);
            }
        }
    }

    /// The reference to a file.
    pub fn reference(&self, number: usize) -> u64 {
        let uses = self.nodes.get(&number).map_or(1, |node| node.uses);
        (u64::from(uses) << 48) | number as u64
    }

    /// Deletes a file, as Windows does: its record stays, free, and counts as used once more. The journal says so.
    pub fn delete(&mut self, path: &str, at: Timestamp) {
        let number = self
            .find(path)
            .unwrap_or_else(|| panic!("{path} is not there"));
        self.record(number, journal::DELETED | journal::CLOSED, at);
        let was_in = self.reference(self.nodes[&number].parent);
        let node = self.nodes.get_mut(&number).expect("it is there");
        node.was_in = Some(was_in);
        node.is_deleted = true;
        node.uses += 1;
        let parent = node.parent;
        let folder = self.nodes.get_mut(&parent).expect("its folder is there");
        folder.times.modified = at;
        folder.times.changed = at;
    }

    /// Renames a file or a folder within its folder.
    pub fn rename(&mut self, path: &str, name: &str, at: Timestamp) {
        let number = self
            .find(path)
            .unwrap_or_else(|| panic!("{path} is not there"));
        self.record(number, journal::OLD_NAME, at);
        let node = self.nodes.get_mut(&number).expect("it is there");
        name.clone_into(&mut node.name);
        // The times are those of the file before.
        node.times.named = node.times.changed;
        node.times.changed = at;
        self.record(number, journal::NEW_NAME, at);
        self.record(number, journal::NEW_NAME | journal::CLOSED, at);
    }

    /// Writes a record to the journal.
    pub fn record(&mut self, number: usize, reasons: u32, at: Timestamp) {
        let node = &self.nodes[&number];
        self.journal.push(journal::Change {
            at,
            reasons,
            file: self.reference(number),
            folder: self.reference(node.parent),
            name: node.name.clone(),
            is_folder: node.is_folder,
        });
    }

    /// Windows without a journal, or a volume that ntfs-3g wrote.
    pub fn without_journal(&mut self) {
        self.journal.clear();
    }

    /// The bytes of the volume.
    pub fn build(&self) -> Vec<u8> {
        Writer::new(self).build()
    }
}

/// Puts a volume onto its clusters.
struct Writer<'v> {
    volume: &'v Volume,
    clusters: Vec<u8>,
    records: BTreeMap<usize, Record>,
    descriptors: Descriptors,
    table_clusters: usize,
}

impl<'v> Writer<'v> {
    fn new(volume: &'v Volume) -> Self {
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

    fn store(&mut self, bytes: &[u8]) -> Run {
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

    fn value(&mut self, kind: u32, name: &str, bytes: &[u8]) -> Vec<u8> {
        let run = self.store(bytes);
        in_clusters(kind, name, bytes.len() as u64, 0, &[run], Kept::Plain)
    }

    fn standard(&self, node: &Node) -> Vec<u8> {
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
            (false, Lies::Compressed) => 0x820,
            (false, _) => 0x20,
        };
        value.extend(attributes.to_le_bytes());
        value.extend([0; 12]);
        value.extend(
            self.descriptors
                .id(node.descriptor.as_deref())
                .to_le_bytes(),
        );
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
        value.extend(
            if node.is_folder {
                0x1000_0000_u32
            } else {
                0x20
            }
            .to_le_bytes(),
        );
        value.extend([0; 4]);
        value.push(name.encode_utf16().count() as u8);
        value.push(namespace);
        value.extend(wide(name));
        value
    }

    /// Each name with its namespace: 1 a long one, 2 a short one, 3 one that is both.
    fn names(&self, node: &Node) -> Vec<Vec<u8>> {
        match &node.short {
            None => vec![self.name_value(node, &node.name, 3)],
            Some(short) => vec![
                self.name_value(node, &node.name, 1),
                self.name_value(node, short, 2),
            ],
        }
    }

    fn record(&self, number: usize, sequence: u16, flags: u16, attributes: Vec<Vec<u8>>) -> Record {
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
        let own =
            self.volume.nodes.iter().filter(|(number, node)| {
                node.parent == folder && !node.is_deleted && **number != ROOT
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

    fn system(&mut self, number: usize, name: &str, rest: Vec<Vec<u8>>) {
        let node = self.volume.node(name, ROOT, false);
        let mut attributes = vec![self.standard(&node)];
        attributes.extend(
            self.names(&node)
                .iter()
                .map(|name| resident(FILE_NAME, "", name)),
        );
        attributes.extend(rest);
        // The system's records have their own number as their count; the first has 1.
        let sequence = number.max(1) as u16;
        self.records
            .insert(number, self.record(number, sequence, 1, attributes));
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

    fn build(mut self) -> Vec<u8> {
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

    fn write_system_files(&mut self) {
        let log = self.value(DATA, "", &self.volume.log_file.clone());
        self.system(2, "$LogFile", vec![log]);
        let mut information = vec![0; 8];
        information.extend([3, 1]);
        information.extend(u16::from(self.volume.is_dirty).to_le_bytes());
        self.system(
            3,
            "$Volume",
            vec![
                resident(VOLUME_NAME, "", &wide("forged")),
                resident(VOLUME_INFORMATION, "", &information),
                resident(DATA, "", &[]),
            ],
        );
        let definitions = self.value(DATA, "", &attribute_definitions());
        self.system(4, "$AttrDef", vec![definitions]);
        let boot = in_clusters(DATA, "", 8192, 0, &[(2, Some(0))], Kept::Plain);
        self.system(7, "$Boot", vec![boot]);
        self.system(8, "$BadClus", vec![resident(DATA, "", &[])]);
        let table = self.descriptors.stream();
        let table = self.value(DATA, "$SDS", &table);
        self.system(
            9,
            "$Secure",
            vec![
                table,
                resident(INDEX_ROOT, "$SDH", &empty_view(0x12)),
                resident(INDEX_ROOT, "$SII", &empty_view(0x10)),
            ],
        );
        let letters: Vec<u8> = (0..=u16::MAX)
            .flat_map(|letter| upper(letter).to_le_bytes())
            .collect();
        let letters = self.value(DATA, "", &letters);
        self.system(10, "$UpCase", vec![letters]);
        for number in 12..FIRST_FREE {
            let record = self.record(number, number as u16, 0, Vec::new());
            self.records.insert(number, record);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let count = self.table_clusters * CLUSTER / RECORD;
        let mut in_use = vec![0_u8; count.div_ceil(64) * 8];
        for (number, record) in &self.records {
            if record.flags & 1 != 0 || *number < FIRST_FREE {
                in_use[number / 8] |= 1 << (number % 8);
            }
        }
        in_use[0] |= 1;
        let in_use = match in_use.len() {
            0..=300 => resident(BITMAP, "", &in_use),
            _ => self.value(BITMAP, "", &in_use),
        };
        let mirror_at = self.store(&[0; CLUSTER]).1.expect("a place");
        // The bitmap stands for itself, for what is spare, and for the cluster that only the copy of the boot sector lies in.
        let used = self.clusters.len() / CLUSTER;
        let mut bitmap_clusters = 1;
        while bitmap_clusters * CLUSTER * 8 < used + bitmap_clusters + self.volume.spare + 1 {
            bitmap_clusters += 1;
        }
        let total = used + bitmap_clusters + self.volume.spare;
        let mut map = bits(used + bitmap_clusters);
        map.resize(bitmap_clusters * CLUSTER, 0);
        for cluster in total..bitmap_clusters * CLUSTER * 8 {
            map[cluster / 8] |= 1 << (cluster % 8);
        }
        let map_run = self.store(&map);
        let map_size = total.div_ceil(64) as u64 * 8;
        let bitmap = in_clusters(DATA, "", map_size, 0, &[map_run], Kept::Plain);
        self.system(6, "$Bitmap", vec![bitmap]);
        let mirror = in_clusters(
            DATA,
            "",
            CLUSTER as u64,
            0,
            &[(1, Some(mirror_at))],
            Kept::Plain,
        );
        self.system(1, "$MFTMirr", vec![mirror]);
        let size = (self.table_clusters * CLUSTER) as u64;
        let table = in_clusters(
            DATA,
            "",
            size,
            0,
            &[(self.table_clusters as u64, Some(TABLE_AT))],
            Kept::Plain,
        );
        self.system(0, "$MFT", vec![table, in_use]);
        let table_at = TABLE_AT as usize * CLUSTER;
        for number in 0..count {
            let record = match self.records.get(&number) {
                Some(record) => record.bytes(),
                None => self.record(number, 0, 0, Vec::new()).bytes(),
            };
            let at = table_at + number * RECORD;
            self.clusters[at..at + RECORD].copy_from_slice(&record);
        }
        let mirror_at = mirror_at as usize * CLUSTER;
        let head = self.clusters[table_at..table_at + CLUSTER].to_vec();
        self.clusters[mirror_at..mirror_at + CLUSTER].copy_from_slice(&head);
        self.clusters.resize(total * CLUSTER, 0);
        let boot = boot_sector(total as u64, (mirror_at / CLUSTER) as u64);
        self.clusters[..512].copy_from_slice(&boot);
        // The copy of the boot sector lies behind the last cluster.
        self.clusters.extend(boot);
        self.clusters
    }
}

/// The system files that the root lists.
fn system_names() -> Vec<(usize, &'static str)> {
    vec![
        (0, "$MFT"),
        (1, "$MFTMirr"),
        (2, "$LogFile"),
        (3, "$Volume"),
        (4, "$AttrDef"),
        (6, "$Bitmap"),
        (7, "$Boot"),
        (8, "$BadClus"),
        (9, "$Secure"),
        (10, "$UpCase"),
    ]
}

fn system_reference(number: usize) -> Option<u64> {
    let is_system = system_names().iter().any(|(system, _)| *system == number);
    is_system.then(|| ((number.max(1) as u64) << 48) | number as u64)
}

fn upper(letter: u16) -> u16 {
    match letter {
        0x61..=0x7A | 0xE0..=0xF6 | 0xF8..=0xFE => letter - 0x20,
        other => other,
    }
}

/// So many bits that are set.
fn bits(count: usize) -> Vec<u8> {
    let mut bytes = vec![0xFF; count / 8];
    if !count.is_multiple_of(8) {
        bytes.push((1 << (count % 8)) - 1);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// An index without entries, of something else than names.
fn empty_view(collation: u32) -> Vec<u8> {
    let mut value = 0_u32.to_le_bytes().to_vec();
    value.extend(collation.to_le_bytes());
    value.extend((CLUSTER as u32).to_le_bytes());
    value.extend([1, 0, 0, 0]);
    for word in [16_u32, 32, 32, 0] {
        value.extend(word.to_le_bytes());
    }
    value.extend([0; 8]);
    value.extend([16, 0, 0, 0, 2, 0, 0, 0]);
    value
}

fn attribute_definitions() -> Vec<u8> {
    let names = [
        ("$STANDARD_INFORMATION", 0x10_u32),
        ("$ATTRIBUTE_LIST", 0x20),
        ("$FILE_NAME", 0x30),
        ("$VOLUME_NAME", 0x60),
        ("$VOLUME_INFORMATION", 0x70),
        ("$DATA", 0x80),
        ("$INDEX_ROOT", 0x90),
        ("$INDEX_ALLOCATION", 0xA0),
        ("$BITMAP", 0xB0),
    ];
    let mut bytes = Vec::new();
    for (name, kind) in names {
        let begin = bytes.len();
        bytes.extend(wide(name));
        bytes.resize(begin + 128, 0);
        bytes.extend(kind.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(0x80_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(u64::MAX.to_le_bytes());
    }
    bytes.resize(bytes.len() + 160, 0);
    bytes
}

fn boot_sector(clusters: u64, mirror: u64) -> [u8; 512] {
    let mut sector = [0; 512];
    sector[..3].copy_from_slice(&[0xEB, 0x52, 0x90]);
    sector[3..11].copy_from_slice(b"NTFS    ");
    sector[11..13].copy_from_slice(&512_u16.to_le_bytes());
    sector[13] = (CLUSTER / 512) as u8;
    sector[21] = 0xF8;
    sector[24..26].copy_from_slice(&63_u16.to_le_bytes());
    sector[26..28].copy_from_slice(&255_u16.to_le_bytes());
    sector[36..40].copy_from_slice(&[0x80, 0, 0x80, 0]);
    sector[40..48].copy_from_slice(&(clusters * (CLUSTER as u64 / 512)).to_le_bytes());
    sector[48..56].copy_from_slice(&TABLE_AT.to_le_bytes());
    sector[56..64].copy_from_slice(&mirror.to_le_bytes());
    sector[64] = 0xF6; // records of 2^10 bytes
    sector[68] = 1; // index blocks of one cluster
    sector[72..80].copy_from_slice(&0x1234_5678_9ABC_DEF0_u64.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xAA]);
    sector
}
