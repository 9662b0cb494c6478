//! The report's forms: one file for each format, reports in, bytes out. No terminal, no environment, no clock is looked at here;
//! whoever asks says how wide, in which characters and in which time zone.

mod certificates;
mod clock;
pub mod escape;
mod event_words;
mod fact_list;
mod format;
mod happening;
mod html;
mod json;
mod listing;
mod lookup;
mod markdown;
mod negotiation;
mod observation;
mod redact;
mod rule_list;
mod schema;
mod source;
mod text;
pub mod timeline;

pub use certificates::{certificate_details, certificate_list};
pub use clock::Clock;
pub use escape::Charset;
pub use fact_list::fact_list;
pub use format::{Format, UnknownExtension};
pub use json::{collection_line, unreadable_collection_line};
pub use listing::{ListFormat, Listing, Room};
pub use lookup::{event_list, hive_list, key_list};
pub use negotiation::{negotiation_json, negotiation_text};
pub use redact::redact;
pub use rule_list::rule_list;
pub use schema::schema;
pub use text::{Detail, TextOptions};
