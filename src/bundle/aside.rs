//! What lies in a collection and is not of the Windows that broke: an earlier installation, and copies that Windows once made of
//! its hives. Mixed in, they would tell of settings that are no longer so.

use super::artifact::Artifact;
use super::kind::{Kind, NotUsed};
use super::path;

/// The folder that a setup keeps the earlier installation in, and the one that Windows Server 2016 and before back hives up to
/// (Windows 10 1803 and later leave it empty: learn.microsoft.com, "The system registry is no longer backed up to the RegBack folder").
const ASIDE: [(&str, NotUsed); 2] = [
    ("windows.old", NotUsed::EarlierWindows),
    ("regback", NotUsed::HiveBackup),
];

/// Sets an artifact aside that lies in such a folder; `below` is its path below the input that the user named, so that whoever
/// names the folder itself has it read.
pub(super) fn set_aside(artifact: &mut Artifact, below: &str) {
    if matches!(artifact.kind, Kind::NotUsed(_) | Kind::Archive(_)) {
        return;
    }
    let mut folders = path::components(below);
    folders.pop();
    let found = ASIDE
        .into_iter()
        .find(|(name, _)| folders.iter().any(|folder| is_folder(folder, name)));
    if let Some((_, reason)) = found {
        artifact.kind = Kind::NotUsed(reason);
    }
}

/// Setups number the folders of still earlier installations: `Windows.old.000`.
fn is_folder(folder: &str, name: &str) -> bool {
    let folder = folder.to_ascii_lowercase();
    folder.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('.')
                .is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
    })
}
