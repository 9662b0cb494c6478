//! Access control lists that Windows tools wrote into text files.

use rdptriage::parse::acl_listing::{AclListing, EntryProblem, ListingForm, ListingProblem};
use rdptriage::parse::security::{
    AccessMask, Answer, Dacl, ObjectKind, Sid, Trustee, granted, parse_sddl,
};

use Answer::{Allowed, Denied, Unknown};

const READ: AccessMask = AccessMask::FILE_READ_DATA;

/// The token of the Remote Desktop service: NETWORK SERVICE and its groups.
fn term_service() -> Vec<Sid> {
    ["S-1-5-20", "S-1-1-0", "S-1-5-32-545", "S-1-5-11", "S-1-5-6"]
        .map(|text| text.parse().unwrap())
        .to_vec()
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn listing(bytes: &[u8]) -> AclListing {
    AclListing::parse(bytes).unwrap()
}

/// Whether TermService may read the object of this name.
fn term_service_reads(listing: &AclListing, name: &str) -> Answer {
    let descriptor = listing.find(name).unwrap().descriptor.as_ref().unwrap();
    granted(descriptor, &term_service(), ObjectKind::File).allows(READ)
}

const KEY: &str = "f686aace6942fb7f7ceb231212eef4a4_61841625-24c4-495b-9080-eccd903b9e6f";

#[test]
fn a_saved_listing_gives_every_name_its_descriptor() {
    let text = format!(
        "MachineKeys\r\nD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)\r\nMachineKeys\\{KEY}\r\nD:P(A;;FA;;;SY)(A;;FA;;;BA)\r\n\
         MachineKeys\\a name with spaces and dots...\r\nD:P(A;;FA;;;SY)\r\n"
    );
    for bytes in [
        utf16(&text),
        utf16(&text)[2..].to_vec(),
        text.clone().into_bytes(),
    ] {
        let listing = listing(&bytes);
        assert_eq!(listing.form, ListingForm::IcaclsSave);
        assert_eq!(listing.problems, []);
        assert_eq!(listing.entries.len(), 3);
        assert_eq!(term_service_reads(&listing, "machinekeys"), Allowed);
        assert_eq!(term_service_reads(&listing, KEY), Denied);
        assert_eq!(
            listing.entries[2].name.as_deref(),
            Some("MachineKeys\\a name with spaces and dots...")
        );
        assert_eq!(listing.entries[2].line, 5);
    }
}

#[test]
fn a_saved_listing_that_is_cut_says_so_and_guesses_nothing() {
    let text = format!("MachineKeys\\{KEY}\r\nD:P(A;;FA;;;SY)(A;;FR;;;NS)");
    let entry = |text: &str| {
        let listing = listing(&utf16(text));
        assert_eq!(
            listing.problems,
            [ListingProblem::Cut {
                line: text.lines().count()
            }]
        );
        listing.entries[0].descriptor.clone()
    };
    assert_eq!(entry(&text), Err(EntryProblem::MayBeCut { line: 2 }));
    // Cut between two entries: what is left looks whole, and lacks NETWORK SERVICE.
    assert_eq!(
        entry(&text[..text.len() - 12]),
        Err(EntryProblem::MayBeCut { line: 2 })
    );
    assert!(matches!(
        entry(&text[..text.len() - 3]),
        Err(EntryProblem::Sddl(_))
    ));

    let lost = listing(&utf16("one\r\ntwo\r\nD:P(A;;FA;;;SY)\r\nthree\r\n"));
    assert_eq!(lost.entries[0].descriptor, Err(EntryProblem::Missing));
    assert!(lost.entries[1].descriptor.is_ok());
    assert_eq!(lost.entries[2].descriptor, Err(EntryProblem::Missing));
}

#[test]
fn a_saved_listing_of_a_hundred_thousand_files_is_read() {
    let mut text = String::new();
    for number in 0..100_000 {
        text.push_str(&format!("MachineKeys\\{number:032x}_61841625-24c4-495b-9080-eccd903b9e6f\r\nD:P(A;;FA;;;SY)(A;;FR;;;NS)\r\n"));
    }
    let listing = listing(&utf16(&text));
    assert_eq!(listing.entries.len(), 100_000);
    assert!(listing.entries.iter().all(|entry| entry.descriptor.is_ok()));
}

/// The console's output for one file.
fn console(name: &str, entries: &[&str], summary: &str) -> String {
    let mut text = String::new();
    for (index, entry) in entries.iter().enumerate() {
        let indent = " ".repeat(name.chars().count());
        text.push_str(&format!(
            "{} {entry}\r\n",
            if index == 0 { name } else { &indent }
        ));
    }
    text + "\r\n" + summary + "\r\n"
}

const DONE: &str = "Successfully processed 1 files; Failed processing 0 files";

#[test]
fn console_output_is_read_in_every_language() {
    let languages: [(&str, [&str; 3], &str); 8] = [
        (
            "English, Japanese, Chinese",
            [
                "NT AUTHORITY\\SYSTEM",
                "NT AUTHORITY\\NETWORK SERVICE",
                "BUILTIN\\Administrators",
            ],
            DONE,
        ),
        (
            "German",
            [
                "NT-AUTORITÄT\\SYSTEM",
                "NT-AUTORITÄT\\Netzwerkdienst",
                "VORDEFINIERT\\Administratoren",
            ],
            "1 Dateien erfolgreich verarbeitet, bei 0 Dateien ist ein Verarbeitungsfehler aufgetreten.",
        ),
        (
            "French",
            [
                "AUTORITE NT\\Système",
                "AUTORITE NT\\SERVICE RÉSEAU",
                "BUILTIN\\Administrateurs",
            ],
            "1 fichiers correctement traités ; échec du traitement de 0 fichiers",
        ),
        (
            "Spanish",
            [
                "NT AUTHORITY\\SYSTEM",
                "NT AUTHORITY\\Servicio de red",
                "BUILTIN\\Administradores",
            ],
            "Se procesaron correctamente 1 archivos; error al procesar 0 archivos",
        ),
        (
            "Italian",
            [
                "NT AUTHORITY\\SYSTEM",
                "NT AUTHORITY\\SERVIZIO DI RETE",
                "BUILTIN\\Administrators",
            ],
            "Elaborazione completata per 1 file. Elaborazione non riuscita per 0 file",
        ),
        (
            "Portuguese",
            [
                "AUTORIDADE NT\\SISTEMA",
                "AUTORIDADE NT\\Serviço de Rede",
                "BUILTIN\\Administradores",
            ],
            "1 arquivos processados com êxito; falha ao processar 0 arquivos",
        ),
        (
            "Russian",
            [
                "NT AUTHORITY\\СИСТЕМА",
                "NT AUTHORITY\\NETWORK SERVICE",
                "BUILTIN\\Администраторы",
            ],
            "Успешно обработано 1 файлов; не удалось обработать 0 файлов",
        ),
        ("SIDs", ["S-1-5-18", "S-1-5-20", "S-1-5-32-544"], DONE),
    ];
    let name = format!("C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\{KEY}");
    for (language, [system, network_service, administrators], summary) in languages {
        let whole = [
            format!("{system}:(F)"),
            format!("{network_service}:(R)"),
            format!("{administrators}:(R)"),
        ];
        let entries: Vec<&str> = whole.iter().map(String::as_str).collect();
        for bytes in [
            console(&name, &entries, summary).into_bytes(),
            utf16(&console(&name, &entries, summary)),
        ] {
            let listing = listing(&bytes);
            assert_eq!(listing.form, ListingForm::IcaclsConsole, "{language}");
            assert_eq!(listing.problems, [], "{language}");
            assert_eq!(
                listing.entries[0].name.as_deref(),
                Some(name.as_str()),
                "{language}"
            );
            assert_eq!(term_service_reads(&listing, KEY), Allowed, "{language}");
        }
        let hardened = listing(console(&name, &[entries[0], entries[2]], summary).as_bytes());
        assert_eq!(term_service_reads(&hardened, KEY), Denied, "{language}");
        let denied = format!("{network_service}:(DENY)(R)");
        let denied =
            listing(console(&name, &[&denied, entries[0], entries[1]], summary).as_bytes());
        assert_eq!(term_service_reads(&denied, KEY), Denied, "{language}");
    }
}

#[test]
fn console_output_in_an_unnamed_code_page_still_tells_the_accounts() {
    let text = console(
        KEY,
        &[
            "AUTORITE NT\\Syst?me:(F)",
            "AUTORITE NT\\SERVICE R?SEAU:(R)",
        ],
        DONE,
    );
    // Code page 850 and Windows-1252.
    for (small, capital) in [(0x8a, 0x90), (0xe8, 0xc9)] {
        let mut letters = [small, capital].into_iter();
        let bytes: Vec<u8> = text
            .bytes()
            .map(|byte| {
                if byte == b'?' {
                    letters.next().unwrap()
                } else {
                    byte
                }
            })
            .collect();
        let listing = listing(&bytes);
        assert_eq!(listing.problems, [ListingProblem::CodePage]);
        assert_eq!(term_service_reads(&listing, KEY), Allowed);
    }
    let russian = console(
        KEY,
        &["NT AUTHORITY\\СИСТЕМА:(F)", "BUILTIN\\Пользователи:(R)"],
        DONE,
    );
    for page in [encoding_rs::IBM866, encoding_rs::WINDOWS_1251] {
        let (bytes, ..) = page.encode(&russian);
        assert_eq!(
            term_service_reads(&listing(&bytes), KEY),
            Allowed,
            "{}",
            page.name()
        );
    }
}

#[test]
fn a_name_that_is_not_known_leaves_the_answer_open() {
    let polish = console(
        KEY,
        &[
            "ZARZĄDZANIE NT\\SYSTEM:(F)",
            "ZARZĄDZANIE NT\\USŁUGA SIECIOWA:(R)",
        ],
        DONE,
    );
    assert_eq!(
        term_service_reads(&listing(polish.as_bytes()), KEY),
        Unknown
    );
    // In a language that is known, an account of a domain is none of Windows' own.
    let english = console(
        KEY,
        &["NT AUTHORITY\\SYSTEM:(F)", "CORP\\backup operators:(R)"],
        DONE,
    );
    assert_eq!(
        term_service_reads(&listing(english.as_bytes()), KEY),
        Denied
    );
}

#[test]
fn service_names_give_their_sid() {
    let text = console(
        KEY,
        &["NT AUTHORITY\\SYSTEM:(F)", "NT SERVICE\\SessionEnv:(F)"],
        DONE,
    );
    let listing = listing(text.as_bytes());
    let Dacl::Entries { entries, .. } = &listing.entries[0].descriptor.as_ref().unwrap().dacl
    else {
        panic!()
    };
    assert_eq!(
        entries[1].trustee,
        Trustee::Sid(Sid::of_service("SessionEnv"))
    );
}

#[test]
fn names_with_spaces_and_single_entries_are_divided() {
    let folder = "C:\\Documents and Settings\\All Users\\key store";
    let text = console(
        folder,
        &["Everyone:(R,W)", "BUILTIN\\Administrators:(I)(OI)(CI)(F)"],
        DONE,
    );
    let two = listing(text.as_bytes());
    assert_eq!(two.entries[0].name.as_deref(), Some(folder));
    assert_eq!(term_service_reads(&two, folder), Allowed);
    for entry in ["NT AUTHORITY\\NETWORK SERVICE:(R)", "Everyone:(RD,RA)"] {
        let one = listing(console(folder, &[entry], DONE).as_bytes());
        assert_eq!(one.entries[0].name.as_deref(), Some(folder), "{entry}");
        assert_eq!(term_service_reads(&one, folder), Allowed, "{entry}");
    }
    let drive = listing(console("D:\\keys", &["Everyone:(N)"], DONE).as_bytes());
    assert_eq!(drive.form, ListingForm::IcaclsConsole);
    assert_eq!(term_service_reads(&drive, "D:\\keys"), Denied);
}

#[test]
fn console_output_that_is_cut_gives_no_descriptor() {
    let text = console(
        KEY,
        &[
            "NT AUTHORITY\\SYSTEM:(F)",
            "NT AUTHORITY\\NETWORK SERVICE:(R)",
        ],
        DONE,
    );
    let end = text.find("\r\n\r\n").unwrap();
    for cut in (KEY.len() + 27)..=end + 2 {
        let listing = listing(&text.as_bytes()[..cut]);
        assert!(
            listing.entries[0].descriptor.is_err(),
            "cut to {cut}: {listing:?}"
        );
    }
}

#[test]
fn refused_files_are_problems_and_the_others_are_read() {
    let text = format!(
        "C:\\keys\\locked: Access is denied.\r\n{}",
        console(KEY, &["NT AUTHORITY\\SYSTEM:(F)"], DONE)
    );
    let listing = listing(text.as_bytes());
    assert!(matches!(
        &listing.problems[..],
        [ListingProblem::Line { line: 1, .. }]
    ));
    assert_eq!(listing.entries.len(), 1);
}

#[test]
fn get_acl_is_read_as_text_and_as_list() {
    let sddl = "O:SYG:SYD:PAI(A;;FA;;;SY)(A;;0x120089;;;NS)(A;;FA;;;S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833)";
    let text = listing(format!("{sddl}\r\n").as_bytes());
    assert_eq!(text.form, ListingForm::Sddl);
    assert_eq!(text.entries[0].descriptor, Ok(parse_sddl(sddl).unwrap()));

    let (first, second) = sddl.split_at(60);
    let list = format!(
        "\r\n\r\nPath   : Microsoft.PowerShell.Core\\FileSystem::C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\f686aace6942fb7f7\r\n         \
         ceb231212eef4a4_61841625-24c4-495b-9080-eccd903b9e6f\r\nOwner  : NT AUTHORITY\\SYSTEM\r\nGroup  : NT AUTHORITY\\SYSTEM\r\n\
         Access : NT AUTHORITY\\NETWORK SERVICE Allow  Read, Synchronize\r\n         NT AUTHORITY\\SYSTEM Allow  FullControl\r\n\
         Audit  : \r\nSddl   : {first}\r\n         {second}\r\n\r\n"
    );
    let list = listing(&utf16(&list.repeat(2)));
    assert_eq!(list.form, ListingForm::GetAclList);
    assert_eq!(list.problems, []);
    assert_eq!(list.entries.len(), 2);
    assert_eq!(term_service_reads(&list, KEY), Allowed);
}

#[test]
fn what_is_no_listing_is_none() {
    for text in [
        "",
        "hello\r\nworld\r\n",
        "[Version]\r\nSignature=1\r\n",
        "a,b,c\r\n1,2,3\r\n",
    ] {
        assert_eq!(AclListing::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn an_integrity_label_is_no_entry() {
    let label = "Mandatory Label\\High Mandatory Level:(OI)(CI)(NW)";
    let text = console(KEY, &["NT AUTHORITY\\NETWORK SERVICE:(R)", label], DONE);
    let listing = listing(text.as_bytes());
    let descriptor = listing.entries[0].descriptor.as_ref().unwrap();
    assert!(matches!(&descriptor.dacl, Dacl::Entries { entries, .. } if entries.len() == 1));
}

#[test]
fn no_mutation_makes_a_reader_panic() {
    let saved = utf16(&format!(
        "MachineKeys\\{KEY}\r\nD:P(A;;FA;;;SY)(XA;;FR;;;NS;(a==\"b\"))\r\n"
    ));
    let shown = console(
        KEY,
        &["NT-AUTORITÄT\\SYSTEM:(I)(F)", "CORP\\x y:(DENY)(R,W)"],
        DONE,
    )
    .into_bytes();
    let list = b"Path : a::b\nSddl : O:SYG:SYD:(A;;FA;;;SY)\n  (A;;FA;;;BA)\n".to_vec();
    let mut state = 3_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..5000 {
        for original in [&saved, &shown, &list] {
            let mut bytes = original.clone();
            for _ in 0..=random() % 4 {
                let place = random() % bytes.len();
                bytes[place] = random() as u8;
            }
            let _ = AclListing::parse(&bytes);
        }
    }
}

/// A descriptor that lost its last entries looks like one that never had them.
#[test]
fn a_list_of_properties_that_was_cut_never_shows_fewer_entries() {
    let whole = "O:BAG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;NS)";
    let list = format!(
        "\r\nPath   : Microsoft.PowerShell.Core\\FileSystem::C:\\ProgramData\\Microsoft\\Crypto\\RSA\\Machine\r\n         Keys\\f686aace6942fb7f7ceb231212eef4a4_x\r\nOwner  : VORDEFINIERT\\Administratoren\r\nSddl   : {}\r\n         {}\r\n\r\n\r\n",
        &whole[..37],
        &whole[37..]
    );
    let bare = format!("{whole}\r\n");
    for text in [list, bare] {
        let all = AclListing::parse(text.as_bytes()).unwrap();
        let full = all.entries[0].descriptor.as_ref().unwrap().clone();
        for end in 0..text.len() {
            let Some(cut) = AclListing::parse(&text.as_bytes()[..end]) else {
                continue;
            };
            for entry in cut.entries {
                if let Ok(descriptor) = entry.descriptor {
                    assert_eq!(descriptor, full, "{:?}", &text[..end]);
                }
            }
        }
    }
}
