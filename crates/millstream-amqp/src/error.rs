//! What the broker and the client say, as errors that say what to do.

use std::{fmt, future::Future, time::Duration};

use lapin::ErrorKind as Client;
use millstream::{Error, ErrorKind};

/// What was done when it failed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing<'a> {
    Channel,
    Exchange(&'a str),
    Queue(&'a str),
    /// Of a queue to an exchange.
    Binding(&'a str, &'a str),
    Consume(&'a str),
    /// To an exchange, with a routing key.
    Publish(&'a str, &'a str),
}

impl fmt::Display for Doing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel => f.write_str("a channel of the AMQP connection"),
            Self::Exchange(name) => write!(f, "the exchange `{name}`"),
            Self::Queue(name) => write!(f, "the queue `{name}`"),
            Self::Binding(queue, exchange) => {
                write!(f, "the binding of the queue `{queue}` to the exchange `{exchange}`")
            }
            Self::Consume(queue) => write!(f, "the consumer of the queue `{queue}`"),
            Self::Publish("", key) => write!(f, "a message for the queue `{key}`"),
            Self::Publish(exchange, key) => {
                write!(f, "a message for the exchange `{exchange}` with the key `{key}`")
            }
        }
    }
}

/// Waits for an answer, and says what was done if it is none.
pub(crate) async fn told<T>(
    patience: Duration,
    doing: Doing<'_>,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Error> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer.map_err(|error| failed(doing, error)),
        Err(_) => {
            let what = format!("{doing}: the broker does not answer within {patience:?}");
            Err(Error::new(ErrorKind::Timeout, what))
        }
    }
}

/// What an error of the client is.
pub(crate) fn failed(doing: Doing<'_>, error: lapin::Error) -> Error {
    let (kind, what) = match error.kind() {
        Client::ProtocolError(said) => refused(said.get_id(), said.get_message().as_str()),
        Client::ChannelsLimitReached => {
            (ErrorKind::Rejected, "the connection has no channel left: use fewer flows")
        }
        _ => (ErrorKind::Disconnected, "the connection to the broker was lost"),
    };
    Error::with_source(kind, format!("{doing}: {what}"), error)
}

/// By the code of the protocol.
pub(crate) fn refused(code: u16, text: &str) -> (ErrorKind, &'static str) {
    match code {
        // A queue whose broker is starting, or has lost its leader, is there again soon.
        404 if text.contains("down or inaccessible") || text.contains("stopped by supervisor") => {
            (ErrorKind::Disconnected, "it is not available at the moment")
        }
        404 => (
            ErrorKind::Rejected,
            "there is none: create it, declare it in `topology`, or correct the name",
        ),
        403 => (ErrorKind::Rejected, "the user may not do that: grant it, or use another user"),
        405 => (ErrorKind::Rejected, "another connection has it for itself"),
        406 if size_in(text).is_some() => {
            (ErrorKind::Overflow, "it is larger than the broker takes: raise its max_message_size")
        }
        406 => (
            ErrorKind::Rejected,
            "the broker has it with other settings: use the same, or delete it there",
        ),
        402 | 530 => (ErrorKind::Rejected, "the broker does not allow that"),
        540 => (ErrorKind::Rejected, "the broker does not have that"),
        _ => (ErrorKind::Disconnected, "the broker has closed the channel or the connection"),
    }
}

/// Of a refusal of a message for its size, that size.
pub(crate) fn size_in(text: &str) -> Option<u64> {
    text.split("message size ").nth(1)?.split(' ').next()?.parse().ok()
}

/// Returns whether another attempt is of no use.
pub(crate) fn is_final(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::Timeout)
}

#[test]
fn what_the_broker_says_is_read() {
    let kind = |code, text| refused(code, text).0;
    assert_eq!(kind(404, "NOT_FOUND - no queue 'x' in vhost '/'"), ErrorKind::Rejected);
    let starting = "NOT_FOUND - home node 'a' of durable queue 'x' is down or inaccessible";
    assert_eq!(kind(404, starting), ErrorKind::Disconnected);
    assert_eq!(kind(320, "CONNECTION_FORCED - shutdown"), ErrorKind::Disconnected);
    let large = "PRECONDITION_FAILED - message size 2000 is larger than configured max size 1000";
    assert_eq!((kind(406, large), size_in(large)), (ErrorKind::Overflow, Some(2_000)));
    assert_eq!(kind(406, "PRECONDITION_FAILED - inequivalent arg"), ErrorKind::Rejected);
    assert_eq!(size_in("message size x"), None);
}
