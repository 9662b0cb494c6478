//! What a machine has on its disk of keys, and what `icacls` and `dir` say of it.

use rdptriage::parse::key_file::KeyFileName;
use rdptriage::parse::store_blob::KeyStorage;

use super::super::certificate::{ForgedCertificate, StoreEntry, TestKey};
use super::{LISTENER, Machine, registry};
use jiff::Timestamp;

/// The MachineGuid of every forged machine.
pub const MACHINE_GUID: &str = "7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55";
/// Another machine's.
pub const OTHER_GUID: &str = "0d1f6a3e-90b2-4c57-8e11-a5b4c3d2e1f0";
/// The folder of the machine's CryptoAPI keys, on a disk.
pub const MACHINE_KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The folder of the machine's CNG keys, on a disk.
pub const CNG_KEYS: &str = "ProgramData/Microsoft/Crypto/Keys";
/// The container of the listener's own key.
pub const LISTENER_CONTAINER: &str = "TSSecKeySet1";
/// As measured on untouched machines, build 17763 and later.
pub const HEALTHY_KEY: &str = "D:PAI(A;;FA;;;SY)(A;;0x120089;;;NS)(A;;FA;;;S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833)";
/// The folder, as measured.
pub const HEALTHY_FOLDER: &str = "D:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";

/// The name of a container's file.
pub fn key_file_name(container: &str, storage: KeyStorage, machine: &str) -> String {
    let machine = machine.parse().expect("a GUID");
    KeyFileName::expected(container, storage, machine)
        .expect("a container whose file has a name")
        .to_string()
}

/// The name of the listener's own key file.
pub fn listener_key() -> String {
    key_file_name(LISTENER_CONTAINER, KeyStorage::Capi, MACHINE_GUID)
}

/// What `icacls FOLDER\* /save` writes: names and SDDL in UTF-16LE.
pub fn saved(entries: &[(&str, &str)]) -> Vec<u8> {
    let text: String = entries
        .iter()
        .map(|(name, descriptor)| format!("{name}\r\n{descriptor}\r\n"))
        .collect();
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Machine {
    /// A pinned certificate of the store MY whose key CNG keeps, and the pin.
    pub fn pinned_cng_certificate(&mut self, made: Timestamp, container: &str) -> &mut Self {
        let certificate = ForgedCertificate {
            key: TestKey::Rsa2048,
            ..ForgedCertificate::listener(&self.full_name(), made)
        };
        let der = certificate.der();
        let thumbprint = registry::sha1(&der);
        let store = r"Microsoft\SystemCertificates\MY\Certificates";
        let entry = format!(r"{store}\{}", registry::hex(&thumbprint));
        self.software
            .set_binary(&entry, "Blob", &StoreEntry::cng(der, container).blob())
            .touch(&entry, made);
        self.system
            .set_binary(LISTENER, "SSLCertificateSHA1Hash", &thumbprint)
            .touch(LISTENER, made);
        self.certificate = Some(certificate);
        self
    }

    /// Puts a certificate into the store MY; `entry` makes its store entry. Returns its thumbprint.
    pub fn personal_certificate(
        &mut self,
        certificate: &ForgedCertificate,
        entry: impl FnOnce(Vec<u8>) -> StoreEntry,
        made: Timestamp,
    ) -> [u8; 20] {
        let der = certificate.der();
        let thumbprint = registry::sha1(&der);
        let store = r"Microsoft\SystemCertificates\MY\Certificates";
        let key = format!(r"{store}\{}", registry::hex(&thumbprint));
        self.software
            .set_binary(&key, "Blob", &entry(der).blob())
            .touch(&key, made);
        thumbprint
    }

    /// Somebody pins a certificate to the listener.
    pub fn pins(&mut self, thumbprint: &[u8], time: Timestamp) -> &mut Self {
        self.system
            .set_binary(LISTENER, "SSLCertificateSHA1Hash", thumbprint)
            .touch(LISTENER, time);
        self
    }
}
