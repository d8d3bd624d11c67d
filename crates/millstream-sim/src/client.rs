//! Clients: requests that wait for an answer, and retries.

use std::time::Duration;

use millstream_pressure::{Attempts, Random};

use crate::Backoff;

/// A request, by its place and how often that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    slot: u32,
    use_of_slot: u32,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) clients: usize,
    pub(crate) started: Duration,
    /// Attempts before the present one.
    pub(crate) n_before: u32,
    /// Counts them, if there is a budget.
    pub(crate) attempts: Option<Attempts>,
}

/// Requests that wait for an answer or for another attempt.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    slots: Vec<(u32, Option<Request>)>,
    vacant: Vec<u32>,
}

impl Requests {
    pub(crate) fn add(&mut self, request: Request) -> Key {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() as u32 - 1
        });
        let (use_of_slot, place) = &mut self.slots[slot as usize];
        *place = Some(request);
        Key { slot, use_of_slot: *use_of_slot }
    }

    pub(crate) fn get(&mut self, key: Key) -> Option<&mut Request> {
        let (use_of_slot, request) = &mut self.slots[key.slot as usize];
        if *use_of_slot == key.use_of_slot { request.as_mut() } else { None }
    }

    pub(crate) fn remove(&mut self, key: Key) {
        let (use_of_slot, request) = &mut self.slots[key.slot as usize];
        *request = None;
        *use_of_slot += 1;
        self.vacant.push(key.slot);
    }
}

impl Backoff {
    /// How long to wait after `n` attempts.
    pub(crate) fn wait(&self, n: u32, random: &mut Random) -> Duration {
        let longest = self.base.saturating_mul(1 << n.saturating_sub(1).min(20)).min(self.cap);
        random.up_to(longest)
    }
}
