//! A hub whose queue is emptied on another thread than those that fill it.

use millstream::hub::merge;
use shuttle::thread;

use crate::support::{Came, Tally, Thread, Watch, explore};

/// Two threads send, a third one is signaled: everything comes, each thread's items in their order,
/// and the end after them.
///
/// Kills: in `gate/turn.rs`, the runner settles without PARKING.
#[test]
fn what_two_threads_send_arrives_on_a_third() {
    explore(
        &[
            [0, 1, 10, 11],
            [0, 10, 1, 11],
            [0, 10, 11, 1],
            [10, 0, 1, 11],
            [10, 0, 11, 1],
            [10, 11, 0, 1],
        ],
        || {
            let (tally, consumer) = (Tally::default(), Thread::start());
            let (sender, flow) = merge(4);
            let watch = Watch::subscribe_for(u64::MAX, flow.signal_on(&consumer));
            let senders = [0, 10].map(|first| {
                let (sender, tally) = (sender.clone(), tally.clone());
                thread::spawn(move || {
                    for number in first..first + 2 {
                        assert!(sender.try_send(tally.item(number)).is_ok());
                    }
                    sender.complete();
                })
            });
            sender.complete();

            let seen = watch.wait();
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            consumer.stop();
            tally.check();
            assert_eq!((seen.n_completed, seen.n_failed, seen.n_dropped), (1, 0, 1));
            <[u64; 4]>::try_from(seen.items).unwrap()
        },
    );
}

/// A cancel races with two who send: what was sent is delivered or dropped, once.
///
/// Kills: in `mpsc/bounded.rs`, the queue does not drop what was pushed after its consumer was
/// dropped.
#[test]
fn a_cancel_that_races_with_two_who_send_leaves_nothing() {
    explore(&[Came::Nowhere, Came::Midway], || {
        let (tally, consumer) = (Tally::default(), Thread::start());
        let (sender, flow) = merge(2);
        let watch = Watch::subscribe_for(u64::MAX, flow.signal_on(&consumer));
        let senders = [0, 1].map(|number| {
            let (sender, item) = (sender.clone(), tally.item(number));
            thread::spawn(move || drop(sender.try_send(item)))
        });

        watch.subscription().cancel();

        let seen = watch.wait();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        drop(sender);
        consumer.stop();
        tally.check();
        assert_eq!((seen.n_completed, seen.n_failed, seen.n_dropped), (0, 0, 1));
        if seen.items.is_empty() { Came::Nowhere } else { Came::Midway }
    });
}
