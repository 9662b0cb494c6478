//! One module for each on-disk format. Nothing here knows about Remote Desktop: bytes in, records out, and every loss
//! named with its place.

pub mod acl_listing;
mod ber;
pub mod certificate;
pub mod certificate_bundle;
pub mod certificate_listing;
pub mod change_journal;
pub mod collection_manifest;
pub mod event_log;
pub mod file_table;
pub mod firewall_rule;
pub mod folder_listing;
pub mod guid;
pub mod hive;
pub mod key_file;
pub mod pem;
pub mod pkcs12;
pub mod program;
pub mod registry;
pub mod registry_text;
pub mod revocation_list;
pub mod running_state;
pub mod security;
pub mod store_blob;
pub mod text;
