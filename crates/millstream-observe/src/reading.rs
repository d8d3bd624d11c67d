//! `Reading`: what a policy says of itself, in words that fit all of them.

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use millstream_pressure::{Balance, Histogram};
use serde::{Deserialize, Serialize};

/// A text that is usually known when the program is compiled.
pub type Text = Cow<'static, str>;

/// Something that can be read while it runs: every policy of `millstream-pressure`, and what a
/// program implements it for.
///
/// ```
/// use millstream_observe::{Condition, Observe, Reading, Usage};
///
/// struct Pool;
///
/// impl Observe for Pool {
///     fn name(&self) -> &str {
///         "connections"
///     }
///
///     fn reading(&self) -> Reading {
///         let usage = Usage { waiting: 2, ..Usage::of(10, 10, "connections") };
///         let condition = Condition::warning("full");
///         Reading { usage: Some(usage), condition, ..Reading::of("pool") }
///     }
/// }
/// ```
pub trait Observe: Send + Sync + 'static {
    /// Its name. Two things with the same name are told apart by a number.
    fn name(&self) -> &str;

    /// State and counters now. Called by those who look, on their threads: it has to be quick, and
    /// says nothing secret.
    fn reading(&self) -> Reading;
}

/// State and counters of a policy at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What it is, such as `queue` or `breaker`.
    pub kind: Text,
    /// How it is.
    pub condition: Condition,
    /// How full it is, if it has room for something.
    pub usage: Option<Usage>,
    /// What became of every item or call, if it counts them.
    pub ledger: Option<Counts>,
    /// Whatever else it counts.
    pub values: Vec<Value>,
    /// How long things took here, by what it was: the name of a metric, with its unit, such as
    /// `queueing_seconds`. For metrics; a snapshot as JSON is without them.
    #[serde(skip)]
    pub times: Vec<(Text, Histogram)>,
    /// How it is set up, as its configuration is written in a file.
    pub settings: serde_json::Value,
    /// The most that it holds.
    pub bound: Bound,
}

/// How something is, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// In a word, such as `open`.
    pub state: Text,
    /// Whether somebody should look.
    pub severity: Severity,
    /// Why it is so, in a sentence; none where the state says all.
    pub reason: Option<String>,
}

/// Whether somebody should look.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    #[default]
    Normal,
    /// It slows somebody down, or soon will.
    Warning,
    /// It refuses or loses something.
    Critical,
}

/// How much of something is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// How much is used.
    pub used: u64,
    /// How much there is; 0 if that is not known.
    pub capacity: u64,
    /// Of what, such as `items`.
    pub unit: Text,
    /// From this share on it counts as high.
    pub high_watermark: Option<f64>,
    /// It counts as high until it has fallen to this share.
    pub low_watermark: Option<f64>,
    /// How many wait for it.
    pub waiting: u64,
    /// For how long the oldest item has waited, in seconds.
    pub oldest_seconds: Option<f64>,
}

/// What became of every item: offered = delivered + dropped + queued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Items that came.
    pub offered: u64,
    /// Items that were passed on.
    pub delivered: u64,
    /// Items that are neither delivered nor dropped yet.
    pub queued: u64,
    /// Items that were refused or dropped, by reason, without those for which none was.
    pub dropped: BTreeMap<Text, u64>,
}

/// Something that is counted or measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// What, with its unit at the end if it has one, as metrics are named: `blocked_seconds`.
    pub name: Text,
    /// Whether it only grows.
    pub is_counter: bool,
    /// How much.
    pub value: f64,
    /// Of which part, such as a lane; empty for the whole.
    pub part: Text,
}

/// The most that is held at a place. What is not known is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The most items; `Some(u64::MAX)` is without bound.
    pub items: Option<u64>,
    /// What an item takes in memory, in bytes.
    pub item_bytes: Option<u64>,
    /// The most bytes of all items in memory, where these are counted.
    pub bytes: Option<u64>,
}

impl Reading {
    /// Of a policy that is as it should be, and about which nothing more is known.
    pub fn of(kind: impl Into<Text>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// The value of this name of the whole.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let is_it = |value: &&Value| value.name == name && value.part.is_empty();
        self.values.iter().find(is_it).map(|value| value.value)
    }

    pub(crate) fn gauge(mut self, name: &'static str, value: impl Into<Number>) -> Self {
        self.values.push(Value::gauge(name, value));
        self
    }

    pub(crate) fn times(mut self, name: &'static str, times: Histogram) -> Self {
        self.times.push((Text::Borrowed(name), times));
        self
    }

    pub(crate) fn counter(mut self, name: &'static str, value: impl Into<Number>) -> Self {
        self.values.push(Value { is_counter: true, ..Value::gauge(name, value) });
        self
    }
}

impl Condition {
    /// As it should be.
    pub fn normal(state: impl Into<Text>) -> Self {
        Self { state: state.into(), severity: Severity::Normal, reason: None }
    }

    /// It slows somebody down, or soon will.
    pub fn warning(state: impl Into<Text>) -> Self {
        Self { severity: Severity::Warning, ..Self::normal(state) }
    }

    /// It refuses or loses something.
    pub fn critical(state: impl Into<Text>) -> Self {
        Self { severity: Severity::Critical, ..Self::normal(state) }
    }

    /// With the reason.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

impl Usage {
    /// `used` of `capacity`, nobody waiting.
    pub fn of(used: u64, capacity: u64, unit: impl Into<Text>) -> Self {
        Self { used, capacity, unit: unit.into(), ..Self::default() }
    }

    /// From 0, idle, to 1, full, and more where a capacity has shrunk; none if the capacity is not
    /// known.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.capacity > 0).then(|| self.used as f64 / self.capacity as f64)
    }
}

impl Counts {
    /// How many were dropped, for whatever reason.
    #[must_use]
    pub fn total_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

impl From<Balance> for Counts {
    fn from(balance: Balance) -> Self {
        let dropped = balance.drops().map(|(reason, n)| (Text::Borrowed(reason.as_str()), n));
        Self {
            offered: balance.offered,
            delivered: balance.delivered,
            queued: balance.queued,
            dropped: dropped.collect(),
        }
    }
}

impl Value {
    /// Something that rises and falls.
    pub fn gauge(name: impl Into<Text>, value: impl Into<Number>) -> Self {
        let Number(value) = value.into();
        Self { name: name.into(), is_counter: false, value, part: Text::default() }
    }

    /// Something that only grows.
    pub fn counter(name: impl Into<Text>, value: impl Into<Number>) -> Self {
        Self { is_counter: true, ..Self::gauge(name, value) }
    }

    /// Of a part, such as a lane.
    #[must_use]
    pub fn of_part(self, part: impl Into<Text>) -> Self {
        Self { part: part.into(), ..self }
    }
}

/// What a [`Value`] can be made of; times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(f64);

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number as f64)
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self(number as f64)
    }
}

impl From<bool> for Number {
    fn from(is_so: bool) -> Self {
        Self(f64::from(u8::from(is_so)))
    }
}

impl From<Duration> for Number {
    fn from(time: Duration) -> Self {
        Self(time.as_secs_f64())
    }
}

impl Bound {
    /// Nothing is held here.
    pub const NOTHING: Self = Self { items: Some(0), item_bytes: Some(0), bytes: Some(0) };

    /// As many items.
    #[must_use]
    pub const fn items(items: u64) -> Self {
        Self { items: Some(items), item_bytes: None, bytes: None }
    }

    /// With what an item takes in memory, in bytes.
    #[must_use]
    pub const fn of_bytes_each(self, item_bytes: u64) -> Self {
        Self { item_bytes: Some(item_bytes), ..self }
    }

    /// With the most bytes of all items together.
    #[must_use]
    pub const fn of_bytes(self, bytes: u64) -> Self {
        Self { bytes: Some(bytes), ..self }
    }

    /// The most memory that the items take, in bytes; none where that is not known, and `u64::MAX`
    /// where it is without bound.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        let by_items = match (self.items, self.item_bytes) {
            (Some(0), _) => Some(0),
            (Some(items), Some(each)) => Some(items.saturating_mul(each)),
            (Some(u64::MAX), None) => Some(u64::MAX),
            _ => None,
        };
        match (by_items, self.bytes) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// This one, with what is stated in `other` in its place.
    #[must_use]
    pub fn overridden_by(self, other: Self) -> Self {
        Self {
            items: other.items.or(self.items),
            item_bytes: other.item_bytes.or(self.item_bytes),
            bytes: other.bytes.or(self.bytes),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}
