//! What the application does with streams.

use bytes::Bytes;
use reactive_streams::Demand;

use super::{
    Connection, Event, Interaction, OpenError, Request, Role, Stage,
    stream::{Receiving, Sending, Stream},
};
use crate::{
    ErrorCode, Payload,
    frame::{Body, Frame, HEAD, MAX_U31},
};

impl Connection {
    /// Opens a stream, and returns its number.
    ///
    /// # Errors
    ///
    /// If the connection takes no requests now; then nothing has happened.
    pub fn open(&mut self, request: Request) -> Result<u32, OpenError> {
        if !matches!(self.stage, Stage::Open) {
            return Err(OpenError::Closed);
        }
        let has_demand = matches!(request.interaction, Interaction::Stream | Interaction::Channel);
        if has_demand && request.demand == 0 {
            return Err(OpenError::NoDemand);
        }
        let id = self.free_id().ok_or(OpenError::NoId)?;
        let now = self.now;
        if self.lease_received.as_mut().is_some_and(|lease| !lease.take(now)) {
            return Err(OpenError::NoLease);
        }
        self.next_id = id + 2;
        let mut receiving = Receiving {
            is_open: request.interaction != Interaction::FireAndForget,
            wanted: Demand::new(if has_demand { request.demand } else { 1 }),
            ..Receiving::default()
        };
        let initial_n = receiving.grant();
        receiving.granted(initial_n);
        let is_channel = request.interaction == Interaction::Channel;
        let stream = Stream {
            interaction: request.interaction,
            is_ours: true,
            sending: Sending {
                is_open: is_channel && !request.is_complete,
                has_request: true,
                ..Sending::default()
            },
            receiving,
        };
        self.streams.insert(id, stream);
        let payload = request.payload;
        let body = match request.interaction {
            Interaction::FireAndForget => Body::RequestFnf { follows: false, payload },
            Interaction::Response => Body::RequestResponse { follows: false, payload },
            Interaction::Stream => Body::RequestStream { initial_n, follows: false, payload },
            Interaction::Channel => Body::RequestChannel {
                initial_n,
                follows: false,
                complete: request.is_complete,
                payload,
            },
        };
        self.queue(id, body);
        Ok(id)
    }

    /// The next number that no stream has.
    fn free_id(&mut self) -> Option<u32> {
        let first = if self.role == Role::Client { 1 } else { 2 };
        let mut id = self.next_id;
        if id > MAX_U31 {
            id = first;
            self.has_wrapped = true;
        }
        let mut n_tried = 0;
        while self.has_wrapped && self.streams.contains_key(&id) {
            id = if id + 2 > MAX_U31 { first } else { id + 2 };
            n_tried += 1;
            if n_tried > self.streams.len() {
                return None;
            }
        }
        Some(id)
    }

    /// Asks for `n` more items of a stream; `u64::MAX` is without bound.
    pub fn request(&mut self, id: u32, n: u64) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.receiving.is_open || stream.interaction == Interaction::Response {
            return;
        }
        stream.receiving.wanted.add(n);
        self.queue_grant(id);
    }

    /// Has demand granted, if any is due and the peer knows the stream.
    pub(super) fn queue_grant(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let receiving = &mut stream.receiving;
        let is_due = receiving.is_open && receiving.grant() > 0 && !stream.sending.has_request;
        if is_due && !receiving.is_granting {
            receiving.is_granting = true;
            self.grants.push_back(id);
        }
    }

    /// How many items the peer takes of a stream.
    #[must_use]
    pub fn credit(&self, id: u32) -> u64 {
        self.streams.get(&id).map_or(0, |stream| stream.sending.credit.get())
    }

    /// Returns whether the stream takes items and an end from this side.
    #[must_use]
    pub fn sends(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.sending.is_open)
    }

    /// Sends an item, and with `is_last` the end of the stream. The response to a request is the
    /// last item by itself.
    ///
    /// Returns whether it was queued: whether the stream takes items, and the peer has asked for
    /// this one.
    pub fn send(&mut self, id: u32, payload: Payload, is_last: bool) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else { return false };
        if !stream.sending.is_open || stream.sending.credit.take(1) == 0 {
            return false;
        }
        let complete = is_last || stream.interaction == Interaction::Response;
        stream.sending.is_open = !complete;
        let body = Body::Payload { follows: false, complete, next: true, payload };
        let frame = Frame::new(id, body);
        self.queued += stream.sending.push(frame, self.config.fragment(), &mut self.ready);
        true
    }

    /// The frame of an item that may go out at once, since nothing waits before it; the item, if it
    /// has to be queued by [`send`](Self::send), or is not taken at all.
    pub(crate) fn send_at_once(&mut self, id: u32, payload: Payload) -> Result<Frame, Payload> {
        let something_waits = !self.control.is_empty()
            || !self.grants.is_empty()
            || !self.ready.is_empty()
            || self.session.is_some();
        if something_waits || HEAD + payload.encoded_len() > self.config.fragment() {
            return Err(payload);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return Err(payload) };
        let sending = &mut stream.sending;
        if !sending.is_open || !sending.queue.is_empty() || sending.credit.take(1) == 0 {
            return Err(payload);
        }
        let complete = stream.interaction == Interaction::Response;
        if complete {
            sending.is_open = false;
            self.remove_if_over(id);
        }
        Ok(Frame::new(id, Body::Payload { follows: false, complete, next: true, payload }))
    }

    /// Ends a stream, after the items that wait.
    pub fn complete(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !std::mem::take(&mut stream.sending.is_open) {
            return;
        }
        if stream.sending.complete_last() {
            return;
        }
        let payload = Payload::default();
        self.queue(id, Body::Payload { follows: false, complete: true, next: false, payload });
    }

    /// Fails a stream, after the items that wait. It is over both ways.
    pub fn fail_stream(&mut self, id: u32, code: ErrorCode, message: impl Into<Bytes>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.sending.is_open {
            return;
        }
        stream.sending.is_open = false;
        stream.receiving.is_open = false;
        let partial = stream.receiving.partial.take();
        self.reassembling -= partial.map_or(0, |partial| partial.reassembly.len());
        self.queue(id, Body::Error { code, data: clip(message.into()) });
    }

    /// Takes no more items of a stream. The stream is over if this side has opened it; otherwise
    /// its responses go on.
    pub fn cancel(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.receiving.is_open {
            return;
        }
        // Of a request of which no byte was sent, nothing is sent.
        let is_unsent = stream.sending.has_request && stream.sending.is_whole();
        if stream.is_ours {
            self.remove(id);
        } else {
            stream.receiving.is_open = false;
            self.drop_partial(id);
            self.remove_if_over(id);
        }
        if !is_unsent {
            self.control.push_back(Frame::new(id, Body::Cancel));
        }
    }

    /// Sends metadata of the connection.
    ///
    /// Returns whether it was queued: whether the connection is open.
    pub fn push_metadata(&mut self, metadata: Bytes) -> bool {
        let is_open = matches!(self.stage, Stage::Open | Stage::Closing);
        if is_open {
            self.control.push_back(Frame::new(0, Body::MetadataPush(metadata)));
        }
        is_open
    }

    /// Sends a frame of an extension, before the items that wait.
    pub fn send_extension(
        &mut self,
        stream: u32,
        ignore: bool,
        extended_type: u32,
        payload: Payload,
    ) {
        if !self.is_closed() {
            let body = Body::Extension { ignore, extended_type, payload };
            self.control.push_back(Frame::new(stream, body));
        }
    }

    /// Queues a frame of a stream, as fragments if it is long.
    pub(super) fn queue(&mut self, id: u32, body: Body) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let frame = Frame::new(id, body);
        self.queued += stream.sending.push(frame, self.config.fragment(), &mut self.ready);
    }

    /// Forgets a stream and what waits to be sent of it.
    pub(super) fn remove(&mut self, id: u32) {
        let Some(stream) = self.streams.remove(&id) else { return };
        self.n_theirs -= usize::from(!stream.is_ours);
        self.queued -= stream.sending.remaining();
        let partial = stream.receiving.partial;
        self.reassembling -= partial.map_or(0, |partial| partial.reassembly.len());
        self.close_if_done();
    }

    pub(super) fn drop_partial(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let partial = stream.receiving.partial.take();
        self.reassembling -= partial.map_or(0, |partial| partial.reassembly.len());
    }

    pub(super) fn remove_if_over(&mut self, id: u32) {
        let Some(stream) = self.streams.get(&id) else { return };
        if stream.is_over() {
            let is_sent = stream.is_ours && stream.interaction == Interaction::FireAndForget;
            self.remove(id);
            if is_sent {
                self.events.push_back(Event::Sent { id });
            }
        }
    }
}

/// The most bytes of a message in an ERROR.
const MAX_MESSAGE: usize = 4096;

/// As much of a message as an ERROR carries.
fn clip(message: Bytes) -> Bytes {
    if message.len() <= MAX_MESSAGE {
        return message;
    }
    // Not in the middle of a character.
    let is_inside = |at: &usize| message[*at] & 0xC0 == 0x80;
    let end = (0..=MAX_MESSAGE).rev().find(|at| !is_inside(at)).unwrap_or(0);
    message.slice(..end)
}
