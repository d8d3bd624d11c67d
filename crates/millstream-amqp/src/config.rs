//! Configurations: plain structs with defaults.

use std::{fmt, time::Duration};

use millstream_pressure::{InvalidSetting, Settings};

use crate::Topology;

const CONNECTION: &str = "amqp";
const CONSUME: &str = "amqp consume";
const SINK: &str = "amqp sink";

/// The most bytes of a name on the wire.
pub(crate) const MAX_NAME: usize = 255;

/// Where the broker is, and who connects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AmqpConfig {
    /// The broker: `amqp://host:port`, or `amqps://host:port` for TLS. Default:
    /// `amqp://127.0.0.1:5672`.
    pub server: String,
    /// Its virtual host. Default: `/`.
    pub vhost: String,
    /// The name that the broker shows for this connection. Default: `millstream`.
    pub name: String,
    /// Who connects. Default: `guest`, whom RabbitMQ lets in from its own machine alone.
    pub credentials: Credentials,
    /// Files of root certificates that are trusted besides those of the system, in PEM.
    pub root_certificates: Vec<String>,
    /// How long connecting, and each request to the broker, may take. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub connect_timeout: Duration,
    /// A broker that is not heard for about twice this time is gone. In whole seconds; shorter ones
    /// are rounded up. Default: 10 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub heartbeat: Duration,
    /// What is declared each time a connection is made. Default: nothing.
    pub topology: Topology,
}

impl Default for AmqpConfig {
    fn default() -> Self {
        Self {
            server: "amqp://127.0.0.1:5672".to_owned(),
            vhost: "/".to_owned(),
            name: "millstream".to_owned(),
            credentials: Credentials::Guest,
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            heartbeat: Duration::from_secs(10),
            topology: Topology::default(),
        }
    }
}

impl AmqpConfig {
    /// The defaults, for a broker.
    #[must_use]
    pub fn at(server: &str) -> Self {
        Self { server: server.to_owned(), ..Self::default() }
    }
}

impl Settings for AmqpConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        // What is refused here is not shown: it has a secret in it.
        let has_secret = self.server.contains('@');
        let rule = "without a password, which belongs into `credentials`";
        InvalidSetting::unless(!has_secret, CONNECTION, "server", format_args!("(hidden)"), rule)?;
        let timeout = self.connect_timeout;
        InvalidSetting::unless_some_time(CONNECTION, "connect_timeout", timeout)?;
        let rule = "longer than 0, and at most 5 minutes";
        let is_valid = !self.heartbeat.is_zero() && self.heartbeat <= Duration::from_secs(300);
        InvalidSetting::unless(is_valid, CONNECTION, "heartbeat", self.heartbeat, rule)?;
        for name in self.topology.names() {
            let rule = "at most 255 bytes";
            InvalidSetting::unless(name.len() <= MAX_NAME, CONNECTION, "topology", name, rule)?;
        }
        Ok(())
    }
}

/// Who connects. What is secret is not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Credentials {
    /// The user `guest` with the password `guest`.
    #[default]
    Guest,
    /// A user with a password.
    User {
        /// The user's name.
        name: String,
        /// The password.
        password: String,
    },
}

impl Credentials {
    pub(crate) fn pair(&self) -> (&str, &str) {
        match self {
            Self::Guest => ("guest", "guest"),
            Self::User { name, password } => (name, password),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest => f.write_str("Guest"),
            Self::User { name, .. } => {
                f.debug_struct("User").field("name", name).finish_non_exhaustive()
            }
        }
    }
}

/// A consumer of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ConsumeConfig {
    /// The queue.
    pub queue: String,
    /// The most deliveries that are unacknowledged, also of a flow that asks for more. Default:
    /// 1,000.
    pub max_prefetch: u16,
    /// How long an acknowledgement waits for demand that takes its place. Without demand the broker
    /// has to be told to send nothing before it may hear of an acknowledgement, which costs a round
    /// trip, and another one when demand comes. Default: 10 ms.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub linger: Duration,
}

impl Default for ConsumeConfig {
    fn default() -> Self {
        Self { queue: String::new(), max_prefetch: 1_000, linger: Duration::from_millis(10) }
    }
}

impl ConsumeConfig {
    /// The defaults, for a queue.
    #[must_use]
    pub fn of(queue: &str) -> Self {
        Self { queue: queue.to_owned(), ..Self::default() }
    }
}

impl Settings for ConsumeConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let is_name = (1..=MAX_NAME).contains(&self.queue.len());
        let rule = "the name of a queue, of 1 to 255 bytes";
        InvalidSetting::unless(is_name, CONSUME, "queue", &self.queue, rule)?;
        let most = u64::from(self.max_prefetch);
        InvalidSetting::unless_positive(CONSUME, "max_prefetch", most)
    }
}

/// How messages are published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct SinkConfig {
    /// The most messages that were sent and not confirmed. Default: 256.
    pub in_flight: u32,
    /// Whether a message that no queue takes is an error. Default: yes; otherwise it is lost.
    pub mandatory: bool,
    /// How long a confirmation may take, with connecting again and publishing again after a
    /// connection was lost. The time during which the broker blocks publishers, because it has no
    /// memory or no disk left, does not count. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub confirm_timeout: Duration,
    /// The most bytes of a payload. A broker closes the channel over one that is larger than its
    /// `max_message_size`, and everything that is on its way has to be published again. Default: 16
    /// MiB, as RabbitMQ 4.
    pub max_message_size: usize,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self {
            in_flight: 256,
            mandatory: true,
            confirm_timeout: Duration::from_secs(30),
            max_message_size: 16 << 20,
        }
    }
}

impl Settings for SinkConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let rule = "from 1 to 1,000,000";
        let is_valid = (1..=1_000_000).contains(&self.in_flight);
        InvalidSetting::unless(is_valid, SINK, "in_flight", self.in_flight, rule)?;
        InvalidSetting::unless_some_time(SINK, "confirm_timeout", self.confirm_timeout)?;
        let most = self.max_message_size as u64;
        InvalidSetting::unless_positive(SINK, "max_message_size", most)
    }
}
