//! `Permit`: the right to do something now, settled exactly once.

use std::{fmt, sync::Arc, time::Duration};

/// How what a permit allowed has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed: an error, a time-out, an explicit refusal by the other side.
    Failure,
    /// It succeeded, but took longer than is acceptable.
    Slow,
    /// It says nothing about the other side, such as input that was invalid.
    Ignored,
    /// It was given up: the permit was dropped without being finished.
    Canceled,
}

/// What was granted, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// How much was granted: 1, or the weight of what it is for.
    pub weight: u64,
    /// Which of its states the policy was in; results of earlier ones do not count for later ones.
    pub generation: u64,
    /// The time by the policy's clock.
    pub started: Duration,
}

/// What hands out permits, and takes them back.
pub trait Settle: Send + Sync + 'static {
    /// What was granted has ended. Called once for each permit, on the thread that finishes or
    /// drops it.
    fn settle(&self, grant: Grant, outcome: Outcome);
}

/// The right to do something now.
///
/// It is settled exactly once: by [`finish`](Self::finish), or with [`Outcome::Canceled`] when it
/// is dropped, whether by a panic, a canceled future or an early return.
#[must_use = "a permit that is dropped counts as canceled"]
pub struct Permit {
    policy: Arc<dyn Settle>,
    grant: Grant,
    outcome: Outcome,
}

impl Permit {
    /// A permit that `policy` has granted. For those who write policies.
    pub fn new(policy: Arc<dyn Settle>, grant: Grant) -> Self {
        Self { policy, grant, outcome: Outcome::Canceled }
    }

    /// What was granted.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.grant
    }

    /// Gives the permit back, and says how what it allowed has ended.
    #[inline]
    pub fn finish(mut self, outcome: Outcome) {
        // Settled by the drop, so that there is one way.
        self.outcome = outcome;
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        self.policy.settle(self.grant, self.outcome);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("grant", &self.grant).finish_non_exhaustive()
    }
}
