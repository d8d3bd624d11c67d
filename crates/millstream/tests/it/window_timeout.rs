//! Windows that time ends, by a clock that stands still.

use std::time::Duration;

use millstream::{
    Error, ErrorKind, Flow, just, never,
    scheduler::{Immediate, Pool, VirtualTime},
};
use millstream_testkit::Puppet;
use proptest::prelude::*;

use crate::window::Shelf;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn time_ends_a_window_without_demand_for_the_next_or_for_its_items() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_timeout(&clock, 9, ms(10));
    let (probe, shelf) = Shelf::fill_from(windows);
    probe.request(1);
    clock.advance(ms(1_000));
    assert_eq!(probe.n_items(), 0, "there is no window without items");
    puppet.next('a').unwrap();
    let window = shelf.subscribe();
    clock.advance(ms(9));
    puppet.next('b').unwrap();
    assert!(!window.is_ended());

    clock.advance(ms(1));
    puppet.next('c').unwrap();

    window.request(9);
    assert_eq!((window.items(), window.is_completed()), (vec!['a', 'b'], true));
    // The third item waits until somebody asks, and only then its window's time begins.
    clock.advance(ms(1_000));
    assert_eq!((probe.n_items(), probe.is_ended()), (1, false));
    probe.request(1);
    let window = shelf.subscribe();
    window.request(9);
    clock.advance(ms(9));
    assert_eq!((window.items(), window.is_ended()), (vec!['c'], false));
    clock.advance(ms(1));
    assert!(window.is_completed());
}

#[test]
fn the_time_of_a_window_that_was_full_ends_no_other() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_timeout(&clock, 2, ms(10));
    let (probe, shelf) = Shelf::fill_from(windows);
    probe.request(9);
    puppet.next(0).unwrap();
    puppet.next(1).unwrap();
    clock.advance(ms(5));
    puppet.next(2).unwrap();
    let [first, second] = [shelf.subscribe(), shelf.subscribe()];
    first.request(9);
    second.request(9);

    clock.advance(ms(9));
    assert!(first.is_completed() && !second.is_ended());
    clock.advance(ms(1));
    assert!(second.is_completed());
}

#[test]
fn time_ends_a_window_that_nobody_takes_from() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_timeout(&clock, 100, ms(10));
    let (probe, shelf) = Shelf::fill_from(windows);
    probe.request(2);
    puppet.next(0).unwrap();
    drop(shelf.take());
    puppet.next(1).unwrap();
    clock.advance(ms(10));
    puppet.next(2).unwrap();

    let window = shelf.subscribe();
    window.request(9);
    assert_eq!((probe.n_items(), window.items()), (2, vec![2]));
}

#[test]
fn what_had_no_place_when_time_was_over_is_in_the_next_window() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_timeout(&clock, 100, ms(10));
    let (probe, shelf) = Shelf::fill_from(windows);
    probe.request(1);
    (0..40).for_each(|n| puppet.next(n).unwrap());
    let first = shelf.subscribe();
    clock.advance(ms(10));
    first.request(100);
    assert_eq!((first.items(), first.is_completed()), ((0..32).collect(), true));

    probe.request(1);
    let second = shelf.subscribe();
    second.request(100);
    assert_eq!(second.items(), (32..40).collect::<Vec<_>>());
}

#[test]
fn the_source_is_canceled_when_time_ends_the_last_window() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_timeout(&clock, 9, ms(10));
    let (probe, shelf) = Shelf::fill_from(windows);
    probe.request(1);
    puppet.next(0).unwrap();
    probe.cancel();
    let window = shelf.subscribe();
    window.request(9);
    assert!(probe.is_dropped() && !puppet.is_canceled());

    clock.advance(ms(10));

    assert!(window.is_completed() && puppet.is_canceled());
}

#[test]
fn a_scheduler_that_tells_no_time_fails_the_window_and_the_flow() {
    let pool = Pool::new(1);
    let (probe, shelf) =
        Shelf::fill_from(just(1).concat(never()).window_timeout(&Immediate, 9, ms(10)));
    let (stopped, its_shelf) =
        Shelf::fill_from(just(1).concat(never()).window_timeout(&pool, 9, ms(3_600_000)));
    probe.request(2);
    stopped.request(2);
    let windows = [shelf.subscribe(), its_shelf.subscribe()];
    windows.iter().for_each(|window| window.request(9));

    pool.shutdown();

    windows[1].wait_until_ended();
    stopped.wait_until_ended();
    for error in [probe.error(), stopped.error(), windows[0].error(), windows[1].error()] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Rejected);
    }
    assert!(windows.iter().all(|window| window.items() == [1]));
}

#[test]
fn an_error_does_not_wait_for_the_time() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_timeout(&clock, 9, ms(10));
    let (probe, shelf) = Shelf::fill_from(windows);
    probe.request(1);
    puppet.next(0).unwrap();
    puppet.fail(Error::message("late"));

    let window = shelf.subscribe();
    window.request(1);
    assert_eq!((window.items(), window.error().unwrap().to_string()), (vec![0], "late".into()));
    assert_eq!(probe.error().unwrap().to_string(), "late");
}

proptest! {
    /// Items that come some time after one another, and the windows that follow from that.
    #[test]
    fn windows_end_by_number_or_by_time(
        pauses in proptest::collection::vec(0..7_u64, 0..60),
        n in 1..5_usize,
        limit in 1..12_u64,
    ) {
        let mut expected: Vec<Vec<u64>> = Vec::new();
        let (mut now, mut due) = (0, 0);
        for pause in &pauses {
            now += pause;
            match expected.last_mut().filter(|last| last.len() < n && now < due) {
                Some(last) => last.push(now),
                None => {
                    expected.push(vec![now]);
                    due = now + limit;
                }
            }
        }

        let clock = VirtualTime::new();
        let (puppet, publisher) = Puppet::new();
        let windows = Flow::from(publisher).window_timeout(&clock, n, ms(limit));
        let outcome = windows
            .flat_map(|window| {
                let gathered = window.scan(Vec::new(), |items, item| {
                    items.push(item);
                    Some(items.clone())
                });
                gathered.take_last(1)
            }).concurrency(1).prefetch(1)
            .collect::<Vec<_>>();
        let mut now = 0;
        for pause in pauses {
            clock.advance(ms(pause));
            now += pause;
            prop_assert_eq!(puppet.next(now), Ok(()));
        }
        puppet.complete();
        prop_assert_eq!(outcome.wait().unwrap(), expected);
    }
}
