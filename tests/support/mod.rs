//! Writers that forge the files the tests read. Each test uses a part of them.
#![allow(dead_code)]

pub mod event_log;
