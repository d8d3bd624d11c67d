//! Configurations: plain structs with defaults.

use std::{fmt, time::Duration};

use millstream_pressure::{InvalidSetting, Settings};

const CONNECTION: &str = "nats";
const PULL: &str = "nats pull";
const SINK: &str = "nats sink";

/// Where the server is, and who connects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct NatsConfig {
    /// The servers of a cluster, or one. Default: `nats://127.0.0.1:4222`.
    pub servers: Vec<String>,
    /// The name that the server shows for this connection. Default: `millstream`.
    pub name: String,
    /// Who connects. Default: nobody in particular.
    pub credentials: Credentials,
    /// Files of root certificates that are trusted besides those of the system, in PEM.
    pub root_certificates: Vec<String>,
    /// Whether a connection without TLS is refused. Default: no.
    pub require_tls: bool,
    /// How long connecting may take. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub connect_timeout: Duration,
    /// How long a request to the server may take, such as the look for a consumer. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub request_timeout: Duration,
}

impl Default for NatsConfig {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".to_owned()],
            name: "millstream".to_owned(),
            credentials: Credentials::None,
            root_certificates: Vec::new(),
            require_tls: false,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
        }
    }
}

impl NatsConfig {
    /// The defaults, with one server.
    #[must_use]
    pub fn at(server: &str) -> Self {
        Self { servers: vec![server.to_owned()], ..Self::default() }
    }
}

impl Settings for NatsConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_positive(CONNECTION, "servers", self.servers.len() as u64)?;
        // What is refused here is not shown: it has a secret in it.
        let has_secret = self.servers.iter().any(|server| server.contains('@'));
        let rule = "without a password, which belongs into `credentials`";
        InvalidSetting::unless(!has_secret, CONNECTION, "servers", format_args!("(hidden)"), rule)?;
        let timeout = self.connect_timeout;
        InvalidSetting::unless_some_time(CONNECTION, "connect_timeout", timeout)?;
        InvalidSetting::unless_some_time(CONNECTION, "request_timeout", self.request_timeout)
    }
}

/// Who connects. What is secret is not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// A user with a password.
    User {
        /// The user's name.
        name: String,
        /// The password.
        password: String,
    },
    /// Whoever has this token.
    Token(String),
    /// Whoever has this seed of an nkey.
    Nkey(String),
    /// Whoever has this file of credentials.
    File(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::User { name, .. } => {
                f.debug_struct("User").field("name", name).finish_non_exhaustive()
            }
            Self::Token(_) => f.debug_tuple("Token").field(&format_args!("(hidden)")).finish(),
            Self::Nkey(_) => f.debug_tuple("Nkey").field(&format_args!("(hidden)")).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A pull consumer of JetStream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct PullConfig {
    /// The stream.
    pub stream: String,
    /// The name of its durable consumer. Flows of one consumer share what is in the stream.
    pub consumer: String,
    /// Whether the consumer is created if there is none. Default: yes.
    pub create: bool,
    /// The subjects that a consumer is created for; an empty text is for all. Default: all.
    pub filter_subject: String,
    /// How long the server waits for an acknowledgement of a consumer that is created: at least 3
    /// times as long as the work takes at its slowest. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub ack_wait: Duration,
    /// The most deliveries that a consumer which is created leaves unacknowledged: at least as many
    /// as all of its flows ask for together, because it stands still beyond. Default: 10,000.
    pub max_ack_pending: u32,
    /// The most deliveries of a message by a consumer that is created; 0 is any number. Default: 0.
    pub max_deliver: u32,
    /// The most messages that are asked for and have not come, also of a flow that asks for more.
    /// Default: 1,000.
    pub max_requested: u32,
    /// How long the server keeps a request. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub expires: Duration,
    /// How often the server says that a request is still there; after twice this time without a
    /// word, requests are made anew. At most half of `expires`. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub heartbeat: Duration,
}

impl Default for PullConfig {
    fn default() -> Self {
        Self {
            stream: String::new(),
            consumer: String::new(),
            create: true,
            filter_subject: String::new(),
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 10_000,
            max_deliver: 0,
            max_requested: 1_000,
            expires: Duration::from_secs(30),
            heartbeat: Duration::from_secs(5),
        }
    }
}

impl PullConfig {
    /// The defaults, for a consumer of a stream.
    #[must_use]
    pub fn of(stream: &str, consumer: &str) -> Self {
        Self { stream: stream.to_owned(), consumer: consumer.to_owned(), ..Self::default() }
    }
}

impl Settings for PullConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let rule = "a name without blanks, `.`, `*`, `>`, `/` and `\\`";
        InvalidSetting::unless(is_name(&self.stream), PULL, "stream", &self.stream, rule)?;
        InvalidSetting::unless(is_name(&self.consumer), PULL, "consumer", &self.consumer, rule)?;
        InvalidSetting::unless_some_time(PULL, "ack_wait", self.ack_wait)?;
        let positive = |setting, value| InvalidSetting::unless_positive(PULL, setting, value);
        positive("max_ack_pending", u64::from(self.max_ack_pending))?;
        positive("max_requested", u64::from(self.max_requested))?;
        let rule = "at least 100 ms, and at most half of expires";
        let is_valid = self.heartbeat >= Duration::from_millis(100)
            && self.heartbeat.saturating_mul(2) <= self.expires;
        InvalidSetting::unless(is_valid, PULL, "heartbeat", self.heartbeat, rule)
    }
}

fn is_name(text: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || ".*>/\\".contains(c);
    !text.is_empty() && !text.contains(is_bad)
}

/// How messages are published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct SinkConfig {
    /// The most messages that were sent and not confirmed. Default: 256.
    pub in_flight: u32,
    /// How long a confirmation may take. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub ack_timeout: Duration,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self { in_flight: 256, ack_timeout: Duration::from_secs(5) }
    }
}

impl Settings for SinkConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let rule = "from 1 to 1,000,000";
        let is_valid = (1..=1_000_000).contains(&self.in_flight);
        InvalidSetting::unless(is_valid, SINK, "in_flight", self.in_flight, rule)?;
        InvalidSetting::unless_some_time(SINK, "ack_timeout", self.ack_timeout)
    }
}
