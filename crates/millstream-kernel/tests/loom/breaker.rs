//! The word of a breaker: as many probes as were said, and results of earlier generations change
//! nothing.

use std::{sync::Arc, time::Duration};

use loom::thread;
use millstream_kernel::{Admission, BreakerState, BreakerWord};

use crate::support::model;

const LATER: Duration = Duration::from_secs(5);

fn is_probe(admission: Admission) -> bool {
    matches!(admission, Admission::Probe(_))
}

/// Two tasks come when the time is over: one of them is the probe.
///
/// Kills: `admit` stores.
#[test]
fn a_probe_is_issued_once() {
    model(2, &[1], || {
        let breaker = Arc::new(BreakerWord::new());
        assert!(breaker.trip(0, LATER));
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || is_probe(breaker.admit(1, LATER)))
        };
        let n = u64::from(is_probe(breaker.admit(1, LATER)));

        n + u64::from(other.join().unwrap())
    });
}

/// Two results of one generation trip the breaker: one of them does it.
///
/// Kills: `trip` does not look at the generation.
#[test]
fn a_generation_is_left_once() {
    model(2, &[1], || {
        let breaker = Arc::new(BreakerWord::new());
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.trip(0, Duration::ZERO))
        };
        let mut n = u64::from(breaker.trip(0, Duration::ZERO));
        // Half-open is another generation, which the other one's result does not concern.
        let _ = breaker.admit(1, Duration::ZERO);
        n += u64::from(other.join().unwrap());

        assert!(matches!(breaker.state().0, BreakerState::HalfOpen { issued: 1 }));
        n
    });
}

/// A probe is given back while the breaker closes and opens again: the next half-open has as many
/// probes as it should.
///
/// Kills: `give_back` does not look at the generation.
#[test]
fn a_probe_of_an_earlier_generation_is_not_given_back() {
    model(2, &[false], || {
        let breaker = Arc::new(BreakerWord::new());
        assert!(breaker.trip(0, Duration::ZERO));
        let Admission::Probe(generation) = breaker.admit(1, Duration::ZERO) else { panic!() };
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.give_back(generation))
        };
        let closed = breaker.close(generation);
        assert!(closed);
        assert!(breaker.trip(generation + 1, Duration::ZERO));
        assert!(is_probe(breaker.admit(1, Duration::ZERO)));
        other.join().unwrap();

        is_probe(breaker.admit(1, Duration::ZERO))
    });
}

/// One comes while the breaker opens: it passes, or it learns until when it is open.
///
/// Kills: `trip` writes the time after the state; relaxed order where a state is left.
#[test]
fn an_open_breaker_knows_until_when() {
    let outcomes = [Admission::Closed(0), Admission::Open(LATER)];
    model(2, &outcomes, || {
        let breaker = Arc::new(BreakerWord::new());
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.admit(1, Duration::from_secs(1)))
        };
        assert!(breaker.trip(0, LATER));

        other.join().unwrap()
    });
}
