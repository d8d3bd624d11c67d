//! What the subjects of this process meet: the parent's subscribers and subscriptions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use reactive_streams::{ErrorKind, Subscription};

use super::{
    message::{Answered, Message, Notice, Verb},
    peer::Peer,
};
use crate::{play::probe::Listener, sync::lock, trace::Answer};

/// A case, as what it gives to the subject knows it.
pub(super) struct Contact {
    id: u64,
    peer: Arc<Peer>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    over: bool,
    /// What the parent uses by number.
    subscriptions: HashMap<u64, Arc<dyn Subscription>>,
    next: u64,
}

impl Contact {
    pub(super) fn new(id: u64, peer: &Arc<Peer>) -> Arc<Self> {
        Arc::new(Self { id, peer: Arc::clone(peer), kept: Mutex::default() })
    }

    pub(super) fn is_over(&self) -> bool {
        lock(&self.kept).over
    }

    /// Calls the parent, and panics as it does; nothing once the case is over.
    pub(super) fn call(&self, message: Message) -> Message {
        if self.is_over() {
            return Message::returned();
        }
        match self.peer.call(Message { case: Some(self.id), ..message }) {
            Ok(reply) if reply.has_thrown() => {
                std::panic::resume_unwind(Box::new(reply.text.unwrap_or_default()))
            }
            Ok(reply) => reply,
            Err(_) => Message::returned(),
        }
    }

    /// Keeps a subscription that the parent will use by this number.
    fn keep(&self, subscription: Arc<dyn Subscription>) -> u64 {
        let mut kept = lock(&self.kept);
        kept.next += 1;
        let id = kept.next;
        kept.subscriptions.insert(id, subscription);
        id
    }

    /// The subscription of this number.
    pub(super) fn subscription(&self, id: u64) -> Option<Arc<dyn Subscription>> {
        lock(&self.kept).subscriptions.get(&id).cloned()
    }

    /// The parent will not use this subscription any more.
    pub(super) fn release(&self, id: u64) {
        let released = lock(&self.kept).subscriptions.remove(&id);
        drop(released);
    }

    /// Ends the case, and gives back what was kept.
    pub(super) fn end(&self) -> impl Sized + use<> {
        let mut kept = lock(&self.kept);
        kept.over = true;
        std::mem::take(&mut kept.subscriptions)
    }
}

/// A subscription that the parent gave.
pub(super) struct Given {
    pub(super) case: Arc<Contact>,
    pub(super) id: u64,
}

impl Subscription for Given {
    fn request(&self, n: u64) {
        let call = Message { call: Some(Verb::Request), ..Message::default() };
        self.case.call(Message { subscription: Some(self.id), n: Some(n), ..call });
    }

    fn cancel(&self) {
        let call = Message { call: Some(Verb::Cancel), ..Message::default() };
        self.case.call(Message { subscription: Some(self.id), ..call });
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        let (case, subscription) = (Some(self.case.id), Some(self.id));
        let notice = Message::notice(Notice::Released);
        self.case.peer.notify(&Message { case, subscription, ..notice });
    }
}

/// Tells the parent what a subscriber hears, or what a subscriber says to have processed.
pub(super) struct Relay {
    pub(super) case: Weak<Contact>,
    /// The subscriber's number; `None` for reports.
    pub(super) k: Option<u32>,
}

impl Relay {
    fn tell(&self, verb: Verb, with: impl FnOnce(Message) -> Message) -> Message {
        let Some(case) = self.case.upgrade() else { return Message::returned() };
        let message = match self.k {
            Some(_) => Message { call: Some(verb), subscriber: self.k, ..Message::default() },
            None => Message { call: Some(Verb::Report), signal: Some(verb), ..Message::default() },
        };
        case.call(with(message))
    }
}

impl Listener for Relay {
    fn initial_request(&self) -> u64 {
        self.tell(Verb::InitialRequest, |call| call).n.unwrap_or(0)
    }

    fn on_subscribe(&self, subscription: Arc<dyn Subscription>) {
        let id = self.case.upgrade().map(|case| case.keep(subscription));
        self.tell(Verb::OnSubscribe, |call| Message { subscription: id, ..call });
    }

    fn on_next(&self, item: Option<u64>, offered: bool) -> Answer {
        let verb = if offered { Verb::Offer } else { Verb::OnNext };
        match self.tell(verb, |call| Message { item, ..call }).answer {
            None => Answer::Accepted,
            Some(Answered::Skipped) => Answer::Skipped,
            Some(Answered::Finished) => Answer::Finished,
        }
    }

    fn on_error(&self, kind: ErrorKind, number: Option<u64>) {
        let illegal = kind == ErrorKind::IllegalRequest;
        self.tell(Verb::OnError, |call| Message { illegal, ours: number.is_some(), ..call });
    }

    fn on_complete(&self) {
        self.tell(Verb::OnComplete, |call| call);
    }

    fn on_processing(&self) {
        self.tell(Verb::OnSubscribe, |call| call);
    }

    fn on_drop(&self) {
        let Some(case) = self.case.upgrade() else { return };
        let notice = Message::notice(Notice::Dropped);
        case.peer.notify(&Message { case: Some(case.id), subscriber: self.k, ..notice });
    }
}
