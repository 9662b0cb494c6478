//! The passwords of PKCS #12 files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueHint};
use rdptriage::bundle::Password;

use super::archive::password;

/// The most that is read of a file of passwords, in bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// What PKCS #12 files are opened with.
#[derive(Debug, Clone, Args)]
pub(crate) struct PfxArgs {
    /// A file with the passwords of .pfx and .p12 files, one a line; the empty one is tried in any case [repeatable]
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = "Exported certificates"
    )]
    pfx_password_file: Vec<PathBuf>,

    /// Such a password itself; everybody who lists this machine's processes, or reads the shell's history, sees it [repeatable]
    #[arg(
        long,
        value_name = "PASSWORD",
        value_parser = password,
        help_heading = "Exported certificates"
    )]
    pfx_password: Vec<Password>,
}

impl PfxArgs {
    /// All of them.
    pub(crate) fn passwords(&self) -> Result<Vec<Password>> {
        let mut passwords = self.pfx_password.clone();
        for path in &self.pfx_password_file {
            let shown = path.display();
            let size = fs::metadata(path)
                .with_context(|| format!("{shown}: the file of passwords cannot be read"))?
                .len();
            if size > LARGEST_FILE {
                bail!(
                    "{shown}: larger than a file of passwords may be (64 KiB); one password stands on each line"
                );
            }
            let bytes = fs::read(path)
                .with_context(|| format!("{shown}: the file of passwords cannot be read"))?;
            let Ok(text) = String::from_utf8(bytes) else {
                bail!("{shown}: the file of passwords is not UTF-8; save it as UTF-8");
            };
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let lines = text.lines().filter(|line| !line.is_empty());
            passwords.extend(lines.map(|line| Password::new(line.to_owned())));
        }
        Ok(passwords)
    }
}
