//! Sources that are woken: no wake-up is lost.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{
    Capacity, Dispatch, End, Gate, Inline, InlineForOne, ReadySet, Source, Step, Task, TaskWaker,
    Wake, oneshot, spsc,
};
use reactive_streams::{Error, Subscription};

use crate::support::{Seen, Watch, Watcher, model};

struct Queue(spsc::Consumer<u64>);

impl Source for Queue {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<u64> {
        match self.0.pop() {
            spsc::Pop::Item(item) => Step::Item(item),
            spsc::Pop::Empty => Step::Pending,
            spsc::Pop::Closed(_) => Step::End(End::Complete),
        }
    }

    fn end(&mut self) -> Option<End> {
        self.0.take_end().map(|_| End::Complete)
    }
}

/// A producer pushes and wakes while the consumer is about to park: every item arrives.
///
/// Kills: the runner settles without PARKING; the waker does not look at PARKING.
#[test]
fn an_item_that_races_with_parking_arrives() {
    race_with_parking(Inline);
}

/// The same with a gate that nobody else wakes: the producer's own turns need no last look, the
/// others do.
///
/// Kills: a turn that a request began settles without PARKING; `seize` is relaxed.
#[test]
fn an_item_whose_producer_takes_the_turn_arrives() {
    race_with_parking(InlineForOne);
}

fn race_with_parking(dispatch: impl Dispatch + Copy) {
    let all = Seen { n_items: 2, n_completed: 1, n_failed: 0, n_dropped: 1 };
    model(10, &[all], move || {
        let (mut producer, consumer) = spsc::bounded(Capacity::of(2));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| (Queue(consumer), Watcher::new(&watch), dispatch));
        let other = thread::spawn(move || {
            producer.push(1).unwrap();
            gate.wake();
            producer.push(2).unwrap();
            producer.close(End::Complete);
            gate.wake();
        });
        watch.subscription().request(2);
        other.join().unwrap();

        watch.release()
    });
}

/// Two queues.
struct Queues(Queue, Queue);

impl Source for Queues {
    type Item = u64;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<u64> {
        match self.0.next() {
            Step::Item(item) => Step::Item(item),
            Step::Pending | Step::End(_) => self.1.next(),
        }
    }
}

/// The producer whose wake-ups begin turns pushes while somebody else does: both items arrive.
///
/// Kills: `catch_up` leaves a runner alone that has not parked.
#[test]
fn an_item_from_another_side_arrives() {
    let both = Seen { n_items: 2, ..Seen::default() };
    model(10, &[both], || {
        let (mut upstream, first) = spsc::bounded(Capacity::of(1));
        let (mut aside, second) = spsc::bounded(Capacity::of(1));
        let queues = Queues(Queue(first), Queue(second));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| (queues, Watcher::new(&watch), InlineForOne));
        gate.request(2);
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                upstream.push(1).unwrap();
                gate.wake();
                upstream
            })
        };
        aside.push(2).unwrap();
        gate.catch_up();
        let upstream = other.join().unwrap();
        let seen = watch.seen();
        gate.cancel();
        drop((upstream, aside, gate));

        assert_eq!(watch.release().n_dropped, 1);
        seen
    });
}

/// Leaves every turn to a thread of the model.
struct Elsewhere;

impl Dispatch for Elsewhere {
    fn dispatch(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A turn that was scheduled is run by one thread and abandoned by another: it happens once.
///
/// Kills: a turn is run without being claimed.
#[test]
fn a_turn_that_is_run_and_abandoned_happens_once() {
    let failed = Seen { n_failed: 1, n_dropped: 1, ..Seen::default() };
    let idle = Seen::default();
    model(2, &[failed, idle], || {
        let (producer, consumer) = spsc::bounded(Capacity::of(1));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| (Queue(consumer), Watcher::new(&watch), Elsewhere));
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.run())
        };
        gate.abandon(Error::message("no thread to run on"));
        other.join().unwrap();
        let seen = watch.seen();
        gate.cancel();
        drop((producer, gate));

        assert_eq!(watch.release().n_dropped, 1);
        seen
    });
}

/// A waker sets its bit while the driver takes: it is taken now or stays for the next time.
///
/// Kills: `take` loads and stores.
#[test]
fn a_bit_that_races_with_taking_is_taken_once() {
    model(2, &[0, 1], || {
        let set = Arc::new(ReadySet::new(2));
        let other = {
            let set = Arc::clone(&set);
            thread::spawn(move || set.set(1))
        };
        set.set(0);
        let mut n_first = 0;
        let mut n_all = 0;
        set.take(|index| {
            n_first += index;
            n_all += 1;
        });
        other.join().unwrap();
        set.take(|_| n_all += 1);

        assert_eq!(n_all, 2);
        n_first
    });
}

/// A bit is set in a block that is being taken, and another one beside it: both are taken, now or
/// the next time.
///
/// Kills: `set` marks the block before it sets the bit; `take` takes the mark after the bits.
#[test]
fn bits_of_one_block_that_race_with_taking_are_taken_once() {
    model(10, &[(0, 2), (1, 1), (2, 0)], || {
        let set = Arc::new(ReadySet::new(2));
        let other = {
            let set = Arc::clone(&set);
            thread::spawn(move || set.set(1))
        };
        set.set(0);
        let (mut n_first, mut n_last) = (0, 0);
        set.take(|_| n_first += 1);
        other.join().unwrap();
        set.take(|_| n_last += 1);

        assert_eq!(n_first + n_last, 2);
        (n_first, n_last)
    });
}

/// A value is sent while the receiver registers: it arrives, without another poll.
///
/// Kills: the receiver does not look again after registering.
#[test]
fn a_value_that_races_with_polling_arrives() {
    model(5, &[Some(7)], || {
        let (sender, receiver) = oneshot::channel();
        let other = thread::spawn(move || sender.send(7));
        let value = loom::future::block_on(receiver);
        other.join().unwrap();

        value
    });
}

/// A sender is dropped while the receiver registers: the receiver learns of it.
///
/// Kills: a dropped sender stores nothing.
#[test]
fn a_sender_that_is_dropped_is_noticed() {
    model(5, &[None], || {
        let (sender, receiver) = oneshot::channel::<u64>();
        let other = thread::spawn(move || drop(sender));
        let value = loom::future::block_on(receiver);
        other.join().unwrap();

        value
    });
}

/// A task registers and looks again: it is woken, or it sees the work.
///
/// Kills: `wake` does nothing.
#[test]
fn a_task_that_registers_misses_nothing() {
    model(5, &[1], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
        let waker = Arc::new(TaskWaker::new());
        let other = {
            let waker = Arc::clone(&waker);
            thread::spawn(move || {
                producer.push(1_u64).unwrap();
                waker.wake();
            })
        };
        let item = loom::future::block_on(std::future::poll_fn(|cx| {
            for _ in 0..2 {
                if let spsc::Pop::Item(item) = consumer.pop() {
                    return std::task::Poll::Ready(item);
                }
                waker.register(cx.waker());
            }
            std::task::Poll::Pending
        }));
        other.join().unwrap();

        item
    });
}
