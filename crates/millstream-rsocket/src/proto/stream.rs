//! What a connection knows of a stream.

use std::collections::VecDeque;

use reactive_streams::Demand;

use super::Interaction;
use crate::frame::{Fragments, MAX_U31, Reassembly};

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) interaction: Interaction,
    /// We are its requester.
    pub(super) is_ours: bool,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
}

/// What we send.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// More may come from the application.
    pub(super) is_open: bool,
    /// How many items the peer takes.
    pub(super) credit: Demand,
    /// What waits to be sent.
    pub(super) queue: VecDeque<Fragments>,
    /// The request of a stream of ours is still in the queue, as a whole or in part.
    pub(super) has_request: bool,
}

/// What we receive.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    /// More may come from the peer.
    pub(super) is_open: bool,
    /// What was asked for and not granted yet.
    pub(super) wanted: Demand,
    /// What was granted and has not come.
    pub(super) granted: u32,
    /// The stream stands in the queue of grants.
    pub(super) is_granting: bool,
    /// A payload of which fragments have come.
    pub(super) partial: Option<Box<Partial>>,
}

/// A payload that arrives in fragments.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) reassembly: Reassembly,
    /// It is a request, with this first demand.
    pub(super) request: Option<u32>,
}

impl Receiving {
    /// How much may be granted now.
    pub(super) fn grant(&self) -> u32 {
        let wanted = self.wanted.get();
        let room = MAX_U31 - self.granted;
        if wanted <= u64::from(room) {
            wanted as u32
        } else if self.granted <= MAX_U31 / 2 {
            room
        } else {
            0
        }
    }

    /// Grants so much.
    pub(super) fn granted(&mut self, n: u32) {
        self.wanted.take(n.into());
        self.granted += n;
    }

    /// An item has come. Returns whether it was asked for.
    pub(super) fn arrived(&mut self) -> bool {
        let is_expected = self.granted > 0;
        self.granted -= u32::from(is_expected);
        is_expected
    }
}

impl Stream {
    /// Nothing more comes or goes.
    pub(super) fn is_over(&self) -> bool {
        !self.sending.is_open
            && self.sending.queue.is_empty()
            && !self.receiving.is_open
            && self.receiving.partial.is_none()
    }
}
