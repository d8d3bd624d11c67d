//! Tests for publishers, subscribers and flows.
//!
//! - [`Probe`]: a subscriber that a test steers, and that remembers every signal with its thread.
//! - [`Puppet`]: a publisher that a test steers, and that can also break the rules.
//! - [`marbles`]: what comes out when, drawn in a line.
//! - [`VirtualTime`]: a clock that a test moves.

#![forbid(unsafe_code)]

pub mod marbles;
mod probe;
mod puppet;

pub use millstream::scheduler::VirtualTime;
pub use probe::{Probe, ProbeSubscriber, Record, Signal};
pub use puppet::{Puppet, PuppetPublisher};
