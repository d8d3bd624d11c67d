//! Rules by subjects: what is known about each rule on each subject.

use reactive_streams::rules::{Ensured, RULES};

use super::{Document, Report, Status};
use crate::advice::{OWN_RULES, statement_of};

/// Rules that every call of every check is judged by, so that no check is named after them.
const ON_EVERY_TRACE: [&str; 3] = ["3.4", "3.15", "3.16"];

/// One rule.
pub(super) struct Line {
    pub(super) rule: &'static str,
    pub(super) statement: &'static str,
    pub(super) cells: Vec<Cell>,
    /// Where the first violation on each subject is told.
    links: Vec<Option<String>>,
}

impl Line {
    /// The cells, each with the place of its violation.
    pub(super) fn linked(&self) -> impl Iterator<Item = (Cell, Option<&str>)> {
        self.cells.iter().copied().zip(self.links.iter().map(Option::as_deref))
    }
}

/// The name of a check's place on the page.
pub(super) fn anchor(document: &Document) -> String {
    let name = format!("{}-{}-{}", document.origin, document.subject, document.check);
    name.replace(|char: char| !char.is_ascii_alphanumeric(), "-")
}

/// What is known about one rule on one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Passed,
    Failed,
    Warned,
    Tolerated,
    Skipped,
    ByTypes,
    NotApplicable,
    NotTested,
    /// The rule is about something else than this subject.
    Foreign,
}

impl Cell {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warned => "warned",
            Self::Tolerated => "tolerated",
            Self::Skipped => "no verdict",
            Self::ByTypes => "by types",
            Self::NotApplicable => "n.a.",
            Self::NotTested => "not tested",
            Self::Foreign => "–",
        }
    }

    /// The name of its style.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warned => "warned",
            Self::Tolerated => "tolerated",
            Self::Skipped => "skipped",
            Self::ByTypes | Self::NotApplicable | Self::NotTested | Self::Foreign => "none",
        }
    }
}

impl Report {
    /// All rules of the specification, and those of this binding that a check is named after.
    pub(super) fn matrix(&self) -> Vec<Line> {
        let subjects = self.subjects();
        let is_named = |rule: &str| self.documents.iter().any(|d| d.rule == rule);
        let own = OWN_RULES.iter().map(|rule| rule.number).filter(|rule| is_named(rule));
        let lines = RULES.iter().map(|rule| rule.number).chain(own).map(|rule| Line {
            rule,
            statement: statement_of(rule).map_or("", |(_, statement)| statement),
            cells: subjects.iter().map(|subject| self.cell(rule, *subject)).collect(),
            links: subjects.iter().map(|subject| self.link(rule, *subject)).collect(),
        });
        lines.collect()
    }

    /// The place of the first check that shows the rule to be broken.
    fn link(&self, rule: &str, subject: (&str, &str)) -> Option<String> {
        let is_it = |document: &&Document| {
            (document.origin.as_str(), document.subject.as_str()) == subject
                && document.status != Status::Skipped
                && document.violations.iter().any(|broken| broken.rule == rule)
        };
        self.documents.iter().find(is_it).map(anchor)
    }

    fn cell(&self, rule: &str, subject: (&str, &str)) -> Cell {
        let documents: Vec<_> = self
            .documents
            .iter()
            .filter(|d| (d.origin.as_str(), d.subject.as_str()) == subject)
            .collect();
        // A check may show violations of other rules than its own.
        let breaks = |document: &&&Document, level: &str| {
            document.violations.iter().any(|b| b.rule == rule && b.level == level)
        };
        let broken: Vec<_> = documents.iter().filter(|d| breaks(d, "must")).collect();
        if broken.iter().any(|document| document.status == Status::Failed) {
            return Cell::Failed;
        }
        if broken.iter().any(|document| document.status == Status::Tolerated) {
            return Cell::Tolerated;
        }
        if documents.iter().any(|d| breaks(&d, "should")) {
            return Cell::Warned;
        }
        // A check that failed by another rule, perhaps half-way, says nothing about its own.
        let is_named = |d: &&&Document| d.rule == rule;
        let is_judging = |d: &&&Document| {
            is_named(d) || (ON_EVERY_TRACE.contains(&rule) && d.suite != "subscriber")
        };
        if documents.iter().filter(is_judging).any(|document| document.status == Status::Ok) {
            return Cell::Passed;
        }
        if documents.iter().any(|document| is_named(&document)) {
            return Cell::Skipped;
        }
        let is_about = |document: &&&Document| match document.suite.as_str() {
            "publisher" => rule.starts_with("1.") || rule.starts_with("3."),
            "subscriber" => rule.starts_with("2."),
            _ => true,
        };
        if !documents.iter().any(|document| is_about(&document)) {
            return Cell::Foreign;
        }
        match reactive_streams::rule(rule).map(|rule| rule.ensured) {
            Some(Ensured::ByType) => Cell::ByTypes,
            Some(Ensured::NotApplicable) => Cell::NotApplicable,
            _ => Cell::NotTested,
        }
    }
}
