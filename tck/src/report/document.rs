//! What came out of one check, in a form that other programs read.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::SCHEMA;
use crate::{
    checker::Level,
    trace::{self, Event},
    verdict::{Outcome, Verdict},
};

/// How many events a document keeps before and after the one that breaks a rule.
const KEPT: (usize, usize) = (200, 50);

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// The version of this form.
    pub schema: String,
    /// What the document is: `outcome`.
    pub kind: String,
    /// The package and the executable that ran it.
    pub origin: String,
    /// The subject's name.
    pub subject: String,
    /// `publisher`, `subscriber` or `processor`.
    pub suite: String,
    /// The check's name.
    pub check: String,
    /// The rule it is named after.
    pub rule: String,
    /// [`Verdict::name`].
    pub verdict: String,
    /// What the verdict means for the run.
    pub status: Status,
    /// Why, where the verdict or the status needs a reason.
    pub reason: Option<String>,
    /// The entry of the expectations that applies.
    pub known: Option<Known>,
    /// The broken rules.
    pub violations: Vec<Broken>,
    /// The events, in the text form of traces.
    pub trace: Vec<String>,
    /// The index of the first of these in the whole trace.
    pub first_event: usize,
    /// How many events there were.
    pub n_events: usize,
    /// What repeats a check that draws numbers.
    pub seed: Option<u64>,
    /// How often it was run.
    pub runs: u32,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// What is said to a person, unless the check passed.
    pub message: Option<String>,
}

/// What a verdict means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing to do, apart from warnings.
    Ok,
    /// The run has failed.
    Failed,
    /// It failed, as the expectations say.
    Tolerated,
    /// There is no verdict.
    Skipped,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Broken {
    /// Its number.
    pub rule: String,
    /// `must`, `should` or `may`.
    pub level: String,
    /// What happened.
    pub message: String,
    /// The index of the event that shows it; the number of events for what did not happen.
    pub at: usize,
}

/// A violation that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Known {
    /// Why it is tolerated.
    pub reason: String,
    /// Until when.
    pub expires: Option<String>,
}

impl Document {
    /// The document of an outcome; `test` is the name of the test in its executable.
    pub(crate) fn of(outcome: &Outcome, test: &str) -> Self {
        let Outcome { subject, check, verdict, violations, trace, seed, runs, took } = outcome;
        let first = violations.iter().map(|violation| violation.at).min().unwrap_or(trace.len());
        let begin = first.min(trace.len()).saturating_sub(KEPT.0);
        let end = trace.len().min(first.saturating_add(KEPT.1));
        let violations = violations.iter().map(|violation| Broken {
            rule: violation.rule.to_owned(),
            level: level(violation.level).to_owned(),
            message: violation.message.clone(),
            at: violation.at,
        });
        let is_silent = matches!(verdict, Verdict::Passed);
        Self {
            schema: SCHEMA.to_owned(),
            kind: "outcome".to_owned(),
            origin: origin(),
            subject: subject.clone(),
            suite: check.suite.to_string(),
            check: check.name.to_owned(),
            rule: check.rule.to_owned(),
            verdict: verdict.name().to_owned(),
            status: match verdict {
                verdict if verdict.is_failure() => Status::Failed,
                verdict if verdict.is_executed() => Status::Ok,
                _ => Status::Skipped,
            },
            reason: verdict.reason().map(str::to_owned),
            known: None,
            violations: violations.collect(),
            trace: trace[begin..end].iter().map(ToString::to_string).collect(),
            first_event: begin,
            n_events: trace.len(),
            seed: *seed,
            runs: *runs,
            took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            message: (!is_silent).then(|| outcome.message_with(test)),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is no document, or is one of another version.
    pub fn read(path: &Path) -> Result<Self, String> {
        let named = |what: String| format!("{}: {what}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| named(format!("no JSON: {error}; remove it from the directory")))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or("none");
        if schema != SCHEMA {
            let what = format!("the schema has to be `{SCHEMA}`, got `{schema}`");
            return Err(named(what));
        }
        serde_json::from_value(value)
            .map_err(|error| named(format!("not the outcome of a check: {error}")))
    }

    /// Writes the document into a directory, under a name of its own.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_into(&self, directory: &Path) -> Result<PathBuf, String> {
        let name = format!("{}--{}--{}", self.origin, self.subject, self.check);
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        let name: String =
            name.chars().map(|char| if is_plain(char) { char } else { '_' }).collect();
        let path = directory.join(name + ".json");
        self.write_to(&path)?;
        Ok(path)
    }

    pub(crate) fn write_to(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).expect("a document has text keys only");
        super::write(path, &(text + "\n"))
    }

    /// The events that were kept.
    pub(crate) fn events(&self) -> Vec<Event> {
        trace::parse(&self.trace.join("\n")).unwrap_or_default()
    }

    /// The rules that must hold and were broken.
    pub(crate) fn broken_musts(&self) -> impl Iterator<Item = &str> {
        let musts = self.violations.iter().filter(|broken| broken.level == "must");
        musts.map(|broken| broken.rule.as_str())
    }

    /// Adds a line before the message, and makes it one if there is none.
    pub(crate) fn remark(&mut self, line: &str) {
        let mut text = line.to_owned();
        if let Some(message) = &self.message {
            let _ok = write!(text, "\n{message}");
        }
        self.message = Some(text);
    }
}

pub(crate) const fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    }
}

/// The package and the executable, without the number that cargo gives it.
fn origin() -> String {
    let executable = std::env::current_exe().ok();
    let stem = executable.as_deref().and_then(Path::file_stem).unwrap_or_default();
    let stem = stem.to_string_lossy();
    let is_number = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let name = match stem.rsplit_once('-') {
        Some((name, number)) if is_number(number) => name,
        _ => &stem,
    };
    std::env::var("CARGO_PKG_NAME").map_or_else(|_| name.to_owned(), |p| format!("{p}/{name}"))
}
