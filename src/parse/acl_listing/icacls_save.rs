//! `icacls /save`: a line with a name, a line with its DACL, in UTF-16LE.

use super::{AclListing, EntryProblem, ListedObject, ListingProblem, numbered};
use crate::parse::security::{looks_like_sddl, parse_sddl};

pub(super) fn read(text: &str, listing: &mut AclListing) {
    // icacls ends every line; the end of one that is not ended may be missing, in the middle of an entry or between two.
    let cut_line = (!text.ends_with('\n')).then(|| text.lines().count());
    let mut name: Option<(usize, &str)> = None;
    for (number, line) in numbered(text) {
        if line.trim().is_empty() {
            continue;
        }
        if !looks_like_sddl(line) {
            // A colon cannot stand in a file's name: this line is a name, and the one before it has lost its descriptor.
            missing(listing, name.replace((number, line)));
            continue;
        }
        match name.take() {
            Some((at, name)) => listing.entries.push(ListedObject {
                name: Some(name.to_owned()),
                descriptor: parse_sddl(line)
                    .map_err(EntryProblem::Sddl)
                    .and_then(|descriptor| {
                        if cut_line == Some(number) {
                            return Err(EntryProblem::MayBeCut { line: number });
                        }
                        Ok(descriptor)
                    }),
                line: at,
            }),
            None => listing.problem(ListingProblem::NameMissing { line: number }),
        }
    }
    missing(listing, name);
    if let Some(line) = cut_line {
        listing.problem(ListingProblem::Cut { line });
    }
}

fn missing(listing: &mut AclListing, name: Option<(usize, &str)>) {
    if let Some((line, name)) = name {
        listing.entries.push(ListedObject {
            name: Some(name.to_owned()),
            descriptor: Err(EntryProblem::Missing),
            line,
        });
    }
}
