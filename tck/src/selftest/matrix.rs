//! Runs mistakes and oddities, and says which rules and checks found what.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{Culprit, Mistake, Oddity};
use crate::{
    checker::{
        Expectation, Level, SubscriberExpectation, Violation, check_publisher, check_subscriber,
    },
    settings::Overrides,
    trace::{self, Event},
    verdict::Verdict,
};

/// Stands for the check where a recorded trace was judged.
const RECORDED: &str = "(recorded)";

/// What became of a mistake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hunt {
    /// The mistake.
    pub mistake: &'static Mistake,
    /// The rules that were found broken, each with the checks that found it.
    pub found: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// Where the harness failed in place of the subject.
    pub harness_errors: Vec<String>,
}

/// How a hunt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A rule that the mistake breaks was found broken.
    Caught,
    /// Only other rules were found broken.
    WrongRule,
    /// Nothing was found.
    Survived,
}

/// What was said about an oddity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hearing {
    /// The oddity.
    pub oddity: &'static Oddity,
    /// What was wrongly flagged: the check, and what it said.
    pub flagged: Vec<(&'static str, String)>,
}

/// All hunts and hearings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Matrix {
    /// One for each mistake.
    pub hunts: Vec<Hunt>,
    /// One for each oddity.
    pub hearings: Vec<Hearing>,
}

impl Mistake {
    /// Makes every check on it.
    #[must_use]
    pub fn hunt(&'static self, overrides: Overrides) -> Hunt {
        let mut hunt = Hunt { mistake: self, found: BTreeMap::new(), harness_errors: Vec::new() };
        match self.culprit {
            Culprit::Trace(text) => {
                hunt.judge(text, |events| check_publisher(events, &Expectation::default()))
            }
            Culprit::SubscriberTrace(text) => hunt.judge(text, |events| {
                let settled = SubscriberExpectation { settled: true, ..Default::default() };
                check_subscriber(events, &settled)
            }),
            Culprit::Subject(make) => {
                let subject = make();
                for check in subject.checks() {
                    let outcome = subject.run(check.name, overrides);
                    if let Verdict::HarnessError(message) = &outcome.verdict {
                        hunt.harness_errors.push(format!("{}: {message}", check.name));
                    }
                    for violation in outcome.violations {
                        hunt.found.entry(violation.rule).or_default().insert(check.name);
                    }
                }
            }
        }
        hunt
    }
}

impl Oddity {
    /// Makes every check on it.
    #[must_use]
    pub fn hear(&'static self, overrides: Overrides) -> Hearing {
        let subject = (self.subject)();
        let mut flagged = Vec::new();
        for check in subject.checks() {
            let outcome = subject.run(check.name, overrides);
            // A recommendation that is not followed is a warning, and no flag.
            let binding = outcome.violations.iter().filter(|v| v.level == Level::Must);
            flagged.extend(binding.map(|violation| (check.name, violation.to_string())));
            if let Verdict::HarnessError(message) = outcome.verdict {
                flagged.push((check.name, message));
            }
        }
        Hearing { oddity: self, flagged }
    }
}

impl Hunt {
    /// Judges a recorded trace.
    fn judge(&mut self, text: &str, check: impl Fn(&[Event]) -> Vec<Violation>) {
        match trace::parse(text) {
            Ok(events) => {
                for violation in check(&events) {
                    self.found.entry(violation.rule).or_default().insert(RECORDED);
                }
            }
            Err(error) => self.harness_errors.push(format!("{RECORDED}: {error}")),
        }
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> End {
        if self.mistake.rules.iter().any(|rule| self.found.contains_key(rule)) {
            End::Caught
        } else if self.found.is_empty() {
            End::Survived
        } else {
            End::WrongRule
        }
    }

    /// The rules that were found, with the number of checks that found each; the expected first.
    fn caught_by(&self) -> String {
        let is_expected = |rule: &&str| self.mistake.rules.contains(rule);
        let mut rules: Vec<_> = self.found.iter().collect();
        rules.sort_by_key(|(rule, _)| !is_expected(rule));
        let texts = rules.iter().map(|(rule, checks)| match checks.len() {
            1 => format!("{rule} in {}", checks.first().unwrap_or(&RECORDED)),
            n => format!("{rule} in {n} checks"),
        });
        let text = texts.collect::<Vec<_>>().join(", ");
        match (text.is_empty(), self.harness_errors.first()) {
            (false, _) => text,
            (true, Some(error)) => format!("nothing: {error}"),
            (true, None) => "nothing".to_owned(),
        }
    }
}

impl Matrix {
    /// Whether every mistake was caught by a rule of its own, and no oddity was flagged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.hunts.iter().all(|hunt| hunt.end() == End::Caught)
            && self.hearings.iter().all(|hearing| hearing.flagged.is_empty())
    }

    /// A line per mistake and oddity, and the sums.
    #[must_use]
    pub fn console(&self) -> String {
        let rules = |hunt: &Hunt| hunt.mistake.rules.join(" or ");
        let width = |of: &dyn Fn(&Hunt) -> usize| self.hunts.iter().map(of).max().unwrap_or(0);
        let ids = width(&|hunt| hunt.mistake.id.chars().count()).max("mistake".len());
        let whats = width(&|hunt| hunt.mistake.what.chars().count());
        let breaks = width(&|hunt| rules(hunt).len()).max("breaks".len());
        let mut text =
            format!("{:<ids$}  {:<whats$}  {:<breaks$}  caught by\n", "mistake", "", "breaks");
        for hunt in &self.hunts {
            let mark = match hunt.end() {
                End::Caught => "",
                End::WrongRule => "WRONG RULE: ",
                End::Survived => "SURVIVED: ",
            };
            let Mistake { id, what, .. } = hunt.mistake;
            let _ok = writeln!(
                text,
                "{id:<ids$}  {what:<whats$}  {:<breaks$}  {mark}{}",
                rules(hunt),
                hunt.caught_by()
            );
        }
        for hearing in self.hearings.iter().filter(|hearing| !hearing.flagged.is_empty()) {
            let _ok = writeln!(text, "\nflagged, although allowed: {}", hearing.oddity.what);
            for (check, message) in &hearing.flagged {
                let _ok = writeln!(text, "  {check}: {message}");
            }
        }
        let _ok = writeln!(text, "\ncaught by rule: {}", self.by_rule());
        let _ok = writeln!(text, "\n{}", self.sums());
        text
    }

    /// How many mistakes each rule caught, of those that break it.
    fn by_rule(&self) -> String {
        let mut counts: BTreeMap<(u32, u32), (&str, usize)> = BTreeMap::new();
        for hunt in &self.hunts {
            let caught = hunt.mistake.rules.iter().find(|rule| hunt.found.contains_key(*rule));
            if let Some(rule) = caught {
                counts.entry(order(rule)).or_insert((rule, 0)).1 += 1;
            }
        }
        let texts: Vec<_> = counts.values().map(|(rule, n)| format!("{rule} {n}")).collect();
        texts.join(", ")
    }

    /// The matrix for the book.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# What the checks catch\n\n{}\n\n| mistake | | breaks | caught by |\n|---|---|---|---|\n",
            self.sums()
        );
        for hunt in &self.hunts {
            let Mistake { id, what, rules, .. } = hunt.mistake;
            let caught = hunt.caught_by();
            let caught = if hunt.end() == End::Caught { caught } else { format!("**{caught}**") };
            let _ok = writeln!(
                text,
                "| {id} | {} | {} | {} |",
                escaped(what),
                rules.join(" or "),
                escaped(&caught)
            );
        }
        if !self.hearings.is_empty() {
            text.push_str("\n## What is unusual and allowed\n\n");
        }
        for Hearing { oddity, flagged } in &self.hearings {
            let end = if flagged.is_empty() { "" } else { ": **flagged**" };
            let _ok = writeln!(text, "- {}{end}", oddity.what);
        }
        text
    }

    fn sums(&self) -> String {
        let count = |end| self.hunts.iter().filter(|hunt| hunt.end() == end).count();
        let flagged = self.hearings.iter().filter(|hearing| !hearing.flagged.is_empty()).count();
        format!(
            "Of {} mistakes {} were caught by their rule, {} by a wrong rule only, and {} were missed; \
             of {} oddities {flagged} were flagged.",
            self.hunts.len(),
            count(End::Caught),
            count(End::WrongRule),
            count(End::Survived),
            self.hearings.len(),
        )
    }
}

/// Sorts 3.9 before 3.17, and this binding's own rules last.
fn order(rule: &str) -> (u32, u32) {
    let (section, number) = rule.split_once('.').unwrap_or((rule, ""));
    (section.parse().unwrap_or(u32::MAX), number.parse().unwrap_or(u32::MAX))
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: &str = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_next\n";

    static MISTAKES: [Mistake; 3] = [
        Mistake {
            id: "M03",
            what: "an item before a request",
            rules: &["1.1"],
            culprit: Culprit::Trace(EARLY),
        },
        Mistake {
            id: "M14",
            what: "completes twice",
            rules: &["1.7", "1.6"],
            culprit: Culprit::Trace(EARLY),
        },
        Mistake { id: "M99", what: "none", rules: &["1.1"], culprit: Culprit::Trace("") },
    ];

    static ODDITIES: [Oddity; 1] = [Oddity {
        what: "nothing at all",
        subject: || crate::Subject::of("nothing", crate::Capabilities::new(), |_| Silent),
    }];

    /// Does nothing, which is not allowed.
    struct Silent;

    impl reactive_streams::Publisher for Silent {
        type Item = u64;

        fn subscribe<S: reactive_streams::Subscriber<u64>>(self, subscriber: S) {
            drop(subscriber);
        }
    }

    fn matrix(mistakes: &'static [Mistake], oddities: &'static [Oddity]) -> Matrix {
        let overrides = Overrides::default();
        Matrix {
            hunts: mistakes.iter().map(|mistake| mistake.hunt(overrides)).collect(),
            hearings: oddities.iter().map(|oddity| oddity.hear(overrides)).collect(),
        }
    }

    #[test]
    fn a_mistake_is_caught_by_its_rule_or_not_at_all() {
        let ends: Vec<_> = matrix(&MISTAKES, &[]).hunts.iter().map(Hunt::end).collect();

        assert_eq!(ends, [End::Caught, End::WrongRule, End::Survived]);
        assert!(matrix(&MISTAKES[..1], &[]).is_clean());
        assert!(!matrix(&MISTAKES[1..2], &[]).is_clean());
        assert!(!matrix(&MISTAKES[2..], &[]).is_clean());
    }

    #[test]
    fn a_flagged_oddity_is_not_clean() {
        let matrix = matrix(&[], &ODDITIES);

        assert!(!matrix.is_clean());
        assert!(
            matrix.console().contains("\nflagged, although allowed: nothing at all\n  rule_1_1_")
        );
    }

    #[test]
    fn the_matrix_has_a_line_per_mistake() {
        assert_eq!(
            matrix(&MISTAKES, &[]).console(),
            "mistake                            breaks      caught by
M03      an item before a request  1.1         1.1 in (recorded)
M14      completes twice           1.7 or 1.6  WRONG RULE: 1.1 in (recorded)
M99      none                      1.1         SURVIVED: nothing

caught by rule: 1.1 1

Of 3 mistakes 1 were caught by their rule, 1 by a wrong rule only, and 1 were missed; of 0 oddities 0 were flagged.
"
        );
    }

    #[test]
    fn the_markdown_has_a_row_per_mistake() {
        let text = matrix(&MISTAKES[..2], &[]).markdown();

        assert!(text.contains("\n| M03 | an item before a request | 1.1 | 1.1 in (recorded) |\n"));
        assert!(
            text.contains("\n| M14 | completes twice | 1.7 or 1.6 | **1.1 in (recorded)** |\n"),
            "{text}"
        );
    }
}
