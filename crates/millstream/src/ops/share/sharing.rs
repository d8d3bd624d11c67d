//! Shared: how a flow is shared.

use std::time::Duration;

use crate::{
    parts::inlet::check_capacity,
    scheduler::{Scheduler, Worker},
};

/// How a flow is shared: [`Flow::share_with`](crate::Flow::share_with),
/// [`Flow::replay_with`](crate::Flow::replay_with).
#[derive(Clone, Debug)]
#[must_use]
pub struct Sharing {
    pub(super) capacity: usize,
    pub(super) min_subscribers: usize,
    pub(super) stay: Stay,
}

/// How long a connection stays when nobody is there.
#[derive(Clone, Debug)]
pub(super) enum Stay {
    No,
    For(Duration, Worker),
    Always,
}

impl Stay {
    pub(super) fn lingers(&self) -> bool {
        !matches!(self, Self::No)
    }
}

impl Sharing {
    /// With queues of exactly `capacity` items, connected by the first subscriber, and disconnected
    /// when the last one leaves.
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        check_capacity(capacity);
        Self { capacity, min_subscribers: 1, stay: Stay::No }
    }

    /// Connects when there are `n` subscribers, and stays connected when there are fewer again.
    /// Default: 1.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    #[track_caller]
    pub fn min_subscribers(mut self, n: usize) -> Self {
        assert!(n > 0, "a flow is not shared by 0 subscribers: use at least 1");
        self.min_subscribers = n;
        self
    }

    /// Stays connected for `grace` after the last subscriber has left, by the clock of `scheduler`,
    /// in case another one comes. Default: disconnects at once.
    ///
    /// When no flow is left to subscribe to, it disconnects with the last subscriber in any case.
    pub fn grace(mut self, grace: Duration, scheduler: &impl Scheduler) -> Self {
        self.stay = Stay::For(grace, scheduler.worker());
        self
    }

    /// Stays connected until the source ends, or until there is no subscriber and no flow left to
    /// subscribe to. Default: disconnects when the last subscriber leaves.
    pub fn stay_connected(mut self) -> Self {
        self.stay = Stay::Always;
        self
    }
}
