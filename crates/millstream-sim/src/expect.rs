//! `Expectation`: what a variant of a scenario is to show.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Measures;

/// A measure over a part of a run, and between which numbers it has to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Of which clients, by their name; of all if not set.
    #[serde(default)]
    pub clients: Option<String>,
    /// What is measured.
    pub metric: Metric,
    /// Since when; whole seconds.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub from: Duration,
    /// Until when.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub until: Duration,
    /// The least.
    #[serde(default)]
    pub min: Option<f64>,
    /// The most.
    #[serde(default)]
    pub max: Option<f64>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// [`Measures::goodput`].
    Goodput,
    /// [`Measures::late_share`].
    Late,
    /// [`Measures::amplification`].
    Amplification,
    /// [`Measures::refused_share`].
    Refused,
    /// [`Measures::failed_share`].
    Failed,
    /// The latency of the slowest hundredth, in seconds.
    P99,
    /// The mean limit.
    Limit,
    /// The mean number of requests in queues.
    Queued,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmet {
    /// Which one.
    pub expectation: Expectation,
    /// What was measured.
    pub measured: f64,
}

impl Metric {
    /// The measure.
    #[must_use]
    pub fn of(self, measures: &Measures) -> f64 {
        match self {
            Self::Goodput => measures.goodput(),
            Self::Late => measures.late_share(),
            Self::Amplification => measures.amplification(),
            Self::Refused => measures.refused_share(),
            Self::Failed => measures.failed_share(),
            Self::P99 => measures.quantile(0.99),
            Self::Limit => measures.limit,
            Self::Queued => measures.queued,
        }
    }
}

impl Expectation {
    pub(crate) fn check(&self, measures: &Measures) -> Option<Unmet> {
        let measured = self.metric.of(measures);
        let is_met = self.min.is_none_or(|min| measured >= min)
            && self.max.is_none_or(|max| measured <= max);
        (!is_met).then(|| Unmet { expectation: self.clone(), measured })
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expectation { clients, metric, from, until, min, max } = &self.expectation;
        if let Some(clients) = clients {
            write!(f, "{clients}: ")?;
        }
        write!(f, "{metric:?} from {from:?} to {until:?} is {:.4}, but has to be", self.measured)?;
        if let Some(min) = min {
            write!(f, " at least {min}")?;
        }
        if let Some(max) = max {
            write!(f, " at most {max}")?;
        }
        Ok(())
    }
}
