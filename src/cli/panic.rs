//! Panics: those that were contained say nothing; a real one is our own fault and says so in our own words.

use std::panic;

use rdptriage::contain;
use rdptriage::report::{Charset, escape};

pub(crate) fn speak_for_ourselves() {
    panic::set_hook(Box::new(|info| {
        if contain::is_contained() {
            return;
        }
        let place = info
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()))
            .unwrap_or_default();
        let said = info
            .payload_as_str()
            .map(|said| escape::visible(said, Charset::Unicode))
            .unwrap_or_default();
        eprintln!(
            "rdptriage {}: internal error at {place}: {said}\n\
             This is a fault of rdptriage, not of the machine you look at. Please report it with this line.",
            env!("CARGO_PKG_VERSION")
        );
    }));
}
