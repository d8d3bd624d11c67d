//! What flows tell the task.

use std::{sync::Arc, task::Context};

use millstream_kernel::guard::{caught, muted};
use reactive_streams::{Error, ErrorKind, Subscriber as _};

use super::{Driver, Entry, incoming::Incoming, outgoing::Outgoing};
use crate::{
    ErrorCode, Payload, RSocketError,
    link::{Begin, Call, Command, Stream},
    proto::{Interaction, OpenError, Request},
    transport::Transport,
};

impl<T: Transport> Driver<T> {
    pub(super) fn command(&mut self, command: Command, cx: &mut Context<'_>) {
        match command {
            Command::Call(call) => self.call(call),
            Command::Ring(stream) => self.ring(&stream),
            Command::Started(key, subscription) => {
                let entry = self.entries.get_mut(&key);
                match entry.and_then(|entry| entry.outgoing.as_mut()) {
                    Some(outgoing) => {
                        outgoing.subscription = Some(subscription);
                        self.ask(key);
                    }
                    None => muted(|| subscription.cancel()),
                }
            }
            Command::Item(key, item) => self.send(key, item, cx),
            Command::Items(key, inbox) => {
                let entry = self.entries.get_mut(&key);
                if let Some(outgoing) = entry.and_then(|entry| entry.outgoing.as_mut()) {
                    outgoing.inbox = Some(inbox);
                    self.send_items(key, cx);
                }
            }
            Command::More(key) => self.send_items(key, cx),
            Command::Ended(key, error) => {
                self.send_items(key, cx);
                self.sending_ended(key, error);
            }
            Command::Done => self.n_background -= 1,
            Command::Metadata(metadata) => {
                self.connection.push_metadata(metadata);
            }
            Command::Lease(n_requests, ttl_ms) => {
                self.connection.tick(self.start.elapsed());
                let ttl = std::time::Duration::from_millis(ttl_ms.into());
                self.connection.grant_lease(n_requests, ttl, None);
            }
            Command::Close => self.connection.close(),
        }
        self.events();
    }
}

impl<T> Driver<T> {
    /// What is told to a task that is over.
    pub(super) fn discard(&mut self, command: Command) {
        match command {
            Command::Call(Call { stream, .. }) | Command::Ring(stream) => {
                muted(|| stream.disconnect());
            }
            Command::Started(_, subscription) => muted(|| subscription.cancel()),
            Command::Item(_, item) => drop(item),
            _ => {}
        }
    }

    fn call(&mut self, call: Call) {
        let key = self.new_key();
        // It was made for this call.
        call.stream.key.set(key).ok();
        let entry = Entry { id: None, incoming: Some(Incoming::of_call(call)), outgoing: None };
        self.entries.insert(key, entry);
    }

    pub(super) fn new_key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// Takes what is new in a stream's slot.
    fn ring(&mut self, stream: &Arc<Stream>) {
        let changes = stream.slot().take();
        let key = stream.key.get().copied().unwrap_or(0);
        let entry = self.entries.get_mut(&key);
        let Some(incoming) = entry.and_then(|entry| entry.incoming.as_mut()) else {
            // The stream is over for it, and it knows that unless the connection is.
            let is_open = self.link.closed().is_some() && stream.slot().cancel();
            return muted(|| match changes.subscriber {
                Some(subscriber) if is_open => subscriber.on_error(self.link.error()),
                other => drop(other),
            });
        };
        if changes.subscriber.is_some() {
            incoming.subscriber = changes.subscriber;
        }
        incoming.demand.add(changes.demand);
        if stream.slot().is_canceled() {
            self.cancel(key);
        } else if changes.is_illegal {
            self.refuse_request(key);
        } else {
            self.go_on(key);
        }
    }

    /// Ends a stream whose subscriber has asked for nothing (rule 3.9), also if it asked from
    /// within `on_subscribe` and is still to come.
    fn refuse_request(&mut self, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(incoming) = &mut entry.incoming else { return };
        if incoming.subscriber.is_some() {
            return self.cancel_with(key, Some(Error::illegal_request()));
        }
        incoming.begin = None;
        incoming.first = None;
        if let Some(id) = entry.id {
            self.connection.cancel(id);
        }
        self.receiving_ended(key, Some(Error::illegal_request()));
    }

    /// Sends the request of a call, if its subscriber is there and has asked for something.
    pub(super) fn open_if_asked(&mut self, key: u64) {
        let entry = self.entries.get_mut(&key);
        let Some(incoming) = entry.and_then(|entry| entry.incoming.as_mut()) else { return };
        let needs_demand = incoming.interaction != Interaction::FireAndForget;
        let is_asked = !needs_demand || !incoming.demand.is_zero();
        if incoming.subscriber.is_none() || !is_asked {
            return;
        }
        match incoming.begin.take() {
            Some(Begin::With(payload)) => self.open(key, payload),
            Some(Begin::From(subscribe)) => {
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.outgoing = Some(Outgoing::default());
                }
                let link = self.link.clone();
                if let Err(panic) = caught(|| subscribe(key, &link)) {
                    self.sending_ended(key, Some(panic));
                }
            }
            None => {}
        }
    }

    pub(super) fn open(&mut self, key: u64, payload: Payload) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(incoming) = &mut entry.incoming else { return };
        let demand = std::mem::take(&mut incoming.demand).get();
        let request =
            Request { interaction: incoming.interaction, payload, demand, is_complete: false };
        self.connection.tick(self.start.elapsed());
        match self.connection.open(request) {
            Ok(id) => {
                entry.id = Some(id);
                self.by_id.insert(id, key);
            }
            Err(refusal) => {
                self.drop_outgoing(key);
                let error = match refusal {
                    OpenError::NoLease => Error::with_source(ErrorKind::Rejected, "", refusal),
                    OpenError::Closed if self.link.closed().is_some() => self.link.error(),
                    refusal => Error::with_source(ErrorKind::Disconnected, "", refusal),
                };
                self.receiving_ended(key, Some(error));
            }
        }
    }

    /// A publisher has ended, and so does what the stream sends.
    pub(super) fn sending_ended(&mut self, key: u64, error: Option<Error>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.outgoing = None;
        match (entry.id, error) {
            (Some(id), None) => self.connection.complete(id),
            (Some(id), Some(error)) => {
                let RSocketError { code, data } = RSocketError::of(&error);
                // What is of the connection would end more than this stream.
                let code =
                    if code.is_of_connection() { ErrorCode::APPLICATION_ERROR } else { code };
                self.connection.fail_stream(id, code, data);
                self.receiving_ended(key, Some(error));
            }
            // A channel that was never opened.
            (None, error) => self.receiving_ended(key, error),
        }
        self.forget_if_over(key);
    }

    /// Takes no more of a stream, on behalf of its subscriber.
    pub(super) fn cancel(&mut self, key: u64) {
        self.cancel_with(key, None);
    }

    fn cancel_with(&mut self, key: u64, error: Option<Error>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let incoming = entry.incoming.take();
        if let Some(id) = entry.id {
            self.connection.cancel(id);
        }
        let is_ours = incoming.as_ref().is_some_and(|incoming| incoming.is_ours);
        if is_ours {
            // A requester takes its request back, and sends nothing more of it.
            self.drop_outgoing(key);
        }
        if let Some(mut incoming) = incoming {
            incoming.end(error.map(Some));
        }
        self.forget_if_over(key);
    }
}
