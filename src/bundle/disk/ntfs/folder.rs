//! What is in a folder: the entries of its index.
//!
//! The index is a tree whose nodes lie in blocks; a bitmap says which blocks are nodes of it. All of them are read one after the
//! other: their order does not matter here, and so no damage can lead in a circle.

use super::NtfsError;
use super::record::{BITMAP, FileName, INDEX_ALLOCATION, INDEX_ROOT, fix_up};
use super::volume::{File, Volume};
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le};

const NAMES: &str = "$I30";
/// A bitmap of this size stands for 2^23 blocks, some 10^8 files.
const LARGEST_BITMAP: u64 = 1 << 20;
const LAST: u16 = 2;

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bundle::disk) struct FolderEntry {
    /// The record of the file.
    pub(in crate::bundle::disk) number: u64,
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
        if !read_node(root.get(16..).unwrap_or_default(), content, keep) {
            return Ok(());
        }
        let Ok(blocks) = self.value(folder, INDEX_ALLOCATION, NAMES) else {
            // Bit 0 of the root's flags says that there are more nodes than the root.
            if root.get(28).is_some_and(|flags| flags & 1 != 0) {
                content.flaw = Some("its list of files is not there".to_owned());
            }
            return Ok(());
        };
        let Some(size) = usize::try_from(block)
            .ok()
            .filter(|size| size.is_power_of_two() && (512..=64 << 10).contains(size))
        else {
            content.flaw = Some(format!("its list of files has blocks of {block} bytes"));
            return Ok(());
        };
        let bitmap = self
            .value(folder, BITMAP, NAMES)
            .map_err(|error| error.to_string())
            .and_then(|bitmap| {
                bitmap
                    .read_all(LARGEST_BITMAP)
                    .map_err(|error| error.to_string())
            });
        let bitmap = match bitmap {
            Ok(bitmap) => bitmap,
            Err(why) => {
                content.flaw = Some(format!(
                    "which blocks of its list are used is not known: {why}"
                ));
                return Ok(());
            }
        };
        let mut bytes = vec![0; size];
        for index in 0..blocks.len() / size as u64 {
            let bit = usize::try_from(index / 8)
                .ok()
                .and_then(|at| bitmap.get(at));
            let Some(bits) = bit else { break };
            if bits & (1 << (index % 8)) == 0 {
                continue;
            }
            let read = blocks.read_full_at(index.saturating_mul(size as u64), &mut bytes);
            let whole = matches!(read, Ok(count) if count == size)
                && bytes.starts_with(b"INDX")
                && fix_up(&mut bytes);
            if !whole {
                let why = match read {
                    Err(error) => error.to_string(),
                    Ok(_) => "it is damaged".to_owned(),
                };
                content.flaw = Some(format!(
                    "block {index} of its list of files cannot be read: {why}"
                ));
                continue;
            }
            if !read_node(bytes.get(24..).unwrap_or_default(), content, keep) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Reads the entries of a node, which begins with where they begin and how long they are; false when that is enough.
fn read_node(
    node: &[u8],
    content: &mut FolderContent,
    keep: &mut dyn FnMut(FolderEntry, &mut FolderContent) -> bool,
) -> bool {
    let entries = || {
        let start = usize::try_from(u32_le(node, 0)?).ok()?;
        let end = usize::try_from(u32_le(node, 4)?).ok()?;
        node.get(start..end)
    };
    let damaged = "its list of files is damaged";
    let Some(mut rest) = entries() else {
        content.flaw = Some(damaged.to_owned());
        return true;
    };
    loop {
        let words = || {
            Some((
                u64_le(rest, 0)?,
                u16_le(rest, 8)?,
                u16_le(rest, 10)?,
                u16_le(rest, 12)?,
            ))
        };
        let Some((reference, len, key, flags)) = words() else {
            content.flaw = Some(damaged.to_owned());
            return true;
        };
        if flags & LAST != 0 {
            return true;
        }
        let name = rest.get(16..16 + usize::from(key)).and_then(FileName::read);
        match name {
            Some(name) if name.is_short => {}
            Some(name) => {
                let entry = FolderEntry {
                    number: reference & 0xFFFF_FFFF_FFFF,
                    name,
                };
                if !keep(entry, content) {
                    return false;
                }
            }
            None => content.flaw = Some(damaged.to_owned()),
        }
        match rest.get(usize::from(len)..) {
            Some(after) if len >= 16 => rest = after,
            _ => {
                content.flaw = Some(damaged.to_owned());
                return true;
            }
        }
    }
}
