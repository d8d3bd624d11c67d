//! Windows that are filled on one thread, ended by the clock on another, and taken from on a third.

use std::time::Duration;

use millstream::{Flow, Publisher, never};

use crate::support::{Came, Item, Tally, Thread, Watch, at_once, dawdle, explore};

const SECOND: Duration = Duration::from_secs(1);

/// Five numbers in windows of two, or fewer where the clock was faster.
fn windows(
    tally: &Tally,
    source: &Thread,
    clock: &Thread,
) -> Flow<impl Publisher<Item = Item> + use<>> {
    let windows = tally.numbers(0, 5).subscribe_on(source).window_timeout(clock, 2, SECOND);
    windows.concat_map(|window| window)
}

/// The clock ends windows while items come: every item is in one of them.
///
/// Kills: in `windowing.rs`, the clock is looked at after an item was taken.
#[test]
fn an_item_that_races_with_the_clock_is_in_one_window() {
    explore(&[Came::ToItsEnd], || {
        let (tally, source, clock) = (Tally::default(), Thread::start(), Thread::start());
        let watch = Watch::subscribe_to(windows(&tally, &source, &clock));

        at_once(
            &watch,
            [
                |subscription| (0..3).for_each(|_| subscription.request(1)),
                |subscription| subscription.request(2),
            ],
        );

        let came = watch.wait().check(&[0, 1, 2, 3, 4]);
        source.stop();
        clock.stop();
        tally.check();
        came
    });
}

/// A cancel of flow and window races with the clock and with the source: nothing is left.
///
/// Kills: in `windowing.rs`, the clock is looked at after an item was taken.
#[test]
fn a_cancel_that_races_with_the_clock_leaves_nothing() {
    explore(&[Came::Nowhere, Came::Midway, Came::ToItsEnd], || {
        let (tally, source, clock) = (Tally::default(), Thread::start(), Thread::start());
        let watch = Watch::subscribe_to(windows(&tally, &source, &clock));

        at_once(
            &watch,
            [
                |subscription| (0..5).for_each(|_| subscription.request(1)),
                |subscription| {
                    dawdle(250);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1, 2, 3, 4]);
        source.stop();
        clock.stop();
        tally.check();
        came
    });
}

/// The flow of windows is canceled while its first one is open, and taken from on another thread:
/// the window gets its items and ends.
///
/// Kills: in `lasting.rs`, the relay passes on that the downstream is finished.
#[test]
fn a_window_outlives_its_flow() {
    explore(&[Came::ToItsEnd], || {
        let (tally, source) = (Tally::default(), Thread::start());
        let windows = tally.numbers(0, 5).subscribe_on(&source).window(3);
        let watch = Watch::subscribe_to(windows.take(1).concat_map(|window| window));

        at_once(
            &watch,
            [
                |subscription| (0..2).for_each(|_| subscription.request(1)),
                |subscription| subscription.request(1),
            ],
        );

        let came = watch.wait().check(&[0, 1, 2]);
        source.stop();
        tally.check();
        came
    });
}

/// The first `n` numbers, after which nothing comes any more. The source holds an item of its own.
fn waiting(tally: &Tally, source: &Thread, n: u64) -> Flow<impl Publisher<Item = Item> + use<>> {
    let own = tally.item(n);
    let items = tally.numbers(0, n).concat(never());
    items.inspect(move |_| _ = &own).subscribe_on(source)
}

/// A cancel while no window is open finds the operator at work, or about to stop: it reaches the
/// source.
///
/// Kills: in `lasting.rs`, a cancel asks for nothing.
#[test]
fn a_cancel_reaches_a_source_that_waits() {
    explore(&[Came::Nowhere, Came::Midway], || {
        let (tally, source) = (Tally::default(), Thread::start());
        let windows = waiting(&tally, &source, 2).window(2);
        let watch = Watch::subscribe_to(windows.concat_map(|window| window));

        at_once(
            &watch,
            [
                |subscription| subscription.request(2),
                |subscription| {
                    dawdle(60);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1]);
        source.stop();
        tally.check();
        came
    });
}

/// The last window is canceled after its flow was: that reaches the source.
///
/// Kills: in `outlet.rs`, the keeper does not hear that nobody takes any more.
#[test]
fn a_cancel_of_the_last_window_reaches_a_source_that_waits() {
    explore(&[Came::Nowhere, Came::Midway], || {
        let (tally, source) = (Tally::default(), Thread::start());
        let windows = waiting(&tally, &source, 1).window(2).take(1);
        let watch = Watch::subscribe_to(windows.concat_map(|window| window));

        at_once(
            &watch,
            [
                |subscription| subscription.request(2),
                |subscription| {
                    dawdle(60);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0]);
        source.stop();
        tally.check();
        came
    });
}
