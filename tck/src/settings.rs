//! How long to wait: set in code, by environment variables, or on the command line.

use std::{fmt, time::Duration};

/// Times, and the seed of what is drawn.
///
/// What a subject declares in code is overridden by the environment, and that by the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long a signal that is due may take before it counts as missing. Default: 10 s.
    pub deadline: Duration,
    /// How long to listen for signals that must not come; subjects with threads only.
    /// Default: 20 ms.
    pub quiet: Duration,
    /// How long a call may take before it counts as slow (rules 2.2, 3.4 and 3.5). Default: 1 s.
    pub budget: Duration,
    /// Where drawn scripts begin. Default: 1.
    pub seed: u64,
    /// How many scripts are drawn. Default: 64.
    pub cases: u64,
}

/// Settings that were given from outside: they count more than those in code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// For [`Settings::deadline`]: `RS_TCK_DEADLINE_MS`.
    pub deadline: Option<Duration>,
    /// For [`Settings::quiet`]: `RS_TCK_QUIET_MS`.
    pub quiet: Option<Duration>,
    /// For [`Settings::budget`]: `RS_TCK_BUDGET_MS`.
    pub budget: Option<Duration>,
    /// For [`Settings::seed`]: `RS_TCK_SEED`.
    pub seed: Option<u64>,
    /// For [`Settings::cases`]: `RS_TCK_CASES`.
    pub cases: Option<u64>,
}

/// An environment variable that is not a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    name: &'static str,
    value: String,
}

/// The methods by which what is declared of a subject sets its times.
macro_rules! times {
    () => {
        /// How long what is due may take before it counts as missing. Default: 10 s.
        pub const fn deadline(mut self, time: Duration) -> Self {
            self.settings.deadline = time;
            self
        }

        /// How long to listen for what must not come; asynchronous subjects only. Default: 20 ms.
        pub const fn quiet(mut self, time: Duration) -> Self {
            self.settings.quiet = time;
            self
        }

        /// How long a call may take before it counts as slow (rules 2.2, 3.4, 3.5). Default: 1 s.
        pub const fn budget(mut self, time: Duration) -> Self {
            self.settings.budget = time;
            self
        }
    };
}
pub(crate) use times;

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Settings {
    pub(crate) const DEFAULT: Self = Self {
        deadline: Duration::from_secs(10),
        quiet: Duration::from_millis(20),
        budget: Duration::from_secs(1),
        seed: 1,
        cases: 64,
    };

    /// How long a check may take that still makes progress.
    pub(crate) fn most(&self) -> Duration {
        self.deadline.saturating_mul(6)
    }

    /// These settings, with what was given from outside in place of theirs.
    #[must_use]
    pub fn with(self, overrides: Overrides) -> Self {
        Self {
            deadline: overrides.deadline.unwrap_or(self.deadline),
            quiet: overrides.quiet.unwrap_or(self.quiet),
            budget: overrides.budget.unwrap_or(self.budget),
            seed: overrides.seed.unwrap_or(self.seed),
            cases: overrides.cases.unwrap_or(self.cases),
        }
    }
}

impl Overrides {
    /// What the environment says.
    ///
    /// # Errors
    ///
    /// A variable that is set and is not a number.
    pub fn from_env() -> Result<Self, InvalidSetting> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let number = |name: &'static str| match get(name) {
            None => Ok(None),
            Some(value) => match value.trim().parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(InvalidSetting { name, value }),
            },
        };
        let time = |name| number(name).map(|number| number.map(Duration::from_millis));
        Ok(Self {
            deadline: time("RS_TCK_DEADLINE_MS")?,
            quiet: time("RS_TCK_QUIET_MS")?,
            budget: time("RS_TCK_BUDGET_MS")?,
            seed: number("RS_TCK_SEED")?,
            cases: number("RS_TCK_CASES")?,
        })
    }

    /// These, and where they say nothing, `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            deadline: self.deadline.or(others.deadline),
            quiet: self.quiet.or(others.quiet),
            budget: self.budget.or(others.budget),
            seed: self.seed.or(others.seed),
            cases: self.cases.or(others.cases),
        }
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has to be a whole number, got `{}`", self.name, self.value)
    }
}

impl std::error::Error for InvalidSetting {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_counts_more() {
        let environment = |name: &str| (name == "RS_TCK_DEADLINE_MS").then(|| "70".to_owned());

        let overrides = Overrides::from_variables(environment).unwrap();
        let settings = Settings::default().with(overrides);

        assert_eq!(settings.deadline, Duration::from_millis(70));
        assert_eq!(settings.quiet, Settings::default().quiet);
    }

    #[test]
    fn a_variable_that_is_no_number_is_named() {
        let environment = |name: &str| (name == "RS_TCK_SEED").then(|| "many".to_owned());

        let error = Overrides::from_variables(environment).unwrap_err();

        assert_eq!(error.to_string(), "RS_TCK_SEED has to be a whole number, got `many`");
    }
}
