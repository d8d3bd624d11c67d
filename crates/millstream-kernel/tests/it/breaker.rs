//! The word of a breaker: what each state admits, and what belongs to it.

use std::{thread, time::Duration};

use millstream_kernel::{Admission, BreakerState, BreakerWord};

const LATER: Duration = Duration::from_secs(5);

#[test]
fn a_breaker_goes_round() {
    let breaker = BreakerWord::new();
    assert_eq!(breaker.admit(2, Duration::ZERO), Admission::Closed(0));
    assert!(breaker.trip(0, LATER) && !breaker.trip(0, LATER));
    assert_eq!(breaker.admit(2, Duration::ZERO), Admission::Open(LATER));
    assert_eq!(breaker.admit(2, LATER), Admission::Probe(2));
    assert_eq!(breaker.admit(2, LATER), Admission::Probe(2));
    assert_eq!(breaker.admit(2, LATER), Admission::NoProbeLeft);
    breaker.give_back(0);
    assert_eq!(breaker.admit(2, LATER), Admission::NoProbeLeft);
    breaker.give_back(2);
    assert_eq!(breaker.admit(2, LATER), Admission::Probe(2));
    assert!(!breaker.close(0) && !breaker.close(1) && breaker.close(2));
    assert_eq!(breaker.state(), (BreakerState::Closed, 3));
}

#[test]
fn a_breaker_that_was_opened_by_hand_stays_open() {
    let breaker = BreakerWord::new();
    let generation = breaker.force(Some(Duration::MAX));
    assert_eq!(breaker.admit(1, Duration::MAX), Admission::Open(Duration::MAX));
    assert!(!breaker.close(generation));
    assert_eq!(breaker.force(None), generation + 1);
    assert_eq!(breaker.admit(1, Duration::ZERO), Admission::Closed(generation + 1));
}

#[test]
fn exactly_as_many_probes_as_were_said_under_64_threads() {
    for n_probes in [1, 10] {
        let breaker = BreakerWord::new();
        assert!(breaker.trip(0, Duration::ZERO));
        let n_admitted: usize = thread::scope(|scope| {
            let tasks: Vec<_> = (0..64)
                .map(|_| {
                    scope.spawn(|| {
                        matches!(breaker.admit(n_probes, Duration::ZERO), Admission::Probe(2))
                    })
                })
                .collect();
            tasks.into_iter().map(|task| usize::from(task.join().unwrap())).sum()
        });
        assert_eq!(n_admitted as u64, n_probes);
    }
}
