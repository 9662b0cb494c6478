//! How a collection is laid out, and so who collected it: told by markers in its paths and confirmed by content, since anybody
//! can name a folder. A layout decides nothing by itself; it tells why something is missing.

use super::artifact::Artifact;
use super::kind::Kind;
use super::path;

/// How the files of a collection are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Layout {
    /// What the script of `rdptriage collect` makes, with its manifest.
    Collected,
    /// Velociraptor's `uploads/ACCESSOR/C%3A/...` (docs.velociraptor.app, "Offline collections").
    Velociraptor,
    /// Microsoft's MSRD-Collect: `HOST_EventLogs/HOST_System.evtx`.
    MsrdCollect,
    /// Microsoft's support diagnostics for PowerShell: `HOST_evt_System.evtx`.
    PsSdp,
    /// Microsoft's TroubleShootingScript: `TSS_HOST_DATE...`.
    Tss,
    /// KAPE: a folder for each drive, and `..._CopyLog.csv`.
    Kape,
    /// CyLR: a folder for each drive, and `CyLR.log`.
    Cylr,
    /// Azure's "Inspect IaaS disk": parts of a disk below `device_0`.
    InspectDisk,
    /// A folder for each drive, without the log of a collector.
    DriveTree,
    /// The root of a disk, or a copy of it.
    Disk,
    /// None of these.
    #[default]
    Plain,
}

/// How many files of a marker's name are opened to confirm it.
const MOST_OPENED: usize = 8;
/// How much of each.
const LOOKED_AT: usize = 4096;

impl Layout {
    /// Every layout, in the order in which they are asked for: the more particular first.
    pub const ALL: &'static [Layout] = &[
        Layout::Collected,
        Layout::Velociraptor,
        Layout::MsrdCollect,
        Layout::PsSdp,
        Layout::Tss,
        Layout::Kape,
        Layout::Cylr,
        Layout::InspectDisk,
        Layout::DriveTree,
        Layout::Disk,
        Layout::Plain,
    ];

    /// Its name in the JSON report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Layout::Collected => "rdptriage-collect",
            Layout::Velociraptor => "velociraptor",
            Layout::MsrdCollect => "msrd-collect",
            Layout::PsSdp => "pssdp",
            Layout::Tss => "tss",
            Layout::Kape => "kape",
            Layout::Cylr => "cylr",
            Layout::InspectDisk => "inspect-iaas-disk",
            Layout::DriveTree => "drive-tree",
            Layout::Disk => "disk",
            Layout::Plain => "folder",
        }
    }

    /// Its name for people: `KAPE collection`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Layout::Collected => "rdptriage collection",
            Layout::Velociraptor => "Velociraptor collection",
            Layout::MsrdCollect => "MSRD-Collect collection",
            Layout::PsSdp => "psSDP collection",
            Layout::Tss => "TSS collection",
            Layout::Kape => "KAPE collection",
            Layout::Cylr => "CyLR collection",
            Layout::InspectDisk => "Azure Inspect IaaS disk collection",
            Layout::DriveTree => "copy of drives",
            Layout::Disk => "disk root",
            Layout::Plain => "folder",
        }
    }

    /// The layout of these files, all of one host.
    #[must_use]
    pub fn of<'a>(artifacts: impl IntoIterator<Item = &'a Artifact>) -> Layout {
        let places: Vec<Place<'a>> = artifacts.into_iter().map(Place::of).collect();
        // Markers without anything to read would be a layout of nothing.
        if !places.iter().any(|place| place.artifact.kind.is_evidence()) {
            return Layout::Plain;
        }
        let mut all = Layout::ALL.iter().copied();
        all.find(|layout| layout.is_told_by(&places))
            .unwrap_or_default()
    }

    fn is_told_by(self, places: &[Place<'_>]) -> bool {
        let some = |test: &dyn Fn(&Place<'_>) -> bool| places.iter().any(test);
        match self {
            Layout::Collected => some(&|place| place.artifact.kind == Kind::CollectionManifest),
            Layout::Velociraptor => {
                some(&|place| place.is_evidence() && place.is_below_accessor())
                    || confirmed(places, |name| name == "uploads.json", &["vfs_path"])
                    || confirmed(places, |name| name == "client_info.json", &["client_id"])
                    || confirmed(
                        places,
                        |name| name == "collection_context.json",
                        &["session_id"],
                    )
            }
            Layout::MsrdCollect => {
                some(&|place| {
                    let folder = place.folders().last();
                    let host = folder.and_then(|folder| folder.strip_suffix("_eventlogs"));
                    place.is_log() && host.is_some_and(|host| place.is_named_after(host))
                }) || confirmed(
                    places,
                    |name| name.ends_with("_msrd-collect-log.txt") || name == "msrd-diag.html",
                    &["msrd"],
                )
            }
            Layout::PsSdp => {
                some(&|place| place.is_log() && place.name().contains("_evt_"))
                    || confirmed(
                        places,
                        |name| name.ends_with("_rdpsettings.xml"),
                        &["<root", "<?xml", "<object"],
                    )
            }
            Layout::Tss => some(&|place| {
                let is_of_tss = |folder: &String| is_tss_folder(folder);
                place.is_evidence() && place.folders().iter().any(is_of_tss)
            }),
            Layout::Kape => {
                let is_log =
                    |name: &str| name.ends_with("_copylog.csv") || name.ends_with("_skiplog.csv");
                confirmed(places, is_log, &["sourcefile"])
                    || confirmed(
                        places,
                        |name| name.ends_with("_consolelog.txt"),
                        &["kape version"],
                    )
            }
            Layout::Cylr => {
                some(&|place| place.name() == "cylr.log")
                    && some(&|place| place.is_evidence() && place.is_on_drive())
            }
            Layout::InspectDisk => some(&|place| {
                let root = place.disk_root();
                root.is_some_and(|root| {
                    let beside = |other: &Place<'_>| {
                        other.folders() == root
                            && (other.name() == "results.txt"
                                || other.name() == "registry.json"
                                || other.name().starts_with("diskinfo"))
                    };
                    root.iter().any(|folder| is_device(folder)) || places.iter().any(beside)
                })
            }),
            Layout::DriveTree => some(&|place| place.is_evidence() && place.is_on_drive()),
            Layout::Disk => some(&|place| place.disk_root().is_some()),
            Layout::Plain => true,
        }
    }
}

/// One file, by its path in lower case.
struct Place<'a> {
    artifact: &'a Artifact,
    parts: Vec<String>,
}

impl<'a> Place<'a> {
    fn of(artifact: &'a Artifact) -> Self {
        Place {
            artifact,
            parts: path::components(&artifact.path)
                .into_iter()
                .map(str::to_lowercase)
                .collect(),
        }
    }

    fn name(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    fn folders(&self) -> &[String] {
        self.parts.split_last().map_or(&[], |(_, folders)| folders)
    }

    fn is_evidence(&self) -> bool {
        self.artifact.kind.is_evidence()
    }

    fn is_log(&self) -> bool {
        matches!(self.artifact.kind, Kind::EventLog(_))
    }

    fn is_named_after(&self, host: &str) -> bool {
        let rest = self.name().strip_prefix(host);
        !host.is_empty() && rest.is_some_and(|rest| rest.starts_with('_'))
    }

    /// What stands above `Windows` where this is a hive or a log that lies where Windows keeps it.
    fn disk_root(&self) -> Option<&[String]> {
        let below = match self.artifact.kind {
            Kind::Hive(_) => ["windows", "system32", "config"],
            _ => return None,
        };
        let root = self.folders().len().checked_sub(below.len())?;
        let (root, found) = self.folders().split_at_checked(root)?;
        found.iter().eq(below.iter()).then_some(root)
    }

    /// Whether it lies in a folder that stands for a drive, with a folder of Windows' own below.
    fn is_on_drive(&self) -> bool {
        self.parts.windows(2).any(|pair| {
            let [drive, below] = pair else { return false };
            is_drive(drive) && matches!(below.as_str(), "windows" | "programdata")
        })
    }

    /// `uploads/auto/C:/...`, or `auto/C:/...` where the folder `uploads` itself was given.
    fn is_below_accessor(&self) -> bool {
        self.parts.windows(2).any(|pair| {
            let [accessor, drive] = pair else {
                return false;
            };
            let known = matches!(
                accessor.as_str(),
                "auto" | "file" | "ntfs" | "lazy_ntfs" | "ntfs_vss" | "vss" | "mft" | "fat"
            );
            known && drive.ends_with(':')
        })
    }
}

/// `C` or `C:`.
fn is_drive(folder: &str) -> bool {
    let letter = folder.strip_suffix(':').unwrap_or(folder);
    letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `device_0`.
fn is_device(folder: &str) -> bool {
    folder.strip_prefix("device_").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// `TSS_HOST_yyMMdd-HHmmss_...`, or the `RDSLog-...` that it holds.
fn is_tss_folder(folder: &str) -> bool {
    let folder = folder.strip_suffix(".zip").unwrap_or(folder);
    let is_time = |part: &str| {
        part.split_once('-').is_some_and(|(day, time)| {
            let digits = |text: &str| text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
            digits(day) && digits(time)
        })
    };
    let named = folder
        .strip_prefix("tss_")
        .is_some_and(|rest| rest.split('_').skip(1).any(is_time));
    named || folder.starts_with("rdslog-")
}

/// Whether a file of such a name holds one of these words, in lower case, near its beginning.
fn confirmed(places: &[Place<'_>], is_marker: impl Fn(&str) -> bool, words: &[&str]) -> bool {
    places
        .iter()
        .filter(|place| is_marker(place.name()))
        .take(MOST_OPENED)
        .any(|place| {
            let text = beginning(place.artifact);
            words.iter().any(|word| text.contains(word))
        })
}

/// The beginning of a text in lower case, whether in one byte or two for each letter; nothing of a file that cannot be opened.
fn beginning(artifact: &Artifact) -> String {
    let mut head = vec![0; LOOKED_AT];
    let filled = artifact
        .open()
        .and_then(|source| source.read_full_at(0, &mut head));
    head.truncate(filled.unwrap_or(0));
    head.retain(|byte| *byte != 0);
    String::from_utf8_lossy(&head).to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::kind::{EventLogForm, HiveForm, NotUsed};
    use super::super::origin::Origin;
    use super::*;

    fn file(path: &str, kind: Kind, text: &str) -> Artifact {
        Artifact {
            path: path.to_owned(),
            kind,
            bytes: text.len() as u64,
            sha256: None,
            origin: Origin::Memory(Arc::new(text.as_bytes().to_vec())),
            written: None,
        }
    }

    fn hive(path: &str) -> Artifact {
        file(path, Kind::Hive(HiveForm::Whole), "regf")
    }

    fn log(path: &str) -> Artifact {
        file(path, Kind::EventLog(EventLogForm::Whole), "ElfFile")
    }

    fn text(path: &str, content: &str) -> Artifact {
        file(path, Kind::NotUsed(NotUsed::Unrecognized), content)
    }

    #[test]
    fn every_layout_is_told() {
        let on_drive = || hive("C/Windows/System32/config/SYSTEM");
        for (files, layout) in [
            (vec![hive("windows/system32/CONFIG/system")], Layout::Disk),
            (
                vec![hive("device_0/Windows/System32/config/SYSTEM")],
                Layout::InspectDisk,
            ),
            (
                vec![
                    hive("Windows/System32/config/SYSTEM"),
                    text("results.txt", ""),
                ],
                Layout::InspectDisk,
            ),
            (vec![on_drive()], Layout::DriveTree),
            (vec![on_drive(), text("CyLR.log", "")], Layout::Cylr),
            (
                vec![
                    on_drive(),
                    text("2026_CopyLog.csv", "CopiedTimestamp,SourceFile"),
                ],
                Layout::Kape,
            ),
            (
                vec![log(
                    "uploads/auto/C:/Windows/System32/winevt/Logs/System.evtx",
                )],
                Layout::Velociraptor,
            ),
            (
                vec![
                    log("System.evtx"),
                    text("uploads.json", r#"{"vfs_path":"C:"}"#),
                ],
                Layout::Velociraptor,
            ),
            (
                vec![log("TS01_EventLogs/TS01_System.evtx")],
                Layout::MsrdCollect,
            ),
            (vec![log("TS01_evt_System.evtx")], Layout::PsSdp),
            (
                vec![log("TSS_TS01_261114-093000_RDS/TS01-System.evtx")],
                Layout::Tss,
            ),
            (
                vec![log("logs/System.evtx"), hive("config/SYSTEM")],
                Layout::Plain,
            ),
        ] {
            assert_eq!(Layout::of(&files), layout, "{files:?}");
        }
    }

    #[test]
    fn a_name_alone_tells_nothing() {
        for files in [
            // What its name promises is not in it.
            vec![log("System.evtx"), text("x_CopyLog.csv", "notes")],
            vec![log("System.evtx"), text("client_info.json", "{}")],
            // A file named like a hive, and markers beside nothing.
            vec![log("a.evtx"), text("Windows/System32/config/SYSTEM", "x")],
            vec![text("uploads.json", r#"{"vfs_path":"C:"}"#)],
            vec![log("other_EventLogs/System.evtx"), text("CyLR.log", "")],
        ] {
            assert_eq!(Layout::of(&files), Layout::Plain, "{files:?}");
        }
    }
}
