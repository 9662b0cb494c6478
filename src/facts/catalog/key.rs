//! Facts about the listener's private key.

use jiff::Timestamp;

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// What is found where the key file should be.
    KeyFileState {
        /// A whole key file, and the certificate's.
        Good = "good",
        /// None, in a complete listing.
        Missing = "missing",
        /// Only one of another MachineGuid.
        Foreign = "foreign",
        /// Only one in a folder beside, such as MachineKeys_old.
        Relocated = "relocated",
        /// A file of no bytes.
        Empty = "empty",
        /// A file of zero bytes, wholly or from some place on.
        Zeroed = "zeroed",
        /// A file that ends too early.
        Cut = "cut",
        /// Something that is no key file.
        Garbage = "garbage",
        /// A key file with more behind it.
        Trailing = "trailing",
        /// A key file of another container.
        OtherName = "other-name",
        /// A whole key file whose public key is not the certificate's.
        Mismatch = "mismatch",
        /// It is listed; its content was not collected.
        Listed = "listed",
    }
}

choice! {
    /// The folders in which Windows keeps the keys of the machine, below `ProgramData\\Microsoft\\Crypto`.
    KeyFolder {
        /// `RSA\\MachineKeys`: the keys of cryptographic service providers (CryptoAPI).
        MachineKeys = "MachineKeys",
        /// `Keys`: the machine's keys of the software key storage provider (CNG).
        Keys = "Keys",
        /// `SystemKeys`: SYSTEM's own keys of that provider.
        SystemKeys = "SystemKeys",
    }
}

choice! {
    /// How a folder's content came into the collection.
    ListingForm {
        /// The folder itself, from a disk that was read past its permissions (beside the hives in their places).
        Disk = "disk",
        /// Copies of some of its files.
        Copies = "copies",
        /// `icacls /save`.
        Saved = "icacls-save",
        /// `icacls` on the console.
        Console = "icacls",
        /// `Get-Acl`.
        GetAcl = "get-acl",
        /// `dir` or `Get-ChildItem`.
        Directory = "dir",
        /// The manifest of `rdptriage collect`.
        Manifest = "manifest",
        /// $MFT, the file system's own table of files.
        FileTable = "mft",
    }
}

choice! {
    /// What the file system's records speak of.
    TraceObject {
        /// The folder MachineKeys, or one that was it.
        Folder = "folder",
        /// A key file.
        File = "file",
    }
}

choice! {
    /// What became of it.
    TraceHappening {
        /// It was made.
        Made = "made",
        /// It was renamed or moved.
        Renamed = "renamed",
        /// It was deleted.
        Deleted = "deleted",
        /// Its permissions were changed.
        PermissionsChanged = "permissions-changed",
        /// Its content was written.
        Written = "written",
        /// Its permissions, attributes or name were changed: which, the record does not say.
        Changed = "changed",
    }
}

choice! {
    /// Which record of the file system tells it.
    TraceTeller {
        /// $UsnJrnl:$J, which says when each thing was done.
        ChangeJournal = "change-journal",
        /// $MFT, from which follows between which moments it was done.
        FileTable = "file-table",
    }
}

choice! {
    /// One link of the chain from the listener to the bytes of its private key.
    Link {
        /// Which certificate the listener uses.
        Listener = "listener",
        /// The certificate.
        Certificate = "certificate",
        /// The key container that the certificate names.
        Container = "container",
        /// The file of that container.
        File = "file",
        /// The file's structure.
        Structure = "structure",
        /// The public key in it, against the certificate's.
        PublicKey = "public-key",
        /// Who may read it.
        Permissions = "permissions",
        /// The master key that it is encrypted under.
        Dpapi = "dpapi",
    }
}

choice! {
    /// What became of a link.
    LinkStanding {
        /// It holds.
        Proved = "proved",
        /// It does not hold.
        Broken = "broken",
        /// The collection does not tell.
        NotSeen = "not-seen",
    }
}

choice! {
    /// What went wrong on the disk.
    StorageTrouble {
        /// No space, or no quota, is left.
        Full = "full",
        /// The file system is damaged.
        FileSystem = "file-system",
        /// The device failed to read or write.
        Device = "device",
    }
}

catalogue! {
    /// A cryptographic operation on a key, audited in the Security log (5058, 5061).
    "key.operation" => KeyOperation Event (Absence::All(&[Subject::SecurityLog])) {
        /// 5058 (key file) or 5061 (operation).
        event: u32,
        /// The container.
        container: String,
        /// Whether it is the container of the listener's certificate.
        listener: Known<bool>,
        /// Who asked, a SID.
        account: Option<String>,
        /// The key file, where the event names it.
        path: Option<String>,
        /// The return code; 0 is success.
        result: Code,
        /// Whether it succeeded.
        succeeded: bool,
        /// Whether a later operation on the same container succeeded.
        superseded: Known<bool>,
    }

    /// What an account may do with a key file, from its permissions as they stood on the machine. A file that certainly is not
    /// there has none.
    "key_file.access" => KeyFileAccess State (Absence::All(&[Subject::KeyFilePermissions])) {
        /// Whether it is the listener's key file.
        listener: bool,
        /// The file, on the machine.
        path: String,
        /// The folder it lies in, on the machine.
        folder: String,
        /// The account, a SID: TermService runs as S-1-5-20, SessionEnv is told by its service SID.
        account: String,
        /// Whether it may read.
        can_read: Known<bool>,
        /// Whether it may write.
        can_write: Known<bool>,
        /// Whether it may write and delete it, as a renewal does.
        can_replace: Known<bool>,
        /// Whether it may not read, and an entry denies it that.
        denied: Known<bool>,
        /// The accounts of such entries, as `icacls /remove:d` takes them.
        denied_by: Option<String>,
        /// Whether connections meet it: not for a pinned certificate as long as no credential fails (the service falls back).
        relied_on: Known<bool>,
        /// Who owns the file, where a listing tells, as `icacls /setowner` takes it.
        owner: Option<String>,
        /// Whether that is somebody else than SYSTEM, which owns it on every build measured.
        owner_changed: Known<bool>,
        /// The third entry that Windows gives the file on this build, as `icacls` takes it.
        third_entry: String,
        /// What else lies in the folder and would go with it.
        beside: String,
    }

    /// The listener's key file was last written. The entry of an archive, the disk itself or a listing of the folder says so.
    "key_file.written" => KeyFileWritten Event (Absence::Never(Subject::KeyFolderListing)) {
        /// The file, on the machine.
        path: String,
        /// Whether the time is to the minute, and was turned from the machine's own zone: off by an hour where its clock was changed to or
        /// from summer time since.
        to_the_minute: bool,
    }

    /// What stands where a key file should be.
    "key_file.state" => KeyFile State (Absence::Never(Subject::KeyFolderListing)) {
        /// Whether it is the listener's key file.
        listener: bool,
        /// The expected file, on the machine.
        path: String,
        /// The folder it belongs in, on the machine.
        folder: String,
        /// The file's name.
        file_name: String,
        /// What is found, in a word.
        state: Known<KeyFileState>,
        /// The container.
        container: Option<String>,
        /// Whether a cryptographic service provider keeps it (not CNG).
        csp: Known<bool>,
        /// Whether the file is certainly not in its folder.
        missing: Known<bool>,
        /// Whether it is missing there and lies in a folder beside it.
        relocated: Known<bool>,
        /// Whether it is missing and the container's file bears another MachineGuid.
        foreign: Known<bool>,
        /// Where it was found instead, or the foreign file: a path of the collection.
        found_at: Option<String>,
        /// The folder beside its own that it lies in, on the machine.
        found_in: Option<String>,
        /// Whether the file is there and no whole key file of that container.
        damaged: Known<bool>,
        /// What is wrong with it, in words.
        damage: Option<String>,
        /// Whether the public key in it is another one than the certificate's.
        mismatch: Known<bool>,
        /// Whether connections meet it: not for a pinned certificate as long as no credential fails (the service falls back).
        relied_on: Known<bool>,
        /// What else lies in the folder and would go with it.
        beside: String,
        /// What of this machine's lies in a folder beside it, where one was seen.
        old_folder: Option<String>,
        /// What took it away, as the file system's own records tell, as a sentence; empty where they do not.
        traced: String,
    }

    /// The file system recorded what became of the listener's key file or its folder.
    "key.trace" => KeyTrace Event (Absence::All(&[Subject::KeyFolderListing])) {
        /// The folder or the file.
        object: TraceObject,
        /// What became of it.
        happened: TraceHappening,
        /// Whether it is the listener's key file, or the folder where that belongs.
        listener: bool,
        /// Whether that took the key file from where Windows looks for it.
        lost: bool,
        /// Whether it is there again: made anew, or brought back.
        superseded: bool,
        /// The name that it has since.
        name: String,
        /// The name that it had before.
        former_name: Option<String>,
        /// Which record tells it.
        told_by: TraceTeller,
        /// Whether the time is that at which it happened; else it happened no later.
        exact: bool,
        /// Where the time is not exact: it happened no earlier.
        not_before: Option<Timestamp>,
        /// What happened, as a clause.
        says: String,
        /// How long before or after the first failure.
        when: Option<String>,
    }

    /// How much the collection shows of a folder of keys.
    "key_folder.listing" => KeyFolderListing State (Absence::All(&[Subject::KeyFolderListing])) {
        /// Which folder.
        folder: KeyFolder,
        /// How it came into the collection.
        form: ListingForm,
        /// The file or folder of the collection.
        artifact: String,
        /// How many key files it shows.
        files: usize,
        /// Whether what it does not show is not there.
        complete: bool,
        /// Why it is complete, or why not.
        why: String,
        /// Whether every key file in it bears the MachineGuid of another machine.
        other_machine: Known<bool>,
    }

    /// The permissions of the MachineKeys folder, as they stood on the machine.
    "key_folder.access" => KeyFolderAccess State (Absence::All(&[Subject::MachineKeysPermissions])) {
        /// The folder, on the machine.
        path: String,
        /// Whether they are what was measured on untouched machines (9600 to 26100).
        is_default: Known<bool>,
        /// How they differ.
        differs: Option<String>,
        /// Whether the next key that Windows makes there will lack an entry: not everybody may create files, and the build gives
        /// SessionEnv one (17763 and later).
        next_key_lacks_entry: Known<bool>,
        /// When that would strike: about the end of the certificate after the present one.
        strikes: Known<Option<Timestamp>>,
    }

    /// What would be lost with a folder of keys.
    "key_folder.dependents" => KeyFolderDependents State (Absence::All(&[Subject::KeyFolderListing])) {
        /// The folder, on the machine.
        path: String,
        /// How many other key files were seen in it.
        others: usize,
        /// The known owners of these.
        owners: Vec<String>,
        /// The certificates of the machine's store MY whose keys lie there.
        certificates: Vec<String>,
    }

    /// The DPAPI master key that a key file is encrypted under.
    "master_key.state" => MasterKey State (Absence::Never(Subject::MasterKeyFolder)) {
        /// Whether it is the listener's key file that names it.
        listener: bool,
        /// Its GUID.
        key: Known<Option<String>>,
        /// Whether it is in neither of the complete folders of the machine's master keys.
        missing: Known<bool>,
        /// Whether connections meet it.
        relied_on: Known<bool>,
    }

    /// One link of the chain from the listener to its private key.
    "key.chain" => KeyChain State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Which link; they come in their order.
        link: Link,
        /// Proved, broken or not seen.
        standing: LinkStanding,
        /// What is known of it; open where it is not seen.
        says: Known<String>,
    }

    /// The disk failed while, or shortly before, Windows tried to make a key.
    "storage.failure" => StorageFailure Event (Absence::All(&[Subject::SystemLog])) {
        /// What went wrong.
        trouble: StorageTrouble,
        /// Who logged it.
        provider: String,
        /// The event id.
        event: u32,
        /// Whether making or renewing the listener's certificate failed within an hour of it.
        at_creation: Known<bool>,
    }
}
