//! That no case hangs, and what it takes of time and memory.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What one case may take of the processor's time.
const MOST_TIME: Duration = Duration::from_secs(2);
/// From how much of real time on a case is taken to hang, however busy the machine.
const HANGS: Duration = Duration::from_secs(180);

/// Watches over one case after the other.
pub struct Watchdog {
    running: Arc<Mutex<Option<(String, Instant)>>>,
    times: Mutex<Times>,
}

#[derive(Default)]
struct Times {
    slowest: Option<(Duration, String)>,
    too_slow: Vec<String>,
}

impl Watchdog {
    /// Ends the program where a case hangs, with its name.
    pub fn start() -> Self {
        let running: Arc<Mutex<Option<(String, Instant)>>> = Arc::default();
        let watched = Arc::downgrade(&running);
        std::thread::spawn(move || {
            while let Some(running) = watched.upgrade() {
                if let Some((case, since)) = &*running.lock().expect("not poisoned")
                    && since.elapsed() > HANGS
                {
                    eprintln!("it hangs: {case}");
                    std::process::exit(101);
                }
                drop(running);
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        Watchdog {
            running,
            times: Mutex::default(),
        }
    }

    /// Runs a case and takes its time.
    pub fn timed<T>(&self, case: &str, run: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        *self.running.lock().expect("not poisoned") = Some((case.to_owned(), begun));
        let processor = processor_time();
        let outcome = run();
        // Where the system does not tell the processor's time, a busy machine must not count.
        let took = match (processor, processor_time()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => begun.elapsed() / 4,
        };
        *self.running.lock().expect("not poisoned") = None;
        let mut times = self.times.lock().expect("not poisoned");
        if took > MOST_TIME {
            times.too_slow.push(format!("{case}: {took:?}"));
        }
        if times
            .slowest
            .as_ref()
            .is_none_or(|(slowest, _)| took > *slowest)
        {
            times.slowest = Some((took, case.to_owned()));
        }
        outcome
    }

    /// The slowest case, for people.
    pub fn slowest(&self) -> String {
        let times = self.times.lock().expect("not poisoned");
        match &times.slowest {
            Some((took, case)) => format!("{case} ({took:?} of processor time)"),
            None => "none".to_owned(),
        }
    }

    /// Fails where a case took longer than it may.
    pub fn nothing_was_slow(&self) {
        let times = self.times.lock().expect("not poisoned");
        assert!(
            times.too_slow.is_empty(),
            "too slow:\n{}",
            times.too_slow.join("\n")
        );
    }
}

/// What all threads of this process have taken, in steps of a hundredth of a second; Linux alone tells it in a file.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; utime and stime are the 14th and the 15th field.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// The most memory that this process ever had, in bytes; Linux alone tells it in a file.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}
