//! What a file is, by its content; its name never decides.

use std::io;

use super::archive::ArchiveForm;
use super::disk::ImageForm;
use super::file_system;
use super::machine_keys;
use super::source::ReadAt;
use super::text_form;
use super::transaction_log;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An event log of Windows Vista or later.
    EventLog(EventLogForm),
    /// A registry hive.
    Hive(HiveForm),
    /// A transaction log of a hive.
    TransactionLog {
        /// The path of the hive it belongs to, where that lies beside it.
        hive: Option<String>,
    },
    /// One certificate or several.
    Certificate(CertificateForm),
    /// A list of revoked certificates.
    RevocationList(RevocationForm),
    /// A private key as CryptoAPI or CNG keep it; whole or, by its unique name, damaged.
    KeyFile,
    /// A master key of DPAPI; only which one it is gets read.
    MasterKey,
    /// Permissions as `icacls` or `Get-Acl` list them.
    AclListing,
    /// A key folder as `dir` or `Get-ChildItem` list it.
    FolderListing,
    /// The manifest of a collection that the script of `rdptriage collect` made.
    CollectionManifest,
    /// Certificates of a store as `certutil` lists them.
    CertificateListing,
    /// Keys of a registry as text: a `.reg` file, or what `reg query` or `sc qc` prints.
    RegistryExport,
    /// What runs: services as `sc query` shows them, sessions and listeners as `qwinsta` does.
    RunningState,
    /// A disk image; the files on it are artifacts of their own.
    DiskImage(ImageForm),
    /// The table of all files of a volume ($MFT).
    FileTable,
    /// A volume's journal of changes ($UsnJrnl:$J).
    ChangeJournal,
    /// A program or a library of Windows.
    Program,
    /// A folder of a disk, itself: what lies in it, and its permissions.
    Folder,
    /// An archive; what lies in it are artifacts of their own.
    Archive(ArchiveForm),
    /// Something else.
    NotUsed(NotUsed),
}

/// Whether an event log has its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventLogForm {
    /// It begins with `ElfFile`.
    Whole,
    /// Only its chunks are left, the first one here.
    Headerless {
        /// The offset of the first chunk found.
        first_chunk: u64,
    },
    /// Its records were written as text, in XML or JSON.
    Text,
}

/// Whether a hive has its base block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiveForm {
    /// It begins with `regf`.
    Whole,
    /// Its base block is gone; its bins are left.
    Headerless,
}

/// How certificates are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateForm {
    /// One, binary.
    Der,
    /// One or many, as text between BEGIN and END.
    Pem,
    /// In a PKCS #7 message (`.p7b`), binary.
    Pkcs7,
    /// In a serialized store (`.sst`).
    SerializedStore,
    /// An element of a store that Windows keeps in files, one each: those of users, and of the accounts of services.
    StoreElement,
    /// With its private key in a PKCS #12 file (`.pfx`).
    Pkcs12,
}

/// How a list of revoked certificates is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationForm {
    /// One, binary.
    Der,
    /// One or many, as text between BEGIN and END.
    Pem,
}

/// Why a file is not used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotUsed {
    /// It has no bytes.
    #[error("empty")]
    Empty,
    /// As far as it was looked at, all its bytes are zero.
    #[error("nothing but zero bytes")]
    Zeros,
    /// Something packed in a way that is not read.
    #[error("an archive of a kind that is not read: unpack it first")]
    Archive,
    /// An archive that was read, and nothing in it was of use.
    #[error("an archive in which nothing can be used")]
    NothingInArchive,
    /// Of an earlier installation.
    #[error(
        "it lies in Windows.old and is of an earlier installation, not of the one that runs; name that folder itself to have it judged"
    )]
    EarlierWindows,
    /// An old copy of a hive.
    #[error(
        "it lies in RegBack, where Windows keeps old copies of its hives; name that folder itself to have it judged"
    )]
    HiveBackup,
    /// A disk image that was read, and nothing on it was of use.
    #[error("a disk image on which nothing can be used")]
    NothingOnDisk,
    /// A disk image in a format that is not read.
    #[error(
        "a disk image of a kind that is not read: convert it with `qemu-img convert -O raw`, or mount it read-only"
    )]
    DiskImage,
    /// An event log of Windows XP or Server 2003.
    #[error("an event log of Windows Server 2003 or before, which is not read")]
    OldEventLog,
    /// A private key.
    #[error("a private key, which is not read: remove it from the collection")]
    PrivateKey,
    /// None of what is known here.
    #[error("neither event log nor hive nor certificate")]
    Unrecognized,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Kind::EventLog(_) => "event log",
            Kind::Hive(_) => "hive",
            Kind::TransactionLog { .. } => "transaction log",
            Kind::Certificate(_) => "certificate",
            Kind::RevocationList(_) => "revocation list",
            Kind::KeyFile => "key file",
            Kind::MasterKey => "master key",
            Kind::AclListing => "permissions",
            Kind::FolderListing => "folder listing",
            Kind::CollectionManifest => "collection manifest",
            Kind::CertificateListing => "certificate listing",
            Kind::RegistryExport => "registry export",
            Kind::RunningState => "running state",
            Kind::DiskImage(_) => "disk image",
            Kind::FileTable => "file table",
            Kind::ChangeJournal => "change journal",
            Kind::Program => "program",
            Kind::Folder => "folder",
            Kind::Archive(_) => "archive",
            Kind::NotUsed(_) => "not used",
        }
    }

    /// Why a file is not used; none for one that is.
    #[must_use]
    pub fn not_used(&self) -> Option<&NotUsed> {
        match self {
            Kind::NotUsed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether something can be said from it alone.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        match self {
            Kind::EventLog(_)
            | Kind::Hive(_)
            | Kind::Certificate(_)
            | Kind::KeyFile
            | Kind::AclListing
            | Kind::FolderListing
            | Kind::CollectionManifest
            | Kind::CertificateListing
            | Kind::RegistryExport
            | Kind::RunningState => true,
            Kind::TransactionLog { .. }
            | Kind::RevocationList(_)
            | Kind::MasterKey
            | Kind::Archive(_)
            | Kind::DiskImage(_)
            | Kind::FileTable
            | Kind::ChangeJournal
            | Kind::Program
            | Kind::Folder
            | Kind::NotUsed(_) => false,
        }
    }

    /// Whether a part of it is of use, since its own structure tells what is missing. Of a list one could not tell.
    #[must_use]
    pub fn survives_damage(&self) -> bool {
        match self {
            Kind::EventLog(_)
            | Kind::Hive(_)
            | Kind::TransactionLog { .. }
            | Kind::CertificateListing
            | Kind::RegistryExport
            | Kind::RunningState => true,
            Kind::Certificate(_)
            | Kind::RevocationList(_)
            | Kind::KeyFile
            | Kind::MasterKey
            | Kind::AclListing
            | Kind::FolderListing
            | Kind::CollectionManifest
            | Kind::Archive(_)
            | Kind::DiskImage(_)
            | Kind::FileTable
            | Kind::ChangeJournal
            | Kind::Program
            | Kind::Folder
            | Kind::NotUsed(_) => false,
        }
    }

    /// Whether its beginning told nothing: a disk whose first sectors are lost has chunks of event logs in it as well.
    pub(super) fn is_a_guess(&self) -> bool {
        matches!(
            self,
            Kind::NotUsed(NotUsed::Zeros | NotUsed::Unrecognized)
                | Kind::EventLog(EventLogForm::Headerless { .. })
        )
    }

    /// Whether only some of its bytes are read, out of very many: such a file has no digest.
    #[must_use]
    pub fn is_read_in_part(&self) -> bool {
        matches!(
            self,
            Kind::DiskImage(_) | Kind::FileTable | Kind::ChangeJournal
        )
    }
}

/// What people expect of a file of this name, for a message where the content is something else.
pub(super) fn promised_by_name(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    match (name.as_str(), ending) {
        ("system" | "software", _) | (_, Some("hiv" | "hve")) => Some("a hive"),
        (_, Some("evtx")) => Some("an event log"),
        (_, Some("cer" | "crt" | "der" | "pem" | "pfx" | "p12")) => Some("a certificate"),
        (_, Some("crl")) => Some("a list of revoked certificates"),
        _ => None,
    }
}

const LOG_MAGIC: &[u8] = b"ElfFile\0";
const CHUNK_MAGIC: &[u8] = b"ElfChnk\0";
const HIVE_MAGIC: &[u8] = b"regf";
const BIN_MAGIC: &[u8] = b"hbin";
const SERIALIZED_STORE: &[u8] = b"\0\0\0\0CERT";
const HEAD: usize = 8192;
/// How far text is searched for a certificate.
const TEXT_SEARCHED: usize = 256 << 10;
/// How far a file without a header is searched for a chunk of an event log, and in what steps.
const CHUNKS_SEARCHED: u64 = 4 << 20;
const CHUNK_STEP: usize = 512;
/// Windows lets no log grow beyond 4 GiB. What is larger and has chunks in it is a disk, whose chunks are of many logs.
const LARGEST_LOG: u64 = 4 << 30;

/// Tells what the bytes are. `name` only helps to tell a transaction log, whose own field says so too, from its hive.
pub(super) fn sniff(source: &dyn ReadAt, name: &str) -> io::Result<Kind> {
    let mut head = vec![0; HEAD];
    let filled = source.read_full_at(0, &mut head)?;
    head.truncate(filled);
    if head.is_empty() && machine_keys::is_key_file_name(name) {
        return Ok(Kind::KeyFile);
    }
    if head.is_empty() {
        return Ok(Kind::NotUsed(NotUsed::Empty));
    }
    if head.starts_with(LOG_MAGIC) {
        return Ok(Kind::EventLog(EventLogForm::Whole));
    }
    if head.starts_with(HIVE_MAGIC) {
        return Ok(hive_or_log(&head, name));
    }
    if is_first_bin(&head) {
        return Ok(Kind::Hive(HiveForm::Headerless));
    }
    if let Some(kind) = certificate_or_list(&head) {
        return Ok(kind);
    }
    if is_pkcs7(&head) {
        return Ok(Kind::Certificate(CertificateForm::Pkcs7));
    }
    if is_pkcs12(&head) {
        return Ok(Kind::Certificate(CertificateForm::Pkcs12));
    }
    if head.starts_with(SERIALIZED_STORE) {
        return Ok(Kind::Certificate(CertificateForm::SerializedStore));
    }
    if is_store_element(source, &head)? {
        return Ok(Kind::Certificate(CertificateForm::StoreElement));
    }
    if machine_keys::is_key_file(&head, source.len(), name) {
        return Ok(Kind::KeyFile);
    }
    if machine_keys::is_master_key(&head) {
        return Ok(Kind::MasterKey);
    }
    if head.starts_with(b"MZ") {
        return Ok(Kind::Program);
    }
    if file_system::is_file_table(&head, source.len()) {
        return Ok(Kind::FileTable);
    }
    if file_system::is_change_journal(&head) {
        return Ok(Kind::ChangeJournal);
    }
    if let Some(form) = archive(&head) {
        return Ok(Kind::Archive(form));
    }
    if let Some(form) = ImageForm::of(&head, source.len()) {
        return Ok(Kind::DiskImage(form));
    }
    if let Some(reason) = known_otherwise(&head) {
        return Ok(Kind::NotUsed(reason));
    }
    if let Some(kind) = text(source)? {
        return Ok(kind);
    }
    if source.len() <= LARGEST_LOG
        && let Some(first_chunk) = first_chunk(source)?
    {
        return Ok(Kind::EventLog(EventLogForm::Headerless { first_chunk }));
    }
    Ok(Kind::NotUsed(if head.iter().all(|byte| *byte == 0) {
        NotUsed::Zeros
    } else {
        NotUsed::Unrecognized
    }))
}

/// Tells what a file is by its end, where its beginning tells nothing: it is zeros, or the sectors there are lost.
pub(super) fn by_its_end(source: &dyn ReadAt) -> io::Result<Option<Kind>> {
    if file_system::is_journal_behind_zeros(source)? {
        return Ok(Some(Kind::ChangeJournal));
    }
    Ok(ImageForm::by_its_end(source)?.map(Kind::DiskImage))
}

/// The base block's file type is 0 for a hive, 1, 2 or 6 for its logs (registry file format specification, "Base block").
fn hive_or_log(head: &[u8], name: &str) -> Kind {
    let file_type = head
        .get(28..32)
        .and_then(|field| field.first_chunk().copied())
        .map(u32::from_le_bytes);
    if matches!(file_type, Some(1 | 2 | 6)) || transaction_log::is_name(name) {
        Kind::TransactionLog { hive: None }
    } else {
        Kind::Hive(HiveForm::Whole)
    }
}

/// A hive bin right behind where the base block was; the first one says that its offset is 0.
fn is_first_bin(head: &[u8]) -> bool {
    head.get(4096..4104)
        .is_some_and(|bin| bin.starts_with(BIN_MAGIC) && bin.ends_with(&[0; 4]))
}

/// What kind of archive it is, of those that are read.
fn archive(head: &[u8]) -> Option<ArchiveForm> {
    const MAGICS: [(&[u8], ArchiveForm); 5] = [
        (b"PK\x03\x04", ArchiveForm::Zip),
        (b"PK\x05\x06", ArchiveForm::Zip),
        (b"7z\xbc\xaf\x27\x1c", ArchiveForm::SevenZip),
        (b"\x1f\x8b\x08", ArchiveForm::Gzip),
        (b"\x28\xb5\x2f\xfd", ArchiveForm::Zstandard),
    ];
    let by_magic = MAGICS
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, form)| *form);
    by_magic.or_else(|| is_tar(head).then_some(ArchiveForm::Tar))
}

/// Whether a block is the header of a file in a tar: the sum of its bytes, with blanks where the sum stands, is what it says
/// there (POSIX.1, pax, "ustar Interchange Format").
pub(super) fn is_tar(head: &[u8]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let Some(block) = head.first_chunk::<512>() else {
        return false;
    };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(if SUM.contains(&at) { b' ' } else { *byte }))
        .sum();
    let digits = block.get(SUM).unwrap_or_default();
    let digits = digits
        .split(|byte| matches!(byte, 0 | b' '))
        .find(|part| !part.is_empty())
        .and_then(|part| std::str::from_utf8(part).ok());
    block.first() != Some(&0)
        && digits.is_some_and(|digits| u32::from_str_radix(digits, 8) == Ok(sum))
}

/// A certificate with more properties than this has been tampered with.
const MOST_PROPERTIES: usize = 256;
const CERTIFICATE_ELEMENT: u32 = 32;

/// An element of a store: the records of its properties one after another, and as the last of them, to the end of the file, the
/// certificate itself (MS-OSHARED 2.3.9.1: the identifier, what the encoding is, the length, the data).
fn is_store_element(source: &dyn ReadAt, head: &[u8]) -> io::Result<bool> {
    const HEADER: usize = 12;
    let fields = |header: &[u8]| {
        let (words, _) = header.as_chunks::<4>();
        let [id, encoding, length] = words.first_chunk()?.map(u32::from_le_bytes);
        (matches!(encoding, 1 | 0x1_0001) && (1..=0xFFFF).contains(&id)).then_some((id, length))
    };
    let mut at: u64 = 0;
    for _ in 0..MOST_PROPERTIES {
        let mut header = [0; HEADER];
        match head.get(..HEADER).filter(|_| at == 0) {
            Some(first) => header.copy_from_slice(first),
            None if source.read_full_at(at, &mut header)? < HEADER => return Ok(false),
            None => {}
        }
        let Some((id, length)) = fields(&header) else {
            return Ok(false);
        };
        let data = at.saturating_add(HEADER as u64);
        let end = data.saturating_add(u64::from(length));
        if id == CERTIFICATE_ELEMENT {
            let mut first = [0];
            let filled = source.read_full_at(data, &mut first)?;
            return Ok(end == source.len() && filled == 1 && first == [SEQUENCE]);
        }
        at = end;
    }
    Ok(false)
}

/// What has a mark of its own and would only be mistaken for something else.
fn known_otherwise(head: &[u8]) -> Option<NotUsed> {
    const ARCHIVES: [&[u8]; 4] = [b"MSCF", b"Rar!", b"BZh", b"\xfd7zXZ\0"];
    /// The second EnCase format, and VMware's on its servers.
    const DISKS: [&[u8]; 2] = [b"EVF2", b"COWD"];
    if ARCHIVES.iter().any(|magic| head.starts_with(magic)) {
        Some(NotUsed::Archive)
    } else if DISKS.iter().any(|magic| head.starts_with(magic)) {
        Some(NotUsed::DiskImage)
    } else if head.get(4..8) == Some(b"LfLe") {
        Some(NotUsed::OldEventLog)
    } else {
        None
    }
}

/// The first element of DER bytes: its tag, its content as far as it is there, and what follows it. Lengths of up to four
/// bytes; content that is cut off is given as far as it goes.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7F);
        if !(1..=4).contains(&count) || rest.len() < count {
            return None;
        }
        let (digits, rest) = rest.split_at(count);
        let length = digits
            .iter()
            .fold(0_u64, |length, digit| length << 8 | u64::from(*digit));
        (usize::try_from(length).ok()?, rest)
    };
    let (content, after) = rest.split_at(length.min(rest.len()));
    Some((tag, content, after))
}

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;

/// What begins as a certificate does (RFC 5280, 4.1), in a sequence a sequence of version, serial number, algorithm, issuer and
/// validity; or as a list of revoked ones (5.1), without serial number and with a time where the validity would be. A request has
/// neither; so they are told apart without reading further.
fn certificate_or_list(bytes: &[u8]) -> Option<Kind> {
    let (SEQUENCE, whole, _) = element(bytes)? else {
        return None;
    };
    let (SEQUENCE, signed, _) = element(whole)? else {
        return None;
    };
    let (tag, _, after) = element(signed)?;
    let (first, explicit) = match tag {
        VERSION => (after, true),
        _ => (signed, false),
    };
    // Of a certificate the serial number; of a list its version, where it says one.
    let (tag, number, after) = element(first)?;
    let rest = if tag == INTEGER { after } else { first };
    let (SEQUENCE, algorithm, after) = element(rest)? else {
        return None;
    };
    let (OBJECT_IDENTIFIER, ..) = element(algorithm)? else {
        return None;
    };
    let (SEQUENCE, _, after) = element(after)? else {
        return None;
    };
    let (next, content, _) = element(after)?;
    let is_time = |tag: u8| matches!(tag, UTC_TIME | GENERALIZED_TIME);
    if is_time(next) && !explicit && (tag != INTEGER || number == [1]) {
        return Some(Kind::RevocationList(RevocationForm::Der));
    }
    let validity = next == SEQUENCE && element(content).is_some_and(|(tag, ..)| is_time(tag));
    (validity && tag == INTEGER).then_some(Kind::Certificate(CertificateForm::Der))
}

/// PKCS #12 begins with version 3 and a sequence (RFC 7292, 4), in a sequence of whatever length.
fn is_pkcs12(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SEQUENCE)
        && (2..=6).any(|header| {
            let version = element(bytes.get(header..).unwrap_or_default());
            version.is_some_and(|(tag, number, after)| {
                tag == INTEGER && number == [3] && after.first() == Some(&SEQUENCE)
            })
        })
}

/// PKCS #7 begins with the object identifier of signed data, in a sequence of whatever length.
fn is_pkcs7(bytes: &[u8]) -> bool {
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
    bytes.first() == Some(&SEQUENCE)
        && (2..=6).any(|header| {
            let rest = bytes.get(header..).unwrap_or_default();
            rest.starts_with(SIGNED_DATA)
        })
}

/// Text of any usual encoding with a line that begins a certificate or a private key, or with lines that list a key folder.
fn text(source: &dyn ReadAt) -> io::Result<Option<Kind>> {
    let mut bytes = vec![0; TEXT_SEARCHED];
    let filled = source.read_full_at(0, &mut bytes)?;
    bytes.truncate(filled);
    let wide = bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.get(1) == Some(&0) && bytes.get(3) == Some(&0);
    // All that is looked for is ASCII: without its zero bytes, UTF-16 reads the same.
    if wide {
        bytes.retain(|byte| *byte != 0);
    }
    if text_form::is_reg_file(&bytes) {
        return Ok(Some(Kind::RegistryExport));
    }
    if !wide && text_form::goes_on_as_utf16(&bytes) {
        bytes.retain(|byte| *byte != 0);
        return Ok(text_form::joined(&bytes));
    }
    if !wide && bytes.iter().take(HEAD).any(|byte| *byte == 0) {
        return Ok(None);
    }
    if is_collection_manifest(&bytes) {
        return Ok(Some(Kind::CollectionManifest));
    }
    let mut private_key = false;
    let mut revocation_list = false;
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let line = line.strip_prefix(b"\xff\xfe").unwrap_or(line);
        let line = line.strip_prefix(b"\xfe\xff").unwrap_or(line);
        let Some(label) = line.trim_ascii().strip_prefix(b"-----BEGIN ") else {
            continue;
        };
        if label.ends_with(b"CERTIFICATE-----") || matches!(label, b"PKCS7-----" | b"CMS-----") {
            return Ok(Some(Kind::Certificate(CertificateForm::Pem)));
        }
        private_key |= label.ends_with(b"PRIVATE KEY-----");
        revocation_list |= label == b"X509 CRL-----";
    }
    Ok(if revocation_list {
        Some(Kind::RevocationList(RevocationForm::Pem))
    } else if private_key {
        Some(Kind::NotUsed(NotUsed::PrivateKey))
    } else if text_form::is_certificate_listing(&bytes) {
        // Its long form shows the permissions of keys as well.
        Some(Kind::CertificateListing)
    } else if machine_keys::is_acl_listing(&bytes) {
        Some(Kind::AclListing)
    } else {
        let listing = machine_keys::is_folder_listing(&bytes).then_some(Kind::FolderListing);
        listing.or_else(|| text_form::kind(&bytes))
    })
}

/// Whether a text is JSON whose first member says that it is a collection's manifest.
fn is_collection_manifest(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = text.strip_prefix(b"\xff\xfe").unwrap_or(text);
    let mut words = text
        .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':'))
        .filter(|word| !word.is_empty());
    let (open, format) = match words.next() {
        Some(b"{") => (true, words.next()),
        Some(word) => (word.starts_with(b"{"), word.strip_prefix(b"{")),
        None => return false,
    };
    open && format == Some(b"\"format\"") && words.next() == Some(b"\"rdptriage-collection\"")
}

/// The first chunk of an event log whose header is lost.
fn first_chunk(source: &dyn ReadAt) -> io::Result<Option<u64>> {
    let mut piece = vec![0; 1 << 20];
    let mut offset = 0;
    while offset < CHUNKS_SEARCHED {
        let filled = source.read_full_at(offset, &mut piece)?;
        let read = piece.get(..filled).unwrap_or_default();
        let found = read
            .chunks(CHUNK_STEP)
            .position(|step| step.starts_with(CHUNK_MAGIC));
        if let Some(step) = found {
            return Ok(Some(offset + (step * CHUNK_STEP) as u64));
        }
        if filled < piece.len() {
            break;
        }
        offset += filled as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(bytes: &[u8], name: &str) -> Kind {
        sniff(&bytes.to_vec(), name).unwrap()
    }

    fn not_used(bytes: &[u8]) -> NotUsed {
        match kind_of(bytes, "x") {
            Kind::NotUsed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag, 0x82];
        bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
        bytes
    }

    fn signed(version: &[u8], fourth: &[u8]) -> Vec<u8> {
        let algorithm = der(SEQUENCE, &der(OBJECT_IDENTIFIER, &[0x2A]));
        let fields = [
            version,
            &der(INTEGER, &[1]),
            &algorithm,
            &der(SEQUENCE, b""),
            fourth,
        ];
        der(SEQUENCE, &der(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn the_content_decides_and_not_the_name() {
        let mut hive = vec![0; 4096];
        hive[..4].copy_from_slice(HIVE_MAGIC);
        assert_eq!(kind_of(&hive, "System.evtx"), Kind::Hive(HiveForm::Whole));
        assert_eq!(
            kind_of(b"ElfFile\0rest", "SYSTEM"),
            Kind::EventLog(EventLogForm::Whole)
        );
        assert_eq!(
            kind_of(b"hello", "System.evtx"),
            Kind::NotUsed(NotUsed::Unrecognized)
        );
    }

    #[test]
    fn a_transaction_log_says_so_itself_or_by_its_name() {
        let mut log = vec![0; 1024];
        log[..4].copy_from_slice(HIVE_MAGIC);
        assert_eq!(
            kind_of(&log, "SYSTEM.LOG2"),
            Kind::TransactionLog { hive: None }
        );
        log[28] = 6;
        assert_eq!(
            kind_of(&log, "copy-17"),
            Kind::TransactionLog { hive: None }
        );
    }

    #[test]
    fn what_lost_its_header_is_still_known() {
        let mut hive = vec![0; 8192];
        hive[4096..4100].copy_from_slice(BIN_MAGIC);
        assert_eq!(kind_of(&hive, "x"), Kind::Hive(HiveForm::Headerless));
        let mut log = vec![0; 3 << 20];
        let first_chunk = 2 * (1 << 20) + 512;
        log[first_chunk..first_chunk + 8].copy_from_slice(CHUNK_MAGIC);
        let first_chunk = first_chunk as u64;
        assert_eq!(
            kind_of(&log, "x"),
            Kind::EventLog(EventLogForm::Headerless { first_chunk })
        );
    }

    #[test]
    fn certificates_are_told_from_their_relatives() {
        let version = der(VERSION, &der(INTEGER, &[2]));
        let validity = der(SEQUENCE, &der(UTC_TIME, b"250101000000Z"));
        let certificate = Kind::Certificate(CertificateForm::Der);
        assert_eq!(kind_of(&signed(&version, &validity), "x"), certificate);
        // Version 1 leaves the version out.
        assert_eq!(kind_of(&signed(b"", &validity), "x"), certificate);
        // Cut off behind its beginning, it is a damaged certificate and not something unknown.
        let cut = signed(&version, &validity);
        assert_eq!(kind_of(&cut[..cut.len() - 4], "x"), certificate);
        let algorithm = der(SEQUENCE, &der(OBJECT_IDENTIFIER, &[0x2A]));
        let issued = der(UTC_TIME, b"250101000000Z");
        for version in [&b""[..], &der(INTEGER, &[1])] {
            let fields = [version, &algorithm, &der(SEQUENCE, b""), &issued].concat();
            assert_eq!(
                kind_of(&der(SEQUENCE, &der(SEQUENCE, &fields)), "x"),
                Kind::RevocationList(RevocationForm::Der)
            );
        }
        const SIGNED: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
        let message = der(SEQUENCE, b"\x06\x09")
            .into_iter()
            .chain(SIGNED.to_vec());
        assert_eq!(
            kind_of(&message.collect::<Vec<_>>(), "x"),
            Kind::Certificate(CertificateForm::Pkcs7)
        );
        let store = der(SEQUENCE, &[der(INTEGER, &[3]), der(SEQUENCE, b"")].concat());
        assert_eq!(
            kind_of(&store, "x"),
            Kind::Certificate(CertificateForm::Pkcs12)
        );
    }

    #[test]
    fn text_certificates_are_found_behind_other_text_and_in_utf16() {
        let pem = Kind::Certificate(CertificateForm::Pem);
        let text = "Bag Attributes\r\n  friendlyName: x\r\n-----BEGIN CERTIFICATE-----\r\nMII";
        assert_eq!(kind_of(text.as_bytes(), "x"), pem);
        let wide: Vec<u8> = "\u{feff}-----BEGIN CERTIFICATE-----\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(kind_of(&wide, "x"), pem);
        assert_eq!(
            not_used(b"-----BEGIN RSA PRIVATE KEY-----\nMII"),
            NotUsed::PrivateKey
        );
        assert_eq!(
            not_used(b"grep -- '-----BEGIN CERTIFICATE-----' file"),
            NotUsed::Unrecognized
        );
    }

    #[test]
    fn an_element_of_a_store_is_told_by_its_records() {
        let record = |id: u32, data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap();
            let header = [id, 1, length].map(u32::to_le_bytes).concat();
            [header.as_slice(), data].concat()
        };
        let element = [
            record(2, &[0; 40]),
            record(3, &[7; 20]),
            record(0x8000, &[9; 9000]),
            record(32, &[SEQUENCE, 3, 2, 1, 0]),
        ]
        .concat();
        let kind = Kind::Certificate(CertificateForm::StoreElement);
        assert_eq!(kind_of(&element, "9F3C"), kind);
        // Cut, with something behind it, without its certificate.
        for other in [
            &element[..element.len() - 1],
            &[element.as_slice(), &[0]].concat(),
            &element[..60 + 20 + 24],
        ] {
            assert_ne!(kind_of(other, "9F3C"), kind);
        }
    }

    #[test]
    fn what_is_not_used_says_what_it_is() {
        assert_eq!(not_used(b""), NotUsed::Empty);
        assert_eq!(not_used(&[0; 70_000]), NotUsed::Zeros);
        assert_eq!(not_used(b"Rar!\x1a\x07"), NotUsed::Archive);
        assert_eq!(
            kind_of(b"vhdxfile", "disk.vhdx"),
            Kind::DiskImage(ImageForm::Vhdx)
        );
        assert_eq!(not_used(b"\x30\0\0\0LfLe"), NotUsed::OldEventLog);
        let export: Vec<u8> = "\u{feff}Windows Registry Editor Version 5.00"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(kind_of(&export, "x"), Kind::RegistryExport);
    }
}
