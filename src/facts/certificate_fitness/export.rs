//! Certificates that were exported with a private key: whether the key is theirs.

use crate::facts::catalog::certificate::{CertificateExport, ExportedKey};
use crate::facts::fact::FactSet;
use crate::parse::pkcs12::KeyHeld;

use super::{Bearing, is_listeners};

/// Adds `certificate.export` for each.
pub(super) fn add_facts(bearing: &Bearing<'_>, facts: &mut FactSet) {
    for entry in &bearing.stores.entries {
        let key = match entry.exported_key {
            KeyHeld::None => continue,
            KeyHeld::Fits => ExportedKey::Fits,
            KeyHeld::Another => ExportedKey::Another,
            KeyHeld::Locked => ExportedKey::Locked,
            KeyHeld::NotCompared => ExportedKey::NotCompared,
        };
        let body = CertificateExport {
            thumbprint: entry.thumbprint.to_string(),
            listener: is_listeners(entry, bearing.choice),
            key,
        };
        facts.add(None, body, entry.sources.clone());
    }
}
