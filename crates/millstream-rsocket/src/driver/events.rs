//! What the protocol says, and what becomes of it.

use std::sync::Arc;

use millstream::{BoxPublisher, Flow};
use millstream_kernel::guard::{caught, muted};
use reactive_streams::Error;
use tokio::time::Instant;

use super::{Answering, Driver, Entry, LINGER, incoming::Incoming, outgoing::Outgoing};
use crate::{
    Answers, ErrorCode, Inbound, Payload, RSocketError, Requester, Responder,
    link::{Stream, error_of},
    outbound::{Background, Outbound},
    proto::{Closed, Event, Interaction},
};

impl<T> Driver<T> {
    pub(super) fn events(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.event(event);
        }
        let lease = self.connection.lease();
        if lease != self.lease {
            self.lease = lease;
            self.link.set_lease(lease);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Setup(setup) => {
                if let Some(token) = &setup.resume_token
                    && !self.remember(token)
                {
                    let why = "there is a session of this token, or there are too many";
                    return self.connection.reject(ErrorCode::REJECTED_SETUP, why);
                }
                let Answering::Waiting(accept) = &self.answering else { return };
                let requester = Requester::new(self.link.clone(), false);
                match caught(|| accept(&setup, requester)) {
                    Ok(Ok(responder)) => {
                        self.answering = Answering::With(responder);
                        self.connection.accept(&setup);
                    }
                    Ok(Err(RSocketError { code, data })) => self.connection.reject(code, data),
                    Err(_) => self.connection.reject(ErrorCode::REJECTED_SETUP, "it panicked"),
                }
            }
            Event::Request { id, interaction, payload, is_complete, .. } => {
                self.request(id, interaction, payload, is_complete);
            }
            Event::Item { id, payload, is_last } => self.item((id, payload, is_last)),
            Event::Completed { id } | Event::Sent { id } => {
                if let Some(key) = self.by_id.get(&id).copied() {
                    self.receiving_ended(key, None);
                }
            }
            Event::Failed { id, code, data } => {
                self.stream_ended(id, || RSocketError { code, data }.into());
            }
            Event::Credit { id, .. } => {
                if let Some(key) = self.by_id.get(&id).copied() {
                    self.ask(key);
                }
            }
            Event::Canceled { id } => {
                let Some(key) = self.by_id.get(&id).copied() else { return };
                let entry = self.entries.get(&key);
                let is_ours = entry
                    .and_then(|entry| entry.incoming.as_ref())
                    .is_some_and(|incoming| incoming.is_ours);
                if is_ours {
                    self.drop_outgoing(key);
                    self.forget_if_over(key);
                } else {
                    let why = "the requester canceled";
                    self.stream_ended(id, || RSocketError::new(ErrorCode::CANCELED, why).into());
                }
            }
            Event::MetadataPush(metadata) => {
                self.in_background(|responder| responder.metadata_push(metadata));
            }
            // Its number is read after all events.
            Event::Lease { .. } => {}
            // Connections of this driver do not ask for extensions.
            Event::Extension { .. } => {}
            Event::Resume(resume) => self.hand_over(resume),
            Event::Suspended => self.transport = None,
            Event::Resumed => self.has_resumed(),
            Event::Closed(why) => self.over(why),
        }
    }

    /// An item has come on a stream, and whether it is the last.
    pub(super) fn item(&mut self, (id, payload, is_last): (u32, Payload, bool)) {
        let Some(key) = self.by_id.get(&id).copied() else { return };
        if self.deliver(key, payload) && is_last {
            self.receiving_ended(key, None);
        }
    }

    /// A stream is over both ways.
    fn stream_ended(&mut self, id: u32, error: impl FnOnce() -> Error) {
        let Some(key) = self.by_id.remove(&id) else { return };
        self.drop_outgoing(key);
        self.receiving_ended(key, Some(error()));
        self.forget_if_over(key);
    }

    fn request(&mut self, id: u32, interaction: Interaction, payload: Payload, is_complete: bool) {
        let Answering::With(responder) = &self.answering else { return };
        let responder = Arc::clone(responder);
        if interaction == Interaction::FireAndForget {
            return self.in_background(|responder| responder.fire_and_forget(payload));
        }
        let key = self.new_key();
        let mut entry = Entry { id: Some(id), incoming: None, outgoing: Some(Outgoing::default()) };
        let answer: Box<dyn FnOnce() -> Answers> = match interaction {
            Interaction::Channel => {
                let stream = Stream::new(&self.link);
                stream.key.set(key).ok();
                entry.incoming =
                    Some(Incoming::of_channel(Arc::clone(&stream), payload.clone(), is_complete));
                let inbound = Flow::from(Inbound::new(stream));
                Box::new(move || responder.request_channel(&payload, inbound))
            }
            Interaction::Stream => Box::new(move || responder.request_stream(payload)),
            _ => Box::new(move || responder.request_response(payload)),
        };
        self.entries.insert(key, entry);
        self.by_id.insert(id, key);
        let link = self.link.clone();
        if let Err(panic) = caught(|| answer().subscribe(Outbound::new(key, &link))) {
            self.sending_ended(key, Some(panic));
        }
    }

    /// Runs what nobody waits for, unless too much of it is running.
    fn in_background(&mut self, work: impl FnOnce(&dyn Responder) -> Flow<BoxPublisher<()>>) {
        let Answering::With(responder) = &self.answering else { return };
        if self.n_background >= self.max_background {
            return;
        }
        self.n_background += 1;
        let background = Background::new(&self.link);
        // A panic has ended it, which its subscriber tells.
        caught(|| work(&**responder).subscribe(background)).ok();
    }

    /// The connection is over.
    fn over(&mut self, why: Closed) {
        self.link.close(why);
        self.ends_at = Some(Instant::now() + LINGER);
        // The last words are still to be handed over.
        self.is_drained = false;
        self.fail_all();
    }

    /// Fails what is open.
    pub(super) fn fail_all(&mut self) {
        let why = self.link.closed().unwrap_or(Closed::Lost);
        self.by_id.clear();
        for (_, mut entry) in std::mem::take(&mut self.entries) {
            if let Some(subscription) = entry.outgoing.take().and_then(|each| each.subscription) {
                muted(|| subscription.cancel());
            }
            if let Some(mut incoming) = entry.incoming.take() {
                incoming.end(Some(Some(error_of(&why))));
            }
        }
    }
}
