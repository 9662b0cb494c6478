//! NTFS volumes made by other people's tools: mkntfs, ntfs-3g, setfattr. Where these, or FUSE, are not there, a line says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::hive::descriptor;

/// Mounting at the same time is where FUSE in a container gives up.
static MOUNT: Mutex<()> = Mutex::new(());

pub const MIB: u64 = 1 << 20;
pub const VOLUME: u64 = 24 * MIB;
pub const MACHINE_KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";

/// An entry of a list of permissions: 0 allows and 1 denies, which rights, and the account's identifier behind `S-1-5`.
pub type Permission = (u8, u32, &'static [u32]);

/// SYSTEM and administrators do everything, users read: what a folder has that was given nothing else.
const FOLDER: &[Permission] = &[
    (0, 0x1f_01ff, &[18]),
    (0, 0x1f_01ff, &[32, 544]),
    (0, 0x12_0089, &[32, 545]),
];

/// Runs a program that must succeed.
pub fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}

/// Runs the program itself: its exit code, and all that it says.
pub fn program(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(arguments)
        .output()
        .expect("the program starts");
    let both = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&both).into_owned(),
    )
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A volume in a file, filled while it is mounted. None, and a line that says why, where that cannot be done here.
pub fn volume(folder: &TempDir, fill: impl FnOnce(&Path)) -> Option<PathBuf> {
    volume_with(folder, "rw", fill)
}

/// The same, mounted with options.
pub fn volume_with(folder: &TempDir, options: &str, fill: impl FnOnce(&Path)) -> Option<PathBuf> {
    volume_made(folder, &[], options, fill)
}

/// The same, made with options as well.
pub fn volume_made(
    folder: &TempDir,
    making: &[&str],
    options: &str,
    fill: impl FnOnce(&Path),
) -> Option<PathBuf> {
    let _alone = MOUNT.lock().unwrap_or_else(PoisonError::into_inner);
    let image = folder.path().join("volume.img");
    let mount = folder.path().join("mounted");
    fs::File::create(&image).unwrap().set_len(VOLUME).unwrap();
    fs::create_dir(&mount).unwrap();
    let making = [making, &["-F", "-q", text(&image)]].concat();
    let made = run("mkntfs", &making)
        .and_then(|()| run("ntfs-3g", &["-o", options, text(&image), text(&mount)]));
    if let Err(why) = made {
        eprintln!(
            "skipped: no NTFS volume can be made here ({why}); install ntfs-3g and allow FUSE"
        );
        return None;
    }
    fill(&mount);
    run("umount", &[text(&mount)]).expect("it is unmounted");
    fs::remove_dir(&mount).unwrap();
    Some(image)
}

/// Copies everything of a folder.
pub fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Gives a file on a mounted volume the permissions that Windows gives it.
pub fn permit(path: &Path, entries: &[Permission]) -> Result<(), String> {
    give(path, &descriptor(&[18], &[18], entries))
}

/// The same with a security descriptor in binary.
pub fn give(path: &Path, descriptor: &[u8]) -> Result<(), String> {
    let digits: String = descriptor
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let value = format!("0x{digits}");
    run(
        "setfattr",
        &["-h", "-n", "system.ntfs_acl", "-v", &value, text(path)],
    )
}

/// Gives MachineKeys on a mounted volume permissions that nothing is wrong with.
pub fn permit_folder(volume: &Path) {
    if let Err(why) = permit(&volume.join(MACHINE_KEYS), FOLDER) {
        eprintln!("permissions are not set: {why}");
    }
}
