//! `Outbox`: between a consumer's thread and its flow.
//!
//! # Invariants
//!
//! 1. What was put in is at most what was granted, and the grants are what was asked for
//!    downstream.
//! 2. What is granted only grows: an item that is dropped, because its partition was taken away, is
//!    granted again.

use std::{collections::VecDeque, sync::Weak, thread::Thread};

use millstream::Error;
use millstream_kernel::Wake;
use parking_lot::Mutex;

use super::partition::Passed;

pub(super) struct Outbox {
    state: Mutex<State>,
    flow: Weak<dyn Wake>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Passed>,
    /// In all, since the flow began.
    granted: u64,
    error: Option<Error>,
    is_canceled: bool,
    driver: Option<Thread>,
}

/// What the flow wants of the consumer.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// In all, since the flow began.
    pub(super) granted: u64,
    /// How many are in the outbox.
    pub(super) waiting: usize,
    pub(super) is_canceled: bool,
}

impl Outbox {
    pub(super) fn new(flow: Weak<dyn Wake>) -> Self {
        Self { state: Mutex::default(), flow }
    }

    /// Names the consumer's thread, which is woken by what the flow wants.
    pub(super) fn is_filled_by(&self, driver: Thread) {
        self.state.lock().driver = Some(driver);
    }

    /// The flow wants so many in all, and takes what there is. `into` has to be empty.
    pub(super) fn take(&self, granted: u64, into: &mut VecDeque<Passed>) -> Option<Error> {
        let mut state = self.state.lock();
        std::mem::swap(&mut state.items, into);
        if granted > state.granted {
            state.granted = granted;
        }
        if let Some(driver) = &state.driver {
            driver.unpark();
        }
        if into.is_empty() { state.error.take() } else { None }
    }

    /// The flow wants so many in all.
    pub(super) fn grant(&self, granted: u64) {
        let mut state = self.state.lock();
        if granted > state.granted {
            state.granted = granted;
            if let Some(driver) = &state.driver {
                driver.unpark();
            }
        }
    }

    /// The flow wants no more: what nobody has seen is dropped.
    pub(super) fn cancel(&self) {
        let items = {
            let mut state = self.state.lock();
            state.is_canceled = true;
            if let Some(driver) = &state.driver {
                driver.unpark();
            }
            std::mem::take(&mut state.items)
        };
        items.into_iter().for_each(Passed::give_back);
    }

    pub(super) fn wanted(&self) -> Wanted {
        let state = self.state.lock();
        let State { granted, is_canceled, .. } = *state;
        Wanted { granted, waiting: state.items.len(), is_canceled }
    }

    /// Puts a batch in.
    pub(super) fn put(&self, batch: &mut Vec<Passed>) {
        {
            let mut state = self.state.lock();
            if !state.is_canceled {
                state.items.extend(batch.drain(..));
            }
        }
        batch.drain(..).for_each(Passed::give_back);
        self.wake();
    }

    /// Drops the items of partitions that were taken away. Returns how many there were.
    pub(super) fn drop_stale(&self) -> u64 {
        let stale: Vec<Passed> = {
            let mut state = self.state.lock();
            let items = std::mem::take(&mut state.items);
            let (current, stale) = items.into_iter().partition(Passed::is_current);
            state.items = current;
            stale.into()
        };
        stale.len() as u64
    }

    pub(super) fn fail(&self, error: Error) {
        self.state.lock().error = Some(error);
        self.wake();
    }

    fn wake(&self) {
        if let Some(flow) = self.flow.upgrade() {
            flow.wake();
        }
    }
}
