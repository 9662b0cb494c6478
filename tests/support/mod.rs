//! The writers that forge what a broken server leaves behind: the same bytes every time.
#![allow(dead_code, unused_imports)] // No test uses all of it.

pub mod certificate;
pub mod corpus;
pub mod damage;
pub mod disk_image;
pub mod disk_layout;
pub mod event_log;
pub mod hive;
pub mod machine;
pub mod mounted;
pub mod ntfs;
pub mod permissions;
pub mod program;
pub mod properties;
pub mod renamed_disk;
pub mod samples;
pub mod seeded;
pub mod verdict;
pub mod vmdk;
pub mod watchdog;
pub mod wrong;
