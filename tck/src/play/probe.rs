//! The subscriber that the scenarios use: it follows a script and records every call.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    thread::ThreadId,
    time::Duration,
};

use reactive_streams::{Error, ErrorKind, Offer, Subscriber, Subscription};

use crate::{
    play::clock::Moment,
    play::deliberate_error,
    play::event_log,
    play::item::Ledger,
    sync::lock,
    trace::{Answer, Call, Event, Phase},
    verdict::Verdict,
};

/// More events than this are a flood: the probe panics out of the publisher's loop.
const MAX_EVENTS: usize = 1_000_000;

/// Takes events in, from any thread.
#[derive(Clone)]
pub(crate) struct Recorder {
    recorded: Arc<Mutex<Recorded>>,
    /// Calls that take longer are recorded as late.
    pub(crate) budget: Duration,
}

#[derive(Default)]
struct Recorded {
    events: Vec<Event>,
    threads: Vec<ThreadId>,
    harness_error: Option<String>,
    declined: Option<Verdict>,
    ledger: Option<Arc<Ledger>>,
    sealed: bool,
}

thread_local! {
    /// Kept, since asking for it at each event takes longer than recording the event.
    static THREAD: ThreadId = std::thread::current().id();
}

/// The panic of a script, as opposed to one of the subject.
pub(crate) struct ScriptedPanic;

/// Panics without a message on the terminal.
fn panic_quietly() -> ! {
    resume_unwind(Box::new(ScriptedPanic))
}

impl Recorder {
    pub(crate) fn new(budget: Duration) -> Self {
        event_log::begin();
        Self { recorded: Arc::default(), budget }
    }

    pub(crate) fn record(&self, subscription: u32, phase: Phase, call: Call) {
        self.record_item(subscription, phase, call, None);
    }

    pub(crate) fn record_item(
        &self,
        subscription: u32,
        phase: Phase,
        call: Call,
        item: Option<u64>,
    ) {
        let id = THREAD.with(|id| *id);
        let mut recorded = lock(&self.recorded);
        let known = recorded.threads.iter().position(|thread| *thread == id);
        let thread = known.unwrap_or(recorded.threads.len());
        if known.is_none() {
            recorded.threads.push(id);
        }
        let too_much = recorded.sealed || recorded.events.len() >= MAX_EVENTS;
        if too_much && matches!(call, Call::OnNext(_)) && phase == Phase::Made {
            drop(recorded);
            panic_quietly();
        } else if !recorded.sealed {
            let thread = u32::try_from(thread).unwrap_or(u32::MAX);
            let event = Event { subscription, thread, phase, call, item };
            event_log::note(&event);
            recorded.events.push(event);
        }
    }

    /// Records the call around `body`; a panic is recorded and ends here. Whether it returned.
    pub(crate) fn guard(&self, subscription: u32, call: Call, body: impl FnOnce()) -> bool {
        self.record(subscription, Phase::Made, call);
        let begin = Moment::now();
        let phase = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(()) if begin.elapsed() > self.budget => Phase::Late,
            Ok(()) => Phase::Returned,
            Err(_) => Phase::Panicked,
        };
        self.record(subscription, phase, call);
        phase != Phase::Panicked
    }

    /// Takes no more events in, so that what happens when a check cleans up is not judged.
    pub(crate) fn seal(&self) {
        lock(&self.recorded).sealed = true;
    }

    /// Records, after the end, that items are gone.
    pub(crate) fn record_lost(&self, n: u64) {
        let (phase, call) = (Phase::Made, Call::Lost(n));
        let event = Event { subscription: 0, thread: 0, phase, call, item: None };
        lock(&self.recorded).events.push(event);
    }

    /// Where items that can be counted are counted; made when it is first asked for.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(lock(&self.recorded).ledger.get_or_insert_default())
    }

    /// The same, if any publisher made such items.
    pub(crate) fn used_ledger(&self) -> Option<Arc<Ledger>> {
        lock(&self.recorded).ledger.clone().filter(|ledger| ledger.is_used())
    }

    /// Notes that the subject cannot be brought into the situation.
    pub(crate) fn decline(&self, verdict: Verdict) {
        lock(&self.recorded).declined.get_or_insert(verdict);
    }

    pub(crate) fn declined(&self) -> Option<Verdict> {
        lock(&self.recorded).declined.clone()
    }

    /// Notes that the code which makes the subject failed.
    pub(crate) fn fail_harness(&self, message: impl Into<String>) {
        lock(&self.recorded).harness_error.get_or_insert(message.into());
    }

    pub(crate) fn harness_error(&self) -> Option<String> {
        lock(&self.recorded).harness_error.clone()
    }

    /// All events, which are then no longer here: a copy of a million of them takes time.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut lock(&self.recorded).events)
    }

    pub(crate) fn n_events(&self) -> usize {
        lock(&self.recorded).events.len()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        lock(&self.recorded).events.clone()
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
}

impl Blueprint {
    pub(crate) fn new(id: u32, recorder: &Recorder, script: Script) -> Self {
        let deeds = Arc::default();
        Self { id, recorder: recorder.clone(), script, deeds, slot: Slot::default() }
    }

    pub(crate) fn build<T>(self, identify: Identify<T>) -> Probe<T> {
        Probe { blueprint: self, identify, seen: 0 }
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
