//! What is under a queue's lock: no code of the user's runs here, and nothing of the user's is
//! dropped.

use std::time::Duration;

use millstream_kernel::{Served, Waiters};

use super::{
    config::{QueueConfig, WhenFull},
    discipline::Delays,
    spill::Spilled,
    tiers::{Entry, Tiers},
};
use crate::{Balance, Histogram, Ledger, Random, Reason, Rejected};

/// The longest time after which to retry that is ever said.
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A rate is known after so many items, and follows the last ones as fast.
const RATE_ITEMS: u64 = 64;

pub(super) struct State<T> {
    pub(super) config: QueueConfig,
    pub(super) tiers: Tiers<T>,
    pub(super) spilled: Spilled,
    /// The room that there is now, between `capacity` and `max_capacity`.
    pub(super) room: usize,
    /// Places and weight that were reserved and not filled yet.
    pub(super) reserved: (usize, u64),
    pub(super) ledger: Ledger,
    pub(super) putters: Waiters,
    pub(super) takers: Waiters,
    /// Those who are told when the queue is closed, whether or not they wait for an item.
    pub(super) flows: Waiters,
    pub(super) is_closed: bool,
    pub(super) is_high: bool,
    /// How often the high watermark was reached.
    pub(super) n_high: u64,
    pub(super) blocking: Histogram,
    pub(super) queueing: Histogram,
    /// The heaviest item yet.
    heaviest: u64,
    delays: Delays,
    pub(super) random: Random,
    /// Before this no item is put, while producers are slowed down.
    next_put: Duration,
    /// Since the queue has been full, or high: how many came.
    pub(super) n_came: u64,
    rate: Rate,
}

/// How fast items leave.
#[derive(Default)]
struct Rate {
    since: Duration,
    n_items: u64,
    nanos_an_item: Option<f64>,
}

/// Entries that leave without being served, whose items go to a callback after the lock.
pub(super) struct Dropped<T> {
    pub(super) first: Option<(Entry<T>, Reason)>,
    pub(super) others: Vec<(Entry<T>, Reason)>,
}

impl<T> Dropped<T> {
    pub(super) fn new() -> Self {
        Self { first: None, others: Vec::new() }
    }

    fn add(&mut self, entry: Entry<T>, reason: Reason) {
        match self.first {
            None => self.first = Some((entry, reason)),
            Some(_) => self.others.push((entry, reason)),
        }
    }
}

impl<T> State<T> {
    pub(super) fn new(config: QueueConfig, random: Random, now: Duration) -> Self {
        let mut delays = Delays::default();
        delays.was_empty(now);
        Self {
            room: config.capacity,
            config,
            tiers: Tiers::new(),
            spilled: Spilled::default(),
            reserved: (0, 0),
            ledger: Ledger::new(),
            putters: Waiters::default(),
            takers: Waiters::default(),
            flows: Waiters::default(),
            is_closed: false,
            is_high: false,
            n_high: 0,
            blocking: Histogram::new(),
            queueing: Histogram::new(),
            heaviest: 0,
            delays,
            random,
            next_put: Duration::ZERO,
            n_came: 0,
            rate: Rate { since: now, ..Rate::default() },
        }
    }

    pub(super) fn balance(&self) -> Balance {
        self.ledger.balance()
    }

    pub(super) fn max_weight(&self) -> u64 {
        self.config.max_weight.unwrap_or(u64::MAX)
    }

    /// Whether one more of this weight fits.
    pub(super) fn fits(&self, weight: u64) -> bool {
        let held = self.tiers.weight().saturating_add(self.reserved.1);
        self.tiers.len() + self.reserved.0 < self.room
            && held.saturating_add(weight) <= self.max_weight()
    }

    /// Whether one more fits, after the queue has grown if it may.
    pub(super) fn grow_to_fit(&mut self, weight: u64) -> bool {
        let max = self.config.max_capacity.unwrap_or(self.config.capacity);
        if self.room < max && self.tiers.len() + self.reserved.0 >= self.room {
            self.room = self.room.saturating_mul(2).min(max);
        }
        self.fits(weight)
    }

    /// From 0 to 1: of the most items that may ever wait, or of the weight. A queue that spills is
    /// full.
    pub(super) fn level(&self) -> f64 {
        if !self.spilled.is_empty() {
            return 1.0;
        }
        let max = self.config.max_capacity.unwrap_or(self.config.capacity);
        let items = (self.tiers.len() + self.reserved.0) as f64 / max as f64;
        let weight = self.config.max_weight.map_or(0.0, |max| {
            self.tiers.weight().saturating_add(self.reserved.1) as f64 / max as f64
        });
        items.max(weight)
    }

    pub(super) fn update_watermark(&mut self) {
        let level = self.level();
        if self.is_high && level <= self.config.low_watermark {
            self.is_high = false;
            self.n_came = 0;
        } else if !self.is_high && level >= self.config.high_watermark {
            self.is_high = true;
            self.n_high += 1;
        }
    }

    pub(super) fn insert(&mut self, entry: Entry<T>, now: Duration) {
        if self.tiers.len() == 0 {
            self.delays.was_empty(now);
        }
        self.tiers.push(entry, now);
        if let Some(pause) = self.pause_at_level() {
            self.next_put = now.saturating_add(pause);
        }
        self.update_watermark();
    }

    /// An item that comes and goes back to the one who brought it.
    pub(super) fn refuse(
        &mut self,
        entry: Entry<T>,
        reason: Reason,
        retry_after: Option<Duration>,
    ) -> Rejected<Entry<T>> {
        self.ledger.offer(1);
        self.ledger.discard(reason, 1);
        Rejected { item: entry, reason, retry_after }
    }

    pub(super) fn drop_entry(&mut self, entry: Entry<T>, reason: Reason, dropped: &mut Dropped<T>) {
        self.ledger.discard(reason, 1);
        dropped.add(entry, reason);
    }

    /// How long a producer has to wait still, if producers are slowed down.
    pub(super) fn pause(&self, now: Duration) -> Option<Duration> {
        let pause = self.next_put.saturating_sub(now);
        (matches!(self.config.when_full, WhenFull::Throttle { .. }) && !pause.is_zero())
            .then_some(pause)
    }

    /// The pause after an item at the present level.
    fn pause_at_level(&self) -> Option<Duration> {
        let WhenFull::Throttle { max_pause } = self.config.when_full else { return None };
        let low = self.config.low_watermark;
        let above = (self.level() - low) / (1.0 - low);
        (above > 0.0).then(|| max_pause.mul_f64(above.min(1.0)))
    }

    /// Reserves a place of this weight, if there is one and nobody waits.
    pub(super) fn reserve(&mut self, weight: u64) -> bool {
        let is_next = self.putters.is_empty() && self.spilled.is_empty();
        let fits = is_next && self.grow_to_fit(weight);
        if fits {
            self.hold(weight);
        }
        fits
    }

    fn hold(&mut self, weight: u64) {
        self.reserved.0 += 1;
        self.reserved.1 += weight;
        self.update_watermark();
    }

    /// Fills a place of which this weight was reserved.
    pub(super) fn fill(&mut self, entry: Entry<T>, reserved: u64, now: Duration) {
        self.heaviest = self.heaviest.max(entry.weight);
        self.reserved.0 -= 1;
        self.reserved.1 -= reserved;
        self.ledger.offer(1);
        self.insert(entry, now);
    }

    /// Reserves places for items that are asked for: all that there are, unless the queue is high.
    /// Where items are weighed, no more than fit if they are all as heavy as the heaviest one yet,
    /// but always one.
    pub(super) fn reserve_free(&mut self) -> u64 {
        let held = self.tiers.len() + self.reserved.0;
        let max = self.config.max_capacity.unwrap_or(self.config.capacity);
        let is_next = self.putters.is_empty() && self.spilled.is_empty();
        if self.is_high || held >= max || !is_next {
            return 0;
        }
        self.room = self.room.max(max.min(held + 1));
        let mut n = (self.room - held) as u64;
        if let Some(max_weight) = self.config.max_weight {
            let free = max_weight.saturating_sub(self.tiers.weight());
            let fitting = free / self.heaviest.max(1);
            let asked = self.reserved.0 as u64;
            n = n.min(fitting.saturating_sub(asked)).max(u64::from(asked == 0 && free > 0));
        }
        self.reserved.0 += n as usize;
        self.update_watermark();
        n
    }

    /// Gives back a place that was reserved.
    pub(super) fn give_back(&mut self, weight: u64, served: &mut Served) {
        self.reserved.0 -= 1;
        self.reserved.1 -= weight;
        self.update_watermark();
        self.serve_putters(served);
    }

    /// The next item to serve; those that have waited too long are dropped.
    pub(super) fn take(
        &mut self,
        now: Duration,
        dropped: &mut Dropped<T>,
        served: &mut Served,
    ) -> Option<Entry<T>> {
        let entry = self.take_next(now, dropped);
        if let Some(entry) = &entry {
            self.count_served(now, entry.entered);
        }
        if self.tiers.len() == 0 {
            self.delays.was_empty(now);
        }
        let config = &self.config;
        if self.room > config.capacity && self.tiers.len().saturating_mul(4) < self.room {
            self.room = (self.room / 2).max(config.capacity);
        }
        self.update_watermark();
        self.serve_putters(served);
        entry
    }

    /// One more was passed on, which has come then.
    pub(super) fn count_served(&mut self, now: Duration, entered: Duration) {
        self.ledger.deliver(1);
        self.queueing.add(now.saturating_sub(entered));
        self.rate.count(now);
    }

    fn take_next(&mut self, now: Duration, dropped: &mut Dropped<T>) -> Option<Entry<T>> {
        loop {
            let discipline = self.config.discipline;
            let newest = self.delays.newest_first(discipline, now);
            let entry = self.tiers.pop(newest)?;
            if entry.deadline.is_some_and(|deadline| deadline <= now) {
                self.drop_entry(entry, Reason::Deadline, dropped);
                continue;
            }
            let waited = now.saturating_sub(entry.entered);
            let is_last = self.tiers.len() == 0;
            match self.delays.drops(discipline, waited, now, is_last) {
                Some(reason) => self.drop_entry(entry, reason, dropped),
                None => return Some(entry),
            }
        }
    }

    /// Gives room to those who wait for it, in order.
    pub(super) fn serve_putters(&mut self, served: &mut Served) {
        while let Some((index, weight)) = self.putters.front() {
            if self.is_closed || !self.spilled.is_empty() || !self.grow_to_fit(weight) {
                return;
            }
            self.hold(weight);
            self.putters.serve(index, served);
        }
    }

    /// Drops all that wait.
    pub(super) fn clear(&mut self, reason: Reason, dropped: &mut Dropped<T>) {
        while let Some(entry) = self.tiers.pop(false) {
            self.drop_entry(entry, reason, dropped);
        }
        self.update_watermark();
    }

    /// When there will probably be room again: as long as it takes to fall to the low watermark,
    /// and up to as long again, so that not all come back at once.
    pub(super) fn retry_after(&mut self) -> Option<Duration> {
        let nanos = self.rate.nanos_an_item?;
        let low = self.config.low_watermark * self.room as f64;
        let excess = (self.tiers.len() as f64 - low).max(1.0);
        let wait = Duration::from_nanos((excess * nanos) as u64).min(LONGEST_RETRY / 2);
        Some(wait + self.random.up_to(wait))
    }

    /// Sets the configuration; what waits stays, also where it is more than fits now.
    pub(super) fn reconfigure(&mut self, config: QueueConfig, served: &mut Served) {
        let max = config.max_capacity.unwrap_or(config.capacity);
        self.room = self.room.clamp(config.capacity, max);
        self.config = config;
        self.update_watermark();
        self.serve_putters(served);
    }
}

impl Rate {
    fn count(&mut self, now: Duration) {
        self.n_items += 1;
        if self.n_items < RATE_ITEMS && self.nanos_an_item.is_some() {
            return;
        }
        let passed = now.saturating_sub(self.since);
        if passed.is_zero() {
            return;
        }
        let nanos = passed.as_nanos() as f64 / self.n_items as f64;
        let before = self.nanos_an_item.unwrap_or(nanos);
        *self = Self { since: now, n_items: 0, nanos_an_item: Some(0.5 * (before + nanos)) };
    }
}
