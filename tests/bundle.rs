//! Opening collections as people hand them over: folders, single files, odd names, and things that are no files.

#[path = "support/corpus.rs"]
mod corpus;

use std::fs;
use std::path::{Path, PathBuf};

use corpus::corpus;
use rdptriage::bundle::{Bundle, Kind, NotUsed, OpenError, Trouble, open};
use tempfile::TempDir;

const LOG: &[u8] = b"ElfFile\0";

fn hive() -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[..4].copy_from_slice(b"regf");
    bytes
}

fn collection(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn attempt(inputs: &[&Path]) -> Result<Bundle, OpenError> {
    let inputs: Vec<PathBuf> = inputs.iter().map(|path| path.to_path_buf()).collect();
    open(&inputs)
}

fn opened(inputs: &[&Path]) -> Bundle {
    attempt(inputs).unwrap()
}

fn refused(inputs: &[&Path]) -> String {
    attempt(inputs).unwrap_err().to_string()
}

fn paths(bundle: &Bundle) -> Vec<&str> {
    let artifacts = bundle.artifacts.iter();
    artifacts.map(|artifact| artifact.path.as_str()).collect()
}

fn troubles(bundle: &Bundle) -> Vec<(&str, &Trouble)> {
    let problems = bundle.problems.iter();
    problems
        .map(|problem| (problem.path.as_str(), &problem.trouble))
        .collect()
}

#[test]
fn a_deep_folder_is_read_whole_and_in_order() {
    let folder = collection(&[
        ("logs/deep/er/System.EVTX", LOG),
        ("SOFTWARE", &hive()),
        ("notes.txt", b"hello"),
    ]);
    let mut bundle = opened(&[folder.path()]);
    assert_eq!(
        paths(&bundle),
        ["SOFTWARE", "logs/deep/er/System.EVTX", "notes.txt"]
    );
    assert_eq!(
        bundle.artifacts[2].kind,
        Kind::NotUsed(NotUsed::Unrecognized)
    );
    assert_eq!(bundle.artifacts[0].bytes, 4096);
    assert!(bundle.problems.is_empty(), "{:?}", bundle.problems);
    bundle.hash();
    assert_eq!(
        bundle.artifacts[2].sha256.unwrap().to_string(),
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    );
}

#[test]
fn the_order_of_arguments_and_the_way_to_them_do_not_matter() {
    let folder = collection(&[
        ("a/System.evtx", LOG),
        ("b/System.evtx", LOG),
        ("c.evtx", LOG),
    ]);
    let [a, b, c] = ["a", "b", "c.evtx"].map(|name| folder.path().join(name));
    let one = opened(&[&a, &b, &c]);
    assert_eq!(paths(&one), ["a/System.evtx", "b/System.evtx", "c.evtx"]);
    let roundabout = folder.path().join("b").join("..").join("a");
    let other = opened(&[&c, &b, &roundabout, &a, &a.join("System.evtx")]);
    assert_eq!(paths(&other), paths(&one));
}

#[test]
fn inputs_of_the_same_name_are_told_apart() {
    let folder = collection(&[("x/logs/System.evtx", LOG), ("y/logs/System.evtx", LOG)]);
    let [x, y] = ["x/logs", "y/logs"].map(|name| folder.path().join(name));
    assert_eq!(
        paths(&opened(&[&x, &y])),
        ["x/logs/System.evtx", "y/logs/System.evtx"]
    );
    assert_eq!(paths(&opened(&[&x])), ["System.evtx"]);
    let [x, y] = [x, y].map(|folder| folder.join("System.evtx"));
    assert_eq!(
        paths(&opened(&[&y, &x])),
        ["x/logs/System.evtx", "y/logs/System.evtx"]
    );
}

#[test]
fn a_folder_inside_of_another_counts_once() {
    let folder = collection(&[("all/logs/System.evtx", LOG)]);
    let all = folder.path().join("all");
    assert_eq!(
        paths(&opened(&[&all.join("logs"), &all])),
        ["logs/System.evtx"]
    );
}

#[test]
fn transaction_logs_find_their_hive_beside_them() {
    let mut log = hive();
    log[28] = 6;
    let folder = collection(&[
        ("config/SYSTEM", &hive()),
        ("config/system.LOG1", &log),
        ("config/SYSTEM.LOG2", &log),
        ("saved/SOFTWARE.hve", &hive()),
        ("saved/SOFTWARE.LOG1", &log),
        ("elsewhere/SYSTEM.LOG1", &log),
    ]);
    let bundle = opened(&[folder.path()]);
    let logs = |hive: &str| {
        let logs = bundle.transaction_logs(bundle.artifact(hive).unwrap());
        logs.map(|log| log.path.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(
        logs("config/SYSTEM"),
        ["config/SYSTEM.LOG2", "config/system.LOG1"]
    );
    assert_eq!(logs("saved/SOFTWARE.hve"), ["saved/SOFTWARE.LOG1"]);
    assert_eq!(
        troubles(&bundle),
        [("elsewhere/SYSTEM.LOG1", &Trouble::TransactionLogAlone)]
    );
}

#[test]
fn what_promises_evidence_and_holds_none_is_named() {
    let folder = collection(&[
        ("System.evtx", LOG),
        ("Security.evtx", b""),
        ("SOFTWARE", b"<html>not found</html>"),
        ("SYSTEM.LOG1", b""),
        ("empty.txt", b""),
    ]);
    let bundle = opened(&[folder.path()]);
    let (promised, found) = ("a hive", NotUsed::Unrecognized);
    assert_eq!(
        troubles(&bundle),
        [
            ("SOFTWARE", &Trouble::NotWhatItsNameSays { promised, found }),
            ("Security.evtx", &Trouble::Empty("an event log")),
        ]
    );
}

#[test]
fn nothing_to_work_on_is_an_error_that_says_what_to_do() {
    assert_eq!(attempt(&[]).unwrap_err(), OpenError::NoInput);
    let folder = collection(&[("case.rar", b"Rar!\x1a\x07"), ("empty.evtx", b"")]);
    let message = refused(&[&folder.path().join("mising")]);
    assert!(
        message.contains("mising: there is no such file or folder"),
        "{message}"
    );
    let message = refused(&[folder.path()]);
    assert!(message.contains("none of the 2 files"), "{message}");
    assert!(
        message.contains("empty.evtx: named like an event log, but empty"),
        "{message}"
    );
    let message = refused(&[&folder.path().join("case.rar")]);
    assert!(
        message.contains("case.rar: an archive of a kind that is not read: unpack it first"),
        "{message}"
    );
    let nothing = TempDir::new().unwrap();
    let message = refused(&[nothing.path()]);
    assert!(message.contains("the folder is empty"), "{message}");
    assert!(
        message.contains(nothing.path().to_str().unwrap()),
        "{message}"
    );
}

#[test]
fn a_missing_path_beside_a_good_one_is_a_problem_without_its_absolute_path() {
    let folder = collection(&[("System.evtx", LOG)]);
    let bundle = opened(&[
        &folder.path().join("System.evtx"),
        &folder.path().join("SYSTEM"),
    ]);
    assert_eq!(troubles(&bundle), [("SYSTEM", &Trouble::NoSuchPath)]);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn links_loops_pipes_and_sockets_are_named_and_never_opened() {
        let folder = collection(&[("in/System.evtx", LOG), ("out/SYSTEM", &hive())]);
        let inside = folder.path().join("in");
        symlink(&inside, inside.join("loop")).unwrap();
        symlink(folder.path().join("out/SYSTEM"), inside.join("SYSTEM")).unwrap();
        symlink("nowhere", inside.join("dangling")).unwrap();
        let _socket = UnixListener::bind(inside.join("socket")).unwrap();
        let pipe = inside.join("pipe.evtx");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let bundle = opened(&[&inside]);
        assert_eq!(paths(&bundle), ["System.evtx"]);
        assert_eq!(
            troubles(&bundle),
            [
                ("SYSTEM", &Trouble::SymbolicLink),
                ("dangling", &Trouble::SymbolicLink),
                ("loop", &Trouble::SymbolicLink),
                ("pipe.evtx", &Trouble::NotAFile),
                ("socket", &Trouble::NotAFile),
            ]
        );
        // As an argument of its own a link is followed: somebody named it. A pipe is not opened even then.
        assert_eq!(paths(&opened(&[&inside.join("SYSTEM")])), ["SYSTEM"]);
        assert!(refused(&[&pipe]).contains("never opened"));
    }

    #[test]
    fn names_that_are_not_utf8_are_shown_and_read() {
        let folder = collection(&[]);
        for name in [b"Syst\xe9m.evtx", b"Syst\xe8m.evtx"] {
            fs::write(folder.path().join(OsStr::from_bytes(name)), LOG).unwrap();
        }
        let mut bundle = opened(&[folder.path()]);
        assert_eq!(paths(&bundle), ["Syst\\xE8m.evtx", "Syst\\xE9m.evtx"]);
        bundle.hash();
        assert!(
            bundle
                .artifacts
                .iter()
                .all(|artifact| artifact.sha256.is_some())
        );
    }

    #[test]
    fn what_may_not_be_read_is_named() {
        let folder = collection(&[
            ("System.evtx", LOG),
            ("SYSTEM", &hive()),
            ("no/Security.evtx", LOG),
        ]);
        let set = |name: &str, mode| {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(folder.path().join(name), permissions).unwrap();
        };
        set("SYSTEM", 0o000);
        set("no", 0o000);
        let reads_everything = fs::read(folder.path().join("SYSTEM")).is_ok();
        let bundle = opened(&[folder.path()]);
        set("no", 0o700);
        if reads_everything {
            println!("skipped: this user may read everything");
            return;
        }
        assert_eq!(paths(&bundle), ["System.evtx"]);
        assert!(matches!(
            troubles(&bundle)[..],
            [
                ("SYSTEM", Trouble::UnreadableFile(_)),
                ("no", Trouble::UnreadableFolder(_))
            ]
        ));
    }

    #[test]
    fn neither_times_nor_the_way_to_the_folder_change_anything() {
        let folder = collection(&[("System.evtx", LOG), ("SYSTEM", &hive())]);
        let describe = |input: &Path| {
            let mut bundle = opened(&[input]);
            bundle.hash();
            format!("{bundle:?}")
        };
        let before = describe(folder.path());
        let file = fs::File::open(folder.path().join("SYSTEM")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(describe(&folder.path().join(".")), before);
        assert!(!before.contains(folder.path().to_str().unwrap()));
    }
}

#[test]
fn real_files_are_what_they_are() {
    let Some(folder) = corpus("") else {
        return;
    };
    let bundle = opened(&[Path::new(&folder)]);
    for artifact in &bundle.artifacts {
        let folder = artifact.path.split('/').next().unwrap();
        let right = match (folder, artifact.name().rsplit_once('.').map(|(_, end)| end)) {
            ("evtx", _) => matches!(artifact.kind, Kind::EventLog(_)),
            ("hives", Some("LOG1" | "LOG2")) => {
                matches!(artifact.kind, Kind::TransactionLog { .. })
            }
            ("keys", Some("reg")) => matches!(artifact.kind, Kind::RegistryExport),
            ("hives", Some("txt")) => matches!(artifact.kind, Kind::NotUsed(_)),
            ("keys", Some("sst")) => matches!(artifact.kind, Kind::Certificate(_)),
            ("keys", _) => matches!(artifact.kind, Kind::KeyFile),
            ("hives", _) => matches!(artifact.kind, Kind::Hive(_)),
            ("certs", Some("cer" | "der")) => matches!(artifact.kind, Kind::Certificate(_)),
            _ => true,
        };
        assert!(right, "{}: {:?}", artifact.path, artifact.kind);
    }
    for problem in &bundle.problems {
        println!("{problem}");
    }
}

#[test]
fn an_earlier_windows_and_old_copies_of_hives_are_not_mixed_in() {
    let folder = collection(&[
        ("C/Windows/System32/config/SYSTEM", &hive()),
        ("C/Windows/System32/config/RegBack/SYSTEM", &hive()),
        ("C/windows.OLD/Windows/System32/config/SYSTEM", &hive()),
        ("C/Windows.old.000/System.evtx", LOG),
    ]);
    let bundle = opened(&[folder.path()]);
    let kinds: Vec<&Kind> = bundle
        .artifacts
        .iter()
        .map(|artifact| &artifact.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            &Kind::NotUsed(NotUsed::EarlierWindows),
            &Kind::NotUsed(NotUsed::HiveBackup),
            &Kind::Hive(rdptriage::bundle::HiveForm::Whole),
            &Kind::NotUsed(NotUsed::EarlierWindows),
        ]
    );
    assert!(bundle.problems.is_empty(), "{:?}", bundle.problems);
    // Whoever names such a folder wants it read.
    let backup = folder.path().join("C/Windows/System32/config/RegBack");
    let bundle = opened(&[&backup]);
    assert!(bundle.artifacts[0].kind.is_evidence());
}
