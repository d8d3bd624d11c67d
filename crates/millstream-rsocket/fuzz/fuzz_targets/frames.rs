//! Any bytes as a frame, and as all that a peer sends: nothing panics, nothing loops, and what a
//! connection holds is bounded.
//!
//! Run with `cargo +nightly fuzz run frames`, in `crates/millstream-rsocket`.

#![no_main]

#[path = "../../tests/it/any_bytes/judge.rs"]
mod judge;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| judge::judge(bytes));
