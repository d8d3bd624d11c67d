//! Operators that go by what items cost, and by who waits for whom.

use std::time::Duration;

use millstream::{Demand, Error, ErrorKind, Flow, error, from_iter, scheduler::VirtualTime};
use millstream_testkit::{Probe, Puppet, chaos};
use proptest::prelude::*;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// When items of these costs pass, in milliseconds.
fn throttled(costs: &[u64], max: u64, period: Duration) -> Vec<u64> {
    let clock = VirtualTime::new();
    let flow = from_iter(costs.to_vec()).throttle_weighted(&clock, max, period, |cost| *cost);
    let probe = Probe::subscribe_to(flow.timestamp(&clock));
    probe.request(u64::MAX);
    (0..10_000).for_each(|_| clock.advance(ms(1)));
    assert!(probe.is_completed());
    probe.items().iter().map(|(time, _)| time.as_millis() as u64).collect()
}

#[test]
fn what_costs_more_than_all_waits_for_an_empty_bucket_and_passes() {
    assert_eq!(throttled(&[1, 1_000_000, 1], 10, ms(10)), [0, 1, 2]);
    assert_eq!(throttled(&[u64::MAX; 3], 1, ms(10)), [0, 10, 20]);
    assert_eq!(throttled(&[0; 5], 1, ms(10)), [0; 5]);
}

#[test]
fn throttling_by_the_largest_numbers_does_not_overflow() {
    let clock = VirtualTime::new();
    let flow = from_iter([u64::MAX, 1, u64::MAX]);
    let probe =
        Probe::subscribe_to(flow.throttle_weighted(&clock, u64::MAX, Duration::MAX, |cost| *cost));
    probe.request(9);
    clock.advance(Duration::from_secs(1 << 32));
    // The first books all of it, and a unit of that is a second.
    assert_eq!(probe.n_items(), 2);
    probe.cancel();
}

proptest! {
    /// The generic cell rate algorithm, in whole milliseconds for a unit.
    #[test]
    fn a_throttle_passes_each_item_as_soon_as_its_cost_allows(
        costs in prop::collection::vec(0..30_u64, 0..40),
        max in 1..20_u64,
        unit in 1..5_u64,
    ) {
        let mut until = 0_u64;
        let mut now = 0_u64;
        let expected: Vec<u64> = costs
            .iter()
            .map(|cost| {
                let time = cost.min(&max) * unit;
                now = now.max((until + time).saturating_sub(max * unit));
                until = until.max(now) + time;
                now
            })
            .collect();

        prop_assert_eq!(throttled(&costs, max, ms(max * unit)), expected);
    }

    #[test]
    fn groups_are_as_full_as_their_cost_allows(
        costs in prop::collection::vec(0..9_u64, 0..60),
        n in 1..6_usize,
        max in 1..20_u64,
    ) {
        let clock = VirtualTime::new();
        let flow = from_iter(costs.clone())
            .buffer_timeout_weighted(&clock, n, max, ms(1_000), |cost| *cost);
        let groups = flow.collect::<Vec<_>>().wait().unwrap();

        prop_assert_eq!(groups.concat(), costs);
        for (index, group) in groups.iter().enumerate() {
            let sum: u64 = group.iter().sum();
            prop_assert!(sum <= max || group.len() == 1, "{groups:?}");
            prop_assert!((1..=n).contains(&group.len()), "{groups:?}");
            if let Some(next) = groups.get(index + 1) {
                prop_assert!(sum + next[0] > max || sum == max || group.len() == n, "{groups:?}");
            }
        }
    }
}

#[test]
fn the_time_of_a_group_begins_with_the_item_that_had_no_room_before() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let mut n_calls = 0;
    let flow =
        Flow::from(publisher).buffer_timeout_weighted(&clock, 8, 5, ms(10), move |n: &u64| {
            n_calls += 1;
            assert!(n_calls <= 3, "the cost of an item is asked for once");
            *n
        });
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    puppet.next(3).unwrap();
    puppet.next(4).unwrap();
    assert_eq!(probe.items(), [vec![3]]);
    clock.advance(ms(9));
    puppet.next(1).unwrap();
    probe.request(1);
    assert_eq!(probe.items()[1..], [vec![4, 1]]);
    puppet.complete();
    assert!(probe.is_completed());
}

#[test]
fn a_group_whose_time_has_come_waits_until_it_is_asked_for() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher).buffer_timeout_weighted(&clock, 8, 5, ms(10), |n: &u64| *n);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    puppet.next(9).unwrap();
    puppet.next(1).unwrap();
    clock.advance(ms(50));
    assert_eq!(probe.items(), [vec![9]]);
    probe.request(1);
    assert_eq!(probe.items()[1..], [vec![1]]);
    puppet.fail(Error::message("no"));
    assert!(probe.error().is_some());
}

#[test]
fn only_a_downstream_that_leaves_an_item_waiting_is_late() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).timeout_demand(&clock, ms(10)));
    clock.advance(ms(100));
    assert!(!probe.is_ended(), "nothing was asked for yet");
    probe.request(1);
    clock.advance(ms(100));
    puppet.next(1).unwrap();
    clock.advance(ms(100));
    assert!(!probe.is_ended(), "no item waits");
    puppet.next(2).unwrap();
    clock.advance(ms(9));
    probe.request(1);
    puppet.next(3).unwrap();
    clock.advance(ms(9));
    assert_eq!((probe.items(), probe.is_ended()), (vec![1, 2], false));

    clock.advance(ms(1));

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Timeout);
    assert!(puppet.is_canceled() && probe.is_dropped());
}

#[test]
fn the_end_of_a_source_waits_for_its_items_and_not_for_demand() {
    let clock = VirtualTime::new();
    let ended = Probe::subscribe_to(from_iter([1]).timeout_demand(&clock, ms(10)));
    ended.request(1);
    assert!(ended.is_completed());
    let failing = from_iter([1, 2]).concat(error(Error::message("no")));
    let probe = Probe::subscribe_to(failing.timeout_demand(&clock, ms(10)));
    probe.request(1);
    assert!(!probe.is_ended());
    probe.request(1);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Other);
}

#[test]
fn a_window_ends_with_its_last_item_whether_or_not_it_is_taken_from() {
    let (puppet, publisher) = Puppet::new();
    let windows = Flow::from(publisher).window_until(4, |n: &u64| n.is_multiple_of(3));
    let probe = Probe::subscribe_to(windows);
    probe.request(9);
    assert_eq!(puppet.requested(), Demand::new(4));
    for n in [0, 1, 2, 3, 4, 5, 7, 8, 10] {
        puppet.next(n).unwrap();
    }
    puppet.complete();
    assert!(probe.is_completed());
    let windows = probe.take_items();
    let items = windows.into_iter().map(|window| window.collect::<Vec<_>>().wait().unwrap());
    assert_eq!(items.collect::<Vec<_>>(), [vec![0], vec![1, 2, 3], vec![4, 5, 7, 8], vec![10]]);
}

#[test]
fn they_stand_chaos() {
    chaos::check(
        |source, clock| source.throttle_weighted(clock, 9, ms(1), |n| n % 4),
        <[u64]>::to_vec,
    );
    chaos::check(
        |source, clock| {
            source
                .buffer_timeout_weighted(clock, 3, 9, ms(1), |n| n % 4)
                .flat_map_iter(|group| group)
        },
        <[u64]>::to_vec,
    );
    chaos::check(
        |source, _| source.window_until(4, |n| n % 3 == 0).concat_map(|window| window),
        <[u64]>::to_vec,
    );
    chaos::check(|source, clock| source.timeout_demand(clock, Duration::MAX), <[u64]>::to_vec);
}
