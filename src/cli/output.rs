//! Where reports go: standard output, and files that are written whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice, StripStream};
use anyhow::{Context, Result, bail};
use rdptriage::report::{Charset, Format, ListFormat, escape};

use super::args::When;

/// Prints what is for programs, byte by byte.
pub(crate) fn print(bytes: &[u8]) -> Result<()> {
    finish(write_all(&mut io::stdout().lock(), bytes))
}

/// As [`print`], of something that goes on: breaks where whoever reads it has seen enough.
pub(crate) fn print_on(bytes: &[u8]) -> Result<ControlFlow<()>> {
    match write_all(&mut io::stdout().lock(), bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        outcome => {
            outcome.context("cannot write to standard output")?;
            Ok(ControlFlow::Continue(()))
        }
    }
}

/// Prints what is for people, with its styles where they are wanted and can be shown.
pub(crate) fn print_styled(bytes: &[u8], color: When) -> Result<()> {
    let choice = match color {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    };
    finish(write_all(
        &mut AutoStream::new(io::stdout().lock(), choice),
        bytes,
    ))
}

/// Prints a list: a table is for people, the rest for programs.
pub(crate) fn print_list(format: ListFormat, color: When, bytes: &[u8]) -> Result<()> {
    match format {
        ListFormat::Text => print_styled(bytes, color),
        ListFormat::Csv | ListFormat::Jsonl | ListFormat::Json => print(bytes),
    }
}

/// Says something beside the findings. Names of files and damage are the evidence's own, and may hold anything.
pub(crate) fn remark(text: &str) {
    anstream::eprintln!(
        "{}",
        escape::visible(&escape::cut(text, 400), Charset::Unicode)
    );
}

/// Prints a table beside the findings, with its styles where they can be shown.
pub(crate) fn remark_styled(bytes: &[u8]) -> Result<()> {
    match write_all(&mut AutoStream::auto(io::stderr().lock()), bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to standard error"),
    }
}

fn write_all(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

/// A reader that has seen enough and closes the pipe is no failure.
fn finish(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to standard output"),
    }
}

/// A file that a report is to be written to.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    format: Format,
}

impl OutputFile {
    /// Looks whether the file can be written, and must not be: a collection is evidence, and nothing is added to it.
    pub(crate) fn plan(path: &Path, inputs: &[PathBuf]) -> Result<Self> {
        let format = Format::of_file(path)?;
        if path.is_dir() {
            bail!("{}: is a folder; name a file in it", path.display());
        }
        let folder = folder(path);
        let real_folder = fs::canonicalize(folder).with_context(|| {
            format!(
                "{}: cannot write there: {}",
                path.display(),
                folder.display()
            )
        })?;
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(_) => real_folder.join(path.file_name().unwrap_or_default()),
        };
        for input in inputs
            .iter()
            .filter_map(|input| fs::canonicalize(input).ok())
        {
            if real.starts_with(&input) {
                bail!(
                    "{}: lies inside of what is to be read; the collection is evidence and stays as it is, so write elsewhere",
                    path.display()
                );
            }
        }
        Ok(OutputFile { path: real, format })
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Writes beside the file and renames, so that there is never half a report.
    pub(crate) fn write(&self, rendered: &[u8]) -> Result<()> {
        let failed = || format!("cannot write {}", self.path.display());
        let is_special = fs::metadata(&self.path).is_ok_and(|metadata| !metadata.is_file());
        if is_special {
            return OpenOptions::new()
                .write(true)
                .open(&self.path)
                .and_then(|mut device| self.fill(&mut device, rendered))
                .with_context(failed);
        }
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = folder(&self.path).join(name);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&part)
            .and_then(|mut file| {
                self.fill(&mut file, rendered)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&part, &self.path));
        if written.is_err() {
            // Nothing else can be done about the part when this fails too.
            let _ = fs::remove_file(&part);
        }
        written.with_context(failed)
    }

    /// A file is no terminal: styles are left out of text.
    fn fill(&self, file: &mut impl Write, rendered: &[u8]) -> io::Result<()> {
        let mut whole = Vec::with_capacity(rendered.len());
        match self.format.is_styled() {
            true => StripStream::new(&mut whole).write_all(rendered)?,
            false => whole.extend_from_slice(rendered),
        }
        write_all(file, &whole)
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLED: &[u8] = b"\x1b[1mHEALTHY\x1b[0m\n";

    fn plan(path: &Path) -> OutputFile {
        OutputFile::plan(path, &[]).expect("it can be written")
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.txt");
        fs::write(&path, "an older and longer report").expect("written");
        plan(&path).write(STYLED).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"HEALTHY\n");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn json_keeps_every_byte() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.json");
        let json = "\"\u{9b}1m\u{7f}\"\n".as_bytes();
        plan(&path).write(json).expect("written");
        assert_eq!(fs::read(&path).expect("there"), json);
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.txt");
        let file = plan(&path);
        fs::create_dir(&path).expect("somebody made a folder of that name");
        let error = file.write(STYLED).expect_err("a folder").to_string();
        assert!(error.contains("case.txt"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn evidence_is_recognized_through_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = folder.path().join("case");
        fs::create_dir(&case).expect("made");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&case, &link).expect("linked");
        let inputs = [case];
        assert!(OutputFile::plan(&link.join("x.txt"), &inputs).is_err());
        assert!(OutputFile::plan(&folder.path().join("x.txt"), &inputs).is_ok());
    }
}
