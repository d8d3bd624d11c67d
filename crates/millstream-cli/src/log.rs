//! What is said on standard error: as lines for people, or as JSON for what collects logs.

use std::sync::OnceLock;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// In which form something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// A line of JSON each: `time`, `level`, `message`, and numbers.
    Json,
}

static FORMAT: OnceLock<Format> = OnceLock::new();

/// Sets the form of everything that is said from now on. The first one counts.
pub(crate) fn set(format: Format) {
    FORMAT.set(format).ok();
}

/// Returns whether lines are JSON.
pub(crate) fn is_json() -> bool {
    FORMAT.get() == Some(&Format::Json)
}

/// Says something, with numbers that the text may leave out.
#[expect(clippy::print_stderr, reason = "what is said of a run does not belong into its output")]
pub(crate) fn write(level: &str, message: &str, numbers: &[(&str, Value)]) {
    if !is_json() {
        eprintln!("{message}");
        return;
    }
    let mut line = Map::new();
    line.insert("time".to_owned(), Timestamp::now().to_string().into());
    line.insert("level".to_owned(), level.into());
    line.insert("message".to_owned(), message.into());
    line.extend(numbers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    eprintln!("{}", Value::Object(line));
}
