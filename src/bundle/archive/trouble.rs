//! What keeps an archive, or something in it, from being read, told to people.

/// Why an archive, or a member of it, was not read or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ArchiveTrouble {
    /// Too many entries.
    #[error(
        "more than {limit} entries, of which the rest was not looked at; if the archive is to be trusted, raise the limit with --archive-limit entries=NUMBER"
    )]
    Entries {
        /// How many are looked at.
        limit: u64,
    },
    /// Too much in all.
    #[error(
        "not read: with it, more than {limit} bytes would be unpacked from this archive; if it is to be trusted, raise the limit with --archive-limit size=BYTES"
    )]
    Size {
        /// How many bytes are unpacked.
        limit: u64,
    },
    /// Too much at once.
    #[error(
        "not read: it takes {bytes} bytes of memory to unpack, and {limit} are allowed; unpack the archive first, or raise the limit with --archive-limit memory=BYTES"
    )]
    Memory {
        /// How many it takes.
        bytes: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// What bombs look like.
    #[error(
        "not read: unpacked it is more than {limit} times as large, as archives are that are made to exhaust a machine; if it is to be trusted, raise the limit with --archive-limit ratio=NUMBER"
    )]
    Ratio {
        /// How many times larger is allowed.
        limit: u64,
    },
    /// An archive in an archive in an archive.
    #[error(
        "not opened: archives in archives are read {limit} deep; raise the limit with --archive-limit depth=NUMBER, or name this archive as an input"
    )]
    Depth {
        /// How deep.
        limit: u64,
    },
    /// An encrypted archive or member, and no password.
    #[error("encrypted; give its password with --archive-password")]
    PasswordNeeded,
    /// An encrypted archive or member, and another password.
    #[error("encrypted, and the password given does not open it")]
    WrongPassword,
    /// The archive itself.
    #[error(
        "the archive is damaged or cut off ({0}); what could be read of it is used, the rest is lost: copy it again"
    )]
    Damaged(String),
    /// A member.
    #[error("it cannot be unpacked ({0}); pack it again, or copy the archive again")]
    Member(String),
    /// A member of which a part was unpacked.
    #[error(
        "only a part could be unpacked, {read} bytes of {bytes} ({why}); what follows is lost: copy the archive again"
    )]
    Part {
        /// How many bytes there are.
        read: u64,
        /// How many there should be.
        bytes: u64,
        /// What stopped it.
        why: String,
    },
    /// A way of packing that is not read.
    #[error("packed in a way that is not read ({0}); unpack it first")]
    Method(String),
    /// A name that stands twice.
    #[error("the archive holds several files of this name; each is read by itself")]
    SameName,
    /// `../`.
    #[error(
        "its name in the archive leads out of its folder, which nothing follows; it is read as if it lay here"
    )]
    LeadsOutside,
    /// A link.
    #[error("a link, which is not followed; collect what it points to")]
    Link,
    /// Refusals that are not named one by one.
    #[error("{count} more things in it were not read, or not as they should be")]
    More {
        /// How many.
        count: usize,
    },
}
