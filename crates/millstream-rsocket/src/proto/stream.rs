//! What a connection knows of a stream.

use std::collections::VecDeque;

use reactive_streams::Demand;

use super::Interaction;
use crate::{
    Payload,
    frame::{Body, Fragments, Frame, HEAD, MAX_U31, Reassembly},
};

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
    pub(super) queue: VecDeque<Queued>,
    /// The request of a stream of ours is still in the queue, as a whole or in part.
    pub(super) has_request: bool,
}

/// What waits to be sent.
#[derive(Debug)]
pub(super) enum Queued {
    /// An item that fits into a frame, as most do.
    Item { payload: Payload, complete: bool },
    /// Any other frame, or what is left of one that is sent in fragments.
    Frames(Box<Fragments>),
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

impl Sending {
    /// Queues a frame, as fragments if it is long. Returns how many bytes wait for it.
    pub(super) fn push(&mut self, frame: Frame, max: usize, ready: &mut VecDeque<u32>) -> usize {
        if self.queue.is_empty() {
            ready.push_back(frame.stream);
        }
        let len = frame.encoded_len();
        let queued = match frame.body {
            Body::Payload { follows: false, complete, next: true, payload } if len <= max => {
                Queued::Item { payload, complete }
            }
            body => Queued::Frames(Box::new(Fragments::of(Frame::new(frame.stream, body), max))),
        };
        let n_waiting = queued.remaining();
        self.queue.push_back(queued);
        n_waiting
    }

    /// Takes the next frame of stream `id`, and how many bytes wait no more.
    pub(super) fn pop(&mut self, id: u32) -> Option<(Frame, usize)> {
        if let Some(Queued::Frames(fragments)) = self.queue.front_mut() {
            let before = fragments.remaining();
            let frame = fragments.next();
            let n_sent = before - fragments.remaining();
            if fragments.is_done() {
                self.queue.pop_front();
            }
            return frame.map(|frame| (frame, n_sent));
        }
        let queued = self.queue.pop_front()?;
        let n_sent = queued.remaining();
        let Queued::Item { payload, complete } = queued else { return None };
        let body = Body::Payload { follows: false, complete, next: true, payload };
        Some((Frame::new(id, body), n_sent))
    }

    /// Makes the last item that waits also the end of the stream. Returns whether there is one of
    /// which something is still to be sent.
    pub(super) fn complete_last(&mut self) -> bool {
        match self.queue.back_mut() {
            Some(Queued::Item { complete, .. }) => {
                *complete = true;
                true
            }
            Some(Queued::Frames(fragments)) => fragments.complete(),
            None => false,
        }
    }

    /// Returns whether no byte of the first frame was sent.
    pub(super) fn is_whole(&self) -> bool {
        match self.queue.front() {
            Some(Queued::Item { .. }) => true,
            Some(Queued::Frames(fragments)) => fragments.is_whole(),
            None => false,
        }
    }

    /// How many bytes wait.
    pub(super) fn remaining(&self) -> usize {
        self.queue.iter().map(Queued::remaining).sum()
    }
}

impl Queued {
    pub(super) fn remaining(&self) -> usize {
        match self {
            Self::Item { payload, .. } => HEAD + payload.encoded_len(),
            Self::Frames(fragments) => fragments.remaining(),
        }
    }
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
