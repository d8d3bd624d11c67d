//! The situations that subjects are brought into.

mod dropped;
mod judging;
pub(crate) mod processor;
mod processor_checks;
mod property;
pub(crate) mod publisher;
mod publisher_checks;
mod round;
mod scenario;
pub(crate) mod sides;
pub(crate) mod subscriber;
mod subscriber_checks;

use crate::check::Check;

/// All checks, in the order in which they are listed.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    publisher::checks().chain(subscriber::checks()).chain(processor::checks())
}

/// Tests of the JVM's TCK that have no check here: the name of each, and why.
pub fn dropped() -> impl Iterator<Item = (&'static str, &'static str)> {
    publisher_checks::DROPPED.iter().chain(dropped::DROPPED).copied()
}
