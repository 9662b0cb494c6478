//! The logs to be read: what a terminal server writes most, with some events of Remote Desktop among it.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::event_log::{CHUNK_SIZE, Event, FILE_HEADER, LogBuilder, Value};

/// Bytes that are forged at a time.
const SEGMENT: usize = 4 << 20;
/// How many files stand for many.
const MANY: u64 = 64;

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One record in a thousand is wanted.
    Sparse,
    /// Fifteen in a hundred are.
    Dense,
    /// One in a thousand, all written without templates, as by exporting tools.
    Templateless,
    /// As sparse, in many files.
    ManyFiles,
}

impl Kind {
    pub const ALL: [Kind; 4] = [
        Kind::Sparse,
        Kind::Dense,
        Kind::Templateless,
        Kind::ManyFiles,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Kind::Sparse => "Sparse: 0.1 % of the records are wanted",
            Kind::Dense => "Dense: 15 % of the records are wanted",
            Kind::Templateless => "Without templates: 0.1 % are wanted",
            Kind::ManyFiles => "Many files: 0.1 % are wanted",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Sparse => "sparse",
            Kind::Dense => "dense",
            Kind::Templateless => "templateless",
            Kind::ManyFiles => "many",
        }
    }

    fn is_wanted(self, number: u64) -> bool {
        match self {
            Kind::Dense => number % 100 < 15,
            Kind::Sparse | Kind::Templateless | Kind::ManyFiles => number.is_multiple_of(1000),
        }
    }

    fn event(self, number: u64) -> Event {
        let event = match self.is_wanted(number) {
            true => wanted(number),
            false => noise(number),
        };
        let start = jiff::Timestamp::from_second(1_767_225_600).expect("a time");
        let event = event.at(start + jiff::SignedDuration::from_millis(number as i64 * 40));
        match self {
            Kind::Templateless => event.templateless(),
            _ => event,
        }
    }
}

/// The files of a kind, written where they are not there yet.
pub fn files(folder: &Path, kind: Kind, megabytes: u64) -> io::Result<Vec<PathBuf>> {
    let folder = folder.join(format!("{}-{megabytes}", kind.name()));
    let (count, each) = match kind {
        Kind::ManyFiles => (MANY, (megabytes << 20) / MANY),
        _ => (1, megabytes << 20),
    };
    std::fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for index in 0..count {
        let path = folder.join(format!("{index:02}.evtx"));
        if !path.exists() {
            let unfinished = path.with_extension("unfinished");
            write_bytes(&unfinished, kind, each)?;
            std::fs::rename(&unfinished, &path)?;
        }
        files.push(path);
    }
    Ok(files)
}

/// Writes a log of about that size.
pub fn write(path: &Path, kind: Kind, megabytes: u64) -> io::Result<()> {
    write_bytes(path, kind, megabytes << 20)
}

fn write_bytes(path: &Path, kind: Kind, size: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&[0; FILE_HEADER])?;
    let mut written = 0;
    let mut next = 1;
    while written < size {
        let mut log = LogBuilder::new("Security")
            .computer("TS1.corp.example")
            .first_record(next);
        let mut room = SEGMENT.min((size - written) as usize);
        // About what a record takes; a segment ends with the chunk it is in.
        while room > 0 {
            log = log.push(kind.event(next));
            next += 1;
            room = room.saturating_sub(1200);
        }
        let bytes = log.to_bytes();
        file.write_all(&bytes[FILE_HEADER..])?;
        written += (bytes.len() - FILE_HEADER) as u64;
    }
    let header = file_header(written / CHUNK_SIZE as u64, next);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header)
}

fn file_header(chunks: u64, next: u64) -> Vec<u8> {
    let mut header = LogBuilder::new("Security").to_bytes();
    header.truncate(FILE_HEADER);
    header[16..24].copy_from_slice(&(chunks - 1).to_le_bytes());
    header[24..32].copy_from_slice(&next.to_le_bytes());
    header[42..44].copy_from_slice(&(chunks as u16).to_le_bytes());
    let checksum = evtx::checksum_ieee(&header[..120]);
    header[124..128].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// A failed logon from the network.
fn wanted(number: u64) -> Event {
    security(4625)
        .data("TargetUserSid", Value::Sid("S-1-0-0".into()))
        .data("TargetUserName", format!("user{}", number % 97).as_str())
        .data("TargetDomainName", "CORP")
        .data("Status", Value::Hex32(0xc000_006d))
        .data("SubStatus", Value::Hex32(0xc000_006a))
        .data("LogonType", Value::U32(3))
        .data("IpAddress", format!("203.0.113.{}", number % 200).as_str())
        .data("IpPort", "0")
}

/// A new process, or an access to an object.
fn noise(number: u64) -> Event {
    let subject = |event: Event| {
        event
            .data(
                "SubjectUserSid",
                Value::Sid("S-1-5-21-1004336348-1177238915-682003330-1104".into()),
            )
            .data("SubjectUserName", format!("user{}", number % 97).as_str())
            .data("SubjectDomainName", "CORP")
            .data("SubjectLogonId", Value::Hex64(0x3e7_0000 + number))
    };
    match number % 4 {
        0 => subject(security(4663))
            .data("ObjectServer", "Security")
            .data("ObjectType", "File")
            .data(
                "ObjectName",
                format!("C:\\Users\\user{}\\AppData\\Local\\Temp\\{number}.tmp", number % 97).as_str(),
            )
            .data("HandleId", Value::Hex64(number))
            .data("AccessMask", Value::Hex32(2)),
        _ => subject(security(4688))
            .data("NewProcessId", Value::Hex64(number % 60_000))
            .data(
                "NewProcessName",
                "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
            )
            .data("TokenElevationType", "%%1938")
            .data("ProcessId", Value::Hex64(number % 50_000))
            .data(
                "CommandLine",
                format!(
                    "\"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE\" /recycle /profile user{} \
                     -Embedding {number:032x} --type=renderer --lang=en-US --field-trial-handle={number:020}",
                    number % 97
                )
                .as_str(),
            )
            .data("TargetUserSid", Value::Sid("S-1-0-0".into()))
            .data("ParentProcessName", "C:\\Windows\\explorer.exe")
            .data("MandatoryLabel", Value::Sid("S-1-16-8192".into())),
    }
}

fn security(id: u16) -> Event {
    Event::new("Microsoft-Windows-Security-Auditing", id)
        .guid("{54849625-5478-4994-a5ba-3e3b0328c30d}")
        .keywords(0x8020_0000_0000_0000)
        .level(0)
        .task(13312, 0)
        .process(4, 1272)
}
