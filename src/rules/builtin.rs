//! The rules that come with the program, compiled into it. A test holds this list to the directory.

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("builtin/", $name)))),+] };
}

/// File name and text of every built-in rule, by name.
pub(super) const FILES: &[(&str, &str)] =
    files!["termservice-disabled.toml", "tls-handshake-failed.toml",];
