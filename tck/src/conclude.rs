//! What a finished check comes to: known violations are applied, and the document is written.

#[cfg(feature = "cli")]
use std::path::PathBuf;

#[cfg(feature = "cli")]
use crate::{
    expectations::{self, Expectations},
    report::{self, Document, Status},
};
use crate::{settings::Overrides, subject::Subject, verdict::Outcome};

#[cfg(feature = "cli")]
/// How outcomes are concluded.
#[derive(Debug, Default)]
pub(crate) struct Conclusion {
    pub(crate) expectations: Expectations,
    /// Where documents are written to, if anywhere.
    pub(crate) report_dir: Option<PathBuf>,
}

#[cfg(feature = "cli")]
impl Conclusion {
    /// As the environment says.
    fn from_env() -> Result<Self, String> {
        let expectations = match std::env::var_os(expectations::FILE) {
            Some(file) => Expectations::read(file.as_ref())?,
            None => Expectations::default(),
        };
        let report_dir = std::env::var_os(report::DIRECTORY).map(PathBuf::from);
        Ok(Self { expectations, report_dir })
    }

    /// Applies the known violations to a document, and then writes it.
    pub(crate) fn conclude(&self, document: &mut Document) -> Result<(), String> {
        self.expectations.apply(document, expectations::today());
        match &self.report_dir {
            Some(directory) => document.write_into(directory).map(drop),
            None => Ok(()),
        }
    }
}

/// What is said if the test has to fail.
#[cfg(feature = "cli")]
fn failure(outcome: &Outcome) -> Option<String> {
    let mut document = Document::of(outcome, outcome.check.name);
    let concluded = Conclusion::from_env().and_then(|it| it.conclude(&mut document));
    match concluded {
        Err(message) => Some(message),
        Ok(()) if document.status == Status::Failed => document.message,
        Ok(()) => None,
    }
}

/// What is said if the test has to fail.
#[cfg(not(feature = "cli"))]
fn failure(outcome: &Outcome) -> Option<String> {
    outcome.verdict.is_failure().then(|| outcome.message())
}

impl Subject {
    /// Runs a check as a test does: with the settings of the environment.
    ///
    /// # Panics
    ///
    /// If it failed, with the broken rules, the end of the trace, and the command that runs it
    /// alone; if a setting of the environment is no number.
    pub fn assert(&self, name: &str) {
        let overrides = match Overrides::from_env() {
            Ok(overrides) => overrides,
            Err(error) => panic!("{error}"),
        };
        let outcome = self.run(name, overrides);
        if let Some(message) = failure(&outcome) {
            panic!("{message}");
        }
    }
}
