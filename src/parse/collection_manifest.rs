//! The manifest of a collection made by the script that `rdptriage collect` prints: what was collected, with its digests, which steps
//! failed and why, and the folders of keys as they stood on the machine, with sizes, times and permissions.
//!
//! JSON, the first member of which says what it is. What is not there or not understood of a later version is left out.

use jiff::Timestamp;
use serde::Deserialize;

use super::text::Text;

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionManifest {
    /// The files, by their paths from the manifest's folder on.
    pub files: Vec<CollectedFile>,
    /// The folders that were listed.
    pub folders: Vec<CollectedFolder>,
    /// What failed.
    pub failures: Vec<Failure>,
}

/// A file that was collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedFile {
    /// Its path from the manifest's folder on, with `/` between folders.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal, lower case; none where it could not be computed.
    pub sha256: Option<String>,
}

/// A folder as it stood on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedFolder {
    /// Its path on the machine.
    pub path: String,
    /// What is in it.
    pub content: FolderContent,
    /// Its security descriptor, where it was read.
    pub sddl: Option<String>,
    /// The line of the manifest at which it stands, from 1.
    pub line: usize,
}

/// What a listing of a folder came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderContent {
    /// All that is in it.
    Whole(Vec<FolderEntry>),
    /// There is no such folder.
    Absent,
    /// It could not be listed, or not to its end; the reason.
    Refused(String),
}

/// One file or folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// Its size; none of a folder.
    pub bytes: Option<u64>,
    /// When its content was written last, by the machine's clock.
    pub written: Option<Timestamp>,
    /// Its security descriptor, or why that was not read.
    pub sddl: Result<String, String>,
}

/// A step of the collection that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it was about.
    pub target: Target,
    /// The command.
    pub command: String,
    /// What it said.
    pub why: String,
}

/// What a step was to collect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An event log, by the name of its channel.
    Log(String),
    /// An event log that this Windows does not have.
    AbsentLog(String),
    /// A hive: `SYSTEM`.
    Hive(String),
    /// A store of certificates: `Remote Desktop`.
    Store(String),
    /// The list of a folder, by its path.
    Folder(String),
    /// Anything else, in the script's words.
    Other(String),
}

/// Why a manifest cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no JSON, or not as the script writes it.
    #[error(
        "line {line}: the manifest cannot be read ({why}), so that neither digests nor failed steps are known; collect again"
    )]
    Json {
        /// The line, from 1.
        line: usize,
        /// What the reader says.
        why: String,
    },
    /// It was written by a later script.
    #[error("the manifest is of version {0}, and only 1 is read: use a newer rdptriage")]
    Version(u64),
}

const VERSION: u64 = 1;
/// What `wevtutil` ends with where there is no such channel (ERROR_EVT_CHANNEL_NOT_FOUND).
const NO_SUCH_CHANNEL: i64 = 15007;

#[derive(Deserialize)]
struct Raw {
    version: u64,
    #[serde(default)]
    files: Vec<RawFile>,
    #[serde(default)]
    folders: Vec<RawFolder>,
    #[serde(default)]
    steps: Vec<RawStep>,
}

#[derive(Deserialize)]
struct RawFile {
    path: String,
    bytes: u64,
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct RawFolder {
    path: String,
    #[serde(default = "yes")]
    exists: bool,
    failed: Option<String>,
    sddl: Option<String>,
    #[serde(default)]
    entries: Vec<RawEntry>,
}

#[derive(Deserialize)]
struct RawEntry {
    name: String,
    bytes: Option<u64>,
    written: Option<String>,
    sddl: Option<String>,
    sddl_failed: Option<String>,
}

#[derive(Deserialize)]
struct RawStep {
    kind: String,
    of: String,
    #[serde(default)]
    command: String,
    exit: Option<i64>,
    failed: Option<String>,
}

fn yes() -> bool {
    true
}

impl CollectionManifest {
    /// Reads a manifest, in any text encoding.
    ///
    /// # Errors
    /// Where it is no JSON, or of a later version.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let text = Text::decode(bytes).characters;
        let raw: Raw = serde_json::from_str(&text).map_err(|error| ManifestError::Json {
            line: error.line(),
            why: error.to_string(),
        })?;
        if raw.version != VERSION {
            return Err(ManifestError::Version(raw.version));
        }
        let lines = lines_of_folders(&text);
        Ok(CollectionManifest {
            files: raw.files.into_iter().map(RawFile::read).collect(),
            folders: raw
                .folders
                .into_iter()
                .enumerate()
                .map(|(index, folder)| folder.read(lines.get(index).copied().unwrap_or(1)))
                .collect(),
            failures: raw.steps.into_iter().filter_map(RawStep::failure).collect(),
        })
    }
}

/// The lines at which folders begin: each begins with its path, and only they do so with one of the machine.
fn lines_of_folders(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| line.contains("\"exists\":") && line.contains("{\"path\":"))
        .map(|(index, _)| index + 1)
        .collect()
}

impl RawFile {
    fn read(self) -> CollectedFile {
        CollectedFile {
            path: self.path,
            bytes: self.bytes,
            sha256: self.sha256.map(|digest| digest.to_ascii_lowercase()),
        }
    }
}

impl RawFolder {
    fn read(self, line: usize) -> CollectedFolder {
        let content = match (self.failed, self.exists) {
            (Some(why), _) => FolderContent::Refused(why),
            (None, false) => FolderContent::Absent,
            (None, true) => {
                FolderContent::Whole(self.entries.into_iter().map(RawEntry::read).collect())
            }
        };
        CollectedFolder {
            path: self.path,
            content,
            sddl: self.sddl,
            line,
        }
    }
}

impl RawEntry {
    fn read(self) -> FolderEntry {
        FolderEntry {
            name: self.name,
            bytes: self.bytes,
            written: self.written.and_then(|time| time.parse().ok()),
            sddl: self.sddl.ok_or_else(|| {
                self.sddl_failed
                    .unwrap_or_else(|| "its permissions were not read".to_owned())
            }),
        }
    }
}

impl RawStep {
    fn failure(self) -> Option<Failure> {
        let why = self.failed?;
        let target = match self.kind.as_str() {
            "log" if self.exit == Some(NO_SUCH_CHANNEL) => Target::AbsentLog(self.of),
            "log" => Target::Log(self.of),
            "hive" => Target::Hive(self.of),
            "store" => Target::Store(self.of),
            "folder" => Target::Folder(self.of),
            kind => Target::Other(format!("{kind} {}", self.of)),
        };
        Some(Failure {
            target,
            command: self.command,
            why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{
"format":"rdptriage-collection",
"version":1,
"host":"TS01",
"files":[
{"path":"logs/System.evtx","bytes":69632,"sha256":"AB"}
],
"folders":[
{"path":"C:\\ProgramData\\Microsoft\\Crypto\\Keys","exists":false,"failed":null,"sddl":null,"entries":[
]},
{"path":"C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys","exists":true,"failed":null,"sddl":"D:PAI(A;;FA;;;BA)","entries":[
{"name":"f6","folder":false,"bytes":2225,"created":"2026-01-01T00:00:00.000Z","written":"2026-02-01T00:00:00.000Z","sddl":null,"sddl_failed":"Zugriff verweigert \u00fc"}
]}
],
"steps":[
{"kind":"log","of":"System","command":"wevtutil.exe epl System","exit":0,"failed":null},
{"kind":"log","of":"Security","command":"wevtutil.exe epl Security","exit":5,"failed":"Access is denied."},
{"kind":"log","of":"Foo/Bar","command":"wevtutil.exe epl Foo/Bar","exit":15007,"failed":"not found"}
]
}
"#;

    #[test]
    fn a_manifest_is_read_with_what_failed() {
        let manifest = CollectionManifest::parse(MANIFEST.as_bytes()).unwrap();
        assert_eq!(manifest.files[0].sha256.as_deref(), Some("ab"));
        assert_eq!(manifest.folders[0].content, FolderContent::Absent);
        assert_eq!(manifest.folders[1].line, 11);
        let FolderContent::Whole(entries) = &manifest.folders[1].content else {
            panic!("{:?}", manifest.folders[1]);
        };
        assert_eq!(entries[0].bytes, Some(2225));
        assert_eq!(entries[0].sddl, Err("Zugriff verweigert ü".to_owned()));
        let failed: Vec<&Target> = manifest.failures.iter().map(|one| &one.target).collect();
        let security = Target::Log("Security".to_owned());
        assert_eq!(
            failed,
            [&security, &Target::AbsentLog("Foo/Bar".to_owned())]
        );
    }

    #[test]
    fn what_is_no_manifest_says_where() {
        let cut = &MANIFEST[..400];
        let error = CollectionManifest::parse(cut.as_bytes()).unwrap_err();
        assert!(
            matches!(error, ManifestError::Json { line: 12, .. }),
            "{error}"
        );
        let later = MANIFEST.replace("\"version\":1", "\"version\":2");
        let error = CollectionManifest::parse(later.as_bytes());
        assert_eq!(error, Err(ManifestError::Version(2)));
    }
}
