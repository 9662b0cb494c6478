//! A rule, checked: every kind, field and word in it is one that the catalogue has.

use jiff::SignedDuration;

use super::case::Case;
use super::matcher::Condition;
use super::template::{Placeholder, Template};
use crate::facts::catalog::Kind;
use crate::facts::incident::Anchor;
use crate::facts::value::choice;

choice! {
    /// What area a cause lies in.
    Family {
        /// Versions, suites and groups of TLS.
        Tls = "tls",
        /// The listener's certificate.
        Certificate = "certificate",
        /// Its private key.
        PrivateKey = "private-key",
        /// Windows services.
        Service = "service",
        /// The listener, RDP-Tcp.
        Listener = "listener",
        /// The firewall.
        Firewall = "firewall",
        /// Too much of something.
        Load = "load",
        /// Remote Desktop licensing.
        Licensing = "licensing",
        /// Who somebody is.
        Authentication = "authentication",
        /// What they may do.
        Authorization = "authorization",
        /// The network.
        Network = "network",
        /// Windows updates.
        Update = "update",
        /// The clock.
        Clock = "clock",
        /// Somebody else's software.
        ThirdParty = "third-party",
    }
}

choice! {
    /// What a rule may become in a verdict.
    Standing {
        /// A cause.
        Cause = "cause",
        /// The verdict only when nothing confirmed or likely explains it.
        Symptom = "symptom",
        /// Never the verdict.
        Contributing = "contributing",
    }
}

choice! {
    /// What one test may make of a finding, when it is the one that decides.
    TestStanding {
        /// True with no other decisive, the finding only contributes.
        Contributing = "contributing",
        /// On a decisive: true with no other, the fault does no harm yet. On a require: false as the only one, the fault is hidden
        /// and not gone.
        Latent = "latent",
    }
}

choice! {
    /// What a test is for.
    TestRole {
        /// All of these must be true.
        Require = "require",
        /// One of these proves it.
        Decisive = "decisive",
        /// These speak for it.
        Support = "support",
        /// One of these refutes it.
        Exclude = "exclude",
    }
}

/// A cause, symptom or circumstance, and what decides it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, stable: reports, tests and people's notes refer to it.
    pub id: String,
    /// The file it was read from, without folders.
    pub file: String,
    /// The area it lies in.
    pub family: Family,
    /// What it may become.
    pub standing: Standing,
    /// One line.
    pub title: Template,
    /// A few sentences.
    pub summary: Template,
    /// The ids of what it explains.
    pub explains: Vec<String>,
    /// The field that says when a latent fault will do harm.
    pub strikes: Option<Placeholder>,
    /// Its tests: requires, decisives, supports, excludes, each in the file's order. At least one is decisive.
    pub tests: Vec<Test>,
    /// Its repair, least harmful first.
    pub fixes: Vec<FixStep>,
    /// Popular advice that would do harm.
    pub refuse: Vec<Advice>,
    /// What it must come to on made-up facts.
    pub cases: Vec<Case>,
}

impl Rule {
    /// The tests of one role, with their places in `tests`.
    pub fn tests_of(&self, role: TestRole) -> impl Iterator<Item = (usize, &Test)> {
        self.tests
            .iter()
            .enumerate()
            .filter(move |(_, test)| test.role == role)
    }
}

/// One question about the facts.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name, shown in reports.
    pub name: String,
    /// What it is for.
    pub role: TestRole,
    /// The kind of fact it selects.
    pub kind: &'static Kind,
    /// What the fact's fields must be; all of them.
    pub conditions: Vec<Condition>,
    /// The time that it asks about.
    pub window: TestWindow,
    /// How many such facts there must be.
    pub count: Count,
    /// What it makes of the finding when it alone decides.
    pub standing: Option<TestStanding>,
}

/// The time that a test asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestWindow {
    /// None said: an event is asked for since the last success, a state as it stands.
    Usual,
    /// `window = "all"`: the whole time of the collection.
    All,
    /// `within = { of, minutes }`: not further from the anchor than this, before or after.
    Within(Anchor, SignedDuration),
    /// `before` and `after`; at least one of them.
    Between {
        /// Later than this.
        after: Option<Anchor>,
        /// Earlier than this.
        before: Option<Anchor>,
    },
}

impl TestWindow {
    /// The anchors it is measured from.
    pub fn anchors(self) -> impl Iterator<Item = Anchor> {
        let (one, other) = match self {
            TestWindow::Usual | TestWindow::All => (None, None),
            TestWindow::Within(anchor, _) => (Some(anchor), None),
            TestWindow::Between { after, before } => (after, before),
        };
        one.into_iter().chain(other)
    }
}

/// How many facts a test asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// At least so many.
    pub min: usize,
    /// At most so many.
    pub max: Option<usize>,
}

impl Default for Count {
    /// At least one.
    fn default() -> Self {
        Count { min: 1, max: None }
    }
}

/// One step of a repair.
#[derive(Debug, Clone)]
pub struct FixStep {
    /// What it does.
    pub step: Template,
    /// The command.
    pub run: Option<Template>,
    /// How risky it is, and why.
    pub risk: Option<Template>,
    /// How to undo it.
    pub rollback: Option<Template>,
    /// How to see that it worked.
    pub verify: Option<Template>,
    /// The place of the test that must be true for this step to be shown.
    pub when: Option<usize>,
}

/// Popular advice that fits the symptoms and would do harm.
#[derive(Debug, Clone)]
pub struct Advice {
    /// The advice.
    pub advice: Template,
    /// Why not.
    pub why: Template,
    /// What to do instead.
    pub instead: Template,
}
