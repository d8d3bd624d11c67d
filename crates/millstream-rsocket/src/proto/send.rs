//! What goes out, and in which order.

use super::{Connection, Interaction};
use crate::frame::{Body, Frame};

/// So many bytes of answers wait to be written before a driver should read no more.
pub(crate) const MOST_ANSWERS: usize = 64 * 1024;

impl Connection {
    /// The next frame to be sent, if there is one: first those of the connection, then demand, and
    /// then a frame of each stream in turns.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        if self.session.is_some() { self.poll_session() } else { self.next_frame() }
    }

    /// Takes a frame of the connection.
    pub(super) fn pop_control(&mut self, at: usize) -> Option<Frame> {
        let frame = self.control.remove(at)?;
        // Only some are answers, but nothing is left when the queue is empty.
        self.answers = match self.control.is_empty() {
            true => 0,
            false => self.answers.saturating_sub(answer_len(&frame)),
        };
        Some(frame)
    }

    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        if let Some(frame) = self.pop_control(0) {
            return Some(frame);
        }
        while let Some(id) = self.grants.pop_front() {
            if let Some(frame) = self.grant(id) {
                return Some(frame);
            }
        }
        while let Some(id) = self.ready.pop_front() {
            if let Some(frame) = self.next_of(id) {
                return Some(frame);
            }
        }
        None
    }

    /// The demand that is due on a stream.
    fn grant(&mut self, id: u32) -> Option<Frame> {
        let receiving = &mut self.streams.get_mut(&id)?.receiving;
        receiving.is_granting = false;
        let n = if receiving.is_open { receiving.grant() } else { 0 };
        receiving.granted(n);
        (n > 0).then(|| Frame::new(id, Body::RequestN(n)))
    }

    /// The next frame of a stream, which goes to the end of the line if it has more.
    fn next_of(&mut self, id: u32) -> Option<Frame> {
        let stream = self.streams.get_mut(&id)?;
        let (frame, n_sent) = stream.sending.pop(id)?;
        self.queued -= n_sent;
        let is_empty = stream.sending.queue.is_empty();
        // The request is the first of all, and is over when the next is the first or none is left.
        let is_requested = stream.sending.has_request && (is_empty || stream.sending.is_whole());
        if !is_empty {
            self.ready.push_back(id);
        }
        if is_requested {
            stream.sending.has_request = false;
            self.queue_grant(id);
        }
        if is_empty {
            self.remove_if_over(id);
        }
        Some(frame)
    }

    /// Queues a frame that answers one of the peer's.
    pub(super) fn answer(&mut self, frame: Frame) {
        self.answers += answer_len(&frame);
        self.control.push_back(frame);
        if self.answers > MOST_ANSWERS && self.is_stuck() {
            self.fail("requests are refused faster than the peer says what it has received");
        }
    }
}

/// What an answer weighs: its bytes, and what the queue holds for it.
pub(super) fn answer_len(frame: &Frame) -> usize {
    match &frame.body {
        Body::KeepAlive { respond: false, .. } | Body::Error { .. } => {
            frame.encoded_len() + std::mem::size_of::<Frame>()
        }
        _ => 0,
    }
}

impl Interaction {
    /// Returns whether the requester of it sends items after its request.
    pub(super) fn is_channel(self) -> bool {
        self == Self::Channel
    }
}
