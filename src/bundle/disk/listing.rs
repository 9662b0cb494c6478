//! What is on a disk, for whoever has to choose.

use std::path::Path;
use std::sync::Arc;

use super::image::{self, Beside, ImageForm};
use super::partition::{Partition, Scheme};
use super::trouble::DiskTrouble;
use super::{Opened, installation, volumes};
use crate::bundle::source::{FileSource, ReadAt};

/// A disk and its volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskListing {
    /// The format of the image.
    pub form: ImageForm,
    /// The disk's size in bytes.
    pub bytes: u64,
    /// How it is divided.
    pub scheme: Scheme,
    /// Its volumes, in the order of the table.
    pub volumes: Vec<ListedVolume>,
}

/// A volume of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVolume {
    /// Where it is, and what it holds.
    pub partition: Partition,
    /// Whether Windows is installed on it.
    pub has_windows: bool,
    /// What keeps it from being read, or what is to be minded about it.
    pub remark: Option<String>,
}

/// Lists the volumes of the disk in an image.
///
/// # Errors
/// [`DiskTrouble`] where the file is no image, or the image cannot be read.
pub fn list(path: &Path) -> Result<DiskListing, DiskTrouble> {
    let unreadable = |error: std::io::Error| DiskTrouble::Unreadable(error.to_string());
    let path = std::fs::canonicalize(path).map_err(unreadable)?;
    let file: Arc<dyn ReadAt> = Arc::new(FileSource::open(&path).map_err(unreadable)?);
    let mut head = vec![0; image::HEAD];
    let filled = file.read_full_at(0, &mut head).map_err(unreadable)?;
    head.truncate(filled);
    let by_its_end = ImageForm::by_its_end(file.as_ref()).map_err(unreadable)?;
    let form = match ImageForm::of(&head, file.len()) {
        // A fixed VHD begins as its disk does.
        Some(ImageForm::Raw) if by_its_end == Some(ImageForm::Vhd) => by_its_end,
        Some(form) => Some(form),
        None => by_its_end,
    };
    let form = form.ok_or(DiskTrouble::NoImage)?;
    let disk = image::open(form, file, &Beside::of(&path))?;
    let (scheme, found) = volumes(&disk)?;
    Ok(DiskListing {
        form,
        bytes: disk.len(),
        scheme,
        volumes: found.iter().map(listed).collect(),
    })
}

fn listed(opened: &Opened) -> ListedVolume {
    let has_windows = opened.is_windows();
    let remark = match &opened.volume {
        Ok(volume) if has_windows && installation::is_hibernated(volume) => {
            Some("hibernated".to_owned())
        }
        Ok(volume) => volume
            .not_clean()
            .map(|why| format!("not shut down cleanly: {why}")),
        Err(_) if opened.partition.holds != super::Holds::Ntfs => {
            opened.partition.holds.advice().map(str::to_owned)
        }
        Err(why) => Some(why.clone()),
    };
    ListedVolume {
        partition: opened.partition.clone(),
        has_windows,
        remark,
    }
}
