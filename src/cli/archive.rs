//! What is asked about archives and disk images: passwords, limits, and which volume is read.

use clap::Args;
use rdptriage::bundle::{Access, LimitName, Password};

/// How archives and disk images are opened.
#[derive(Debug, Clone, Args)]
pub(crate) struct ArchiveArgs {
    /// The password of encrypted archives
    #[arg(
        long,
        value_name = "PASSWORD",
        value_parser = password,
        help_heading = "Archives and disk images"
    )]
    archive_password: Option<Password>,

    /// How much is unpacked at most of each archive: entries=200000, size=64G, memory=4G, ratio=200, depth=3 [repeatable]
    #[arg(
        long,
        value_name = "LIMIT=NUMBER",
        value_parser = limit,
        value_delimiter = ',',
        help_heading = "Archives and disk images"
    )]
    archive_limit: Vec<(LimitName, u64)>,

    /// The volume of a disk image to read, by its number in `rdptriage volumes` [default: the one with Windows on it]
    #[arg(long, value_name = "NUMBER", help_heading = "Archives and disk images")]
    volume: Option<u32>,
}

impl ArchiveArgs {
    pub(crate) fn access(&self) -> Access {
        let mut access = Access {
            password: self.archive_password.clone(),
            volume: self.volume,
            ..Access::default()
        };
        for (name, value) in &self.archive_limit {
            access.limits.set(*name, *value);
        }
        access
    }
}

/// A password as it stands on the command line.
pub(crate) fn password(text: &str) -> Result<Password, std::convert::Infallible> {
    Ok(Password::new(text.to_owned()))
}

/// `size=64G`; sizes in bytes, or with K, M, G or T for powers of 1024.
fn limit(text: &str) -> Result<(LimitName, u64), String> {
    const NAMES: [(&str, LimitName); 5] = [
        ("entries", LimitName::Entries),
        ("size", LimitName::Size),
        ("memory", LimitName::Memory),
        ("ratio", LimitName::Ratio),
        ("depth", LimitName::Depth),
    ];
    let (name, value) = text
        .split_once('=')
        .ok_or("write it as LIMIT=NUMBER, such as size=64G")?;
    let known = NAMES.iter().find(|(known, _)| *known == name);
    let (_, name) = known.ok_or_else(|| {
        format!("no limit is called {name}; they are entries, size, memory, ratio and depth")
    })?;
    let (digits, shift) = match value.strip_suffix(['K', 'M', 'G', 'T']) {
        Some(digits) => {
            let unit = value.chars().next_back().unwrap_or_default();
            let power = "KMGT".find(unit).unwrap_or_default() as u32 + 1;
            (digits, 10 * power)
        }
        None => (value, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .map(|number| (*name, number))
        .ok_or_else(|| format!("{value} is no number; write it like 1000 or 64G"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_their_units() {
        assert_eq!(limit("size=64G"), Ok((LimitName::Size, 64 << 30)));
        assert_eq!(limit("depth=5"), Ok((LimitName::Depth, 5)));
        for wrong in [
            "size",
            "sise=1",
            "size=",
            "size=1X",
            "size=99999999T",
            "size=-1",
        ] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
