//! HTTP: requests that bring items, and services that are called.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method, Uri};
use millstream_pressure::{BreakerConfig, BreakerWindow, RetryConfig, Settings as _};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Secret;
use crate::spec::{Expression, OnError, Share, Size, Time};

/// The lines of the bodies of requests (`POST`) to an address, as texts.
///
/// A request is taken whole, if all of its lines find room, or refused with status 503 and a
/// `Retry-After`: what waits here is bounded, and a pipeline that does not ask fills it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct HttpSource {
    /// The address and port, such as `127.0.0.1:8080`; with port 0 the system chooses one.
    pub listen: SocketAddr,
    /// The path. Default: `/`.
    #[serde(default = "path")]
    pub path: String,
    /// When a request is answered. Default: `arrived`.
    #[serde(default)]
    pub answer: Answer,
    /// The most lines that wait to be asked for. Default: 1000.
    #[serde(default = "capacity")]
    pub capacity: NonZeroUsize,
    /// The most requests at a time; others are refused. Default: 1000.
    #[serde(default = "capacity")]
    pub max_requests: NonZeroUsize,
    /// The largest body; a larger one is refused with status 413. Default: 1 MiB.
    #[serde(default = "max_body")]
    pub max_body: Size,
    /// How long a client may take to send its body. Default: 10s.
    #[serde(default = "timeout")]
    pub timeout: Time,
    /// After which time a client that is refused is asked to come again. Default: 1s.
    #[serde(default = "retry_after")]
    pub retry_after: Time,
}

impl<'de> Deserialize<'de> for HttpSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = Self::deserialize(deserializer)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if !source.path.starts_with('/') || !source.path.chars().all(is_plain) {
            let why = format!("the path `{}` has to be one such as /orders", source.path);
            return Err(D::Error::custom(why));
        }
        Ok(source)
    }
}

/// When a request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// When all of its lines have arrived in the sink, were left out by a stage, or have become
    /// part of a window: status 200. A client that sends again what was not answered loses nothing.
    #[default]
    Arrived,
    /// When all of its lines wait to be asked for: status 202.
    Accepted,
}

fn path() -> String {
    "/".to_owned()
}

fn capacity() -> NonZeroUsize {
    NonZeroUsize::new(1_000).expect("it is not 0")
}

fn max_body() -> Size {
    Size(1 << 20)
}

fn timeout() -> Time {
    Time(Duration::from_secs(10))
}

fn retry_after() -> Time {
    Time(Duration::from_secs(1))
}

/// A request to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Where.
    pub url: Uri,
    /// How.
    pub method: Method,
    /// What else is said.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Target {
    fn new(url: &str, method: &str, headers: &BTreeMap<String, Secret>) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{url}` {what}: write http://host:port/path");
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong("is neither http nor https"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("the URL has a password in it: write a header in its place".to_owned());
        }
        let method = method.to_uppercase();
        let method = method.parse().map_err(|_| format!("`{method}` is no method of HTTP"))?;
        let header = |(name, value): (&String, &Secret)| {
            let no = || format!("`{name}` is no header, or its value is no text of one line");
            let mut text = HeaderValue::from_str(&value.0).map_err(|_| no())?;
            text.set_sensitive(true);
            Ok((name.parse().map_err(|_| no())?, text))
        };
        let headers = headers.iter().map(header).collect::<Result<_, String>>()?;
        Ok(Self { url: uri, method, headers })
    }
}

/// Each item to a service: texts as they are, anything else as JSON.
///
/// An answer of status 200 to 299 confirms it. One of 429 or from 500 is tried again, after the
/// time that it asks for; any other says that the service never will take the item.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct HttpSink {
    /// Where: `http://host:port/path`, or https.
    pub url: String,
    /// Default: POST.
    #[serde(default = "post")]
    pub method: String,
    /// What else is said, such as `authorization: ${TOKEN}`. Not shown.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// The most requests at a time. Default: 8.
    #[serde(default = "concurrency")]
    pub concurrency: NonZeroUsize,
    /// How long an answer may take. Default: 10s.
    #[serde(default = "timeout")]
    pub timeout: Time,
    /// For how long an item is sent again that is not confirmed, before the pipeline fails.
    /// Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn post() -> String {
    "POST".to_owned()
}

fn concurrency() -> NonZeroUsize {
    NonZeroUsize::new(8).expect("it is not 0")
}

impl<'de> Deserialize<'de> for HttpSink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sink = Self::deserialize(deserializer)?;
        sink.target().map_err(D::Error::custom)?;
        Ok(sink)
    }
}

impl HttpSink {
    /// The request.
    ///
    /// # Errors
    ///
    /// Something of it cannot be sent. What was read from a file can.
    pub fn target(&self) -> Result<Target, String> {
        Target::new(&self.url, &self.method, &self.headers)
    }
}

/// Calls a service for each item, several at a time, and puts the answer into it. Items stay in
/// their order.
///
/// While the service fails, a breaker leaves it alone, and items wait; what failed is tried again
/// within a budget that all calls share.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct CallSpec {
    /// Where: `http://host:port/path`, or https.
    pub url: String,
    /// What is added to the URL, as a part of its path, for each item.
    #[serde(default)]
    pub append: Option<Expression>,
    /// Default: GET, or with a body POST.
    #[serde(default)]
    pub method: Option<String>,
    /// What is sent, as JSON or a text. Default: nothing.
    #[serde(default)]
    pub body: Option<Expression>,
    /// What else is said, such as `authorization: ${TOKEN}`. Not shown.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// The field that the answer is put into: what its JSON says, or its text. Default: `answer`.
    #[serde(default = "into")]
    pub into: String,
    /// The most calls at a time. Default: 8.
    #[serde(default = "concurrency")]
    pub concurrency: NonZeroUsize,
    /// How long an answer may take. Default: 5s.
    #[serde(default = "call_timeout")]
    pub timeout: Time,
    /// When what failed is tried again.
    #[serde(default)]
    pub retry: RetrySpec,
    /// When the service is left alone.
    #[serde(default)]
    pub breaker: BreakerSpec,
    /// What becomes of an item for which the service has no good answer. Default: as for the
    /// pipeline.
    #[serde(default)]
    pub on_error: Option<OnError>,
}

fn into() -> String {
    "answer".to_owned()
}

fn call_timeout() -> Time {
    Time(Duration::from_secs(5))
}

/// When a call that failed is tried again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySpec {
    /// The most attempts of a call, with the first. Default: 3.
    pub attempts: NonZeroU32,
    /// The most retries, as a share of all calls. Default: 0.2.
    pub budget: Share,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self { attempts: NonZeroU32::new(3).expect("it is not 0"), budget: Share(0.2) }
    }
}

/// When a service is left alone.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSpec {
    /// From which share of failures on. Default: 0.5.
    pub failures: Share,
    /// Of how many calls, the last ones. Default: 20.
    pub calls: NonZeroUsize,
    /// For how long, at first. Default: 5s.
    pub open_for: Time,
}

impl Default for BreakerSpec {
    fn default() -> Self {
        Self {
            failures: Share(0.5),
            calls: NonZeroUsize::new(20).expect("it is not 0"),
            open_for: Time(Duration::from_secs(5)),
        }
    }
}

impl<'de> Deserialize<'de> for CallSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let call = Self::deserialize(deserializer)?;
        call.target().map_err(D::Error::custom)?;
        call.retries().validate().map_err(D::Error::custom)?;
        call.breaker().validate().map_err(D::Error::custom)?;
        Ok(call)
    }
}

impl CallSpec {
    /// The request.
    ///
    /// # Errors
    ///
    /// Something of it cannot be sent. What was read from a file can.
    pub fn target(&self) -> Result<Target, String> {
        let usual = if self.body.is_some() { "POST" } else { "GET" };
        Target::new(&self.url, self.method.as_deref().unwrap_or(usual), &self.headers)
    }

    /// The configuration of the budget for retries.
    #[must_use]
    pub fn retries(&self) -> RetryConfig {
        RetryConfig {
            max_attempts: self.retry.attempts.get(),
            ratio: self.retry.budget.0,
            ..RetryConfig::default()
        }
    }

    /// The configuration of the breaker.
    #[must_use]
    pub fn breaker(&self) -> BreakerConfig {
        let BreakerSpec { failures, calls, open_for } = &self.breaker;
        BreakerConfig {
            window: BreakerWindow::Count(calls.get()),
            min_calls: calls.get(),
            failure_rate: failures.0,
            open_for: open_for.0,
            probes: 1,
            ..BreakerConfig::default()
        }
    }
}
