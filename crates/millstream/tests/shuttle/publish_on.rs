//! Signals that move to another thread.

use crate::support::{Came, Tally, Thread, Watch, at_once, dawdle, explore};

/// Requests from two threads add up, and everything comes in order.
///
/// Kills: in `gate/word.rs`, the runner leaves by a store.
#[test]
fn requests_from_two_threads_are_all_met() {
    explore(&[Came::ToItsEnd], || {
        let (tally, consumer) = (Tally::default(), Thread::start());
        let watch = Watch::subscribe_to(tally.numbers(0, 5).publish_on(&consumer).capacity(2));

        at_once(
            &watch,
            [
                |subscription| [1, 2].iter().for_each(|n| subscription.request(*n)),
                |subscription| [1, 1].iter().for_each(|n| subscription.request(*n)),
            ],
        );

        let came = watch.wait().check(&[0, 1, 2, 3, 4]);
        consumer.stop();
        tally.check();
        came
    });
}

/// A cancel races with requests and the end: one of them ends the stream, and nothing is left.
///
/// Kills: in `gate/mod.rs`, `cancel` cleans up without acquiring the turn.
#[test]
fn a_cancel_that_races_with_requests_and_the_end_leaves_nothing() {
    explore(&[Came::Nowhere, Came::Midway, Came::ToItsEnd], || {
        let (tally, consumer) = (Tally::default(), Thread::start());
        let watch = Watch::subscribe_to(tally.numbers(0, 3).publish_on(&consumer).capacity(2));

        at_once(
            &watch,
            [
                |subscription| subscription.request(1),
                |subscription| subscription.request(u64::MAX),
                |subscription| {
                    dawdle(30);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1, 2]);
        consumer.stop();
        tally.check();
        came
    });
}

/// A source on one thread, its consumer on another, and a queue for one item between them.
///
/// Kills: in `gate/turn.rs`, the runner settles without PARKING.
#[test]
fn a_producer_and_a_consumer_pass_everything_through_one_place() {
    explore(&[Came::ToItsEnd], || {
        let (tally, producer, consumer) = (Tally::default(), Thread::start(), Thread::start());
        let flow = tally.numbers(0, 4).subscribe_on(&producer).publish_on(&consumer).capacity(1);
        let watch = Watch::subscribe_to(flow);

        watch.subscription().request(u64::MAX);

        let came = watch.wait().check(&[0, 1, 2, 3]);
        producer.stop();
        consumer.stop();
        tally.check();
        came
    });
}

/// A consumer that has seen enough stops a producer on another thread.
///
/// Kills: in `deferred.rs`, `set` stores the word.
#[test]
fn a_producer_is_stopped_from_another_thread() {
    explore(&[Came::Nowhere, Came::Midway, Came::ToItsEnd], || {
        let (tally, producer, consumer) = (Tally::default(), Thread::start(), Thread::start());
        let flow = tally.numbers(0, 9).subscribe_on(&producer).publish_on(&consumer).capacity(2);
        let watch = Watch::subscribe_to(flow.take(2));

        at_once(
            &watch,
            [
                |subscription| subscription.request(9),
                |subscription| {
                    dawdle(100);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1]);
        producer.stop();
        consumer.stop();
        tally.check();
        came
    });
}

/// A worker that stops while a turn is on its way ends the stream.
///
/// Kills: in `gate/mod.rs`, an abandoned turn does nothing.
#[test]
fn a_worker_that_stops_ends_the_stream() {
    explore(&[(0, 1), (1, 0)], || {
        let (tally, consumer) = (Tally::default(), Thread::start());
        let watch = Watch::subscribe_to(tally.numbers(0, 2).publish_on(&consumer).capacity(2));
        let subscription = watch.subscription();

        let other = shuttle::thread::spawn(move || subscription.request(2));
        consumer.stop();
        other.join().unwrap();

        let seen = watch.wait();
        assert_eq!((seen.n_dropped, seen.n_completed + seen.n_failed), (1, 1), "{seen:?}");
        tally.check();
        (seen.n_completed, seen.n_failed)
    });
}
