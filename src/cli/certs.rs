//! `rdptriage certs`: the certificates of hives and files.

use std::process::ExitCode;

use anyhow::{Result, bail};
use rdptriage::bundle;
use rdptriage::lookup::certificates;
use rdptriage::report::{ListFormat, certificate_details, certificate_list};

use super::args::CertsArgs;
use super::timeline::clock;
use super::{output, screen};

pub(crate) fn run(args: &CertsArgs) -> Result<ExitCode> {
    let bundle = bundle::open_with(&args.paths, &args.archives.access())?;
    let mut found = certificates::find(&bundle, &args.pfx.passwords()?);
    for problem in &found.problems {
        output::remark(problem);
    }
    if found.certificates.is_empty() {
        bail!(
            "there is no certificate among these files, neither exported nor in the stores of a SOFTWARE hive"
        );
    }
    let format = ListFormat::from(args.format);
    let options = screen::for_terminal(&args.screen, clock(args.tz.as_ref()));
    let listing = match &args.show {
        None => certificate_list(&found.certificates, format, &options.clock),
        Some(thumbprint) => {
            let wanted: String = thumbprint.chars().filter(char::is_ascii_hexdigit).collect();
            let wanted = wanted.to_uppercase();
            found.certificates.retain(|held| {
                held.thumbprint
                    .to_string()
                    .to_uppercase()
                    .starts_with(&wanted)
            });
            if found.certificates.is_empty() || wanted.is_empty() {
                bail!("no certificate here has a thumbprint that begins with {thumbprint}");
            }
            certificate_details(&found.certificates, &options.clock)
        }
    };
    output::print_list(format, args.screen.color, &listing.render(format, &options))?;
    Ok(ExitCode::SUCCESS)
}
