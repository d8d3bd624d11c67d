//! Tests for publishers, subscribers and flows.
//!
//! - [`Probe`]: a subscriber that a test steers, and that remembers every signal with its thread.
//! - [`Puppet`]: a publisher that a test steers, and that can also break the rules.
//! - [`Scenario`]: a script of what is done to a flow, and of what it answers.
//! - [`chaos`]: an operator between a source and a consumer that do whatever the rules allow.
//! - [`marbles`]: what comes out when, drawn in a line.
//! - [`VirtualTime`]: a clock that a test moves.

#![forbid(unsafe_code)]

pub mod chaos;
pub mod marbles;
mod probe;
mod puppet;
mod scenario;

pub use millstream::scheduler::VirtualTime;
pub use probe::{Probe, ProbeSubscriber, Record, Signal};
pub use puppet::{Puppet, PuppetPublisher};
pub use scenario::Scenario;
