//! The ledger of credits: plain data, under the lock of its owner.

use std::{task::Waker, time::Duration};

use millstream_kernel::{Served, Waiters};

use super::{CreditsConfig, leases::Leases};
use crate::Outcome;

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    /// Credits that expire.
    Lease,
    /// One for an item that is not there yet: it does not expire, since a source may be slow.
    Reservation,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) config: CreditsConfig,
    /// How many there should be; more are held after it has shrunk.
    pub(super) window: u64,
    /// granted = free + held + expired, after each change.
    pub(super) granted: u64,
    pub(super) free: u64,
    pub(super) held: u64,
    pub(super) expired: u64,
    /// Of those that are held, for items that have not come.
    pub(super) reserved: u64,
    /// None was free, and as many as to resume are not yet.
    pub(super) is_stopped: bool,
    leases: Leases,
    waiters: Waiters,
    /// What each of those in the line waits for, and the lease it was served with.
    wants: Vec<(Want, u64)>,
    pub(super) counts: Counts,
}

/// How often what has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) starved: u64,
    pub(super) waited: Duration,
    pub(super) outcomes: [u64; 5],
    pub(super) late: u64,
}

impl State {
    pub(super) fn new(config: CreditsConfig) -> Self {
        let window = config.credits;
        Self {
            config,
            window,
            granted: window,
            free: window,
            held: 0,
            expired: 0,
            reserved: 0,
            is_stopped: false,
            leases: Leases::default(),
            waiters: Waiters::default(),
            wants: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Whether somebody who comes now gets `weight`: those who wait are the first.
    pub(super) fn covers(&self, weight: u64) -> bool {
        self.waiters.is_empty() && self.is_due(weight)
    }

    fn is_due(&self, weight: u64) -> bool {
        // More than a window that has shrunk is given to one who is alone, instead of never.
        let is_alone = self.held == 0 && weight > self.window;
        !self.is_stopped && (self.free >= weight || is_alone)
    }

    /// Takes `weight` out of those that are free, and makes up what is missing.
    fn hold(&mut self, weight: u64) {
        self.granted += weight.saturating_sub(self.free);
        self.free = self.free.saturating_sub(weight);
        self.held += weight;
        self.is_stopped |= self.free == 0 && self.config.resume_at > 1;
    }

    /// Gives out `weight` until it is taken back or expires.
    pub(super) fn lease(&mut self, weight: u64, now: Duration) -> u64 {
        self.hold(weight);
        self.leases.add(weight, now)
    }

    /// Reserves up to `wanted` for items that have not come.
    pub(super) fn reserve(&mut self, wanted: u64) -> u64 {
        let n = if self.covers(1) { self.free.max(1).min(wanted) } else { 0 };
        if n > 0 {
            self.hold(n);
            self.reserved += n;
        }
        n
    }

    /// An item has come that a credit is reserved for: from now on it may expire.
    pub(super) fn arrive(&mut self, now: Duration) -> u64 {
        if self.reserved == 0 {
            // The source sent more than it was asked for: what is held says so.
            self.hold(1);
        } else {
            self.reserved -= 1;
        }
        self.leases.add(1, now)
    }

    /// Gives back what was reserved.
    pub(super) fn unreserve(&mut self, n: u64) {
        let n = n.min(self.reserved);
        self.reserved -= n;
        self.give_back(n);
    }

    /// Takes a lease back, unless it has expired.
    pub(super) fn finish(&mut self, number: u64, outcome: Outcome) {
        self.counts.outcomes[outcome as usize] += 1;
        match self.leases.remove(number) {
            Some(weight) => self.give_back(weight),
            None => self.counts.late += 1,
        }
    }

    fn give_back(&mut self, n: u64) {
        self.held -= n;
        self.free += n;
        self.level();
    }

    /// Grants or withdraws free credits, so that there are as many as the window says.
    pub(super) fn level(&mut self) {
        let all = self.free + self.held;
        let missing = self.window.saturating_sub(all);
        let excess = all.saturating_sub(self.window).min(self.free);
        self.granted = self.granted + missing - excess;
        self.free = self.free + missing - excess;
        if self.free >= self.config.resume_at {
            self.is_stopped = false;
        }
    }

    /// When the oldest lease expires, or one would that is given out now.
    pub(super) fn next_expiry(&self, now: Duration) -> Duration {
        let started = self.leases.oldest().map_or(now, |(_, started)| started);
        started.saturating_add(self.config.credit_timeout)
    }

    /// Writes off the leases that have expired, and grants others in their place.
    pub(super) fn expire(&mut self, now: Duration) {
        while let Some((number, _)) = self.leases.oldest()
            && self.next_expiry(now) <= now
        {
            let weight = self.leases.remove(number).unwrap_or(0);
            self.held -= weight;
            self.expired += weight;
        }
        self.level();
    }

    /// Serves those who wait, in order.
    pub(super) fn serve(&mut self, now: Duration, served: &mut Served) {
        while let Some((index, weight)) = self.waiters.front()
            && self.is_due(weight)
        {
            match self.wants[index].0 {
                Want::Lease => self.wants[index].1 = self.lease(weight, now),
                Want::Reservation => {
                    self.hold(weight);
                    self.reserved += weight;
                }
            }
            self.waiters.serve(index, served);
        }
    }

    pub(super) fn n_waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Enters the line.
    pub(super) fn enter(&mut self, waker: Option<Waker>, weight: u64, want: Want) -> usize {
        self.counts.starved += 1;
        let index = self.waiters.enter(waker, weight, false);
        if index >= self.wants.len() {
            self.wants.resize(index + 1, (want, 0));
        }
        self.wants[index] = (want, 0);
        index
    }

    /// Stays in the line, or returns the lease it was served with.
    pub(super) fn stay(&mut self, index: usize, waker: &mut Option<Waker>) -> Option<u64> {
        if self.waiters.is_served(index) {
            return Some(self.wants[index].1);
        }
        self.waiters.renew(index, waker);
        None
    }

    /// Leaves the line. Returns its waker, to be dropped after the lock.
    pub(super) fn leave(&mut self, index: usize) -> Option<Waker> {
        self.waiters.remove(index)
    }

    /// Leaves the line without having taken what it may have been served with.
    pub(super) fn give_up(&mut self, index: usize, weight: u64) -> Option<Waker> {
        if self.waiters.is_served(index) {
            match self.wants[index] {
                (Want::Lease, number) => {
                    if let Some(weight) = self.leases.remove(number) {
                        self.give_back(weight);
                    }
                }
                (Want::Reservation, _) => self.unreserve(weight),
            }
        }
        self.waiters.remove(index)
    }
}
