//! What the reader's screen can show: how many columns, and which characters.

use std::io::IsTerminal;

use rdptriage::report::{Charset, Clock, Detail, TextOptions};

use super::args::ScreenArgs;

/// Where there is no terminal to ask.
const WIDTH: u16 = 80;

/// For standard output.
pub(crate) fn for_terminal(args: &ScreenArgs, clock: Clock) -> TextOptions {
    TextOptions {
        width: args.width.or_else(terminal_width).unwrap_or(WIDTH),
        charset: charset(|name| std::env::var(name).ok()),
        clock,
        detail: Detail::Screen,
    }
}

/// For a file, which is the same wherever it was written: UTF-8, and as wide as asked or 80 columns.
pub(crate) fn for_file(args: &ScreenArgs, clock: Clock, detail: Detail) -> TextOptions {
    TextOptions {
        width: args.width.unwrap_or(WIDTH),
        charset: Charset::Unicode,
        clock,
        detail,
    }
}

fn terminal_width() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| width.0)
}

/// The first of LC_ALL, LC_CTYPE and LANG that is set names the encoding (POSIX, Base Definitions 8.2). Windows has no such
/// variables; its consoles take Unicode.
fn charset(variable: impl Fn(&str) -> Option<String>) -> Charset {
    if cfg!(windows) {
        return Charset::Unicode;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    match locale.contains("utf-8") || locale.contains("utf8") {
        true => Charset::Unicode,
        false => Charset::Ascii,
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    fn under(variables: &[(&str, &str)]) -> Charset {
        charset(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_strongest_variable_that_is_set_decides() {
        assert_eq!(under(&[("LANG", "de_DE.UTF-8")]), Charset::Unicode);
        assert_eq!(
            under(&[("LANG", "en_US.utf8"), ("LC_ALL", "")]),
            Charset::Unicode
        );
        assert_eq!(
            under(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]),
            Charset::Ascii
        );
        assert_eq!(under(&[]), Charset::Ascii);
    }
}
