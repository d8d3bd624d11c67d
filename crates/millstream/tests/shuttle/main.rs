//! Whole pipelines under shuttle's random schedules.
//!
//! Run with `cargo xtask shuttle [filter]`. The kernel takes atomics, locks and threads from
//! shuttle here, so that every access to them may be followed by another thread.
//! Memory orders are not explored: loom does that, for the kernel's parts.
//! Each test names the mutation that it was seen to fail under.
//!
//! A panic inside of a turn is caught by the kernel, so that no test asserts anything there:
//! subscribers write down what they see, and the test looks at it afterwards.

#![cfg(millstream_shuttle)]

mod concat_map;
mod group_by;
mod into_stream;
mod map_async;
mod processor;
mod publish_on;
mod retry;
mod signal_on;
mod subscribe_on;
mod support;
mod window;
