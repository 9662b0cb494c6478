//! What `dir` and PowerShell's `Get-ChildItem` print of a folder. They need the right to list the folder, not to open what lies
//! in it: a file that denies its reader everything stands in them like any other.
//!
//! ```text
//!  Directory of C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys
//!
//! 11/17/2026  09:45 AM             2,225 f686aace6942fb7f7ceb231212eef4a4_61841625-24c4-495b-9080-eccd903b9e6f
//!                1 File(s)          2,225 bytes
//! ```
//!
//! Words and dates are in the system's language; the folder's path ends its line in all of them, and so does a name.

use jiff::civil::DateTime;

use super::text::Text;

mod date;

use date::{Order, date_in};

/// A folder in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFolder {
    /// Its path, from the drive on.
    pub path: String,
    /// The line that names it, from 1.
    pub line: usize,
    /// The last word of each line below it, until the next folder.
    pub names: Vec<ListedName>,
    /// Whether the listing goes on after the last name (with a sum, or another folder): it was not cut there.
    pub ended: bool,
}

/// A line of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedName {
    /// Its last word.
    pub name: String,
    /// The number before it: in `dir`'s listing of files their size. Separators of thousands are left out.
    pub size: Option<u64>,
    /// When it was last written, by the clock on the machine's wall; none where the line has no date, or one that can be read in two
    /// ways.
    pub written: Option<DateTime>,
    /// The line, from 1.
    pub line: usize,
}

/// Reads a listing; the folders in it, in its order. None when it names no folder.
pub fn read(bytes: &[u8]) -> Vec<ListedFolder> {
    let text = Text::decode(bytes);
    let order = Order::of(&text.characters);
    let mut folders: Vec<ListedFolder> = Vec::new();
    for (index, line) in text.characters.lines().enumerate() {
        let line = line.trim_end();
        if let Some(path) = folder_path(line) {
            if let Some(last) = folders.last_mut() {
                last.ended = true;
            }
            folders.push(ListedFolder {
                path: path.to_owned(),
                line: index + 1,
                names: Vec::new(),
                ended: false,
            });
            continue;
        }
        let Some(folder) = folders.last_mut() else {
            continue;
        };
        let (before, name) = line.rsplit_once(char::is_whitespace).unwrap_or(("", line));
        if line.is_empty() {
            continue;
        }
        // A line whose last word is no name of a file or folder sums up: nothing was cut before it.
        folder.ended = !name.contains('_') && !name.contains('-') && !name.starts_with('.');
        folder.names.push(ListedName {
            name: name.to_owned(),
            size: size(before),
            written: order.and_then(|order| date_in(before, order)),
            line: index + 1,
        });
    }
    folders
}

/// The path that ends a line: a drive's letter, a colon and a backslash, and no other colon after.
fn folder_path(line: &str) -> Option<&str> {
    let colon = line.rfind(":\\")?;
    let start = colon.checked_sub(1)?;
    let path = line.get(start..)?;
    path.starts_with(|letter: char| letter.is_ascii_alphabetic())
        .then_some(path.trim_end_matches('\\'))
}

/// The last number before a name and, in `dir /q`, its owner; behind the time, which has a colon or its half of the day. With
/// separators of thousands: a comma, a dot, a space that does not break, an apostrophe.
fn size(before: &str) -> Option<u64> {
    before
        .trim_end()
        .rsplit([' ', '\t'])
        .take_while(|word| !word.contains(':') && !matches!(*word, "AM" | "PM"))
        .find_map(number)
}

fn number(word: &str) -> Option<u64> {
    let digits: String = word
        .chars()
        .filter(|character| {
            !matches!(
                character,
                ',' | '.' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}'
            )
        })
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "f686aace6942fb7f7ceb231212eef4a4_61841625-24c4-495b-9080-eccd903b9e6f";

    #[test]
    fn dir_and_get_child_item_are_read_in_any_language() {
        let folder = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys";
        for text in [
            format!(
                " Volume in drive C has no label.\r\n\r\n Directory of {folder}\r\n\r\n11/17/2026  09:45 AM    <DIR>          .\r\n11/17/2026  09:45 AM             2,225 {KEY}\r\n               1 File(s)          2,225 bytes\r\n"
            ),
            format!(
                " Verzeichnis von {folder}\r\n\r\n17.11.2026  09:45             2.225 {KEY}\r\n               1 Datei(en),          2.225 Bytes\r\n"
            ),
            format!(
                " Répertoire de {folder}\r\n\r\n17/11/2026  09:45             2\u{a0}225 {KEY}\r\n               1 fichier(s)            2\u{a0}225 octets\r\n"
            ),
            format!(
                " Directory of {folder}\r\n\r\n11/17/2026  09:45 AM    <DIR>          BUILTIN\\Administrators .\r\n11/17/2026  09:45 AM             2,225 NT AUTHORITY\\SYSTEM    {KEY}\r\n               1 File(s)          2,225 bytes\r\n"
            ),
            format!(
                "\r\n    Directory: {folder}\r\n\r\nMode  LastWriteTime  Length Name\r\n----  -------------  ------ ----\r\n-a-hs- 17.11.2026 09:45 2225 {KEY}\r\n"
            ),
        ] {
            let found = read(text.as_bytes());
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].path, folder);
            let key = found[0].names.iter().find(|name| name.name == KEY);
            assert_eq!(key.and_then(|key| key.size), Some(2225), "{text}");
        }
    }

    #[test]
    fn a_listing_that_is_cut_says_so() {
        let whole = format!(" Directory of C:\\x\r\n\r\n1 2 3 {KEY}\r\n   1 File(s)  3 bytes\r\n");
        assert!(read(whole.as_bytes())[0].ended);
        let cut = format!(" Directory of C:\\x\r\n\r\n1 2 3 {KEY}\r\n1 2 3 f686aace_");
        assert!(!read(cut.as_bytes())[0].ended);
        assert_eq!(read(b"nothing"), []);
    }
}
