//! A correct subscriber of numbers, and the flaws it can be told to have.

use std::{
    sync::{Arc, Mutex, Weak},
    thread::ThreadId,
};

use reactive_streams::{Error, Subscriber, Subscription};

use crate::{Puppet, SubscriberProbe, play::clock, sync::lock};

/// One deliberate flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    NeverRequests,
    RequestsZero,
    RequestsTooFew,
    /// Uses its subscription in a terminal signal.
    AtTheEnd(End, Deed, Place),
    KeepsQuietAboutASecond,
    ReplacesTheFirst,
    CancelsBoth,
    RequestsFromTheSecond,
    PanicsOnASecond,
    PanicsAt(u64),
    PanicsAfterCancel,
    PanicsInOnSubscribe,
    /// Relies on signals that all come on one thread.
    StaysOnOneThread,
    PanicsInOnError,
    PanicsInOnComplete,
    RequestsFromTwoThreads,
    BlocksInOnNext,
    BlocksInOnComplete,
    Loses,
    Duplicates,
    Alters,
    Reorders,
    IgnoresItsPuppetsCancel,
    LetsGoWithoutCancel,
    TakesButGoesOn,
    RequestsAfterItsCancel,
    RequestsZeroLater,
    SwallowsTheError,
    ReportsAnotherError,
    /// Answers `initial_request`, and requests the same again.
    AsksTwice,
    /// Allowed: answers `initial_request`, and requests no more in `on_subscribe`.
    AsksAhead,
    /// Requests seven items one by one, and nothing after that.
    StopsAfter(u64),
    /// Does not make this request.
    ForgetsRequest(u64),
}

/// A terminal signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    Error,
}

/// What is done with the subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Request,
    Cancel,
}

/// Where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Inside,
    OnAnotherThread,
    /// When the pending work is driven.
    Later,
}

/// Work that is done when it is driven.
pub(super) type Pending = Arc<Mutex<Vec<Box<dyn FnOnce() + Send>>>>;

/// Runs the pending work.
pub(super) fn drive(pending: &Pending) {
    loop {
        let work = std::mem::take(&mut *lock(pending));
        if work.is_empty() {
            return;
        }
        work.into_iter().for_each(|work| work());
    }
}

pub(super) struct Worker {
    /// `None` makes it a black box, which requests by itself.
    probe: Option<SubscriberProbe<u64>>,
    flaw: Flaw,
    pending: Pending,
    kept: Option<Arc<dyn Subscription>>,
    is_canceled: Arc<Mutex<bool>>,
    seen: u64,
    held_back: Option<u64>,
    home: ThreadId,
    /// What is requested from within `on_subscribe`.
    initial: u64,
}

/// The strings that the TCK pulls. They are weak, so that it can be seen what the worker holds.
struct Strings {
    flaw: Flaw,
    subscription: Weak<dyn Subscription>,
    is_canceled: Arc<Mutex<bool>>,
}

impl Puppet for Strings {
    fn trigger_request(&self, n: u64) {
        let Some(subscription) = self.subscription.upgrade() else { return };
        match self.flaw {
            Flaw::NeverRequests => {}
            Flaw::RequestsZero => subscription.request(0),
            Flaw::RequestsTooFew if n > 1 => subscription.request(n - 1),
            Flaw::RequestsFromTwoThreads => on_another_thread(|| subscription.request(n)),
            _ => subscription.request(n),
        }
    }

    fn signal_cancel(&self) {
        if self.flaw != Flaw::IgnoresItsPuppetsCancel {
            *lock(&self.is_canceled) = true;
            self.subscription.upgrade().inspect(|subscription| subscription.cancel());
        }
    }
}

/// Runs `body` on a thread, and waits for it.
fn on_another_thread(body: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        scope.spawn(body);
    });
}

impl Worker {
    pub(super) fn new(probe: Option<SubscriberProbe<u64>>, flaw: Flaw, pending: &Pending) -> Self {
        Self {
            probe,
            flaw,
            pending: Arc::clone(pending),
            kept: None,
            is_canceled: Arc::default(),
            seen: 0,
            held_back: None,
            home: std::thread::current().id(),
            initial: if matches!(flaw, Flaw::AsksTwice | Flaw::AsksAhead) { 3 } else { 0 },
        }
    }

    fn process(&self, item: u64) {
        if let Some(probe) = &self.probe {
            probe.on_next(&item);
        }
    }

    fn request(&self, n: u64) {
        if let Some(subscription) = &self.kept {
            subscription.request(n);
        }
    }

    fn cancel(&self) {
        if let Some(subscription) = &self.kept {
            subscription.cancel();
        }
    }

    fn second(&mut self, subscription: &Arc<dyn Subscription>) {
        match self.flaw {
            Flaw::KeepsQuietAboutASecond => return,
            Flaw::ReplacesTheFirst => {
                self.kept = Some(Arc::clone(subscription));
                return;
            }
            Flaw::CancelsBoth => self.cancel(),
            Flaw::RequestsFromTheSecond => subscription.request(1),
            Flaw::PanicsOnASecond => panic!("a second subscription"),
            _ => {}
        }
        subscription.cancel();
    }

    fn ended(self, end: End) {
        let Flaw::AtTheEnd(at, deed, place) = self.flaw else { return };
        let Some(subscription) = self.kept.filter(|_| at == end) else { return };
        let act = move || match deed {
            Deed::Request => subscription.request(1),
            Deed::Cancel => subscription.cancel(),
        };
        match place {
            Place::Inside => act(),
            Place::OnAnotherThread => on_another_thread(act),
            Place::Later => lock(&self.pending).push(Box::new(act)),
        }
    }
}

impl Subscriber<u64> for Worker {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.kept.is_some() {
            return self.second(&subscription);
        }
        assert!(self.flaw != Flaw::PanicsInOnSubscribe, "a subscription");
        let (flaw, is_canceled) = (self.flaw, Arc::clone(&self.is_canceled));
        let weak = Arc::downgrade(&subscription);
        self.kept = Some(subscription);
        match &self.probe {
            Some(probe) => probe.on_subscribe(Strings { flaw, subscription: weak, is_canceled }),
            None if self.flaw == Flaw::NeverRequests => {}
            None if matches!(self.flaw, Flaw::AsksTwice | Flaw::AsksAhead) => {}
            None => self.request(1),
        }
        if self.initial > 0 {
            self.request(self.initial);
        }
    }

    fn initial_request(&mut self) -> u64 {
        match self.flaw {
            Flaw::AsksTwice => self.initial,
            _ => std::mem::take(&mut self.initial),
        }
    }

    fn on_next(&mut self, item: u64) {
        self.seen += 1;
        if *lock(&self.is_canceled) {
            assert!(self.flaw != Flaw::PanicsAfterCancel, "an item after the cancel");
            return;
        }
        match (self.flaw, self.seen) {
            (Flaw::StaysOnOneThread, _) => {
                assert!(self.home == std::thread::current().id(), "another thread");
            }
            (Flaw::PanicsAt(n), seen) => assert!(n != seen, "item {n}"),
            (Flaw::Loses, 2) => return,
            (Flaw::Duplicates, 2) => self.process(item),
            (Flaw::Alters, 2) => return self.process(item + 1_000),
            (Flaw::Reorders, 2) => {
                self.held_back = Some(item);
                return;
            }
            (Flaw::BlocksInOnNext, 1) => clock::pause(super::LONG),
            _ => {}
        }
        self.process(item);
        if let Some(item) = self.held_back.take() {
            self.process(item);
        }
        match (self.flaw, self.seen) {
            (Flaw::RequestsFromTwoThreads, _) => on_another_thread(|| self.request(1)),
            (Flaw::LetsGoWithoutCancel, 2) => self.kept = None,
            (Flaw::RequestsAfterItsCancel, 2) => {
                self.cancel();
                self.request(1);
            }
            (Flaw::RequestsZeroLater, 3) => self.request(0),
            (Flaw::StopsAfter(n), seen) if seen >= n => {}
            (Flaw::ForgetsRequest(n), seen) if seen + 1 == n => {}
            _ if self.probe.is_none() => self.request(1),
            _ => {}
        }
    }

    fn on_error(self, error: Error) {
        assert!(self.flaw != Flaw::PanicsInOnError, "an error");
        match (&self.probe, self.flaw) {
            (None, _) | (_, Flaw::SwallowsTheError) => {}
            (Some(probe), Flaw::ReportsAnotherError) => probe.on_error(&Error::message("another")),
            (Some(probe), _) => probe.on_error(&error),
        }
        self.ended(End::Error);
    }

    fn on_complete(self) {
        assert!(self.flaw != Flaw::PanicsInOnComplete, "the end");
        if self.flaw == Flaw::BlocksInOnComplete {
            clock::pause(super::LONG);
        }
        if let Some(probe) = &self.probe {
            probe.on_complete();
        }
        self.ended(End::Complete);
    }
}
