//! One module for each on-disk format. Nothing here knows about Remote Desktop: bytes in, records out, and every loss
//! named with its place.

pub mod acl_listing;
pub mod certificate;
pub mod certificate_bundle;
pub mod change_journal;
pub mod event_log;
pub mod file_table;
mod file_time;
pub mod firewall_rule;
pub mod folder_listing;
pub mod guid;
pub mod hive;
pub mod key_file;
pub mod pem;
pub mod registry;
pub mod registry_text;
pub mod security;
pub mod store_blob;
pub mod text;
