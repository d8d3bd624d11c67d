//! The subscription to which the server sends what was asked for.
//!
//! Each has a subject of its own. When requests are made anew, they are made for another inbox, so
//! that what still comes for the former ones is told apart: it is given back.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_nats::{Message, Subscriber};
use futures_core::Stream;
use millstream::{Error, ErrorKind};

use crate::{
    ack::{nack, send},
    connection::Connection,
};

/// How long after the last message an inbox that is left is still looked into.
const GRACE: Duration = Duration::from_secs(2);

pub(super) struct Inbox {
    connection: Arc<Connection>,
    /// `None` when it is dropped.
    subscriber: Option<Subscriber>,
    pub(super) subject: String,
}

impl Inbox {
    pub(super) async fn open(connection: Arc<Connection>) -> Result<Self, Error> {
        let subject = connection.client.new_inbox();
        let subscribing = connection.client.subscribe(subject.clone());
        let subscriber = subscribing.await.map_err(|error| {
            Error::with_source(ErrorKind::Disconnected, "the NATS connection is closed", error)
        })?;
        Ok(Self { connection, subscriber: Some(subscriber), subject })
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        match &mut self.subscriber {
            Some(subscriber) => Pin::new(subscriber).poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Inbox {
    /// Takes the requests back, and what was sent for them.
    fn drop(&mut self) {
        if let Some(subscriber) = self.subscriber.take() {
            let connection = Arc::clone(&self.connection);
            self.connection.runtime.spawn(give_back(connection, subscriber));
        }
    }
}

/// The server drops requests whose inbox nobody is subscribed to; what it has sent comes before it
/// has heard of that.
async fn give_back(connection: Arc<Connection>, mut subscriber: Subscriber) {
    if subscriber.drain().await.is_err() {
        return;
    }
    loop {
        let next = std::future::poll_fn(|cx| Pin::new(&mut subscriber).poll_next(cx));
        let Ok(Some(message)) = tokio::time::timeout(GRACE, next).await else { return };
        if let (None, Some(reply)) = (message.status, message.reply) {
            send(&connection, reply, nack(Duration::ZERO));
        }
    }
}
