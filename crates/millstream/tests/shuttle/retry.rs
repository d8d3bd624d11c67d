//! A source that fails and is subscribed to again, on another thread.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use millstream::{Error, Flow, Publisher, defer, generate};

use crate::support::{Came, Item, Tally, Thread, Watch, at_once, dawdle, explore};

/// 0 and 1, a failure that is not seen, and 0 and 1 once more.
fn flaky(tally: &Tally, thread: &Thread) -> Flow<impl Publisher<Item = Item> + use<>> {
    let (tally, n_attempts) = (tally.clone(), Arc::new(AtomicU64::new(0)));
    let attempt = defer(move || {
        let attempt = n_attempts.fetch_add(1, Ordering::Relaxed);
        generate(0, move |next| {
            *next += 1;
            match (*next, attempt) {
                (1 | 2, _) => Ok(Some(tally.item(*next - 1))),
                (_, 0) => Err(Error::message("planted")),
                _ => Ok(None),
            }
        })
    });
    attempt.subscribe_on(thread).retry(1)
}

/// Demand that races with the failure is neither lost nor doubled.
///
/// Kills: in `arbiter.rs`, `request` forgets `outstanding`.
#[test]
fn demand_is_carried_over_to_the_second_attempt() {
    explore(&[Came::ToItsEnd], || {
        let (tally, source) = (Tally::default(), Thread::start());
        let watch = Watch::subscribe_to(flaky(&tally, &source));

        at_once(
            &watch,
            [
                |subscription| [1, 2].iter().for_each(|n| subscription.request(*n)),
                |subscription| [1, 1].iter().for_each(|n| subscription.request(*n)),
            ],
        );

        let came = watch.wait().check(&[0, 1, 0, 1]);
        source.stop();
        tally.check();
        came
    });
}

/// A cancel that races with the failure reaches whichever attempt is there.
/// There is not enough demand for an end without it.
///
/// Kills: in `arbiter.rs`, `set` does not look whether it was canceled.
#[test]
fn a_cancel_reaches_either_attempt() {
    explore(&[Came::Nowhere, Came::Midway], || {
        let (tally, source) = (Tally::default(), Thread::start());
        let watch = Watch::subscribe_to(flaky(&tally, &source));

        at_once(
            &watch,
            [
                |subscription| (0..3).for_each(|_| subscription.request(1)),
                |subscription| {
                    dawdle(80);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1, 0, 1]);
        source.stop();
        tally.check();
        came
    });
}
