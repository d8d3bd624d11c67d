//! Leases: how many requests may be sent for how long.

use std::time::Duration;

use bytes::Bytes;

use super::Connection;
use crate::frame::{Body, Frame, MAX_U31};

/// A number of requests, up to a moment. The last one replaces those before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lease {
    n_left: u32,
    until: Duration,
}

impl Lease {
    pub(super) fn new(n_requests: u32, ttl_ms: u32, now: Duration) -> Self {
        Self { n_left: n_requests, until: now + Duration::from_millis(ttl_ms.into()) }
    }

    /// How many requests are left.
    pub(super) fn left(&self, now: Duration) -> u32 {
        if now < self.until { self.n_left } else { 0 }
    }

    /// Uses one up. Returns whether there was one.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let has_one = self.left(now) > 0;
        self.n_left -= u32::from(has_one);
        has_one
    }
}

impl Connection {
    /// Grants the peer so many requests from now on, in place of what is left of the lease before.
    /// Nothing happens where leases were not agreed on.
    pub fn grant_lease(&mut self, n_requests: u32, ttl: Duration, metadata: Option<Bytes>) {
        if self.lease_granted.is_none() || self.is_closed() {
            return;
        }
        let n_requests = n_requests.min(MAX_U31);
        let ttl_ms = u32::try_from(ttl.as_millis()).unwrap_or(MAX_U31).min(MAX_U31);
        self.lease_granted = Some(Lease::new(n_requests, ttl_ms, self.now));
        // One that was not sent yet is out of date.
        self.control.retain(|frame| !matches!(frame.body, Body::Lease { .. }));
        self.control.push_back(Frame::new(0, Body::Lease { ttl_ms, n_requests, metadata }));
    }

    /// How many requests the peer lets us send now; `None` is as many as we like.
    #[must_use]
    pub fn lease(&self) -> Option<u32> {
        self.lease_received.map(|lease| lease.left(self.now))
    }

    /// Returns whether the peer needs a lease from this side to send requests.
    #[must_use]
    pub fn grants_leases(&self) -> bool {
        self.lease_granted.is_some()
    }
}
