//! What the server is asked, and what it answers besides messages.

use std::sync::Arc;

use async_nats::{
    Message,
    jetstream::{
        self, ErrorCode,
        consumer::{AckPolicy, pull},
        context::{ConsumerInfoErrorKind, GetStreamErrorKind},
        stream::ConsumerErrorKind,
    },
};
use bytes::Bytes;
use millstream::{Error, ErrorKind};

use crate::{PullConfig, connection::Connection};

/// The subject of requests for messages.
pub(super) fn subject(config: &PullConfig) -> String {
    format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", config.stream, config.consumer)
}

/// A request for messages.
pub(super) fn body(config: &PullConfig, batch: u64) -> Bytes {
    let (expires, heartbeat) = (config.expires.as_nanos(), config.heartbeat.as_nanos());
    let text = format!(r#"{{"batch":{batch},"expires":{expires},"idle_heartbeat":{heartbeat}}}"#);
    Bytes::from(text)
}

/// What the server says in place of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Requests are still there. An answer is expected if a subject is given.
    Heartbeat,
    /// So many of those that were asked for will not come.
    Over(u64),
    /// Some will not come, and how many is not said.
    Unknown,
    /// Nobody answers requests at the moment.
    NobodyThere,
    /// No request will be answered any more, and why.
    Refused(String),
}

/// What a message says, if it is none of the stream.
pub(super) fn status_of(message: &Message) -> Option<Status> {
    let code = message.status?.as_u16();
    let pending = message.headers.as_ref().and_then(|headers| {
        let value: &str = headers.get("Nats-Pending-Messages")?.as_ref();
        value.parse().ok()
    });
    Some(read(code, message.description.as_deref().unwrap_or_default(), pending))
}

/// Texts of the server after which no request is of use.
const FINAL: [&str; 4] = ["consumer deleted", "consumer is push based", "exceeded", "bad request"];

fn read(code: u16, text: &str, pending: Option<u64>) -> Status {
    match code {
        100 => Status::Heartbeat,
        503 => Status::NobodyThere,
        400 => Status::Refused(text.to_owned()),
        409 if FINAL.iter().any(|part| text.to_ascii_lowercase().contains(part)) => {
            Status::Refused(text.to_owned())
        }
        _ => pending.map_or(Status::Unknown, Status::Over),
    }
}

/// Looks for the consumer, and creates it if it may. An error of kind `Timeout` says that it is
/// worth another attempt.
pub(super) async fn find(connection: &Arc<Connection>, config: &PullConfig) -> Result<(), Error> {
    let mut context = jetstream::new(connection.client.clone());
    context.set_timeout(connection.config.request_timeout);
    let PullConfig { stream, consumer, .. } = config;
    let found = context.get_stream(stream).await.map_err(|error| {
        let is_final = match error.kind() {
            GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => true,
            GetStreamErrorKind::Request => false,
            GetStreamErrorKind::JetStream(error) => is_final(&error),
        };
        if is_final {
            let what = format!("there is no stream `{stream}`: create it, or correct the name");
            return Error::with_source(ErrorKind::Rejected, what, error);
        }
        let what = format!("JetStream does not answer when asked for the stream `{stream}`");
        Error::with_source(ErrorKind::Timeout, what, error)
    })?;
    let (is_final, error) = if config.create {
        match found.get_or_create_consumer(consumer, created(config)).await {
            Ok(_) => return Ok(()),
            Err(error) => (consumer_is_final(&error.kind()), Error::other(error)),
        }
    } else {
        match found.consumer_info(consumer).await {
            Ok(info) if info.config.deliver_subject.is_none() => return Ok(()),
            Ok(_) => (true, Error::message("it is push based")),
            Err(error) => (info_is_final(&error.kind()), Error::other(error)),
        }
    };
    let (kind, what) = match (is_final, config.create) {
        (false, _) => (ErrorKind::Timeout, "JetStream does not answer when asked for it"),
        (true, true) => (ErrorKind::Rejected, "it cannot be used"),
        (true, false) => (ErrorKind::Rejected, "there is no such pull consumer"),
    };
    let what = format!("the consumer `{consumer}` of the stream `{stream}`: {what}");
    Err(Error::with_source(kind, what, error))
}

/// Whether another attempt is of no use.
fn consumer_is_final(kind: &ConsumerErrorKind) -> bool {
    match kind {
        ConsumerErrorKind::InvalidConsumerType | ConsumerErrorKind::InvalidName => true,
        ConsumerErrorKind::TimedOut | ConsumerErrorKind::Request | ConsumerErrorKind::Other => {
            false
        }
        ConsumerErrorKind::JetStream(error) => is_final(error),
    }
}

/// The same of what a look for a consumer says.
fn info_is_final(kind: &ConsumerInfoErrorKind) -> bool {
    match kind {
        ConsumerInfoErrorKind::InvalidName
        | ConsumerInfoErrorKind::NotFound
        | ConsumerInfoErrorKind::StreamNotFound => true,
        ConsumerInfoErrorKind::JetStream(error) => is_final(error),
        _ => false,
    }
}

/// What is not there (404), or contradicts what is (400). A server that is starting, has no leader
/// or no room answers otherwise, but for these codes.
fn is_final(error: &jetstream::Error) -> bool {
    const NO_ROOM: [ErrorCode; 4] = [
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::CLUSTER_NO_PEERS,
        ErrorCode::MAXIMUM_CONSUMERS_LIMIT,
        ErrorCode::CLUSTER_TAGS,
    ];
    matches!(error.code(), 400 | 404) && !NO_ROOM.contains(&error.error_code())
}

fn created(config: &PullConfig) -> pull::Config {
    pull::Config {
        durable_name: Some(config.consumer.clone()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: config.ack_wait,
        max_ack_pending: i64::from(config.max_ack_pending),
        max_deliver: if config.max_deliver == 0 { -1 } else { i64::from(config.max_deliver) },
        filter_subject: config.filter_subject.clone(),
        ..pull::Config::default()
    }
}

#[test]
fn what_the_server_says_is_read() {
    assert_eq!(read(100, "Idle Heartbeat", None), Status::Heartbeat);
    assert_eq!(read(408, "Request Timeout", Some(7)), Status::Over(7));
    assert_eq!(read(408, "Request Timeout", None), Status::Unknown);
    assert_eq!(read(409, "Leadership Change", Some(3)), Status::Over(3));
    assert_eq!(read(409, "Message Size Exceeds MaxBytes", Some(3)), Status::Over(3));
    assert_eq!(read(503, "", None), Status::NobodyThere);
    let refused = |text: &str| Status::Refused(text.to_owned());
    assert_eq!(read(409, "Consumer Deleted", Some(3)), refused("Consumer Deleted"));
    assert_eq!(read(409, "Exceeded MaxWaiting", Some(1)), refused("Exceeded MaxWaiting"));
    assert_eq!(read(400, "Bad Request", None), refused("Bad Request"));
}
