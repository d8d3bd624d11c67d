//! What a check is, before it is run.

use std::fmt;

/// One check: a situation in which a rule can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The name of its test, which begins with the rule: `rule_3_9_request_zero`.
    pub name: &'static str,
    /// The rule that the situation is made for. Every other rule is judged as well.
    pub rule: &'static str,
    /// What it judges.
    pub suite: Suite,
    /// The names of the JVM TCK's tests that look at the same thing.
    pub originals: &'static [&'static str],
}

/// What a check judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suite {
    /// A publisher.
    Publisher,
    /// A subscriber.
    Subscriber,
    /// A processor, as a whole; its two sides are judged as a subscriber and as a publisher.
    Processor,
}

impl Check {
    /// Whether a filter such as `3.9`, `rule_3_9` or `zero` means this check.
    #[must_use]
    pub fn matches(&self, filter: &str) -> bool {
        self.rule == filter || self.name.contains(filter)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher => "publisher",
            Self::Subscriber => "subscriber",
            Self::Processor => "processor",
        })
    }
}
