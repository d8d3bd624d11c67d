//! Flows whose items are at hand are taken whole, and nobody can tell.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use millstream::{Error, ErrorKind, ErrorMode, error, from_iter, just, range};
use millstream_testkit::Probe;

/// Two items, and then a panic.
fn two_and_bang() -> impl Iterator<Item = u64> + Send + 'static {
    [1, 2, 3].into_iter().map(|n| if n < 3 { n } else { panic!("bang") })
}

#[test]
fn flows_come_in_order_whether_they_are_at_hand_or_not() {
    // Flows of 0 to 12 items, of which those above 8 need a subscription.
    let expected: Vec<u64> = (0..200).flat_map(|n| 0..n % 13).collect();
    let flows = || range(0..200_u64).map(|n| range(0..n % 13));

    let concat = flows().concat_map(|flow| flow).collect::<Vec<_>>();
    assert_eq!(concat.wait().unwrap(), expected);
    let one = flows().flat_map(|flow| flow).concurrency(1).prefetch(3).collect::<Vec<_>>();
    assert_eq!(one.wait().unwrap(), expected);
    let sequential = flows().flat_map_sequential(|flow| flow).concurrency(4).prefetch(16);
    assert_eq!(sequential.collect::<Vec<_>>().wait().unwrap(), expected);

    let several = flows().flat_map(|flow| flow).concurrency(4).prefetch(9).collect::<Vec<_>>();
    let mut several = several.wait().unwrap();
    several.sort_unstable();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(several, sorted);
}

#[test]
fn a_flow_that_panics_fails_after_its_items() {
    for mode in [ErrorMode::Boundary, ErrorMode::Delayed] {
        let flows = || range(0..2).map(|_| from_iter(two_and_bang()));
        let probes = [
            Probe::subscribe_to(flows().concat_map(|flow| flow).error_mode(mode)),
            Probe::subscribe_to(
                flows().flat_map(|flow| flow).concurrency(1).prefetch(8).error_mode(mode),
            ),
        ];
        let expected: &[u64] = if mode == ErrorMode::Delayed { &[1, 2, 1, 2] } else { &[1, 2] };
        for probe in probes {
            probe.request(9);
            assert_eq!(probe.items(), expected, "{mode:?}");
            assert_eq!(probe.error().unwrap().kind(), ErrorKind::Panicked, "{mode:?}");
        }
    }
}

#[test]
fn a_failure_waits_for_the_items_before_it_unless_it_is_immediate() {
    let flow = |n: u64| if n == 1 { Err(Error::message("no")) } else { Ok(just(n)) };
    let flows = || {
        range(0..3_u64).concat_map(move |n| match flow(n) {
            Ok(flow) => flow.boxed(),
            Err(no) => error(no).boxed(),
        })
    };
    let probe = Probe::subscribe_to(flows());
    probe.request(1);
    assert_eq!(probe.items(), [0]);
    assert!(probe.error().is_none());
    probe.request(1);
    assert!(probe.error().is_some());

    let delayed = Probe::subscribe_to(flows().error_mode(ErrorMode::Delayed));
    delayed.request(9);
    assert_eq!(delayed.items(), [0, 2]);
    assert!(delayed.error().is_some());
}

#[test]
fn no_more_is_taken_ahead_than_was_said() {
    let n_taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n_taken);
    let flows = range(0..1_000_u64).flat_map(move |n| {
        let counter = Arc::clone(&counter);
        from_iter([n; 2].into_iter().inspect(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        }))
    });
    let probe = Probe::subscribe_to(flows.concurrency(3).prefetch(5));
    for n in 1..=500 {
        probe.request(1);
        assert_eq!(probe.n_items(), n);
        // Those that wait at hand count as one flow of the three.
        assert!(n_taken.load(Ordering::Relaxed) <= n + 5, "after {n}");
    }
    probe.cancel();
    assert!(probe.is_dropped());
}
