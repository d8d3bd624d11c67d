//! `SinkConfig`: how records are published.

use std::time::Duration;

use millstream_pressure::{InvalidSetting, Settings};
use rdkafka::ClientConfig;

use crate::config::ms;

const SINK: &str = "kafka sink";

/// How the client compresses what it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// By LZ4.
    Lz4,
    /// By Snappy.
    Snappy,
}

/// How records are published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct SinkConfig {
    /// The most records of a flow that were sent and not confirmed. Default: 1,000.
    pub in_flight: u32,
    /// The most bytes of records that were sent and not confirmed, in KiB; a record that is larger
    /// is sent alone. Default: 32,768.
    pub max_queue_kib: u32,
    /// How long a record waits for others, to be sent at one go. Default: 5 ms.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub linger: Duration,
    /// How long a confirmation may take, with all attempts of the client. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub ack_timeout: Duration,
    /// The most bytes of a record, which the topic's `max.message.bytes` has to allow. Default:
    /// 1,000,000.
    pub max_record: u32,
    /// How what is sent is compressed. Default: not at all.
    pub compression: Compression,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self {
            in_flight: 1_000,
            max_queue_kib: 32_768,
            linger: Duration::from_millis(5),
            ack_timeout: Duration::from_secs(30),
            max_record: 1_000_000,
            compression: Compression::None,
        }
    }
}

impl SinkConfig {
    /// The most bytes that were sent and not confirmed.
    pub(super) fn bytes(&self) -> usize {
        self.max_queue_kib as usize * 1024
    }

    /// The client's settings, on those of `client`.
    pub(crate) fn add_to(&self, client: &mut ClientConfig) {
        let compression = match self.compression {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
            Compression::Snappy => "snappy",
        };
        client
            .set("enable.idempotence", "true")
            .set("linger.ms", ms(self.linger))
            .set("message.timeout.ms", ms(self.ack_timeout))
            .set("message.max.bytes", self.max_record.to_string())
            .set("compression.type", compression)
            // A topic that is created later than this is one that is missing.
            .set("topic.metadata.propagation.max.ms", ms((self.ack_timeout / 2).min(PROPAGATION)))
            // What is sent is counted here, so that these are never reached.
            .set("queue.buffering.max.messages", "0")
            .set("queue.buffering.max.kbytes", "2147483647");
    }
}

const PROPAGATION: Duration = Duration::from_secs(5);

impl Settings for SinkConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let rule = "from 1 to 1,000,000";
        let is_valid = (1..=1_000_000).contains(&self.in_flight);
        InvalidSetting::unless(is_valid, SINK, "in_flight", self.in_flight, rule)?;
        let (is_valid, rule) = ((1..=2_097_152).contains(&self.max_queue_kib), "up to 2,097,152");
        InvalidSetting::unless(is_valid, SINK, "max_queue_kib", self.max_queue_kib, rule)?;
        let rule = "from 1,000 to 1,000,000,000";
        let is_valid = (1_000..=1_000_000_000).contains(&self.max_record);
        InvalidSetting::unless(is_valid, SINK, "max_record", self.max_record, rule)?;
        let (is_valid, rule) = (self.ack_timeout > self.linger, "longer than linger");
        InvalidSetting::unless(is_valid, SINK, "ack_timeout", self.ack_timeout, rule)
    }
}
