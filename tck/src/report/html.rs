//! The report as one page, without anything from elsewhere.

use std::collections::BTreeSet;

use askama::Template;

use super::{
    Document, Report, Status, Summary,
    matrix::{Line, anchor},
};
use crate::timeline::{self, Lane};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    overall: &'static str,
    class: &'static str,
    summary: Summary,
    subjects: Vec<(&'a str, &'a str)>,
    /// How many executables they come from.
    origins: usize,
    matrix: Vec<Line>,
    cases: Vec<Case<'a>>,
    skipped: Vec<&'a Document>,
}

/// A check that did not simply pass.
struct Case<'a> {
    document: &'a Document,
    class: &'static str,
    title: &'static str,
    anchor: String,
    rows: Vec<Row>,
    earlier: usize,
    later: usize,
    several_threads: bool,
    several_subscriptions: bool,
    /// Rules that are broken by what did not happen.
    missing: Vec<&'a str>,
}

/// A line of a timeline.
struct Row {
    at: usize,
    thread: u32,
    subscription: u32,
    is_publisher: bool,
    text: String,
    breaks: Vec<String>,
}

impl Report {
    /// One page: overall, the rules by subjects, and the timelines of what did not pass.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "what is expected always holds")]
    pub fn html(&self) -> String {
        let summary = self.summary();
        let (overall, class) = match () {
            () if summary.executed() == 0 => ("Nothing was executed", "failed"),
            () if summary.failed > 0 => ("Not conforming", "failed"),
            () if summary.tolerated > 0 => ("Conforming, but for known violations", "tolerated"),
            () => ("Conforming", "passed"),
        };
        let is_skipped = |document: &&Document| document.status == Status::Skipped;
        let subjects = self.subjects();
        let origins: BTreeSet<&str> = subjects.iter().map(|(origin, _)| *origin).collect();
        let page = Page {
            overall,
            class,
            summary,
            origins: origins.len(),
            subjects,
            matrix: self.matrix(),
            cases: self.documents.iter().filter_map(case).collect(),
            skipped: self.documents.iter().filter(is_skipped).collect(),
        };
        page.render().expect("the template writes into a string")
    }
}

fn case(document: &Document) -> Option<Case<'_>> {
    let (class, title) = match document.status {
        Status::Failed => ("failed", "failed"),
        Status::Tolerated => ("tolerated", "known violation"),
        Status::Ok if document.verdict == "warned" => ("warned", "warned"),
        _ => return None,
    };
    let events = document.events();
    let first = document.first_event;
    let broken: Vec<_> = document
        .violations
        .iter()
        .filter_map(|broken| Some((broken.at.checked_sub(first)?, broken.rule.as_str())))
        .collect();
    let rows: Vec<_> = timeline::rows(&events, &broken)
        .into_iter()
        .map(|row| Row {
            at: row.at + first,
            thread: row.thread,
            subscription: row.subscription,
            is_publisher: row.lane == Lane::Publisher,
            text: row.text,
            breaks: row.breaks,
        })
        .collect();
    let is_missing = |at: usize| at >= document.n_events;
    let missing = document.violations.iter().filter(|broken| is_missing(broken.at));
    Some(Case {
        document,
        class,
        title,
        anchor: anchor(document),
        earlier: first,
        later: document.n_events - (first + events.len()).min(document.n_events),
        several_threads: rows.iter().any(|row| row.thread != rows[0].thread),
        several_subscriptions: rows.iter().any(|row| row.subscription != rows[0].subscription),
        rows,
        missing: missing.map(|broken| broken.rule.as_str()).collect(),
    })
}

/// The parts of a text, each with whether it stands between backquotes.
fn parts(text: &str) -> Vec<(bool, &str)> {
    text.split('`').enumerate().map(|(index, part)| (index % 2 == 1, part)).collect()
}
