//! How often counters are read, and what is out of the ordinary.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Share, Time};

/// How often counters are read, and what is out of the ordinary.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MonitoringSpec {
    /// How often a line about the run is printed where the output is no terminal. Default: 10s.
    pub metrics_interval: Time,
    /// From when on something is said.
    pub alert_thresholds: AlertThresholds,
}

/// From when on something is said.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertThresholds {
    /// How full a queue is. Default: 0.9.
    pub queue_depth: Share,
    /// Which share of the items is dropped. Default: 0.01.
    pub drop_rate: Share,
    /// For how long nothing comes although items were asked for, or nothing is asked for although
    /// items wait. Default: 5s.
    pub blocked_time: Time,
}

impl Default for MonitoringSpec {
    fn default() -> Self {
        Self {
            metrics_interval: Time(Duration::from_secs(10)),
            alert_thresholds: AlertThresholds::default(),
        }
    }
}

impl Default for AlertThresholds {
    fn default() -> Self {
        Self {
            queue_depth: Share(0.9),
            drop_rate: Share(0.01),
            blocked_time: Time(Duration::from_secs(5)),
        }
    }
}
