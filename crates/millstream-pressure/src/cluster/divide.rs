//! Rates and credits of the whole cluster, of which each node has a share.

use super::{Cluster, ClusterConfig};
use crate::{Credits, CreditsConfig, InvalidSetting, Policy as _, RateConfig, RateLimit, Settings};

/// Something of which each node has a share.
pub(super) trait Divided: Send + Sync {
    /// Sets it to this share, or to the least there is.
    fn set(&self, share: f64);
}

impl Cluster {
    /// Makes `limit` this node's share of a rate of the whole cluster, at once and at each beat:
    /// the share of its capacity in that of all.
    ///
    /// Together, the nodes have no more than `total`, and 1 of burst each. A node that comes has
    /// the least until the others have heard of it, two beats later; what a node had that is gone
    /// is shared after its [`expiry`](ClusterConfig::expiry). A node that does not reach the store
    /// keeps the share it had, so that nothing fails for the store: while it is cut off for longer
    /// than the expiry, its share is given twice.
    ///
    /// # Errors
    ///
    /// `total` is not valid.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use millstream::scheduler::VirtualTime;
    /// use millstream_pressure::{Cluster, ClusterConfig, RateConfig, RateLimit};
    ///
    /// let time = VirtualTime::new();
    /// let limit = RateLimit::new("mails", RateConfig::default(), &time)?;
    /// let node = Cluster::new("mails", ClusterConfig::of("a"), Arc::new(limit.clone()), &time)?;
    /// node.divide_rate(&limit, RateConfig { rate: 300.0, burst: 30 })?;
    /// # Ok::<(), millstream_pressure::InvalidSetting>(())
    /// ```
    pub fn divide_rate(&self, limit: &RateLimit, total: RateConfig) -> Result<(), InvalidSetting> {
        total.validate()?;
        self.add(Box::new(Rate { limit: limit.clone(), total }));
        Ok(())
    }

    /// Makes `credits` this node's share of the credits of the whole cluster, as
    /// [`divide_rate`](Self::divide_rate) does: the window, and what it grows and shrinks to. Each
    /// node has at least one.
    ///
    /// # Errors
    ///
    /// `total` is not valid.
    pub fn divide_credits(
        &self,
        credits: &Credits,
        total: CreditsConfig,
    ) -> Result<(), InvalidSetting> {
        total.validate()?;
        self.add(Box::new(Window { credits: credits.clone(), total }));
        Ok(())
    }

    fn add(&self, divided: Box<dyn Divided>) {
        self.0.divided.lock().push(divided);
        self.divide();
    }

    /// Sets everything that is divided to the present share.
    pub(super) fn divide(&self) {
        let now = self.0.clock.now();
        let share = {
            let state = self.0.state.lock();
            let ClusterConfig { beat, jitter, .. } = state.config;
            // The others report within a beat, and one more to be answered: then they know.
            let known_after = beat.mul_f64(2.0 + jitter);
            match (&state.view, state.joined) {
                (Some(view), Some(joined)) => {
                    let is_known = now.saturating_sub(joined) >= known_after;
                    if is_known || view.n_nodes <= 1 { view.share } else { 0.0 }
                }
                _ => 0.0,
            }
        };
        self.0.divided.lock().iter().for_each(|divided| divided.set(share));
    }
}

struct Rate {
    limit: RateLimit,
    total: RateConfig,
}

impl Divided for Rate {
    fn set(&self, share: f64) {
        let rate = (self.total.rate * share).max(millstream_kernel::Gcra::MIN_RATE);
        let burst = ((self.total.burst as f64 * share) as u64).max(1);
        let next = RateConfig { rate, burst };
        if self.limit.config() != next {
            let done = self.limit.reconfigure(next);
            debug_assert!(done.is_ok(), "a part of what is valid is valid");
        }
    }
}

struct Window {
    credits: Credits,
    total: CreditsConfig,
}

impl Divided for Window {
    fn set(&self, share: f64) {
        let part = |n: u64| ((n as f64 * share) as u64).max(1);
        let min_credits = part(self.total.min_credits);
        let next = CreditsConfig {
            credits: part(self.total.credits),
            min_credits,
            max_credits: part(self.total.max_credits),
            resume_at: part(self.total.resume_at).min(min_credits),
            ..self.total.clone()
        };
        if self.credits.config() != next {
            let done = self.credits.reconfigure(next);
            debug_assert!(done.is_ok(), "a part of what is valid is valid");
        }
    }
}
