//! What is in a folder: the entries of its index.
//!
//! The index is a tree whose nodes lie in blocks; a bitmap says which blocks are nodes of it. All of them are read one after the
//! other: their order does not matter here, and so no damage can lead in a circle. What the structures say of each other is held
//! against each other, since a folder that lists a file no more is evidence only where its list is sound.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::NtfsError;
use super::record::{BITMAP, FileName, INDEX_ALLOCATION, INDEX_ROOT, RECORD_NUMBER, fix_up};
use super::volume::{File, Volume};
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le};
use crate::bundle::source::ReadAt;

const NAMES: &str = "$I30";
/// A bitmap of this size stands for 2^23 blocks, some 10^8 files.
const LARGEST_BITMAP: u64 = 1 << 20;
const HAS_NODE_BELOW: u16 = 1;
const LAST: u16 = 2;
/// What stands before the name in a $FILE_NAME.
const BEFORE_NAME: usize = 66;
const DAMAGED: &str = "its list of files is damaged";

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bundle::disk) struct FolderEntry {
    /// The record of the file.
    pub(in crate::bundle::disk) number: u64,
    /// How often that record was used, then.
    pub(in crate::bundle::disk) uses: u16,
    pub(in crate::bundle::disk) name: FileName,
}

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bundle::disk) struct FolderContent {
    /// The entries with long names, in no certain order.
    pub(in crate::bundle::disk) entries: Vec<FolderEntry>,
    /// Whether there are more.
    pub(in crate::bundle::disk) too_many: bool,
    /// What of it is damaged.
    pub(in crate::bundle::disk) flaw: Option<String>,
}

impl Volume {
    /// Lists a folder: no more than `most` files of it, and those that matter however many there are.
    ///
    /// # Errors
    /// [`NtfsError`] where it has no index at all. What is damaged in it is told in [`FolderContent::flaw`].
    pub(in crate::bundle::disk) fn folder(
        &self,
        folder: &File,
        most: usize,
        matters: &dyn Fn(&str) -> bool,
    ) -> Result<FolderContent, NtfsError> {
        let mut content = FolderContent::default();
        let mut too_many = false;
        let keep = &mut |entry: FolderEntry, content: &mut FolderContent| {
            if content.entries.len() < most || matters(&entry.name.name) {
                content.entries.push(entry);
            } else {
                too_many = true;
            }
            true
        };
        self.each_entry(folder, &mut content, keep)?;
        content.too_many = too_many;
        Ok(content)
    }

    /// The entry of that name, in whatever case.
    ///
    /// # Errors
    /// As [`Volume::folder`]; and where the folder is damaged and the name was not found in what is left.
    pub(in crate::bundle::disk) fn entry(
        &self,
        folder: &File,
        name: &str,
    ) -> Result<Option<FolderEntry>, NtfsError> {
        let wanted = name.to_lowercase();
        let mut content = FolderContent::default();
        let keep = &mut |entry: FolderEntry, content: &mut FolderContent| {
            let found = entry.name.name.to_lowercase() == wanted;
            if found {
                content.entries.push(entry);
            }
            !found
        };
        self.each_entry(folder, &mut content, keep)?;
        match (content.entries.pop(), content.flaw) {
            (Some(entry), _) => Ok(Some(entry)),
            (None, None) => Ok(None),
            (None, Some(flaw)) => Err(NtfsError::Unreadable(flaw)),
        }
    }

    /// Hands every entry over until it is told to stop.
    fn each_entry(
        &self,
        folder: &File,
        content: &mut FolderContent,
        keep: &mut dyn FnMut(FolderEntry, &mut FolderContent) -> bool,
    ) -> Result<(), NtfsError> {
        let number = folder.number();
        let missing = |_| NtfsError::Missing {
            number,
            what: "list of files",
        };
        let root = self.value(folder, INDEX_ROOT, NAMES).map_err(missing)?;
        let root = root.read_all(64 << 10)?;
        let block = u32_le(&root, 8).unwrap_or_default();
        let mut index = Index {
            folder: number,
            keep,
            short: Tally::default(),
            long: Tally::default(),
            named: BTreeSet::new(),
        };
        if !index.read_node(root.get(16..).unwrap_or_default(), content) {
            return Ok(());
        }
        let mut found = BTreeSet::new();
        // Bit 0 of the root's flags says that there are more nodes than the root.
        let is_large = root.get(28).is_some_and(|flags| flags & 1 != 0);
        if is_large || !index.named.is_empty() {
            match self.blocks(folder, block) {
                Ok(blocks) => {
                    if !self.each_block(&blocks, &mut index, &mut found, content) {
                        return Ok(());
                    }
                }
                Err(why) => content.flaw = Some(why),
            }
        }
        if index.named != found {
            content.flaw = Some("not all of its list of files hangs together".to_owned());
        }
        if index.short.count > index.long.count
            || index.short.count == index.long.count && index.short.sum != index.long.sum
        {
            content.flaw = Some(DAMAGED.to_owned());
        }
        Ok(())
    }

    /// The blocks of a folder's list, and which of them are used; or why they cannot be had.
    fn blocks(&self, folder: &File, block: u32) -> Result<Blocks, String> {
        let source = self
            .value(folder, INDEX_ALLOCATION, NAMES)
            .map_err(|_| "its list of files is not there".to_owned())?;
        let size = usize::try_from(block)
            .ok()
            .filter(|size| size.is_power_of_two() && (512..=64 << 10).contains(size))
            .ok_or_else(|| format!("its list of files has blocks of {block} bytes"))?;
        let bitmap = self
            .value(folder, BITMAP, NAMES)
            .map_err(|error| error.to_string())
            .and_then(|bitmap| {
                bitmap
                    .read_all(LARGEST_BITMAP)
                    .map_err(|error| error.to_string())
            })
            .map_err(|why| format!("which blocks of its list are used is not known: {why}"))?;
        Ok(Blocks {
            source,
            size,
            bitmap,
        })
    }

    /// Reads every block that is used; false when that is enough.
    fn each_block(
        &self,
        blocks: &Blocks,
        index: &mut Index<'_>,
        found: &mut BTreeSet<u64>,
        content: &mut FolderContent,
    ) -> bool {
        let Blocks {
            source,
            size,
            bitmap,
        } = blocks;
        // Nodes are numbered in clusters, or in sectors where a cluster is larger than a block.
        let step = match self.cluster() {
            cluster if cluster <= *size as u64 => cluster,
            _ => 512,
        };
        let mut bytes = vec![0; *size];
        for number in 0..source.len() / *size as u64 {
            let bits = usize::try_from(number / 8)
                .ok()
                .and_then(|at| bitmap.get(at));
            let Some(bits) = bits else { break };
            if bits & (1 << (number % 8)) == 0 {
                continue;
            }
            let at = number.saturating_mul(*size as u64);
            found.insert(at / step);
            let read = source.read_full_at(at, &mut bytes);
            let whole = matches!(read, Ok(count) if count == *size)
                && bytes.starts_with(b"INDX")
                && fix_up(&mut bytes);
            if !whole {
                let why = match read {
                    Err(error) => error.to_string(),
                    Ok(_) => "it is damaged".to_owned(),
                };
                content.flaw = Some(format!(
                    "block {number} of its list of files cannot be read: {why}"
                ));
                continue;
            }
            if u64_le(&bytes, 16) != Some(at / step) {
                content.flaw = Some(format!(
                    "block {number} of its list of files is another one"
                ));
            }
            if !index.read_node(bytes.get(24..).unwrap_or_default(), content) {
                return false;
            }
        }
        true
    }
}

/// The blocks of a folder's list.
struct Blocks {
    source: Arc<dyn ReadAt>,
    size: usize,
    bitmap: Vec<u8>,
}

/// An index while it is read.
struct Index<'k> {
    /// The record of the folder, which each entry names as well.
    folder: u64,
    keep: &'k mut dyn FnMut(FolderEntry, &mut FolderContent) -> bool,
    /// The files with a short name, and those with a long name that a short one belongs to: each of the former is one of the latter.
    short: Tally,
    long: Tally,
    /// The nodes that others name as theirs.
    named: BTreeSet<u64>,
}

/// How many, and which they are, in two numbers.
#[derive(Default)]
struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, number: u64) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.wrapping_add(number);
    }
}

impl Index<'_> {
    /// Reads the entries of a node, which begins with where they begin and how long they are; false when that is enough.
    fn read_node(&mut self, node: &[u8], content: &mut FolderContent) -> bool {
        let entries = || {
            let start = usize::try_from(u32_le(node, 0)?).ok()?;
            let end = usize::try_from(u32_le(node, 4)?).ok()?;
            node.get(start..end)
        };
        let mut rest = entries().unwrap_or_default();
        loop {
            let Some((entry, after)) = split_entry(rest) else {
                content.flaw = Some(DAMAGED.to_owned());
                return true;
            };
            let flags = u16_le(entry, 12).unwrap_or_default();
            if flags & HAS_NODE_BELOW != 0 {
                let at = entry.len().saturating_sub(8);
                self.named.extend(u64_le(entry, at));
            }
            if flags & LAST != 0 {
                // What is behind the last entry would be lost.
                if !after.is_empty() {
                    content.flaw = Some(DAMAGED.to_owned());
                }
                return true;
            }
            match self.read_entry(entry) {
                Some(found) if found.name.is_short => self.short.add(found.number),
                Some(found) => {
                    if found.name.has_short {
                        self.long.add(found.number);
                    }
                    if !(self.keep)(found, content) {
                        return false;
                    }
                }
                None => content.flaw = Some(DAMAGED.to_owned()),
            }
            rest = after;
        }
    }

    fn read_entry(&self, entry: &[u8]) -> Option<FolderEntry> {
        let reference = u64_le(entry, 0)?;
        let key_bytes = usize::from(u16_le(entry, 10)?);
        let key = entry.get(16..16_usize.checked_add(key_bytes)?)?;
        let name = FileName::read(key)?;
        let is_sound = key_bytes == BEFORE_NAME + 2 * name.name.encode_utf16().count()
            && u64_le(key, 0)? & RECORD_NUMBER == self.folder;
        is_sound.then_some(FolderEntry {
            number: reference & RECORD_NUMBER,
            uses: u16::try_from(reference >> 48).unwrap_or_default(),
            name,
        })
    }
}

/// The first entry, and those behind it.
fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::from(u16_le(entries, 8)?);
    (len >= 16).then(|| entries.split_at_checked(len))?
}
