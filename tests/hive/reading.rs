//! Hives as they should be: what is written is read.

use super::*;

#[test]
fn what_is_written_is_read() {
    let mut builder = system();
    let secret = descriptor(
        &[18],
        &[18],
        &[(1, 0x0002, &[18]), (0, 0xF003F, &[32, 544])],
    );
    builder
        .set_qword("All", "qword", u64::MAX - 1)
        .set_multi_sz("All", "list", &["TLS_AES_256_GCM_SHA384", "Zoë"])
        .set_expand_sz("All", "path", r"%SystemRoot%\system32")
        .set_binary("All", "five", &[1, 2, 3, 4, 5])
        .set_binary("All", "empty", &[])
        .set_sz("All", "", "the default value")
        .set_sz(r"All\Ελληνικά", "Größe", "ü")
        .security("All", &secret)
        .touch(r"All\Ελληνικά", time("2031-05-06T07:08:09Z"));
    builder
        .at("All")
        .value("none", REG_NONE, &[7])
        .value("odd", 4, &[1, 2])
        .value("resource", 8, &[0; 9]);
    builder.at("All").value("big endian", 5, &[0, 0, 1, 2]);
    let hive = open(&builder.to_bytes());

    assert_eq!(hive.state(), State::Clean);
    assert_eq!(hive.name_in_header(), r"stemRoot\System32\Config\SYSTEM");
    assert_eq!(hive.header().written, Some(time("2025-03-04T10:20:30Z")));
    assert_eq!(hive.newest_write(), Some(time("2031-05-06T07:08:09Z")));
    assert_eq!(hive.survey().unreadable, 0);

    let server = key(&hive, r"controlset001\CONTROL\terminal server");
    assert_eq!(
        (server.name().as_str(), server.path()),
        ("Terminal Server", TERMINAL_SERVER)
    );
    assert_eq!(server.written(), Some(time("2025-03-01T12:00:00.1234567Z")));
    assert_eq!(server.class_name(), Lookup::Present("Terminal".to_owned()));
    assert_eq!(
        value(&hive, TERMINAL_SERVER, "FDENYTSCONNECTIONS").dword(),
        Ok(0)
    );
    assert_eq!(server.value("fDenyTS"), Lookup::Absent);

    assert_eq!(value(&hive, "All", "qword").qword(), Ok(u64::MAX - 1));
    let list = value(&hive, "All", "list").multi_text();
    assert_eq!(
        list,
        Ok(vec!["TLS_AES_256_GCM_SHA384".to_owned(), "Zoë".to_owned()])
    );
    assert_eq!(
        value(&hive, "All", "path").text().as_deref(),
        Ok(r"%SystemRoot%\system32")
    );
    assert_eq!(value(&hive, "All", "five").bytes, [1, 2, 3, 4, 5]);
    assert_eq!(value(&hive, "All", "empty").bytes, [0_u8; 0]);
    assert_eq!(
        value(&hive, "All", "").text().as_deref(),
        Ok("the default value")
    );
    assert_eq!(value(&hive, "All", "none").kind, ValueKind::RegNone);
    assert_eq!(value(&hive, "All", "resource").kind, ValueKind::Other(8));
    assert_eq!(value(&hive, "All", "big endian").dword(), Ok(0x0102));
    assert_eq!(
        value(&hive, r"All\ΕΛΛΗΝΙΚΆ", "GRÖßE").text().as_deref(),
        Ok("ü")
    );
    let wrong = value(&hive, "All", "odd").dword().unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "expected REG_DWORD, found REG_DWORD of 2 bytes"
    );
    assert!(value(&hive, "All", "five").text().is_err());

    assert_eq!(
        key(&hive, "All").security_descriptor(),
        Lookup::Present(secret.clone())
    );
    assert_eq!(
        key(&hive, r"All\Ελληνικά").security_descriptor(),
        Lookup::Present(secret)
    );
    let ordinary = support::hive::default_descriptor();
    assert_eq!(
        key(&hive, "Select").security_descriptor(),
        Lookup::Present(ordinary)
    );

    let names: Vec<String> = key(&hive, "")
        .subkeys()
        .entries
        .iter()
        .map(Key::name)
        .collect();
    assert_eq!(names, ["All", "ControlSet001", "Select"]);
    assert_eq!(hive.problems(), []);
}

#[test]
fn long_values_are_read_with_and_without_big_data() {
    let long: Vec<u8> = (0..70_000_u32).map(|number| (number % 251) as u8).collect();
    for version in [3, 5, 6] {
        let mut builder = HiveBuilder::new("SOFTWARE").minor_version(version);
        for length in [16_343, 16_344, 16_345, 32_688, 70_000] {
            builder.set_binary("Blobs", &length.to_string(), &long[..length]);
        }
        let hive = open(&builder.to_bytes());
        for length in [16_343, 16_344, 16_345, 32_688, 70_000] {
            let read = value(&hive, "Blobs", &length.to_string()).bytes;
            assert!(
                read == long[..length],
                "{length} bytes in version 1.{version}"
            );
        }
        assert!(key(&hive, "Blobs").values().is_whole());
        assert_eq!(hive.problems(), []);
    }
}

#[test]
fn a_key_among_two_thousand_is_found() {
    for version in [3, 5] {
        let mut builder = HiveBuilder::new("SYSTEM").minor_version(version);
        for number in 0..2000 {
            builder.set_dword(&format!(r"Many\Key {number}"), "number", number);
        }
        let hive = open(&builder.to_bytes());
        let subkeys = key(&hive, "Many").subkeys();
        assert_eq!((subkeys.entries.len(), subkeys.is_whole()), (2000, true));
        for number in [0, 7, 510, 511, 512, 1022, 1999] {
            assert_eq!(
                value(&hive, &format!(r"many\KEY {number}"), "number").dword(),
                Ok(number)
            );
        }
        assert!(matches!(hive.key(r"Many\Key 2000"), Lookup::Absent));
        assert_eq!(hive.problems(), []);
        assert_eq!(hive.survey().keys, 2002);
    }
}

#[test]
fn both_walks_find_the_same_keys() {
    for version in [3, 6] {
        let mut builder = system().minor_version(version);
        for number in 0..1300 {
            builder.set_dword(&format!(r"Many\Ключ {number}\Sub"), "number", number);
        }
        let hive = open(&builder.to_bytes());
        let (names, troubles) = walk_ourselves(&hive);
        assert_eq!(troubles, [] as [String; 0]);
        assert_eq!(names.len(), hive.survey().keys);
        assert_eq!(names, walk_with_nt_hive(hive.bytes()));
    }
}

#[test]
fn both_walks_find_the_same_keys_in_every_sample() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut hives = 0;
    for entry in walkdir::WalkDir::new(samples).sort_by_file_name() {
        let entry = entry.expect("an entry");
        if !entry.file_type().is_file() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("a file");
        if !bytes.starts_with(b"regf") {
            continue;
        }
        let hive = open(&bytes);
        let (names, troubles) = walk_ourselves(&hive);
        let path = entry.path().display();
        assert_eq!(troubles, [] as [String; 0], "{path}");
        assert_eq!(names, walk_with_nt_hive(hive.bytes()), "{path}");
        assert!(names.len() > 10, "{path}");
        hives += 1;
    }
    assert!(hives > 20, "{hives} hives");
}

#[test]
fn the_same_hive_is_forged_twice() {
    assert_eq!(versions(), versions());
}
