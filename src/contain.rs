//! Panics of other people's parsers, contained: on damaged input a library may panic, and that must become a problem in the
//! report, not a trace on the screen and not an end of the run.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, UnwindSafe};
use std::sync::Once;

thread_local! {
    static CONTAINED: Cell<u32> = const { Cell::new(0) };
}

static HOOK: Once = Once::new();

/// A panic that was caught, with what it said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the reader gave up: {message}")]
pub struct Panicked {
    /// What the panic said; may quote the input.
    pub message: String,
}

/// Does the work; a panic in it, on this thread, prints nothing and is returned. Work that is handed to other threads has to be
/// contained there.
///
/// # Errors
/// [`Panicked`] when the work panicked.
pub fn contain<T>(work: impl FnOnce() -> T + UnwindSafe) -> Result<T, Panicked> {
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_contained() {
                loud(info);
            }
        }));
    });
    CONTAINED.set(CONTAINED.get().saturating_add(1));
    let outcome = panic::catch_unwind(work);
    CONTAINED.set(CONTAINED.get().saturating_sub(1));
    outcome.map_err(|payload| Panicked {
        message: said(payload.as_ref()),
    })
}

/// Whether this thread is inside of [`contain`], so that a panic hook keeps quiet.
#[must_use]
pub fn is_contained() -> bool {
    CONTAINED.get() > 0
}

/// What a panic said.
fn said(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_says_what_it_said() {
        let outcome = contain(|| -> u8 { panic!("offset {} past the end", 7) });
        let error = outcome.expect_err("it panics");
        assert_eq!(error.message, "offset 7 past the end");
        assert!(!is_contained());
    }

    #[test]
    fn work_that_succeeds_is_handed_through() {
        assert_eq!(contain(is_contained), Ok(true));
    }
}
