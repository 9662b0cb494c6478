//! What can be asked on the command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::tz::TimeZone;
use rdptriage::facts::catalog;
use rdptriage::verdict::client_error::ClientCode;

use super::archive::ArchiveArgs;
use super::format_name::{FormatName, ListFormatName, TextOrJsonName};
use super::pfx::PfxArgs;

/// Says why Remote Desktop is broken, from the files collected from the server.
#[derive(Debug, Parser)]
#[command(
    name = "rdptriage",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Nothing is ever changed, and no machine is contacted: rdptriage reads copies of files.\n\
                  Start with: rdptriage diagnose FOLDER"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says why Remote Desktop is broken, with the evidence and the repair
    Diagnose(Box<DiagnoseArgs>),
    /// Lists what the evidence says, before it is judged
    Facts(Box<FactsArgs>),
    /// Says what a server and its clients would agree on in TLS, or why they cannot
    Negotiate(NegotiateArgs),
    /// Says what a code, an event or a rule means, and what usually lies behind it
    Explain(ExplainArgs),
    /// Lists, shows, checks and tests the rules that are judged by
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Shows what happened, in order
    Timeline(Box<TimelineArgs>),
    /// Looks event records up, in any log
    Events(Box<EventsArgs>),
    /// Looks a registry key up, in hives with their logs replayed
    Registry(RegistryArgs),
    /// Lists the certificates of hives and files, or shows one
    Certs(CertsArgs),
    /// Lists the volumes of a disk image, and says which of them Windows is on
    Volumes {
        /// The image: raw, VHD, VHDX, qcow2, VMDK or E01
        #[arg(value_name = "IMAGE", value_hint = ValueHint::FilePath)]
        image: PathBuf,
    },
    /// Prints the PowerShell script that collects, read-only, all that is asked for from a server
    #[command(after_help = COLLECT_HELP)]
    Collect,
    /// Prints the JSON Schema of the JSON report
    Schema,
    /// Prints the completions of a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Prints the manual page
    Man,
}

/// What can be asked of rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Lists every rule
    List {
        /// Rules of your own, beside the built-in ones
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        rules: Option<PathBuf>,
        /// What to print
        #[arg(short, long, value_name = "FORMAT", default_value = "text")]
        format: ListFormatName,
        #[command(flatten)]
        screen: ScreenArgs,
    },
    /// Shows one rule: its tests, its repair, the advice it refuses
    Show {
        /// The rule's id
        #[arg(value_name = "ID")]
        id: String,
        /// Rules of your own, beside the built-in ones
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        rules: Option<PathBuf>,
        #[command(flatten)]
        screen: ScreenArgs,
    },
    /// Checks rules of your own; exits with 2 where one is not sound
    Check {
        /// Rule files, or folders of them
        #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
    },
    /// Runs the cases of the built-in rules, or of your own; exits with 1 where one does not hold
    Test {
        /// A folder with rules of your own [default: the built-in ones]
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
}

const COLLECT_HELP: &str = "\
  rdptriage collect > collect.ps1

On the server, in an elevated PowerShell (2 or later; Server 2008 R2 to 2025):
  powershell -NoProfile -ExecutionPolicy Bypass -File collect.ps1 -OutputFolder D:\\

It makes one zip, which is diagnosed as it is. It changes nothing and asks no private key for anything; the key files
themselves are taken only with -IncludeKeyFiles. Its beginning tells the rest.";

const EXPLAIN_HELP: &str = "\
Examples:
  rdptriage explain 0x904/0x7
  rdptriage explain schannel 36874
  rdptriage explain 1057
  rdptriage explain 0x80090016
  rdptriage explain STATUS_LOGON_FAILURE
  rdptriage explain alert 40
  rdptriage explain state 10013
  rdptriage explain key-access-denied -f json

Exit codes:
  0  answered, even where the answer is that the code is not known
  2  not understood";

/// What `explain` is told.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_HELP)]
pub(crate) struct ExplainArgs {
    /// A rule's id, an event, the code of a client, a status of Windows, an alert of TLS, a state of Schannel
    #[arg(
        value_name = "CODE|EVENT|RULE",
        required = true,
        allow_negative_numbers = true
    )]
    pub(crate) what: Vec<String>,

    /// Rules of your own, beside the built-in ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) rules: Option<PathBuf>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: TextOrJsonName,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

const NEGOTIATE_HELP: &str = "\
The server is a collection (its SYSTEM hive; SOFTWARE too, for the policy; System.evtx tells what
waits for a restart) or a Windows version with its default settings. A client is a profile, or
its own collection, whose settings for the client side count. A name that is both means the
profile; write ./NAME for the file.

Examples:
  rdptriage negotiate case-4711/
  rdptriage negotiate case-4711/ --client ironrdp-rustls
  rdptriage negotiate SYSTEM SOFTWARE --client win-7-2008r2 freerdp-3.27+
  rdptriage negotiate server-2022 --client laptop/SYSTEM -f json

Exit codes:
  0  answered, whatever the answer
  2  could not run: wrong usage, or no settings to read";

/// What `negotiate` is told.
#[derive(Debug, Args)]
#[command(after_help = NEGOTIATE_HELP)]
pub(crate) struct NegotiateArgs {
    /// Files and folders of the server's collection, or a Windows version (server-2022, 8.1-2012r2)
    #[arg(value_name = "SERVER", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) server: Vec<String>,

    /// Clients: profiles, paths of collections, or all [default: those in common use]
    #[arg(short, long, value_name = "PROFILE|PATH|all", num_args = 1..)]
    pub(crate) client: Vec<String>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: TextOrJsonName,

    /// The time zone to show times in (Europe/Berlin, +02:00) [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = time_zone, help_heading = "Output")]
    pub(crate) tz: Option<TimeZone>,

    /// The server's whole list too, suite by suite
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

const DIAGNOSE_HELP: &str = "\
Give it the folder of a collection, or single files: event logs (.evtx), registry hives (SYSTEM,
SOFTWARE), exported certificates; or an archive of them (zip, 7z, tar, gz, zst), or an image of the
server's disk (raw, VHD, VHDX, qcow2, VMDK, E01), which is read in place. What a file is, is told by its
content, never by its name.

Examples:
  rdptriage diagnose case-4711/
  rdptriage diagnose case-4711.zip --archive-password s3cret
  rdptriage diagnose osdisk.vhd
  rdptriage diagnose System.evtx SYSTEM rdp.cer --client-error 0x904/0x7
  rdptriage diagnose case-4711/ --incident '2026-11-18 09:58' --tz Europe/Berlin
  rdptriage diagnose case-4711/ -q -o case-4711.html -o case-4711.json
  rdptriage diagnose case-4711/ --redact -f md
  ls -d fleet/*.zip | rdptriage diagnose --paths-from - > fleet.jsonl

Exit codes:
  0  no fault found, and the collection covers enough to say so
  1  a cause is confirmed or likely
  2  could not run: wrong usage, or nothing readable
  3  inconclusive, or only possible: the report says what is missing

Several hosts: the most serious of them, 1 before 3 before 0. A collection of --paths-from that cannot be
read counts as 3; where none can be read it is 2. -f jsonl prints each host as soon as it is judged, by
name; --paths-from each collection, in whatever order they finish.";

/// What `diagnose` is told.
#[derive(Debug, Args)]
#[command(after_help = DIAGNOSE_HELP)]
pub(crate) struct DiagnoseArgs {
    /// Folders, files, archives and disk images of the collection
    #[arg(value_name = "PATH", required_unless_present = "paths_from", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// Diagnoses many collections, one path a line of FILE (- for standard input), each by itself; answers one line of JSON each, as
    /// they finish, and a table of all on standard error
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["paths", "output"],
        value_hint = ValueHint::FilePath,
        help_heading = "What is done"
    )]
    pub(crate) paths_from: Option<PathBuf>,

    /// A client's address that must get in, though it never did [repeatable]
    #[arg(long, value_name = "IP", help_heading = "What you know")]
    pub(crate) client_address: Vec<IpAddr>,

    /// The client that cannot connect: a profile of `negotiate`, or the path of its own collection
    #[arg(long, value_name = "PROFILE|PATH", help_heading = "What you know")]
    pub(crate) client: Option<String>,

    /// The code that the client showed; explained, never decisive (0x904/0x7, 2308)
    #[arg(long, value_name = "CODE", value_parser = ClientCode::parse, help_heading = "What you know")]
    pub(crate) client_error: Option<ClientCode>,

    /// When it failed (2026-11-18T09:58:00Z; local time needs --tz)
    #[arg(long, value_name = "TIME", help_heading = "What you know")]
    pub(crate) incident: Option<String>,

    /// Rules of your own, beside the built-in ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "What is done")]
    pub(crate) rules: Option<PathBuf>,

    /// Leaves the SHA-256 of the files out
    #[arg(long, help_heading = "What is done")]
    pub(crate) no_hash: bool,

    /// Threads to read with [default: as many as there are processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "What is done")]
    pub(crate) jobs: Option<u16>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: FormatName,

    /// Writes the report to a file too; its extension says how: .html, .md, .json, .jsonl, .csv (timeline), .txt [repeatable]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: Vec<PathBuf>,

    /// Replaces hosts, domains, users, addresses, SIDs and GUIDs by tokens, the same for the same within a report
    #[arg(long, help_heading = "Output")]
    pub(crate) redact: bool,

    /// The time zone to show times in (Europe/Berlin, +02:00) [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = time_zone, help_heading = "Output")]
    pub(crate) tz: Option<TimeZone>,

    /// The verdict alone, one line for each host
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,

    /// The reasoning too: every test of every rule
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,

    /// Exits with 0 whatever was found; 2 stays 2
    #[arg(long, help_heading = "Output")]
    pub(crate) exit_zero: bool,

    #[command(flatten)]
    pub(crate) pfx: PfxArgs,

    #[command(flatten)]
    pub(crate) archives: ArchiveArgs,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// What `timeline` is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rdptriage timeline case-4711/ --failures --since 2026-11-18T06:00Z
  rdptriage timeline case-4711/ --changes --tz Europe/Berlin
  rdptriage timeline case-4711/ -f csv > timesketch.csv")]
pub(crate) struct TimelineArgs {
    /// Folders and files of the collection
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) span: SpanArgs,

    /// Only what became different: settings, services, certificates, the clock, boots
    #[arg(long, conflicts_with = "failures", help_heading = "What is shown")]
    pub(crate) changes: bool,

    /// Only what did not work
    #[arg(long, help_heading = "What is shown")]
    pub(crate) failures: bool,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: ListFormatName,

    /// Replaces hosts, domains, users, addresses, SIDs and GUIDs by tokens
    #[arg(long, help_heading = "Output")]
    pub(crate) redact: bool,

    #[command(flatten)]
    pub(crate) archives: ArchiveArgs,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// A stretch of time, and the zone it is told in.
#[derive(Debug, Clone, Args)]
pub(crate) struct SpanArgs {
    /// Nothing before this (2026-11-18T09:00Z; local time needs --tz)
    #[arg(long, value_name = "TIME", help_heading = "What is shown")]
    pub(crate) since: Option<String>,

    /// Nothing from this on
    #[arg(long, value_name = "TIME", help_heading = "What is shown")]
    pub(crate) until: Option<String>,

    /// The time zone to show times in (Europe/Berlin, +02:00) [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = time_zone, help_heading = "Output")]
    pub(crate) tz: Option<TimeZone>,
}

/// What `events` is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a filter every record is shown. Filters of different kinds must all hold; of several of one kind, one must.

Examples:
  rdptriage events case-4711/ --id 36870,36874 --since 2026-11-18T06:00Z
  rdptriage events System.evtx --provider schannel --text 0x8009030D
  rdptriage events case-4711/ --id 21-25 -f jsonl")]
pub(crate) struct EventsArgs {
    /// Event logs, and folders of them
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// A part of the provider's name, in either case [repeatable]
    #[arg(short, long, value_name = "NAME", help_heading = "What is shown")]
    pub(crate) provider: Vec<String>,

    /// Event ids: 36870, or 21-25, or several with commas [repeatable]
    #[arg(short, long, value_name = "ID", value_delimiter = ',', value_parser = event_ids, help_heading = "What is shown")]
    pub(crate) id: Vec<std::ops::RangeInclusive<u32>>,

    /// A text in the record's fields, in either case
    #[arg(short, long, value_name = "TEXT", help_heading = "What is shown")]
    pub(crate) text: Option<String>,

    #[command(flatten)]
    pub(crate) span: SpanArgs,

    /// At most so many, the newest
    #[arg(
        short = 'n',
        long,
        value_name = "NUMBER",
        help_heading = "What is shown"
    )]
    pub(crate) limit: Option<usize>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: ListFormatName,

    #[command(flatten)]
    pub(crate) archives: ArchiveArgs,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// What `registry` is told.
#[derive(Debug, Args)]
#[command(after_help = "\
CurrentControlSet is followed to the set in use. Without a key the hives and their state are listed.

Examples:
  rdptriage registry case-4711/
  rdptriage registry case-4711/ --key 'SYSTEM\\CurrentControlSet\\Services\\TermService'
  rdptriage registry SYSTEM --key 'Select' --depth 1")]
pub(crate) struct RegistryArgs {
    /// Hives, and folders of them; transaction logs beside them are applied
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// The key; it may begin with HKLM and the hive's name
    #[arg(short, long, value_name = "KEY", help_heading = "What is shown")]
    pub(crate) key: Option<String>,

    /// Only this value
    #[arg(
        long,
        value_name = "NAME",
        requires = "key",
        help_heading = "What is shown"
    )]
    pub(crate) value: Option<String>,

    /// How many levels of keys below it
    #[arg(
        short,
        long,
        value_name = "LEVELS",
        default_value_t = 0,
        help_heading = "What is shown"
    )]
    pub(crate) depth: u16,

    /// The time zone to show times in [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = time_zone, help_heading = "Output")]
    pub(crate) tz: Option<TimeZone>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: ListFormatName,

    #[command(flatten)]
    pub(crate) archives: ArchiveArgs,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// What `certs` is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rdptriage certs case-4711/
  rdptriage certs case-4711/ --show 9F3C")]
pub(crate) struct CertsArgs {
    /// Hives, exported certificates, and folders of them
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// Shows the certificates whose thumbprint begins so, with everything in them
    #[arg(long, value_name = "THUMBPRINT", help_heading = "What is shown")]
    pub(crate) show: Option<String>,

    /// The time zone to show times in [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = time_zone, help_heading = "Output")]
    pub(crate) tz: Option<TimeZone>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: ListFormatName,

    #[command(flatten)]
    pub(crate) pfx: PfxArgs,

    #[command(flatten)]
    pub(crate) archives: ArchiveArgs,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

const FACTS_HELP: &str = "\
Examples:
  rdptriage facts case-4711/ --kind certificate.renewal --kind schannel.failure
  rdptriage facts case-4711/ -f json
  rdptriage facts case-4711/ --as-case=key-unusable >> rules/key-unusable.toml";

/// What `facts` is told.
#[derive(Debug, Args)]
#[command(after_help = FACTS_HELP)]
pub(crate) struct FactsArgs {
    /// Folders and files of the collection
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// Only facts of this kind [repeatable]
    #[arg(long, value_name = "KIND", conflicts_with = "as_case", value_parser = fact_kind)]
    pub(crate) kind: Vec<String>,

    /// Prints the facts that decide a rule as a case for its file, without names and addresses [default: the verdict's rule]
    #[arg(long, value_name = "RULE", num_args = 0..=1, require_equals = true)]
    pub(crate) as_case: Option<Option<String>>,

    /// Rules of your own, beside the built-in ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) rules: Option<PathBuf>,

    /// A client's address that must get in, though it never did [repeatable]
    #[arg(long, value_name = "IP")]
    pub(crate) client_address: Vec<IpAddr>,

    /// When it failed (2026-11-18T09:58:00Z; local time needs --tz)
    #[arg(long, value_name = "TIME")]
    pub(crate) incident: Option<String>,

    /// What to print
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "as_case"
    )]
    pub(crate) format: ListFormatName,

    /// The time zone to show times in (Europe/Berlin, +02:00) [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = time_zone)]
    pub(crate) tz: Option<TimeZone>,

    #[command(flatten)]
    pub(crate) pfx: PfxArgs,

    #[command(flatten)]
    pub(crate) archives: ArchiveArgs,

    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// How the screen is used.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScreenArgs {
    /// Columns to fill, 60 to 200 [default: the terminal's, else 80]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=200), help_heading = "Output")]
    pub(crate) width: Option<u16>,

    /// Whether to use colors; auto honors NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Output"
    )]
    pub(crate) color: When,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// A kind of the catalogue.
fn fact_kind(name: &str) -> Result<String, String> {
    if catalog::kind(name).is_some() {
        return Ok(name.to_owned());
    }
    let mut near: Vec<(usize, &str)> = catalog::KINDS
        .iter()
        .map(|kind| (strsim::damerau_levenshtein(name, kind.name), kind.name))
        .filter(|(distance, near)| {
            *distance <= near.len() / 3 || (name.len() > 2 && near.contains(name))
        })
        .collect();
    near.sort_unstable();
    let near: Vec<&str> = near.into_iter().map(|(_, near)| near).collect();
    Err(match near.as_slice() {
        [] => {
            let names: Vec<&str> = catalog::KINDS.iter().map(|kind| kind.name).collect();
            format!(
                "no fact is of this kind; the kinds are {}",
                names.join(", ")
            )
        }
        [one] => format!("no fact is of this kind; did you mean {one}?"),
        many => format!(
            "no fact is of this kind; did you mean one of {}?",
            many.join(", ")
        ),
    })
}

/// A zone by its IANA name or its distance from UTC.
fn time_zone(name: &str) -> Result<TimeZone, String> {
    jiff::fmt::temporal::DateTimeParser::new()
        .parse_time_zone(name)
        .map_err(|_| {
            "no time zone of that name; write it like Europe/Berlin, UTC or +02:00".to_owned()
        })
}

/// One id, or a range of them.
fn event_ids(text: &str) -> Result<std::ops::RangeInclusive<u32>, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<u32>()
            .map_err(|_| format!("{text} is no event id"))
    };
    match text.split_once('-') {
        Some((first, last)) => Ok(number(first)?..=number(last)?),
        None => number(text).map(|id| id..=id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
