//! Known violations: tolerated until a date, and an error as soon as they are gone.
//!
//! ```toml
//! [[known]]
//! subject = "mine"
//! check = "rule_3_9_request_zero" # or: rule = "3.9"
//! reason = "the wire protocol has no place for the error"
//! expires = "2027-01-31" # may be left out
//! ```

use std::{fmt::Write as _, path::Path};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use crate::{
    advice,
    check::{Check, trial},
    report::{Document, Known, Status},
    subject::Subject,
    suggest::near,
};

/// Names the file.
pub(crate) const FILE: &str = "RS_TCK_EXPECTATIONS";

/// The known violations of a file.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    subject: String,
    target: Target,
    reason: String,
    expires: Option<Date>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// All that this check finds.
    Check(String),
    /// All that breaks this rule.
    Rule(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<toml::Spanned<RawEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    subject: String,
    check: Option<String>,
    rule: Option<String>,
    reason: String,
    expires: Option<String>,
}

/// The day on which the program runs, everywhere the same.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

impl Expectations {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read; or the line and what was expected there.
    pub fn read(path: &Path) -> Result<Self, String> {
        let named = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        Self::parse(&text).map_err(named)
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// The line and what was expected there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            format!("line {line}: {}", error.message())
        })?;
        let entries = file.known.into_iter().map(|raw| {
            let line = line_of(text, raw.span().start);
            entry(raw.into_inner()).map_err(|error| format!("line {line}: {error}"))
        });
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// Sees to it that every entry names something.
    ///
    /// # Errors
    ///
    /// The entries that name no subject or no check of theirs, with the names that are near.
    pub fn resolve(&self, subjects: &[Subject]) -> Result<(), String> {
        let names = || subjects.iter().map(Subject::name);
        let mut text = String::new();
        for entry in &self.entries {
            let subject = subjects.iter().find(|subject| subject.name() == entry.subject);
            let Some(subject) = subject else {
                let near = near(&entry.subject, names());
                let _ok = writeln!(
                    text,
                    "known violation of subject `{}`: there is no such subject; near are {near}",
                    entry.subject
                );
                continue;
            };
            if let Target::Check(name) = &entry.target
                && !subject.checks().any(|check| is_named(check, name))
            {
                let near = near(name, subject.checks().map(|check| check.name));
                let _ok = writeln!(
                    text,
                    "known violation of `{}`: it has no check `{name}`; near are {near}",
                    entry.subject
                );
            }
        }
        if text.is_empty() { Ok(()) } else { Err(text.trim_end().to_owned()) }
    }

    /// Turns a known failure into a tolerated one, and an expired or vanished one into a failure.
    pub(crate) fn apply(&self, document: &mut Document, today: Date) {
        let of_subject = || self.entries.iter().filter(|e| e.subject == document.subject);
        let of_check =
            of_subject().find(|entry| entry.target.is_check(&document.check, &document.rule));
        match (document.verdict.as_str(), of_check) {
            ("failed", _) => {
                let covering = |rule: &str| {
                    of_check
                        .or_else(|| of_subject().find(|e| e.target == Target::Rule(rule.into())))
                };
                let entries: Option<Vec<&Entry>> = document.broken_musts().map(covering).collect();
                let Some(first) = entries.as_ref().and_then(|entries| entries.first()) else {
                    return;
                };
                let expired = entries.iter().flatten().find(|entry| entry.has_expired(today));
                let entry = expired.unwrap_or(first);
                document.known = Some(entry.known());
                if let (Some(_), Some(date)) = (expired, entry.expires) {
                    document.remark(&format!(
                        "The known violation has expired on {date} ({}): mend it, or set a later date.",
                        entry.reason
                    ));
                } else {
                    document.status = Status::Tolerated;
                    document.remark(&format!("Tolerated: {}.", entry.reason));
                }
            }
            ("passed" | "warned", Some(entry)) => {
                document.known = Some(entry.known());
                document.status = Status::Failed;
                let reason = format!(
                    "passed, although a violation is known ({}): remove its entry",
                    entry.reason
                );
                document.remark(&format!("{} {}: {reason}", document.subject, document.check));
                document.reason = Some(reason);
            }
            _ => {}
        }
    }

    /// What is wrong with entries for rules, once all checks were run: that the rule was not
    /// broken.
    pub(crate) fn unused(&self, documents: &[Document]) -> Vec<String> {
        let unused = self.entries.iter().filter_map(|entry| {
            let Target::Rule(rule) = &entry.target else { return None };
            let is_broken = documents.iter().any(|document| {
                document.subject == entry.subject && document.broken_musts().any(|r| r == rule)
            });
            (!is_broken).then(|| {
                format!(
                    "{}: rule {rule} was not broken, although a violation is known ({}): remove its \
                     entry",
                    entry.subject, entry.reason
                )
            })
        });
        unused.collect()
    }
}

fn is_named(check: &Check, name: &str) -> bool {
    check.name == name || check.trial() == name
}

impl Target {
    fn is_check(&self, name: &str, rule: &str) -> bool {
        let Self::Check(check) = self else { return false };
        check == name || *check == trial(name, rule)
    }
}

impl Entry {
    fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|date| date < today)
    }

    fn known(&self) -> Known {
        let expires = self.expires.map(|date| date.to_string());
        Known { reason: self.reason.clone(), expires }
    }
}

fn entry(raw: RawEntry) -> Result<Entry, String> {
    let target = match (raw.check, raw.rule) {
        (Some(check), None) => Target::Check(check),
        (None, Some(rule)) => {
            let number = advice::numbers().find(|number| *number == rule).ok_or_else(|| {
                let near = near(&rule, advice::numbers());
                format!("there is no rule `{rule}`; near are {near}")
            })?;
            Target::Rule(number.to_owned())
        }
        _ => return Err("expected either `check` or `rule`".to_owned()),
    };
    if raw.reason.trim().is_empty() {
        return Err("expected a reason, got an empty text".to_owned());
    }
    let expires = raw.expires.map(|date| {
        date.parse::<Date>()
            .map_err(|_| format!("`expires` has to be a date like `2027-01-31`, got `{date}`"))
    });
    let expires = expires.transpose()?;
    Ok(Entry { subject: raw.subject, target, reason: raw.reason, expires })
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
