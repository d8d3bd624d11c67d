//! The algorithms of concurrency limits, by samples alone.

use std::time::Duration;

use millstream_pressure::{
    Aimd, Algorithm, Gradient, Gradient2, Limiter, Little, Outcome, Reno, Sample, Settings as _,
    Target, Vegas,
};

const MS: Duration = Duration::from_millis(1);

/// A call that took `latency`, ended at `now`, with `in_flight` in progress.
fn sample(now: Duration, latency: Duration, in_flight: u64, outcome: Outcome) -> Sample {
    Sample { now, latency, in_flight, outcome }
}

/// Calls of `latency` that fill the limit, one after the other in steady state, for `time`.
fn saturate(limiter: &mut Limiter, now: &mut Duration, latency: Duration, time: Duration) {
    let until = *now + time;
    while *now < until {
        let in_flight = limiter.limit().max(1);
        *now += latency / u32::try_from(in_flight).unwrap();
        limiter.record(sample(*now, latency, in_flight, Outcome::Success));
    }
}

/// Netflix's own test vectors.
#[test]
fn vegas_finds_the_queue() {
    let config = Vegas { initial: 10, max: 20, window: Duration::ZERO, ..Vegas::default() };
    let after = |second: Duration, in_flight: u64| {
        let mut limiter = Algorithm::Vegas(config).limiter();
        limiter.record(sample(10 * MS, 10 * MS, 10, Outcome::Success));
        limiter.record(sample(20 * MS, second, in_flight, Outcome::Success));
        limiter.limit()
    };

    assert_eq!(after(10 * MS, 11), 16);
    assert_eq!(after(50 * MS, 11), 9);
    assert_eq!(after(14 * MS, 14), 10);

    let config = Vegas { initial: 10_000, max: 20_000, ..config };
    let mut limiter = Algorithm::Vegas(config).limiter();
    limiter.record(sample(10 * MS, 10 * MS, 5_000, Outcome::Success));
    limiter.record(sample(20 * MS, 10 * MS, 6_000, Outcome::Success));
    assert_eq!(limiter.limit(), 10_024);
}

/// Netflix's own test vectors.
#[test]
fn aimd_adds_one_and_takes_a_share() {
    let after = |initial: u64, in_flight: u64, outcome: Outcome| {
        let config = Aimd { initial, max: 30, ..Aimd::default() };
        let mut limiter = Algorithm::Aimd(config).limiter();
        limiter.record(sample(MS, MS, in_flight, outcome));
        limiter.limit()
    };

    assert_eq!(after(20, 10, Outcome::Success), 21);
    assert_eq!(after(20, 9, Outcome::Success), 20);
    assert_eq!(after(30, 30, Outcome::Failure), 27);
    assert_eq!(after(30, 30, Outcome::Success), 30);

    // A call beyond the time-out is a loss, whatever came of it.
    let mut limiter = Algorithm::Aimd(Aimd { initial: 30, ..Aimd::default() }).limiter();
    limiter.record(sample(6_000 * MS, 5_001 * MS, 30, Outcome::Success));
    assert_eq!(limiter.limit(), 27);
}

#[test]
fn gradient2_holds_when_half_is_unused_and_grows_by_its_queue() {
    let config = Gradient2 { min: 1, window: Duration::ZERO, ..Gradient2::default() };
    let mut limiter = Algorithm::Gradient2(config).limiter();
    limiter.record(sample(10 * MS, 10 * MS, 9, Outcome::Success));
    assert_eq!(limiter.limit(), 20);
    // 0.8 * 20 + 0.2 * (20 + 4)
    limiter.record(sample(20 * MS, 10 * MS, 20, Outcome::Success));
    limiter.record(sample(30 * MS, 10 * MS, 20, Outcome::Success));
    assert_eq!(limiter.limit(), 21);
}

#[test]
fn the_gradient_measures_before_it_decides() {
    let mut limiter = Algorithm::Gradient(Gradient::default()).limiter();
    let mut now = Duration::ZERO;
    assert_eq!(limiter.limit(), 3);
    saturate(&mut limiter, &mut now, 10 * MS, 5_000 * MS);
    // Twice the lowest latency at this limit: it has to come down to where there is no queue.
    let grown = limiter.limit();
    assert!(grown > 100, "{grown}");
    saturate(&mut limiter, &mut now, 40 * MS, 500 * MS);
    assert!(limiter.limit() < grown / 2, "{}", limiter.limit());
}

#[test]
fn the_target_goes_down_once_for_what_one_limit_let_in() {
    let config = Target { initial: 100, latency: 50 * MS, interval: 10 * MS, ..Target::default() };
    let mut limiter = Algorithm::Target(config).limiter();
    // 200 calls that began before the first decision, and are all too slow.
    for n in 0..200_u32 {
        let now = 100 * MS + MS * n / 10;
        limiter.record(sample(now, 100 * MS, 100, Outcome::Success));
    }
    assert_eq!(limiter.limit(), 90);
}

#[test]
fn the_target_neither_grows_unused_nor_forgives_failures() {
    let config = Target { initial: 10, interval: 10 * MS, ..Target::default() };
    let mut limiter = Algorithm::Target(config).limiter();
    for n in 1..200_u32 {
        limiter.record(sample(MS * n, MS, 2, Outcome::Success));
    }
    assert_eq!(limiter.limit(), 10);
    for n in 200..240_u32 {
        limiter.record(sample(MS * n, MS, 10, Outcome::Failure));
    }
    assert!(limiter.limit() < 10, "{}", limiter.limit());
}

#[test]
fn reno_starts_slowly_and_reacts_once_a_window() {
    let mut limiter = Algorithm::Reno(Reno { threshold: 8, ..Reno::default() }).limiter();
    // Not used: no growth.
    limiter.record(sample(10 * MS, 10 * MS, 0, Outcome::Success));
    assert_eq!(limiter.limit(), 1);
    for n in 1..=7 {
        limiter.record(sample(10 * MS, 10 * MS, n, Outcome::Success));
    }
    assert_eq!(limiter.limit(), 8);
    // In avoidance, a whole window for one more.
    for _ in 0..9 {
        limiter.record(sample(20 * MS, 10 * MS, 8, Outcome::Success));
    }
    assert_eq!(limiter.limit(), 9);

    // Several losses of one window are one.
    for _ in 0..5 {
        limiter.record(sample(30 * MS, 10 * MS, 8, Outcome::Failure));
    }
    assert_eq!(limiter.limit(), 4);

    // A time-out starts anew; a late one of the same window changes nothing more.
    for _ in 0..3 {
        limiter.record(sample(5_000 * MS, 4_000 * MS, 4, Outcome::Success));
    }
    assert_eq!(limiter.limit(), 1);
    let n_timeouts = limiter.readings().into_iter().find(|(name, _)| *name == "n_timeouts");
    assert_eq!(n_timeouts, Some(("n_timeouts", 1.0)));
}

#[test]
fn little_follows_the_service_and_not_the_load() {
    let mut limiter = Algorithm::Little(Little::default()).limiter();
    let mut now = Duration::ZERO;
    // A service of 16 places and 10 ms.
    let mut serve = |limiter: &mut Limiter, time: Duration| {
        let until = now + time;
        while now < until {
            let in_flight = limiter.limit();
            now += 10 * MS / 16.min(u32::try_from(in_flight).unwrap());
            let latency = (10 * MS).max(10 * MS * u32::try_from(in_flight).unwrap() / 16);
            limiter.record(sample(now, latency, in_flight, Outcome::Success));
        }
        limiter.limit()
    };
    for _ in 0..20 {
        let limit = serve(&mut limiter, 1_000 * MS);
        assert!((12..=24).contains(&limit), "{limit}");
    }
}

#[test]
fn little_does_not_punish_a_service_that_is_hardly_used() {
    let mut limiter = Algorithm::Little(Little::default()).limiter();
    for n in 0..100_000_u32 {
        let latency = if n % 7 == 0 { 30 * MS } else { 2 * MS };
        limiter.record(sample(40 * MS + MS * n, latency, 1 + u64::from(n % 5), Outcome::Success));
    }
    assert!(limiter.limit() >= 10, "{}", limiter.limit());
}

#[test]
fn little_goes_down_when_calls_fail() {
    let mut limiter = Algorithm::Little(Little::default()).limiter();
    let mut now = Duration::ZERO;
    for n in 0..10_000_u32 {
        now += MS;
        let outcome = if n % 4 == 0 { Outcome::Failure } else { Outcome::Success };
        let in_flight = limiter.limit();
        limiter.record(sample(now, MS * u32::try_from(in_flight).unwrap(), in_flight, outcome));
    }
    assert!(limiter.limit() <= 2, "{}", limiter.limit());
}

fn all() -> [Algorithm; 8] {
    [
        Algorithm::Fixed(20),
        Algorithm::Aimd(Aimd::default()),
        Algorithm::Target(Target::default()),
        Algorithm::Vegas(Vegas::default()),
        Algorithm::Gradient2(Gradient2::default()),
        Algorithm::Gradient(Gradient::default()),
        Algorithm::Reno(Reno::default()),
        Algorithm::default(),
    ]
}

/// Clocks that stand still, go back and jump, calls of no time and of all time.
#[test]
fn no_sample_breaks_a_limit() {
    let moments = [Duration::ZERO, MS, Duration::MAX, 10 * MS, Duration::from_secs(1 << 40)];
    let outcomes = [Outcome::Success, Outcome::Failure, Outcome::Canceled, Outcome::Slow];
    for algorithm in all() {
        algorithm.validate().unwrap();
        let mut limiter = algorithm.limiter();
        for n in 0..200_000_usize {
            limiter.record(Sample {
                now: moments[n / 7 % 5],
                latency: moments[n / 3 % 5],
                in_flight: (n % 40) as u64,
                outcome: outcomes[n % 4],
            });
            let limit = limiter.limit();
            assert!((1..=algorithm.max()).contains(&limit), "{limit} of {algorithm:?}");
        }
        assert!(limiter.readings().iter().all(|(_, value)| !value.is_nan()), "{limiter:?}");
    }
}

#[test]
fn no_room_stops_and_room_goes_on() {
    for algorithm in all() {
        let mut limiter = algorithm.limiter();
        let limit = limiter.limit();
        limiter.advertise(Some(0));
        assert_eq!(limiter.limit(), 0);
        limiter.advertise(Some(u64::MAX));
        assert_eq!(limiter.limit(), limit);
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let named = |algorithm: Algorithm| algorithm.validate().unwrap_err().setting();

    assert_eq!(named(Algorithm::Fixed(0)), "fixed");
    assert_eq!(named(Algorithm::Fixed(u64::MAX)), "fixed");
    for backoff in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(named(Algorithm::Aimd(Aimd { backoff, ..Aimd::default() })), "backoff");
        assert_eq!(named(Algorithm::Target(Target { backoff, ..Target::default() })), "backoff");
    }
    let timeout = Duration::ZERO;
    assert_eq!(named(Algorithm::Aimd(Aimd { timeout, ..Aimd::default() })), "timeout");
    assert_eq!(named(Algorithm::Vegas(Vegas { min: 0, ..Vegas::default() })), "min");
    assert_eq!(named(Algorithm::Vegas(Vegas { max: 3, min: 5, ..Vegas::default() })), "max");
    assert_eq!(named(Algorithm::Vegas(Vegas { initial: 2_000, ..Vegas::default() })), "initial");
    let smoothing = f64::NAN;
    assert_eq!(named(Algorithm::Vegas(Vegas { smoothing, ..Vegas::default() })), "smoothing");
    let long_window = 0;
    let gradient2 = Gradient2 { long_window, ..Gradient2::default() };
    assert_eq!(named(Algorithm::Gradient2(gradient2)), "long_window");
    let measure_every = Duration::ZERO;
    let gradient = Gradient { measure_every, ..Gradient::default() };
    assert_eq!(named(Algorithm::Gradient(gradient)), "measure_every");
    assert_eq!(named(Algorithm::Reno(Reno { threshold: 1, ..Reno::default() })), "threshold");
    let failures = f64::NAN;
    assert_eq!(named(Algorithm::Little(Little { failures, ..Little::default() })), "failures");
}
