//! Security descriptors, and what tokens may do with them.

use rdptriage::parse::security::{
    AccessMask, Ace, AceKind, Answer, Condition, Dacl, Inheritance, ObjectKind, SddlProblem,
    SecurityDescriptor, Sid, Trustee, granted, parse_sddl,
};

use Answer::{Allowed, Denied, Unknown};
use ObjectKind::{File, RegistryKey};
use Who::{Administrator, ServiceOfLocalAccount, System, TermService};

/// The tokens that the cases speak of.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// NETWORK SERVICE with what a service of it carries.
    TermService,
    System,
    /// A member of Administrators, an account of its own.
    Administrator,
    ServiceOfLocalAccount,
}

impl Who {
    fn token(self) -> Vec<Sid> {
        let texts: &[&str] = match self {
            TermService => &["S-1-5-20", "S-1-1-0", "S-1-5-32-545", "S-1-5-11", "S-1-5-6"],
            System => &["S-1-5-18", "S-1-5-32-544", "S-1-1-0", "S-1-5-11"],
            Administrator => &[
                "S-1-5-21-1-2-3-1001",
                "S-1-5-32-544",
                "S-1-5-32-545",
                "S-1-1-0",
                "S-1-5-11",
            ],
            ServiceOfLocalAccount => &["S-1-5-21-1-2-3-500", "S-1-5-6", "S-1-1-0"],
        };
        let mut token: Vec<Sid> = texts.iter().map(|text| text.parse().unwrap()).collect();
        if let TermService = self {
            token.push(Sid::of_service("TermService"));
        }
        token
    }
}

const READ: AccessMask = AccessMask::FILE_READ_DATA;
const WRITE: AccessMask = AccessMask::FILE_WRITE_DATA;
const DELETE: AccessMask = AccessMask::DELETE;
const FULL: AccessMask = AccessMask::FILE_ALL_ACCESS;
const READ_ALL: AccessMask = AccessMask::FILE_GENERIC_READ;
const SET_VALUE: AccessMask = AccessMask::KEY_SET_VALUE;
const CREATE_SUB_KEY: AccessMask = AccessMask::KEY_CREATE_SUB_KEY;

// Where the cases come from.
const MEASURED: &str = "measured on Windows Server 2012 R2 to 2025 (Azure repair-script-library, win-fix-rdp-certificate)";
const HIVE: &str =
    "read from the SOFTWARE hive of a Windows 7 machine: defaults of the certificate store's keys";
const ORDER: &str = "learn.microsoft.com/windows/win32/secauthz/order-of-aces-in-a-dacl";
const HOW: &str =
    "learn.microsoft.com/windows/win32/secauthz/how-dacls-control-access-to-an-object";
const NULL_EMPTY: &str = "learn.microsoft.com/windows/win32/secauthz/null-dacls-and-empty-dacls";
const CREATING: &str = "learn.microsoft.com/windows/win32/secbp/creating-a-dacl";
const CHECK: &str = "MS-DTYP section 2.5.3.2, the access check algorithm";
const INHERITANCE: &str =
    "learn.microsoft.com/windows/win32/secauthz/ace-inheritance-rules: INHERIT_ONLY_ACE";
const OWNER: &str = "learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers: Owner Rights";
const GENERIC: &str =
    "learn.microsoft.com/windows/win32/fileio/file-security-and-access-rights: generic mapping";
const KEY_RIGHTS: &str =
    "learn.microsoft.com/windows/win32/sysinfo/registry-key-security-and-access-rights";
const KB278381: &str = "Microsoft KB278381: default permissions of MachineKeys";
const HARDENED: &str = "published hardening: Everyone removed, child permissions replaced";
const SDDL: &str = "MS-DTYP section 2.5.1: abbreviations and rights";

type Case = (
    &'static str,
    &'static str,
    ObjectKind,
    Who,
    AccessMask,
    Answer,
);

const FOLDER: &str = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
const KEY_2016: &str = "O:SYG:SYD:P(A;;FA;;;SY)(A;;FR;;;NS)(A;;FR;;;BA)";
const KEY_2019: &str = "O:SYG:SYD:P(A;;FA;;;SY)(A;;0x120089;;;NS)(A;;FA;;;S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833)";
const STORE: &str = "O:SYG:SYD:AI(A;ID;KR;;;BU)(A;CIIOID;GR;;;BU)(A;ID;KA;;;BA)(A;CIIOID;GA;;;BA)(A;ID;KA;;;SY)(A;CIIOID;GA;;;SY)(A;CIIOID;GA;;;CO)";
const STORE_DENIED: &str = "O:SYG:SYD:AI(D;CI;0x6;;;SY)(A;ID;KR;;;BU)(A;ID;KA;;;BA)(A;ID;KA;;;SY)";

const CASES: &[Case] = &[
    // The folder, as it is everywhere.
    (MEASURED, FOLDER, File, TermService, READ_ALL, Allowed),
    (MEASURED, FOLDER, File, TermService, WRITE, Allowed),
    (MEASURED, FOLDER, File, TermService, DELETE, Denied),
    (MEASURED, FOLDER, File, System, FULL, Allowed),
    (
        KB278381,
        "O:SYD:(A;;0x12019f;;;WD)(A;;FA;;;BA)",
        File,
        ServiceOfLocalAccount,
        AccessMask::WRITE_DAC,
        Denied,
    ),
    // The listener's key file.
    (MEASURED, KEY_2016, File, TermService, READ_ALL, Allowed),
    (MEASURED, KEY_2016, File, TermService, WRITE, Denied),
    (MEASURED, KEY_2016, File, System, FULL, Allowed),
    (MEASURED, KEY_2016, File, Administrator, READ_ALL, Allowed),
    (MEASURED, KEY_2019, File, TermService, READ_ALL, Allowed),
    (MEASURED, KEY_2019, File, Administrator, READ, Denied),
    (MEASURED, KEY_2019, File, System, DELETE, Allowed),
    // Broken key files.
    (
        HARDENED,
        "O:SYG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        HARDENED,
        "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        HARDENED,
        "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)",
        File,
        System,
        FULL,
        Allowed,
    ),
    (
        MEASURED,
        "O:SYG:SYD:P(D;;FR;;;NS)(A;;FA;;;SY)(A;;FR;;;NS)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        MEASURED,
        "O:SYG:SYD:P(D;;0x1;;;WD)(A;;FA;;;SY)(A;;FR;;;NS)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        MEASURED,
        "O:SYG:SYD:P(D;;FR;;;SU)(A;;FA;;;SY)(A;;FR;;;NS)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        CHECK,
        "O:SYG:SYD:P(D;;FR;;;BG)(A;;FA;;;SY)(A;;FR;;;NS)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        MEASURED,
        "O:SYG:SYD:P(A;;FR;;;SY)(A;;FR;;;NS)",
        File,
        System,
        DELETE,
        Denied,
    ),
    (
        CHECK,
        "O:SYG:SYD:P(A;;FR;;;S-1-5-80-446051430-1559341753-4161941529-1950928533-810483104)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        CHECK,
        "O:SYG:SYD:P(A;;FR;;;BU)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        CHECK,
        "O:SYG:SYD:P(A;;0x120088;;;NS)",
        File,
        TermService,
        READ,
        Denied,
    ),
    // Order.
    (
        ORDER,
        "D:(D;;FR;;;NS)(A;;FR;;;WD)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        ORDER,
        "D:(A;;FR;;;WD)(D;;FR;;;NS)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        ORDER,
        "D:AI(A;;FR;;;NS)(D;ID;FR;;;NS)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        ORDER,
        "D:AI(D;;0x2;;;NS)(A;ID;FA;;;WD)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        ORDER,
        "D:AI(D;;0x2;;;NS)(A;ID;FA;;;WD)",
        File,
        TermService,
        WRITE,
        Denied,
    ),
    (
        HOW,
        "D:(D;;FA;;;S-1-5-21-1-2-3-1001)(A;;FW;;;BA)(A;;FRFX;;;WD)",
        File,
        Administrator,
        READ,
        Denied,
    ),
    (
        HOW,
        "D:(D;;FA;;;S-1-5-21-1-2-3-1001)(A;;FW;;;BA)(A;;FRFX;;;WD)",
        File,
        System,
        AccessMask(0x12_01bf),
        Allowed,
    ),
    (HOW, "D:(A;;FW;;;BA)", File, TermService, WRITE, Denied),
    // None and empty.
    (
        NULL_EMPTY,
        "O:SYD:NO_ACCESS_CONTROL",
        File,
        TermService,
        FULL,
        Allowed,
    ),
    (NULL_EMPTY, "O:SYD:", File, TermService, READ, Denied),
    (NULL_EMPTY, "O:BAD:P", File, System, READ, Denied),
    (
        "a descriptor asked for without its DACL says nothing about access",
        "O:SYG:SY",
        File,
        TermService,
        READ,
        Unknown,
    ),
    // Entries for children only.
    (
        INHERITANCE,
        "D:(A;OICIIO;FA;;;NS)(A;;FR;;;BA)",
        File,
        TermService,
        READ,
        Denied,
    ),
    (
        INHERITANCE,
        "D:(D;OICIIO;FA;;;NS)(A;;FR;;;NS)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    (
        INHERITANCE,
        "D:(A;OICINP;FR;;;NS)",
        File,
        TermService,
        READ,
        Allowed,
    ),
    // The owner.
    (
        CHECK,
        "O:SYD:(A;;FR;;;NS)",
        File,
        System,
        AccessMask::WRITE_DAC,
        Allowed,
    ),
    (
        CHECK,
        "O:SYD:(A;;FR;;;NS)",
        File,
        System,
        AccessMask::WRITE_OWNER,
        Denied,
    ),
    (
        CHECK,
        "O:SYD:(D;;WD;;;SY)(A;;FR;;;NS)",
        File,
        System,
        AccessMask::WRITE_DAC,
        Allowed,
    ),
    (
        CHECK,
        "O:SYD:(A;;FA;;;BA)",
        File,
        TermService,
        AccessMask::WRITE_DAC,
        Denied,
    ),
    (
        CHECK,
        "D:(A;;FR;;;NS)",
        File,
        TermService,
        AccessMask::WRITE_DAC,
        Unknown,
    ),
    (
        OWNER,
        "O:SYD:(A;;FR;;;OW)",
        File,
        System,
        AccessMask::WRITE_DAC,
        Denied,
    ),
    (OWNER, "O:SYD:(A;;FR;;;OW)", File, System, READ, Allowed),
    (OWNER, "O:SYD:(A;;FR;;;OW)", File, TermService, READ, Denied),
    // Generic rights and the sample of the documentation.
    (
        CREATING,
        "D:(D;OICI;GA;;;BG)(D;OICI;GA;;;AN)(A;OICI;GRGWGX;;;AU)(A;OICI;GA;;;BA)",
        File,
        TermService,
        WRITE,
        Allowed,
    ),
    (
        CREATING,
        "D:(D;OICI;GA;;;BG)(D;OICI;GA;;;AN)(A;OICI;GRGWGX;;;AU)(A;OICI;GA;;;BA)",
        File,
        TermService,
        DELETE,
        Denied,
    ),
    (
        CREATING,
        "D:(D;OICI;GA;;;BG)(D;OICI;GA;;;AN)(A;OICI;GRGWGX;;;AU)(A;OICI;GA;;;BA)",
        File,
        System,
        FULL,
        Allowed,
    ),
    (
        GENERIC,
        "D:(A;;GR;;;NS)",
        File,
        TermService,
        READ_ALL,
        Allowed,
    ),
    (GENERIC, "D:(A;;GX;;;NS)", File, TermService, READ, Denied),
    (
        KEY_RIGHTS,
        "D:(A;;GR;;;SY)",
        RegistryKey,
        System,
        AccessMask::KEY_READ,
        Allowed,
    ),
    (
        KEY_RIGHTS,
        "D:(A;;KW;;;SY)",
        RegistryKey,
        System,
        SET_VALUE.with(CREATE_SUB_KEY),
        Allowed,
    ),
    (
        KEY_RIGHTS,
        "D:(A;;KX;;;SY)",
        RegistryKey,
        System,
        SET_VALUE,
        Denied,
    ),
    (
        SDDL,
        "D:(A;;CCDC;;;NS)",
        File,
        TermService,
        READ.with(WRITE),
        Allowed,
    ),
    // The store's keys.
    (
        HIVE,
        STORE,
        RegistryKey,
        System,
        SET_VALUE.with(CREATE_SUB_KEY),
        Allowed,
    ),
    (
        HIVE,
        STORE,
        RegistryKey,
        TermService,
        AccessMask::KEY_READ,
        Allowed,
    ),
    (HIVE, STORE, RegistryKey, TermService, SET_VALUE, Denied),
    (
        MEASURED,
        STORE_DENIED,
        RegistryKey,
        System,
        SET_VALUE,
        Denied,
    ),
    (
        MEASURED,
        STORE_DENIED,
        RegistryKey,
        System,
        CREATE_SUB_KEY,
        Denied,
    ),
    (
        MEASURED,
        STORE_DENIED,
        RegistryKey,
        System,
        AccessMask::KEY_READ,
        Allowed,
    ),
    (
        MEASURED,
        STORE_DENIED,
        RegistryKey,
        Administrator,
        SET_VALUE,
        Allowed,
    ),
    // Accounts that the text does not fully tell, and conditions that nobody here can judge.
    (SDDL, "D:(A;;FR;;;DA)", File, TermService, READ, Denied),
    (
        SDDL,
        "D:(A;;FR;;;LA)",
        File,
        ServiceOfLocalAccount,
        READ,
        Unknown,
    ),
    (
        SDDL,
        "D:(D;;FR;;;LA)(A;;FR;;;WD)",
        File,
        ServiceOfLocalAccount,
        READ,
        Unknown,
    ),
    (
        SDDL,
        "D:(XA;;FR;;;NS;(@User.Title==\"PM (1)\" && (Member_of {SID(BA)})))",
        File,
        TermService,
        READ,
        Unknown,
    ),
    (
        SDDL,
        "D:(XD;;FR;;;WD;(@User.Project==1))(A;;FR;;;NS)",
        File,
        TermService,
        READ,
        Unknown,
    ),
];

#[test]
fn access_is_what_windows_documents_or_was_measured() {
    assert!(CASES.len() >= 40);
    for (source, sddl, kind, who, rights, expected) in CASES {
        let descriptor = parse_sddl(sddl).unwrap();
        let answer = granted(&descriptor, &who.token(), *kind).allows(*rights);
        assert_eq!(answer, *expected, "{sddl}: {who:?}, {rights:?} ({source})");
    }
}

#[test]
fn sddl_gives_owner_flags_and_entries() {
    let descriptor =
        parse_sddl("O:S-1-5-21-1-2-3-500G:BAD:PAI(A;OICIID;FA;;;SY)S:AI(AU;SAFA;FA;;;WD)").unwrap();
    assert_eq!(
        descriptor.owner,
        Some(Trustee::Sid("S-1-5-21-1-2-3-500".parse().unwrap()))
    );
    assert_eq!(descriptor.group, Some(Trustee::Sid(Sid::administrators())));
    let Dacl::Entries {
        inheritance,
        entries,
    } = descriptor.dacl
    else {
        panic!("a list")
    };
    assert_eq!(inheritance, Inheritance::Protected);
    let [
        Ace {
            kind: AceKind::Allow,
            condition: Condition::Always,
            flags,
            mask,
            trustee,
        },
    ] = &entries[..]
    else {
        panic!("one entry: {entries:?}")
    };
    assert!(flags.inherited() && !flags.inherit_only());
    assert_eq!(*mask, AccessMask::FILE_ALL_ACCESS);
    assert_eq!(*trustee, Trustee::Sid(Sid::system()));
}

#[test]
fn sddl_that_is_none_is_refused_with_its_reason() {
    let why = |text: &str| parse_sddl(text).unwrap_err().why;
    assert_eq!(why(""), SddlProblem::NoSection);
    assert_eq!(why("D:(A;;FA;;;SY"), SddlProblem::Cut);
    assert_eq!(why("D:(A;;FA;;;SY)(A;;F"), SddlProblem::Cut);
    assert_eq!(why("D:(A;;FA;;SY)"), SddlProblem::Fields(5));
    assert_eq!(why("D:(A;;FA;;;QQ)"), SddlProblem::NoSid("QQ".to_owned()));
    assert_eq!(why("D:(A;;ZZ;;;SY)"), SddlProblem::Rights("ZZ".to_owned()));
    assert_eq!(
        why("D:(A;XX;FA;;;SY)"),
        SddlProblem::AceFlags("XX".to_owned())
    );
    assert_eq!(why("D:(Q;;FA;;;SY)"), SddlProblem::AceType("Q".to_owned()));
    assert_eq!(why("D:PQ(A;;FA;;;SY)"), SddlProblem::DaclFlags);
    assert_eq!(why("D:D:"), SddlProblem::Repeated);
    assert_eq!(why("O:D:(A;;FA;;;SY)"), SddlProblem::NoSid(String::new()));
    let object = "D:(OA;;CCDC;bf967aba-0de6-11d0-a285-00aa003049e2;;AO)";
    assert_eq!(why(object), SddlProblem::ObjectAce);
}

/// Builds the binary form of a descriptor that has an owner and a list.
fn binary(entries: &[(u8, u8, u32, &[u32])]) -> Vec<u8> {
    let sid = |numbers: &[u32]| {
        let mut bytes = vec![1, numbers.len() as u8, 0, 0, 0, 0, 0, 5];
        numbers
            .iter()
            .for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes
    };
    let mut list = Vec::new();
    for (kind, flags, mask, numbers) in entries {
        let sid = sid(numbers);
        list.extend([*kind, *flags]);
        list.extend((8 + sid.len() as u16).to_le_bytes());
        list.extend(mask.to_le_bytes());
        list.extend(sid);
    }
    let owner = sid(&[18]);
    let mut bytes = vec![1, 0, 0x04, 0x84];
    for offset in [20, 20, 0, 20 + owner.len() as u32] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend(owner);
    bytes.extend([2, 0]);
    bytes.extend((8 + list.len() as u16).to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(list);
    bytes
}

#[test]
fn the_binary_form_tells_the_same_as_the_text() {
    let bytes = binary(&[
        (1, 2, 6, &[18]),
        (0, 0x10, 0xf003f, &[32, 544]),
        (0, 0x1a, 0x2_0019, &[32, 545]),
    ]);
    let text = "O:SYG:SYD:AI(D;CI;0x6;;;SY)(A;ID;KA;;;BA)(A;CIIOID;KR;;;BU)";
    assert_eq!(
        SecurityDescriptor::from_bytes(&bytes).unwrap(),
        parse_sddl(text).unwrap()
    );
}

#[test]
fn a_binary_descriptor_without_a_list_grants_everything_and_a_cut_one_nothing_at_all() {
    let mut bytes = binary(&[(0, 0, 1, &[20])]);
    for length in 0..bytes.len() {
        assert!(
            SecurityDescriptor::from_bytes(&bytes[..length]).is_err(),
            "cut to {length}"
        );
    }
    bytes[2] = 0;
    assert_eq!(
        SecurityDescriptor::from_bytes(&bytes).unwrap().dacl,
        Dacl::Null
    );
    let object = SecurityDescriptor::from_bytes(&binary(&[(5, 0, 1, &[20])])).unwrap_err();
    assert!(object.to_string().contains("object entry"), "{object}");
}

#[test]
fn no_mutation_makes_a_reader_panic() {
    let text =
        b"O:SYG:SYD:PAI(D;OICI;0x6;;;SY)(XA;;FR;;;NS;(a==\"b\"))S:(AU;SAFA;FA;;;WD)".to_vec();
    let raw = binary(&[(1, 2, 6, &[18]), (0, 0x10, 0xf003f, &[32, 544])]);
    let mut state = 5_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..20_000 {
        for original in [&text, &raw] {
            let mut bytes = original.clone();
            for _ in 0..=random() % 3 {
                let place = random() % bytes.len();
                bytes[place] = random() as u8;
            }
            let _ = SecurityDescriptor::from_bytes(&bytes);
            let _ = parse_sddl(&String::from_utf8_lossy(&bytes));
        }
    }
}
