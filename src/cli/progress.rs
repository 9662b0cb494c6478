//! A line on the terminal that says how far the reading is; nothing where standard error is no terminal.

use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rdptriage::Progress;
use rdptriage::report::{Charset, escape};

/// What is done in less time needs no line.
const A_MOMENT: Duration = Duration::from_millis(400);
const OPENING: &str = "opening: what is in the collection  {elapsed}";
const READING: &str =
    "{percent:>3} %  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {wide_msg}";

/// The line. It is shown by and by, by itself: a large archive or disk is opened for a while before anything of it is read.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_style(style(OPENING));
        let later = bar.clone();
        // Never waited for: it ends with the program, or finds the line taken away.
        thread::spawn(move || {
            thread::sleep(A_MOMENT);
            if !later.is_finished() {
                // Draws to a terminal only.
                later.set_draw_target(ProgressDrawTarget::stderr());
                later.enable_steady_tick(A_MOMENT);
            }
        });
        Bar { bar }
    }

    /// Takes the line away: what follows stands in its place.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, bytes: u64) {
        self.bar.set_style(style(READING));
        self.bar.set_length(bytes);
    }

    fn file(&self, path: &str) {
        // Names of files are the users' own, and may hold anything.
        self.bar
            .set_message(escape::visible(path, Charset::Unicode).to_string());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

fn style(line: &str) -> ProgressStyle {
    ProgressStyle::with_template(line).unwrap_or_else(|_| ProgressStyle::default_bar())
}
