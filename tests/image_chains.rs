//! Images that build on others, and images whose headers say what is not so: the verdict of what is there, or a message that names the
//! image and what is wrong, in little memory. Never a panic, and never a hang.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::disk_image::{Vhd, Vhdx};
use support::machine::at;
use support::mounted::{run, text};
use support::ntfs::Lies;
use support::renamed_disk::{CAUSE, cause, disks, refusal, volume, write};
use support::verdict::{rules, unhashed};
use support::vmdk::{self, Delta};
use tempfile::TempDir;

#[test]
fn a_vmdk_snapshot_needs_the_parent_that_it_was_made_on() {
    let (disk, before) = disks(64 << 10);
    let folder = TempDir::new().unwrap();
    let delta = |parent_id: &str| {
        let delta = Delta {
            disk: &disk,
            below: &before,
            parent: "C:\\Virtual Machines\\base.vmdk",
            parent_id,
        };
        delta.build()
    };
    let top = write(&folder, "delta.vmdk", &delta("00c0ffee"));
    let said = refusal(&top);
    assert!(
        said.contains("base.vmdk") && said.contains("one folder"),
        "{said}"
    );
    write(&folder, "base-flat.vmdk", &before);
    write(
        &folder,
        "base.vmdk",
        &vmdk::base("c0ffee", "base-flat.vmdk", before.len()),
    );
    assert_eq!(cause(&top).as_deref(), Some(CAUSE));
    // The folder holds one disk.
    assert_eq!(cause(folder.path()).as_deref(), Some(CAUSE));
    // Somebody started the parent since: its content identifier is another.
    write(&folder, "delta.vmdk", &delta("deadbeef"));
    let said = refusal(&top);
    assert!(
        said.contains("another state of") && said.contains("base.vmdk"),
        "{said}"
    );
}

/// What qemu-img makes of a base and a snapshot.
#[test]
fn a_vmdk_snapshot_of_qemu() {
    let (disk, _) = disks(64 << 10);
    let folder = TempDir::new().unwrap();
    let raw = write(&folder, "disk.dd", &disk);
    let (base, top) = (
        folder.path().join("base.vmdk"),
        folder.path().join("top.vmdk"),
    );
    let made = run(
        "qemu-img",
        &["convert", "-O", "vmdk", text(&raw), text(&base)],
    )
    .and_then(|()| {
        let (base, top) = (text(&base), text(&top));
        run(
            "qemu-img",
            &["create", "-f", "vmdk", "-F", "vmdk", "-b", base, top],
        )
    });
    if let Err(why) = made {
        eprintln!("skipped: no snapshot of a VMDK can be made here ({why}); install qemu-utils");
        return;
    }
    fs::remove_file(raw).unwrap();
    assert_eq!(cause(&top).as_deref(), Some(CAUSE));
    assert_eq!(cause(folder.path()).as_deref(), Some(CAUSE));
    // The parent was written to since.
    let bytes = fs::read(&base).unwrap();
    let at = bytes
        .windows(4)
        .position(|window| window == b"CID=")
        .unwrap()
        + 4;
    let mut other = bytes.clone();
    other[at..at + 8].copy_from_slice(b"12345678");
    fs::write(&base, other).unwrap();
    assert!(refusal(&top).contains("another state of"));
    fs::remove_file(&base).unwrap();
    assert!(refusal(&top).contains("base.vmdk"));
}

#[test]
fn a_chain_that_leads_back_to_itself_ends() {
    let (disk, before) = disks(64 << 10);
    let folder = TempDir::new().unwrap();
    let delta = Delta {
        disk: &disk,
        below: &before,
        parent: "loop.vmdk",
        parent_id: "0badcafe",
    };
    let mut qcow2 = vec![0; 1 << 20];
    qcow2[..8].copy_from_slice(b"QFI\xfb\0\0\0\x02");
    qcow2[8..16].copy_from_slice(&4096_u64.to_be_bytes());
    qcow2[16..20].copy_from_slice(&10_u32.to_be_bytes());
    qcow2[20..24].copy_from_slice(&16_u32.to_be_bytes());
    qcow2[24..32].copy_from_slice(&(8_u64 << 20).to_be_bytes());
    qcow2[36..40].copy_from_slice(&1_u32.to_be_bytes());
    qcow2[40..48].copy_from_slice(&65536_u64.to_be_bytes());
    qcow2[4096..4106].copy_from_slice(b"loop.qcow2");
    let vhdx = Vhdx {
        disk: &disk,
        id: [7; 16],
        parent: Some(("loop.vhdx", [7; 16], &before)),
        unfinished: false,
    };
    for (name, bytes) in [
        ("loop.vmdk", delta.build()),
        ("loop.qcow2", qcow2),
        ("loop.vhdx", vhdx.build()),
    ] {
        let own = TempDir::new().unwrap();
        let image = write(&own, name, &bytes);
        for input in [image.as_path(), own.path()] {
            let said = refusal(input);
            assert!(said.contains("or on itself"), "{name}: {said}");
        }
    }
    // Two that build on each other.
    for (own, other) in [("one.vmdk", "two.vmdk"), ("two.vmdk", "one.vmdk")] {
        let delta = Delta {
            parent: other,
            ..delta
        };
        write(&folder, own, &delta.build());
    }
    let said = refusal(folder.path());
    assert!(said.contains("or on itself"), "{said}");
}

/// A header that says another size than the image has: of the disk, of its tables, of its blocks.
#[test]
fn sizes_in_headers_that_are_not_so() {
    let (disk, before) = disks(64 << 10);
    let folder = TempDir::new().unwrap();
    write(&folder, "base-flat.vmdk", &before);
    let base = vmdk::base("c0ffee", "base-flat.vmdk", before.len());
    write(&folder, "base.vmdk", &base);
    let vhd = Vhd {
        disk: &disk,
        id: [1; 16],
        parent: None,
    }
    .build();
    let vhdx = Vhdx {
        disk: &disk,
        id: [5; 16],
        parent: None,
        unfinished: false,
    }
    .build();
    let delta = Delta {
        disk: &disk,
        below: &before,
        parent: "base.vmdk",
        parent_id: "c0ffee",
    }
    .build();
    let qcow2 = qcow2(&folder, &disk);
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for value in [0, 1, 1 << 20, 1 << 40, u64::MAX >> 1, u64::MAX] {
        let mut forge = |name: &str, bytes: &[u8], places: &[usize], big: bool| {
            let mut bytes = bytes.to_vec();
            for place in places {
                let field = if big {
                    value.to_be_bytes()
                } else {
                    value.to_le_bytes()
                };
                bytes[*place..place + 8].copy_from_slice(&field);
            }
            cases.push((name.to_owned(), bytes));
        };
        // The disk's size, and where the header is; the footers' sums are put right below.
        forge("size.vhd", &vhd, &[48, vhd.len() - 512 + 48], true);
        forge("header.vhd", &vhd, &[16, vhd.len() - 512 + 16], true);
        // The table's place, in the header.
        forge("table.vhd", &vhd, &[512 + 16], true);
        // Entries and block size share eight bytes.
        forge("entries.vhd", &vhd, &[512 + 28], true);
        // The disk's size and the block's, in the metadata.
        forge("size.vhdx", &vhdx, &[(2 << 20) + (64 << 10) + 8], false);
        forge("block.vhdx", &vhdx, &[(2 << 20) + (64 << 10)], false);
        for place in [12, 20, 28, 36, 56] {
            forge("header.vmdk", &delta, &[place], false);
        }
        if let Some(qcow2) = &qcow2 {
            for place in [16, 24, 36, 40] {
                forge("header.qcow2", qcow2, &[place], true);
            }
        }
        // The volume's length, and where its table is.
        for place in [40, 48, 56] {
            forge(
                "volume.dd",
                &disk,
                &[place, disk.len() - 512 + place],
                false,
            );
        }
    }
    for (name, bytes) in &mut cases {
        if name.ends_with(".vhd") {
            let end = bytes.len() - 512;
            sum(&mut bytes[..512]);
            sum(&mut bytes[end..]);
        }
    }
    let text = String::from_utf8(base).unwrap();
    for sectors in ["0", "1", "99999999999", "18446744073709551615", "-1", "x"] {
        let number = (before.len() / 512).to_string();
        let bytes = text.replace(&number, sectors).into_bytes();
        cases.push(("text.vmdk".to_owned(), bytes));
    }
    let begun = Instant::now();
    for (index, (name, bytes)) in cases.iter().enumerate() {
        let image = write(&folder, name, bytes);
        match rdptriage::diagnose(std::slice::from_ref(&image), &rules(), &unhashed()) {
            Ok(_) => {}
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains(name.as_str()), "{name}, {index}: {said}");
            }
        }
        assert!(begun.elapsed().as_secs() < 240, "{name}, {index}");
    }
    // The same in the program itself, for what it takes of memory.
    for (name, bytes) in cases.iter().step_by(7) {
        let image = write(&folder, name, bytes);
        let peak = peak_memory(&image);
        assert!(peak <= 256 << 10, "{name}: {peak} KiB");
    }
}

/// The sum of a VHD's footer.
fn sum(footer: &mut [u8]) {
    footer[64..68].fill(0);
    let sum: u32 = footer.iter().map(|byte| u32::from(*byte)).sum();
    footer[64..68].copy_from_slice(&(!sum).to_be_bytes());
}

fn qcow2(folder: &TempDir, disk: &[u8]) -> Option<Vec<u8>> {
    let raw = write(folder, "raw.dd", disk);
    let image = folder.path().join("disk.qcow2");
    let made = run(
        "qemu-img",
        &["convert", "-O", "qcow2", text(&raw), text(&image)],
    );
    let bytes = match made {
        Ok(()) => fs::read(&image).ok(),
        Err(why) => {
            eprintln!("skipped: qcow2 cannot be made here ({why}); install qemu-utils");
            None
        }
    };
    let _ = fs::remove_file(raw);
    let _ = fs::remove_file(image);
    bytes
}

/// The most memory that a diagnosis takes, in KiB; zero where the system does not tell.
fn peak_memory(image: &Path) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "--exit-zero"])
        .arg(image)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM"));
        let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = now.unwrap_or(peak);
        if child.try_wait().unwrap().is_some() {
            return peak;
        }
        assert!(begun.elapsed().as_secs() < 60, "it hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A table of partitions that says of a volume that it begins, or ends, behind the end of the disk.
#[test]
fn partitions_that_are_not_on_the_disk() {
    let folder = TempDir::new().unwrap();
    let volume = volume().build();
    let start = 2048_u32;
    for (from, count) in [
        (start, u32::MAX),
        (start, 1),
        (u32::MAX, u32::MAX),
        (u32::MAX, 1),
        (1, u32::MAX),
    ] {
        let mut disk = vec![0; 1 << 20];
        disk[450] = 7;
        disk[454..458].copy_from_slice(&from.to_le_bytes());
        disk[458..462].copy_from_slice(&count.to_le_bytes());
        disk[510..512].copy_from_slice(&[0x55, 0xAA]);
        disk.extend(&volume);
        let image = write(&folder, "disk.dd", &disk);
        match rdptriage::diagnose(std::slice::from_ref(&image), &rules(), &unhashed()) {
            // It is longer than the disk: what is there of it is read.
            Ok(reports) => {
                assert_eq!((from, count), (start, u32::MAX));
                assert_eq!(reports[0].verdict.cause.as_deref(), Some(CAUSE));
            }
            Err(error) => assert!(error.to_string().contains("disk.dd"), "{error}"),
        }
    }
}

/// Clusters that two files say are theirs, clusters that there are not, and a piece of a file that is told of twice.
#[test]
fn runs_that_cannot_be_so() {
    const SYSTEM_LOG: &str = "Windows/System32/winevt/Logs/System.evtx";
    const HIVE: &str = "Windows/System32/config/SYSTEM";
    let folder = TempDir::new().unwrap();
    let mut plain = volume();
    let hive = plain.at(HIVE).content.clone();
    let bytes = plain.build();
    let hive_at = bytes
        .windows(4096)
        .step_by(4096)
        .position(|cluster| cluster == &hive[..4096])
        .unwrap() as u64;
    let told = |image: &Path| -> Vec<(String, String)> {
        let bundle = rdptriage::bundle::open(&[image.to_owned()]).unwrap();
        let problems = bundle.problems.iter();
        problems
            .map(|problem| (problem.path.clone(), problem.trouble.to_string()))
            .collect()
    };
    // The log lies in the midst of the hive.
    let mut crossed = volume();
    crossed.at(SYSTEM_LOG).lies = Lies::At(hive_at + 1);
    let image = write(&folder, "crossed.dd", &crossed.build());
    let problems = told(&image);
    for (file, other) in [(SYSTEM_LOG, HIVE), (HIVE, SYSTEM_LOG)] {
        assert!(
            problems.iter().any(|(path, said)| path.ends_with(file)
                && said.contains(other)
                && said.contains("same clusters")),
            "{problems:#?}"
        );
    }
    // Behind the end of the volume.
    let mut outside = volume();
    outside.at(SYSTEM_LOG).lies = Lies::At(1 << 30);
    let image = write(&folder, "outside.dd", &outside.build());
    let problems = told(&image);
    assert!(
        problems
            .iter()
            .any(|(path, said)| path.ends_with(SYSTEM_LOG) && said.contains("there are not")),
        "{problems:#?}"
    );
    // Its second record tells of the clusters of the first again.
    let mut twice = volume();
    twice.at(SYSTEM_LOG).lies = Lies::InRecords;
    let log = twice.find(SYSTEM_LOG).unwrap();
    let content = twice.at(SYSTEM_LOG).content.clone();
    // A record tells of more records behind it: the file is written anew, last.
    twice.delete(SYSTEM_LOG, at("2024-02-01T08:00:00Z"));
    twice.nodes.remove(&log);
    let log = twice.file(SYSTEM_LOG, &content, Lies::InRecords);
    let mut bytes = twice.build();
    let second = 4 * 4096 + (log + 2) * 1024;
    let attribute = second + 56;
    bytes[attribute + 16..attribute + 24].copy_from_slice(&1_u64.to_le_bytes());
    let image = write(&folder, "twice.dd", &bytes);
    let problems = told(&image);
    assert!(
        problems
            .iter()
            .any(|(path, said)| path.ends_with(SYSTEM_LOG) && said.contains("twice where it is")),
        "{problems:#?}"
    );
}

/// Without the first sectors, the disk is found by what NTFS and VHD keep at its end.
#[test]
fn a_disk_that_lost_its_first_sector() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume().build();
    volume[..512].fill(0);
    let image = write(&folder, "volume.dd", &volume);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    // With sectors of 4 KiB the copy lies in the last of these.
    let mut large = volume.clone();
    let copy = large.split_off(large.len() - 512);
    large.resize(large.len().next_multiple_of(4096), 0);
    large.extend(&copy);
    large.resize(large.len() + 4096 - 512, 0);
    let image = write(&folder, "large.dd", &large);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    // In a partition, by the table's end of it.
    let mut disk = vec![0; 1 << 20];
    disk[450] = 7;
    disk[454..458].copy_from_slice(&2048_u32.to_le_bytes());
    let sectors = u32::try_from(volume.len() / 512).unwrap();
    disk[458..462].copy_from_slice(&sectors.to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    disk.extend(&volume);
    disk.resize(disk.len() + (1 << 20), 0);
    let image = write(&folder, "disk.dd", &disk);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    // The copy is lost too.
    let end = (1 << 20) + volume.len();
    disk[end - 512..end].fill(0);
    let image = write(&folder, "disk.dd", &disk);
    let said = refusal(&image);
    assert!(
        said.contains("disk.dd") && said.contains("volume 1"),
        "{said}"
    );
}

/// A real file system of Linux is told as what it is, in every place.
#[test]
fn a_file_system_of_linux() {
    let folder = TempDir::new().unwrap();
    let plain = write(&folder, "ext4.dd", &vec![0; 16 << 20]);
    if let Err(why) = run("mkfs.ext4", &["-q", "-F", text(&plain)]) {
        eprintln!("skipped: no ext4 can be made here ({why}); install e2fsprogs");
        return;
    }
    let bytes = fs::read(&plain).unwrap();
    let mut disk = vec![0; 1 << 20];
    disk[450] = 0x83;
    disk[454..458].copy_from_slice(&2048_u32.to_le_bytes());
    disk[458..462].copy_from_slice(&(32_u32 << 10).to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    disk.extend(&bytes);
    let partitioned = write(&folder, "partitioned.dd", &disk);
    let converted = folder.path().join("ext4.qcow2");
    let mut images = vec![plain.clone(), partitioned];
    match run(
        "qemu-img",
        &["convert", "-O", "qcow2", text(&plain), text(&converted)],
    ) {
        Ok(()) => images.push(converted),
        Err(why) => eprintln!("skipped: qcow2 cannot be made here ({why}); install qemu-utils"),
    }
    for image in images {
        let said = refusal(&image);
        assert!(said.contains("Linux file system"), "{said}");
        let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
            .arg("volumes")
            .arg(&image)
            .output()
            .unwrap();
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(listed.contains("Linux file system"), "{listed}");
    }
}
