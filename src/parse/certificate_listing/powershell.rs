//! What PowerShell writes of `Get-ChildItem Cert:\...`: its table, a list of properties (`Format-List`), and the files of values of
//! `Export-Csv`, with whatever between the values. MSRD-Collect's `..._Certificates-My.csv` is such a file, with tabs, and so is the
//! `certificates.tsv` of Microsoft's scripts for WinRM.
//!
//! The names of properties are .NET's and never translated, nor is the path of a store behind `Certificate::`; the heading before
//! it is. Days are written as the machine's language does. A value that was cut to fit a column ends in `...`, and tells nothing.
//! Sources: Microsoft, "about_Certificate_Provider"; MSRD-Collect's scripts, as published; outputs in public write-ups.

use unicode_width::UnicodeWidthChar;

use super::validity::PrintedDay;
use super::{Found, ListedCertificate, ListedNames, ListedStore};
use crate::parse::certificate::Thumbprint;

/// Reads what PowerShell wrote, wherever it begins.
pub(super) fn read(text: &str, found: &mut Found) {
    if !values(text, found) {
        Reader::default().read(text, found);
    }
}

/// The properties of one certificate, by name.
#[derive(Default)]
struct Properties<'t> {
    /// The line of each value, from 1; its name; the value; whether it goes on in further lines.
    all: Vec<Property<'t>>,
}

struct Property<'t> {
    line: u64,
    name: &'t str,
    value: String,
    continued: bool,
}

impl<'t> Properties<'t> {
    fn add(&mut self, line: u64, name: &'t str, value: &str) {
        self.all.push(Property {
            line,
            name,
            value: value.trim().to_owned(),
            continued: false,
        });
    }

    fn find(&self, name: &str) -> Option<&Property<'t>> {
        let mut all = self.all.iter();
        all.find(|property| property.name.eq_ignore_ascii_case(name))
    }

    /// The value of a property that is there whole, in one line.
    fn whole(&self, name: &str) -> Option<&str> {
        let property = self.find(name).filter(|property| !property.continued)?;
        let value = property.value.as_str();
        (!value.is_empty() && !is_cut(value)).then_some(value)
    }

    /// Takes the certificate in, where there is one; `store` is the one that the heading names.
    fn take(self, store: Option<ListedStore>, found: &mut Found) {
        let Some(hash) = self.find(THUMBPRINT).filter(|hash| !hash.value.is_empty()) else {
            return;
        };
        let Some(thumbprint) = thumbprint(&hash.value) else {
            found.untold(hash.line);
            return;
        };
        let names = self.whole("Subject").zip(self.whole("Issuer"));
        let day = |name| self.whole(name).and_then(PrintedDay::at_start_of);
        let certificate = ListedCertificate {
            has_key: self.whole("HasPrivateKey").and_then(truth),
            store: self.store().or(store),
            names: names.map(|(subject, issuer)| ListedNames {
                subject: subject.to_owned(),
                issuer: issuer.to_owned(),
            }),
            ..ListedCertificate::new(hash.line, thumbprint)
        };
        found.take(certificate, (day("NotBefore"), day("NotAfter")));
    }

    /// The store that its own path names or, in the files of Microsoft's scripts, which list the machine's alone, a column.
    fn store(&self) -> Option<ListedStore> {
        let path = self.find("PSParentPath").or_else(|| self.find("PSPath"));
        if let Some(store) = path.and_then(|path| store_in(&path.value)) {
            return Some(store);
        }
        self.find("IssuerThumbprint")?;
        self.whole("Store").map(machine_store)
    }
}

const THUMBPRINT: &str = "Thumbprint";

/// A certificate has about forty properties; what has more is no list of certificates.
const MOST_PROPERTIES: usize = 200;
/// So wide is no window.
const WIDEST_TABLE: usize = 8192;

/// 40 hexadecimal digits, which a narrow window may have spread over lines.
fn thumbprint(value: &str) -> Option<Thumbprint> {
    let is_clean = |letter: char| letter.is_ascii_hexdigit() || letter == ' ';
    let value = value.trim_start_matches('\u{200e}');
    value.chars().all(is_clean).then(|| value.parse().ok())?
}

fn is_cut(value: &str) -> bool {
    value.ends_with("...") || value.ends_with('…')
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

/// The store in a path such as `Microsoft.PowerShell.Security\Certificate::LocalMachine\My`. Blanks are not compared, since lines may
/// break at them.
fn store_in(path: &str) -> Option<ListedStore> {
    let (_, path) = path.split_once("Certificate::")?;
    let path: String = path.split_whitespace().collect();
    let mut parts = path.split('\\');
    let location = parts.next()?;
    let store = parts.next().filter(|store| !store.is_empty())?;
    Some(match location.eq_ignore_ascii_case("LocalMachine") {
        true => machine_store(store),
        false => ListedStore::Other,
    })
}

fn machine_store(name: &str) -> ListedStore {
    let name: String = name.split_whitespace().collect();
    match name.to_ascii_lowercase().as_str() {
        "my" => ListedStore::Personal,
        "remotedesktop" => ListedStore::RemoteDesktop,
        _ => ListedStore::Other,
    }
}

/// Tables and lists, as they follow one another in a text.
#[derive(Default)]
struct Reader<'t> {
    /// The store of the last heading.
    store: Option<ListedStore>,
    properties: Properties<'t>,
    table: Option<Vec<Column<'t>>>,
    before: &'t str,
}

impl<'t> Reader<'t> {
    fn read(mut self, text: &'t str, found: &mut Found) {
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            // Of a line without its end nobody knows what is missing.
            if let Some(line) = line.strip_suffix('\n') {
                self.line(number, line.trim_end(), found);
            }
        }
        self.finish(found);
    }

    fn line(&mut self, number: u64, line: &'t str, found: &mut Found) {
        let before = std::mem::replace(&mut self.before, line);
        if line.is_empty() {
            self.finish(found);
            self.table = None;
        } else if let Some(columns) = columns(before, line) {
            self.properties = Properties::default();
            self.table = Some(columns);
        } else if let Some(table) = &self.table {
            let mut row = Properties::default();
            for column in table {
                if let Some(value) = column.value(line) {
                    row.add(number, column.name, value);
                }
            }
            row.take(self.store, found);
        } else if let Some((name, value)) = property(line) {
            // Two certificates without a line between them.
            if self.properties.find(name).is_some() {
                self.finish(found);
            }
            if self.properties.all.len() < MOST_PROPERTIES {
                self.properties.add(number, name, value);
            }
        } else if !line.starts_with(' ') {
            self.finish(found);
        } else if let Some(last) = self.properties.all.last_mut() {
            last.continued = true;
            // Only what stands for itself without its line breaks is put together.
            last.value.push_str(line.trim());
        } else if let Some(store) = store_in(line) {
            self.store = Some(store);
        }
    }

    fn finish(&mut self, found: &mut Found) {
        std::mem::take(&mut self.properties).take(self.store, found);
    }
}

/// `NotAfter     : 04.05.2027 06:10:00`. A name stands at the beginning of its line.
fn property(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end();
    let is_name = !name.is_empty()
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    (is_name && (value.is_empty() || value.starts_with(' '))).then_some((name, value))
}

/// A column of a table: where its title and the line below begin, and where the next one does.
struct Column<'t> {
    name: &'t str,
    begins: usize,
    ends: usize,
}

/// The columns of a table, by the line of dashes below their titles; none where the two are something else.
fn columns<'t>(titles: &'t str, dashes: &str) -> Option<Vec<Column<'t>>> {
    let is_rule = dashes.len() <= WIDEST_TABLE
        && dashes.contains("---")
        && dashes.bytes().all(|byte| matches!(byte, b'-' | b' '));
    // Titles are in ASCII, so that a byte is a character.
    if !is_rule || !titles.is_ascii() {
        return None;
    }
    let starts = dashes.bytes().enumerate().filter(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|at| dashes.as_bytes().get(at));
        *byte == b'-' && before != Some(&b'-')
    });
    let starts: Vec<usize> = starts.map(|(at, _)| at).take(MOST_PROPERTIES).collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let columns: Vec<Column<'t>> = starts
        .iter()
        .zip(ends)
        .map(|(&begins, ends)| Column {
            name: titles
                .get(begins..ends.min(titles.len()))
                .unwrap_or_default()
                .trim(),
            begins,
            ends,
        })
        .collect();
    let lists = |column: &Column<'_>| column.name.eq_ignore_ascii_case(THUMBPRINT);
    columns.iter().any(lists).then_some(columns)
}

impl Column<'_> {
    /// What stands below it. Letters of East Asia take two places in a console and one in a file.
    fn value<'l>(&self, line: &'l str) -> Option<&'l str> {
        let by_letters = self.cut_out(line, |_| 1);
        let by_places = self.cut_out(line, |letter| letter.width().unwrap_or(0));
        match (by_letters, by_places) {
            (Some(one), Some(other)) if one == other => Some(one),
            // The two differ: only a hash can be told from anything else.
            (one, other) if self.name.eq_ignore_ascii_case(THUMBPRINT) => {
                let mut either = [one, other].into_iter().flatten();
                let hash = either.find(|value| thumbprint(value).is_some());
                hash.or(one).or(other)
            }
            _ => None,
        }
    }

    fn cut_out<'l>(&self, line: &'l str, places: impl Fn(char) -> usize) -> Option<&'l str> {
        let mut place = 0;
        let (mut from, mut to) = (None, line.len());
        let mut before = ' ';
        for (at, letter) in line.char_indices() {
            if place >= self.begins && from.is_none() {
                // What reaches into the column from the one before it does not begin here.
                if before != ' ' && letter != ' ' {
                    return None;
                }
                from = Some(at);
            }
            if place >= self.ends {
                to = at;
                break;
            }
            place += places(letter);
            before = letter;
        }
        line.get(from?..to).map(str::trim)
    }
}

/// Reads a file of values; false where the text is none.
fn values(text: &str, found: &mut Found) -> bool {
    let skipped: usize = text
        .split_inclusive('\n')
        .take_while(|line| line.trim().is_empty() || line.starts_with("#TYPE"))
        .map(str::len)
        .sum();
    let mut line = 1 + newlines(text.get(..skipped).unwrap_or_default());
    let text = text.get(skipped..).unwrap_or_default();
    let titles = text.lines().next().unwrap_or_default();
    let Some(delimiter) = delimiter(titles) else {
        return false;
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let Ok(titles) = reader.headers().cloned() else {
        return false;
    };
    let mut counted = 0;
    for record in reader.records().map_while(Result::ok) {
        let begins = record.position().map(csv::Position::byte);
        let Some(begins) = begins.and_then(|byte| usize::try_from(byte).ok()) else {
            continue;
        };
        // It is said to begin between the two letters that end the line before.
        let rest = text.get(begins..).unwrap_or_default();
        let begins = begins + usize::from(rest.starts_with('\n'));
        line += newlines(text.get(counted..begins).unwrap_or_default());
        counted = begins;
        let mut properties = Properties::default();
        for (name, value) in titles.iter().zip(&record) {
            properties.add(line, name.trim(), value);
        }
        // The last one may be cut: a hash of full length is whole, a day that lost a digit looks like another.
        let is_cut = text.get(begins..).is_none_or(|rest| !rest.contains('\n'));
        if is_cut {
            properties
                .all
                .retain(|property| property.name.eq_ignore_ascii_case(THUMBPRINT));
        }
        properties.take(None, found);
    }
    true
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// What stands between the titles, where one of them is the hash.
fn delimiter(titles: &str) -> Option<u8> {
    let is_hash = |title: &str| {
        title
            .trim()
            .trim_matches('"')
            .eq_ignore_ascii_case(THUMBPRINT)
    };
    [(b'\t', '\t'), (b',', ','), (b';', ';')]
        .into_iter()
        .find(|(_, letter)| titles.contains(*letter) && titles.split(*letter).any(is_hash))
        .map(|(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    const ONE: &str = "37378A1B06DCEF1B4D4753F7D21E4F20B18FBFEC";
    const OTHER: &str = "A50337AB015D5612B7DC4C1E759D201E74CC2A93";

    fn told(text: &str) -> Vec<(String, Option<ListedStore>, Option<bool>, bool)> {
        let listing = read(text.as_bytes());
        let certificates = listing.certificates.iter();
        certificates
            .map(|one| {
                (
                    one.thumbprint.to_string(),
                    one.store,
                    one.has_key,
                    one.ends.is_some(),
                )
            })
            .collect()
    }

    #[test]
    fn the_default_table_tells_hashes_and_the_store_in_any_language() {
        for heading in [
            "   PSParentPath: Microsoft.PowerShell.Security\\Certificate::LocalMachine\\Remote Desktop",
            "    Verzeichnis: Microsoft.PowerShell.Security\\Certificate::localmachine\\remote desktop",
            "    ディレクトリ: Microsoft.PowerShell.Security\\Certificate::LocalMachine\\Remote Desktop",
        ] {
            let table = format!(
                "\r\n\r\n{heading}\r\n\r\nThumbprint                                Subject\r\n----------                                -------\r\n{ONE}  CN=TS1.contoso.com, OU=Zweigstelle Süd, O=Con...\r\n{OTHER}  CN=東京\r\n\r\n\r\n"
            );
            let store = Some(ListedStore::RemoteDesktop);
            assert_eq!(
                told(&table),
                [
                    (ONE.to_owned(), store, None, false),
                    (OTHER.to_owned(), store, None, false)
                ]
            );
        }
    }

    #[test]
    fn a_hash_that_was_cut_is_named_by_its_line_and_not_guessed() {
        let table = format!(
            "Subject              Thumbprint           NotAfter\r\n-------              ----------           --------\r\nCN=東京支店          37378A1B06DCEF1B4... 04.05.2027 06:10:00\r\nCN=TS1               {} 04.05.2027\r\n",
            &ONE[..20]
        );
        let listing = read(table.as_bytes());
        assert_eq!(
            (listing.certificates.len(), listing.untold),
            (0, vec![3, 4])
        );
    }

    #[test]
    fn columns_hold_in_files_and_on_screens_that_give_some_letters_two_places() {
        for subject in ["CN=東京       ", "CN=東京     "] {
            let table = format!(
                "Subject      Thumbprint                               HasPrivateKey\n-------      ----------                               -------------\n{subject} {ONE}         True\nCN=TS1       {OTHER}         True\n"
            );
            let told = told(&table);
            assert_eq!(told[0].0, ONE, "{subject}");
            assert_eq!((told[1].0.as_str(), told[1].2), (OTHER, Some(true)));
        }
    }

    #[test]
    fn a_list_of_properties_tells_all() {
        let list = format!(
            "\r\n\r\nPSPath                   : Microsoft.PowerShell.Security\\Certificate::LocalMachine\\Remot\r\n                           e Desktop\\{ONE}\r\nPSParentPath             : Microsoft.PowerShell.Security\\Certificate::LocalMachine\\Remot\r\n                           e Desktop\r\nPSIsContainer            : False\r\nEnhancedKeyUsageList     : {{Serverauthentifizierung (1.3.6.1.5.5.7.3.1)}}\r\nExtensions               : {{System.Security.Cryptography.Oid, \r\n                           System.Security.Cryptography.Oid}}\r\nNotAfter                 : 04.05.2027 06:10:00\r\nNotBefore                : 02.11.2026 06:10:00\r\nHasPrivateKey            : False\r\nThumbprint               : {ONE}\r\nIssuer                   : CN=TS1\r\nSubject                  : CN=TS1\r\n\r\nSubject      : CN=TS2\r\nIssuer       : CN=CA\r\nThumbprint   : {OTHER}\r\nNotAfter     : 05.04.2027 06:10:00\r\nSubject      : CN=TS3\r\nThumbprint   : 3737\r\n"
        );
        let listing = read(list.as_bytes());
        let [first, second] = listing.certificates.as_slice() else {
            panic!("{listing:?}");
        };
        assert_eq!(first.store, Some(ListedStore::RemoteDesktop));
        assert_eq!((first.has_key, second.has_key), (Some(false), None));
        assert_eq!(
            first.ends.unwrap().earliest.to_string(),
            "2027-05-03T09:00:00Z"
        );
        assert_eq!(first.names.as_ref().unwrap().subject, "CN=TS1");
        assert_eq!(second.names.as_ref().unwrap().issuer, "CN=CA");
        assert_eq!(listing.untold, [23]);
    }

    #[test]
    fn files_of_values_are_read_with_whatever_stands_between() {
        // As MSRD-Collect writes it.
        let tabs = format!(
            "\"Store\"\t\"Thumbprint\"\t\"Subject\"\t\"Issuer\"\t\"NotAfter\"\t\"IssuerThumbprint\"\t\"EnhancedKeyUsage\"\t\"SerialNumber\"\t\"SubjectKeyIdentifier\"\t\"AuthorityKeyIdentifier\"\r\n\"My\"\t\"{}\"\t\"CN=TS1, O=\"\"Contoso\"\"\"\t\"CN=CA\"\t\"5/14/2027 6:10:00 AM\"\t\t\"Server Authentication\"\t\"1f\"\t\"\"\t\"\"\r\n",
            ONE.to_lowercase()
        );
        let personal = Some(ListedStore::Personal);
        assert_eq!(told(&tabs), [(ONE.to_owned(), personal, None, true)]);
        let french = format!(
            "#TYPE Selected.System.Security.Cryptography.X509Certificates.X509Certificate2\r\n\"Thumbprint\";\"NotAfter\";\"HasPrivateKey\"\r\n\"{ONE}\";\"14/05/2027 06:10:00\";\"True\"\r\n\"{OTHER}\";\"15/0"
        );
        assert_eq!(
            told(&french),
            [
                (ONE.to_owned(), None, Some(true), true),
                (OTHER.to_owned(), None, None, false)
            ]
        );
        let lines: Vec<u64> = read(french.as_bytes())
            .certificates
            .iter()
            .map(|one| one.line)
            .collect();
        assert_eq!(lines, [3, 4]);
    }

    #[test]
    fn wherever_a_list_is_cut_nothing_wrong_is_told() {
        let list = format!(
            "Thumbprint    : {ONE}\r\nNotBefore     : 17/11/2026 06:10:00\r\nNotAfter      : 19/05/2027 06:10:00\r\nHasPrivateKey : True\r\n\r\nThumbprint    : {OTHER}\r\nNotAfter      : 12/12/2027 06:10:00\r\n"
        );
        let values = format!(
            "Thumbprint,NotAfter,HasPrivateKey\n{ONE},19/05/2027 06:10:00,True\n{OTHER},12/12/2027 06:10:00,False\n"
        );
        for whole in [list, values] {
            let all = read(whole.as_bytes()).certificates;
            assert_eq!(all.len(), 2);
            for end in 0..whole.len() {
                for cut in read(&whole.as_bytes()[..end]).certificates {
                    let full = all.iter().find(|full| full.thumbprint == cut.thumbprint);
                    let full = full.expect("no other hash");
                    assert!(cut.has_key.is_none() || cut.has_key == full.has_key);
                    // A listing that lost the day which settles the order leaves more open, never other days.
                    let holds =
                        |cut: Option<super::super::Between>,
                         full: Option<super::super::Between>| {
                            cut.is_none_or(|cut| {
                                full.is_some_and(|full| {
                                    cut.earliest <= full.earliest && full.latest <= cut.latest
                                })
                            })
                        };
                    assert!(holds(cut.ends, full.ends), "{end}");
                }
            }
        }
    }

    /// Sizes that no list has end soon, whatever they repeat.
    #[test]
    fn nothing_takes_longer_than_its_size() {
        let properties: String = (0..200_000).map(|one| format!("P{one} : x\n")).collect();
        assert!(told(&properties).is_empty());
        let dashes = "--- ".repeat(100_000);
        let titles = "Thumbprint ".repeat(40_000);
        assert!(told(&format!("{titles}\n{dashes}\n{titles}\n")).is_empty());
        let many: String = (0..60_000)
            .map(|one| format!("Thumbprint : {one:040X}\n\n"))
            .collect();
        let listing = read(many.as_bytes());
        assert_eq!(
            (listing.certificates.len(), listing.further),
            (50_000, 10_000)
        );
    }

    #[test]
    fn other_texts_hold_no_certificates() {
        for text in [
            "Name : x\r\nValue : y\r\n",
            "the Thumbprint of the certificate: see above\r\n",
            "Name,Value\r\nThumbprint,37378A1B06DCEF1B4D4753F7D21E4F20B18FBFEC\r\n",
            "Thumbprint\r\n----------\r\n",
        ] {
            assert!(told(text).is_empty(), "{text}");
        }
    }
}
