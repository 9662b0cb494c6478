//! Access control lists that Windows tools wrote into text files on the machine itself: `icacls /save`, `icacls` on the
//! console, `(Get-Acl).Sddl`, `Get-Acl | Format-List` and the rules that `Get-Acl` expands. A copied file carries its copier's permissions; these carry the
//! machine's.

mod access_rules;
mod account_name;
mod get_acl;
mod icacls_console;
mod icacls_save;

use super::security::{SddlError, SecurityDescriptor};
use super::text::{Text, TextEncoding};

/// So many problems are told one by one; a file of another kind would have one for each line.
const PROBLEMS_TOLD: usize = 100;

/// What stands in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclListing {
    /// Which tool wrote it.
    pub form: ListingForm,
    /// The objects, in their order.
    pub entries: Vec<ListedObject>,
    /// What could not be understood; the first hundred.
    pub problems: Vec<ListingProblem>,
    /// How many problems there are beyond those.
    pub further_problems: usize,
}

/// The tools whose output is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingForm {
    /// `icacls PATH /save FILE [/t]`: names relative to the saved folder's parent, DACLs only, no owner.
    IcaclsSave,
    /// `icacls PATH`: names as they were given, rights in letters, accounts by their names.
    IcaclsConsole,
    /// `(Get-Acl PATH).Sddl`: descriptors without names.
    Sddl,
    /// `Get-Acl PATH | Format-List`: path and descriptor.
    GetAclList,
    /// `Get-Acl PATH | Select-Object -ExpandProperty Access`: rules below the command; the path may end in a star.
    AccessRules,
}

/// One file, folder or key in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its name as the listing has it; `None` for a descriptor without one.
    pub name: Option<String>,
    /// Its descriptor, or why that cannot be read.
    pub descriptor: Result<SecurityDescriptor, EntryProblem>,
    /// The line it begins at, from 1.
    pub line: usize,
}

/// Why one descriptor of a listing cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryProblem {
    /// The text is no SDDL.
    #[error(transparent)]
    Sddl(#[from] SddlError),
    /// The listing ends after the name.
    #[error("the listing ends before the descriptor: it is cut")]
    Missing,
    /// An entry as the console shows it, with rights that are not known.
    #[error("line {line}: the rights \"{rights}\" are not understood")]
    Rights {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        rights: String,
    },
    /// The listing ends where more entries could follow.
    #[error("the listing ends after line {line}, where more entries could follow: it may be cut")]
    MayBeCut {
        /// The last line of the object, from 1.
        line: usize,
    },
    /// The rules of several files stand together.
    #[error("from line {line} on stand the rules of several files, which nothing divides")]
    Several {
        /// The first of them, from 1.
        line: usize,
    },
    /// A line inside the entry that is none.
    #[error("line {line} is no access entry: it may be cut")]
    Line {
        /// The line, from 1.
        line: usize,
    },
}

/// What is wrong with a listing as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingProblem {
    /// Bytes that do not decode.
    #[error("some characters cannot be decoded: the file is cut or was converted wrongly")]
    Encoding,
    /// The text is in a code page that nothing names; account names were tried in several.
    #[error("the text is in a code page that nothing in it names: names beyond ASCII may be wrong")]
    CodePage,
    /// A line that belongs to nothing.
    #[error("line {line} is not understood: {text}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// A descriptor whose name is missing.
    #[error("line {line} has a descriptor, but no name stands before it")]
    NameMissing {
        /// The line, from 1.
        line: usize,
    },
    /// The last line has no end.
    #[error("the listing stops in the middle of line {line}")]
    Cut {
        /// The line, from 1.
        line: usize,
    },
}

impl AclListing {
    /// Reads a listing, whatever tool wrote it; `None` when it looks like the output of none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = Text::decode(bytes);
        let form = form(&text.characters)?;
        let mut listing = AclListing {
            form,
            entries: Vec::new(),
            problems: Vec::new(),
            further_problems: 0,
        };
        if text.damaged {
            listing.problem(ListingProblem::Encoding);
        }
        if text.encoding == TextEncoding::CodePage {
            listing.problem(ListingProblem::CodePage);
        }
        match form {
            ListingForm::IcaclsSave => icacls_save::read(&text.characters, &mut listing),
            ListingForm::IcaclsConsole => icacls_console::read(&text, &mut listing),
            ListingForm::Sddl => get_acl::read_sddl(&text.characters, &mut listing),
            ListingForm::GetAclList => get_acl::read_list(&text.characters, &mut listing),
            ListingForm::AccessRules => access_rules::read(&text, &mut listing),
        }
        Some(listing)
    }

    /// The descriptor of an object by its name, or by the end of its path; Windows does not tell cases apart.
    pub fn find(&self, name: &str) -> Option<&ListedObject> {
        let wanted = name.to_lowercase();
        self.entries.iter().find(|entry| {
            entry.name.as_ref().is_some_and(|name| {
                let name = name.to_lowercase();
                let last = name.rsplit(['\\', '/']).next().unwrap_or_default();
                name == wanted || last == wanted
            })
        })
    }

    fn problem(&mut self, problem: ListingProblem) {
        if self.problems.len() < PROBLEMS_TOLD {
            self.problems.push(problem);
        } else {
            self.further_problems += 1;
        }
    }

    fn line_problem(&mut self, line: usize, text: &str) {
        let text = text.trim().chars().take(60).collect();
        self.problem(ListingProblem::Line { line, text });
    }
}

/// Tells the tool by the first lines that say something.
fn form(text: &str) -> Option<ListingForm> {
    let mut plain = false;
    for line in text.lines().take(200) {
        if get_acl::is_label(line, "Sddl") || get_acl::is_label(line, "Path") {
            return Some(ListingForm::GetAclList);
        }
        if get_acl::is_label(line, access_rules::RIGHTS) {
            return Some(ListingForm::AccessRules);
        }
        if super::security::looks_like_sddl(line) {
            return Some(if plain {
                ListingForm::IcaclsSave
            } else {
                ListingForm::Sddl
            });
        }
        if icacls_console::has_access_entry(line) {
            return Some(ListingForm::IcaclsConsole);
        }
        plain |= !line.trim().is_empty();
    }
    None
}

/// The lines with their numbers, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end_matches('\r')))
}
