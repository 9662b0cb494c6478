//! What `icacls PATH` prints: the name, then its entries, one a line under each other, then an empty line; at the end how
//! many files were done.
//!
//! ```text
//! C:\ProgramData\x NT AUTHORITY\NETWORK SERVICE:(R)
//!                  NT AUTHORITY\SYSTEM:(F)
//!
//! ```
//!
//! The entries' column tells where the name ends, which may hold spaces as accounts do.

use super::account_name::{resolve, settle};
use super::{AclListing, EntryProblem, ListedObject, ListingProblem, numbered};
use crate::parse::security::{
    AccessMask, Ace, AceFlags, AceKind, Condition, Dacl, Inheritance, SecurityDescriptor, Trustee,
};
use crate::parse::text::{Text, TextEncoding};

/// Longer lines are not icacls': a path has at most 32,767 characters, and none in a key folder comes near this.
const LONGEST_LINE: usize = 4096;

/// Whether a line ends in an entry: a colon, then rights in parentheses.
pub(super) fn has_access_entry(line: &str) -> bool {
    split_entry(line).is_some()
}

/// Reads the whole output.
pub(super) fn read(text: &Text, listing: &mut AclListing) {
    let mut console = Console {
        encoding: text.encoding,
        shows_language: false,
    };
    let mut block: Vec<(usize, &str)> = Vec::new();
    let last = text.characters.lines().count();
    let ended = text.characters.ends_with('\n');
    for (number, line) in numbered(&text.characters) {
        let blank = line.trim().is_empty();
        if blank && number == last && !ended {
            // The indentation of an entry that is cut off.
            break;
        }
        if blank || !line.starts_with(' ') {
            console.finish(&mut block, Ending::Seen, listing);
        }
        if blank {
            continue;
        }
        if !block.is_empty() || (has_access_entry(line) && !line.starts_with(' ')) {
            block.push((number, line));
        } else if !is_summary(line) {
            listing.line_problem(number, line);
        }
    }
    console.finish(&mut block, Ending::NotSeen, listing);
    if !ended && !is_summary(text.characters.lines().last().unwrap_or_default()) {
        listing.problem(ListingProblem::Cut { line: last });
    }
    if console.shows_language {
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

/// Whether the empty line, or the next name, after an object's entries was there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Seen,
    NotSeen,
}

struct Console {
    encoding: TextEncoding,
    shows_language: bool,
}

impl Console {
    fn finish(&mut self, block: &mut Vec<(usize, &str)>, ending: Ending, listing: &mut AclListing) {
        let Some(&(first_number, first)) = block.first() else {
            return;
        };
        let (name, entry) = self.split_name(first, block.get(1).map(|(_, line)| *line));
        let lines = [(first_number, entry)]
            .into_iter()
            .chain(block.iter().skip(1).copied());
        let mut descriptor = lines
            .filter_map(|(number, line)| self.ace(number, line).transpose())
            .collect::<Result<Vec<Ace>, EntryProblem>>()
            .map(|entries| SecurityDescriptor {
                owner: None,
                group: None,
                dacl: Dacl::Entries {
                    inheritance: Inheritance::Open,
                    entries,
                },
            });
        if ending == Ending::NotSeen && descriptor.is_ok() {
            descriptor = Err(EntryProblem::MayBeCut {
                line: block.last().map_or(first_number, |(number, _)| *number),
            });
        }
        listing.entries.push(ListedObject {
            name: Some(name.to_owned()),
            descriptor,
            line: first_number,
        });
        block.clear();
    }

    /// Divides the first line at the column in which the second one begins; a single line where its account is known.
    fn split_name<'a>(&self, first: &'a str, second: Option<&str>) -> (&'a str, &'a str) {
        if let Some(second) = second {
            let column = second
                .chars()
                .take_while(|character| *character == ' ')
                .count();
            let split = first
                .char_indices()
                .nth(column)
                .map(|(position, _)| first.split_at(position));
            if let Some((name, entry)) = split
                && name.ends_with(' ')
                && has_access_entry(entry)
            {
                return (name.trim_end(), entry);
            }
        }
        let first = first.trim();
        let account = split_entry(first).map_or(first, |(account, _)| account);
        let splits = || {
            account
                .match_indices(' ')
                .map(|(position, _)| first.split_at(position))
        };
        let who = |entry: &str| {
            split_entry(entry).map_or(String::new(), |(account, _)| account.trim().to_owned())
        };
        let known = splits().find(|(_, entry)| {
            matches!(resolve(&who(entry), self.encoding).trustee, Trustee::Sid(_))
        });
        let (name, entry) = known
            .or_else(|| splits().find(|(_, entry)| who(entry).matches('\\').count() == 1))
            .or_else(|| splits().next_back())
            .unwrap_or(("", first));
        (name.trim_end(), entry)
    }

    /// An entry; `None` for an integrity label, which icacls prints among them.
    fn ace(&mut self, line_number: usize, line: &str) -> Result<Option<Ace>, EntryProblem> {
        let (account, groups) =
            split_entry(line).ok_or(EntryProblem::Line { line: line_number })?;
        if groups
            .last()
            .is_some_and(|rights| is_integrity_policy(rights))
        {
            return Ok(None);
        }
        let resolved = resolve(account, self.encoding);
        self.shows_language |= resolved.shows_language;
        let (kind, flags, mask) = rights(&groups).ok_or_else(|| EntryProblem::Rights {
            line: line_number,
            rights: groups.join(" "),
        })?;
        Ok(Some(Ace {
            kind,
            condition: Condition::Always,
            flags,
            mask,
            trustee: resolved.trustee,
        }))
    }
}

/// An account, and the groups in parentheses after its last colon.
fn split_entry(line: &str) -> Option<(&str, Vec<&str>)> {
    let line = line.trim();
    if line.len() > LONGEST_LINE {
        return None;
    }
    let (account, groups) = line.rsplit_once(":(")?;
    let groups: Vec<&str> = groups.strip_suffix(')')?.split(")(").collect();
    let letters = |group: &&str| {
        !group.is_empty()
            && group
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b',')
    };
    (!account.trim().is_empty() && groups.iter().all(letters)).then_some((account, groups))
}

/// Inheritance first, then DENY, the rights last (`icacls /?`).
fn rights(groups: &[&str]) -> Option<(AceKind, AceFlags, AccessMask)> {
    let (rights, marks) = groups.split_last()?;
    let mut kind = AceKind::Allow;
    let mut flags = 0;
    for mark in marks {
        match *mark {
            "I" => flags |= AceFlags::INHERITED,
            "OI" => flags |= AceFlags::OBJECT_INHERIT,
            "CI" => flags |= AceFlags::CONTAINER_INHERIT,
            "IO" => flags |= AceFlags::INHERIT_ONLY,
            "NP" => flags |= AceFlags::NO_PROPAGATE,
            "DENY" => kind = AceKind::Deny,
            _ => return None,
        }
    }
    // "No access" is how a denial of everything is printed.
    if *rights == "N" {
        return Some((AceKind::Deny, AceFlags(flags), AccessMask::FILE_ALL_ACCESS));
    }
    let mask = rights
        .split(',')
        .try_fold(AccessMask::NONE, |mask, right| {
            Some(mask.with(right_mask(right)?))
        })?;
    // icacls leaves SYNCHRONIZE out when it denies, since everything would be denied with it.
    let mask = if kind == AceKind::Deny {
        mask.without(AccessMask::SYNCHRONIZE)
    } else {
        mask
    };
    Some((kind, AceFlags(flags), mask))
}

/// No write up, no read up, no execute up: what a label forbids to callers of lower integrity.
fn is_integrity_policy(rights: &str) -> bool {
    rights
        .split(',')
        .all(|policy| matches!(policy, "NW" | "NR" | "NX"))
}

fn right_mask(right: &str) -> Option<AccessMask> {
    Some(AccessMask(match right {
        "F" => 0x1f_01ff,
        "M" => 0x13_01bf,
        "RX" => 0x12_00a9,
        "R" => 0x12_0089,
        "W" => 0x10_0116,
        "D" => 0x11_0000,
        "DE" => 0x1_0000,
        "RC" | "Rc" => 0x2_0000,
        "WDAC" => 0x4_0000,
        "WO" => 0x8_0000,
        "S" => 0x10_0000,
        "AS" => 0x100_0000,
        "MA" => 0x200_0000,
        "GA" => 0x1000_0000,
        "GE" => 0x2000_0000,
        "GW" => 0x4000_0000,
        "GR" => 0x8000_0000,
        "RD" => 0x1,
        "WD" => 0x2,
        "AD" => 0x4,
        "REA" => 0x8,
        "WEA" => 0x10,
        "X" => 0x20,
        "DC" => 0x40,
        "RA" => 0x80,
        "WA" => 0x100,
        _ => return None,
    }))
}

/// The closing line, in any language: how many files were done, and how many failed.
fn is_summary(line: &str) -> bool {
    let numbers = line
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| !digits.is_empty());
    !line.contains(['\\', '/']) && numbers.count() == 2
}
