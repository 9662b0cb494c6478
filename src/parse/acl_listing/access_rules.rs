//! `Get-Acl PATH | Select-Object -ExpandProperty Access`, as the Remote Desktop collector of Microsoft's support writes it
//! (MSRD-Collect, `..._MachineKeys.txt`, `..._ACL-MachineKeys.txt`): .NET's access rules as a list of properties, in the order of
//! the permissions, below a line with the command that shows them.
//!
//! ```text
//! Get-Acl -Path 'C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys'
//!
//! FileSystemRights  : Write, Read, Synchronize
//! AccessControlType : Allow
//! IdentityReference : Everyone
//! IsInherited       : False
//! InheritanceFlags  : None
//! PropagationFlags  : None
//! ```
//!
//! Labels and rights are names of .NET, the same in every language; accounts are in the system's. A command whose path ends in a
//! star shows the rules of every file that fits, one after another.

use super::account_name::{resolve, settle};
use super::{AclListing, EntryProblem, ListedObject, ListingProblem, numbered};
use crate::parse::security::{
    AccessMask, Ace, AceFlags, AceKind, Condition, Dacl, Inheritance, SecurityDescriptor, Sid,
    Trustee,
};
use crate::parse::text::Text;

/// The label that begins a rule.
pub(super) const RIGHTS: &str = "FileSystemRights";

/// The names of System.Security.AccessControl.FileSystemRights.
const NAMES: &[(&str, u32)] = &[
    ("FullControl", 0x1f_01ff),
    ("Modify", 0x3_01bf),
    ("ReadAndExecute", 0x2_00a9),
    ("Read", 0x2_0089),
    ("Write", 0x116),
    ("ReadData", 0x1),
    ("ListDirectory", 0x1),
    ("WriteData", 0x2),
    ("CreateFiles", 0x2),
    ("AppendData", 0x4),
    ("CreateDirectories", 0x4),
    ("ReadExtendedAttributes", 0x8),
    ("WriteExtendedAttributes", 0x10),
    ("ExecuteFile", 0x20),
    ("Traverse", 0x20),
    ("DeleteSubdirectoriesAndFiles", 0x40),
    ("ReadAttributes", 0x80),
    ("WriteAttributes", 0x100),
    ("Delete", 0x1_0000),
    ("ReadPermissions", 0x2_0000),
    ("ChangePermissions", 0x4_0000),
    ("TakeOwnership", 0x8_0000),
    ("Synchronize", 0x10_0000),
];

/// Reads the whole text.
pub(super) fn read(text: &Text, listing: &mut AclListing) {
    let mut object = Object::default();
    let mut shows_language = false;
    let ended = text.characters.ends_with('\n');
    let last = text.characters.lines().count();
    for (number, line) in numbered(&text.characters) {
        if let Some(path) = asked_path(line) {
            // Some versions write the command twice.
            if object.path.as_ref() != Some(&path) || !object.rules.is_empty() {
                std::mem::take(&mut object).finish(listing);
                object.path = Some(path);
                object.line = number;
            }
            continue;
        }
        let Some((label, value)) = line.split_once(" :") else {
            continue;
        };
        let value = value.trim();
        match label.trim() {
            RIGHTS => {
                if object.line == 0 {
                    object.line = number;
                }
                object.rules.push(Rule {
                    line: number,
                    rights: mask(value).ok_or_else(|| EntryProblem::Rights {
                        line: number,
                        rights: value.chars().take(60).collect(),
                    }),
                    ..Rule::default()
                });
            }
            "AccessControlType" => object.set(|rule| {
                rule.kind = match value {
                    "Allow" => Some(AceKind::Allow),
                    "Deny" => Some(AceKind::Deny),
                    _ => None,
                };
            }),
            "IdentityReference" => {
                let resolved = resolve(value, text.encoding);
                shows_language |= resolved.shows_language;
                object.set(|rule| rule.trustee = Some(resolved.trustee));
            }
            "IsInherited" if value == "True" => {
                object.set(|rule| rule.flags |= AceFlags::INHERITED)
            }
            "PropagationFlags" => object.set(|rule| {
                rule.whole = true;
                if value.contains("InheritOnly") {
                    rule.flags |= AceFlags::INHERIT_ONLY;
                }
            }),
            _ => {}
        }
    }
    object.finish(listing);
    if !ended {
        listing.problem(ListingProblem::Cut { line: last });
    }
    if shows_language {
        for entry in &mut listing.entries {
            if let Ok(SecurityDescriptor {
                dacl: Dacl::Entries { entries, .. },
                ..
            }) = &mut entry.descriptor
            {
                entries.iter_mut().for_each(|ace| settle(&mut ace.trustee));
            }
        }
    }
}

/// The path in a line with the command: `Get-Acl -Path 'C:\...'`, in either kind of quotation marks.
fn asked_path(line: &str) -> Option<String> {
    let (_, command) = line.split_once("Get-Acl")?;
    let quote = command.find(['\'', '"'])?;
    let mark = command.get(quote..)?.chars().next()?;
    let (path, _) = command.get(quote + 1..)?.split_once(mark)?;
    Some(path.trim_end_matches('\\').to_owned())
}

/// A rule's rights: names, or the number where it has bits without one.
fn mask(value: &str) -> Option<AccessMask> {
    if let Ok(number) = value.parse::<i64>() {
        let bits = u32::try_from(number).or_else(|_| i32::try_from(number).map(i32::cast_unsigned));
        return bits.ok().map(AccessMask);
    }
    value.split(',').try_fold(AccessMask::NONE, |mask, name| {
        let (_, bits) = NAMES.iter().find(|(known, _)| *known == name.trim())?;
        Some(mask.with(AccessMask(*bits)))
    })
}

#[derive(Default)]
struct Object {
    path: Option<String>,
    line: usize,
    rules: Vec<Rule>,
}

struct Rule {
    line: usize,
    rights: Result<AccessMask, EntryProblem>,
    kind: Option<AceKind>,
    trustee: Option<Trustee>,
    flags: u8,
    /// Whether its last property was there.
    whole: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Rule {
            line: 0,
            rights: Ok(AccessMask::NONE),
            kind: None,
            trustee: None,
            flags: 0,
            whole: false,
        }
    }
}

impl Rule {
    fn ace(self) -> Result<Ace, EntryProblem> {
        match (self.whole, self.kind, self.trustee) {
            (true, Some(kind), Some(trustee)) => Ok(Ace {
                kind,
                condition: Condition::Always,
                flags: AceFlags(self.flags),
                mask: self.rights?,
                trustee,
            }),
            _ => Err(EntryProblem::Line { line: self.line }),
        }
    }
}

impl Object {
    fn set(&mut self, change: impl FnOnce(&mut Rule)) {
        if let Some(rule) = self.rules.last_mut() {
            change(rule);
        }
    }

    fn finish(self, listing: &mut AclListing) {
        // A path without rules was refused, or is only named.
        let Some(first) = self.rules.first() else {
            return;
        };
        let (line, first) = (self.line, first.line);
        let starred = self.path.as_ref().is_some_and(|path| path.contains('*'));
        let descriptor = self
            .rules
            .into_iter()
            .map(Rule::ace)
            .collect::<Result<Vec<Ace>, EntryProblem>>()
            .and_then(|entries| match starred && of_several(&entries) {
                true => Err(EntryProblem::Several { line: first }),
                false => Ok(entries),
            });
        listing.entries.push(ListedObject {
            name: self.path,
            descriptor: descriptor.map(|entries| SecurityDescriptor {
                owner: None,
                group: None,
                dacl: Dacl::Entries {
                    inheritance: Inheritance::Open,
                    entries,
                },
            }),
            line,
        });
    }
}

/// Whether the rules are those of several files: SYSTEM has one entry in a key file.
fn of_several(entries: &[Ace]) -> bool {
    let system = Trustee::Sid(Sid::system());
    let own = entries.iter().filter(|ace| ace.trustee == system);
    own.count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::acl_listing::ListingForm;
    use crate::parse::security::{Answer, ObjectKind, granted};

    const FILE: &str =
        r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\f686aace6942fb7f7ceb231212eef4a4_*";

    fn rule(rights: &str, kind: &str, account: &str) -> String {
        format!(
            "FileSystemRights  : {rights}\r\nAccessControlType : {kind}\r\nIdentityReference : {account}\r\nIsInherited       : False\r\nInheritanceFlags  : None\r\nPropagationFlags  : None\r\n\r\n"
        )
    }

    fn listed(rules: &[String]) -> AclListing {
        let text = format!("Get-Acl -Path '{FILE}'\r\n\r\n{}", rules.concat());
        let listing = AclListing::parse(text.as_bytes()).unwrap();
        assert_eq!(listing.form, ListingForm::AccessRules);
        listing
    }

    fn reads(listing: &AclListing) -> Answer {
        let descriptor = listing.entries[0].descriptor.as_ref().unwrap();
        let token = [Sid::network_service(), Sid::everyone()];
        granted(descriptor, &token, ObjectKind::File).allows(AccessMask::FILE_GENERIC_READ)
    }

    #[test]
    fn rules_are_read_in_their_order() {
        let system = rule("FullControl", "Allow", r"NT-AUTORITÄT\SYSTEM");
        let service = |kind| rule("Read, Synchronize", kind, r"NT-AUTORITÄT\NETZWERKDIENST");
        assert_eq!(
            reads(&listed(&[system.clone(), service("Allow")])),
            Answer::Allowed
        );
        assert_eq!(
            reads(&listed(std::slice::from_ref(&system))),
            Answer::Denied
        );
        let denied = [service("Deny"), system.clone(), service("Allow")];
        assert_eq!(reads(&listed(&denied)), Answer::Denied);
        let number = rule("-1610612736", "Allow", "Everyone");
        assert_eq!(reads(&listed(&[system, number])), Answer::Allowed);
    }

    #[test]
    fn several_files_under_one_star_are_not_taken_for_one() {
        let system = rule("FullControl", "Allow", r"NT AUTHORITY\SYSTEM");
        let listing = listed(&[system.clone(), system]);
        let found = &listing.entries[0].descriptor;
        assert!(
            matches!(found, Err(EntryProblem::Several { .. })),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_cut_or_unknown_gives_no_descriptor() {
        let whole = rule("FullControl", "Allow", r"NT AUTHORITY\SYSTEM");
        let cut = listed(&[whole[..90].to_owned()]);
        assert!(cut.entries[0].descriptor.is_err());
        let unknown = listed(&[rule("Everything", "Allow", "Everyone")]);
        assert!(unknown.entries[0].descriptor.is_err());
    }
}
