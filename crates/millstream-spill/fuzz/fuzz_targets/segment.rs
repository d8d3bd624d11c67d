//! Whatever bytes stand in segments and the cursor: no panic, no loop, no item that is not there.
//!
//! `cargo +nightly fuzz run segment` in `crates/millstream-spill`. The same is done with seeds in
//! `tests/it/any_bytes.rs`, which runs everywhere.

#![no_main]

#[path = "../../tests/it/any_bytes/open.rs"]
mod open;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| open::judge(bytes));
