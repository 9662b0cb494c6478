//! Forges an NTFS volume, so that what is tested of disks depends on nothing that is installed. It is laid out as the Linux-NTFS
//! project documents it, and simple: clusters of 4 KiB, records of 1 KiB, every system file that readers ask for.

mod index;
pub mod journal;
mod lznt1;
mod record;
mod security;
mod system;
mod writer;

use std::collections::BTreeMap;

use jiff::Timestamp;

use writer::Writer;

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
    /// Compressed, as far as it can be.
    Packed,
    /// Marked as encrypted.
    Encrypted,
    /// In one run at that cluster, whatever else is there.
    At(u64),
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
    /// Streams beside the content.
    pub streams: Vec<(String, Vec<u8>)>,
    /// What it refers to instead of having content, by the tag of its reparse point.
    pub reparse: Option<u32>,
    /// Whether its folder's list lacks it, though its record says that it is there.
    pub is_unlisted: bool,
    /// Whether its descriptor is kept with it, as on volumes of before Windows 2000, and not in $Secure.
    pub keeps_descriptor: bool,
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
            streams: Vec::new(),
            reparse: None,
            is_unlisted: false,
            keeps_descriptor: false,
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
