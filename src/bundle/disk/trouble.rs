//! What cannot be read of a disk, told to people.

use super::image::ImageForm;

/// Why an image, a volume or a file in it was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum DiskTrouble {
    /// The image's own structures are damaged.
    #[error(
        "the {form} image cannot be read: {flaw}; copy it again, or convert it with `qemu-img convert -O raw`"
    )]
    BadImage {
        /// Its format.
        form: ImageForm,
        /// What is wrong, and where.
        flaw: String,
    },
    /// Another file is needed.
    #[error(
        "the {form} image continues in {name}, which is not beside it; put both into one folder"
    )]
    PartMissing {
        /// Its format.
        form: ImageForm,
        /// The file's name, as the image has it.
        name: String,
    },
    /// The parent is not the one that the image was made on.
    #[error(
        "the {form} image was made on another state of {name}, or that file was replaced; find the right one"
    )]
    OtherParent {
        /// Its format.
        form: ImageForm,
        /// The file's name, as the image has it.
        name: String,
    },
    /// Images that build on each other in a circle, or on too many.
    #[error(
        "the {form} image builds on more than {most} others, or on itself; merge its snapshots first"
    )]
    TooDeep {
        /// Its format.
        form: ImageForm,
        /// How many are followed.
        most: usize,
    },
    /// A feature of the format that is not read.
    #[error("the {form} image {feature}, which is not read; {instead}")]
    Feature {
        /// Its format.
        form: ImageForm,
        /// What it is or has.
        feature: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A file that belongs to an image that is read.
    #[error("a part of an image in several files; name the file that it begins with")]
    PartOfAnother,
    /// The image file cannot be read.
    #[error("the disk image cannot be read ({0})")]
    Unreadable(String),
    /// The file is something else.
    #[error("this is no disk image: neither raw nor VHD, VHDX, qcow2, VMDK or E01")]
    NoImage,
    /// It lies packed in an archive.
    #[error("a disk image, packed: unpack it first, since an image has to be read at any place")]
    Packed,
    /// No volume of it can be used.
    #[error("a disk image without a volume of Windows: {found}")]
    NoWindows {
        /// What its volumes are.
        found: String,
    },
    /// Several Windows installations.
    #[error(
        "{count} Windows installations are on this disk (volumes {numbers}); choose one with --volume"
    )]
    SeveralInstallations {
        /// How many.
        count: usize,
        /// Their numbers.
        numbers: String,
    },
    /// The volume that was asked for is not there.
    #[error("there is no volume {number} on this disk; `rdptriage volumes` lists them")]
    NoSuchVolume {
        /// Its number.
        number: u32,
    },
    /// The volume was in use when the image was taken.
    #[error(
        "the volume was not shut down cleanly ({why}): what was written last may be missing in it"
    )]
    NotClean {
        /// How that is told.
        why: &'static str,
    },
    /// Windows slept.
    #[error(
        "Windows is hibernated on this disk: what it had not written yet is in hiberfil.sys, which is not read"
    )]
    Hibernated,
    /// The file system is damaged in some place.
    #[error("the file system is damaged here: {0}")]
    Damaged(String),
    /// Two files in the same place: of one at least the content is another's.
    #[error(
        "the file system is damaged here: {other} says that some of the same clusters are its own; what either of them holds may be the \
         other's. `chkdsk` on a copy of the disk tells more"
    )]
    Shared {
        /// The other file.
        other: String,
    },
    /// Streams beside the content.
    #[error("it has other streams beside its content ({streams}), which are not read")]
    OtherStreams {
        /// Their names.
        streams: String,
    },
    /// A file of a volume, by itself.
    #[error("the file is on the disk and cannot be read: {0}")]
    UnreadableFile(String),
    /// Data that only Windows or a key can read.
    #[error("{0}")]
    NotReadable(&'static str),
    /// A folder with more files than are looked at.
    #[error(
        "more than {most} files are in this folder; of the rest only the names are looked at, in $MFT"
    )]
    TooManyFiles {
        /// How many are looked at.
        most: usize,
    },
}
