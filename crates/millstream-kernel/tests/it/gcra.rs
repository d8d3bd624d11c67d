//! Rates: never more than the burst and what the time gives, and refused exactly as long as was
//! said.

use std::time::Duration;

use millstream_kernel::{Gcra, Taken};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_burst_passes_and_then_one_for_each_interval() {
    let gcra = Gcra::new(10.0, 3, SECOND);
    for _ in 0..3 {
        assert_eq!(gcra.take(1, SECOND), Taken::Granted);
    }
    let Taken::NotBefore(at) = gcra.take(1, SECOND) else { panic!() };
    assert_eq!(at, SECOND + SECOND / 10);
    assert_eq!(gcra.take(1, at - Duration::from_nanos(1)), Taken::NotBefore(at));
    assert_eq!(gcra.take(1, at), Taken::Granted);
}

#[test]
fn what_was_not_used_is_given_back() {
    let gcra = Gcra::new(1.0, 2, SECOND);
    assert_eq!(gcra.take(2, SECOND), Taken::Granted);
    gcra.refund(1);
    assert_eq!(gcra.free(SECOND), 1);
    gcra.refund(9);
    assert_eq!(gcra.free(SECOND), 2);
    assert_eq!(gcra.take(3, SECOND), Taken::TooMany);
}

#[test]
fn a_change_neither_makes_up_cells_nor_loses_them() {
    let gcra = Gcra::new(1.0, 10, SECOND);
    assert_eq!(gcra.take(10, SECOND), Taken::Granted);
    // A larger burst is not free at once, and neither is what a faster clock would have given.
    gcra.set(1e9, 1_000, SECOND);
    assert_eq!(gcra.free(SECOND), 0);
    gcra.set(2.0, 10, SECOND);
    assert_eq!(gcra.free(SECOND + SECOND), 2);
    gcra.set(1.0, 1, SECOND + SECOND);
    assert_eq!(gcra.free(SECOND + SECOND), 1);
    assert_eq!(gcra.free(SECOND * 9), 1);
}

#[test]
fn a_rate_that_is_no_number_is_the_smallest() {
    for rate in [f64::NAN, 0.0, -1.0, f64::NEG_INFINITY] {
        let gcra = Gcra::new(rate, 0, SECOND);
        assert_eq!(gcra.take(1, SECOND), Taken::Granted);
        let Taken::NotBefore(at) = gcra.take(1, SECOND) else { panic!() };
        assert!(at > SECOND * 900_000 && at < SECOND * 1_100_000, "{at:?}");
    }
    let gcra = Gcra::new(f64::INFINITY, u64::MAX, SECOND);
    assert_eq!(gcra.take(1 << 40, SECOND), Taken::Granted);
}

#[test]
fn the_slowest_rate_goes_with_the_largest_burst() {
    // The speed of the clock had no room for the rate's mantissa.
    let gcra = Gcra::new(Gcra::MIN_RATE, Gcra::MAX_BURST, Duration::ZERO);
    assert_eq!(gcra.take(Gcra::MAX_BURST, Duration::ZERO), Taken::Granted);
    let Taken::NotBefore(at) = gcra.take(1, Duration::ZERO) else { panic!("nothing is free") };
    assert!(at.abs_diff(1_000_000 * SECOND) < 5 * SECOND, "{at:?}");
    assert_eq!(gcra.take(1, at), Taken::Granted);
}

#[test]
fn it_goes_on_for_ever() {
    // A day at the largest rate is more than the word has room for at once.
    let gcra = Gcra::new(1e9, 1_000, Duration::ZERO);
    let mut now = Duration::ZERO;
    for _ in 0..1_000 {
        now += Duration::from_secs(86_400);
        assert_eq!(gcra.take(1_000, now), Taken::Granted);
        assert!(matches!(gcra.take(500, now), Taken::NotBefore(at) if at > now));
    }
    assert_eq!(gcra.take(1, Duration::MAX), Taken::Granted);
}

#[test]
fn a_clock_that_is_set_back_stands_still() {
    let gcra = Gcra::new(1.0, 1, SECOND * 100);
    assert_eq!(gcra.take(1, SECOND * 100), Taken::Granted);
    assert_eq!(gcra.take(1, SECOND), Taken::NotBefore(SECOND * 101));
    assert_eq!(gcra.take(1, SECOND * 101), Taken::Granted);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Beside a bucket in floating point. Between two changes, no more cells are taken than were
    /// free and than the time has given, and none is refused that the bucket has for certain.
    #[test]
    fn a_rate_does_what_a_bucket_does(
        (rate, burst) in (0.01_f64..1e6, 1..1_000_u64),
        acts in prop::collection::vec(
            (0..3_000_000_000_u64, 1..20_u64, 0..8_u32, 0.01_f64..1e6, 1..1_000_u64), 1..80),
    ) {
        let mut now = SECOND;
        let gcra = Gcra::new(rate, burst, now);
        let (mut rate, mut burst, mut level) = (rate, burst, burst as f64);
        for (passed, n, act, new_rate, new_burst) in acts {
            now += Duration::from_nanos(passed);
            level = (level + rate * passed as f64 / 1e9).min(burst as f64);
            match act {
                0 => {
                    gcra.set(new_rate, new_burst, now);
                    (rate, burst) = (new_rate, new_burst);
                    level = level.min(burst as f64);
                }
                1 => {
                    gcra.refund(n);
                    level = (level + n as f64).min(burst as f64);
                }
                _ => match gcra.take(n, now) {
                    Taken::Granted => {
                        level -= n as f64;
                        prop_assert!(level > -0.01 - rate * 2e-9, "made up: {level}");
                    }
                    Taken::TooMany => prop_assert!(n > burst),
                    Taken::NotBefore(at) => {
                        prop_assert!(level < n as f64 + 0.01 + rate * 2e-9, "lost: {level}");
                        prop_assert!(at > now);
                        let before = at - Duration::from_nanos(1);
                        prop_assert_ne!(gcra.take(n, before), Taken::Granted);
                    }
                },
            }
        }
    }
}
