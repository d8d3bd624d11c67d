//! What came out of a check.

use std::{fmt, time::Duration};

use crate::{check::Check, checker::Violation, trace::Event};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Every rule held on the trace of this check.
    Passed,
    /// A rule that must hold was broken.
    Failed,
    /// Only rules that should hold were broken.
    Warned,
    /// The check does not fit what was declared, for this reason.
    NotApplicable(String),
    /// The subject declares that it does without something optional.
    NotSupported(String),
    /// The machine stood still for so long that nothing can be said.
    Inconclusive(String),
    /// The check cannot be made on such a subject.
    NotTested(String),
    /// The TCK or the code that makes the subject failed, not the subject.
    HarnessError(String),
}

/// A check that was run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The subject's name.
    pub subject: String,
    /// The check.
    pub check: &'static Check,
    /// What it found.
    pub verdict: Verdict,
    /// The broken rules, in the order of the trace.
    pub violations: Vec<Violation>,
    /// What happened.
    pub trace: Vec<Event>,
    /// What repeats a check that draws numbers.
    pub seed: Option<u64>,
    /// How often it was run: twice if the machine stood still the first time.
    pub runs: u32,
    /// How long it took in all.
    pub took: Duration,
}

impl Outcome {
    /// A check that was not played at all.
    pub(crate) fn unplayed(subject: &str, check: &'static Check, verdict: Verdict) -> Self {
        Self {
            subject: subject.to_owned(),
            check,
            verdict,
            violations: Vec::new(),
            trace: Vec::new(),
            seed: None,
            runs: 0,
            took: Duration::ZERO,
        }
    }
}

impl Verdict {
    /// Whether a run with this verdict in it has failed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::HarnessError(_))
    }

    /// Whether the subject was brought into the situation and judged.
    #[must_use]
    pub fn is_executed(&self) -> bool {
        matches!(self, Self::Passed | Self::Failed | Self::Warned)
    }

    /// The verdict's name, which reports use: `passed`, `not_applicable` and so on.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warned => "warned",
            Self::NotApplicable(_) => "not_applicable",
            Self::NotSupported(_) => "not_supported",
            Self::Inconclusive(_) => "inconclusive",
            Self::NotTested(_) => "not_tested",
            Self::HarnessError(_) => "harness_error",
        }
    }

    /// Why, where the verdict needs a reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed | Self::Failed | Self::Warned => None,
            Self::NotApplicable(reason)
            | Self::NotSupported(reason)
            | Self::Inconclusive(reason)
            | Self::NotTested(reason)
            | Self::HarnessError(reason) => Some(reason),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}
