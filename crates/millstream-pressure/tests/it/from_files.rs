//! Configurations from files: what is written is read again, and a key that does not exist is an
//! error.

#![cfg(feature = "serde")]

use std::{fmt::Debug, time::Duration};

use millstream_pressure::{
    AdaptiveRateConfig, BatchSizerConfig, BulkheadConfig, CreditsConfig, HedgeConfig,
    KeyedRateConfig, LagConfig, LaneConfig, LanesConfig, PollConfig, PoolConfig, QueueConfig,
    RateConfig, ScaleConfig, Settings, ShedConfig, TimeLimitConfig, WhenFull,
};
use serde::{Serialize, de::DeserializeOwned};

#[track_caller]
fn round_trip<C: Settings + Serialize + DeserializeOwned + PartialEq + Debug>(
    config: &C,
    text: &str,
) {
    let read: C = serde_json::from_str(text).unwrap();
    assert_eq!(&read, config);
    read.validate().unwrap();
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<C>(&written).unwrap(), read, "{written}");
    let error = serde_json::from_str::<C>(r#"{"no_such_key": 1}"#).unwrap_err().to_string();
    assert!(error.contains("no_such_key"), "{error}");
}

#[test]
fn what_is_written_is_read_again() {
    let queue = QueueConfig {
        capacity: 10_000,
        when_full: WhenFull::DropOldest,
        timeout: Duration::from_secs(5),
        ..QueueConfig::default()
    };
    let text = r#"{"capacity": 10000, "when_full": "drop_oldest", "timeout": "5s"}"#;
    round_trip(&queue, text);
    let credits = CreditsConfig {
        credits: 500,
        credit_timeout: Duration::from_secs(90),
        ..CreditsConfig::default()
    };
    round_trip(&credits, r#"{"credits": 500, "min_credits": 100, "credit_timeout": "1m 30s"}"#);
    round_trip(&RateConfig { rate: 2.5, burst: 4 }, r#"{"rate": 2.5, "burst": 4}"#);
    let keyed = KeyedRateConfig { max_keys: 7, ..KeyedRateConfig::default() };
    round_trip(&keyed, r#"{"max_keys": 7}"#);
    let adaptive = AdaptiveRateConfig { initial: Some(20.0), ..AdaptiveRateConfig::default() };
    round_trip(&adaptive, r#"{"min": 10, "max": 1000, "initial": 20, "target": "100ms"}"#);
    let bulkhead = BulkheadConfig { max_concurrent: 3, ..BulkheadConfig::default() };
    round_trip(&bulkhead, r#"{"max_concurrent": 3, "timeout": "1s"}"#);
    let lanes = vec![LaneConfig::strict("interactive"), LaneConfig::new("batch", 2)];
    let lanes = LanesConfig { lanes, floor: 0.1 };
    let text = r#"{"lanes": [{"name": "interactive", "is_strict": true},
        {"name": "batch", "weight": 2}], "floor": 0.1}"#;
    round_trip(&lanes, text);
    let shed = ShedConfig { max_delay: Duration::from_millis(200), ..ShedConfig::default() };
    round_trip(&shed, r#"{"max_delay": "200ms"}"#);
    let limit = TimeLimitConfig { timeout: Duration::from_millis(1_500) };
    round_trip(&limit, r#"{"timeout": "1s 500ms"}"#);
    let poll =
        PollConfig { workers: 8, interval: Duration::from_secs(30), ..PollConfig::default() };
    round_trip(&poll, r#"{"workers": 8, "interval": "30s"}"#);
    let batch = BatchSizerConfig { max: 5_000, ..BatchSizerConfig::default() };
    round_trip(&batch, r#"{"max": 5000}"#);
    let lag = LagConfig { max_lag: 500, ..LagConfig::default() };
    round_trip(&lag, r#"{"max_lag": 500, "max_age": "1m"}"#);
    round_trip(&ScaleConfig { max: 40, ..ScaleConfig::default() }, r#"{"max": 40}"#);
    round_trip(&PoolConfig { size: 20, ..PoolConfig::default() }, r#"{"size": 20}"#);
    let hedge = HedgeConfig { quantile: 0.99, ..HedgeConfig::default() };
    round_trip(&hedge, r#"{"quantile": 0.99, "max_delay": "1s"}"#);
}
