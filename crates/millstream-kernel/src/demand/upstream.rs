//! The subscription of an operator that passes it on.
//!
//! Plain memory: an operator's subscriber is called through `&mut self`, so that nothing here is
//! shared. It settles rule 2.5, and turns offers into signals for publishers that do not make any.

use std::{fmt, sync::Arc};

use reactive_streams::{Offer, Subscription};

/// Set once by `on_subscribe`; a second subscription is canceled (rule 2.5).
#[derive(Default)]
pub struct Upstream(Option<Arc<dyn Subscription>>);

impl Upstream {
    /// Not yet set.
    #[must_use]
    pub const fn unset() -> Self {
        Self(None)
    }

    /// Keeps a clone of `subscription`, or cancels it if there is one already. Returns whether it
    /// was kept.
    #[must_use = "a subscription that was not kept must not be passed on"]
    pub fn set(&mut self, subscription: &Arc<dyn Subscription>) -> bool {
        if self.0.is_some() {
            subscription.cancel();
            return false;
        }
        self.0 = Some(Arc::clone(subscription));
        true
    }

    /// Asks for `n` more items.
    pub fn request(&self, n: u64) {
        if let Some(subscription) = &self.0 {
            subscription.request(n);
        }
    }

    /// Cancels.
    pub fn cancel(&self) {
        if let Some(subscription) = &self.0 {
            subscription.cancel();
        }
    }

    /// Does for a publisher that called `on_next` what it would have done with the answer to an
    /// `offer`: asks for another item in place of a skipped one, and stops when finished.
    #[inline]
    pub fn settle(&self, offer: Offer) {
        match offer {
            Offer::Accepted => {}
            Offer::Skipped => self.request(1),
            Offer::Finished => self.cancel(),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("is_set", &self.0.is_some()).finish()
    }
}
