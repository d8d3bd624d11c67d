//! What a node knows of the others, and what follows from it.

use std::time::Duration;

use super::{ClusterConfig, Member};
use crate::Random;

/// What a node knows.
pub(super) struct State {
    pub(super) config: ClusterConfig,
    pub(super) random: Random,
    /// What the store said last, and when it was asked.
    pub(super) view: Option<View>,
    pub(super) n_beats: u64,
    pub(super) n_missed: u64,
    /// Missed in a row.
    pub(super) n_failures: u32,
    /// When it has heard from the store first.
    pub(super) joined: Option<Duration>,
}

/// What the store said.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) asked: Duration,
    pub(super) n_nodes: usize,
    /// The mean pressure, weighted by capacity.
    pub(super) mean: f64,
    /// Of all capacity, the part that is this node's.
    pub(super) share: f64,
}

impl View {
    /// Of what the store said; what makes no sense is not counted.
    pub(super) fn of(members: &[Member], config: &ClusterConfig, asked: Duration) -> Self {
        let makes_sense = |member: &&Member| {
            member.capacity > 0.0 && member.capacity.is_finite() && !member.pressure.is_nan()
        };
        let (mut n_nodes, mut total, mut full) = (0, 0.0, 0.0);
        for member in members.iter().filter(makes_sense) {
            n_nodes += 1;
            total += member.capacity;
            full += member.capacity * member.pressure.clamp(0.0, 1.0);
        }
        let total = f64::max(total, config.capacity);
        Self { asked, n_nodes, mean: full / total, share: config.capacity / total }
    }
}

impl State {
    /// Whether what is known of the others is too old to go by: the store did not answer for two
    /// beats.
    pub(super) fn is_local_only(&self, now: Duration) -> bool {
        let Some(view) = &self.view else { return true };
        now.saturating_sub(view.asked) > self.config.beat * 2
    }

    /// With which probability work is accepted at a pressure of its own.
    pub(super) fn acceptance(&self, own: f64, now: Duration) -> f64 {
        if own >= self.config.ceiling {
            return 0.0;
        }
        match &self.view {
            Some(view) if !self.is_local_only(now) && view.mean < 1.0 => {
                let part = (1.0 - own) / (1.0 - view.mean);
                (part * self.config.headroom).min(1.0)
            }
            _ => 1.0,
        }
    }

    /// How long to wait until the next beat.
    pub(super) fn pause(&mut self) -> Duration {
        let ClusterConfig { beat, jitter, max_backoff, .. } = self.config;
        let unit = self.random.unit();
        match self.n_failures {
            0 => beat.mul_f64(1.0 - jitter + 2.0 * jitter * unit),
            n => {
                let factor = 1_u32.checked_shl(n - 1).unwrap_or(u32::MAX);
                let longest = beat.saturating_mul(factor).min(max_backoff);
                // Drawn for each attempt, so that nodes that lost the store together do not come
                // back together.
                longest.mul_f64(0.5 + 0.5 * unit)
            }
        }
    }
}
