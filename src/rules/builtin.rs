//! The rules that come with the program, compiled into it. A test holds this list to the directory.

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("builtin/", $name)))),+] };
}

/// File name and text of every built-in rule, by name.
pub(super) const FILES: &[(&str, &str)] = files![
    "certificate-expired.toml",
    "certificate-not-yet-valid.toml",
    "certificate-renewal-failing.toml",
    "certificate-store-denied.toml",
    "certificate-store-redirected.toml",
    "dependency-disabled.toml",
    "dpapi-master-key-missing.toml",
    "fips-conflict.toml",
    "key-access-denied.toml",
    "key-damaged.toml",
    "key-foreign.toml",
    "key-mismatch.toml",
    "key-missing.toml",
    "key-storage-failing.toml",
    "key-unusable.toml",
    "listener-disabled.toml",
    "listener-missing.toml",
    "listener-values-invalid.toml",
    "machinekeys-permissions.toml",
    "machinekeys-relocated.toml",
    "no-connection-arrived.toml",
    "rdp-disabled.toml",
    "rpc-hosting-broken.toml",
    "security-layer-conflict.toml",
    "sessionenv-disabled.toml",
    "setup-in-progress.toml",
    "termservice-disabled.toml",
    "tls-algorithms-disabled.toml",
    "tls-credential-unavailable.toml",
    "tls-fragments-refused.toml",
    "tls-handshake-failed.toml",
    "tls-local-suite-list-damaged.toml",
    "tls-no-common-group.toml",
    "tls-no-common-suite.toml",
    "tls-no-common-version.toml",
    "tls-server-protocols-disabled.toml",
    "tls-signature-unsupported.toml",
    "tls-suite-policy-unusable.toml",
    "tls13-forced.toml",
];
