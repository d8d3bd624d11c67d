//! What comes in.

use std::time::Duration;

use bytes::Bytes;
use reactive_streams::Demand;

use super::{
    Closed, Connection, Event, Interaction, Role, Stage,
    lease::Lease,
    stream::{Partial, Queued, Receiving, Sending, Stream},
};
use crate::{
    ErrorCode, Payload,
    frame::{Body, Frame, Reassembly},
};

impl Connection {
    /// Takes a frame of the peer's, written as [`Frame::encode`] does.
    pub fn receive(&mut self, frame: Frame, now: Duration) {
        let len = frame.encoded_len();
        self.receive_of_len(frame, len, now);
    }

    /// Takes a frame of the peer's that came as so many bytes, by which positions are counted.
    pub fn receive_of_len(&mut self, frame: Frame, len: usize, now: Duration) {
        self.now = self.now.max(now);
        if self.is_closed() {
            return;
        }
        if self.stage == Stage::Waiting {
            return match frame.body {
                Body::Setup(setup) if frame.stream == 0 => {
                    self.heard = self.now;
                    self.received_setup(setup);
                }
                Body::Resume(resume) if frame.stream == 0 && self.config.resume => {
                    self.events.push_back(Event::Resume(resume));
                }
                Body::Resume(_) if frame.stream == 0 => {
                    self.refuse(ErrorCode::REJECTED_RESUME, "there is no such session");
                }
                _ => self.refuse(ErrorCode::INVALID_SETUP, "the first frame is no SETUP"),
            };
        }
        if self.is_asking() {
            return self.received_greeting(frame);
        }
        if !self.count_received(&frame, len) {
            return;
        }
        self.heard = self.now;
        let id = frame.stream;
        match frame.body {
            Body::Lease { ttl_ms, n_requests, metadata }
                if id == 0 && self.lease_received.is_some() =>
            {
                self.lease_received = Some(Lease::new(n_requests, ttl_ms, self.now));
                self.events.push_back(Event::Lease { n_requests, ttl_ms, metadata });
            }
            Body::KeepAlive { respond, position, data } if id == 0 => {
                self.received_position(position, respond, &data);
                if !respond || self.is_closed() {
                    return;
                }
                let body = Body::KeepAlive { respond: false, position: 0, data };
                self.answer(Frame::new(0, body));
            }
            Body::MetadataPush(metadata) if id == 0 => {
                self.events.push_back(Event::MetadataPush(metadata));
            }
            Body::Error { code, data } if id == 0 => self.received_connection_error(code, data),
            Body::Resume(_) if self.role == Role::Server => {
                self.refuse(ErrorCode::CONNECTION_ERROR, "a RESUME within a session");
            }
            Body::Extension { ignore, extended_type, payload } => {
                if self.config.extensions {
                    let stream = id;
                    let event = Event::Extension { stream, ignore, extended_type, payload };
                    self.events.push_back(event);
                } else if !ignore {
                    self.refuse(ErrorCode::CONNECTION_ERROR, "an extension that nobody knows");
                }
            }
            Body::RequestFnf { follows, payload } => {
                self.received_request(id, Interaction::FireAndForget, (1, false), follows, payload);
            }
            Body::RequestResponse { follows, payload } => {
                self.received_request(id, Interaction::Response, (1, false), follows, payload);
            }
            Body::RequestStream { initial_n, follows, payload } => {
                let first = (initial_n, false);
                self.received_request(id, Interaction::Stream, first, follows, payload);
            }
            Body::RequestChannel { initial_n, follows, complete, payload } => {
                let first = (initial_n, complete);
                self.received_request(id, Interaction::Channel, first, follows, payload);
            }
            Body::RequestN(n) => self.received_credit(id, n),
            Body::Cancel => self.received_cancel(id),
            Body::Payload { follows, complete, next, payload } => {
                // With both flags, there is nothing to follow.
                self.received_payload(id, follows && !complete, complete, next, payload);
            }
            Body::Error { code, data } => {
                if self.is_known(id) {
                    self.events.push_back(Event::Failed { id, code, data });
                }
                self.remove(id);
            }
            // What makes no sense where it comes is ignored.
            _ => {}
        }
    }

    /// Takes an item that was asked for and needs nothing else, as most frames are: what
    /// [`receive`](Self::receive) does, without an event. Returns the stream, the item, and whether
    /// it is the last.
    pub(crate) fn receive_item(
        &mut self,
        frame: &mut Frame,
        now: Duration,
    ) -> Option<(u32, Payload, bool)> {
        if self.session.is_some() || !matches!(self.stage, Stage::Open | Stage::Closing) {
            return None;
        }
        let id = frame.stream;
        let Body::Payload { follows: false, complete, next: true, payload } = &mut frame.body
        else {
            return None;
        };
        let stream = self.streams.get_mut(&id)?;
        let receiving = &mut stream.receiving;
        if !receiving.is_open || receiving.partial.is_some() || !receiving.arrived() {
            return None;
        }
        let is_last = *complete || (stream.is_ours && stream.interaction == Interaction::Response);
        receiving.is_open = !is_last;
        let is_short = receiving.grant() > 0;
        self.now = self.now.max(now);
        self.heard = self.now;
        self.item_came(id, is_last, is_short);
        Some((id, std::mem::take(payload), is_last))
    }

    fn received_connection_error(&mut self, code: ErrorCode, data: Bytes) {
        match code {
            ErrorCode::CONNECTION_CLOSE => {
                self.stage = Stage::Closing;
                self.close_if_done();
            }
            // These are for a client that has just come, and for no server.
            code if code.0 <= ErrorCode::REJECTED_RESUME.0 && self.role == Role::Server => {}
            code => self.end(Closed::ByPeer(code, data), None),
        }
    }

    /// A request, or the first fragment of one, with its first demand and whether it is complete.
    fn received_request(
        &mut self,
        id: u32,
        interaction: Interaction,
        (initial_n, is_complete): (u32, bool),
        follows: bool,
        payload: Payload,
    ) {
        let is_theirs = (id % 2 == 1) == (self.role == Role::Server);
        if id == 0 || !is_theirs || self.streams.contains_key(&id) {
            return;
        }
        let now = self.now;
        let refusal = if initial_n == 0 {
            Some((ErrorCode::INVALID, "demand for no item"))
        } else if self.stage != Stage::Open {
            Some((ErrorCode::REJECTED, "the connection is about to close"))
        } else if self.lease_granted.as_mut().is_some_and(|lease| !lease.take(now)) {
            Some((ErrorCode::REJECTED, "more requests than the lease grants"))
        } else if self.n_theirs >= self.config.max_streams {
            Some((ErrorCode::REJECTED, "too many streams"))
        } else {
            None
        };
        if let Some((code, why)) = refusal {
            if interaction != Interaction::FireAndForget {
                self.answer(Frame::error(id, code, why));
            }
            return;
        }
        let responds = interaction != Interaction::FireAndForget;
        let stream = Stream {
            interaction,
            is_ours: false,
            sending: Sending {
                is_open: responds,
                credit: Demand::new(initial_n.into()),
                ..Sending::default()
            },
            receiving: Receiving {
                is_open: interaction.is_channel() && !is_complete,
                ..Receiving::default()
            },
        };
        self.streams.insert(id, stream);
        self.n_theirs += 1;
        if follows {
            self.push_fragment(id, &payload, Some(initial_n));
        } else {
            self.request_is_whole(id, payload);
        }
    }

    /// The last byte of a request has come.
    fn request_is_whole(&mut self, id: u32, payload: Payload) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (interaction, credit) = (stream.interaction, stream.sending.credit.get());
        let is_complete = !stream.receiving.is_open;
        self.remove_if_over(id);
        self.events.push_back(Event::Request { id, interaction, payload, credit, is_complete });
    }

    /// Keeps a fragment. A payload beyond the bound ends its stream.
    fn push_fragment(&mut self, id: u32, fragment: &Payload, request: Option<u32>) {
        let (max_payload, max_all) = (self.config.max_payload, self.config.max_reassembly);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let is_ours = stream.is_ours;
        let partial = stream.receiving.partial.get_or_insert_with(|| {
            Box::new(Partial { reassembly: Reassembly::new(max_payload), request })
        });
        let fits = self.reassembling + fragment.len() <= max_all;
        if fits && partial.reassembly.push(fragment).is_ok() {
            self.reassembling += fragment.len();
            return;
        }
        let (code, why) = (ErrorCode::INVALID, "a payload in fragments is too large");
        if is_ours {
            // The peer is told to stop, and the application why.
            self.answer(Frame::new(id, Body::Cancel));
        } else {
            self.answer(Frame::error(id, code, why));
        }
        if self.is_known(id) {
            self.events.push_back(Event::Failed { id, code, data: why.into() });
        }
        self.remove(id);
    }

    fn received_payload(
        &mut self,
        id: u32,
        follows: bool,
        complete: bool,
        next: bool,
        payload: Payload,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let is_response = stream.is_ours && stream.interaction == Interaction::Response;
        if let Some(partial) = &stream.receiving.partial {
            let request = partial.request;
            self.push_fragment(id, &payload, request);
            if !follows {
                self.last_fragment(id, complete || is_response);
            }
            return;
        }
        if !stream.receiving.is_open || !(next || complete) {
            return;
        }
        if next && !stream.receiving.arrived() {
            return self.refuse(ErrorCode::CONNECTION_ERROR, "more items than were requested");
        }
        if follows {
            self.push_fragment(id, &payload, None);
        } else if next {
            let is_last = complete || is_response;
            stream.receiving.is_open = !is_last;
            let is_short = stream.receiving.grant() > 0;
            self.events.push_back(Event::Item { id, payload, is_last });
            self.item_came(id, is_last, is_short);
        } else {
            stream.receiving.is_open = false;
            self.events.push_back(Event::Completed { id });
            self.remove_if_over(id);
        }
    }

    fn last_fragment(&mut self, id: u32, is_last: bool) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some(partial) = stream.receiving.partial.take() else { return };
        self.reassembling -= partial.reassembly.len();
        let payload = partial.reassembly.finish();
        if partial.request.is_none() {
            return self.item(id, payload, is_last);
        }
        // The end of a channel that was sent in fragments comes with the last one.
        if is_last {
            stream.receiving.is_open = false;
        }
        self.request_is_whole(id, payload);
    }

    fn item(&mut self, id: u32, payload: Payload, is_last: bool) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if is_last {
            stream.receiving.is_open = false;
        }
        let is_short = stream.receiving.grant() > 0;
        self.events.push_back(Event::Item { id, payload, is_last });
        self.item_came(id, is_last, is_short);
    }

    /// What follows from an item: the stream may be over, or short of demand.
    fn item_came(&mut self, id: u32, is_last: bool, is_short: bool) {
        if is_last {
            self.remove_if_over(id);
        } else if is_short {
            self.queue_grant(id);
        }
    }

    fn received_credit(&mut self, id: u32, n: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.sending.is_open {
            return;
        }
        if n == 0 {
            let (code, why) = (ErrorCode::INVALID, "demand for no item");
            self.answer(Frame::error(id, code, why));
            // An answer too many has ended the connection.
            if self.is_known(id) {
                self.events.push_back(Event::Failed { id, code, data: why.into() });
            }
            return self.remove(id);
        }
        if stream.interaction != Interaction::Response {
            stream.sending.credit.add(n.into());
            self.events.push_back(Event::Credit { id, n: n.into() });
        }
    }

    fn received_cancel(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.is_ours {
            // Only what we send is not wanted any more.
            if stream.interaction.is_channel() && std::mem::take(&mut stream.sending.is_open) {
                self.drop_queue(id);
                self.events.push_back(Event::Canceled { id });
                self.remove_if_over(id);
            }
            return;
        }
        if self.is_known(id) {
            self.events.push_back(Event::Canceled { id });
        }
        self.remove(id);
    }

    /// Returns whether the application has a stream open: it does not know requests whose end has
    /// not come, and is done with streams of which it has ended what it sends.
    fn is_known(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(|stream| {
            let partial = stream.receiving.partial.as_ref();
            let is_whole = partial.is_none_or(|partial| partial.request.is_none());
            is_whole && (stream.sending.is_open || stream.receiving.is_open)
        })
    }

    /// Drops what waits to be sent of a stream, but for its request.
    fn drop_queue(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let sending = &mut stream.sending;
        let keeps_first = sending.has_request;
        let dropped: Vec<_> = sending.queue.drain(usize::from(keeps_first)..).collect();
        self.queued -= dropped.iter().map(Queued::remaining).sum::<usize>();
    }
}
