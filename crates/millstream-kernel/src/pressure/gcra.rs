//! A rate, kept by the generic cell rate algorithm (ITU-T I.371) in one word.
//!
//! The algorithm goes by a virtual clock that counts cells instead of time: it runs at the rate.
//! The word is the algorithm's theoretical arrival time by that clock, so that what was used up is
//! a number of cells, whatever the rate is. A change of the rate starts the clock anew at 0 and
//! carries over how many cells are free, so that none is made up and none is lost.
//!
//! # States
//!
//! ```text
//!     take n, if arrival + n <= clock + burst: arrival = max(arrival, clock) + n
//!     refund n:                                arrival = arrival - n
//!     set:   epoch + 1, clock = 0, arrival = burst - min(free before, burst)
//! ```
//!
//! # Invariants
//!
//! 1. In each time `t` at most `burst + rate * t` cells are taken, up to the clock's resolution,
//!    which is at most 1/1024 of a cell or a nanosecond's worth of cells.
//! 2. The word has an epoch, and so have the settings. A word is changed by the settings of its own
//!    epoch alone: by a compare-exchange that fails once the epoch is another.
//! 3. Settings are written under the lock, between an odd and an even version; a reader that has
//!    seen the same even version before and after has read settings that belong together.
//! 4. A clock that is set back does not run until it has caught up.

use std::time::Duration;

use crate::sync::{AtomicU64, Mutex, Ordering, fence};

/// Where the epoch begins in the word.
const EPOCH: u32 = 56;
/// The bits of the arrival, in units of the epoch.
const ARRIVAL: u64 = (1 << EPOCH) - 1;
/// A clock that has come so far is started anew, before the word has no room for it.
const FAR: u64 = 1 << 54;
/// The most units that a burst may have.
const BURST: u64 = 1 << 48;
/// About the most units in a second.
const PER_SECOND: f64 = (1_u64 << 36) as f64;

/// A rate and a burst. The file's header has the rest.
#[derive(Debug)]
pub struct Gcra {
    word: AtomicU64,
    /// Odd while the settings are written.
    version: AtomicU64,
    /// See [`Settings::numbers`].
    settings: [AtomicU64; 6],
    lock: Mutex<()>,
}

/// What became of an attempt to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a refusal says when to come again"]
pub enum Taken {
    /// The cells were taken.
    Granted,
    /// They can be taken at this moment, and not before, if nobody else takes any.
    NotBefore(Duration),
    /// More cells than the burst has.
    TooMany,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    epoch: u64,
    /// When the clock was at 0, in nanoseconds.
    started: u64,
    /// Units in 2^`scale` nanoseconds, rounded up.
    speed: u64,
    scale: u64,
    /// In units.
    burst: u64,
    /// Units in a cell, as a shift.
    shift: u64,
}

impl Gcra {
    /// The largest burst.
    pub const MAX_BURST: u64 = BURST;

    /// The largest rate, in cells a second; the smallest is [`MIN_RATE`](Self::MIN_RATE).
    pub const MAX_RATE: f64 = 1e9;

    /// The smallest rate, in cells a second: about one in 11 days.
    pub const MIN_RATE: f64 = 1e-6;

    /// `rate` cells a second, and `burst` at once; all of the burst is free. Both are clamped to
    /// what is possible, and NaN is the smallest.
    #[must_use]
    pub fn new(rate: f64, burst: u64, now: Duration) -> Self {
        let settings = Settings::new(0, rate, burst, now);
        Self {
            word: AtomicU64::new(0),
            version: AtomicU64::new(0),
            settings: settings.numbers().map(AtomicU64::new),
            lock: Mutex::new(()),
        }
    }

    /// Takes `n` cells, if they are free.
    #[inline]
    pub fn take(&self, n: u64, now: Duration) -> Taken {
        let now = nanos(now);
        loop {
            let (settings, mut word) = self.load();
            let clock = settings.clock(now);
            if clock >= FAR {
                self.restart(now);
                continue;
            }
            let Some(cost) = settings.units(n) else { return Taken::TooMany };
            while word >> EPOCH == settings.epoch {
                let arrival = (word & ARRIVAL).max(clock) + cost;
                if arrival > clock + settings.burst {
                    return Taken::NotBefore(settings.moment(arrival - settings.burst));
                }
                // Relaxed: nothing is published but the number.
                match self.word.compare_exchange_weak(
                    word,
                    settings.word(arrival),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return Taken::Granted,
                    Err(current) => word = current,
                }
            }
        }
    }

    /// Gives back `n` cells that were taken and not used. Those that would be free by now anyway
    /// are not given back twice.
    pub fn refund(&self, n: u64) {
        loop {
            let (settings, mut word) = self.load();
            let cost = settings.units(n).unwrap_or(settings.burst);
            while word >> EPOCH == settings.epoch {
                let arrival = (word & ARRIVAL).saturating_sub(cost);
                // Relaxed: as in `take`.
                match self.word.compare_exchange_weak(
                    word,
                    settings.word(arrival),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return,
                    Err(current) => word = current,
                }
            }
        }
    }

    /// Changes rate and burst. As many cells are free as before, but no more than the new burst;
    /// what was taken stays taken.
    pub fn set(&self, rate: f64, burst: u64, now: Duration) {
        self.change(nanos(now), |before| {
            let epoch = before.epoch;
            Settings::new(epoch, rate, burst, now)
        });
    }

    /// How many cells are free.
    #[must_use]
    pub fn free(&self, now: Duration) -> u64 {
        let (settings, word) = self.load();
        settings.free(word & ARRIVAL, nanos(now)) >> settings.shift
    }

    /// Starts the clock anew, with the settings as they are.
    #[cold]
    fn restart(&self, now: u64) {
        self.change(now, |before| Settings { started: now, ..*before });
    }

    fn change(&self, now: u64, settings: impl FnOnce(&Settings) -> Settings) {
        let _lock = self.lock.lock();
        // Relaxed: settings are written under the lock alone.
        let before = Settings::of(self.settings.each_ref().map(|n| n.load(Ordering::Relaxed)));
        let mut after = settings(&before);
        after.epoch = (before.epoch + 1) & (u64::MAX >> EPOCH);
        let version = self.version.load(Ordering::Relaxed);
        // Invariant 3: odd before the first number, even after the last; pairs with `load`.
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (place, number) in self.settings.iter().zip(after.numbers()) {
            place.store(number, Ordering::Relaxed);
        }
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            // Cells that are free now, in the new units.
            let free = before.free(word & ARRIVAL, now);
            let free = rescaled(free, before.shift, after.shift).min(after.burst);
            // Release: whoever sees the new epoch sees an odd version, or the new settings.
            match self.word.compare_exchange_weak(
                word,
                after.word(after.burst - free),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(current) => word = current,
            }
        }
        self.version.store(version + 2, Ordering::Release);
    }

    /// Settings and word of one epoch.
    #[inline]
    fn load(&self) -> (Settings, u64) {
        loop {
            let version = self.version.load(Ordering::Acquire);
            if version.is_multiple_of(2) {
                let numbers = self.settings.each_ref().map(|n| n.load(Ordering::Relaxed));
                // Acquire: orders the numbers before the second look at the version (invariant 3).
                fence(Ordering::Acquire);
                if self.version.load(Ordering::Relaxed) == version {
                    let (settings, word) =
                        (Settings::of(numbers), self.word.load(Ordering::Acquire));
                    if word >> EPOCH == settings.epoch {
                        return (settings, word);
                    }
                }
            }
            // Somebody is writing: the lock waits for them.
            drop(self.lock.lock());
        }
    }
}

impl Settings {
    fn new(epoch: u64, rate: f64, burst: u64, now: Duration) -> Self {
        let rate = if rate.is_nan() { 0.0 } else { rate };
        let rate = rate.clamp(Gcra::MIN_RATE, Gcra::MAX_RATE);
        let burst = burst.clamp(1, BURST);
        // As fine as the word has room for.
        let by_rate = (PER_SECOND / rate).log2().floor().clamp(0.0, 30.0) as u32;
        let by_burst = BURST.ilog2() - burst.next_power_of_two().ilog2();
        let shift = by_rate.min(by_burst);
        let (speed, scale) = speed(rate, shift);
        let shift = u64::from(shift);
        Self { epoch, started: nanos(now), speed, scale, burst: burst << shift, shift }
    }

    fn numbers(&self) -> [u64; 6] {
        [self.epoch, self.started, self.speed, self.scale, self.burst, self.shift]
    }

    fn of([epoch, started, speed, scale, burst, shift]: [u64; 6]) -> Self {
        Self { epoch, started, speed, scale, burst, shift }
    }

    fn word(&self, arrival: u64) -> u64 {
        self.epoch << EPOCH | arrival
    }

    /// The virtual clock, in units.
    #[inline]
    fn clock(&self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.started);
        let units = (u128::from(passed) * u128::from(self.speed)) >> self.scale;
        u64::try_from(units).unwrap_or(u64::MAX).min(FAR)
    }

    /// The first moment at which the clock is at `units`.
    fn moment(&self, units: u64) -> Duration {
        let passed = (u128::from(units) << self.scale).div_ceil(u128::from(self.speed));
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        Duration::from_nanos(self.started.saturating_add(passed))
    }

    /// What `n` cells cost, if the burst has as many.
    #[inline]
    fn units(&self, n: u64) -> Option<u64> {
        (n <= self.burst >> self.shift).then(|| n << self.shift)
    }

    /// How much is free, in units.
    fn free(&self, arrival: u64, now: u64) -> u64 {
        let used = arrival.saturating_sub(self.clock(now));
        self.burst.saturating_sub(used)
    }
}

/// `rate * 2^shift` units a second, as units in 2^scale nanoseconds, and that scale: without
/// rounding but for the last bit, so that a rate of 10 is one cell in 100 ms to the nanosecond.
fn speed(rate: f64, shift: u32) -> (u64, u64) {
    // A number that is not subnormal: a mantissa of 53 bits, and an exponent.
    let bits = rate.to_bits();
    let mantissa = (bits & ((1 << 52) - 1)) | 1 << 52;
    let exponent = (bits >> 52) as i64 - 1075;
    // The speed has at most 63 bits, and 2^scale times the clock at most 126.
    let left = 39.min(70 + exponent + i64::from(shift));
    // At the slowest rates without finer units, some bits of the mantissa have no room.
    let mantissa = u128::from(mantissa);
    let mantissa = if left < 0 { mantissa >> -left } else { mantissa << left };
    let speed = mantissa.div_ceil(1_000_000_000);
    (speed as u64, (left - exponent - i64::from(shift)) as u64)
}

fn rescaled(units: u64, before: u64, after: u64) -> u64 {
    if after >= before { units << (after - before) } else { units >> (before - after) }
}

#[inline]
fn nanos(moment: Duration) -> u64 {
    u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX)
}
