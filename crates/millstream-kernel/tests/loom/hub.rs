//! What hubs are made of: producers that meet subscribers, and cancels.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use loom::thread;
use millstream_kernel::{
    Capacity, End, Gate, Inline, InlineForOne, Listener, Semaphore, Source, Step, TryAcquireError,
    Wake, mpsc, spsc,
};
use reactive_streams::{Error, Subscriber, Subscription};

use crate::support::{Seen, Watch, Watcher, model};

struct Queue(spsc::Consumer<u64>);

impl Source for Queue {
    type Item = u64;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<u64> {
        match self.0.pop() {
            spsc::Pop::Item(item) => Step::Item(item),
            spsc::Pop::Empty => Step::Pending,
            spsc::Pop::Closed(_) => Step::End(End::Complete),
        }
    }
}

/// An item is sent while the subscriber comes: it arrives.
///
/// Kills: `set` wakes nobody; `set` wakes instead of catching up; `wake` looks once, before the
/// fence.
#[test]
fn an_item_that_races_with_the_subscriber_arrives() {
    let one = Seen { n_items: 1, ..Seen::default() };
    model(5, &[one], || {
        let (mut producer, consumer) = spsc::bounded(Capacity::of(1));
        let listener = Arc::new(Listener::new());
        let watch = Watch::default();
        let other = {
            let listener = Arc::clone(&listener);
            thread::spawn(move || {
                producer.push(1).unwrap();
                listener.wake();
                producer
            })
        };
        let gate = Gate::start_with(|_| (Queue(consumer), Watcher::new(&watch), InlineForOne));
        gate.request(1);
        listener.set(gate);
        let producer = other.join().unwrap();
        let seen = watch.seen();
        watch.subscription().cancel();
        drop((producer, listener));

        assert_eq!(watch.release().n_dropped, 1);
        seen
    });
}

/// An item is sent to a subscriber without demand while it is asked for: it arrives.
///
/// Kills: `wake_for_item` looks without a fence; a runner that had demand leaves the mark
/// NO_DEMAND.
#[test]
fn an_item_that_races_with_the_first_request_arrives() {
    let both = Seen { n_items: 2, ..Seen::default() };
    model(5, &[both], || {
        let (mut producer, consumer) = spsc::bounded(Capacity::of(2));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| (Queue(consumer), Watcher::new(&watch), InlineForOne));
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                for item in [1, 2] {
                    producer.push(item).unwrap();
                    gate.wake_for_item();
                }
                producer
            })
        };
        gate.request(2);
        let producer = other.join().unwrap();
        let seen = watch.seen();
        watch.subscription().cancel();
        drop((producer, gate));

        assert_eq!(watch.release().n_dropped, 1);
        seen
    });
}

/// An item that knows how it ended.
struct Counted(Arc<Tally>);

#[derive(Default)]
struct Tally {
    n_delivered: AtomicUsize,
    n_dropped: AtomicUsize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.n_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// A hub's end that takes.
struct Outlet {
    queue: mpsc::Receiver<Counted>,
    semaphore: Arc<Semaphore>,
}

impl Source for Outlet {
    type Item = Counted;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Counted> {
        let Some(item) = self.queue.pop() else {
            return Step::Pending;
        };
        self.semaphore.release();
        Step::Item(item)
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.semaphore.close();
    }
}

/// Takes items.
struct Taker(Watch);

impl Subscriber<Counted> for Taker {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        Watcher::new(&self.0).on_subscribe(subscription);
    }

    fn on_next(&mut self, item: Counted) {
        item.0.n_delivered.fetch_add(1, Ordering::Relaxed);
    }

    fn on_error(self, _: Error) {}

    fn on_complete(self) {}
}

/// A sender acquires a permit and sends while the subscriber asks for an item and cancels: the item
/// comes back, or it is accepted, and then delivered or dropped. In the end each was dropped once.
///
/// Kills: the queue does not drop what was pushed after its consumer was dropped.
#[test]
fn an_item_that_races_with_a_cancel_is_given_back_or_dropped_once() {
    let (given_back, delivered, dropped) = ((1, 0), (0, 1), (0, 0));
    model(5, &[given_back, delivered, dropped], || {
        let (sender, queue) = mpsc::bounded(Capacity::of(1));
        let semaphore = Arc::new(Semaphore::new(1));
        let listener = Arc::new(Listener::new());
        let watch = Watch::default();
        let outlet = Outlet { queue, semaphore: Arc::clone(&semaphore) };
        let gate = Gate::start_with(|_| (outlet, Taker(watch.clone()), Inline));
        listener.set(gate);
        let tally = Arc::new(Tally::default());
        let other = {
            let item = Counted(Arc::clone(&tally));
            thread::spawn(move || {
                match semaphore.try_acquire() {
                    Ok(permit) => permit.forget(),
                    Err(TryAcquireError::NoPermits) => unreachable!("the only sender"),
                    Err(TryAcquireError::Closed) => {
                        drop(item);
                        return 1;
                    }
                }
                sender.push(item).unwrap();
                listener.wake();
                0
            })
        };
        let subscription = watch.subscription();
        subscription.request(1);
        subscription.cancel();
        drop(subscription);
        let n_given_back = other.join().unwrap();
        watch.release();

        assert_eq!(tally.n_dropped.load(Ordering::Relaxed), 1);
        (n_given_back, tally.n_delivered.load(Ordering::Relaxed))
    });
}
