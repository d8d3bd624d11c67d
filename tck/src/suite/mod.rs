//! The situations that subjects are brought into.

mod dropped;
pub(crate) mod processor;
mod processor_checks;
pub(crate) mod publisher;
mod scenario;
mod property;
pub(crate) mod sides;
mod publisher_checks;
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
