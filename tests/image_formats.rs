//! Images that build on each other, that were not closed, that are damaged or that are something else: the verdict of the folder, or
//! a message that says what to do. Never a panic, and never a hang.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rdptriage::bundle;
use support::disk_image::{Vhd, VhdParent, Vhdx};
use support::ntfs::{Lies, Volume};
use support::renamed_disk::{CAUSE, cause, disks, refusal, volume, write};
use support::seeded::Seeded;
use support::verdict::{rules, unhashed};
use tempfile::TempDir;

#[test]
fn a_dynamic_and_a_differencing_vhd() {
    let (disk, before) = disks(512);
    let folder = TempDir::new().unwrap();
    let base = Vhd {
        disk: &before,
        id: [1; 16],
        parent: None,
    };
    let child = |parent: [u8; 16]| Vhd {
        disk: &disk,
        id: [2; 16],
        parent: Some(VhdParent {
            name: "base.vhd",
            id: parent,
            disk: &before,
        }),
    };
    let whole = write(
        &folder,
        "whole.vhd",
        &Vhd {
            disk: &disk,
            id: [3; 16],
            parent: None,
        }
        .build(),
    );
    assert_eq!(cause(&whole).as_deref(), Some(CAUSE));
    let top = write(&folder, "top.vhd", &child([1; 16]).build());
    let said = refusal(&top);
    assert!(
        said.contains("base.vhd") && said.contains("one folder"),
        "{said}"
    );
    let parent = write(&folder, "base.vhd", &base.build());
    assert_eq!(cause(&top).as_deref(), Some(CAUSE));
    write(&folder, "top.vhd", &child([9; 16]).build());
    let said = refusal(&top);
    assert!(said.contains("another state of"), "{said}");
    fs::remove_file(parent).unwrap();
    vhdmount_agrees(&whole, &disk);
}

/// What libvhdi makes of the image, where it is installed and FUSE is allowed.
fn vhdmount_agrees(image: &Path, disk: &[u8]) {
    let mount = TempDir::new().unwrap();
    let done = Command::new("vhdimount")
        .args([image, mount.path()])
        .output();
    if !done.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no vhdimount, or no FUSE; install libvhdi-utils");
        return;
    }
    let seen = fs::read(mount.path().join("vhdi1"));
    let done = Command::new("umount").arg(mount.path()).status();
    assert!(done.is_ok_and(|status| status.success()));
    assert!(seen.unwrap() == disk, "libvhdi reads something else");
}

#[test]
fn a_vhd_that_builds_on_itself() {
    let (disk, before) = disks(512);
    let folder = TempDir::new().unwrap();
    // Two that build on each other.
    let other = |name| VhdParent {
        name,
        id: [2; 16],
        disk: &before,
    };
    for (own, name) in [("one.vhd", "two.vhd"), ("two.vhd", "one.vhd")] {
        let image = Vhd {
            disk: &disk,
            id: [2; 16],
            parent: Some(other(name)),
        };
        write(&folder, own, &image.build());
    }
    let said = refusal(&folder.path().join("one.vhd"));
    assert!(said.contains("or on itself"), "{said}");
    let said = refusal(folder.path());
    assert!(said.contains("or on itself"), "{said}");
    let parent = VhdParent {
        name: "loop.vhd",
        id: [2; 16],
        disk: &before,
    };
    let image = write(
        &folder,
        "loop.vhd",
        &Vhd {
            disk: &disk,
            id: [2; 16],
            parent: Some(parent),
        }
        .build(),
    );
    let said = refusal(&image);
    assert!(said.contains("or on itself"), "{said}");
}

#[test]
fn a_vhdx_with_a_parent_and_one_with_a_log() {
    let (disk, before) = disks(512);
    let folder = TempDir::new().unwrap();
    let plain = Vhdx {
        disk: &disk,
        id: [5; 16],
        parent: None,
        unfinished: false,
    };
    let image = write(&folder, "whole.vhdx", &plain.build());
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    let child = |id: [u8; 16]| Vhdx {
        disk: &disk,
        id: [7; 16],
        parent: Some(("base.vhdx", id, &before)),
        unfinished: false,
    };
    let top = write(&folder, "top.avhdx", &child([6; 16]).build());
    assert!(refusal(&top).contains("base.vhdx"));
    let base = Vhdx {
        disk: &before,
        id: [6; 16],
        parent: None,
        unfinished: false,
    };
    write(&folder, "base.vhdx", &base.build());
    assert_eq!(cause(&top).as_deref(), Some(CAUSE));
    write(&folder, "top.avhdx", &child([8; 16]).build());
    assert!(refusal(&top).contains("another state of"));

    let unfinished = Vhdx {
        unfinished: true,
        ..plain
    }
    .build();
    let image = write(&folder, "log.vhdx", &unfinished);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    qemu_agrees(&image, &disk);
    let mut damaged = unfinished;
    damaged[(1 << 20) + 5000] ^= 1;
    let image = write(&folder, "torn.vhdx", &damaged);
    let said = refusal(&image);
    assert!(
        said.contains("log is damaged") && said.contains("Hyper-V"),
        "{said}"
    );
}

/// What QEMU makes of the log, in a copy that it writes it into.
fn qemu_agrees(image: &Path, disk: &[u8]) {
    let copy = image.with_file_name("copy.vhdx");
    let raw = image.with_file_name("copy.dd");
    fs::copy(image, &copy).unwrap();
    let run = |arguments: &[&str]| {
        let done = Command::new("qemu-img").args(arguments).output();
        done.map(|output| {
            (
                output.status.success(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        })
    };
    let (copy, raw) = (copy.to_str().unwrap(), raw.to_str().unwrap());
    if run(&["check", "-r", "all", copy]).is_err() {
        eprintln!("skipped: no qemu-img; install qemu-utils");
        return;
    }
    let (done, said) = run(&["convert", "-f", "vhdx", "-O", "raw", copy, raw]).unwrap();
    assert!(done, "{said}");
    let mut seen = fs::read(raw).unwrap();
    seen.truncate(disk.len());
    assert!(seen == disk, "QEMU reads something else");
    fs::remove_file(copy).unwrap();
    fs::remove_file(raw).unwrap();
}

/// Each format, cut and overwritten in many places: what is left is read, or a message names the image.
#[test]
fn damaged_images_are_read_as_far_as_they_stand() {
    let (disk, before) = disks(512);
    let folder = TempDir::new().unwrap();
    write(
        &folder,
        "base.vhd",
        &Vhd {
            disk: &before,
            id: [1; 16],
            parent: None,
        }
        .build(),
    );
    let differencing = Vhd {
        disk: &disk,
        id: [2; 16],
        parent: Some(VhdParent {
            name: "base.vhd",
            id: [1; 16],
            disk: &before,
        }),
    };
    let mut fixed = disk.clone();
    fixed.extend(vhd_footer_of_fixed(&disk));
    let formats: [(&str, Vec<u8>); 5] = [
        ("raw.dd", disk.clone()),
        ("fixed.vhd", fixed),
        ("differencing.vhd", differencing.build()),
        (
            "log.vhdx",
            Vhdx {
                disk: &disk,
                id: [5; 16],
                parent: None,
                unfinished: true,
            }
            .build(),
        ),
        (
            "dynamic.vhd",
            Vhd {
                disk: &disk,
                id: [3; 16],
                parent: None,
            }
            .build(),
        ),
    ];
    let begun = Instant::now();
    let mut seeded = Seeded::new(0x9E37_79B9_7F4A_7C15);
    let mut next = || seeded.any();
    for (name, whole) in formats {
        for round in 0..24 {
            let mut bytes = whole.clone();
            match round {
                0 => bytes.truncate(bytes.len() / 2),
                1 => bytes.truncate(100_000),
                2 => bytes.truncate(bytes.len() - 1),
                _ => {
                    // Mostly where the structures of the formats are.
                    let places = [
                        0,
                        512,
                        1536,
                        65_536,
                        131_072,
                        196_608,
                        1 << 20,
                        2 << 20,
                        3 << 20,
                        bytes.len() - 512,
                    ];
                    let at = (places[next() % places.len()] + next() % 600).min(bytes.len() - 1);
                    let end = (at + [1, 4, 8, 64][next() % 4]).min(bytes.len());
                    bytes[at..end].fill([0, 0xFF, 0x7F, 0x80][next() % 4]);
                }
            }
            let image = write(&folder, &format!("broken-{name}"), &bytes);
            match bundle::open(std::slice::from_ref(&image)) {
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains(name), "{name}, {round}: {said}");
                }
                Ok(bundle) => {
                    for artifact in &bundle.artifacts {
                        if let Ok(source) = artifact.open() {
                            let _ = source.read_all(8 << 20);
                        }
                        let _ = artifact.permissions();
                    }
                }
            }
            assert!(
                begun.elapsed().as_secs() < 240,
                "{name}, round {round} takes too long"
            );
        }
    }
}

/// The footer of a fixed VHD.
fn vhd_footer_of_fixed(disk: &[u8]) -> Vec<u8> {
    let dynamic = Vhd {
        disk,
        id: [4; 16],
        parent: None,
    }
    .build();
    let mut footer = dynamic[dynamic.len() - 512..].to_vec();
    footer[60..68].fill(0);
    footer[63] = 2;
    let sum: u32 = footer.iter().map(|byte| u32::from(*byte)).sum();
    footer[64..68].copy_from_slice(&(!sum).to_be_bytes());
    footer
}

/// What NTFS keeps twice is read from its copy: the first records of $MFT, the boot sector. A table of partitions is found without
/// the first sector of the disk.
#[test]
fn what_has_a_copy_is_read_from_it() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume().build();
    let table = 4 * 4096;
    volume[table..table + 1024].fill(0);
    let image = write(&folder, "table.dd", &volume);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    volume[..512].fill(0);
    let mut disk = gpt("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7");
    disk.truncate(2048 * 512);
    let last = 2047 + (volume.len() / 512) as u64;
    disk[1064..1072].copy_from_slice(&last.to_le_bytes());
    disk.extend(&volume);
    disk[..512].fill(0);
    let image = write(&folder, "disk.dd", &disk);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
}

#[test]
fn a_record_that_is_torn_is_told_and_the_rest_read() {
    let folder = TempDir::new().unwrap();
    let volume = volume();
    let mut disk = volume.build();
    let torn = volume
        .find("Windows/System32/winevt/Logs/System.evtx")
        .unwrap();
    let at = 4 * 4096 + torn * 1024;
    disk[at + 510] ^= 0xFF;
    let image = write(&folder, "torn.dd", &disk);
    let bundle = bundle::open(std::slice::from_ref(&image)).unwrap();
    let told = bundle.problems.iter().any(|problem| {
        problem.path.ends_with("System.evtx")
            && problem.trouble.to_string().contains("different writes")
    });
    assert!(told, "{:?}", bundle.problems);
    assert!(
        bundle
            .artifacts
            .iter()
            .any(|artifact| artifact.path.ends_with("config/SYSTEM"))
    );
}

/// Runs that overlap those of another file, an index whose blocks name each other in a circle: nothing is followed twice.
#[test]
fn structures_that_lead_in_circles_end() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume();
    for number in 0..200 {
        volume.file(
            &format!("Windows/System32/winevt/Logs/{number:03} a rather long name.evtx"),
            b"",
            Lies::Simply,
        );
    }
    let mut disk = volume.build();
    let blocks: Vec<usize> = (0..disk.len() / 4096)
        .map(|cluster| cluster * 4096)
        .filter(|at| disk[*at..].starts_with(b"INDX"))
        .collect();
    assert!(blocks.len() > 4, "{}", blocks.len());
    // Each block says that it is the first, and every entry's node below is block 0.
    for at in &blocks {
        disk[at + 16..at + 24].fill(0);
        disk[at + 36] = 1;
    }
    let image = write(&folder, "circle.dd", &disk);
    let begun = Instant::now();
    let _ = rdptriage::diagnose(&[image], &rules(), &unhashed());
    assert!(begun.elapsed().as_secs() < 60);
}

/// What a disk is that cannot be read, by its first bytes; and what is to be minded where it can.
#[test]
fn what_is_not_read_is_named() {
    let folder = TempDir::new().unwrap();
    let signed = |at: usize, mark: &[u8]| {
        let mut bytes = vec![0; 4 << 20];
        bytes[at..at + mark.len()].copy_from_slice(mark);
        bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        bytes
    };
    let to_go = [
        0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0,
        0x01,
    ];
    let cases: [(&str, Vec<u8>, &[&str]); 5] = [
        (
            "bitlocker.dd",
            signed(3, b"-FVE-FS-"),
            &["BitLocker", "manage-bde -unlock"],
        ),
        (
            "to-go.dd",
            signed(424, &to_go),
            &["BitLocker", "manage-bde -unlock"],
        ),
        (
            "refs.dd",
            signed(3, b"ReFS\0\0\0\0"),
            &["ReFS", "attach the disk"],
        ),
        (
            "linux.dd",
            signed(1080, &[0x53, 0xEF]),
            &["Linux file system"],
        ),
        ("zeros.dd", signed(0, &[]), &["no partition table"]),
    ];
    for (name, bytes, words) in cases {
        let said = refusal(&write(&folder, name, &bytes));
        for word in words {
            assert!(said.contains(word), "{name}: {said}");
        }
    }
    let said = refusal(&write(
        &folder,
        "spaces.dd",
        &gpt("e75caf8f-f680-4cee-afa3-b001e56efc2d"),
    ));
    assert!(said.contains("storage pool"), "{said}");
    let said = refusal(&write(
        &folder,
        "dynamic.dd",
        &gpt("af9b60a0-1431-4f62-bc68-3311714a69ad"),
    ));
    assert!(said.contains("dynamic disk"), "{said}");
}

/// A disk with one partition of that type.
fn gpt(kind: &str) -> Vec<u8> {
    let mut bytes = vec![0; 4 << 20];
    bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
    bytes[512..520].copy_from_slice(b"EFI PART");
    bytes[584..592].copy_from_slice(&2_u64.to_le_bytes());
    bytes[592..596].copy_from_slice(&1_u32.to_le_bytes());
    bytes[596..600].copy_from_slice(&128_u32.to_le_bytes());
    let digits: String = kind.chars().filter(|char| *char != '-').collect();
    let byte = |index: usize| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).unwrap();
    let id = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte);
    bytes[1024..1040].copy_from_slice(&id);
    bytes[1056..1064].copy_from_slice(&2048_u64.to_le_bytes());
    bytes[1064..1072].copy_from_slice(&4095_u64.to_le_bytes());
    bytes
}

#[test]
fn a_volume_that_was_not_left_clean_says_so() {
    let folder = TempDir::new().unwrap();
    let problems = |volume: &Volume| -> Vec<String> {
        let image = write(&folder, "state.dd", &volume.build());
        let bundle = bundle::open(&[image]).unwrap();
        bundle
            .problems
            .iter()
            .map(|problem| problem.trouble.to_string())
            .collect()
    };
    assert!(problems(&volume()).is_empty());

    let mut dirty = volume();
    dirty.is_dirty = true;
    assert!(problems(&dirty)[0].contains("marked as dirty"));

    let mut in_use = volume();
    in_use.log_file = log_file(0);
    assert!(problems(&in_use)[0].contains("$LogFile"));
    in_use.log_file = log_file(2);
    assert!(problems(&in_use).is_empty());

    let mut asleep = volume();
    asleep.file(
        "hiberfil.sys",
        &[b"HIBR".as_slice(), &[0; 8192]].concat(),
        Lies::Simply,
    );
    assert!(problems(&asleep)[0].contains("hibernated"));
    let mut awake = volume();
    awake.file("hiberfil.sys", &[0; 8192], Lies::Simply);
    assert!(problems(&awake).is_empty());
}

/// A $LogFile with one client and these flags; 2 says that the volume is clean.
fn log_file(flags: u16) -> Vec<u8> {
    let mut page = vec![0; 4096];
    page[..4].copy_from_slice(b"RSTR");
    page[4..6].copy_from_slice(&30_u16.to_le_bytes());
    page[6..8].copy_from_slice(&9_u16.to_le_bytes());
    page[16..20].copy_from_slice(&4096_u32.to_le_bytes());
    page[20..24].copy_from_slice(&4096_u32.to_le_bytes());
    page[24..26].copy_from_slice(&48_u16.to_le_bytes());
    page[48..56].copy_from_slice(&9_u64.to_le_bytes());
    page[62..64].copy_from_slice(&flags.to_le_bytes());
    support::ntfs::protect(&mut page, 30);
    let mut log = page.clone();
    log.extend(page);
    log.resize(64 << 10, 0xFF);
    log
}
