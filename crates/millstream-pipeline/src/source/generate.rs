//! Items that are made up, at a rate that changes with time and may be set while they come.
//!
//! Arrivals do not wait for demand: one that is late has the time at which it was due, so that what
//! is measured behind it includes the wait.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use millstream::{Error, ErrorKind, MissedTick, interval, scheduler::Worker};
use parking_lot::Mutex;
use serde_json::json;

use super::Stream;
use crate::{
    Expression, GenerateSource, Rate, Shape, assemble::Runner, record::Record, status::Faults,
};

/// How often it looks at what is due.
const TICK: Duration = Duration::from_millis(2);

/// The most items of a tick; more wait for the next.
const AT_ONCE: usize = 1 << 12;

/// How many a second, and how that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The rate at first, or on average.
    pub rate: Rate,
    /// How it changes.
    pub shape: Shape,
}

/// The load of a generator, which may be set while it runs. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Schedule(Arc<Mutex<Load>>);

impl Schedule {
    pub(crate) fn new(load: Load) -> Self {
        Self(Arc::new(Mutex::new(load)))
    }

    pub(crate) fn load(&self) -> Load {
        self.0.lock().clone()
    }

    pub(crate) fn set(&self, load: Load) {
        *self.0.lock() = load;
    }
}

impl Load {
    /// Arrivals a second, so long after the start.
    pub(crate) fn at(&self, elapsed: f64) -> f64 {
        let rate = self.rate.0;
        match self.shape {
            Shape::Steady | Shape::Poisson => rate,
            Shape::Burst { every, length, times } => {
                let is_burst = elapsed.rem_euclid(every.0.as_secs_f64()) < length.0.as_secs_f64();
                if is_burst { rate * times } else { rate }
            }
            Shape::Ramp { to, over } => {
                let share = (elapsed / over.0.as_secs_f64()).min(1.0);
                rate + (to.0 - rate) * share
            }
            Shape::Wave { every, by } => {
                let turn = elapsed / every.0.as_secs_f64() * std::f64::consts::TAU;
                rate * (1.0 + by.0 * turn.sin())
            }
        }
    }
}

impl Load {
    /// How long after `from` the next arrival is: one has come when the rate adds up to one.
    fn gap(&self, from: f64) -> f64 {
        const STEP: f64 = 0.01;
        // Where next to nothing comes, it is looked at again after an hour.
        const LONGEST: f64 = 3_600.0;
        let (mut time, mut missing) = (from, 1.0);
        while time - from < LONGEST {
            let rate = self.at(time);
            if rate * STEP >= missing {
                return time - from + missing / rate;
            }
            missing -= rate * STEP;
            time += STEP;
        }
        LONGEST
    }
}

/// What is due, item by item.
struct Arrivals {
    schedule: Schedule,
    random: fastrand::Rng,
    /// That of the last look.
    load: Option<Load>,
    /// When the next item is due, in seconds after the start.
    due: f64,
    n: u64,
    count: u64,
    ends: f64,
}

impl Arrivals {
    fn new(spec: &GenerateSource, schedule: &Schedule) -> Self {
        Self {
            schedule: schedule.clone(),
            random: fastrand::Rng::with_seed(spec.seed),
            load: None,
            due: 0.0,
            n: 0,
            count: spec.count.unwrap_or(u64::MAX),
            ends: spec.time.map_or(f64::INFINITY, |time| time.0.as_secs_f64()),
        }
    }

    fn is_over(&self) -> bool {
        self.n >= self.count || self.due >= self.ends
    }

    /// The numbers of the items that are due at `elapsed`, with when they were.
    fn until(&mut self, elapsed: f64) -> Vec<(u64, f64)> {
        let load = self.schedule.load();
        if self.load.as_ref().is_some_and(|before| *before != load) {
            // At the rate before, the next one may be far away.
            self.due = self.due.min(elapsed + load.gap(elapsed));
        }
        self.load = Some(load.clone());
        let mut due = Vec::new();
        while self.due <= elapsed && due.len() < AT_ONCE && !self.is_over() {
            due.push((self.n, self.due));
            self.n += 1;
            self.due += match load.shape {
                Shape::Steady => 1.0 / load.rate.0,
                Shape::Poisson => -(1.0 - self.random.f64()).ln() / load.rate.0,
                _ => load.gap(self.due),
            };
        }
        due
    }
}

/// The items of a generator.
pub(super) fn flow(
    spec: &GenerateSource,
    schedule: &Schedule,
    pool: &Runner,
    clock: &Worker,
    lost: &Faults,
) -> Stream {
    let clock = clock.clone();
    let mut arrivals = Arrivals::new(spec, schedule);
    let (make, at_most, lost) = (spec.item.clone(), spec.at_most_late, lost.clone());
    let mut start = None;
    let items = interval(pool, TICK, MissedTick::Skip).scan((), move |(), _| {
        let now = clock.now();
        let (start, wall) = *start.get_or_insert_with(|| (now, seconds_since_1970()));
        if arrivals.is_over() {
            return None;
        }
        let elapsed = now.saturating_sub(start).as_secs_f64();
        let due = arrivals.until(elapsed);
        let n_lost = at_most.map_or(0, |most| n_late(&due, elapsed).saturating_sub(most.get()));
        lost.add(n_lost as u64);
        let make = make.clone();
        // Each is made when it is asked for: thousands may be due, of any size.
        Some(due.into_iter().skip(n_lost).map(move |(n, due)| {
            record(n, wall + due, start + Duration::from_secs_f64(due), make.as_ref())
        }))
    });
    items.flat_map_iter(|items| items).flatten_results().boxed()
}

/// How many of the items, which are due one after the other, are late: by more than the time
/// between two looks.
fn n_late(due: &[(u64, f64)], elapsed: f64) -> usize {
    due.partition_point(|(_, due)| *due < elapsed - 2.0 * TICK.as_secs_f64())
}

fn record(n: u64, time: f64, born: Duration, make: Option<&Expression>) -> Result<Record, Error> {
    let item = json!({ "n": n, "time": time });
    let value = match make {
        Some(make) => make.evaluate(&item).map_err(|why| {
            Error::new(ErrorKind::InvalidData, format!("source.generate.item: {why}"))
        })?,
        None => item,
    };
    Ok(Record::new(value, born))
}

fn seconds_since_1970() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Arrivals, Load, Schedule};
    use crate::{GenerateSource, Rate, Shape, Share, Time};
    use std::time::Duration;

    fn arrivals(shape: Shape, count: Option<u64>) -> Arrivals {
        let spec = GenerateSource {
            rate: Rate(100.0),
            shape: shape.clone(),
            count,
            time: None,
            item: None,
            seed: 1,
            at_most_late: None,
        };
        Arrivals::new(&spec, &Schedule::new(Load { rate: Rate(100.0), shape }))
    }

    /// How many come in the first ten seconds, looked at every two milliseconds.
    fn in_ten_seconds(shape: Shape) -> usize {
        let mut arrivals = arrivals(shape, None);
        (0..5_000).map(|tick| arrivals.until(f64::from(tick) * 0.002).len()).sum()
    }

    fn seconds(n: u64) -> Time {
        Time(Duration::from_secs(n))
    }

    #[test]
    fn the_shape_is_that_of_the_rate() {
        let near = |n: usize, expected: f64| {
            let off = (n as f64 - expected).abs() / expected;
            assert!(off < 0.05, "{n} and not {expected}");
        };
        near(in_ten_seconds(Shape::Steady), 1_000.0);
        near(in_ten_seconds(Shape::Poisson), 1_000.0);
        // Twice a second at five times the rate.
        let burst = Shape::Burst { every: seconds(5), length: seconds(1), times: 5.0 };
        near(in_ten_seconds(burst), 1_800.0);
        near(in_ten_seconds(Shape::Ramp { to: Rate(300.0), over: seconds(10) }), 2_000.0);
        near(in_ten_seconds(Shape::Wave { every: seconds(2), by: Share(0.5) }), 1_000.0);
    }

    #[test]
    fn what_has_come_since_the_last_look_is_not_late() {
        let due: Vec<(u64, f64)> = (0..1_000).map(|n| (n, n as f64 * 1e-5)).collect();

        assert_eq!(super::n_late(&due[..200], 0.002), 0);
        assert_eq!(super::n_late(&due, 0.010), 600);
    }

    #[test]
    fn a_rate_that_rises_is_not_waited_for_at_the_old_one() {
        let mut arrivals = arrivals(Shape::Steady, None);
        arrivals.schedule.set(Load { rate: Rate(0.01), shape: Shape::Steady });
        arrivals.until(1.0);
        arrivals.schedule.set(Load { rate: Rate(1_000.0), shape: Shape::Steady });

        assert!(arrivals.until(1.0).is_empty());
        assert!(arrivals.until(1.1).len() >= 99);
    }

    #[test]
    fn it_ends_after_so_many() {
        let mut arrivals = arrivals(Shape::Steady, Some(7));

        assert_eq!(arrivals.until(10.0).len(), 7);
        assert!(arrivals.is_over());
        assert_eq!(arrivals.until(20.0).len(), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals() {
        let of = || arrivals(Shape::Poisson, None).until(5.0);

        assert_eq!(of(), of());
    }
}
