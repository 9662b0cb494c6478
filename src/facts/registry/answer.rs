//! Where a question to the hives is put, and what comes back.

use jiff::Timestamp;

use crate::facts::fact::Source;
use crate::facts::known::Known;
use crate::facts::subject::Subject;

/// Something in a hive that could not be read, or that a reader of the report should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The hive.
    pub artifact: String,
    /// Where in it: a key and a value, or a byte.
    pub at: Option<String>,
    /// What, and what it hides.
    pub message: String,
}

/// Where a key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'p> {
    /// In SYSTEM, below the control set in use.
    ControlSet(&'p str),
    /// In SYSTEM, from its root.
    System(&'p str),
    /// In SOFTWARE.
    Software(&'p str),
    /// In SECURITY.
    Security(&'p str),
}

impl Place<'_> {
    pub(super) fn subject(self) -> Subject {
        match self {
            Place::ControlSet(_) | Place::System(_) => Subject::SystemHive,
            Place::Software(_) => Subject::SoftwareHive,
            Place::Security(_) => Subject::SecurityHive,
        }
    }
}

/// What a hive says to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The value; known to be none where the hive proves that; open with its gap else.
    pub value: Known<Option<T>>,
    /// Where it stands, or would stand; none where there is no hive.
    pub source: Option<Source>,
    /// When the key was last written.
    pub written: Option<Timestamp>,
}

impl<T> Answer<T> {
    /// Goes on with the value, if there is one; to none where it cannot be used.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: self.value.map(|value| value.map(change)),
            source: self.source,
            written: self.written,
        }
    }

    /// The value, where it is there.
    pub fn present(&self) -> Option<&T> {
        self.value.settled().and_then(Option::as_ref)
    }

    /// Whether the hive proves that it is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self.value, Known::Is(None))
    }
}
