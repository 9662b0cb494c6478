//! From bytes to records: one module for each format. None of them knows Remote Desktop.

pub mod certificate;
pub mod hive;
pub mod pem;
pub mod store_blob;
pub mod text;
