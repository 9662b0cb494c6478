//! Where a file or folder of the collection stood on the machine, told by the names of the folders above it.

use crate::facts::catalog::key::KeyFolder;

/// Where something stood on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In one of the folders where Windows looks for keys of the machine.
    Home(KeyFolder),
    /// In a folder beside that one, such as `MachineKeys_old`, where nothing looks.
    Beside(KeyFolder),
    /// In a folder of an account's own keys.
    Personal,
    /// Its folder does not tell.
    Loose,
}

impl KeyFolder {
    /// Its path below `ProgramData`.
    pub(super) fn below_program_data(self) -> &'static str {
        match self {
            KeyFolder::MachineKeys => r"Microsoft\Crypto\RSA\MachineKeys",
            KeyFolder::Keys => r"Microsoft\Crypto\Keys",
            KeyFolder::SystemKeys => r"Microsoft\Crypto\SystemKeys",
        }
    }

    /// The folders above it below `ProgramData`, and its own name, in lower case.
    fn names(self) -> &'static [&'static str] {
        match self {
            KeyFolder::MachineKeys => &["microsoft", "crypto", "rsa", "machinekeys"],
            KeyFolder::Keys => &["microsoft", "crypto", "keys"],
            KeyFolder::SystemKeys => &["microsoft", "crypto", "systemkeys"],
        }
    }
}

/// The place that a folder's path tells, from its last names. People give copies of the folder its own name, so that the name
/// alone is enough; a folder beside it is told by a name made of it, or by lying where it lies.
pub(super) fn of_folder(components: &[&str]) -> Place {
    let name = |back: usize| {
        let index = components.len().checked_sub(back)?;
        components.get(index).map(|name| name.to_lowercase())
    };
    let (Some(own), parent) = (name(1), name(2).unwrap_or_default()) else {
        return Place::Loose;
    };
    match own.as_str() {
        "machinekeys" if parent == "dss" => return Place::Loose,
        "machinekeys" => return Place::Home(KeyFolder::MachineKeys),
        "keys" => return Place::Home(KeyFolder::Keys),
        "systemkeys" => return Place::Home(KeyFolder::SystemKeys),
        _ => {}
    }
    if own.starts_with("s-1-") {
        return Place::Personal;
    }
    let made_of = |word: &str| own.contains(word);
    if made_of("machinekeys") || parent == "rsa" {
        Place::Beside(KeyFolder::MachineKeys)
    } else if made_of("systemkeys") && parent == "crypto" {
        Place::Beside(KeyFolder::SystemKeys)
    } else if made_of("keys") && parent == "crypto" {
        Place::Beside(KeyFolder::Keys)
    } else {
        Place::Loose
    }
}

/// The root of a disk, in lower case, where a folder lies on it where Windows has it: what stands before `ProgramData`.
pub(super) fn disk_root(components: &[&str], folder: KeyFolder) -> Option<Vec<String>> {
    let lower: Vec<String> = components.iter().map(|name| name.to_lowercase()).collect();
    let above = lower.strip_suffix_of(folder.names())?;
    match above.split_last() {
        Some((last, root)) if last == "programdata" => Some(root.to_vec()),
        _ => None,
    }
}

/// Whether a folder is the one that `MachineKeys` lies in.
pub(super) fn is_parent_of_machine_keys(components: &[&str]) -> bool {
    let lower: Vec<String> = components.iter().map(|name| name.to_lowercase()).collect();
    lower
        .strip_suffix_of(&["programdata", "microsoft", "crypto", "rsa"])
        .is_some()
}

trait StripSuffix {
    fn strip_suffix_of(&self, suffix: &[&str]) -> Option<&[String]>;
}

impl StripSuffix for [String] {
    fn strip_suffix_of(&self, suffix: &[&str]) -> Option<&[String]> {
        let start = self.len().checked_sub(suffix.len())?;
        let (above, end) = self.split_at_checked(start)?;
        end.iter().eq(suffix.iter()).then_some(above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_by_their_names() {
        let of = |path: &str| of_folder(&path.split('/').collect::<Vec<_>>());
        for (path, place) in [
            (
                "ProgramData/Microsoft/Crypto/RSA/MachineKeys",
                Place::Home(KeyFolder::MachineKeys),
            ),
            ("x/machinekeys", Place::Home(KeyFolder::MachineKeys)),
            (
                "Crypto/RSA/MachineKeys_old",
                Place::Beside(KeyFolder::MachineKeys),
            ),
            ("MachineKeys.bak", Place::Beside(KeyFolder::MachineKeys)),
            (
                "RSA/Copy of MachineKeys",
                Place::Beside(KeyFolder::MachineKeys),
            ),
            ("Crypto/RSA/backup", Place::Beside(KeyFolder::MachineKeys)),
            ("Crypto/RSA/S-1-5-18", Place::Personal),
            ("Crypto/Keys", Place::Home(KeyFolder::Keys)),
            ("Crypto/Keys.old", Place::Beside(KeyFolder::Keys)),
            ("Crypto/SystemKeys", Place::Home(KeyFolder::SystemKeys)),
            ("DSS/MachineKeys", Place::Loose),
            ("ticket/4711", Place::Loose),
        ] {
            assert_eq!(of(path), place, "{path}");
        }
        assert_eq!(of_folder(&[]), Place::Loose);
    }

    #[test]
    fn a_disk_has_the_folder_in_its_place() {
        let root =
            |path: &str| disk_root(&path.split('/').collect::<Vec<_>>(), KeyFolder::MachineKeys);
        assert_eq!(
            root("ProgramData/Microsoft/Crypto/RSA/MachineKeys"),
            Some(vec![])
        );
        assert_eq!(
            root("C/PROGRAMDATA/Microsoft/Crypto/RSA/MachineKeys"),
            Some(vec!["c".to_owned()])
        );
        assert_eq!(root("MachineKeys"), None);
    }
}
