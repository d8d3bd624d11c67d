//! How many at a time: the algorithms, as values.
//!
//! Each is a configuration, and a [`Limiter`] made of it that is told how each call ended and says
//! what the limit is. It has no clock, lock or thread of its own: what happens follows from the
//! samples alone.

mod aimd;
mod gradient;
mod gradient2;
mod little;
mod reno;
mod target;
mod vegas;
mod window;

use std::time::Duration;

pub use self::{
    aimd::Aimd, gradient::Gradient, gradient2::Gradient2, little::Little, reno::Reno,
    target::Target, vegas::Vegas,
};
use crate::{InvalidSetting, Outcome, Settings};

const POLICY: &str = "limit";

/// How a concurrency limit is found, with its settings.
///
/// | algorithm | by | for |
/// |---|---|---|
/// | `Fixed` | nothing | a known capacity, or a consumer that [advertises](Limiter::advertise) its room |
/// | [`Target`] | a latency that is acceptable | whoever knows one: it needs no model of the service |
/// | [`Little`] | the mean latency by Little's law, beside that without load | no latency known |
/// | [`Gradient`] | the median latency beside that at a concurrency of 3 (Envoy) | the same; dips now and then |
/// | [`Aimd`], [`Reno`] | failures and time-outs | a service that refuses explicitly |
/// | [`Vegas`], [`Gradient2`] | latency beside the lowest, or a long mean (Netflix) | those who know them from there |
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Algorithm {
    /// Always as many.
    Fixed(u64),
    /// Additive increase, multiplicative decrease, by failures and a time-out.
    Aimd(Aimd),
    /// The same, by a percentile of the latency.
    Target(Target),
    /// TCP Vegas: an estimate of the other side's queue.
    Vegas(Vegas),
    /// Netflix's second gradient: short beside long mean latency.
    Gradient2(Gradient2),
    /// Envoy's gradient: median latency beside that of a measurement at low concurrency.
    Gradient(Gradient),
    /// TCP Reno: slow start, avoidance and recovery by losses.
    Reno(Reno),
    /// Little's law: mean latency in units of its standard error, and probes on doubt.
    Little(Little),
}

impl Default for Algorithm {
    fn default() -> Self {
        Self::Little(Little::default())
    }
}

/// How a call ended, as a [`Limiter`] is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it ended.
    pub now: Duration,
    /// How long it took.
    pub latency: Duration,
    /// How many were in progress, this one included, when it ended.
    pub in_flight: u64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Sample {
    /// When the call began.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.now.saturating_sub(self.latency)
    }

    /// Returns whether the other side did not do its work.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.outcome == Outcome::Failure
    }

    /// Returns whether the latency says something about the other side.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        matches!(self.outcome, Outcome::Success | Outcome::Slow | Outcome::Failure)
    }
}

/// An [`Algorithm`] at work.
///
/// ```
/// use millstream_pressure::{Aimd, Algorithm, Outcome, Sample};
/// use std::time::Duration;
///
/// let mut limiter = Algorithm::Aimd(Aimd { initial: 30, ..Aimd::default() }).limiter();
/// let ms = Duration::from_millis;
/// let (now, latency, outcome) = (ms(10), ms(10), Outcome::Failure);
/// limiter.record(Sample { now, latency, in_flight: 30, outcome });
/// assert_eq!(limiter.limit(), 27);
/// limiter.advertise(Some(5)); // the consumer has room for 5 alone
/// assert_eq!(limiter.limit(), 5);
/// ```
#[derive(Clone, Debug)]
pub struct Limiter {
    state: State,
    room: Option<u64>,
}

#[derive(Clone, Debug)]
enum State {
    Fixed(u64),
    Aimd(aimd::State),
    Target(target::State),
    Vegas(vegas::State),
    Gradient2(gradient2::State),
    Gradient(gradient::State),
    Reno(reno::State),
    Little(Box<little::State>),
}

/// What each algorithm does.
trait Rule {
    /// Not rounded.
    fn limit(&self) -> f64;

    fn record(&mut self, sample: &Sample);

    /// What else it knows, under the names that metrics use; times in seconds.
    fn readings(&self) -> Vec<(&'static str, f64)>;
}

/// The state that is in there, as a `Rule`.
macro_rules! rule {
    ($limiter:expr, $fixed:expr, |$rule:ident| $do:expr) => {
        match $limiter {
            State::Fixed(_) => $fixed,
            State::Aimd($rule) => $do,
            State::Target($rule) => $do,
            State::Vegas($rule) => $do,
            State::Gradient2($rule) => $do,
            State::Gradient($rule) => $do,
            State::Reno($rule) => $do,
            State::Little($rule) => $do,
        }
    };
}

impl Algorithm {
    /// A limiter that begins with its initial limit. Settings that are not
    /// [valid](Settings::validate) give limits that make no sense, but no panic.
    #[must_use]
    pub fn limiter(&self) -> Limiter {
        let state = match *self {
            Self::Fixed(limit) => State::Fixed(limit),
            Self::Aimd(config) => State::Aimd(aimd::State::new(config)),
            Self::Target(config) => State::Target(target::State::new(config)),
            Self::Vegas(config) => State::Vegas(vegas::State::new(config)),
            Self::Gradient2(config) => State::Gradient2(gradient2::State::new(config)),
            Self::Gradient(config) => State::Gradient(gradient::State::new(config)),
            Self::Reno(config) => State::Reno(reno::State::new(config)),
            Self::Little(config) => State::Little(Box::new(little::State::new(config))),
        };
        Limiter { state, room: None }
    }

    /// The most that it ever allows.
    #[must_use]
    pub fn max(&self) -> u64 {
        match *self {
            Self::Fixed(limit) => limit,
            Self::Aimd(Aimd { max, .. })
            | Self::Target(Target { max, .. })
            | Self::Vegas(Vegas { max, .. })
            | Self::Gradient2(Gradient2 { max, .. })
            | Self::Gradient(Gradient { max, .. })
            | Self::Reno(Reno { max, .. })
            | Self::Little(Little { max, .. }) => max,
        }
    }

    /// The name that reports use.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::Aimd(_) => "aimd",
            Self::Target(_) => "target",
            Self::Vegas(_) => "vegas",
            Self::Gradient2(_) => "gradient2",
            Self::Gradient(_) => "gradient",
            Self::Reno(_) => "reno",
            Self::Little(_) => "little",
        }
    }
}

impl Settings for Algorithm {
    fn validate(&self) -> Result<(), InvalidSetting> {
        match self {
            Self::Fixed(limit) => {
                let rule = "at least 1, and less than 2^60";
                let is_valid = (1..=millstream_kernel::Permits::MAX).contains(limit);
                InvalidSetting::unless(is_valid, POLICY, "fixed", limit, rule)
            }
            Self::Aimd(config) => config.validate(),
            Self::Target(config) => config.validate(),
            Self::Vegas(config) => config.validate(),
            Self::Gradient2(config) => config.validate(),
            Self::Gradient(config) => config.validate(),
            Self::Reno(config) => config.validate(),
            Self::Little(config) => config.validate(),
        }
    }
}

impl Limiter {
    /// How many may be in progress now; 0 only while no room is advertised.
    #[must_use]
    pub fn limit(&self) -> u64 {
        let limit = match &self.state {
            State::Fixed(limit) => *limit,
            state => rule!(state, 1, |rule| rule.limit().max(1.0) as u64),
        };
        self.room.map_or(limit, |room| limit.min(room))
    }

    /// A call has ended.
    #[inline]
    pub fn record(&mut self, sample: Sample) {
        rule!(&mut self.state, (), |rule| rule.record(&sample));
    }

    /// The consumer says for how many it has room (a receive window): the limit is no more than
    /// that. 0 stops everything; `None` is any number.
    pub fn advertise(&mut self, room: Option<u64>) {
        self.room = room;
    }

    /// What was [advertised](Self::advertise).
    #[must_use]
    pub fn room(&self) -> Option<u64> {
        self.room
    }

    /// What the algorithm knows beside its limit, under the names that metrics use; times in
    /// seconds.
    #[must_use]
    pub fn readings(&self) -> Vec<(&'static str, f64)> {
        let mut readings = rule!(&self.state, Vec::new(), |rule| rule.readings());
        readings.extend(self.room.map(|room| ("room", room as f64)));
        readings
    }
}

/// The settings that each algorithm has: `1 <= min <= initial <= max`.
fn check_bounds(initial: u64, min: u64, max: u64) -> Result<(), InvalidSetting> {
    InvalidSetting::unless_positive(POLICY, "min", min)?;
    let is_ordered = min <= max && max <= millstream_kernel::Permits::MAX;
    InvalidSetting::unless(is_ordered, POLICY, "max", max, "at least min, and less than 2^60")?;
    let rule = "from min to max";
    InvalidSetting::unless((min..=max).contains(&initial), POLICY, "initial", initial, rule)
}

/// A share of what is there: more than 0 and less than 1.
fn check_share(setting: &'static str, value: f64) -> Result<(), InvalidSetting> {
    let is_share = value > 0.0 && value < 1.0;
    InvalidSetting::unless(is_share, POLICY, setting, value, "more than 0 and less than 1")
}

/// A factor of 1 or more.
fn check_factor(setting: &'static str, value: f64) -> Result<(), InvalidSetting> {
    let rule = "a number from 1 to 1000";
    InvalidSetting::unless_within(POLICY, setting, value, 1.0..=1000.0, rule)
}
