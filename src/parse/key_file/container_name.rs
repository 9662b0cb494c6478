//! From a key container's name to its file's name, and back for the containers that are known.
//!
//! The name is the MD5 of the lower-case container name with its terminator, printed as four little-endian 32-bit words,
//! then `_` and the machine's MachineGuid (`SOFTWARE\Microsoft\Cryptography`). CryptoAPI hashes bytes, CNG UTF-16LE.
//! Sources: jensign.com/UniqueKeyContainer for CryptoAPI; for CNG, pairs that certutil and mimikatz print.

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

use crate::parse::guid::Guid;
use crate::parse::store_blob::KeyStorage;

/// The first half of a key file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerHash(pub [u32; 4]);

impl ContainerHash {
    /// The hash for a container of this kind of storage. `None` for a CryptoAPI container with letters beyond ASCII:
    /// their bytes depend on the machine's code page.
    pub fn of(container: &str, storage: KeyStorage) -> Option<Self> {
        let digest: [u8; 16] = match storage {
            KeyStorage::Capi if !container.is_ascii() => return None,
            KeyStorage::Capi => {
                Md5::digest([container.to_ascii_lowercase().as_bytes(), &[0]].concat())
            }
            KeyStorage::Cng => {
                let lower = container.to_lowercase();
                let units = lower.encode_utf16().chain([0]);
                Md5::digest(units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
            }
        }
        .into();
        let (words, _) = digest.as_chunks::<4>();
        let mut hash = [0; 4];
        for (slot, word) in hash.iter_mut().zip(words) {
            *slot = u32::from_le_bytes(*word);
        }
        Some(ContainerHash(hash))
    }
}

impl fmt::Display for ContainerHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:08x}"))
    }
}

/// A text that is no key file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key file's name is 32 hexadecimal digits, an underscore and a GUID")]
pub struct NotAKeyFileName;

impl FromStr for ContainerHash {
    type Err = NotAKeyFileName;

    fn from_str(text: &str) -> Result<Self, NotAKeyFileName> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAKeyFileName);
        }
        let mut hash = [0; 4];
        for (index, word) in hash.iter_mut().enumerate() {
            let digits = text.get(index * 8..index * 8 + 8).ok_or(NotAKeyFileName)?;
            *word = u32::from_str_radix(digits, 16).map_err(|_| NotAKeyFileName)?;
        }
        Ok(ContainerHash(hash))
    }
}

/// A key file's name: `f686aace6942fb7f7ceb231212eef4a4_61841625-24c4-495b-9080-eccd903b9e6f`. Read in either case,
/// printed in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFileName {
    /// Which container.
    pub hash: ContainerHash,
    /// The MachineGuid of the machine that made the key.
    pub machine: Guid,
}

impl KeyFileName {
    /// The file that a certificate's container is kept in. A container that already is a file's name, as in four of six
    /// real store entries, is taken literally; otherwise it is hashed. `None` as for [`ContainerHash::of`].
    pub fn expected(container: &str, storage: KeyStorage, machine: Guid) -> Option<Self> {
        container.parse().ok().or_else(|| {
            let hash = ContainerHash::of(container, storage)?;
            Some(KeyFileName { hash, machine })
        })
    }
}

impl fmt::Display for KeyFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.hash, self.machine)
    }
}

impl FromStr for KeyFileName {
    type Err = NotAKeyFileName;

    fn from_str(text: &str) -> Result<Self, NotAKeyFileName> {
        let (hash, machine) = text.split_once('_').ok_or(NotAKeyFileName)?;
        Ok(KeyFileName {
            hash: hash.parse()?,
            machine: machine.parse().map_err(|_| NotAKeyFileName)?,
        })
    }
}

/// A container that many machines have, and whose key others depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownContainer {
    /// The container's name; `None` where only its hash is known.
    pub name: Option<&'static str>,
    /// Who uses it.
    pub owner: &'static str,
}

/// CryptoAPI containers of the machine, by name.
const KNOWN_CAPI: [KnownContainer; 10] = [
    known(
        "TSSecKeySet1",
        "Remote Desktop Services: the listener's self-signed certificate",
    ),
    known(
        "iisConfigurationKey",
        "IIS: encrypted configuration sections",
    ),
    known(
        "iisWasKey",
        "IIS: passwords of application pools (Windows Process Activation Service)",
    ),
    known(
        "iisRsaProviderKeyContainer",
        "IIS: RSA configuration provider",
    ),
    known(
        "NetFrameworkConfigurationKey",
        "ASP.NET: encrypted web.config sections",
    ),
    known("MS IIS DCOM Server", "IIS administration"),
    known("Microsoft Internet Information Server", "IIS metabase"),
    known(
        "WMSvc Certificate Key Container",
        "IIS Web Management Service",
    ),
    known("MS_DPAPI_MACHINEKEY", "DPAPI"),
    known("PVKKeyContainer", "a .pvk key that was imported"),
];

const fn known(name: &'static str, owner: &'static str) -> KnownContainer {
    KnownContainer {
        name: Some(name),
        owner,
    }
}

/// Seen on cluster nodes; published without the container's name (github.com/sntcz/Clear-MachineKeys, issue 1).
const FAILOVER_CLUSTER: ContainerHash =
    ContainerHash([0x4f69_2a7d, 0xc1b8_24e1, 0xf679_f93f, 0xadd0_8a3b]);

/// The known container behind the name of a file in `Crypto\RSA\MachineKeys`.
pub fn known_container(hash: ContainerHash) -> Option<KnownContainer> {
    if hash == FAILOVER_CLUSTER {
        return Some(KnownContainer {
            name: None,
            owner: "Failover Clustering: ClusInfraCert",
        });
    }
    KNOWN_CAPI.into_iter().find(|container| {
        container
            .name
            .is_some_and(|name| ContainerHash::of(name, KeyStorage::Capi) == Some(hash))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(container: &str, storage: KeyStorage) -> String {
        ContainerHash::of(container, storage).unwrap().to_string()
    }

    #[test]
    fn capi_names_are_the_published_ones() {
        for (container, expected) in [
            ("TSSecKeySet1", "f686aace6942fb7f7ceb231212eef4a4"),
            ("iisConfigurationKey", "6de9cb26d2b98c01ec4e9e8b34824aa2"),
            ("iisWasKey", "76944fb33636aeddb9590521c2e8815a"),
            (
                "NetFrameworkConfigurationKey",
                "d6d986f09a1ee04e24c949879fdb506c",
            ),
            ("MS IIS DCOM Server", "7a436fe806e483969f48a894af2fe9a1"),
            (
                "Microsoft Internet Information Server",
                "c2319c42033a5ca7f44e731bfd3fa2b5",
            ),
            (
                "WMSvc Certificate Key Container",
                "bedbf0b4da5f8061b6444baedf4c00b1",
            ),
            ("MS_DPAPI_MACHINEKEY", "21c962ca0afce882dce77d305fede128"),
            ("PVKKeyContainer", "9a62e3a81f082989dcdf21e708cb8eae"),
            (
                "iisRsaProviderKeyContainer",
                "78f4417bfed27d5e5d374a8766f5a5ae",
            ),
            // jensign.com/UniqueKeyContainer
            ("MyCoolContainer", "52ab417621a9d74c73e3e0f1bc374e0a"),
        ] {
            assert_eq!(hash(container, KeyStorage::Capi), expected, "{container}");
            let known = known_container(expected.parse().unwrap());
            assert_eq!(
                known.and_then(|known| known.name),
                Some(container).filter(|name| *name != "MyCoolContainer")
            );
        }
    }

    #[test]
    fn cng_names_are_the_published_ones() {
        for (container, expected) in [
            // dissect.target's tests and mimikatz's output.
            (
                "Microsoft Connected Devices Platform device certificate",
                "de7cf8a7901d2ad13e5c67c29e5d1662",
            ),
            ("Google Chromekey1", "7096db7aeb75c0d3497ecd56d355a695"),
            // certutil's output in Microsoft's guide to Always On VPN.
            (
                "31685cae-af6f-48fb-ac37-845c69b4c097",
                "bf4097e20d4480b8d6ebc139c9360f02",
            ),
            // certutil's output for certificate authorities.
            ("Certificate-LTD-CA", "26b68cbdfcd6f5e467996e3f3810f3ca"),
            ("CVI Issuing CA 1", "b52f658bb3f263e6f529f3a0187c63bc"),
        ] {
            assert_eq!(hash(container, KeyStorage::Cng), expected, "{container}");
        }
    }

    #[test]
    fn the_cluster_key_is_known_by_its_hash_alone() {
        let known = known_container("4f692a7dc1b824e1f679f93fadd08a3b".parse().unwrap()).unwrap();
        assert_eq!(known.name, None);
        assert_eq!(known_container(ContainerHash([1, 2, 3, 4])), None);
    }

    #[test]
    fn a_container_that_is_a_file_name_is_taken_literally() {
        let machine: Guid = "11111111-2222-3333-4444-555555555555".parse().unwrap();
        let literal = "F686AACE6942FB7F7CEB231212EEF4A4_61841625-24C4-495B-9080-ECCD903B9E6F";
        let expected = KeyFileName::expected(literal, KeyStorage::Capi, machine).unwrap();
        assert_eq!(expected.to_string(), literal.to_lowercase());
        let hashed = KeyFileName::expected("TSSecKeySet1", KeyStorage::Capi, machine).unwrap();
        assert_eq!(
            hashed.to_string(),
            "f686aace6942fb7f7ceb231212eef4a4_11111111-2222-3333-4444-555555555555"
        );
    }

    #[test]
    fn a_capi_name_beyond_ascii_is_not_guessed() {
        assert_eq!(ContainerHash::of("Schlüssel", KeyStorage::Capi), None);
        assert!(ContainerHash::of("Schlüssel", KeyStorage::Cng).is_some());
    }

    #[test]
    fn other_file_names_are_not_key_files() {
        for name in [
            "desktop.ini",
            "f686aace6942fb7f7ceb231212eef4a4",
            "f686_61841625-24c4-495b-9080-eccd903b9e6f",
        ] {
            assert_eq!(name.parse::<KeyFileName>(), Err(NotAKeyFileName), "{name}");
        }
    }
}
