//! The subscriber that the scenarios use: it follows a script and records every call.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::ThreadId,
};

use reactive_streams::{Error, ErrorKind, Offer, Subscriber, Subscription};

use crate::trace::{Answer, Call, Event, Phase};

/// More events than this are a flood: the probe panics out of the publisher's loop.
const MAX_EVENTS: usize = 1_000_000;

/// Takes events in, from any thread.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    events: Vec<Event>,
    threads: Vec<ThreadId>,
}

/// The panic of a script, as opposed to one of the subject.
pub(crate) struct ScriptedPanic;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    pub(crate) fn record(&self, subscription: u32, phase: Phase, call: Call) {
        let id = std::thread::current().id();
        let mut recorded = lock(&self.0);
        let known = recorded.threads.iter().position(|thread| *thread == id);
        let thread = known.unwrap_or(recorded.threads.len());
        if known.is_none() {
            recorded.threads.push(id);
        }
        if recorded.events.len() < MAX_EVENTS || !matches!(call, Call::OnNext(_)) {
            let thread = u32::try_from(thread).unwrap_or(u32::MAX);
            recorded.events.push(Event { subscription, thread, phase, call });
        } else {
            drop(recorded);
            panic_any(ScriptedPanic);
        }
    }

    /// Records the call around `body`; a panic is recorded and ends here.
    pub(crate) fn guard(&self, subscription: u32, call: Call, body: impl FnOnce()) {
        self.record(subscription, Phase::Made, call);
        let phase = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(()) => Phase::Returned,
            Err(_) => Phase::Panicked,
        };
        self.record(subscription, phase, call);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        lock(&self.0).events.clone()
    }
}

/// What a probe does on its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Script {
    /// Requests from within `on_subscribe`.
    pub(crate) first: &'static [u64],
    /// Cancels from within `on_subscribe`, after the requests.
    pub(crate) cancel_first: bool,
    /// Requests so many from within each `on_next`.
    pub(crate) each: Option<u64>,
    /// Cancels from within this `on_next`, counted from 1.
    pub(crate) cancel_at: Option<u64>,
    /// Panics in this `on_next`.
    pub(crate) panic_at: Option<u64>,
    /// Answers `Skipped` to every second offer.
    pub(crate) skip: bool,
    /// Answers `Finished` to this offer.
    pub(crate) finish_at: Option<u64>,
}

/// A subscription with a recorder around it.
#[derive(Clone)]
pub(crate) struct Handle {
    id: u32,
    inner: Arc<dyn Subscription>,
    recorder: Recorder,
}

impl Handle {
    pub(crate) fn request(&self, n: u64) {
        self.recorder.guard(self.id, Call::Request(n), || self.inner.request(n));
    }

    pub(crate) fn cancel(&self) {
        self.recorder.guard(self.id, Call::Cancel, || self.inner.cancel());
    }
}

/// Where the scenario finds the handle of its probe.
pub(crate) type Slot = Arc<Mutex<Option<Handle>>>;

/// A subscriber of anything.
pub(crate) struct Probe {
    id: u32,
    recorder: Recorder,
    script: Script,
    slot: Slot,
    seen: u64,
}

impl Probe {
    pub(crate) fn new(id: u32, recorder: Recorder, script: Script, slot: Slot) -> Self {
        Self { id, recorder, script, slot, seen: 0 }
    }

    fn receive(&mut self, offered: bool) -> Answer {
        let made = Call::OnNext(Answer::Accepted);
        self.recorder.record(self.id, Phase::Made, made);
        self.seen += 1;
        if self.script.panic_at == Some(self.seen) {
            self.recorder.record(self.id, Phase::Panicked, made);
            panic_any(ScriptedPanic);
        }
        let handle = lock(&self.slot).clone();
        if let Some(handle) = handle {
            if self.script.cancel_at == Some(self.seen) {
                handle.cancel();
            } else if let Some(n) = self.script.each {
                handle.request(n);
            }
        }
        let answer = match offered {
            true if self.script.finish_at == Some(self.seen) => Answer::Finished,
            true if self.script.skip && self.seen % 2 == 1 => Answer::Skipped,
            _ => Answer::Accepted,
        };
        self.recorder.record(self.id, Phase::Returned, Call::OnNext(answer));
        answer
    }
}

impl<T> Subscriber<T> for Probe {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.recorder.record(self.id, Phase::Made, Call::OnSubscribe);
        let recorder = self.recorder.clone();
        let handle = Handle { id: self.id, inner: subscription, recorder };
        *lock(&self.slot) = Some(handle.clone());
        for n in self.script.first {
            handle.request(*n);
        }
        if self.script.cancel_first {
            handle.cancel();
        }
        self.recorder.record(self.id, Phase::Returned, Call::OnSubscribe);
    }

    fn on_next(&mut self, item: T) {
        drop(item);
        self.receive(false);
    }

    fn offer(&mut self, item: T) -> Offer {
        drop(item);
        match self.receive(true) {
            Answer::Accepted => Offer::Accepted,
            Answer::Skipped => Offer::Skipped,
            Answer::Finished => Offer::Finished,
        }
    }

    fn on_error(self, error: Error) {
        let call = Call::OnError(error.kind() == ErrorKind::IllegalRequest);
        self.recorder.record(self.id, Phase::Made, call);
        self.recorder.record(self.id, Phase::Returned, call);
    }

    fn on_complete(self) {
        self.recorder.record(self.id, Phase::Made, Call::OnComplete);
        self.recorder.record(self.id, Phase::Returned, Call::OnComplete);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.recorder.record(self.id, Phase::Made, Call::Drop);
    }
}
