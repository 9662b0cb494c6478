//! `.reg` files: keys in the order of an export, and whether the file can be trusted to be one.

use std::collections::BTreeSet;

use super::line::{Data, Line, Lines};
use super::{Export, ExportedKey, ExportedValue, MOST_NESTED, NoExport, is_within, parent};
use crate::parse::hive::Value;
use crate::parse::text::Text;

/// Which syntax is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Title {
    /// `Windows Registry Editor Version 5.00`: texts in hexadecimal are UTF-16.
    Wide,
    /// `REGEDIT4`: they are in the code page of the machine.
    CodePage,
}

impl Title {
    pub(super) fn of(line: &str) -> Option<Title> {
        match line.trim_start_matches('\u{feff}').trim() {
            "Windows Registry Editor Version 5.00" => Some(Title::Wide),
            "REGEDIT4" => Some(Title::CodePage),
            _ => None,
        }
    }
}

/// What copying tools write at once: a file that ends at such a place may have been cut there.
const PAGE: usize = 4096;

/// Files written to change a registry hold fewer keys than this; what has more and misses something is damaged there.
const FEW_KEYS: usize = 100;

/// What every Windows since Server 2008 R2 keeps in a key. An export that has the key and lacks it was shortened.
const ALWAYS_THERE: [(&str, Kept); 6] = [
    ("\\control\\terminal server", Kept::Key("WinStations")),
    (
        "\\control\\terminal server\\winstations\\rdp-tcp",
        Kept::Value("PortNumber"),
    ),
    ("\\services\\termservice", Kept::Value("ObjectName")),
    ("\\services\\sessionenv", Kept::Value("ObjectName")),
    (
        "\\control\\securityproviders\\schannel",
        Kept::Key("Protocols"),
    ),
    (
        "\\microsoft\\windows nt\\currentversion",
        Kept::Value("CurrentBuild"),
    ),
];

#[derive(Clone, Copy)]
enum Kept {
    Key(&'static str),
    Value(&'static str),
}

/// Reads every export in a file.
pub(super) fn read(bytes: &[u8], text: &Text) -> Result<Vec<Export>, NoExport> {
    let cut = bytes.len().is_multiple_of(PAGE) || !ends_with_empty_line(&text.characters);
    let mut lines = Lines::of(text);
    let mut exports = Vec::new();
    let mut reading: Option<Reading> = None;
    while let Some((number, line)) = lines.next() {
        match (line, &mut reading) {
            (Line::Title(title), _) => {
                exports.extend(reading.take().map(Reading::finish).transpose()?);
                lines.title(title);
                reading = Some(Reading::new());
            }
            (Line::Empty, None) => {}
            (_, None) => return Err(NoExport::Title),
            (line, Some(reading)) => reading.take(number, line)?,
        }
    }
    let mut last = reading.ok_or(NoExport::Title)?;
    if cut {
        last.lost(
            lines.number(),
            "the file ends here without the empty line that ends an export, or at a whole page: it may have been cut",
        );
    }
    exports.push(last.finish()?);
    Ok(exports)
}

fn ends_with_empty_line(text: &str) -> bool {
    text.ends_with("\r\n\r\n") || text.ends_with("\n\n")
}

/// An export being read.
struct Reading {
    export: Export,
    /// The paths met so far, in lower case.
    met: BTreeSet<String>,
    /// Whether lines before the next key were lost.
    is_lost: bool,
}

impl Reading {
    fn new() -> Self {
        Reading {
            export: Export::new(),
            met: BTreeSet::new(),
            is_lost: false,
        }
    }

    fn take(&mut self, number: u64, line: Line) -> Result<(), NoExport> {
        match line {
            Line::Title(_) | Line::Empty => {}
            Line::Key(path) => self.key(number, path)?,
            Line::Deleted => return Err(NoExport::Deletes(number)),
            // The key that a value belongs to may be among what was lost.
            Line::Value(..) if self.is_lost => {}
            Line::Value(name, data) => match (self.export.keys.last_mut(), data) {
                (Some(key), Data::Whole(kind, bytes)) => key.values.push(ExportedValue {
                    line: number,
                    value: Value { name, kind, bytes },
                }),
                (Some(_), Data::Doubtful(what)) => {
                    self.export.last_key_has_a_hole();
                    self.export.flaw(number, what);
                }
                (None, _) => self.lost(number, "a value that belongs to no key"),
            },
            Line::Unreadable(what) => self.lost(number, what),
        }
        Ok(())
    }

    fn key(&mut self, number: u64, path: String) -> Result<(), NoExport> {
        if path.split('\\').count() > MOST_NESTED {
            self.lost(number, "a key nested deeper than Windows allows");
            return Ok(());
        }
        let folded = path.to_lowercase();
        match &self.export.whole {
            None => self.export.whole = Some(path.clone()),
            Some(root) => {
                let above = parent(&folded).unwrap_or_default().to_owned();
                let known = self.met.contains(&above);
                if !is_within(&folded, &root.to_lowercase())
                    || self.met.contains(&folded)
                    || !(known || self.has_losses())
                {
                    return Err(NoExport::Order(number));
                }
                let mut above = Some(above.as_str());
                while let Some(path) = above.filter(|path| !self.met.contains(*path)) {
                    self.export.holes.insert(path.to_owned());
                    above = parent(path);
                }
            }
        }
        self.is_lost = false;
        self.met.insert(folded);
        self.export.keys.push(ExportedKey {
            path,
            line: number,
            values: Vec::new(),
        });
        Ok(())
    }

    fn has_losses(&self) -> bool {
        self.is_lost || !self.export.flaws.is_empty()
    }

    /// Lines are lost here. What they held belongs to the last key, or to keys below it or below one above it: an export goes
    /// depth first.
    fn lost(&mut self, line: u64, what: &'static str) {
        if !self.is_lost {
            self.export.flaw(line, what);
        }
        self.is_lost = true;
        let last = self.export.keys.last().map(|key| key.path.to_lowercase());
        let mut path = last.as_deref();
        // Where a key has a hole from an earlier loss, so has every key above it.
        while let Some(hole) = path {
            self.export.holes.insert(hole.to_owned());
            path = parent(hole);
        }
    }

    fn finish(mut self) -> Result<Export, NoExport> {
        if self.export.keys.is_empty() {
            return Err(NoExport::Empty);
        }
        for (line, path, lacks) in self.shortened() {
            let is_root = self.export.keys.first().is_some_and(|key| key.line == line);
            if is_root || self.export.keys.len() < FEW_KEYS {
                return Err(NoExport::Shortened { line, lacks });
            }
            self.export.holes.insert(path);
            self.export
                .flaw(line, "a key without what every Windows keeps in it");
        }
        Ok(self.export)
    }

    /// The keys that lack what every Windows keeps in them, and what that is.
    fn shortened(&self) -> Vec<(u64, String, &'static str)> {
        let mut found = Vec::new();
        for key in &self.export.keys {
            let path = key.path.to_lowercase();
            let known = ALWAYS_THERE.iter().find(|(end, _)| path.ends_with(end));
            let Some((_, kept)) = known.filter(|_| !self.export.holes.contains(&path)) else {
                continue;
            };
            let (lacks, is_there) = match *kept {
                Kept::Key(name) => {
                    let below = format!("{path}\\{}", name.to_lowercase());
                    (name, self.met.contains(&below))
                }
                Kept::Value(name) => {
                    let mut names = key.values.iter().map(|value| &value.value.name);
                    (name, names.any(|known| known.eq_ignore_ascii_case(name)))
                }
            };
            if !is_there {
                found.push((key.line, path, lacks));
            }
        }
        found
    }
}
