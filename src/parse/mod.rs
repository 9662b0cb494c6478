//! One module for each on-disk format. Nothing here knows about Remote Desktop: bytes in, records out, and every loss
//! named with its place.
pub mod event_log;
