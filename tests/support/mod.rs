//! The writers that forge what a broken server leaves behind: the same bytes every time.
#![allow(dead_code, unused_imports)] // No test uses all of it.

pub mod certificate;
pub mod hive;
