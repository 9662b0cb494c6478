//! The catalogue of fact kinds: one declaration gives the typed body, the fields that rules may ask for, their
//! documentation, and what proves that a fact of the kind is absent.
#![doc = ""]
#![doc = include_str!("KINDS.md")]

use super::subject::Subject;
use super::value::FieldType;

/// Declares kinds: a documented struct for each, whose fields implement `FieldValue`, and the table [`KINDS`].
macro_rules! catalogue {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal => $body:ident $nature:ident ($absence:expr) {
            $( $(#[doc = $field_doc:literal])+ $field:ident : $ty:ty, )+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone)]
            pub struct $body { $( $(#[doc = $field_doc])+ pub $field: $ty, )+ }

            impl $body {
                /// The kind of these facts.
                pub const KIND: &'static $crate::facts::catalog::Kind = &$crate::facts::catalog::Kind {
                    name: $name,
                    doc: concat!($($doc),+),
                    nature: $crate::facts::catalog::Nature::$nature,
                    fields: &[$( $crate::facts::catalog::Field {
                        name: stringify!($field),
                        doc: concat!($($field_doc),+),
                        ty: <$ty as $crate::facts::value::FieldValue>::TYPE,
                    } ),+],
                    absence: $absence,
                };
            }

            impl $crate::facts::fact::Body for $body {
                fn kind(&self) -> &'static $crate::facts::catalog::Kind { Self::KIND }

                fn into_fields(self) -> Vec<(&'static str, $crate::facts::value::FieldState)> {
                    use $crate::facts::value::FieldValue;
                    vec![$( (stringify!($field), self.$field.state()) ),+]
                }
            }
        )+

        /// The kinds declared here.
        pub const KINDS: &[&$crate::facts::catalog::Kind] = &[$( $body::KIND ),+];
    };
}

pub mod certificate;
pub mod connection;
pub mod firewall;
pub mod host;
pub mod key;
pub mod licensing;
pub mod listener;
pub mod load;
pub mod logon;
pub mod policy;
pub mod schannel;
pub mod service;
pub mod session;
pub mod tls;
pub mod update;

/// What one field of a kind is.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in rules and reports.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it may be compared with.
    pub ty: FieldType,
}

/// Whether a fact is something that happened or something that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It happened at a time; tests without a window ask about the time since the last success.
    Event,
    /// It is so at the end of the collection, whatever its date.
    State,
}

/// What proves that no fact of the kind is there.
#[derive(Debug, PartialEq, Eq)]
pub enum Absence {
    /// All of these subjects cover the time in question.
    All(&'static [Subject]),
    /// It depends on the value that a test asks this choice field for; the subjects for each word. A test that does not ask for the
    /// field needs all of them.
    By(&'static str, &'static [(&'static str, &'static [Subject])]),
    /// The fact is always there, with open fields where the evidence lacks; where it is not, this subject is what lacks.
    Never(Subject),
}

/// One kind of fact.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in rules and reports, such as `listener.certificate`.
    pub name: &'static str,
    /// What a fact of this kind says.
    pub doc: &'static str,
    /// Something that happened, or something that is so.
    pub nature: Nature,
    /// Its fields.
    pub fields: &'static [Field],
    /// What proves that it is not there.
    pub absence: Absence,
}

impl Kind {
    /// Whether facts of this kind tell how people's connections fare, so that a fault which only they refute is latent.
    #[must_use]
    pub fn about_connections(&self) -> bool {
        self.name.starts_with("connection.") || self.name.starts_with("client.")
    }

    /// Whether a fact of this kind says that somebody got past a stage, so that how connections fare answers for it where the
    /// time of the fault is not known.
    #[must_use]
    pub fn success(&self) -> bool {
        self.name == "connection.passed"
    }

    /// One of its fields.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The kind of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// Every kind, by name.
pub static KINDS: std::sync::LazyLock<Vec<&'static Kind>> = std::sync::LazyLock::new(|| {
    let mut kinds: Vec<&'static Kind> = [
        host::KINDS,
        connection::KINDS,
        firewall::KINDS,
        schannel::KINDS,
        tls::KINDS,
        listener::KINDS,
        logon::KINDS,
        certificate::KINDS,
        key::KINDS,
        policy::KINDS,
        service::KINDS,
        load::KINDS,
        session::KINDS,
        licensing::KINDS,
        update::KINDS,
    ]
    .concat();
    kinds.sort_unstable_by_key(|kind| kind.name);
    kinds
});
