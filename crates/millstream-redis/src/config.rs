//! Configurations: plain structs with defaults.

use std::{fmt, time::Duration};

use millstream_pressure::{InvalidSetting, Settings};

const CONNECTION: &str = "redis";
const STREAM: &str = "redis stream";

/// Where the server is, and who connects. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RedisConfig {
    /// The server. Default: `redis://127.0.0.1:6379`.
    pub server: String,
    /// The user; `None` is the server's default user. Default: `None`.
    pub user: Option<String>,
    /// The password. Default: none.
    pub password: Option<String>,
    /// How long connecting, and each answer, may take. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            server: "redis://127.0.0.1:6379".to_owned(),
            user: None,
            password: None,
            timeout: Duration::from_secs(5),
        }
    }
}

impl RedisConfig {
    /// The defaults, with this server.
    #[must_use]
    pub fn at(server: &str) -> Self {
        Self { server: server.to_owned(), ..Self::default() }
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("server", &self.server)
            .field("user", &self.user)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Settings for RedisConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let rule = "without a password, which belongs into `password`";
        InvalidSetting::unless(!self.server.contains('@'), CONNECTION, "server", "hidden", rule)?;
        InvalidSetting::unless_some_time(CONNECTION, "timeout", self.timeout)
    }
}

/// A consumer of a group of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct StreamConfig {
    /// The key of the stream.
    pub key: String,
    /// The group, whose consumers share the stream.
    pub group: String,
    /// The name of this consumer: no two at a time have the same.
    pub consumer: String,
    /// Whether the group is created if there is none, and the stream with it; it begins with the
    /// first entry there is. Default: yes.
    pub create: bool,
    /// The most entries of one read. Default: 1,000.
    pub max_batch: u32,
    /// After which time an entry that nobody has settled is another's: at least 3 times as long as
    /// the work takes at its slowest. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub claim_after: Duration,
    /// How often entries of others that have that age are looked for. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub claim_every: Duration,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            key: String::new(),
            group: String::new(),
            consumer: String::new(),
            create: true,
            max_batch: 1_000,
            claim_after: Duration::from_secs(30),
            claim_every: Duration::from_secs(5),
        }
    }
}

impl StreamConfig {
    /// The defaults, for a consumer of a group of a stream.
    #[must_use]
    pub fn of(key: &str, group: &str, consumer: &str) -> Self {
        let [key, group, consumer] = [key, group, consumer].map(str::to_owned);
        Self { key, group, consumer, ..Self::default() }
    }
}

impl Settings for StreamConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let named = |setting, value: &String| {
            InvalidSetting::unless(!value.is_empty(), STREAM, setting, value, "a name")
        };
        named("key", &self.key)?;
        named("group", &self.group)?;
        named("consumer", &self.consumer)?;
        InvalidSetting::unless_positive(STREAM, "max_batch", u64::from(self.max_batch))?;
        let rule = "at least 1 ms";
        let ms = Duration::from_millis(1);
        let (after, every) = (self.claim_after, self.claim_every);
        InvalidSetting::unless(after >= ms, STREAM, "claim_after", after, rule)?;
        InvalidSetting::unless(every >= ms, STREAM, "claim_every", every, rule)
    }
}
