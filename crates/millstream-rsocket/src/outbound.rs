//! What a stream sends: a subscriber that brings items to the connection's task.

use std::sync::Arc;

use reactive_streams::{Error, ErrorKind, Subscriber, Subscription};

use crate::{
    Payload,
    link::{Command, Link},
};

/// Tells the task what a publisher signals, under a key. The task asks for what it has room for.
pub(crate) struct Outbound {
    key: u64,
    link: Link,
    is_subscribed: bool,
    is_ended: bool,
}

impl Outbound {
    pub(crate) fn new(key: u64, link: &Link) -> Self {
        Self { key, link: link.clone(), is_subscribed: false, is_ended: false }
    }

    fn end(&mut self, error: Option<Error>) {
        if !std::mem::replace(&mut self.is_ended, true) {
            // Nobody is left to be told if the task is gone.
            self.link.tell(Command::Ended(self.key, error)).ok();
        }
    }
}

impl Subscriber<Payload> for Outbound {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if std::mem::replace(&mut self.is_subscribed, true) {
            return subscription.cancel();
        }
        if let Err(Command::Started(_, subscription)) =
            self.link.tell(Command::Started(self.key, subscription))
        {
            subscription.cancel();
        }
    }

    fn on_next(&mut self, item: Payload) {
        // What comes after the connection is gone is dropped with it.
        self.link.tell(Command::Item(self.key, item)).ok();
    }

    fn on_error(mut self, error: Error) {
        self.end(Some(error));
    }

    fn on_complete(mut self) {
        self.end(None);
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.end(Some(Error::new(
            ErrorKind::Disconnected,
            "the publisher dropped its subscriber without an end",
        )));
    }
}

/// Runs a flow that nobody waits for, and drops its items.
pub(crate) struct Background {
    link: Link,
}

impl Background {
    pub(crate) fn new(link: &Link) -> Self {
        Self { link: link.clone() }
    }
}

impl Subscriber<()> for Background {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(u64::MAX);
    }
    fn on_next(&mut self, (): ()) {}
    fn on_error(self, _: Error) {}
    fn on_complete(self) {}
}

/// However it ended.
impl Drop for Background {
    fn drop(&mut self) {
        self.link.tell(Command::Done).ok();
    }
}
