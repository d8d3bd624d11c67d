//! Where each item of a broker is.
//!
//! # Invariants
//!
//! 1. An item is in one of `ready`, `delayed`, `in_flight` and `dead_letters`, or was acknowledged.
//! 2. `expiries` has an entry for each delivery in flight, and no other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{super::Position, BrokerConfig, BrokerSnapshot, DeadLetter, Envelope, Settlement};

/// An item with what is said about it.
pub(super) struct Stored<T> {
    pub(super) envelope: Envelope,
    pub(super) payload: T,
}

impl<T> Stored<T> {
    /// The number by which items are in order.
    fn offset(&self) -> u64 {
        self.envelope.position.as_ref().map_or(0, |position| position.offset)
    }
}

pub(super) struct State<T> {
    config: BrokerConfig,
    /// By offset, so that what comes back takes its former place.
    ready: BTreeMap<u64, Stored<T>>,
    /// By the moment when they are due.
    delayed: BTreeMap<(Duration, u64), Stored<T>>,
    /// By the tag of the delivery, with the moment at which its time is over.
    in_flight: HashMap<u64, (Stored<T>, Duration)>,
    expiries: BTreeSet<(Duration, u64)>,
    pub(super) dead_letters: Vec<(Envelope, DeadLetter<T>)>,
    pub(super) is_closed: bool,
    counts: BrokerSnapshot,
}

/// What there is for one who asks.
pub(super) enum Next<T> {
    Delivery(u64, Envelope, T),
    /// Nothing before this moment, unless something is put in or settled.
    NotBefore(Option<Duration>),
    Over,
}

impl<T: Clone> State<T> {
    pub(super) fn new(config: BrokerConfig) -> Self {
        Self {
            config,
            ready: BTreeMap::new(),
            delayed: BTreeMap::new(),
            in_flight: HashMap::new(),
            expiries: BTreeSet::new(),
            dead_letters: Vec::new(),
            is_closed: false,
            counts: BrokerSnapshot::default(),
        }
    }

    pub(super) fn publish(&mut self, name: &Arc<str>, mut stored: Stored<T>) {
        let offset = self.counts.published;
        self.counts.published += 1;
        let sequence = Arc::clone(name);
        stored.envelope.position = Some(Position { sequence, offset, minor: 0 });
        stored.envelope.attempt = 0;
        self.ready.insert(offset, stored);
    }

    pub(super) fn next(&mut self, now: Duration) -> Next<T> {
        self.pass_time(now);
        let Some((_, mut stored)) = self.ready.pop_first() else {
            if self.is_over() {
                return Next::Over;
            }
            let delayed = self.delayed.first_key_value().map(|((due, _), _)| *due);
            let expiry = self.expiries.first().map(|(at, _)| *at);
            return Next::NotBefore(delayed.into_iter().chain(expiry).min());
        };
        stored.envelope.attempt += 1;
        let tag = self.counts.delivered;
        self.counts.delivered += 1;
        self.counts.redelivered += u64::from(stored.envelope.attempt > 1);
        let (envelope, payload) = (stored.envelope.clone(), stored.payload.clone());
        let expires = now.saturating_add(self.config.visibility);
        self.expiries.insert((expires, tag));
        self.in_flight.insert(tag, (stored, expires));
        self.counts.most_in_flight = self.counts.most_in_flight.max(self.in_flight.len());
        Next::Delivery(tag, envelope, payload)
    }

    /// Whether nothing will be delivered any more.
    pub(super) fn is_over(&self) -> bool {
        let holds_none = self.ready.is_empty() && self.delayed.is_empty();
        self.is_closed && holds_none && self.in_flight.is_empty()
    }

    /// Takes back what was not settled in time, and what was delayed until now.
    fn pass_time(&mut self, now: Duration) {
        while let Some((at, tag)) = self.expiries.first().copied()
            && at <= now
        {
            if let Some(stored) = self.land(tag) {
                self.bring_back(stored, None);
            }
        }
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now
        {
            let stored = entry.remove();
            self.ready.insert(stored.offset(), stored);
        }
    }

    /// The end of a delivery's flight, if it has not ended before.
    fn land(&mut self, tag: u64) -> Option<Stored<T>> {
        let (stored, expires) = self.in_flight.remove(&tag)?;
        self.expiries.remove(&(expires, tag));
        Some(stored)
    }

    fn bring_back(&mut self, stored: Stored<T>, due: Option<Duration>) {
        if stored.envelope.attempt >= self.config.max_attempts {
            let reason = format!("it was delivered {} times", stored.envelope.attempt);
            return self.bury(stored, reason);
        }
        let offset = stored.offset();
        match due {
            Some(due) => drop(self.delayed.insert((due, offset), stored)),
            None => drop(self.ready.insert(offset, stored)),
        }
    }

    fn bury(&mut self, Stored { envelope, payload }: Stored<T>, reason: String) {
        self.counts.dead += 1;
        self.dead_letters.push((envelope, DeadLetter { payload, reason }));
    }

    /// Settles a delivery. Returns what is to be dropped, after the lock.
    pub(super) fn settle(
        &mut self,
        tag: u64,
        settlement: Settlement,
        now: Duration,
    ) -> Option<Stored<T>> {
        self.pass_time(now);
        let Some(stored) = self.land(tag) else {
            self.counts.late += 1;
            return None;
        };
        match settlement {
            Settlement::Ack => {
                self.counts.acked += 1;
                return Some(stored);
            }
            Settlement::Nack { delay } if delay.is_zero() => self.bring_back(stored, None),
            Settlement::Nack { delay } => {
                self.bring_back(stored, Some(now.saturating_add(delay)));
            }
            Settlement::Reject { reason } => self.bury(stored, reason),
        }
        None
    }

    pub(super) fn extend(&mut self, tag: u64, now: Duration) {
        self.pass_time(now);
        let later = now.saturating_add(self.config.visibility);
        if let Some((_, expires)) = self.in_flight.get_mut(&tag) {
            self.expiries.remove(&(*expires, tag));
            *expires = later;
            self.expiries.insert((later, tag));
        }
    }

    pub(super) fn snapshot(&self) -> BrokerSnapshot {
        BrokerSnapshot {
            ready: self.ready.len(),
            delayed: self.delayed.len(),
            in_flight: self.in_flight.len(),
            ..self.counts.clone()
        }
    }
}
