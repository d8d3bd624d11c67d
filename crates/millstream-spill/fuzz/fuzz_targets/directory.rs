//! Any bytes as the segments and the cursor of a queue: opening them never panics, never loops, and
//! never invents an item.
//!
//! Run with `cargo +nightly fuzz run directory`, in `crates/millstream-spill`.

#![no_main]

#[allow(dead_code, reason = "some of it is for the property test alone")]
#[path = "../../tests/it/any_bytes/open.rs"]
mod open;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| open::judge(bytes));
