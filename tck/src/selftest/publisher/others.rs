//! Subjects with mistakes that need more than one publisher, a failing one, or other items.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use reactive_streams::{BoxPublisher, Error, Offer, Publisher, Subscriber, Subscription};

use super::{
    numbers::{Numbers, panic_quietly},
    slip::Slip,
};
use crate::{
    Capabilities, IntoSubject, PublisherSubject, Sharing,
    reference::{Item, empty, items, iterate, never},
    sync::lock,
};

/// A subject whose shared publisher treats the second subscriber in its own way.
pub(super) struct Shared {
    pub(super) sharing: Sharing,
    pub(super) second: fn(u64) -> BoxPublisher<u64>,
}

impl PublisherSubject for Shared {
    type Item = u64;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = u64> {
        iterate(0..n)
    }

    fn create_shared_publisher(&self, n: u64, k: usize) -> Option<Vec<BoxPublisher<u64>>> {
        let publisher = |index: usize| match index {
            1 => (self.second)(n),
            _ => BoxPublisher::new(iterate(0..n)),
        };
        Some((0..k).map(publisher).collect())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new().sharing(self.sharing)
    }
}

pub(super) fn slipping(n: u64, slip: Slip) -> BoxPublisher<u64> {
    BoxPublisher::new(Numbers { len: n, slip: Some(slip) })
}

/// A subject with a publisher that should fail, and does what it likes.
pub(super) struct Failing(pub(super) fn() -> BoxPublisher<u64>);

impl PublisherSubject for Failing {
    type Item = u64;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = u64> {
        iterate(0..n)
    }

    fn create_failed_publisher(&self) -> Option<BoxPublisher<u64>> {
        Some((self.0)())
    }
}

pub(super) fn silent() -> BoxPublisher<u64> {
    BoxPublisher::new(never())
}

pub(super) fn completing() -> BoxPublisher<u64> {
    BoxPublisher::new(empty())
}

/// An iterator that panics; it does not know before how many items it has.
pub(super) fn panicking() -> impl Iterator<Item = u64> + Send {
    std::iter::from_fn(|| panic_quietly())
}

pub(super) fn muffled() -> BoxPublisher<u64> {
    BoxPublisher::new(Altered { publisher: iterate(panicking()), alteration: Alteration::Muffles })
}

/// A publisher on a thread of its own that sends what was requested, and some time later an item
/// that was not.
#[derive(Clone, Copy)]
pub(super) struct Late {
    pub(super) len: u64,
    pub(super) pause: Duration,
}

/// What is asked of its thread.
struct Ask(Mutex<mpsc::Sender<Option<u64>>>);

impl Subscription for Ask {
    fn request(&self, n: u64) {
        let _ended = lock(&self.0).send(Some(n));
    }

    fn cancel(&self) {
        let _ended = lock(&self.0).send(None);
    }
}

impl Publisher for Late {
    type Item = u64;

    #[expect(clippy::disallowed_methods, reason = "the mistake is a thread's")]
    fn subscribe<S: Subscriber<u64>>(self, mut subscriber: S) {
        std::thread::spawn(move || {
            let (sender, asked) = mpsc::channel();
            subscriber.on_subscribe(Arc::new(Ask(Mutex::new(sender))));
            let mut sent = 0;
            while sent < self.len {
                match asked.recv_timeout(self.pause) {
                    Ok(Some(0)) => return subscriber.on_error(Error::illegal_request()),
                    Ok(Some(n)) => {
                        let end = self.len.min(sent.saturating_add(n));
                        while sent < end {
                            subscriber.on_next(sent);
                            sent += 1;
                        }
                    }
                    Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        subscriber.on_next(sent);
                        sent += 1;
                    }
                }
            }
            subscriber.on_complete();
        });
    }
}

/// A correct publisher with a part between it and the subscriber that makes a mistake.
pub(super) struct Altered<P> {
    pub(super) publisher: P,
    pub(super) alteration: Alteration,
}

/// What that part does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Alteration {
    /// Errors are swallowed.
    Muffles,
    /// Every item is kept for ever, and a copy of it is passed on.
    Leaks,
    /// The subscriber, which the publisher holds, holds the publisher.
    Cycle,
    /// A lock is held while a signal is sent and while something is requested.
    Locks,
}

/// Counted items, some of which are lost.
pub(super) fn leaking(n: u64) -> Altered<impl Publisher<Item = Item>> {
    Altered { publisher: iterate(items(n)), alteration: Alteration::Leaks }
}

impl<P: Publisher<Item: Clone + Send + 'static>> Publisher for Altered<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        let Self { publisher, alteration } = self;
        publisher.subscribe(Part { subscriber, alteration, held: None, lock: Arc::default() });
    }
}

struct Part<S> {
    subscriber: S,
    alteration: Alteration,
    held: Option<Arc<dyn Subscription>>,
    lock: Arc<Mutex<()>>,
}

struct Locked {
    upstream: Arc<dyn Subscription>,
    lock: Arc<Mutex<()>>,
}

impl Subscription for Locked {
    fn request(&self, n: u64) {
        // Taken and given back: a signal must not be running.
        drop(lock(&self.lock));
        self.upstream.request(n);
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}

impl<T: Clone + Send + 'static, S: Subscriber<T>> Subscriber<T> for Part<S> {
    fn on_subscribe(&mut self, upstream: Arc<dyn Subscription>) {
        match self.alteration {
            Alteration::Locks => {
                let lock = Arc::clone(&self.lock);
                self.subscriber.on_subscribe(Arc::new(Locked { upstream, lock }));
            }
            Alteration::Cycle => {
                self.held = Some(Arc::clone(&upstream));
                self.subscriber.on_subscribe(upstream);
            }
            Alteration::Muffles | Alteration::Leaks => self.subscriber.on_subscribe(upstream),
        }
    }

    fn on_next(&mut self, item: T) {
        let _accepted = self.offer(item);
    }

    fn offer(&mut self, item: T) -> Offer {
        match self.alteration {
            Alteration::Leaks => {
                let kept: &'static T = Box::leak(Box::new(item));
                self.subscriber.offer(kept.clone())
            }
            Alteration::Locks => {
                let _held = lock(&self.lock);
                self.subscriber.offer(item)
            }
            Alteration::Muffles | Alteration::Cycle => self.subscriber.offer(item),
        }
    }

    fn on_error(self, error: Error) {
        if self.alteration != Alteration::Muffles {
            self.subscriber.on_error(error);
        }
    }

    fn on_complete(self) {
        self.subscriber.on_complete();
    }
}
