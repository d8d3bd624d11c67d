//! The subscriber that the scenarios use: it follows a script and records every call.
//!
//! A [`Probe`] is the subscriber that a publisher gets, and passes what it hears to a [`Listener`]:
//! the one that [records](Recording), or one that tells another process.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread::ThreadId,
};

use reactive_streams::{Error, ErrorKind, Offer, Subscriber, Subscription};

pub(crate) use super::recorder::Recorder;
use super::{
    deliberate_error,
    recorder::{THREAD, panic_quietly},
};
use crate::{
    sync::lock,
    trace::{Answer, Call, Phase},
};

/// So many bytes of stack between two items on a thread are no matter of how they were requested.
const MAX_STACK: usize = 256 * 1024;

/// What a probe does on its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Script {
    /// Is going to request so many from within `on_subscribe`, and says so to `initial_request`.
    pub(crate) initial: u64,
    /// Requests from within `on_subscribe`.
    pub(crate) first: &'static [u64],
    /// Cancels from within `on_subscribe`, after the requests.
    pub(crate) cancel_first: bool,
    /// Requests so many from within each `on_next`.
    pub(crate) each: Option<u64>,
    /// Requests of signals are made by another thread, while the signal waits for it.
    pub(crate) elsewhere: bool,
    /// Cancels from within this `on_next`, counted from 1.
    pub(crate) cancel_at: Option<u64>,
    /// Panics in this `on_next`; 0 is `on_subscribe`.
    pub(crate) panic_at: Option<u64>,
    /// Panics in the terminal signal.
    pub(crate) panic_last: bool,
    /// Answers `Skipped` to every second offer.
    pub(crate) skip: bool,
    /// Answers `Finished` to this offer.
    pub(crate) finish_at: Option<u64>,
}

/// Something that is done from within a signal: 0 is `on_subscribe`, n the n-th `on_next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) at: u64,
    pub(crate) act: Act,
}

/// What can be done with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Request(u64),
    Cancel,
}

/// A subscription with a recorder around it.
#[derive(Clone)]
pub(crate) struct Handle {
    id: u32,
    inner: Arc<dyn Subscription>,
    recorder: Recorder,
}

impl Handle {
    /// Whether it returned.
    pub(crate) fn request(&self, n: u64) -> bool {
        self.recorder.guard(self.id, Call::Request(n), || self.inner.request(n))
    }

    /// Whether it returned.
    pub(crate) fn cancel(&self) -> bool {
        self.recorder.guard(self.id, Call::Cancel, || self.inner.cancel())
    }

    pub(crate) fn act(&self, act: Act) -> bool {
        match act {
            Act::Request(n) => self.request(n),
            Act::Cancel => self.cancel(),
        }
    }

    /// Drops the subscription, which is recorded before.
    pub(crate) fn release(self) {
        self.recorder.record(self.id, Phase::Made, Call::Release);
    }

    /// Cancels what a check leaves behind, whatever comes of it.
    pub(crate) fn clean_up(self) {
        drop(catch_unwind(AssertUnwindSafe(|| self.inner.cancel())));
    }

    fn request_elsewhere(&self, n: u64) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.request(n));
        });
    }
}

/// Where the scenario finds the handle of its probe.
pub(crate) type Slot = Arc<Mutex<Option<Handle>>>;

/// What a probe is made of, before the type of its items is known.
#[derive(Clone)]
pub(crate) struct Blueprint {
    pub(crate) id: u32,
    pub(crate) recorder: Recorder,
    pub(crate) script: Script,
    /// Done besides the script, after it.
    pub(crate) deeds: Arc<[Deed]>,
    pub(crate) slot: Slot,
    /// What the signals go to in place of the script.
    relay: Option<Arc<dyn Listener>>,
}

/// Tells items apart.
pub(crate) type Identify<T> = Arc<dyn Fn(&T) -> Option<u64> + Send + Sync>;

/// What a subscriber hears, of any item and from any thread.
pub(crate) trait Listener: Send + Sync {
    fn initial_request(&self) -> u64;
    fn on_subscribe(&self, subscription: Arc<dyn Subscription>);
    /// An item, which may be offered.
    fn on_next(&self, item: Option<u64>, offered: bool) -> Answer;
    /// An error: whether its kind is `IllegalRequest`, and its number if it is the TCK's.
    fn on_error(&self, kind: ErrorKind, number: Option<u64>);
    fn on_complete(&self);
    /// The subscriber was dropped.
    fn on_drop(&self);
    /// A subscriber says that it has processed its subscription.
    #[cfg(feature = "cli")]
    fn on_processing(&self) {}
}

/// A subscriber of anything.
pub(crate) struct Probe<T> {
    listener: Arc<dyn Listener>,
    identify: Identify<T>,
}

/// The listener that follows the script and records every call.
struct Recording {
    blueprint: Blueprint,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    seen: u64,
    /// Whether the publisher has taken the initial request.
    initial_taken: bool,
    /// The thread of the last item, and the highest address of its stack at an item.
    stack: Option<(ThreadId, usize)>,
}

impl Blueprint {
    pub(crate) fn new(id: u32, recorder: &Recorder, script: Script) -> Self {
        let deeds = Arc::default();
        let (recorder, slot) = (recorder.clone(), Slot::default());
        Self { id, recorder, script, deeds, slot, relay: None }
    }

    /// One whose subscriber passes what it hears to `relay`, and does nothing of its own.
    #[cfg(feature = "cli")]
    pub(crate) fn relaying(id: u32, recorder: &Recorder, relay: Arc<dyn Listener>) -> Self {
        Self { relay: Some(relay), ..Self::new(id, recorder, Script::default()) }
    }

    /// What the subscriber's signals come to.
    pub(crate) fn listener(self) -> Arc<dyn Listener> {
        match self.relay {
            Some(relay) => relay,
            None => Arc::new(Recording { blueprint: self, progress: Mutex::default() }),
        }
    }

    pub(crate) fn build<T>(self, identify: Identify<T>) -> Probe<T> {
        Probe { listener: self.listener(), identify }
    }
}

impl Recording {
    fn record(&self, phase: Phase, call: Call) {
        self.blueprint.recorder.record(self.blueprint.id, phase, call);
    }

    fn react(&self, handle: &Handle, seen: u64) {
        for deed in self.blueprint.deeds.iter().filter(|deed| deed.at == seen) {
            handle.act(deed.act);
        }
    }

    /// A publisher that sends each item from within the one before, by whatever calls, comes to the
    /// end of its stack. That would end the process, so it is stopped before.
    fn watch_stack(&self) {
        let here = 0_u8;
        let address = std::ptr::from_ref(&here).addr();
        let id = THREAD.with(|id| *id);
        let mut progress = lock(&self.progress);
        let base = match progress.stack {
            Some((thread, base)) if thread == id => base.max(address),
            _ => address,
        };
        progress.stack = Some((id, base));
        drop(progress);
        let grown = base - address;
        if grown > MAX_STACK {
            self.record(Phase::Made, Call::Stack(grown as u64));
            self.record(Phase::Panicked, Call::OnNext(Answer::Accepted));
            panic_quietly();
        }
    }

    fn end(&self, call: Call, failure: Option<u64>) {
        let record = |phase| {
            self.blueprint.recorder.record_item(self.blueprint.id, phase, call, failure);
        };
        record(Phase::Made);
        if self.blueprint.script.panic_last {
            record(Phase::Panicked);
            panic_quietly();
        }
        record(Phase::Returned);
    }
}

impl Listener for Recording {
    fn on_subscribe(&self, subscription: Arc<dyn Subscription>) {
        self.record(Phase::Made, Call::OnSubscribe);
        let Blueprint { id, recorder, script, slot, .. } = &self.blueprint;
        if lock(slot).is_some() {
            // Rule 2.5. That there were two stands in the trace.
            subscription.cancel();
            return self.record(Phase::Returned, Call::OnSubscribe);
        }
        let handle = Handle { id: *id, inner: subscription, recorder: recorder.clone() };
        *lock(slot) = Some(handle.clone());
        let initial_taken = lock(&self.progress).initial_taken;
        if script.initial > 0 && !initial_taken {
            handle.request(script.initial);
        }
        for n in script.first {
            if script.elsewhere {
                handle.request_elsewhere(*n);
            } else {
                handle.request(*n);
            }
        }
        if script.cancel_first {
            handle.cancel();
        }
        let seen = lock(&self.progress).seen;
        self.react(&handle, seen);
        if script.panic_at == Some(0) {
            self.record(Phase::Panicked, Call::OnSubscribe);
            panic_quietly();
        }
        self.record(Phase::Returned, Call::OnSubscribe);
    }

    fn initial_request(&self) -> u64 {
        let first = !std::mem::replace(&mut lock(&self.progress).initial_taken, true);
        let n = if first { self.blueprint.script.initial } else { 0 };
        if self.blueprint.script.initial > 0 {
            self.record(Phase::Made, Call::InitialRequest(n));
        }
        n
    }

    fn on_next(&self, item: Option<u64>, offered: bool) -> Answer {
        let Blueprint { id, script, .. } = self.blueprint;
        let made = Call::OnNext(Answer::Accepted);
        self.blueprint.recorder.record_item(id, Phase::Made, made, item);
        let seen = {
            let mut progress = lock(&self.progress);
            progress.seen += 1;
            progress.seen
        };
        self.watch_stack();
        if script.panic_at == Some(seen) {
            self.record(Phase::Panicked, made);
            panic_quietly();
        }
        let handle = lock(&self.blueprint.slot).clone();
        if let Some(handle) = handle {
            match script.each {
                _ if script.cancel_at == Some(seen) => {
                    handle.cancel();
                }
                Some(n) if script.elsewhere => handle.request_elsewhere(n),
                Some(n) => {
                    handle.request(n);
                }
                None => {}
            }
            self.react(&handle, seen);
        }
        let answer = match offered {
            true if script.finish_at == Some(seen) => Answer::Finished,
            true if script.skip && seen % 2 == 1 => Answer::Skipped,
            _ => Answer::Accepted,
        };
        self.record(Phase::Returned, Call::OnNext(answer));
        answer
    }

    fn on_error(&self, kind: ErrorKind, number: Option<u64>) {
        self.end(Call::OnError(kind), number);
    }

    fn on_complete(&self) {
        self.end(Call::OnComplete, None);
    }

    fn on_drop(&self) {
        self.record(Phase::Made, Call::Drop);
    }
}

impl<T: 'static> Subscriber<T> for Probe<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.listener.on_subscribe(subscription);
    }

    fn initial_request(&mut self) -> u64 {
        self.listener.initial_request()
    }

    fn on_next(&mut self, item: T) {
        let _accepted = self.listener.on_next((self.identify)(&item), false);
    }

    fn offer(&mut self, item: T) -> Offer {
        match self.listener.on_next((self.identify)(&item), true) {
            Answer::Accepted => Offer::Accepted,
            Answer::Skipped => Offer::Skipped,
            Answer::Finished => Offer::Finished,
        }
    }

    fn on_error(self, error: Error) {
        self.listener.on_error(error.kind(), deliberate_error::number(&error));
    }

    fn on_complete(self) {
        self.listener.on_complete();
    }
}

impl<T> Drop for Probe<T> {
    fn drop(&mut self) {
        self.listener.on_drop();
    }
}
