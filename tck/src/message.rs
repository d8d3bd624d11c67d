//! What a failed check says to a person.

use std::fmt::Write as _;

use crate::{
    advice::{advice_on, statement_of},
    checker::{Level, Violation},
    timeline,
    verdict::Outcome,
};

/// Rules beyond these are only counted.
const SHOWN: usize = 3;

impl Outcome {
    /// The broken rules, what was expected and what happened, the timeline, usual causes, and the
    /// command that runs this check alone.
    #[must_use]
    pub fn message(&self) -> String {
        self.message_with(self.check.name)
    }

    /// The message, where the test of the check has another name than the check.
    pub(crate) fn message_with(&self, test: &str) -> String {
        let Self { subject, check, violations, trace, .. } = self;
        let mut text = format!("{subject}: {} {}\n", check.name, self.verdict);
        let shown = violations.iter().take(SHOWN).enumerate();
        for (index, violation) in shown {
            let repeated = violations[..index].iter().any(|other| other.rule == violation.rule);
            write_violation(&mut text, violation, trace.len(), repeated);
        }
        if violations.len() > SHOWN {
            let _ok = writeln!(text, "\n  and {} more", violations.len() - SHOWN);
        }
        if !trace.is_empty() {
            let broken: Vec<_> = violations.iter().map(|v| (v.at, v.rule)).collect();
            let _ok = write!(text, "\n{}", timeline::text_of(trace, &broken));
        }
        if let Some(seed) = self.seed {
            let _ok = writeln!(text, "\n  seed: {seed}");
        }
        let _ok = write!(text, "\n  run it alone with: {}", self.command(test));
        text
    }

    fn command(&self, test: &str) -> String {
        let seed = self.seed.map(|seed| format!("RS_TCK_SEED={seed} ")).unwrap_or_default();
        format!("{seed}cargo test -- {}::{test}", self.subject)
    }
}

fn write_violation(text: &mut String, violation: &Violation, end: usize, repeated: bool) {
    let Violation { rule, message, at, level } = violation;
    let level = match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    };
    let place = if *at < end { format!("event {at}") } else { "until the end".to_owned() };
    if repeated {
        let _ok = writeln!(text, "\n  rule {rule} again: {message} ({place})");
        return;
    }
    let statement = statement_of(rule).map_or("", |(_, statement)| statement);
    let _ok = writeln!(text, "\n  rule {rule} ({level}): {statement}");
    let advice = advice_on(rule);
    if let Some(advice) = advice {
        let _ok = writeln!(text, "    expected: {}", advice.expected);
    }
    let _ok = writeln!(text, "    happened: {message} ({place})");
    for (index, cause) in advice.map_or(&[][..], |advice| advice.causes).iter().enumerate() {
        let head = if index == 0 { "usually:  " } else { "          " };
        let _ok = writeln!(text, "    {head}{cause}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        check::{Check, Suite},
        trace::{self, Event},
        verdict::Verdict,
    };

    static CHECK: Check = Check {
        name: "rule_3_9_request_zero",
        rule: "3.9",
        suite: Suite::Publisher,
        originals: &[],
    };

    fn outcome(trace: Vec<Event>, violations: Vec<Violation>, seed: Option<u64>) -> Outcome {
        Outcome {
            subject: "mine".to_owned(),
            check: &CHECK,
            verdict: Verdict::Failed,
            violations,
            trace,
            seed,
            runs: 1,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_message_has_all_its_parts() {
        let trace = trace::parse("1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 0\n");
        let violations = vec![Violation::new("3.9", 3, "`request(0)` did not lead to an error")];

        let outcome = outcome(trace.unwrap(), violations, Some(7));

        assert_eq!(
            outcome.message(),
            "mine: rule_3_9_request_zero failed

  rule 3.9 (must): A request for less than one item is answered with an error.
    expected: `on_error` of kind `IllegalRequest` as the last signal
    happened: `request(0)` did not lead to an error (until the end)
    usually:  `request(0)` is ignored.
              `request(0)` panics.
              The error is another one, so that the subscriber cannot tell its own mistake.

  event  publisher                     │ subscriber
      0  on_subscribe                  │
      2                                │ request 0 …
      3  the end   ◀ breaks 3.9

  seed: 7

  run it alone with: RS_TCK_SEED=7 cargo test -- mine::rule_3_9_request_zero"
        );
    }

    #[test]
    fn a_rule_that_is_broken_again_is_not_explained_again() {
        let trace = trace::parse(&"1 0 > on_next\n1 0 < on_next\n".repeat(4)).unwrap();
        let violation = |at| Violation::new("3.4", at, "slow");
        let violations = [0, 2, 4, 6].map(violation).to_vec();

        let text = outcome(trace, violations, None).message_with(&CHECK.trial());

        assert_eq!(
            text,
            "mine: rule_3_9_request_zero failed

  rule 3.4 (should): `request` returns soon.
    expected: `request` returns within the budget
    happened: slow (event 0)
    usually:  Items are computed inside `request`.
              `request` waits for a lock that is held while items are sent.

  rule 3.4 again: slow (event 2)

  rule 3.4 again: slow (event 4)

  and 1 more

  event  publisher                     │ subscriber
      0  on_next                       │   ◀ breaks 3.4
      2  on_next                       │   ◀ breaks 3.4
      4  on_next                       │   ◀ breaks 3.4
      6  on_next                       │   ◀ breaks 3.4

  run it alone with: cargo test -- mine::3.9_request_zero"
        );
    }

    #[test]
    fn a_reason_stands_where_no_rule_was_broken() {
        let mut outcome = outcome(Vec::new(), Vec::new(), None);
        outcome.verdict = Verdict::HarnessError("the maker panicked".to_owned());

        assert_eq!(
            outcome.message(),
            "mine: rule_3_9_request_zero harness_error: the maker panicked\n\n  \
             run it alone with: cargo test -- mine::rule_3_9_request_zero"
        );
    }
}
