//! `rdptriage volumes`: what is on a disk image.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rdptriage::bundle::disk;

use super::output;

pub(crate) fn run(image: &Path) -> Result<ExitCode> {
    let listing = disk::list(image).with_context(|| image.display().to_string())?;
    let mut text = String::new();
    let size = indicatif::HumanBytes(listing.bytes);
    writeln!(text, "{} image of {size}, {}", listing.form, listing.scheme)?;
    for volume in &listing.volumes {
        let partition = &volume.partition;
        let size = indicatif::HumanBytes(partition.bytes).to_string();
        let start = indicatif::HumanBytes(partition.start).to_string();
        let holds = partition.holds.to_string();
        write!(
            text,
            "{:>4}  {holds:<18} {size:>12} at {start:<12}",
            partition.number
        )?;
        if volume.has_windows {
            text.push_str("  Windows");
        }
        if let Some(remark) = &volume.remark {
            write!(text, "  {remark}")?;
        }
        let len = text.trim_end().len();
        text.truncate(len);
        text.push('\n');
    }
    if listing.volumes.is_empty() {
        text.push_str("no volumes: no partition table, and no file system that is known\n");
    }
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
