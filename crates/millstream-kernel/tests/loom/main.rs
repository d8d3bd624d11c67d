//! Loom models of the kernel's parts.
//!
//! Run with `cargo xtask loom [filter]`. Each model names the mutation that it was seen to fail
//! under; `MUTATIONS.md` has the table.

#![cfg(millstream_loom)]

mod arbiter;
mod asking;
mod breaker;
mod broadcast;
mod deferred;
mod fan_in;
mod gate;
mod gate_handover;
mod gauge;
mod gcra;
mod hub;
mod inner;
mod ledger;
mod mpsc;
mod orderings;
mod overflow;
mod packed_demand;
mod permits;
mod recorder;
mod semaphore;
mod serial;
mod sharing;
mod spsc;
mod subscriber_slot;
mod support;
mod switch;
mod wake;
