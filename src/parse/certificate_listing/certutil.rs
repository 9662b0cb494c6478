//! What `certutil -store` and `certutil -verifystore` print, with `-v` or without.
//!
//! Nearly every word is in the language of Windows. What is not: the rule of `=` before each certificate, `(sha1)` in the name of
//! its hash, the names of properties (`CERT_KEY_PROV_INFO_PROP_ID(2)`), ` = ` in the lines about the key, and their order: the two
//! lines in a row that hold a day each are those of its begin and its end. Sources: outputs in English and Spanish in public
//! write-ups, of Windows 7 to 11.

use super::validity::PrintedDay;
use super::{Found, ListedCertificate};
use crate::parse::certificate::Thumbprint;
use crate::parse::key_file::KeyFileName;
use crate::parse::store_blob::KeyProviderInfo;

const HASH_PROPERTY: &str = "CERT_SHA1_HASH_PROP_ID(3)";
const KEY_PROPERTY: &str = "CERT_KEY_PROV_INFO_PROP_ID(2)";
const SHA1: &str = "(sha1):";

/// CRYPT_MACHINE_KEYSET: what the machine's stores name is the machine's.
const MACHINE_KEY: u32 = 0x20;
const PROV_RSA_FULL: u32 = 1;

/// Reads the certificates of an output. What is cut tells what stands before.
pub(super) fn read(text: &str, found: &mut Found) {
    let mut entry: Option<Entry<'_>> = None;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let is_whole = line.ends_with('\n');
        let line = line.trim_end();
        if is_rule(line) {
            take(entry.take(), found);
            entry = Some(Entry::begin(number));
        } else if let Some(entry) = entry.as_mut().filter(|_| is_whole) {
            entry.lines.push((number, line));
        }
    }
    take(entry, found);
}

/// `================ Certificate 0 ================`.
fn is_rule(line: &str) -> bool {
    const RULE: &str = "================";
    let inner = line
        .strip_prefix(RULE)
        .and_then(|rest| rest.strip_suffix(RULE));
    inner.is_some_and(|inner| inner.starts_with(' ') && inner.ends_with(' '))
}

fn take(entry: Option<Entry<'_>>, found: &mut Found) {
    let Some(entry) = entry else { return };
    let Some((line, thumbprint)) = entry.thumbprint() else {
        found.untold(entry.begins);
        return;
    };
    let certificate = ListedCertificate {
        key_provider: entry.key_provider(line),
        ..ListedCertificate::new(line, thumbprint)
    };
    found.take(certificate, entry.validity(line));
}

/// The lines of one certificate.
struct Entry<'t> {
    begins: u64,
    lines: Vec<(u64, &'t str)>,
}

impl<'t> Entry<'t> {
    fn begin(line: u64) -> Self {
        Entry {
            begins: line,
            lines: Vec::new(),
        }
    }

    /// The hash of the certificate. In a long listing others stand before it, of names and of the key, so that the property
    /// counts or, without it, the last.
    fn thumbprint(&self) -> Option<(u64, Thumbprint)> {
        let mut lines = self.lines.iter();
        let property = lines
            .find(|(_, line)| line.trim_start().starts_with(HASH_PROPERTY))
            .and_then(|_| lines.next());
        let told = property.and_then(|(line, digits)| Some((*line, digits.trim().parse().ok()?)));
        let labelled = |(line, text): &(u64, &str)| {
            let (_, digits) = text.split_once(SHA1)?;
            Some((*line, digits.trim().parse().ok()?))
        };
        told.or_else(|| self.lines.iter().rev().find_map(labelled))
    }

    /// The days at which it begins and ends: the first two lines in a row that hold one each, before its hash.
    fn validity(&self, hash: u64) -> (Option<PrintedDay>, Option<PrintedDay>) {
        let day = |(line, text): &(u64, &str)| {
            let (_, value) = text.split_once([':', '：'])?;
            PrintedDay::at_start_of(value).filter(|_| *line < hash)
        };
        let mut pairs = self.lines.array_windows::<2>();
        let told = |[first, second]: &[(u64, &str); 2]| Some((day(first)?, day(second)?));
        match pairs.find_map(told) {
            Some((begins, ends)) => (Some(begins), Some(ends)),
            None => (None, None),
        }
    }

    /// The lines ` = ` below the property or, in a short listing, below the hash: first the container, then what tells its
    /// file, then the provider and, in a long listing, its type, flags and use.
    fn key_provider(&self, hash: u64) -> Option<KeyProviderInfo> {
        let mut lines = self.lines.iter().map(|(line, text)| (*line, text.trim()));
        let is_long = lines
            .clone()
            .any(|(_, text)| text.starts_with(KEY_PROPERTY));
        match is_long {
            true => lines.find(|(_, text)| text.starts_with(KEY_PROPERTY)),
            false => lines.find(|(line, _)| *line == hash),
        }?;
        let block: Vec<&str> = lines
            .map(|(_, text)| text)
            .take_while(|text| !text.is_empty() && !text.contains("_PROP_ID("))
            .collect();
        let mut given = block.iter().filter_map(|text| text.split_once(" = "));
        let (_, container) = given.next()?;
        let (_, provider) = given.next()?;
        let mut numbers = given.filter_map(|(_, value)| number(value));
        let cng = provider.ends_with("Key Storage Provider");
        let provider_type = numbers.next().filter(|_| is_long);
        let flags = numbers.next();
        let key_spec = numbers.next();
        // Of the two names of a container that may stand here, the one that is its file's tells more.
        let file = block
            .iter()
            .filter_map(|text| text.rsplit_once(": "))
            .map(|(_, name)| name.trim())
            .find(|name| name.parse::<KeyFileName>().is_ok());
        Some(KeyProviderInfo {
            container: file.unwrap_or(container).trim().to_owned(),
            provider: provider.trim().to_owned(),
            provider_type: provider_type.unwrap_or(if cng { 0 } else { PROV_RSA_FULL }),
            flags: flags.unwrap_or(MACHINE_KEY),
            key_spec: key_spec.unwrap_or(if cng { 0 } else { 1 }),
        })
    }
}

/// `20 (32)` is 0x20, `1 -- AT_KEYEXCHANGE` is 1: the first word is hexadecimal.
fn number(value: &str) -> Option<u32> {
    let digits = value.split_whitespace().next()?;
    u32::from_str_radix(digits.trim_start_matches("0x"), 16).ok()
}
