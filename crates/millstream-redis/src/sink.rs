//! `StreamSink`: entries into a stream, each confirmed.

use millstream::{Error, ErrorKind, Flow, Order, Outcome, Publisher};
use millstream_pressure::{InvalidSetting, Settings};

use crate::{Entry, Redis, connection::refused};

const SINK: &str = "redis sink";

/// How entries are added to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct StreamSinkConfig {
    /// The key of the stream, which begins with its first entry.
    pub key: String,
    /// About how many entries the stream keeps, settled or not: the oldest go. 0 is all of them.
    /// Default: 0.
    pub max_length: u64,
    /// The most entries that were sent and not confirmed. Default: 256.
    pub in_flight: u32,
}

impl Default for StreamSinkConfig {
    fn default() -> Self {
        Self { key: String::new(), max_length: 0, in_flight: 256 }
    }
}

impl StreamSinkConfig {
    /// The defaults, for a stream.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self { key: key.to_owned(), ..Self::default() }
    }
}

impl Settings for StreamSinkConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless(!self.key.is_empty(), SINK, "key", &self.key, "a name")?;
        let rule = "from 1 to 1,000,000";
        let is_valid = (1..=1_000_000).contains(&self.in_flight);
        InvalidSetting::unless(is_valid, SINK, "in_flight", self.in_flight, rule)
    }
}

/// Adds entries to a stream: a handle, whose clones are the same sink.
#[derive(Clone, Debug)]
pub struct StreamSink {
    redis: Redis,
    config: StreamSinkConfig,
}

impl Redis {
    /// A sink for a stream.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    pub fn stream_sink(&self, config: StreamSinkConfig) -> Result<StreamSink, InvalidSetting> {
        config.validate()?;
        Ok(StreamSink { redis: self.clone(), config })
    }
}

impl StreamSink {
    /// Adds an entry, and returns its id when the server has it.
    ///
    /// # Errors
    ///
    /// An entry without fields, of kind `InvalidData`; a refusal, of kind `Rejected`; a connection
    /// that is lost, of kind `Disconnected`, after which the entry may be there or not.
    pub async fn send(&self, entry: Entry) -> Result<String, Error> {
        let StreamSinkConfig { key, max_length, .. } = &self.config;
        let mut command = redis::cmd("XADD");
        command.arg(key);
        if *max_length > 0 {
            command.arg("MAXLEN").arg("~").arg(*max_length);
        }
        command.arg("*");
        let mut n_fields = 0;
        for (name, value) in entry.fields() {
            command.arg(&**name).arg(&**value);
            n_fields += 1;
        }
        if n_fields == 0 {
            let what = "an entry without fields cannot be added to a stream";
            return Err(Error::new(ErrorKind::InvalidData, what));
        }
        let server = &self.redis.0;
        let mut connection = server.shared.clone();
        // A runtime that lets others run in the middle of a batch would have them overtake.
        let sending = tokio::task::unconstrained(command.query_async(&mut connection));
        sending.await.map_err(|error| refused(&error, &server.config.server))
    }

    /// Adds a flow's entries. The outcome is ready when the server has all of them, or the first
    /// was refused.
    ///
    /// As many are asked for as may be on their way, and one more for each that was confirmed.
    /// Dropping the outcome cancels the flow.
    pub fn run<P>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Entry>,
    {
        let sink = self.clone();
        let (scheduler, n) = (self.redis.scheduler(), self.config.in_flight as usize);
        flow.map_async_on(&scheduler, n, Order::Source, move |entry| {
            let sink = sink.clone();
            async move { sink.send(entry).await }
        })
        .flatten_results()
        .for_each(|_id| ())
    }
}
