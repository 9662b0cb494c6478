//! `rdptriage registry`: a key of the registry, looked up.

use std::process::ExitCode;

use anyhow::{Result, bail};
use rdptriage::bundle;
use rdptriage::lookup::registry::{self, Query};
use rdptriage::report::{ListFormat, hive_list, key_list};

use super::args::RegistryArgs;
use super::timeline::clock;
use super::{output, screen};

pub(crate) fn run(args: &RegistryArgs) -> Result<ExitCode> {
    let bundle = bundle::open_with(&args.paths, &args.archives.access())?;
    let hives = registry::open(&bundle);
    for problem in &hives.problems {
        output::remark(problem);
    }
    if hives.files.is_empty() {
        bail!("there is no registry hive among these files");
    }
    let format = ListFormat::from(args.format);
    let options = screen::for_terminal(&args.screen, clock(args.tz.as_ref()));
    let listing = match &args.key {
        None => hive_list(&hives.described(), format, &options.clock),
        Some(key) => {
            let query = Query {
                key: key.clone(),
                value: args.value.clone(),
                depth: args.depth,
            };
            let found = hives.find(&query);
            for remark in &found.remarks {
                output::remark(remark);
            }
            if found.keys.is_empty() {
                bail!("no hive here holds the key {key}");
            }
            key_list(&found.keys, format, &options.clock)
        }
    };
    output::print_list(format, args.screen.color, &listing.render(format, &options))?;
    Ok(ExitCode::SUCCESS)
}
