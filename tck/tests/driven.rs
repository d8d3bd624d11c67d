//! Publishers whose work runs on a scheduler that is driven are judged without threads or waiting.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};
use reactive_streams_tck::{
    AfterCancel, Capabilities, Driven, Subject, Turns, publisher_tests,
    reference::{Item, items, iterate, range},
};

type Task = Box<dyn FnOnce() + Send>;

/// The smallest scheduler of one's own: tasks in a queue.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Task>>>);

impl Queue {
    fn push(&self, task: impl FnOnce() + Send + 'static) {
        self.0.lock().expect("no task panics under the lock").push_back(Box::new(task));
    }

    fn drive(&self) {
        while let Some(task) = { self.0.lock().expect("as above").pop_front() } {
            // A subscriber's panic ends the task, as in any scheduler.
            drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(task)));
        }
    }
}

/// Sends each item in a task of its own, as an operator does that moves a stream to a scheduler:
/// the task asks upstream for one item, and is queued again as long as there is demand.
struct OneByOne<P> {
    publisher: P,
    queue: Queue,
}

struct Relay<S> {
    downstream: S,
    queue: Queue,
}

struct Pull {
    upstream: Arc<dyn Subscription>,
    queue: Queue,
}

impl Pull {
    fn next(upstream: Arc<dyn Subscription>, queue: Queue, left: u64) {
        if left > 0 {
            let again = queue.clone();
            queue.push(move || {
                upstream.request(1);
                // Who wants everything is not sent so many tasks.
                let left = if left > 1_000_000 { 0 } else { left - 1 };
                match left {
                    0 => {}
                    left => Self::next(upstream, again, left),
                }
            });
        }
    }
}

impl Subscription for Pull {
    fn request(&self, n: u64) {
        let upstream = Arc::clone(&self.upstream);
        if n == 0 || n > 1_000_000 {
            self.queue.push(move || upstream.request(n));
        } else {
            Self::next(upstream, self.queue.clone(), n);
        }
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for Relay<S> {
    fn on_subscribe(&mut self, upstream: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(Arc::new(Pull { upstream, queue: self.queue.clone() }));
    }

    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}

impl<P: Publisher + Send + 'static> Publisher for OneByOne<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { publisher, queue } = self;
        let relay = Relay { downstream, queue: queue.clone() };
        queue.push(move || publisher.subscribe(relay));
    }
}

fn one_by_one(n: u64) -> Driven<impl Publisher<Item = Item>, impl Fn() + Send + 'static> {
    let queue = Queue::default();
    let driver = queue.clone();
    Driven(OneByOne { publisher: iterate(items(n)), queue }, move || driver.drive())
}

publisher_tests!(one_by_one, super::one_by_one);
publisher_tests!(
    one_by_one_and_strict,
    super::one_by_one,
    Capabilities::new().after_cancel(AfterCancel::Nothing)
);

/// Sends its items on the scheduler's clock, one in a second, as far as they are requested.
struct Ticking {
    len: u64,
    turns: Turns,
}

struct Delayed {
    upstream: Arc<dyn Subscription>,
    turns: Turns,
}

impl Subscription for Delayed {
    fn request(&self, n: u64) {
        let upstream = Arc::clone(&self.upstream);
        self.turns.run_after(Duration::from_secs(1), move || upstream.request(n));
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}

struct Tick<S> {
    downstream: S,
    turns: Turns,
}

impl<S: Subscriber<u64>> Subscriber<u64> for Tick<S> {
    fn on_subscribe(&mut self, upstream: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(Arc::new(Delayed { upstream, turns: self.turns.clone() }));
    }

    fn on_next(&mut self, item: u64) {
        self.downstream.on_next(item);
    }

    fn offer(&mut self, item: u64) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}

impl Publisher for Ticking {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, downstream: S) {
        range(self.len).subscribe(Tick { downstream, turns: self.turns });
    }
}

publisher_tests!(
    subject ticking,
    Subject::on_turns("ticking", Capabilities::new(), |len, turns| Ticking {
        len,
        turns: turns.clone(),
    })
);
