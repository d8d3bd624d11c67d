//! What a stream sends: a subscriber that brings items to the connection's task.
//!
//! The first item is a command: a response has no other. From the second on, items go by a queue of
//! the stream's own, and the task is told once for all that came since it looked.

use std::sync::Arc;

use millstream_kernel::{
    SubscriberSlot,
    spsc::{self, GrowingConsumer, GrowingProducer},
};
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
    has_sent: bool,
    queue: Option<Outbox>,
}

/// How many items came since the task looked, and whether it takes any more.
type News = SubscriberSlot<()>;

/// The end of a queue that the publisher fills.
struct Outbox {
    items: GrowingProducer<Payload>,
    news: Arc<News>,
}

/// The end of a queue that the task empties.
pub(crate) struct Inbox {
    items: GrowingConsumer<Payload>,
    news: Arc<News>,
}

impl Inbox {
    /// Before the items are taken: those that come from now on are announced again.
    pub(crate) fn look(&self) {
        let _n_new = self.news.take().demand;
    }

    pub(crate) fn pop(&mut self) -> Option<Payload> {
        self.items.pop()
    }
}

/// The task takes no more: what comes is dropped, and does not pile up. An item that is on its way
/// at this moment is held as long as its publisher is.
impl Drop for Inbox {
    fn drop(&mut self) {
        self.news.cancel();
        while let Some(item) = self.items.pop() {
            drop(item);
        }
    }
}

impl Outbound {
    pub(crate) fn new(key: u64, link: &Link) -> Self {
        let link = link.clone();
        Self { key, link, is_subscribed: false, is_ended: false, has_sent: false, queue: None }
    }

    fn end(&mut self, error: Option<Error>) {
        if !std::mem::replace(&mut self.is_ended, true) {
            // Nobody is left to be told if the task is gone.
            self.link.tell(Command::Ended(self.key, error)).ok();
        }
    }

    /// Makes the queue, with the second item in it.
    #[cold]
    fn begin_queue(&mut self, item: Payload) {
        let (mut items, consumer) = spsc::growing();
        let news = Arc::new(News::new());
        items.push(item);
        let inbox = Inbox { items: consumer, news: Arc::clone(&news) };
        self.queue = Some(Outbox { items, news });
        self.link.tell(Command::Items(self.key, inbox)).ok();
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
        // What comes after the stream or the connection is gone is dropped.
        match &mut self.queue {
            Some(queue) => {
                if queue.news.is_canceled() {
                    return;
                }
                queue.items.push(item);
                if queue.news.request(1) {
                    self.link.tell(Command::More(self.key)).ok();
                }
            }
            None if self.has_sent => self.begin_queue(item),
            None => {
                self.has_sent = true;
                self.link.tell(Command::Item(self.key, item)).ok();
            }
        }
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
