//! Tests for publishers, subscribers and flows.
//!
//! - [`Probe`]: a subscriber that a test steers, and that remembers every signal with its thread.
//! - [`Puppet`]: a publisher that a test steers, and that can also break the rules.
//! - [`Scenario`]: a script of what is done to a flow, and of what it answers.
//! - [`chaos`]: an operator between a source and a consumer that do whatever the rules allow.
//! - [`stage_tests!`]: all of that for an operator of yours, in one line.
//! - [`marbles`]: what comes out when, drawn in a line.
//! - [`Items`]: items that are counted while they are alive.
//! - [`VirtualTime`]: a clock that a test moves.

#![forbid(unsafe_code)]

pub mod chaos;
mod item;
pub mod marbles;
mod probe;
mod puppet;
mod scenario;
pub mod stage;

pub use item::{Item, Items};
pub use millstream::scheduler::VirtualTime;
pub use probe::{Probe, ProbeSubscriber, Record, Signal};
pub use puppet::{Puppet, PuppetPublisher};
pub use scenario::Scenario;
