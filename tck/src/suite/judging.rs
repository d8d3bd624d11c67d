//! A subject meets the checks: which are made on it, and how one is run.

use super::{processor, publisher, sides, subscriber};
use crate::{
    check::{Check, Suite},
    settings::Overrides,
    subject::{Kind, Subject},
    verdict::{Outcome, Verdict},
};

/// Stands for a check that does not exist.
static UNKNOWN: Check =
    Check { name: "unknown", rule: "", suite: Suite::Publisher, originals: &[] };

impl Subject {
    /// The checks that are made on it.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        let checks: Box<dyn Iterator<Item = &'static Check>> = match &self.kind {
            Kind::Publisher(_) => Box::new(publisher::checks()),
            Kind::Subscriber(_) => Box::new(subscriber::checks()),
            Kind::Processor(_) => Box::new(processor::checks().chain(sides::checks())),
        };
        checks
    }

    /// Runs the check of this name; settings that are given outside are taken into account.
    ///
    /// A name that is no check's is a [`HarnessError`](crate::Verdict::HarnessError).
    #[must_use]
    pub fn run(&self, name: &str, overrides: Overrides) -> Outcome {
        let settings = self.settings(overrides);
        let outcome = match &self.kind {
            Kind::Publisher(publisher) => publisher::run(&self.name, publisher, name, &settings),
            Kind::Subscriber(subscriber) => {
                subscriber::run(&self.name, subscriber, name, &settings)
            }
            Kind::Processor(processor) => processor::run(&self.name, processor, name, &settings),
        };
        outcome.unwrap_or_else(|| {
            let message = format!("there is no check `{name}`; `rs-tck list` names them all");
            Outcome::unplayed(&self.name, &UNKNOWN, Verdict::HarnessError(message))
        })
    }
}
