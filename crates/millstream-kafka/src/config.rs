//! Configurations: plain structs with defaults.

use std::{collections::BTreeMap, fmt, time::Duration};

use millstream_pressure::{InvalidSetting, Settings};
use rdkafka::ClientConfig;

const CLIENT: &str = "kafka";
const CONSUMER: &str = "kafka consumer";

/// How often heartbeats are sent, at least.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Settings of the client that have a field here, or on which this crate relies.
const OURS: [&str; 21] = [
    "allow.auto.create.topics",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "bootstrap.servers",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "group.id",
    "group.instance.id",
    "isolation.level",
    "linger.ms",
    "max.poll.interval.ms",
    "partition.assignment.strategy",
    "queue.buffering.max.kbytes",
    "queued.max.messages.kbytes",
    "sasl.mechanism",
    "sasl.password",
    "sasl.username",
    "session.timeout.ms",
    "transactional.id",
];

/// Where the brokers are, and who connects. `Debug` hides the password and the values of
/// `client_settings`.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct KafkaConfig {
    /// Some brokers of the cluster, as `host:port`. Default: `127.0.0.1:9092`.
    pub brokers: Vec<String>,
    /// The name that brokers log for this client. Default: `millstream`.
    pub client_id: String,
    /// Who connects. Default: nobody in particular.
    pub credentials: Credentials,
    /// How long the brokers may take to answer. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
    /// Settings of librdkafka that have no field here, by its names: `ssl.ca.location`. Default:
    /// none.
    pub client_settings: BTreeMap<String, String>,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            client_id: "millstream".to_owned(),
            credentials: Credentials::None,
            timeout: Duration::from_secs(5),
            client_settings: BTreeMap::new(),
        }
    }
}

impl KafkaConfig {
    /// The defaults, with one broker.
    #[must_use]
    pub fn at(broker: &str) -> Self {
        Self { brokers: vec![broker.to_owned()], ..Self::default() }
    }

    /// What producers and consumers have in common.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", self.brokers.join(","))
            .set("client.id", &self.client_id)
            .set("socket.timeout.ms", ms(self.timeout.max(Duration::from_millis(100))))
            .set("reconnect.backoff.max.ms", "1000")
            // It is only noise when a broker closes connections that nobody uses.
            .set("log.connection.close", "false");
        if let Credentials::Password { user, password, mechanism, tls } = &self.credentials {
            client
                .set("security.protocol", if *tls { "SASL_SSL" } else { "SASL_PLAINTEXT" })
                .set("sasl.mechanism", mechanism)
                .set("sasl.username", user)
                .set("sasl.password", password);
        }
        for (name, value) in &self.client_settings {
            client.set(name, value);
        }
        client
    }
}

impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.client_settings.keys().collect();
        f.debug_struct("KafkaConfig")
            .field("brokers", &self.brokers)
            .field("client_id", &self.client_id)
            .field("credentials", &self.credentials)
            .field("timeout", &self.timeout)
            .field("client_settings", &names)
            .finish()
    }
}

impl Settings for KafkaConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_positive(CLIENT, "brokers", self.brokers.len() as u64)?;
        let is_address = |broker: &String| {
            let port = broker.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            matches!(port, Some(Ok(1..))) && !broker.contains(['@', ',', ' '])
        };
        // What is refused here is not shown: it may have a secret in it.
        let rule = "each host:port, without a password, which belongs into `credentials`";
        let is_valid = self.brokers.iter().all(is_address);
        InvalidSetting::unless(is_valid, CLIENT, "brokers", format_args!("(hidden)"), rule)?;
        InvalidSetting::unless_some_time(CLIENT, "timeout", self.timeout)?;
        let ours = self.client_settings.keys().find(|name| OURS.contains(&name.as_str()));
        let rule = "without those that have a field of a configuration here";
        InvalidSetting::unless(ours.is_none(), CLIENT, "client_settings", ours, rule)
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
    /// A user with a password, by SASL.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
        /// `PLAIN`, or where the client has TLS compiled in, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        mechanism: String,
        /// Whether the connection is encrypted, for which the client has to have TLS compiled in.
        tls: bool,
    },
}

impl Credentials {
    /// A user with a password, by `PLAIN` and without TLS.
    #[must_use]
    pub fn plain(user: &str, password: &str) -> Self {
        let [user, password, mechanism] = [user, password, "PLAIN"].map(str::to_owned);
        Self::Password { user, password, mechanism, tls: false }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Password { user, mechanism, tls, .. } => f
                .debug_struct("Password")
                .field("user", user)
                .field("mechanism", mechanism)
                .field("tls", tls)
                .finish_non_exhaustive(),
        }
    }
}

/// Where a group begins in a partition of which it has committed nothing, or where what it has
/// committed is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Start {
    /// With the first record there is.
    #[default]
    Earliest,
    /// With what comes from now on.
    Latest,
    /// Not at all: the flow fails.
    Error,
}

/// How the partitions are shared among the members of a group, which all have to say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Assignment {
    /// Evenly, and with as few changes as possible: members go on with what they keep.
    #[default]
    CooperativeSticky,
    /// A range of each topic; all members stop at each change.
    Range,
    /// One after the other; all members stop at each change.
    RoundRobin,
}

/// A member of a consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ConsumerConfig {
    /// The topics.
    pub topics: Vec<String>,
    /// The group, whose members share the partitions.
    pub group: String,
    /// A name of this member that outlives it: one that comes back within the session timeout gets
    /// its partitions without a rebalance. No two at a time have the same. Default: none.
    pub instance: Option<String>,
    /// Where a group begins that has committed nothing. Default: with the first record.
    pub start: Start,
    /// How partitions are shared. Default: `CooperativeSticky`.
    pub assignment: Assignment,
    /// Whether records of transactions that are open or were aborted are passed on. Default: no.
    pub read_uncommitted: bool,
    /// Whether the offsets are committed by the transactions of a sink alone, and never here.
    /// Default: no.
    pub is_transactional: bool,
    /// How often what was acknowledged is committed. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub commit_every: Duration,
    /// After which time without a heartbeat the group gives this member's partitions to others. The
    /// client sends heartbeats by itself. Default: 45 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub session_timeout: Duration,
    /// After which time without a poll this member leaves the group. Polls go on however long an
    /// item takes, so that it bounds only how long a process may stand still. Default: 5 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_poll_interval: Duration,
    /// The most bytes of records that the client fetches ahead, in KiB: one answer of a broker more
    /// at most. Default: 16,384.
    pub fetch_ahead_kib: u32,
    /// The most records that are passed on at one go. Default: 500.
    pub max_batch: u32,
    /// The most records of a partition that are passed on beyond the first one without an end; with
    /// 1, each waits for the one before. Default: 10,000.
    pub max_unacknowledged: u32,
    /// A partition whose records here nobody has asked for are more than this is paused.
    /// Default: 200.
    pub pause_above: u32,
    /// A paused partition with no more than this goes on. Less than `pause_above`, because the
    /// client drops what it fetched ahead of a pause. Default: 100.
    pub resume_at: u32,
    /// How long a flow that is canceled stays in the group for the acknowledgements of what it has
    /// passed on. Default: 10 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub settle_timeout: Duration,
    /// How often the client tells the lag. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub lag_every: Duration,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            group: String::new(),
            instance: None,
            start: Start::Earliest,
            assignment: Assignment::CooperativeSticky,
            read_uncommitted: false,
            is_transactional: false,
            commit_every: Duration::from_secs(1),
            session_timeout: Duration::from_secs(45),
            max_poll_interval: Duration::from_secs(300),
            fetch_ahead_kib: 16_384,
            max_batch: 500,
            max_unacknowledged: 10_000,
            pause_above: 200,
            resume_at: 100,
            settle_timeout: Duration::from_secs(10),
            lag_every: Duration::from_secs(5),
        }
    }
}

impl ConsumerConfig {
    /// The defaults, for a member of a group that reads a topic.
    #[must_use]
    pub fn of(topic: &str, group: &str) -> Self {
        Self { topics: vec![topic.to_owned()], group: group.to_owned(), ..Self::default() }
    }

    pub(crate) fn is_cooperative(&self) -> bool {
        self.assignment == Assignment::CooperativeSticky
    }

    /// The client's settings, on those of `client`.
    pub(crate) fn add_to(&self, client: &mut ClientConfig) {
        let strategy = match self.assignment {
            Assignment::CooperativeSticky => "cooperative-sticky",
            Assignment::Range => "range",
            Assignment::RoundRobin => "roundrobin",
        };
        let start = match self.start {
            Start::Earliest => "earliest",
            Start::Latest => "latest",
            Start::Error => "error",
        };
        let isolation = if self.read_uncommitted { "read_uncommitted" } else { "read_committed" };
        client
            .set("group.id", &self.group)
            .set("partition.assignment.strategy", strategy)
            .set("auto.offset.reset", start)
            .set("isolation.level", isolation)
            // Of what was acknowledged, which is told it.
            .set("enable.auto.commit", if self.is_transactional { "false" } else { "true" })
            .set("auto.commit.interval.ms", ms(self.commit_every))
            .set("enable.auto.offset.store", "false")
            .set("allow.auto.create.topics", "false")
            .set("session.timeout.ms", ms(self.session_timeout))
            .set("heartbeat.interval.ms", ms((self.session_timeout / 10).min(HEARTBEAT)))
            .set("max.poll.interval.ms", ms(self.max_poll_interval))
            .set("queued.max.messages.kbytes", self.fetch_ahead_kib.to_string())
            .set("statistics.interval.ms", ms(self.lag_every));
        if let Some(instance) = &self.instance {
            client.set("group.instance.id", instance);
        }
    }
}

impl Settings for ConsumerConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let is_name = |name: &String| {
            let is_good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            (1..=249).contains(&name.len()) && name.chars().all(is_good)
        };
        let is_valid = !self.topics.is_empty() && self.topics.iter().all(is_name);
        let rule = "names of letters, digits, `.`, `_` and `-`";
        InvalidSetting::unless(is_valid, CONSUMER, "topics", &self.topics, rule)?;
        InvalidSetting::unless(!self.group.is_empty(), CONSUMER, "group", &self.group, "a name")?;
        let some_time = |setting, time| InvalidSetting::unless_some_time(CONSUMER, setting, time);
        some_time("commit_every", self.commit_every)?;
        some_time("lag_every", self.lag_every)?;
        let second = Duration::from_secs(1);
        let (session, poll) = (self.session_timeout, self.max_poll_interval);
        let is_valid = session >= second;
        InvalidSetting::unless(is_valid, CONSUMER, "session_timeout", session, "at least 1 s")?;
        let (is_valid, rule) = (poll >= session, "at least session_timeout");
        InvalidSetting::unless(is_valid, CONSUMER, "max_poll_interval", poll, rule)?;
        let positive =
            |setting, n: u32| InvalidSetting::unless_positive(CONSUMER, setting, u64::from(n));
        positive("fetch_ahead_kib", self.fetch_ahead_kib)?;
        positive("max_batch", self.max_batch)?;
        positive("max_unacknowledged", self.max_unacknowledged)?;
        let (is_valid, rule) = (self.resume_at < self.pause_above, "less than pause_above");
        InvalidSetting::unless(is_valid, CONSUMER, "resume_at", self.resume_at, rule)
    }
}

/// A time as the client wants it.
pub(crate) fn ms(time: Duration) -> String {
    time.as_millis().clamp(1, i32::MAX as u128).to_string()
}
