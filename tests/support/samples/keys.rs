//! Samples of the private key: what becomes of its file, its folder and its permissions. Each is a part of a disk, with the
//! hives and logs in their places, but for those that say otherwise.

use std::collections::BTreeMap;

use rdptriage::parse::store_blob::KeyStorage;

use super::super::certificate::{KeyFileDamage, TestKey, capi_key_file, cng_key_file};
use super::super::machine::keys::{
    CNG_KEYS, HEALTHY_FOLDER, HEALTHY_KEY, LISTENER_CONTAINER, MACHINE_GUID, MACHINE_KEYS,
    OTHER_GUID, key_file_name, listener_key, saved,
};
use super::super::machine::{Channel, Machine, TlsFailure, Windows, at, minutes};
use super::{FUNNEL, Sample, locked_out, ticket, working_days};

/// Forges them all.
pub fn forge() -> Vec<Sample> {
    vec![
        acl_without_network_service(),
        denied_explicitly(),
        key_on_disk("key-cut", "CONTOSO-KY03", |file| {
            KeyFileDamage::Cut(1300).apply(file)
        }),
        key_on_disk("key-zeroed", "CONTOSO-KY04", |file| {
            KeyFileDamage::Zeroed.apply(file)
        }),
        key_on_disk("key-of-another-pair", "CONTOSO-KY05", |_| {
            capi_key_file(LISTENER_CONTAINER, TestKey::OtherRsa2048)
        }),
        missing_object_exists(),
        machine_keys_renamed(),
        key_of_another_machine(),
        cng_healthy(),
        machine_keys_hardened(),
        listing_only(),
    ]
}

/// A machine that served until Thursday evening, and whose key cannot be used since.
fn broken_since_thursday(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-12T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    machine
        .boots(at("2026-11-12T22:00:00Z"))
        .listener_starts(at("2026-11-12T22:00:40Z"));
    locked_out(
        &mut machine,
        at("2026-11-13T06:52:00Z"),
        at("2026-11-13T08:00:00Z"),
        TlsFailure::KeyUnusable,
    );
    machine.written(at("2026-11-13T08:05:00Z"));
    machine
}

/// The parts of its disk that were copied: hives and logs in their places.
fn disk(machine: &Machine, channels: &[Channel]) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = machine
        .logs(channels)
        .into_iter()
        .map(|(name, bytes)| (format!("Windows/System32/winevt/Logs/{name}"), bytes))
        .collect();
    let config = "Windows/System32/config";
    files.insert(format!("{config}/SYSTEM"), machine.system.to_bytes());
    files.insert(format!("{config}/SOFTWARE"), machine.software.to_bytes());
    files
}

/// A key of another service, which lies in every MachineKeys folder.
fn iis_key(machine_guid: &str) -> (String, Vec<u8>) {
    let container = "iisConfigurationKey";
    let name = key_file_name(container, KeyStorage::Capi, machine_guid);
    (name, capi_key_file(container, TestKey::OtherRsa2048))
}

fn good_key() -> Vec<u8> {
    capi_key_file(LISTENER_CONTAINER, TestKey::Rsa2048)
}

fn put(files: &mut BTreeMap<String, Vec<u8>>, folder: &str, (name, bytes): (String, Vec<u8>)) {
    files.insert(format!("{folder}/{name}"), bytes);
}

/// The disk of a dead machine, mounted elsewhere: the key is whole, and `icacls F:\...\* /save` shows who may read it.
fn acl_without_network_service() -> Sample {
    let machine = broken_since_thursday("CONTOSO-KY01", Windows::Server2022);
    let mut files = disk(&machine, FUNNEL);
    put(&mut files, MACHINE_KEYS, (listener_key(), good_key()));
    let iis = iis_key(MACHINE_GUID);
    let listing = saved(&[
        (&iis.0, "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)"),
        (&listener_key(), "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)"),
    ]);
    put(&mut files, MACHINE_KEYS, iis);
    files.insert("MachineKeys.acl".into(), listing);
    Sample {
        name: "key-acl-without-network-service",
        files,
    }
}

/// A ticket with the console output of `icacls` on a German machine.
fn denied_explicitly() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-KY02",
        Windows::Server2019,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-11-12T22:00:00Z"))
        .listener_starts(at("2026-11-12T22:00:40Z"));
    locked_out(
        &mut machine,
        at("2026-11-13T06:52:00Z"),
        at("2026-11-13T08:00:00Z"),
        TlsFailure::KeyUnusable,
    );
    machine.written(at("2026-11-13T08:05:00Z"));
    let mut files = super::with_hives(&machine, machine.logs(FUNNEL));
    let path = format!(
        r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\{}",
        listener_key()
    );
    let indent = " ".repeat(path.len() + 1);
    let text = format!(
        "{path} NT-AUTORITÄT\\NETZWERKDIENST:(DENY)(R)\r\n\
         {indent}NT-AUTORITÄT\\SYSTEM:(F)\r\n\
         {indent}NT-AUTORITÄT\\NETZWERKDIENST:(R)\r\n\
         {indent}NT SERVICE\\SessionEnv:(F)\r\n\r\n\
         1 Dateien erfolgreich verarbeitet, bei 0 Dateien ist ein Verarbeitungsfehler aufgetreten.\r\n"
    );
    files.insert("f686-acl.txt".into(), text.into_bytes());
    Sample {
        name: "key-denied-explicitly",
        files,
    }
}

/// The listener's key file as `make` leaves it, on a disk.
fn key_on_disk(
    name: &'static str,
    host: &'static str,
    make: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> Sample {
    let machine = broken_since_thursday(host, Windows::Server2022);
    let mut files = disk(&machine, FUNNEL);
    put(&mut files, MACHINE_KEYS, (listener_key(), make(good_key())));
    put(&mut files, MACHINE_KEYS, iis_key(MACHINE_GUID));
    Sample { name, files }
}

/// No key file, and Windows says "Object already exists": which does not mean that the file does.
fn missing_object_exists() -> Sample {
    let mut machine = broken_since_thursday("CONTOSO-KY06", Windows::Server2022);
    machine.renewal_fails(at("2026-11-12T22:01:30Z"), 1057, "Object already exists.");
    let mut files = disk(&machine, FUNNEL);
    put(&mut files, MACHINE_KEYS, iis_key(MACHINE_GUID));
    Sample {
        name: "key-missing-object-exists",
        files,
    }
}

/// Somebody has followed popular advice: MachineKeys is MachineKeys_old, and a new one has been made.
fn machine_keys_renamed() -> Sample {
    let machine = broken_since_thursday("CONTOSO-KY07", Windows::Server2022);
    let mut files = disk(&machine, FUNNEL);
    let old = format!("{MACHINE_KEYS}_old");
    put(&mut files, &old, (listener_key(), good_key()));
    put(&mut files, &old, iis_key(MACHINE_GUID));
    let new = key_file_name("iisWasKey", KeyStorage::Capi, MACHINE_GUID);
    let bytes = capi_key_file("iisWasKey", TestKey::OtherRsa2048);
    put(&mut files, MACHINE_KEYS, (new, bytes));
    Sample {
        name: "machinekeys-renamed",
        files,
    }
}

/// A clone: the key files bear the MachineGuid of the machine that it was copied from.
fn key_of_another_machine() -> Sample {
    let machine = broken_since_thursday("CONTOSO-KY08", Windows::Server2022);
    let mut files = disk(&machine, FUNNEL);
    let foreign = key_file_name(LISTENER_CONTAINER, KeyStorage::Capi, OTHER_GUID);
    put(&mut files, MACHINE_KEYS, (foreign, good_key()));
    put(&mut files, MACHINE_KEYS, iis_key(OTHER_GUID));
    put(&mut files, MACHINE_KEYS, iis_key(MACHINE_GUID));
    Sample {
        name: "key-of-another-machine",
        files,
    }
}

/// A machine that serves, its healthy days at the end.
fn healthy(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    machine
}

/// A pinned certificate whose key CNG keeps: nothing of it lies in MachineKeys, and nothing should.
fn cng_healthy() -> Sample {
    const CONTAINER: &str = "le-contoso-ky09";
    let mut machine = healthy("CONTOSO-KY09", Windows::Server2025);
    machine.pinned_cng_certificate(at("2026-09-14T06:10:00Z"), CONTAINER);
    working_days(
        &mut machine,
        at("2026-11-12T07:30:00Z"),
        at("2026-11-13T18:00:00Z"),
    );
    machine.written(at("2026-11-13T17:05:00Z"));
    let mut files = disk(&machine, FUNNEL);
    let name = key_file_name(CONTAINER, KeyStorage::Cng, MACHINE_GUID);
    put(
        &mut files,
        CNG_KEYS,
        (name.clone(), cng_key_file(CONTAINER, TestKey::Rsa2048)),
    );
    put(&mut files, MACHINE_KEYS, iis_key(MACHINE_GUID));
    let descriptor = "D:AI(A;;0x120089;;;NS)(A;ID;FA;;;SY)(A;ID;FA;;;BA)";
    let folder = r"C:\ProgramData\Microsoft\Crypto\Keys";
    let list = format!(
        "\r\nPath   : Microsoft.PowerShell.Core\\FileSystem::{folder}\\{name}\r\nOwner  : BUILTIN\\Administrators\r\nSddl   : O:BAG:SY{descriptor}\r\n\r\n"
    );
    files.insert("key-acl.txt".into(), list.into_bytes());
    Sample {
        name: "cng-key-healthy",
        files,
    }
}

/// The folder hardened, the key file correct: people get in, and will after the next renewal.
fn machine_keys_hardened() -> Sample {
    let mut machine = healthy("CONTOSO-KY10", Windows::Server2022);
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    working_days(
        &mut machine,
        at("2026-11-12T07:30:00Z"),
        at("2026-11-13T18:00:00Z"),
    );
    machine.written(at("2026-11-13T17:05:00Z"));
    let mut files = disk(&machine, FUNNEL);
    put(&mut files, MACHINE_KEYS, (listener_key(), good_key()));
    put(&mut files, MACHINE_KEYS, iis_key(MACHINE_GUID));
    let inside = format!(r"MachineKeys\{}", listener_key());
    files.insert(
        "MachineKeys.acl".into(),
        saved(&[
            ("MachineKeys", "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)"),
            (&inside, HEALTHY_KEY),
        ]),
    );
    Sample {
        name: "machinekeys-hardened",
        files,
    }
}

/// A ticket with one listing, saved by SYSTEM, and no copy of anything in the folder: missing and denied are out, the rest is open.
fn listing_only() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-KY11",
        Windows::Server2022,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine.boots(at("2026-11-12T21:00:00Z"));
    let mut time = at("2026-11-13T06:58:00Z");
    while time < at("2026-11-13T08:00:00Z") {
        machine.schannel_failure(time, TlsFailure::KeyUnusable);
        time += minutes(8);
    }
    machine.written(at("2026-11-13T08:05:00Z"));
    let mut files = ticket(&machine);
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    let (iis, _) = iis_key(MACHINE_GUID);
    files.insert(
        "MachineKeys.acl".into(),
        saved(&[
            ("MachineKeys", HEALTHY_FOLDER),
            (&format!(r"MachineKeys\{}", listener_key()), HEALTHY_KEY),
            (
                &format!(r"MachineKeys\{iis}"),
                "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)",
            ),
        ]),
    );
    Sample {
        name: "key-listing-only",
        files,
    }
}
