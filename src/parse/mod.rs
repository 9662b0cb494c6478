//! One module for each on-disk format. Nothing here knows about Remote Desktop: bytes in, records out, and every loss
//! named with its place.

pub mod certificate;
pub mod hive;
pub mod pem;
pub mod store_blob;
pub mod text;
