//! `NatsAck`: how JetStream is told what became of a delivery.

use std::{
    fmt,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_nats::Subject;
use bytes::Bytes;
use millstream_pressure::{Acknowledge, Settlement};

use crate::connection::Connection;

/// Acknowledgement of a delivery by JetStream.
///
/// A nack waits on the server for its delay; a rejection ends the delivery there (`TERM`), where
/// the stream's advisory has it with the reason, and no other consumer is concerned.
pub struct NatsAck {
    connection: Arc<Connection>,
    reply: Subject,
}

impl NatsAck {
    pub(crate) const fn new(connection: Arc<Connection>, reply: Subject) -> Self {
        Self { connection, reply }
    }

    fn send(&self, payload: Bytes) {
        send(&self.connection, self.reply.clone(), payload);
    }
}

/// Sends without waiting: if the client has no room at the moment, a task waits for it.
pub(crate) fn send(connection: &Arc<Connection>, subject: Subject, payload: Bytes) {
    {
        let sending = connection.client.publish(subject.clone(), payload.clone());
        let sending = tokio::task::unconstrained(sending);
        let mut sending = pin!(sending);
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(_sent_or_closed) = sending.as_mut().poll(&mut cx) {
            return;
        }
        // What is dropped while it waits for room was not sent.
    }
    let client = connection.client.clone();
    connection.runtime.spawn(async move { client.publish(subject, payload).await });
}

/// What JetStream is told.
fn word_of(settlement: Settlement) -> Bytes {
    match settlement {
        Settlement::Ack => Bytes::from_static(b"+ACK"),
        Settlement::Nack { delay } => nack(delay),
        Settlement::Reject { reason } if reason.is_empty() => Bytes::from_static(b"+TERM"),
        Settlement::Reject { reason } => {
            // One line of it.
            let reason = reason.replace(['\r', '\n'], " ");
            Bytes::from(format!("+TERM {reason}"))
        }
    }
}

pub(crate) fn nack(delay: Duration) -> Bytes {
    match u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX >> 1) {
        0 => Bytes::from_static(b"-NAK"),
        nanos => Bytes::from(format!(r#"-NAK {{"delay":{nanos}}}"#)),
    }
}

impl Acknowledge for NatsAck {
    fn settle(self, settlement: Settlement) {
        self.send(word_of(settlement));
    }

    fn extend(&self) {
        self.send(Bytes::from_static(b"+WPI"));
    }
}

impl fmt::Debug for NatsAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsAck").field("reply", &self.reply).finish_non_exhaustive()
    }
}

#[test]
fn the_words_are_those_of_the_protocol() {
    let word = |settlement| String::from_utf8(word_of(settlement).to_vec()).ok();
    let nack = |delay| word(Settlement::Nack { delay });
    assert_eq!(word(Settlement::Ack).as_deref(), Some("+ACK"));
    assert_eq!(nack(Duration::ZERO).as_deref(), Some("-NAK"));
    assert_eq!(nack(Duration::from_millis(5)).as_deref(), Some(r#"-NAK {"delay":5000000}"#));
    let reject = |reason: &str| word(Settlement::Reject { reason: reason.to_owned() });
    assert_eq!(reject("bad\r\nPUB x").as_deref(), Some("+TERM bad  PUB x"));
    assert_eq!(reject("").as_deref(), Some("+TERM"));
}
