//! What the command line of a repair does to the registry, so that its undo and its form for an offline disk need not be written
//! by hand, and a policy that would revert it can be found. Commands that this does not know are left as they are.

/// Where an offline disk's hives are loaded; the names that Microsoft's own articles use.
const LOADED: [(&str, &str, &str); 2] = [
    ("SYSTEM", "HKLM\\SYSTEM\\", "HKLM\\BROKENSYSTEM"),
    ("SOFTWARE", "HKLM\\SOFTWARE\\", "HKLM\\BROKENSOFTWARE"),
];

/// The services' key.
const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";

/// One command of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `reg export KEY FILE`.
    Export {
        /// The key, from `HKLM`.
        key: String,
        /// The file that it is saved in.
        file: String,
    },
    /// `reg add`, `reg delete`, or `sc config`, which writes below `Services`.
    Write(Write),
    /// It only looks, or starts and stops what a start of Windows starts anyway.
    Passing,
    /// Anything else.
    Other,
}

/// A value, or a whole key, that is written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key, from `HKLM`.
    pub key: String,
    /// The value; none for the key with all that is in it.
    pub value: Option<String>,
    /// Whether something is added.
    pub adds: bool,
    /// What follows the value's name: its type and data, and `/f`.
    rest: String,
    /// Whether the command speaks to the service manager, which undoes nothing by way of the registry.
    service: bool,
}

impl Write {
    /// The place that it writes to: the key, and the value where there is one.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.value {
            Some(value) => format!("{}\\{value}", self.key),
            None => self.key.clone(),
        }
    }

    /// Whether it concerns how a service starts or as whom it runs.
    #[must_use]
    pub fn is_of_a_service(&self) -> bool {
        let below = strip(&self.key, SERVICES).is_some_and(|rest| rest.starts_with('\\'));
        let named = |name: &&str| {
            self.value
                .as_ref()
                .is_some_and(|value| value.eq_ignore_ascii_case(name))
        };
        below && ["Start", "ObjectName"].iter().any(named)
    }

    /// The same for a hive that is loaded from an offline disk, in that control set; with the hive's name.
    fn offline(&self, control_set: &str) -> Option<(&'static str, String)> {
        let (hive, below, loaded) = LOADED
            .iter()
            .find_map(|(hive, root, loaded)| Some((*hive, strip(&self.key, root)?, *loaded)))?;
        let key = match strip(below, "CurrentControlSet\\") {
            Some(rest) => format!("{loaded}\\{control_set}\\{rest}"),
            None => format!("{loaded}\\{below}"),
        };
        let verb = if self.adds { "add" } else { "delete" };
        let value = match &self.value {
            Some(value) => format!(" /v \"{value}\""),
            None => String::new(),
        };
        let rest = &self.rest;
        Some((hive, format!("reg {verb} \"{key}\"{value}{rest} /f")))
    }
}

/// The commands of a line, which ` & ` parts.
#[must_use]
pub fn commands(line: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    for text in parts(line) {
        read(text, &mut commands);
    }
    commands
}

/// How to take the writes of a line back, from what this line or an earlier one of the repair exported: what was added goes, what
/// was there before comes back. None where the line writes nothing or does more than write, or where a key was not exported.
#[must_use]
pub fn undo(line: &str, earlier: &[&str]) -> Option<String> {
    let commands = commands(line);
    let saved: Vec<(String, String)> = earlier
        .iter()
        .flat_map(|line| self::commands(line))
        .chain(commands.clone())
        .filter_map(|command| match command {
            Command::Export { key, file } => Some((key, file)),
            _ => None,
        })
        .collect();
    let mut steps: Vec<String> = Vec::new();
    let mut imports: Vec<String> = Vec::new();
    for command in &commands {
        match command {
            Command::Export { .. } | Command::Passing => {}
            Command::Other => return None,
            Command::Write(write) if write.service => return None,
            Command::Write(write) => {
                let covers = |key: &str| {
                    write.key.eq_ignore_ascii_case(key)
                        || strip(&write.key, key).is_some_and(|rest| rest.starts_with('\\'))
                };
                let (_, file) = saved.iter().find(|(key, _)| covers(key))?;
                match (&write.value, write.adds) {
                    (Some(value), true) => {
                        steps.push(format!("reg delete \"{}\" /v \"{value}\" /f", write.key));
                    }
                    (None, true) => return None,
                    (_, false) => {}
                }
                let import = format!("reg import {file}");
                if !imports.contains(&import) {
                    imports.push(import);
                }
            }
        }
    }
    if imports.is_empty() {
        return None;
    }
    steps.extend(imports);
    Some(steps.join(" & "))
}

/// A repair on a disk that another Windows reads, and how to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offline {
    /// Saves the hives, loads them, writes, unloads them.
    pub run: String,
    /// Puts the saved hives back.
    pub undo: String,
}

/// The same writes for an offline disk, whose drive is F:. None where a line does what cannot be done from outside, or nothing
/// is written. Of several lines only those count that can.
#[must_use]
pub fn offline<'t>(lines: impl Iterator<Item = &'t str>, control_set: &str) -> Option<Offline> {
    let mut writes: Vec<(&'static str, String)> = Vec::new();
    for line in lines {
        let commands = commands(line);
        if commands.contains(&Command::Other) {
            continue;
        }
        for command in commands {
            if let Command::Write(write) = command {
                let told = write.offline(control_set)?;
                if !writes.contains(&told) {
                    writes.push(told);
                }
            }
        }
    }
    let hives: Vec<_> = LOADED
        .iter()
        .filter(|(hive, _, _)| writes.iter().any(|(of, _)| of == hive))
        .collect();
    if hives.is_empty() {
        return None;
    }
    const CONFIG: &str = "F:\\Windows\\System32\\config";
    const SAVED: &str = "C:\\hives-before";
    let copy = |from: &str, to: &str| {
        let files: Vec<String> = hives
            .iter()
            .map(|(hive, _, _)| format!("{hive}*"))
            .collect();
        format!("robocopy {from} {to} {}", files.join(" "))
    };
    let mut run = vec![copy(CONFIG, SAVED)];
    run.extend(
        hives
            .iter()
            .map(|(hive, _, loaded)| format!("reg load {loaded} {CONFIG}\\{hive}")),
    );
    run.extend(writes.into_iter().map(|(_, write)| write));
    run.extend(
        hives
            .iter()
            .map(|(_, _, loaded)| format!("reg unload {loaded}")),
    );
    Some(Offline {
        run: run.join(" & "),
        undo: copy(SAVED, CONFIG),
    })
}

fn strip<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start)
        .then(|| text.get(start.len()..))
        .flatten()
}

/// Splits at `&` outside of quotes.
fn parts(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = line.split(move |letter| {
        quoted ^= letter == '"';
        letter == '&' && !quoted
    });
    split
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The words of a command, without their quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut open) = (String::new(), false, false);
    for letter in text.chars() {
        match letter {
            '"' => (quoted, open) = (!quoted, true),
            letter if letter.is_whitespace() && !quoted => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            letter => {
                word.push(letter);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}

fn read(text: &str, into: &mut Vec<Command>) {
    let words = words(text);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let first = word(0).to_ascii_lowercase();
    match (
        first.trim_end_matches(".exe"),
        &*word(1).to_ascii_lowercase(),
    ) {
        ("reg", "export") => into.push(Command::Export {
            key: word(2).to_owned(),
            file: word(3).to_owned(),
        }),
        ("reg", verb @ ("add" | "delete")) => into.push(registry_write(&words, verb == "add")),
        ("sc", "config") => into.extend(service_writes(&words)),
        ("reg", "query") | ("sc", _) | ("gpresult" | "gpupdate" | "shutdown" | "net", _) => {
            into.push(Command::Passing);
        }
        ("powershell", _) if restarts(text) => into.push(Command::Passing),
        _ => into.push(Command::Other),
    }
}

/// Whether a PowerShell command only starts, stops or shows services.
fn restarts(text: &str) -> bool {
    let script = words(text);
    let script = script.iter().skip(1).filter(|word| !word.starts_with("-C"));
    let script: Vec<&str> = script.map(String::as_str).collect();
    script
        .join(" ")
        .split(';')
        .all(|command| match command.trim().split_once('-') {
            Some(("Restart" | "Start" | "Stop" | "Get", rest)) => rest.starts_with("Service"),
            _ => false,
        })
}

fn registry_write(words: &[String], adds: bool) -> Command {
    let Some(key) = words.get(2) else {
        return Command::Other;
    };
    let mut value = None;
    let mut rest = String::new();
    let mut options = words.iter().skip(3);
    while let Some(option) = options.next() {
        match option.to_ascii_lowercase().as_str() {
            "/f" => {}
            "/v" => value = options.next().cloned(),
            // An unnamed value, or all of them: nothing here writes these.
            "/ve" | "/va" => return Command::Other,
            "/t" => rest.push_str(&format!(
                " /t {}",
                options.next().map_or("", String::as_str)
            )),
            option => {
                let data = options.next().map_or("", String::as_str);
                rest.push_str(&format!(" {option} \"{data}\""));
            }
        }
    }
    Command::Write(Write {
        key: key.clone(),
        value,
        adds,
        rest,
        service: false,
    })
}

/// `sc config NAME start= demand obj= "ACCOUNT"`, as values of the service's key ([MS-SCMR] 3.1.4.11).
fn service_writes(words: &[String]) -> Vec<Command> {
    let Some(service) = words.get(2) else {
        return vec![Command::Other];
    };
    let mut commands = Vec::new();
    let mut options = words.iter().skip(3);
    while let Some(option) = options.next() {
        let data = options.next().map_or("", String::as_str);
        let (value, rest) = match (option.to_ascii_lowercase().as_str(), data) {
            ("start=", start) => {
                let number = match start.to_ascii_lowercase().as_str() {
                    "auto" => 2,
                    "demand" => 3,
                    "disabled" => 4,
                    _ => return vec![Command::Other],
                };
                ("Start", format!(" /t REG_DWORD /d \"{number}\""))
            }
            ("obj=", account) => ("ObjectName", format!(" /t REG_SZ /d \"{account}\"")),
            _ => return vec![Command::Other],
        };
        commands.push(Command::Write(Write {
            key: format!("{SERVICES}\\{service}"),
            value: Some(value.to_owned()),
            adds: true,
            rest,
            service: true,
        }));
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: &str = r#"reg export "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp" before.reg & reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp" /v PortNumber /t REG_DWORD /d 3389 /f & powershell "Restart-Service TermService -Force""#;

    #[test]
    fn what_was_added_goes_and_what_was_saved_comes_back() {
        assert_eq!(
            undo(PORT, &[]).as_deref(),
            Some(
                r#"reg delete "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp" /v "PortNumber" /f & reg import before.reg"#
            )
        );
        // A value that is deleted needs only the import, and a key that nobody saved has no undo.
        let gone = r"reg delete HKLM\SOFTWARE\A\B /v C /f";
        assert_eq!(undo(gone, &[]), None);
        assert_eq!(undo(gone, &[r"reg export HKLM\SOFTWARE\AB a.reg"]), None);
        assert_eq!(
            undo(gone, &[r"reg export HKLM\SOFTWARE\A a.reg"]).as_deref(),
            Some("reg import a.reg")
        );
        // What else a line does is not undone by an import.
        assert_eq!(undo(&format!("{PORT} & del C:\\x"), &[]), None);
        assert_eq!(undo("sc config SessionEnv start= demand", &[]), None);
    }

    #[test]
    fn the_same_for_a_disk_whose_hives_are_loaded() {
        let told = offline([PORT].into_iter(), "ControlSet002").unwrap();
        assert_eq!(
            told.run,
            r#"robocopy F:\Windows\System32\config C:\hives-before SYSTEM* & reg load HKLM\BROKENSYSTEM F:\Windows\System32\config\SYSTEM & reg add "HKLM\BROKENSYSTEM\ControlSet002\Control\Terminal Server\WinStations\RDP-Tcp" /v "PortNumber" /t REG_DWORD /d "3389" /f & reg unload HKLM\BROKENSYSTEM"#
        );
        assert_eq!(
            told.undo,
            r"robocopy C:\hives-before F:\Windows\System32\config SYSTEM*"
        );
        let service = "sc config SessionEnv start= demand & sc start SessionEnv";
        let told = offline([service].into_iter(), "ControlSet001").unwrap();
        assert!(
            told.run.contains(
                r#"reg add "HKLM\BROKENSYSTEM\ControlSet001\Services\SessionEnv" /v "Start" /t REG_DWORD /d "3" /f"#
            ),
            "{}",
            told.run
        );
        // Nothing to write, or something that only the running Windows can do.
        assert_eq!(
            offline(["certutil -store my"].into_iter(), "ControlSet001"),
            None
        );
        assert_eq!(
            offline(["sc qc TermService"].into_iter(), "ControlSet001"),
            None
        );
    }
}
