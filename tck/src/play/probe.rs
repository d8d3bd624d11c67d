//! The subscriber that the scenarios use: it follows a script and records every call.

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
}

/// Tells items apart.
pub(crate) type Identify<T> = Arc<dyn Fn(&T) -> Option<u64> + Send + Sync>;

/// A subscriber of anything.
pub(crate) struct Probe<T> {
    blueprint: Blueprint,
    identify: Identify<T>,
    seen: u64,
    /// Whether the publisher has taken the initial request.
    initial_taken: bool,
    /// The thread of the last item, and the highest address of its stack at an item.
    stack: Option<(ThreadId, usize)>,
}

impl Blueprint {
    pub(crate) fn new(id: u32, recorder: &Recorder, script: Script) -> Self {
        let deeds = Arc::default();
        Self { id, recorder: recorder.clone(), script, deeds, slot: Slot::default() }
    }

    pub(crate) fn build<T>(self, identify: Identify<T>) -> Probe<T> {
        Probe { blueprint: self, identify, seen: 0, initial_taken: false, stack: None }
    }
}

impl<T> Probe<T> {
    fn record(&self, phase: Phase, call: Call) {
        self.blueprint.recorder.record(self.blueprint.id, phase, call);
    }

    fn react(&self, handle: &Handle) {
        for deed in self.blueprint.deeds.iter().filter(|deed| deed.at == self.seen) {
            handle.act(deed.act);
        }
    }

    fn receive(&mut self, item: &T, offered: bool) -> Answer {
        let Blueprint { id, script, .. } = self.blueprint;
        let made = Call::OnNext(Answer::Accepted);
        let item = (self.identify)(item);
        self.blueprint.recorder.record_item(id, Phase::Made, made, item);
        self.seen += 1;
        self.watch_stack();
        if script.panic_at == Some(self.seen) {
            self.record(Phase::Panicked, made);
            panic_quietly();
        }
        let handle = lock(&self.blueprint.slot).clone();
        if let Some(handle) = handle {
            match script.each {
                _ if script.cancel_at == Some(self.seen) => {
                    handle.cancel();
                }
                Some(n) if script.elsewhere => handle.request_elsewhere(n),
                Some(n) => {
                    handle.request(n);
                }
                None => {}
            }
            self.react(&handle);
        }
        let answer = match offered {
            true if script.finish_at == Some(self.seen) => Answer::Finished,
            true if script.skip && self.seen % 2 == 1 => Answer::Skipped,
            _ => Answer::Accepted,
        };
        self.record(Phase::Returned, Call::OnNext(answer));
        answer
    }

    /// A publisher that sends each item from within the one before, by whatever calls, comes to the end of
    /// its stack. That would end the process, so it is stopped before.
    fn watch_stack(&mut self) {
        let here = 0_u8;
        let address = std::ptr::from_ref(&here).addr();
        let id = THREAD.with(|id| *id);
        let base = match self.stack {
            Some((thread, base)) if thread == id => base.max(address),
            _ => address,
        };
        self.stack = Some((id, base));
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

impl<T: 'static> Subscriber<T> for Probe<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.record(Phase::Made, Call::OnSubscribe);
        let Blueprint { id, recorder, script, slot, .. } = &self.blueprint;
        if lock(slot).is_some() {
            // Rule 2.5. That there were two stands in the trace.
            subscription.cancel();
            return self.record(Phase::Returned, Call::OnSubscribe);
        }
        let handle = Handle { id: *id, inner: subscription, recorder: recorder.clone() };
        *lock(slot) = Some(handle.clone());
        if script.initial > 0 && !self.initial_taken {
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
        self.react(&handle);
        if script.panic_at == Some(0) {
            self.record(Phase::Panicked, Call::OnSubscribe);
            panic_quietly();
        }
        self.record(Phase::Returned, Call::OnSubscribe);
    }

    fn initial_request(&mut self) -> u64 {
        let first = !std::mem::replace(&mut self.initial_taken, true);
        let n = if first { self.blueprint.script.initial } else { 0 };
        if self.blueprint.script.initial > 0 {
            self.record(Phase::Made, Call::InitialRequest(n));
        }
        n
    }

    fn on_next(&mut self, item: T) {
        let _accepted = self.receive(&item, false);
    }

    fn offer(&mut self, item: T) -> Offer {
        match self.receive(&item, true) {
            Answer::Accepted => Offer::Accepted,
            Answer::Skipped => Offer::Skipped,
            Answer::Finished => Offer::Finished,
        }
    }

    fn on_error(self, error: Error) {
        let call = Call::OnError(error.kind() == ErrorKind::IllegalRequest);
        self.end(call, deliberate_error::number(&error));
    }

    fn on_complete(self) {
        self.end(Call::OnComplete, None);
    }
}

impl<T> Drop for Probe<T> {
    fn drop(&mut self) {
        self.record(Phase::Made, Call::Drop);
    }
}
