//! Queues and flow control, by the names that configurations of backpressure have.

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use millstream_pressure::{
    AdaptiveRateConfig, CreditsConfig, QueueConfig, RateConfig, Settings as _, WhenFull,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Rate, Share, Size, Time};

/// The queues of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackpressureSpec {
    /// By the names that stages use: `- queue: orders`.
    pub queues: BTreeMap<String, QueueSpec>,
}

/// A bounded queue between two parts of a pipeline, which run on threads of their own.
// The fields are read as derived, and then checked against each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct QueueSpec {
    /// The most items that wait. Default: 10000.
    pub size: NonZeroUsize,
    /// The most that all of them weigh together, as JSON. Default: no bound.
    pub bytes: Option<Size>,
    /// What happens when it is full. Default: `block`.
    pub strategy: Strategy,
    /// How long a producer that cannot be slowed waits for room. Default: 5s.
    pub timeout: Time,
    /// From this level on the queue says that it is high. Default: 0.8.
    pub high_watermark: Share,
    /// A queue that was high is so until it falls to this level. Default: 0.6.
    pub low_watermark: Share,
    /// The longest pause of `throttle`. Default: 10ms.
    pub max_pause: Time,
    /// Of how many items `sample` keeps one while the queue is high. Default: 10.
    pub one_of: u32,
}

/// What happens when a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The source is not asked for more: nothing is lost.
    Block,
    /// As `block`, and the source is slowed down before, the fuller the more.
    Throttle,
    /// The new item is dropped.
    DropNewest,
    /// The item that waits longest is dropped.
    DropOldest,
    /// While the queue is high, one of `one_of` items is kept.
    Sample,
    /// The new item is refused and dropped, with the reason in the counters.
    Reject,
}

impl<'de> Deserialize<'de> for QueueSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Self::deserialize(deserializer)?;
        spec.config().validate().map_err(D::Error::custom)?;
        Ok(spec)
    }
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self {
            size: NonZeroUsize::new(10_000).expect("it is not 0"),
            bytes: None,
            strategy: Strategy::Block,
            timeout: Time(Duration::from_secs(5)),
            high_watermark: Share(0.8),
            low_watermark: Share(0.6),
            max_pause: Time(Duration::from_millis(10)),
            one_of: 10,
        }
    }
}

impl QueueSpec {
    /// The policy's configuration.
    #[must_use]
    pub fn config(&self) -> QueueConfig {
        QueueConfig {
            capacity: self.size.get(),
            max_weight: self.bytes.map(|Size(bytes)| bytes),
            when_full: match self.strategy {
                Strategy::Block => WhenFull::Wait,
                Strategy::Throttle => WhenFull::Throttle { max_pause: self.max_pause.0 },
                Strategy::DropNewest => WhenFull::DropNewest,
                Strategy::DropOldest => WhenFull::DropOldest,
                Strategy::Sample => WhenFull::Sample { one_of: self.one_of },
                Strategy::Reject => WhenFull::Reject,
            },
            timeout: self.timeout.0,
            high_watermark: self.high_watermark.0,
            low_watermark: self.low_watermark.0,
            ..QueueConfig::default()
        }
    }
}

/// How the source is slowed down.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct FlowControlSpec {
    /// By what. Default: `credit_based`.
    #[serde(rename = "type")]
    pub kind: FlowControlKind,
    /// For `credit_based`: the most items between source and sink. Default: 1000.
    pub initial_credits: u64,
    /// What that shrinks to at the least. Default: 100.
    pub min_credits: u64,
    /// How long an item may be on its way before its credit counts as lost: longer than the longest
    /// processing. Default: 30s.
    pub credit_timeout: Time,
    /// For `rate_based`: the most items a second. Default: 1000.
    pub rate: Rate,
    /// For `rate_based`: the most items at once. Default: 100.
    pub burst: u64,
}

/// By what the source is slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowControlKind {
    /// By how many items are between source and sink.
    CreditBased,
    /// To so many items a second.
    RateBased,
    /// To a rate that follows how long items take to the sink: see `adaptive`.
    Adaptive,
}

impl Default for FlowControlSpec {
    fn default() -> Self {
        Self {
            kind: FlowControlKind::CreditBased,
            initial_credits: 1_000,
            min_credits: 100,
            credit_timeout: Time(Duration::from_secs(30)),
            rate: Rate(1_000.0),
            burst: 100,
        }
    }
}

impl<'de> Deserialize<'de> for FlowControlSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Self::deserialize(deserializer)?;
        spec.credits().validate().map_err(|error| {
            // By the name that the file has for it.
            D::Error::custom(error.to_string().replace("credits: ", "flow_control: "))
        })?;
        spec.rate().validate().map_err(D::Error::custom)?;
        Ok(spec)
    }
}

impl FlowControlSpec {
    /// The configuration of the credits of `credit_based`.
    #[must_use]
    pub fn credits(&self) -> CreditsConfig {
        CreditsConfig {
            credits: self.initial_credits,
            min_credits: self.min_credits,
            max_credits: self.initial_credits.max(CreditsConfig::default().max_credits),
            credit_timeout: self.credit_timeout.0,
            ..CreditsConfig::default()
        }
    }

    /// The configuration of the limit of `rate_based`.
    #[must_use]
    pub fn rate(&self) -> RateConfig {
        RateConfig { rate: self.rate.0, burst: self.burst }
    }
}

/// A rate that follows how long items take.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct AdaptiveSpec {
    /// How long nine of ten items may take to the sink, in milliseconds. Default: 100.
    pub target_latency_ms: f64,
    /// How often the rate is set; at least twice the target. Default: 10s.
    pub adjustment_interval: Time,
    /// By which share of the first rate it is raised when items are fast: 1.1 adds a tenth of it.
    /// Adding, and not multiplying, is what has several senders converge. Default: 1.1.
    pub increase_rate: f64,
    /// What is left of the rate when items are slow. Default: 0.9.
    pub decrease_rate: f64,
    /// The rate at first. Default: 1000.
    pub initial_rate: Rate,
    /// The least. Default: 10.
    pub min_rate: Rate,
    /// The most. Default: 1000000.
    pub max_rate: Rate,
}

impl Default for AdaptiveSpec {
    fn default() -> Self {
        Self {
            target_latency_ms: 100.0,
            adjustment_interval: Time(Duration::from_secs(10)),
            increase_rate: 1.1,
            decrease_rate: 0.9,
            initial_rate: Rate(1_000.0),
            min_rate: Rate(10.0),
            max_rate: Rate(1_000_000.0),
        }
    }
}

impl<'de> Deserialize<'de> for AdaptiveSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Self::deserialize(deserializer)?;
        let Self { target_latency_ms, adjustment_interval, increase_rate, .. } = spec;
        if !(target_latency_ms > 0.0 && target_latency_ms <= 1e9) {
            let rule = "target_latency_ms has to be more than 0, in milliseconds";
            return Err(D::Error::custom(rule));
        }
        if !(increase_rate > 1.0 && increase_rate <= 1e6) {
            return Err(D::Error::custom("increase_rate has to be more than 1, such as 1.1"));
        }
        if adjustment_interval.0 < Duration::from_secs_f64(target_latency_ms / 500.0) {
            let rule = "adjustment_interval has to be at least twice target_latency_ms, or the rate \
                        goes by items of the rate before";
            return Err(D::Error::custom(rule));
        }
        spec.config().validate().map_err(D::Error::custom)?;
        Ok(spec)
    }
}

impl AdaptiveSpec {
    /// The policy's configuration.
    #[must_use]
    pub fn config(&self) -> AdaptiveRateConfig {
        AdaptiveRateConfig {
            min: self.min_rate.0,
            max: self.max_rate.0,
            initial: Some(self.initial_rate.0),
            burst: 100,
            target: Duration::from_secs_f64(self.target_latency_ms / 1_000.0),
            step: (self.increase_rate - 1.0) * self.initial_rate.0,
            backoff: self.decrease_rate,
            interval: self.adjustment_interval.0,
            ..AdaptiveRateConfig::default()
        }
    }
}
