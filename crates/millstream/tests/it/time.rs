//! Operators that know what time it is, by a clock that stands still.

use std::time::Duration;

use millstream::{
    ErrorKind, Flow, MissedTick, empty, error, interval, just, never, range,
    scheduler::{Immediate, Pool, VirtualTime},
    timer,
};
use millstream_testkit::{Probe, Puppet};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The ticks that come when one was asked for at the beginning, and two more after ten periods.
fn late(missed: MissedTick) -> Vec<u64> {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(interval(&clock, ms(10), missed));
    probe.request(1);
    clock.advance(ms(104));
    probe.request(2);
    clock.advance(ms(6));
    probe.items()
}

#[test]
fn ticks_that_were_missed_never_fail_the_stream() {
    // Ticks 1 to 9 were due when nobody asked; tick 10 is due in time.
    assert_eq!(late(MissedTick::Skip), [0, 9, 10]);
    assert_eq!(late(MissedTick::Burst), [0, 1, 2]);
    // The next is due a whole period after the one that was late.
    assert_eq!(late(MissedTick::Delay), [0, 1]);
}

#[test]
fn a_scheduler_without_a_clock_is_an_error() {
    for flow in [
        timer(&Immediate, ms(1)).map(|()| 0).boxed(),
        interval(&Immediate, ms(1), MissedTick::Skip).boxed(),
        never().timeout(&Immediate, ms(1)).boxed(),
        never().keep_alive(&Immediate, ms(1), || 0).boxed(),
        range(0..9).delay(&Immediate, ms(1), 4).boxed(),
        range(0..9).throttle(&Immediate, 1, ms(1)).boxed(),
        just(1).concat(never()).debounce(&Immediate, ms(1)).boxed(),
        just(1).concat(never()).sample(&Immediate, ms(1)).boxed(),
    ] {
        let probe = Probe::subscribe_to(flow);
        probe.request(u64::MAX);
        assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Rejected));
    }
}

#[test]
fn a_scheduler_that_stops_is_an_error() {
    let pool = Pool::new(1);
    let probe = Probe::subscribe_to(never::<u8>().timeout(&pool, Duration::from_secs(3_600)));
    probe.request(1);

    pool.shutdown();

    probe.wait_until_ended();
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Rejected);
}

#[test]
fn time_runs_out_only_for_a_downstream_that_waits() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).timeout(&clock, ms(10)));
    clock.advance(ms(1_000));
    probe.request(1);
    clock.advance(ms(9));
    puppet.next('a').unwrap();
    clock.advance(ms(1_000));
    assert_eq!((probe.items(), probe.is_ended()), (vec!['a'], false));

    probe.request(1);
    clock.advance(ms(10));

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Timeout);
    assert!(puppet.is_canceled());
}

#[test]
fn a_timeout_that_was_set_costs_no_timer_an_item() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).timeout(&clock, ms(10)));
    probe.request(u64::MAX);
    for item in 0..1_000 {
        clock.advance(ms(1));
        puppet.next(item).unwrap();
    }
    assert_eq!((probe.n_items(), probe.is_ended()), (1_000, false));
    clock.advance(ms(10));
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Timeout);
}

#[test]
fn a_fallback_is_asked_for_what_is_left() {
    let clock = VirtualTime::new();
    let flow = just(1).concat(never()).timeout_with(&clock, ms(10), range(7..100));
    let probe = Probe::subscribe_to(flow);
    probe.request(3);

    clock.advance(ms(10));

    assert_eq!(probe.items(), [1, 7, 8]);
    clock.advance(ms(1_000));
    assert!(!probe.is_ended());
}

#[test]
fn delayed_items_keep_their_distances_and_errors_do_not_overtake_them() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).delay(&clock, ms(5), 4));
    probe.request(9);
    puppet.next(1).unwrap();
    clock.advance(ms(2));
    puppet.next(2).unwrap();
    puppet.fail(millstream::Error::message("late"));

    clock.advance(ms(3));
    assert_eq!((probe.items(), probe.is_ended()), (vec![1], false));
    clock.advance(ms(2));

    assert_eq!(probe.items(), [1, 2]);
    assert_eq!(probe.error().unwrap().to_string(), "late");
}

#[test]
fn a_throttled_source_waits_and_loses_nothing() {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(range(0..10).throttle(&clock, 2, ms(10)));
    probe.request(u64::MAX);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(probe.n_items());
        clock.advance(ms(10));
    }
    assert_eq!(seen, [2, 4, 6, 8, 10, 10]);
    assert!(probe.is_completed());
}

#[test]
fn values_of_debounce_and_sample_wait_for_demand() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let quiet = Probe::subscribe_to(Flow::from(publisher).debounce(&clock, ms(3)));
    let (other, publisher) = Puppet::new();
    let sampled = Probe::subscribe_to(Flow::from(publisher).sample(&clock, ms(3)));
    for probe in [&quiet, &sampled] {
        probe.request(1);
    }
    for item in 1..=3 {
        for puppet in [&puppet, &other] {
            puppet.next(item).unwrap();
        }
        clock.advance(ms(4));
    }
    assert_eq!((quiet.items(), sampled.items()), (vec![1], vec![1]));

    for probe in [&quiet, &sampled] {
        probe.request(1);
    }

    assert_eq!((quiet.items(), sampled.items()), (vec![1, 3], vec![1, 3]));
}

#[test]
fn the_last_value_comes_before_the_end() {
    let clock = VirtualTime::new();
    let ends = [empty().boxed(), error(millstream::Error::message("end")).boxed()];
    for end in ends {
        let probe = Probe::subscribe_to(range(0..3).concat(end).debounce(&clock, ms(3)));
        probe.request(1);
        assert_eq!(probe.n_items(), 1);
        probe.request(1);
        assert!(probe.is_ended() && probe.is_dropped());
    }
}

#[test]
fn a_canceled_timer_is_let_go_at_once() {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(interval(&clock, ms(1), MissedTick::Burst));
    probe.request(9);
    clock.advance(ms(3));

    probe.cancel();

    assert!(probe.is_dropped());
    clock.advance(ms(9));
    assert_eq!(probe.items(), [0, 1, 2]);
}

#[test]
fn a_group_whose_time_has_come_waits_for_demand_and_is_no_error() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).buffer_timeout(&clock, 3, ms(10)));
    probe.request(1);
    puppet.next(1).unwrap();
    clock.advance(ms(10));
    assert_eq!(probe.items(), [vec![1]]);

    puppet.next(2).unwrap();
    clock.advance(ms(50));
    puppet.next(3).unwrap();
    assert_eq!(probe.n_items(), 1);
    // Its time has come long ago.
    probe.request(1);
    assert_eq!(probe.items(), [vec![1], vec![2, 3]]);

    for item in 4..=7 {
        puppet.next(item).unwrap();
    }
    puppet.complete();
    probe.request(5);
    assert_eq!(probe.items()[2..], [vec![4, 5, 6], vec![7]]);
    assert!(probe.is_completed());
}

#[test]
fn a_slow_consumer_of_groups_bounds_what_waits() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::<u64>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).buffer_timeout(&clock, 4, ms(10)));
    probe.request(1);
    let mut n_sent = 0;
    while puppet.next(n_sent).is_ok() {
        n_sent += 1;
        clock.advance(ms(100));
    }
    // One group was passed on; a full group waits, and two items in a queue that is refilled by
    // three.
    assert_eq!(probe.items(), [vec![0]]);
    assert_eq!(n_sent, 1 + 4 + 2);
}

#[test]
fn time_saturates() {
    for far in [Duration::MAX, Duration::from_secs(u64::MAX / 2), Duration::from_nanos(u64::MAX)] {
        let clock = VirtualTime::new();
        clock.advance(ms(5));
        let flows = [
            timer(&clock, far).map(|()| 0).boxed(),
            interval(&clock, far, MissedTick::Skip).boxed(),
            interval(&clock, far, MissedTick::Burst).boxed(),
            interval(&clock, far, MissedTick::Delay).boxed(),
            never().timeout(&clock, far).boxed(),
            never().keep_alive(&clock, far, || 0).boxed(),
            range(0..9).delay(&clock, far, 4).boxed(),
            just(1).concat(never()).debounce(&clock, far).boxed(),
            just(1).concat(never()).sample(&clock, far).boxed(),
            just(1).concat(never()).buffer_timeout(&clock, 2, far).map(|_| 0).boxed(),
            range(0..9).throttle(&clock, 1, far).skip(1).boxed(),
            range(0..9).throttle_first(&clock, far).skip(1).concat(never()).boxed(),
            error(millstream::Error::message("no luck"))
                .retry_when_on(&clock, move |_, _| Some(far))
                .boxed(),
        ];
        let probes = flows.map(Probe::<u64>::subscribe_to);
        for probe in &probes {
            probe.request(2);
        }
        // More than a hundred years.
        clock.advance(Duration::from_secs(1 << 32));
        for (index, probe) in probes.iter().enumerate() {
            assert_eq!((probe.n_items(), probe.is_ended()), (0, false), "flow {index}, {far:?}");
        }
        // The others would go on until the end of time.
        probes[1..].iter().for_each(Probe::cancel);
        clock.advance(Duration::MAX);
        assert_eq!(probes[0].n_items(), 1, "{far:?}");
    }
}

/// How many items pass in `time` when as many are asked for as can come.
fn n_throttled(n: usize, period: Duration, time: Duration) -> usize {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(range(0_u64..).throttle(&clock, n, period));
    probe.request(u64::MAX);
    clock.advance(time);
    let n_items = probe.n_items();
    probe.cancel();
    n_items
}

#[test]
fn throttle_rounds_nothing() {
    let ns = Duration::from_nanos;
    // A burst of 3 at first, and then 3 in each 10 ns.
    assert_eq!(n_throttled(3, ns(10), ns(200)), 3 + 60);
    // More items than nanoseconds.
    assert_eq!(n_throttled(10, ns(3), ns(30)), 10 + 100);
    assert_eq!(n_throttled(7, ns(1_000), ns(1_000_000)), 7 + 7_000);
    assert_eq!(n_throttled(1, ms(1), ms(10)), 1 + 10);
}
