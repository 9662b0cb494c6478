//! The registry of a machine that nobody has touched: what Windows' own setup and first start write.

use jiff::Timestamp;
use rdptriage::tls::Generation;
use sha1::{Digest, Sha1};

use super::{CONTROL_SET, LISTENER, Machine};

const TERMINAL_SERVER: &str = r"ControlSet001\Control\Terminal Server";
const WIN_STATIONS: &str = r"ControlSet001\Control\Terminal Server\WinStations";

/// Services that matter to Remote Desktop, with their start types.
const SERVICES: &[(&str, u32, &str)] = &[
    ("TermService", 3, r"NT Authority\NetworkService"),
    ("SessionEnv", 3, "localSystem"),
    ("UmRdpService", 3, "localSystem"),
    ("CertPropSvc", 3, "LocalSystem"),
    ("KeyIso", 3, "LocalSystem"),
    ("CryptSvc", 2, r"NT Authority\NetworkService"),
    ("LanmanWorkstation", 2, r"NT AUTHORITY\NetworkService"),
    ("RpcSs", 2, r"NT AUTHORITY\NetworkService"),
    ("RpcEptMapper", 2, r"NT AUTHORITY\NetworkService"),
    ("DcomLaunch", 2, "LocalSystem"),
    ("LSM", 2, "LocalSystem"),
    ("nsi", 2, r"NT Authority\LocalService"),
    ("Dhcp", 2, r"NT Authority\LocalService"),
    ("BFE", 2, r"NT AUTHORITY\LocalService"),
    ("MpsSvc", 2, r"NT Authority\LocalService"),
];

/// SHA-1 of some bytes.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

/// Upper-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Fills both hives.
pub fn fill(machine: &mut Machine) {
    let (name, build, product) = (
        machine.name,
        machine.windows.build(),
        machine.windows.product(),
    );
    let generation = Generation::by_id(machine.windows.table_id()).expect("a row of the table");
    let listed: Vec<&str> = generation
        .default_suites
        .iter()
        .map(String::as_str)
        .collect();
    let optional = generation.optional_suites.iter().map(String::as_str);
    let registered: Vec<&str> = listed.iter().copied().chain(optional).collect();
    let system = &mut machine.system;
    for value in ["Current", "Default"] {
        system.set_dword("Select", value, 1);
    }
    system
        .set_dword("Select", "Failed", 0)
        .set_dword("Select", "LastKnownGood", 1);
    system
        .set_dword("Setup", "SystemSetupInProgress", 0)
        .set_dword("Setup", "OOBEInProgress", 0);
    let control = |path: &str| format!(r"{CONTROL_SET}\Control\{path}");
    system.set_sz(&control(r"ComputerName\ComputerName"), "ComputerName", name);
    system.set_sz(&control("ProductOptions"), "ProductType", "ServerNT");
    system
        .set_dword(&control("TimeZoneInformation"), "Bias", 0xFFFF_FFC4)
        .set_dword(
            &control("TimeZoneInformation"),
            "ActiveTimeBias",
            0xFFFF_FFC4,
        )
        .set_sz(
            &control("TimeZoneInformation"),
            "TimeZoneKeyName",
            "W. Europe Standard Time",
        );
    system.set_sz(
        &format!(r"{CONTROL_SET}\Services\Tcpip\Parameters"),
        "NV Domain",
        "contoso.example",
    );
    system
        .set_dword(TERMINAL_SERVER, "fDenyTSConnections", 0)
        .set_dword(TERMINAL_SERVER, "TSEnabled", 1)
        .set_dword(TERMINAL_SERVER, "TSUserEnabled", 0)
        .set_dword(TERMINAL_SERVER, "fSingleSessionPerUser", 1)
        .set_multi_sz(
            TERMINAL_SERVER,
            "RCDependentServices",
            &["CertPropSvc", "SessionEnv"],
        );
    system.set_sz(WIN_STATIONS, "SelfSignedCertStore", "Remote Desktop");
    for (value, number) in [
        ("SecurityLayer", 2),
        ("UserAuthentication", 1),
        ("MinEncryptionLevel", 2),
        ("fAllowSecProtocolNegotiation", 1),
        ("fEnableWinStation", 1),
        ("fLogonDisabled", 0),
        ("LanAdapter", 0),
        ("MaxInstanceCount", 0xFFFF_FFFF),
        ("PortNumber", 3389),
    ] {
        system.set_dword(LISTENER, value, number);
    }
    system.set_sz(
        LISTENER,
        "LoadableProtocol_Object",
        "{5828227c-20cf-4408-b73f-73ab70b8849f}",
    );
    for (service, start, account) in SERVICES {
        let key = format!(r"{CONTROL_SET}\Services\{service}");
        system
            .set_dword(&key, "Start", *start)
            .set_dword(&key, "Type", 32);
        system.set_sz(&key, "ObjectName", account);
    }
    let schannel = control(r"SecurityProviders\SCHANNEL");
    system.set_dword(&schannel, "EventLogging", 1);
    for empty in [
        "Ciphers",
        "CipherSuites",
        "Hashes",
        "KeyExchangeAlgorithms",
        "Protocols",
    ] {
        system.at(&format!(r"{schannel}\{empty}"));
    }
    system.set_dword(&control(r"Lsa\FipsAlgorithmPolicy"), "Enabled", 0);
    system.set_sz(
        &control(r"Cryptography\Providers\Microsoft SSL Protocol Provider\UM"),
        "Image",
        "ncryptsslp.dll",
    );
    system.set_multi_sz(
        &control(r"Cryptography\Providers\Microsoft SSL Protocol Provider\UM\00010002"),
        "Functions",
        &registered,
    );
    let local = control(r"Cryptography\Configuration\Local\SSL\00010002");
    system.set_multi_sz(&local, "Functions", &listed);
    if build >= 10240 {
        system.set_multi_sz(&local, "EccCurves", &["curve25519", "NistP256", "NistP384"]);
    }
    system.set_multi_sz(
        &control(r"Cryptography\Configuration\Local\SSL\00010003"),
        "Functions",
        &signature_suites(build),
    );

    let software = &mut machine.software;
    let version = r"Microsoft\Windows NT\CurrentVersion";
    software
        .set_sz(version, "ProductName", product)
        .set_sz(version, "CurrentBuild", &build.to_string())
        .set_sz(version, "CurrentBuildNumber", &build.to_string())
        .set_sz(version, "InstallationType", "Server")
        .set_sz(version, "EditionID", "ServerStandard");
    software.set_sz(
        r"Microsoft\Cryptography",
        "MachineGuid",
        "7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55",
    );
    for store in ["Remote Desktop", "MY"] {
        for part in ["Certificates", "CRLs", "CTLs"] {
            software.at(&format!(r"Microsoft\SystemCertificates\{store}\{part}"));
        }
    }
    software.at(r"Policies\Microsoft\Windows NT\Terminal Services");
}

/// Signature suites as Windows writes them: SHA-512 came first with the update of 8.1, then to the end; RSA-PSS, which TLS 1.3 needs of
/// an RSA certificate, came with 2022 (the captures in the windows_schannel tests of mondoohq/mql).
fn signature_suites(build: u32) -> Vec<&'static str> {
    const SHA512: [&str; 2] = ["RSA/SHA512", "ECDSA/SHA512"];
    const PSS: [&str; 3] = ["RSAE-PSS/SHA256", "RSAE-PSS/SHA384", "RSAE-PSS/SHA512"];
    const COMMON: [&str; 7] = [
        "RSA/SHA256",
        "RSA/SHA384",
        "RSA/SHA1",
        "ECDSA/SHA256",
        "ECDSA/SHA384",
        "ECDSA/SHA1",
        "DSA/SHA1",
    ];
    match build {
        ..10240 => [SHA512.as_slice(), &COMMON].concat(),
        10240..20348 => [COMMON.as_slice(), &SHA512].concat(),
        _ => [PSS.as_slice(), &COMMON, &SHA512].concat(),
    }
}

/// Names the listener's certificate in SYSTEM.
pub fn name_certificate(machine: &mut Machine, thumbprint: &[u8], time: Timestamp) {
    machine
        .system
        .set_binary(WIN_STATIONS, "SelfSignedCertificate", thumbprint)
        .touch(WIN_STATIONS, time);
}

/// Puts an entry into the Remote Desktop store, in SOFTWARE.
pub fn store_certificate(machine: &mut Machine, thumbprint: &[u8], blob: &[u8], time: Timestamp) {
    let store = r"Microsoft\SystemCertificates\Remote Desktop\Certificates";
    let entry = format!(r"{store}\{}", hex(thumbprint));
    machine
        .software
        .set_binary(&entry, "Blob", blob)
        .touch(&entry, time)
        .touch(store, time);
}
