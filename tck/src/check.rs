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

    /// Its name in an executable that is made with `main`: `3.9_request_zero`.
    ///
    /// It begins with the rule, also for a check that has a side before it, so that a filter by
    /// rule finds them all.
    #[must_use]
    pub fn trial(&self) -> String {
        trial(self.name, self.rule)
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

/// The name of a trial, from a check's name and its rule.
pub(crate) fn trial(name: &str, rule: &str) -> String {
    let number = format!("rule_{}_", rule.replace('.', "_").to_lowercase());
    match name.split_once(&number) {
        Some((side, rest)) => format!("{rule}_{side}{rest}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static CHECK: Check = Check {
        name: "rule_3_9_request_zero",
        rule: "3.9",
        suite: Suite::Publisher,
        originals: &[],
    };

    #[test]
    fn a_trial_is_named_by_the_rule_as_it_is_written() {
        let own = Check { name: "rule_r_8_finished_is_obeyed", rule: "R.8", ..CHECK };

        assert_eq!(CHECK.trial(), "3.9_request_zero");
        assert_eq!(own.trial(), "R.8_finished_is_obeyed");
        let side = Check { name: "publisher_rule_3_9_request_zero", ..CHECK };
        assert_eq!(side.trial(), "3.9_publisher_request_zero");
    }
}
