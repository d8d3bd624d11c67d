//! Flows of flows, whose sources are on threads of their own.

use millstream::{
    Flow, Publisher,
    scheduler::{Scheduler, Worker},
};

use crate::support::{Came, Item, Tally, Thread, Watch, at_once, dawdle, explore};

/// Two flows of two numbers: 0 and 1, 10 and 11.
fn nested(
    tally: &Tally,
    outer: &Thread,
    inner: &Thread,
) -> Flow<impl Publisher<Item = Item> + use<>> {
    let worker = inner.worker();
    let inner_tally = tally.clone();
    tally.numbers(0, 2).subscribe_on(outer).concat_map(move |item| {
        inner_tally.numbers(item.number * 10, 2).subscribe_on(&Fixed(worker.clone()))
    })
}

/// A scheduler of one worker.
struct Fixed(Worker);

impl Scheduler for Fixed {
    fn worker(&self) -> Worker {
        self.0.clone()
    }
}

/// Items come flow by flow, under requests from two threads and wake-ups from two more.
///
/// Kills: in `gate/word.rs`, a wake-up does not look at PARKING; in `spsc/bounded.rs`, `take_end`
/// looks at the queue before the flag.
#[test]
fn inner_flows_follow_one_another() {
    explore(&[Came::ToItsEnd], || {
        let (tally, outer, inner) = (Tally::default(), Thread::start(), Thread::start());
        let watch = Watch::subscribe_to(nested(&tally, &outer, &inner));

        at_once(
            &watch,
            [
                |subscription| [1, 1].iter().for_each(|n| subscription.request(*n)),
                |subscription| subscription.request(2),
            ],
        );

        let came = watch.wait().check(&[0, 1, 10, 11]);
        outer.stop();
        inner.stop();
        tally.check();
        came
    });
}

/// A cancel reaches both sources, wherever the flow is.
///
/// Kills: in `deferred.rs`, `set` forgets CANCELED.
#[test]
fn a_cancel_reaches_both_sources() {
    explore(&[Came::Nowhere, Came::Midway, Came::ToItsEnd], || {
        let (tally, outer, inner) = (Tally::default(), Thread::start(), Thread::start());
        let watch = Watch::subscribe_to(nested(&tally, &outer, &inner));

        at_once(
            &watch,
            [
                |subscription| (0..4).for_each(|_| subscription.request(1)),
                |subscription| {
                    dawdle(250);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1, 10, 11]);
        outer.stop();
        inner.stop();
        tally.check();
        came
    });
}
