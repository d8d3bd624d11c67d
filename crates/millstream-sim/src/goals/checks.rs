//! Goals that need no simulated service: ledgers, credits, rates, breakers, jitter, levels.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerState, BreakerWindow, Clock, Controller, ControllerConfig,
    Credits, CreditsConfig, Curve, Forecast, ForecastConfig, ForecastMethod, LoadLevel, Outcome,
    Permit, Policy as _, Pressure, PressureSource, Queue, QueueConfig, QueueHooks, Random,
    RateConfig, RateLimit, RetryBudget, RetryConfig, WhenFull,
};

use super::Goal;

const SECOND: Duration = Duration::from_secs(1);

/// A queue under random operations, beside counts of one's own.
pub(super) fn accounting(n_steps: u32) -> Goal {
    let time = VirtualTime::new();
    let n_dropped = Arc::new(Mutex::new(0_u64));
    let counter = Arc::clone(&n_dropped);
    let hooks = QueueHooks::new().seed(1).on_drop(move |_: u32, _| {
        *counter.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    });
    let config =
        |when_full, capacity| QueueConfig { capacity, when_full, ..QueueConfig::default() };
    let queue =
        Queue::with_hooks("queue", config(WhenFull::Reject, 8), &time, hooks).expect("it is valid");
    let policies = [
        WhenFull::Reject,
        WhenFull::DropNewest,
        WhenFull::DropOldest,
        WhenFull::Sample { one_of: 3 },
        WhenFull::Reservoir,
    ];
    let mut random = Random::seeded(1);
    let (mut offered, mut taken, mut refused, mut n_wrong) = (0_u64, 0_u64, 0_u64, 0_u64);
    for step in 0..n_steps {
        match random.below(100) {
            0 => {
                let policy = policies[random.below(5) as usize];
                let capacity = 1 + random.below(16) as usize;
                queue.reconfigure(config(policy, capacity)).expect("it is valid");
            }
            1..=5 => time.advance(Duration::from_millis(random.below(20))),
            6..=60 => {
                offered += 1;
                refused += u64::from(queue.try_put(step).is_err());
            }
            _ => taken += u64::from(queue.try_take().is_some()),
        }
        let balance = queue.snapshot().balance;
        let lost = refused + *n_dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let is_exact = balance.is_whole()
            && balance.offered == offered
            && balance.delivered == taken
            && balance.total_dropped() == lost
            && balance.queued == queue.len() as u64;
        n_wrong += u64::from(!is_exact);
    }
    Goal {
        number: "G08",
        claim: "Exact accounting: offered = delivered + dropped by reason + queued, at each of a \
                million random operations",
        measured: format!("{n_wrong} of {n_steps} steps wrong; {offered} items offered"),
        is_held: n_wrong == 0 && offered > 0,
        seeds: "1",
    }
}

/// Credits that are taken, given back, kept for too long, granted and withdrawn at random.
pub(super) fn credits(n_steps: u32) -> Goal {
    let time = VirtualTime::new();
    let config = CreditsConfig {
        credits: 50,
        min_credits: 10,
        max_credits: 200,
        credit_timeout: 30 * SECOND,
        ..CreditsConfig::default()
    };
    let credits = Credits::new("credits", config, &time).expect("it is valid");
    let mut random = Random::seeded(2);
    let mut held: Vec<Permit> = Vec::new();
    let mut n_wrong = 0_u64;
    for _ in 0..n_steps {
        match random.below(10) {
            0..=3 => held.extend(credits.try_acquire(1 + random.below(4))),
            4..=6 if !held.is_empty() => {
                let index = random.below(held.len() as u64) as usize;
                held.swap_remove(index).finish(Outcome::Success);
            }
            7 => time.advance(Duration::from_millis(random.below(3_000))),
            _ => {}
        }
        let all = credits.snapshot();
        n_wrong += u64::from(all.granted != all.free + all.held + all.expired);
    }
    // Whatever is still out is lost: the ledger is whole again after the time-out.
    let n_lost = held.len();
    time.advance(31 * SECOND);
    let after = credits.snapshot();
    let is_repaired = after.held == 0 && after.free == after.window;
    drop(held);
    Goal {
        number: "G09",
        claim: "Credits are conserved at each step: granted = free + held + expired; and whole again \
                within the time-out, whatever is lost",
        measured: format!(
            "{n_wrong} of {n_steps} steps wrong; after {n_lost} lost permits {} of {} are free",
            after.free, after.window
        ),
        is_held: n_wrong == 0 && is_repaired,
        seeds: "2",
    }
}

/// A rate under random requests and waits.
pub(super) fn rate(n_steps: u32) -> Goal {
    let time = VirtualTime::new();
    let (per_second, burst) = (250.0, 20);
    let config = RateConfig { rate: per_second, burst };
    let limit = RateLimit::new("rate", config, &time).expect("it is valid");
    let mut random = Random::seeded(3);
    let mut now = Duration::ZERO;
    // When how many were granted; the last ones are enough, since a burst fills in 80 ms.
    let mut granted: Vec<(Duration, u64)> = Vec::new();
    let (mut n_over, mut n_early, mut n_late) = (0_u64, 0_u64, 0_u64);
    for _ in 0..n_steps {
        let n = 1 + random.below(5);
        let refusal = match limit.try_acquire(n) {
            Ok(()) => None,
            Err(rejected) => rejected.retry_after,
        };
        let Some(wait) = refusal else {
            granted.push((now, n));
            let mut sum = 0;
            for &(at, n) in granted.iter().rev().take(200) {
                sum += n;
                let allowed = burst as f64 + per_second * (now - at).as_secs_f64();
                n_over += u64::from(sum as f64 > allowed + 1e-6);
            }
            let step = Duration::from_micros(random.below(20_000));
            time.advance(step);
            now += step;
            continue;
        };
        // One nanosecond too early, and then on time.
        let early = wait.saturating_sub(Duration::from_nanos(1));
        time.advance(early);
        n_early += u64::from(!early.is_zero() && limit.try_acquire(n).is_ok());
        time.advance(wait - early);
        now += wait;
        match limit.try_acquire(n) {
            Ok(()) => granted.push((now, n)),
            Err(_) => n_late += 1,
        }
    }
    Goal {
        number: "G10",
        claim: "A rate: never more than burst + rate x t in any interval, refused exactly until the \
                time that was said",
        measured: format!(
            "{n_over} intervals over, {n_early} granted early, {n_late} refused late, in {n_steps} \
             requests"
        ),
        is_held: n_over == 0 && n_early == 0 && n_late == 0,
        seeds: "3",
    }
}

/// A breaker that opens and is probed, with calls of earlier states that end meanwhile.
pub(super) fn breaker(n_rounds: u32) -> Goal {
    let time = VirtualTime::new();
    let config = BreakerConfig {
        window: BreakerWindow::Count(10),
        min_calls: 10,
        probes: 3,
        open_for: SECOND,
        backoff: 1.0,
        ..BreakerConfig::default()
    };
    let breaker = Breaker::new("breaker", config, &time).expect("it is valid");
    let mut random = Random::seeded(4);
    let (mut n_wrong, mut n_half_open) = (0_u64, 0_u64);
    for _ in 0..n_rounds {
        // Calls that will end in a later state.
        let old: Vec<Permit> = (0..5).filter_map(|_| breaker.try_acquire().ok()).collect();
        while let Ok(permit) = breaker.try_acquire() {
            permit.finish(Outcome::Failure);
        }
        time.advance(SECOND);
        let probes: Vec<Permit> = (0..64).filter_map(|_| breaker.try_acquire().ok()).collect();
        n_half_open += 1;
        n_wrong += u64::from(probes.len() != 3);
        // They say nothing about the state that they do not belong to.
        old.into_iter().for_each(|permit| permit.finish(Outcome::Success));
        n_wrong += u64::from(breaker.try_acquire().is_ok());
        let is_well = random.below(2) == 0;
        let outcome = if is_well { Outcome::Success } else { Outcome::Failure };
        probes.into_iter().for_each(|permit| permit.finish(outcome));
        let is_closed = matches!(breaker.snapshot().state, BreakerState::Closed);
        n_wrong += u64::from(is_closed != is_well);
        if !is_well {
            time.advance(SECOND);
            for permit in (0..3).filter_map(|_| breaker.try_acquire().ok()) {
                permit.finish(Outcome::Success);
            }
        }
    }
    Goal {
        number: "G11",
        claim: "A breaker: exactly as many probes as are set in each half-open state, results of \
                earlier states never count, and none stays half-open",
        measured: format!("{n_wrong} wrong in {n_half_open} half-open states"),
        is_held: n_wrong == 0,
        seeds: "4",
    }
}

/// The waits of a thousand calls that fail together.
pub(super) fn jitter() -> Goal {
    const CALLS: usize = 1_000;
    let time = VirtualTime::new();
    let config = RetryConfig { max_attempts: 4, ratio: 100.0, ..RetryConfig::default() };
    let base = config.base;
    let budget =
        RetryBudget::with_random("retries", config, &time, Random::seeded(5)).expect("it is valid");
    let mut sequences: Vec<Vec<Duration>> = (0..CALLS)
        .map(|_| {
            let mut attempts = budget.start();
            std::iter::from_fn(move || attempts.retry()).collect()
        })
        .collect();
    // Kolmogorov's and Smirnov's distance of the first waits from even ones.
    let mut first: Vec<f64> = sequences
        .iter()
        .filter_map(|waits| waits.first())
        .map(|wait| wait.as_secs_f64() / base.as_secs_f64())
        .collect();
    first.sort_by(f64::total_cmp);
    let n = first.len() as f64;
    let distance = first
        .iter()
        .enumerate()
        .map(|(index, x)| (x - index as f64 / n).abs().max(((index + 1) as f64 / n - x).abs()));
    let distance = distance.fold(0.0, f64::max);
    sequences.sort();
    sequences.dedup();
    // At a level of 1 %.
    let bound = 1.63 / n.sqrt();
    Goal {
        number: "G21",
        claim: "Jitter: the waits of 1000 calls of one budget are all distinct, and even by the test \
                of Kolmogorov and Smirnov at 1 %",
        measured: format!(
            "{} distinct of {CALLS}; distance {distance:.4}, bound {bound:.4}",
            sequences.len()
        ),
        is_held: sequences.len() == CALLS && first.len() == CALLS && distance < bound,
        seeds: "5",
    }
}

/// A pressure that is set.
#[derive(Clone)]
struct Dial(Arc<Mutex<f64>>, Clock);

impl Dial {
    fn new(time: &VirtualTime) -> Self {
        Self(Arc::default(), Clock::of(time))
    }

    fn set(&self, level: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }
}

impl PressureSource for Dial {
    fn pressure(&self) -> Option<Pressure> {
        let level = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pressure::new(level, self.1.now())
    }
}

/// What came of a queue whose producers follow a controller.
struct Lag {
    /// Seconds above the high watermark.
    high: u32,
    served: f64,
}

/// A queue of 1000 that is served at 100 a second. Producers send what `offered` says, times the
/// controller's factor of `DELAY` seconds ago, since it takes so long until they have heard.
fn lag(offered: impl Fn(u32) -> f64, seconds: u32, is_predictive: bool) -> Lag {
    const DELAY: usize = 5;
    let time = VirtualTime::new();
    let dial = Dial::new(&time);
    let curve = Curve { low: 0.5, high: 0.9, floor: 0.1 };
    let config = ControllerConfig { curve, rise: 0.1, ..ControllerConfig::default() };
    let controller = Controller::new("lag", config, &time).expect("it is valid");
    controller.watch("depth", dial.clone());
    if is_predictive {
        // As far ahead as it takes until what is decided acts; judged by a minute.
        let method = ForecastMethod::LeastSquares { readings: 5 };
        let config = ForecastConfig {
            method,
            horizon: DELAY as u32,
            window: 60,
            ..ForecastConfig::default()
        };
        let forecast = Forecast::new("depth", config, dial.clone(), &time).expect("it is valid");
        controller.watch("forecast", forecast);
    }
    let mut factors = vec![1.0; DELAY];
    let (mut depth, mut result) = (0.0_f64, Lag { high: 0, served: 0.0 });
    for second in 0..seconds {
        dial.set(depth / 1_000.0);
        factors.push(controller.decide().factor);
        let factor = factors[factors.len() - 1 - DELAY];
        depth += offered(second) * factor;
        let served = depth.min(100.0);
        depth = (depth - served).min(1_000.0);
        result.served += served;
        result.high += u32::from(depth >= 800.0);
        time.advance(SECOND);
    }
    result
}

/// Ramps and noise, with and without a forecast.
pub(super) fn prediction() -> Goal {
    // From 80 to 200 a second within a minute, and back, again and again.
    let ramp = |second: u32| {
        let phase = f64::from(second % 180) / 60.0;
        80.0 + 120.0 * if phase < 1.0 { phase } else { (2.0 - phase).max(0.0) }
    };
    let (reactive, predictive) = (lag(ramp, 3_600, false), lag(ramp, 3_600, true));
    let less = 1.0 - f64::from(predictive.high) / f64::from(reactive.high.max(1));
    let throughput = predictive.served / reactive.served;
    let mut random = Random::seeded(6);
    let noise: Vec<f64> = (0..3_600).map(|_| 200.0 * random.unit()).collect();
    let noisy = |second: u32| noise[second as usize];
    let lost = 1.0 - lag(noisy, 3_600, true).served / lag(noisy, 3_600, false).served;
    Goal {
        number: "G22",
        claim: "A forecast, on ramps: at least 60 % less time above the high watermark at the same \
                throughput (within 1 %); on noise, at most 1 % of the throughput lost",
        measured: format!(
            "{} s above without, {} s with: {:.0} % less; throughput {:.1} %; {:.2} % lost on noise",
            reactive.high,
            predictive.high,
            100.0 * less,
            100.0 * throughput,
            100.0 * lost
        ),
        is_held: reactive.high > 0 && less >= 0.6 && throughput >= 0.99 && lost <= 0.01,
        seeds: "6",
    }
}

/// The factor over all pressures, and the level under noise.
pub(super) fn hierarchy() -> Goal {
    let thresholds = [0.7, 0.8, 0.9];
    let curves = thresholds.map(|low| Curve { low, ..Curve::default() });
    let at_full = curves.map(|curve| curve.factor(1.0));
    let is_monotone = curves.iter().all(|curve| {
        (0..=1_000).map(|n| curve.factor(f64::from(n) / 1e3)).is_sorted_by(|a, b| a >= b)
    });
    let time = VirtualTime::new();
    let dial = Dial::new(&time);
    let controller =
        Controller::new("levels", ControllerConfig::default(), &time).expect("it is valid");
    controller.watch("dial", dial.clone());
    let mut random = Random::seeded(7);
    for _ in 0..10_000 {
        dial.set(0.8 + 0.1 * (random.unit() - 0.5));
        controller.decide();
        time.advance(SECOND);
    }
    let n_changes = controller.snapshot().n_changes;
    let is_high = controller.snapshot().last.level >= LoadLevel::Elevated;
    Goal {
        number: "G23",
        claim: "Levels: at 100 % the factor is the floor, it never rises with the pressure, and 5 % \
                of noise about a threshold does not make the level flap",
        measured: format!(
            "factors {at_full:?} at 100 % for thresholds {thresholds:?}, floor {}; monotone: \
             {is_monotone}; {n_changes} changes of level in 10000 decisions",
            Curve::default().floor
        ),
        is_held: at_full.iter().all(|factor| *factor == Curve::default().floor)
            && is_monotone
            && n_changes <= 2
            && is_high,
        seeds: "7",
    }
}
