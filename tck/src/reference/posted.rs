//! A publisher whose signals come from somewhere else: from a thread, or from a scheduler.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
};

use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::play::turns::Turns;

type Task = Box<dyn FnOnce() + Send>;

/// Runs tasks one after the other, somewhere.
type Runner = Arc<dyn Fn(Task) + Send + Sync>;

/// `publisher`, subscribed to and requested from on a thread of its own, so that its signals come
/// from there. The thread ends when the subscription is dropped.
pub fn on_thread<P>(publisher: P) -> OnThread<P> {
    OnThread(publisher)
}

/// The publisher that [`on_thread`] returns.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnThread<P>(P);

impl<P: Publisher<Item: 'static> + Send + 'static> Publisher for OnThread<P> {
    type Item = P::Item;

    #[expect(clippy::disallowed_methods, reason = "the publisher is a thread")]
    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        let (sender, tasks) = mpsc::channel::<Task>();
        std::thread::spawn(move || {
            for task in tasks {
                // The subscriber may have panicked: that ends its stream, and not the thread.
                drop(catch_unwind(AssertUnwindSafe(task)));
            }
        });
        // The thread is there as long as somebody can send to it.
        let runner: Runner = Arc::new(move |task| drop(sender.send(task)));
        subscribe(self.0, subscriber, runner);
    }
}

/// `publisher`, subscribed to and requested from in turns of a scheduler, so that its signals come
/// from there.
pub fn on_turns<P>(publisher: P, turns: &Turns) -> OnTurns<P> {
    OnTurns(publisher, turns.clone())
}

/// The publisher that [`on_turns`] returns.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnTurns<P>(P, Turns);

impl<P: Publisher<Item: 'static> + Send + 'static> Publisher for OnTurns<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        let turns = self.1;
        subscribe(self.0, subscriber, Arc::new(move |task| turns.run(task)));
    }
}

fn subscribe<P>(publisher: P, subscriber: impl Subscriber<P::Item>, runner: Runner)
where
    P: Publisher<Item: 'static> + Send + 'static,
{
    let away = Away { subscriber, runner: Some(Arc::clone(&runner)) };
    runner(Box::new(move || publisher.subscribe(away)));
}

/// Hands the subscriber a subscription that sends its requests away.
struct Away<S> {
    subscriber: S,
    runner: Option<Runner>,
}

impl<T, S: Subscriber<T>> Subscriber<T> for Away<S> {
    fn on_subscribe(&mut self, upstream: Arc<dyn Subscription>) {
        match self.runner.take() {
            Some(runner) => self.subscriber.on_subscribe(Arc::new(Post { upstream, runner })),
            // A second subscription is not wanted (rule 2.5).
            None => upstream.cancel(),
        }
    }

    fn on_next(&mut self, item: T) {
        self.subscriber.on_next(item);
    }

    fn offer(&mut self, item: T) -> Offer {
        self.subscriber.offer(item)
    }

    fn on_error(self, error: Error) {
        self.subscriber.on_error(error);
    }

    fn on_complete(self) {
        self.subscriber.on_complete();
    }
}

struct Post {
    upstream: Arc<dyn Subscription>,
    runner: Runner,
}

impl Subscription for Post {
    fn request(&self, n: u64) {
        let upstream = Arc::clone(&self.upstream);
        (self.runner)(Box::new(move || upstream.request(n)));
    }

    /// Does not go through the queue: a loop that sends would never get to it.
    fn cancel(&self) {
        self.upstream.cancel();
    }
}
