//! The TCK as a publisher: it sends what its script allows, and never more than was asked for.
//!
//! A [`Line`] owns the subscriber that it serves. One thread at a time has the subscriber in its
//! hands: it takes it out of the line, signals, looks again, and puts it back under the lock under
//! which it saw that there was nothing more to do. So a request from another thread is never lost,
//! and one from within a signal is answered when the signal has returned.

mod state;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard},
};

use reactive_streams::{Error, ErrorKind, Offer, Subscription};

use self::state::{Next, State};
use crate::{
    play::clock::Moment,
    play::deliberate_error,
    play::probe::Recorder,
    sync::lock,
    trace::{Answer, Call, Phase},
};

/// A subscriber without its type; items are made from their numbers.
pub(crate) trait Target: Send {
    fn initial_request(&mut self) -> u64;
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>);
    /// Makes the item that the next signal carries, and says how it can be told from others.
    fn prepare(&mut self, index: u64) -> Option<u64>;
    fn on_next(&mut self);
    fn offer(&mut self) -> Offer;
    fn on_error(self: Box<Self>, error: Error);
    fn on_complete(self: Box<Self>);
    /// Asks it from outside to request.
    fn trigger(&mut self, n: u64);
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    Fail,
}

/// How a line serves its subscriber.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// From within `request`, where that is allowed (rule 3.10).
    pub(crate) eager: bool,
    /// By `offer` in place of `on_next`.
    pub(crate) offers: bool,
    /// With a thread of its own for each signal.
    pub(crate) hops: bool,
    /// Takes the subscriber's initial request.
    pub(crate) initial: bool,
    /// Sends so many items of that ahead of the subscription.
    pub(crate) ahead: u64,
    /// Keeps the subscriber after a cancel, until it is told to let go.
    pub(crate) keeps: bool,
}

/// One subscription of one subscriber, and the subscriber.
pub(crate) struct Line {
    id: u32,
    recorder: Option<Recorder>,
    manner: Manner,
    state: Mutex<State>,
}

/// The subscriber's side of a line.
struct Handle(Arc<Line>);

impl Line {
    pub(crate) fn new(id: u32, recorder: Option<&Recorder>, manner: Manner) -> Arc<Self> {
        let recorder = recorder.cloned();
        Arc::new(Self { id, recorder, manner, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Begins to serve `target`.
    pub(crate) fn start(self: &Arc<Self>, target: Box<dyn Target>) {
        let Some(target) = self.start_ahead(target) else { return };
        let line = Arc::clone(self);
        self.hand_over(target, move |target| line.introduce(target));
    }

    /// Takes the initial request and serves it, as far as that is the manner;
    /// `None` if the subscriber gets nothing more.
    fn start_ahead(&self, mut target: Box<dyn Target>) -> Option<Box<dyn Target>> {
        if !self.manner.initial {
            return Some(target);
        }
        let n = target.initial_request();
        self.record(Phase::Made, Call::InitialRequest(n), None);
        let mut state = self.state();
        state.demand.add(n);
        state.requested = state.requested.saturating_add(n);
        state.initial = n;
        state.allowed = self.manner.ahead;
        state.target = Some(target);
        drop(state);
        self.drain();
        self.withhold();
        self.take()
    }

    /// Gives the subscriber of this line a second subscription, which never sends anything.
    pub(crate) fn intrude(self: &Arc<Self>, second: &Arc<Self>) {
        if let Some(target) = self.take() {
            self.hand_over(target, |target| second.introduce(target));
        }
    }

    /// Asks the subscriber from outside to request.
    pub(crate) fn trigger(self: &Arc<Self>, n: u64) {
        if let Some(target) = self.take() {
            self.hand_over(target, |target| self.harness(|| target.trigger(n)).is_some());
        }
    }

    /// Allows so many more items, and sends what was asked for.
    pub(crate) fn allow(&self, n: u64) {
        let mut state = self.state();
        state.allowed = state.allowed.saturating_add(n);
        drop(state);
        self.drain();
    }

    /// Allows no more items.
    pub(crate) fn withhold(&self) {
        self.state().allowed = 0;
    }

    /// Sends so many items, as far as they were asked for, although the subscriber has canceled.
    pub(crate) fn send_late(&self, n: u64) {
        let mut state = self.state();
        state.late = n;
        state.allowed = n;
        drop(state);
        self.drain();
    }

    /// Ends the stream after the items that are allowed.
    pub(crate) fn end(&self, end: End) {
        self.state().end = Some(end);
        self.drain();
    }

    /// Lets go of the subscriber.
    pub(crate) fn let_go(&self) {
        let mut state = self.state();
        state.over = true;
        let target = state.target.take();
        drop(state);
        if let Some(target) = target {
            self.drop_target(target);
        }
    }

    pub(crate) fn manner(&self) -> &Manner {
        &self.manner
    }

    /// How much was taken ahead of the subscription.
    pub(crate) fn initial(&self) -> u64 {
        self.state().initial
    }

    pub(crate) fn requested(&self) -> u64 {
        self.state().requested
    }

    /// How many items the subscriber has to process.
    pub(crate) fn due(&self) -> u64 {
        let state = self.state();
        state.sent - state.skipped
    }

    pub(crate) fn is_canceled(&self) -> bool {
        self.state().canceled
    }

    /// Whether an item could be sent.
    pub(crate) fn has_demand(&self) -> bool {
        let state = self.state();
        !state.demand.is_zero() && !state.canceled
    }

    /// Whether all that is allowed was sent, and the end as well, or nothing more can be.
    pub(crate) fn is_done(&self) -> bool {
        let state = self.state();
        (state.allowed == 0 && state.end.is_none()) || state.canceled || state.over
    }

    /// Whether nothing can be sent any more.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.state();
        state.canceled || state.over
    }

    /// Whether a terminal signal was sent.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Sends what may be sent, unless another thread does so already.
    pub(crate) fn drain(&self) {
        let Some(mut target) = self.take() else { return };
        loop {
            let mut state = self.state();
            match state.next() {
                Next::Item(index) => {
                    drop(state);
                    if !self.on_its_thread(|| self.send(&mut target, index)) {
                        self.state().over = true;
                        return self.drop_target(target);
                    }
                }
                Next::End(end) => {
                    state.over = true;
                    state.ended = true;
                    drop(state);
                    return self.on_its_thread(|| self.terminate(target, end));
                }
                Next::LetGo if !self.manner.keeps => {
                    drop(state);
                    return self.drop_target(target);
                }
                Next::LetGo | Next::Leave => {
                    state.target = Some(target);
                    return;
                }
            }
        }
    }

    fn take(&self) -> Option<Box<dyn Target>> {
        self.state().target.take()
    }

    /// Puts the subscriber back after `body`, unless that panicked.
    fn hand_over(
        &self,
        mut target: Box<dyn Target>,
        body: impl FnOnce(&mut Box<dyn Target>) -> bool,
    ) {
        if !body(&mut target) {
            self.state().over = true;
            return self.drop_target(target);
        }
        self.state().target = Some(target);
        if self.manner.eager {
            self.drain();
        }
    }

    fn introduce(self: &Arc<Self>, target: &mut Box<dyn Target>) -> bool {
        let subscription = Arc::new(Handle(Arc::clone(self)));
        self.watch(Call::OnSubscribe, None, || {
            target.on_subscribe(subscription);
            Call::OnSubscribe
        })
    }

    /// Runs the part that signals, on another thread than the one before if that is the manner.
    fn on_its_thread<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        if !self.manner.hops {
            return body();
        }
        std::thread::scope(|scope| scope.spawn(body).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Sends an item; `false` if the subscriber gets nothing more.
    fn send(&self, target: &mut Box<dyn Target>, index: u64) -> bool {
        let Some(item) = self.harness(|| target.prepare(index)) else { return false };
        let mut answer = Offer::Accepted;
        let returned = self.watch(Call::OnNext(Answer::Accepted), item, || {
            match self.manner.offers {
                true => answer = target.offer(),
                false => target.on_next(),
            }
            Call::OnNext(match answer {
                Offer::Accepted => Answer::Accepted,
                Offer::Skipped => Answer::Skipped,
                Offer::Finished => Answer::Finished,
            })
        });
        if answer == Offer::Skipped {
            let mut state = self.state();
            state.demand.add(1);
            state.skipped += 1;
        }
        returned && answer != Offer::Finished
    }

    fn terminate(&self, target: Box<dyn Target>, end: Option<End>) {
        match end {
            Some(End::Complete) => self.watch(Call::OnComplete, None, || {
                target.on_complete();
                Call::OnComplete
            }),
            Some(End::Fail) => {
                let call = Call::OnError(ErrorKind::Other);
                self.watch(call, Some(deliberate_error::NUMBER), || {
                    target.on_error(deliberate_error::error());
                    call
                })
            }
            None => {
                let call = Call::OnError(ErrorKind::IllegalRequest);
                self.watch(call, None, || {
                    target.on_error(Error::illegal_request());
                    call
                })
            }
        };
    }

    fn drop_target(&self, target: Box<dyn Target>) {
        self.watch(Call::Drop, None, || {
            drop(target);
            Call::Drop
        });
    }

    /// Records the call around `body`, which says how it came out; `false` if that panicked.
    fn watch(&self, made: Call, item: Option<u64>, body: impl FnOnce() -> Call) -> bool {
        self.record(Phase::Made, made, item);
        let begin = Moment::now();
        let result = catch_unwind(AssertUnwindSafe(body));
        let is_late = self.recorder.as_ref().is_some_and(|r| begin.elapsed() > r.budget);
        let (phase, call) = match result {
            Ok(call) if is_late => (Phase::Late, call),
            Ok(call) => (Phase::Returned, call),
            Err(_) => (Phase::Panicked, made),
        };
        self.record(phase, call, item);
        phase != Phase::Panicked
    }

    /// Runs code that belongs to the making of the subject.
    fn harness<T>(&self, body: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(body)).ok();
        if let (None, Some(recorder)) = (&result, &self.recorder) {
            recorder.fail_harness("`create_element`, `identify` or `trigger_request` panicked");
        }
        result
    }

    fn record(&self, phase: Phase, call: Call, item: Option<u64>) {
        if let Some(recorder) = &self.recorder {
            recorder.record_item(self.id, phase, call, item);
        }
    }
}

impl Subscription for Handle {
    fn request(&self, n: u64) {
        let line = &self.0;
        line.record(Phase::Made, Call::Request(n), None);
        let mut state = line.state();
        state.demand.add(n);
        state.requested = state.requested.saturating_add(n);
        state.illegal |= n == 0;
        let answers = line.manner.eager || state.illegal;
        drop(state);
        if answers {
            line.drain();
        }
        line.record(Phase::Returned, Call::Request(n), None);
    }

    fn cancel(&self) {
        let line = &self.0;
        line.record(Phase::Made, Call::Cancel, None);
        line.state().canceled = true;
        if !line.manner.keeps {
            line.drain();
        }
        line.record(Phase::Returned, Call::Cancel, None);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.record(Phase::Made, Call::Release, None);
    }
}
