//! What the crate promises, by subject.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod any_bytes;
mod examples;
mod flows;
mod fragments;
mod frames;
mod metadata;
mod proto;
mod raw;
mod transports;
