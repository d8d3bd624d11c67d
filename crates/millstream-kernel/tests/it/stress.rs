//! Queues and gates under real threads: what the models explore in small, here in large numbers.

use std::{
    hint,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use millstream_kernel::{
    Capacity, End, Gate, Source, Step, mpsc,
    spsc::{self, Pop},
};
use reactive_streams::{Error, Subscriber, Subscription};

use crate::support::{Counted, Counter};

#[test]
fn a_bounded_queue_passes_everything_in_order() {
    const N: u64 = 200_000;
    let counter = Counter::default();
    for capacity in [1, 3, 64] {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(capacity));
        let n_items = if capacity == 1 { N / 10 } else { N };
        let n_before = counter.n_dropped() as u64;

        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..n_items {
                    let mut item = counter.item(n);
                    while let Err(spsc::PushError(back)) = producer.push(item) {
                        item = back;
                        thread::yield_now();
                    }
                }
                producer.close(End::Complete);
            });
            let mut expected = 0;
            loop {
                match consumer.pop() {
                    Pop::Item(item) => {
                        assert_eq!(item.number, expected);
                        expected += 1;
                    }
                    Pop::Empty => thread::yield_now(),
                    Pop::Closed(end) => {
                        assert!(matches!(end, Some(End::Complete)));
                        break;
                    }
                }
            }
            assert_eq!(expected, n_items);
        });

        assert_eq!(counter.n_dropped() as u64 - n_before, n_items);
    }
}

#[test]
fn a_growing_queue_passes_everything_in_order() {
    const N: u64 = 200_000;
    let counter = Counter::default();
    let (mut producer, mut consumer) = spsc::growing();

    thread::scope(|scope| {
        let pushing = scope.spawn(|| (0..N).for_each(|n| producer.push(counter.item(n))));
        // The last quarter is left to the queue's drop.
        for expected in 0..N / 4 * 3 {
            let item = loop {
                match consumer.pop() {
                    Some(item) => break item,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(item.number, expected);
        }
        drop(consumer);
        // A sanitizer sees what a join orders, and not what the end of a scope does.
        pushing.join().unwrap();
    });
    drop(producer);

    assert_eq!(counter.n_dropped() as u64, N);
}

#[test]
fn queues_for_many_pass_everything_in_each_ones_order() {
    const N: u64 = 30_000;

    let counter = Counter::default();
    let (sender, mut receiver) = mpsc::bounded(Capacity::of(5));
    let push = |item| {
        let mut item = item;
        while let Err(spsc::PushError(back)) = sender.push(item) {
            item = back;
            thread::yield_now();
        }
    };
    from_three(N, &counter, push, || receiver.pop());
    drop((sender, receiver));
    assert_eq!(counter.n_dropped() as u64, 3 * N);

    let counter = Counter::default();
    let (sender, mut receiver) = mpsc::growing();
    from_three(N, &counter, |item| sender.push(item), || receiver.pop());
    drop((sender, receiver));
    assert_eq!(counter.n_dropped() as u64, 3 * N);
}

/// Pushes `n` items from each of three threads, and pops all of them.
#[track_caller]
fn from_three(
    n: u64,
    counter: &Counter,
    push: impl Fn(Counted) + Sync,
    mut pop: impl FnMut() -> Option<Counted>,
) {
    thread::scope(|scope| {
        for sender in 0..3 {
            let push = &push;
            scope.spawn(move || {
                (sender * n..(sender + 1) * n).for_each(|number| push(counter.item(number)));
            });
        }
        let mut expected = [0, n, 2 * n];
        let mut n_popped = 0;
        while n_popped < 3 * n {
            let Some(item) = pop() else {
                thread::yield_now();
                continue;
            };
            let expected = &mut expected[(item.number / n) as usize];
            assert_eq!(item.number, *expected);
            *expected += 1;
            n_popped += 1;
        }
    });
}

/// What a [`Witness`] saw.
#[derive(Default)]
struct Seen {
    n_items: AtomicU64,
    n_ended: AtomicU64,
    /// By a panic of the witness.
    n_failed: AtomicU64,
    n_dropped: AtomicU64,
}

/// A subscriber whose plain field shows that signals come one at a time.
struct Witness {
    seen: Arc<Seen>,
    n_items: u64,
    line: mpsc::GrowingSender<Arc<dyn Subscription>>,
}

impl Subscriber<u64> for Witness {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.line.push(subscription);
    }

    fn on_next(&mut self, item: u64) {
        self.n_items += 1;
        assert_eq!(item, self.n_items);
        self.seen.n_items.fetch_add(1, Ordering::Relaxed);
    }

    fn on_error(self, _: Error) {
        self.seen.n_failed.fetch_add(1, Ordering::Relaxed);
    }

    fn on_complete(self) {
        self.seen.n_ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.seen.n_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// The numbers from 1 to `last`.
struct Count {
    n: u64,
    last: u64,
    seen: Arc<Seen>,
}

impl Source for Count {
    type Item = u64;

    fn next(&mut self) -> Step<u64> {
        self.n += 1;
        if self.n > self.last { Step::End(End::Complete) } else { Step::Item(self.n) }
    }

    fn end(&mut self) -> Option<End> {
        (self.n == self.last).then_some(End::Complete)
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.seen.n_dropped.fetch_add(1_000, Ordering::Relaxed);
    }
}

fn start(last: u64) -> (Arc<Seen>, Arc<dyn Subscription>) {
    let seen = Arc::<Seen>::default();
    let (line, mut subscription) = mpsc::growing();
    let source = Count { n: 0, last, seen: Arc::clone(&seen) };
    Gate::start(source, Witness { seen: Arc::clone(&seen), n_items: 0, line });
    let subscription = subscription.pop().expect("a gate subscribes at once");
    (seen, subscription)
}

/// A source and a subscriber.
const BOTH: u64 = 1_001;

#[test]
fn requests_from_three_threads_are_all_met() {
    const N: u64 = 50_000;
    let (seen, subscription) = start(4 * N);

    thread::scope(|scope| {
        for n in [1, 1, 2] {
            let subscription = &subscription;
            scope.spawn(move || (0..N / n).for_each(|_| subscription.request(n)));
        }
    });

    assert_eq!(seen.n_items.load(Ordering::Relaxed), 3 * N);
    subscription.request(N);
    assert_eq!(seen.n_items.load(Ordering::Relaxed), 4 * N);
    assert_eq!(seen.n_ended.load(Ordering::Relaxed), 1);
    assert_eq!(seen.n_failed.load(Ordering::Relaxed), 0);
    assert_eq!(seen.n_dropped.load(Ordering::Relaxed), BOTH);
}

#[test]
fn a_request_a_cancel_and_an_end_that_race_drop_both_once() {
    const ROUNDS: u64 = 4_000;
    let gates: Vec<_> = (0..ROUNDS).map(|_| start(3)).collect();
    let barrier = Barrier::new(3);

    thread::scope(|scope| {
        for role in 0..3 {
            let (gates, barrier) = (&gates, &barrier);
            scope.spawn(move || {
                for (round, (_, subscription)) in gates.iter().enumerate() {
                    barrier.wait();
                    // So that the calls meet at different moments of a turn.
                    (0..(round * 7 + role * 13) % 64).for_each(|_| hint::spin_loop());
                    match role {
                        0 => subscription.cancel(),
                        1 => subscription.request(2),
                        _ => (0..2).for_each(|_| subscription.request(1)),
                    }
                }
            });
        }
    });

    for (seen, _) in &gates {
        assert!(seen.n_items.load(Ordering::Relaxed) <= 3);
        assert!(seen.n_ended.load(Ordering::Relaxed) <= 1);
        assert_eq!(seen.n_failed.load(Ordering::Relaxed), 0);
        assert_eq!(seen.n_dropped.load(Ordering::Relaxed), BOTH);
    }
}
