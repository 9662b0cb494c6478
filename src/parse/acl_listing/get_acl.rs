//! PowerShell's `Get-Acl`: bare SDDL, or a list of properties in which `Path` and `Sddl` are enough. The labels are names of
//! properties and the same in every language.

use super::{AclListing, EntryProblem, ListedObject, numbered};
use crate::parse::security::{looks_like_sddl, parse_sddl};

/// `(Get-Acl PATH).Sddl`: one descriptor a line, nothing else.
pub(super) fn read_sddl(text: &str, listing: &mut AclListing) {
    let without_end = listing_end(text).filter(|_| !text.ends_with('\n'));
    for (number, line) in numbered(text) {
        if looks_like_sddl(line) {
            let may_be_cut = Some(number) == without_end;
            listing.entries.push(ListedObject {
                name: None,
                descriptor: match may_be_cut {
                    true => Err(EntryProblem::MayBeCut { line: number }),
                    false => parse_sddl(line.trim()).map_err(EntryProblem::Sddl),
                },
                line: number,
            });
        } else if !line.trim().is_empty() {
            listing.line_problem(number, line);
        }
    }
}

/// `Get-Acl PATH | Format-List`. Long values are wrapped to the width of the console and indented.
pub(super) fn read_list(text: &str, listing: &mut AclListing) {
    let mut object = Object::default();
    let mut label = Label::Other;
    for (number, line) in numbered(text) {
        let value = if let Some((found, value)) = labelled(line) {
            // A new object begins with its path; without one, with a second descriptor.
            let begins = match found {
                Label::Path => object.path.is_some() || object.sddl.is_some(),
                Label::Sddl => object.sddl.is_some(),
                Label::Other => false,
            };
            if begins {
                std::mem::take(&mut object).finish(listing);
            }
            label = found;
            object.line = if object.line == 0 {
                number
            } else {
                object.line
            };
            value
        } else if line.starts_with(' ') {
            line.trim()
        } else {
            if !line.trim().is_empty() {
                listing.line_problem(number, line);
            }
            label = Label::Other;
            continue;
        };
        match label {
            Label::Path => object.path.get_or_insert_default().push_str(value),
            Label::Sddl => object.sddl.get_or_insert_default().push_str(value),
            Label::Other => {}
        }
    }
    // An empty line follows each object: without it, entries of a descriptor that goes on in further lines may be missing.
    if let (Label::Sddl, Some(cut)) = (label, listing_end(text)) {
        object.cut = Some(cut);
    }
    object.finish(listing);
}

/// The last line of a text, from 1.
fn listing_end(text: &str) -> Option<usize> {
    numbered(text).last().map(|(number, _)| number)
}

/// Whether a line carries this label.
pub(super) fn is_label(line: &str, label: &str) -> bool {
    line.split_once(" :")
        .is_some_and(|(found, _)| found.trim() == label)
}

#[derive(Clone, Copy)]
enum Label {
    Path,
    Sddl,
    Other,
}

fn labelled(line: &str) -> Option<(Label, &str)> {
    let (label, value) = line.split_once(" :")?;
    let label = label.trim_end();
    if label.is_empty() || !label.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let label = match label {
        "Path" => Label::Path,
        "Sddl" => Label::Sddl,
        _ => Label::Other,
    };
    Some((label, value.trim()))
}

#[derive(Default)]
struct Object {
    path: Option<String>,
    sddl: Option<String>,
    line: usize,
    /// The line after which more of it may be missing.
    cut: Option<usize>,
}

impl Object {
    fn finish(self, listing: &mut AclListing) {
        if self.path.is_none() && self.sddl.is_none() {
            return;
        }
        let descriptor = match (&self.sddl, self.cut) {
            (Some(_), Some(line)) => Err(EntryProblem::MayBeCut { line }),
            (Some(sddl), None) => parse_sddl(sddl).map_err(EntryProblem::Sddl),
            (None, _) => Err(EntryProblem::Missing),
        };
        // "Microsoft.PowerShell.Core\FileSystem::C:\ProgramData\..."
        let name = self.path.map(|path| match path.split_once("::") {
            Some((_, path)) => path.to_owned(),
            None => path,
        });
        listing.entries.push(ListedObject {
            name,
            descriptor,
            line: self.line,
        });
    }
}
