//! Writers that forge what the samples and tests are made of.
#![allow(dead_code)]

pub mod hive;
