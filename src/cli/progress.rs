//! A line on the terminal that says how far the reading is; nothing where standard error is no terminal.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rdptriage::Progress;
use rdptriage::report::{Charset, escape};

/// What is done in less time needs no line.
const A_MOMENT: Duration = Duration::from_millis(400);
const LINE: &str = "{percent:>3} %  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {wide_msg}";

/// The line, once it is shown.
pub(crate) struct Bar {
    began: Instant,
    bar: ProgressBar,
    shown: OnceLock<()>,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_style(
            ProgressStyle::with_template(LINE).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Bar {
            began: Instant::now(),
            bar,
            shown: OnceLock::new(),
        }
    }

    /// Takes the line away: what follows stands in its place.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, bytes: u64) {
        self.bar.set_length(bytes);
    }

    fn file(&self, path: &str) {
        // Names of files are the users' own, and may hold anything.
        self.bar
            .set_message(escape::visible(path, Charset::Unicode).to_string());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.began.elapsed() >= A_MOMENT {
            // Draws to a terminal only.
            self.shown
                .get_or_init(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }
}
