//! A subject that another process plays.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use reactive_streams::{ErrorKind, Subscription};

use super::{
    child::{Playing, Process},
    message::{Answered, Message, Notice, Verb},
    peer::{self, Gone},
};
use crate::{
    play::{
        clock,
        probe::{Listener, Recorder},
    },
    sync::lock,
    trace::Answer,
};

/// A subject that is being played.
pub(super) struct Case {
    pub(super) id: u64,
    pub(super) process: Arc<Process>,
    pub(super) recorder: Recorder,
    /// Told when the last use of the case is over.
    done: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    listeners: Mutex<HashMap<u32, Arc<dyn Listener>>>,
    /// Those that were given to the subject.
    given: Mutex<Given>,
    reports: Mutex<Option<Arc<dyn Listener>>>,
}

#[derive(Default)]
struct Given {
    subscriptions: HashMap<u64, Arc<dyn Subscription>>,
    next: u64,
}

/// A subscription that the subject gave.
struct Remote {
    case: Arc<Case>,
    id: u64,
}

impl Case {
    /// Begins a case; `done` is told when its last use is over.
    pub(super) fn begin(
        process: &Arc<Process>,
        recorder: &Recorder,
        done: Box<dyn FnOnce() + Send>,
    ) -> Arc<Self> {
        let case = Arc::new(Self {
            id: process.number(),
            process: Arc::clone(process),
            recorder: recorder.clone(),
            done: Mutex::new(Some(done)),
            listeners: Mutex::default(),
            given: Mutex::default(),
            reports: Mutex::default(),
        });
        let playing: Arc<dyn Playing> = Arc::<Self>::clone(&case);
        process.enter(case.id, Arc::downgrade(&playing));
        case
    }

    /// The subject no longer holds this subscriber.
    fn hear_dropped(&self, subscriber: Option<u32>) {
        let listener = subscriber.and_then(|k| lock(&self.listeners).remove(&k));
        if let Some(listener) = listener {
            listener.on_drop();
        }
    }

    /// The subject no longer holds this subscription.
    fn hear_released(&self, subscription: Option<u64>) {
        let released = subscription.and_then(|id| lock(&self.given).subscriptions.remove(&id));
        drop(released);
    }

    pub(super) fn call(&self, verb: Verb) -> Message {
        Message::call(verb, self.id)
    }

    pub(super) fn ask(&self, message: Message) -> Result<Message, Gone> {
        self.process.peer.call(message)
    }

    /// Asks, and panics as the other side did.
    pub(super) fn ask_or_panic(&self, message: Message) -> Message {
        match self.ask(message) {
            Ok(reply) if reply.has_thrown() => {
                std::panic::resume_unwind(Box::new(reply.text.unwrap_or_default()))
            }
            Ok(reply) => reply,
            Err(Gone) => Message::returned(),
        }
    }

    /// Hears the subscriber of this number.
    pub(super) fn listen(&self, subscriber: u32, listener: Arc<dyn Listener>) {
        lock(&self.listeners).insert(subscriber, listener);
    }

    /// Hears what a subscriber reports by itself.
    pub(super) fn report_to(&self, listener: Arc<dyn Listener>) {
        *lock(&self.reports) = Some(listener);
    }

    /// Gives the subject a subscription, which is named by a number.
    pub(super) fn give(&self, subscription: Arc<dyn Subscription>) -> u64 {
        let mut given = lock(&self.given);
        given.next += 1;
        let id = given.next;
        given.subscriptions.insert(id, subscription);
        id
    }

    /// Lets go of the subscriptions that were given, after the subscriber was let go.
    pub(super) fn forget(&self) {
        let given = std::mem::take(&mut lock(&self.given).subscriptions);
        drop(given);
    }
}

impl Playing for Case {
    fn answer(self: Arc<Self>, call: &Message) -> Message {
        let Some(verb) = call.call else { return Message::returned() };
        if let Some(id) = call.subscription
            && matches!(verb, Verb::Request | Verb::Cancel)
        {
            let given = lock(&self.given).subscriptions.get(&id).cloned();
            match (given, verb) {
                (Some(given), Verb::Request) => given.request(call.n.unwrap_or(0)),
                (Some(given), _) => given.cancel(),
                (None, _) => {}
            }
            return Message::returned();
        }
        let listener = match verb {
            Verb::Report => lock(&self.reports).clone(),
            _ => call.subscriber.and_then(|k| lock(&self.listeners).get(&k).cloned()),
        };
        let Some(listener) = listener else { return Message::returned() };
        let mut reply = Message::returned();
        match if verb == Verb::Report { call.signal.unwrap_or(verb) } else { verb } {
            Verb::OnSubscribe if verb == Verb::Report => listener.on_processing(),
            Verb::OnSubscribe => {
                let id = call.subscription.unwrap_or(0);
                listener.on_subscribe(Arc::new(Remote { case: Arc::clone(&self), id }));
            }
            Verb::OnNext => drop(listener.on_next(call.item, false)),
            Verb::Offer => {
                reply.answer = match listener.on_next(call.item, true) {
                    Answer::Accepted => None,
                    Answer::Skipped => Some(Answered::Skipped),
                    Answer::Finished => Some(Answered::Finished),
                };
            }
            Verb::OnError => {
                let ours = call.ours.then_some(crate::play::deliberate_error::NUMBER);
                // Other languages say no more of an error.
                let illegal = call.illegal.then_some(ErrorKind::IllegalRequest);
                listener.on_error(illegal.unwrap_or(ErrorKind::Other), ours);
            }
            Verb::OnComplete => listener.on_complete(),
            Verb::InitialRequest => reply.n = Some(listener.initial_request()),
            other => {
                self.recorder
                    .fail_harness(format!("the process called `{other:?}`, which is ours"));
            }
        }
        reply
    }

    fn hear(&self, notice: &Message) {
        match notice.notice {
            Some(Notice::Dropped) => self.hear_dropped(notice.subscriber),
            Some(Notice::Released) => self.hear_released(notice.subscription),
            Some(Notice::Beat) | None => {}
        }
    }

    fn fail(&self, reason: String) {
        self.recorder.fail_harness(reason);
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        self.process.close(self.id);
        let process = Arc::clone(&self.process);
        let end = Message::call(Verb::End, self.id);
        let done = lock(&self.done).take();
        let finish = move || {
            let is_ended = process.peer.call(end).is_ok();
            if let (true, Some(done)) = (is_ended, done) {
                done();
            }
        };
        // The reader cannot wait for what it has to read itself.
        if peer::is_reading() {
            clock::spawn(finish);
        } else {
            finish();
        }
    }
}

impl Subscription for Remote {
    fn request(&self, n: u64) {
        let call = self.case.call(Verb::Request);
        self.case.ask_or_panic(Message { subscription: Some(self.id), n: Some(n), ..call });
    }

    fn cancel(&self) {
        let call = self.case.call(Verb::Cancel);
        self.case.ask_or_panic(Message { subscription: Some(self.id), ..call });
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let notice = Message {
            case: Some(self.case.id),
            subscription: Some(self.id),
            ..Message::notice(Notice::Released)
        };
        self.case.process.peer.notify(&notice);
    }
}
