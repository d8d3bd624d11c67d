//! Acquiring a place in a compartment: at once, or after waiting in its line.

use std::{hash::Hash, ops::Deref, sync::Arc};

use millstream_kernel::{Acquired, Permits, Wait};

use super::{Bulkhead, Compartment, tenant};
use crate::{
    Permit, Reason, Rejected,
    parts::{Offered, granted_until},
};

impl Bulkhead {
    /// A permit for a call of `key`, if there is a place in its compartment and nobody waits for
    /// one. Never waits.
    ///
    /// # Errors
    ///
    /// [`Limit`](Reason::Limit).
    pub fn try_acquire(&self, key: impl Hash) -> Result<Permit, Rejected<()>> {
        self.try_acquire_for(tenant(key))
    }

    /// Waits for a place in the compartment of `key`, first come, first served, for the configured
    /// time at most. Dropping the future gives up, and takes no place.
    ///
    /// # Errors
    ///
    /// [`Limit`](Reason::Limit) where as many wait as may; [`Timeout`](Reason::Timeout), also at
    /// once if the scheduler has stopped or has no clock.
    pub async fn acquire(&self, key: impl Hash) -> Result<Permit, Rejected<()>> {
        self.acquire_for(tenant(key)).await
    }

    /// [`acquire`](Self::acquire), for a thread. Not to be called where the scheduler runs its
    /// timers.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_blocking(&self, key: impl Hash) -> Result<Permit, Rejected<()>> {
        pollster::block_on(self.acquire(key))
    }

    pub(super) fn try_acquire_for(&self, tenant: u64) -> Result<Permit, Rejected<()>> {
        let (compartment, _) = self.compartment(tenant);
        let offered = Offered::new(&self.0.core.ledger);
        match compartment.permits.try_acquire(1) {
            Acquired::Granted => {
                offered.accept();
                Ok(compartment.permit())
            }
            _ => Err(offered.refuse(Reason::Limit)),
        }
    }

    pub(super) async fn acquire_for(&self, tenant: u64) -> Result<Permit, Rejected<()>> {
        let (compartment, config) = self.compartment(tenant);
        let offered = Offered::new(&self.0.core.ledger);
        let clock = &self.0.core.clock;
        let line = Line(Arc::clone(&compartment));
        let wait = Wait::new(line, 1).at_most(config.max_waiting);
        match granted_until(wait, clock, clock.after(config.timeout)).await {
            Ok(()) => {
                offered.accept();
                Ok(compartment.permit())
            }
            Err(reason) => Err(offered.refuse(reason)),
        }
    }
}

/// Those who wait in a compartment.
struct Line(Arc<Compartment>);

impl Deref for Line {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        &self.0.permits
    }
}
