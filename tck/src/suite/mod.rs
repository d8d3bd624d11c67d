//! The situations that subjects are brought into.

pub(crate) mod processor;
mod processor_checks;
pub(crate) mod publisher;
mod scenario;
pub(crate) mod sides;
pub(crate) mod subscriber;
mod subscriber_checks;

use crate::check::Check;

/// All checks, in the order in which they are listed.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    publisher::checks().chain(subscriber::checks()).chain(processor::checks())
}
