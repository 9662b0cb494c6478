//! Protocol versions and the two roles that Schannel keeps settings for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of SSL or TLS, oldest first. Displayed and serialised as Schannel names its registry key: `TLS 1.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    /// SSL 2.0, gone since build 14393.
    #[serde(rename = "SSL 2.0")]
    Ssl2,
    /// SSL 3.0, off since build 14393.
    #[serde(rename = "SSL 3.0")]
    Ssl3,
    /// TLS 1.0.
    #[serde(rename = "TLS 1.0")]
    Tls10,
    /// TLS 1.1.
    #[serde(rename = "TLS 1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLS 1.2")]
    Tls12,
    /// TLS 1.3, from builds 20348 and 22000.
    #[serde(rename = "TLS 1.3")]
    Tls13,
}

impl Version {
    /// The versions that Remote Desktop may use, highest first: \[MS-RDPBCGR\] 5.4.5 lists TLS 1.0 to 1.3 and no SSL.
    pub const REMOTE_DESKTOP: [Version; 4] = [
        Version::Tls13,
        Version::Tls12,
        Version::Tls11,
        Version::Tls10,
    ];

    /// Every version, oldest first.
    pub const ALL: [Version; 6] = [
        Version::Ssl2,
        Version::Ssl3,
        Version::Tls10,
        Version::Tls11,
        Version::Tls12,
        Version::Tls13,
    ];

    /// The name of its key under `SCHANNEL\Protocols`.
    pub fn name(self) -> &'static str {
        match self {
            Version::Ssl2 => "SSL 2.0",
            Version::Ssl3 => "SSL 3.0",
            Version::Tls10 => "TLS 1.0",
            Version::Tls11 => "TLS 1.1",
            Version::Tls12 => "TLS 1.2",
            Version::Tls13 => "TLS 1.3",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no version that Schannel has a key for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SSL or TLS version; Schannel's keys are named SSL 2.0 to TLS 1.3")]
pub struct UnknownVersion(String);

impl FromStr for Version {
    type Err = UnknownVersion;

    /// Reads a registry key name; key names have no case.
    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        Version::ALL
            .into_iter()
            .find(|version| version.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

/// The side of a connection; Schannel keeps protocol settings for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Accepts connections: the Remote Desktop host.
    Server,
    /// Makes them.
    Client,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Server => "Server",
            Role::Client => "Client",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_whatever_their_case() {
        for version in Version::ALL {
            assert_eq!(version.to_string().to_lowercase().parse(), Ok(version));
        }
        assert!("PCT 1.0".parse::<Version>().is_err());
        assert!("TLS1.2".parse::<Version>().is_err());
    }
}
