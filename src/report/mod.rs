//! The report's forms: one file for each format, reports in, bytes out. No terminal, no environment, no clock is looked at here;
//! whoever asks says how wide, in which characters and in which time zone.

mod clock;
pub mod escape;
mod fact_list;
mod format;
mod json;
mod negotiation;
mod observation;
mod rule_list;
mod schema;
mod source;
mod text;

pub use clock::Clock;
pub use escape::Charset;
pub use fact_list::fact_list;
pub use format::{Format, UnknownExtension};
pub use negotiation::negotiation;
pub use rule_list::rule_list;
pub use schema::schema;
pub use text::{Detail, TextOptions};
