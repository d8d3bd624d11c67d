//! A correct processor of numbers in several styles, and the flaws it can be told to have.
//!
//! Each subscriber has a queue. One call at a time goes round: it looks for something to do under
//! the lock, does it without the lock, and leaves when there is nothing more.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, Weak, mpsc},
};

use reactive_streams::{
    BoxSubscriber, Demand, Error, ErrorKind, Offer, Processor, Publisher, Subscriber, Subscription,
};

use crate::sync::lock;

/// One deliberate flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    Drops,
    Duplicates,
    Reorders,
    SwallowsTheError,
    CompletesOnError,
    ErrorOnRequestOnly,
    DelaysErrors,
    ReplacesTheError,
    SwallowsTheEnd,
    RequestsAllAndDrops,
    OverflowsItsBuffer,
    RequestsAtTheEnd,
    CancelsAtTheEnd,
    AcceptsASecondUpstream,
    RetainsItsSubscriber,
    KeepsItsUpstream,
    FailsTheFirstOnly,
    RecoversButGoesOn,
    NeverRequests,
    /// Demand that comes before the upstream is lost.
    LosesEarlyDemand,
    /// A cancel that comes before the upstream is lost.
    LosesEarlyCancel,
}

/// How it deals with demand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) flaw: Flaw,
    /// How many items it requests in advance; 0 passes demand through.
    pub(super) prefetch: usize,
    /// Its subscribers get an item only when all of them have requested it.
    pub(super) coordinated: bool,
    /// It passes an error on after the items before it.
    pub(super) delays_errors: bool,
    /// It ends well when its upstream fails.
    pub(super) recovers: bool,
    /// It works on a thread of its own.
    pub(super) threaded: bool,
}

pub(super) const PLAIN: Style = Style {
    flaw: Flaw::None,
    prefetch: 0,
    coordinated: false,
    delays_errors: false,
    recovers: false,
    threaded: false,
};

pub(super) struct Relay(Arc<Shared>);
pub(super) struct Front(Arc<Shared>, Option<Arc<dyn Subscription>>);
pub(super) struct Back(Arc<Shared>, usize);
struct Handle(Arc<Shared>, usize);

struct Shared {
    style: Style,
    state: Mutex<State>,
    bell: Mutex<Option<mpsc::Sender<()>>>,
}

#[derive(Default)]
struct State {
    upstream: Option<Arc<dyn Subscription>>,
    outstanding: u64,
    received: u64,
    held_back: Option<u64>,
    end: Option<Option<Error>>,
    lines: Vec<Line>,
    is_busy: bool,
}

#[derive(Default)]
struct Line {
    subscriber: Option<BoxSubscriber<u64>>,
    is_there: bool,
    is_over: bool,
    is_canceled: bool,
    is_illegal: bool,
    demand: Demand,
    queue: VecDeque<u64>,
}

/// What is done without the lock.
enum Work {
    Item(usize, BoxSubscriber<u64>, u64),
    End(BoxSubscriber<u64>, Option<Error>),
    LetGo(BoxSubscriber<u64>),
    Request(Arc<dyn Subscription>, u64),
    Cancel(Arc<dyn Subscription>),
}

impl Relay {
    #[expect(clippy::disallowed_methods, reason = "the subject is a thread")]
    pub(super) fn new(style: Style, k: usize) -> Self {
        let lines = (0..k).map(|_| Line::default()).collect();
        let state = Mutex::new(State { lines, ..State::default() });
        let shared = Arc::new(Shared { style, state, bell: Mutex::default() });
        if style.threaded {
            let (bell, rings) = mpsc::channel();
            *lock(&shared.bell) = Some(bell);
            let weak: Weak<Shared> = Arc::downgrade(&shared);
            std::thread::spawn(move || {
                for () in rings {
                    weak.upgrade().inspect(|shared| shared.go_round());
                }
            });
        }
        Self(shared)
    }

    /// The subscriber end, and all publisher ends.
    pub(super) fn into_ends(self) -> (Front, Vec<Back>) {
        let k = lock(&self.0.state).lines.len();
        let backs = (0..k).map(|index| Back(Arc::clone(&self.0), index)).collect();
        (Front(self.0, None), backs)
    }
}

impl Processor<u64> for Relay {
    type Item = u64;
    type Subscriber = Front;
    type Publisher = Back;

    fn split(self) -> (Front, Back) {
        (Front(Arc::clone(&self.0), None), Back(self.0, 0))
    }
}

impl Shared {
    fn wake(&self) {
        let bell = lock(&self.bell).clone();
        match bell {
            Some(bell) => {
                let _gone = bell.send(());
            }
            None => self.go_round(),
        }
    }

    fn go_round(&self) {
        if std::mem::replace(&mut lock(&self.state).is_busy, true) {
            return;
        }
        loop {
            let mut state = lock(&self.state);
            let Some(work) = state.next(&self.style) else {
                state.is_busy = false;
                return;
            };
            drop(state);
            match work {
                Work::Item(index, subscriber, item) => self.deliver(index, subscriber, item),
                // A subscriber that panics at its end has ended all the same (rules 2.13 and 3.16).
                Work::End(subscriber, error) => {
                    drop(catch_unwind(AssertUnwindSafe(|| match error {
                        Some(error) => subscriber.on_error(error),
                        None => subscriber.on_complete(),
                    })));
                }
                Work::LetGo(subscriber) => drop(subscriber),
                Work::Request(upstream, n) => upstream.request(n),
                Work::Cancel(upstream) => upstream.cancel(),
            }
        }
    }

    fn deliver(&self, index: usize, mut subscriber: BoxSubscriber<u64>, item: u64) {
        let answer = catch_unwind(AssertUnwindSafe(|| subscriber.offer(item)));
        let mut state = lock(&self.state);
        let line = &mut state.lines[index];
        line.subscriber = Some(subscriber);
        match answer {
            Ok(Offer::Accepted) => {}
            Ok(Offer::Skipped) => line.demand.add(1),
            Ok(Offer::Finished) | Err(_) => line.is_canceled = true,
        }
    }
}

impl State {
    fn next(&mut self, style: &Style) -> Option<Work> {
        let all_want = self.lines.iter().all(|line| line.is_over || !line.demand.is_zero());
        let (end, flaw) = (self.end.clone(), style.flaw);
        for (index, line) in self.lines.iter_mut().enumerate() {
            if line.subscriber.is_none() || line.is_over {
                continue;
            }
            if line.is_canceled && flaw == Flaw::RetainsItsSubscriber {
                continue;
            }
            let waits = !line.queue.is_empty();
            let wants = !line.demand.is_zero() && (all_want || !style.coordinated);
            let ends = match &end {
                _ if line.is_canceled || line.is_illegal => true,
                Some(Some(_)) if flaw == Flaw::FailsTheFirstOnly && index > 0 => false,
                Some(Some(_)) if flaw == Flaw::ErrorOnRequestOnly => !line.demand.is_zero(),
                Some(Some(_)) if style.delays_errors || flaw == Flaw::DelaysErrors => !waits,
                Some(Some(_)) => true,
                Some(None) => !waits,
                None => false,
            };
            if ends {
                line.is_over = true;
                line.queue.clear();
                let subscriber = line.subscriber.take()?;
                return Some(match end.flatten() {
                    _ if line.is_canceled => Work::LetGo(subscriber),
                    _ if line.is_illegal => Work::End(subscriber, Some(Error::illegal_request())),
                    error => Work::End(subscriber, error),
                });
            }
            if wants && waits {
                let _one = line.demand.take(1);
                return Some(Work::Item(index, line.subscriber.take()?, line.queue.pop_front()?));
            }
        }
        self.upstream(style)
    }

    /// What is to be asked of the upstream.
    fn upstream(&mut self, style: &Style) -> Option<Work> {
        if self.end.is_some() {
            return None;
        }
        if self.lines.iter().all(|line| line.is_there && line.is_over) {
            return match style.flaw {
                Flaw::KeepsItsUpstream => None,
                _ => self.upstream.take().map(Work::Cancel),
            };
        }
        let upstream = self.upstream.clone()?;
        let live = || self.lines.iter().filter(|line| line.is_there && !line.is_over);
        let longest = live().map(|line| line.queue.len()).max()? as u64;
        let unserved = |line: &Line| line.demand.get().saturating_sub(line.queue.len() as u64);
        let room = match (style.flaw, style.prefetch) {
            (Flaw::NeverRequests, _) => 0,
            (Flaw::RequestsAllAndDrops, _) => u64::MAX,
            (_, 0) => live().map(unserved).min()?,
            (_, prefetch) => (prefetch as u64).saturating_sub(longest),
        };
        let n = room.saturating_sub(self.outstanding);
        self.outstanding = self.outstanding.saturating_add(n);
        (n > 0).then_some(Work::Request(upstream, n))
    }

    fn receive(&mut self, item: u64, style: &Style) {
        self.received += 1;
        if self.outstanding < u64::MAX {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
        let items: &[u64] = match (style.flaw, self.received, self.held_back.take()) {
            (Flaw::Drops, 2, _) => &[],
            (Flaw::Duplicates, 2, _) => &[item, item],
            (Flaw::Reorders, 2, _) => {
                self.held_back = Some(item);
                &[]
            }
            (_, _, Some(before)) => &[item, before],
            _ => &[item],
        };
        for line in self.lines.iter_mut().filter(|line| line.is_there && !line.is_over) {
            let is_full = line.queue.len() >= 16;
            match style.flaw {
                Flaw::RequestsAllAndDrops if is_full => {}
                Flaw::OverflowsItsBuffer if is_full => {
                    self.end = Some(Some(Error::new(ErrorKind::Overflow, "the buffer is full")));
                }
                _ => line.queue.extend(items),
            }
        }
    }
}

impl Subscriber<u64> for Front {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.1.is_some() {
            if self.0.style.flaw != Flaw::AcceptsASecondUpstream {
                subscription.cancel();
            }
            return;
        }
        self.1 = Some(Arc::clone(&subscription));
        lock(&self.0.state).upstream = Some(subscription);
        self.0.wake();
    }

    fn on_next(&mut self, item: u64) {
        lock(&self.0.state).receive(item, &self.0.style);
        self.0.wake();
    }

    fn on_error(self, error: Error) {
        let end = match self.0.style {
            Style { flaw: Flaw::SwallowsTheError, .. } => None,
            Style { flaw: Flaw::CompletesOnError, .. } | Style { recovers: true, .. } => Some(None),
            Style { flaw: Flaw::ReplacesTheError, .. } => Some(Some(Error::message("another"))),
            _ => Some(Some(error)),
        };
        if self.0.style.flaw == Flaw::RecoversButGoesOn {
            // It waits for the next request, and passes that on.
            return;
        }
        lock(&self.0.state).end = end;
        self.0.wake();
    }

    fn on_complete(self) {
        match (self.0.style.flaw, &self.1) {
            (Flaw::RequestsAtTheEnd, Some(upstream)) => upstream.request(1),
            (Flaw::CancelsAtTheEnd, Some(upstream)) => upstream.cancel(),
            (Flaw::SwallowsTheEnd, _) => return,
            _ => {}
        }
        lock(&self.0.state).end = Some(None);
        self.0.wake();
    }
}

impl Publisher for Back {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        let mut subscriber = BoxSubscriber::new(subscriber);
        let Self(shared, index) = self;
        subscriber.on_subscribe(Arc::new(Handle(Arc::clone(&shared), index)));
        let mut state = lock(&shared.state);
        state.lines[index].is_there = true;
        state.lines[index].subscriber = Some(subscriber);
        drop(state);
        shared.wake();
    }
}

impl Subscription for Handle {
    fn request(&self, n: u64) {
        let mut state = lock(&self.0.state);
        let is_early = state.upstream.is_none();
        let line = &mut state.lines[self.1];
        line.is_illegal |= n == 0;
        if !is_early || self.0.style.flaw != Flaw::LosesEarlyDemand {
            line.demand.add(n);
        }
        drop(state);
        self.0.wake();
    }

    fn cancel(&self) {
        let mut state = lock(&self.0.state);
        if state.upstream.is_none() && self.0.style.flaw == Flaw::LosesEarlyCancel {
            state.lines[self.1].subscriber = None;
            return;
        }
        state.lines[self.1].is_canceled = true;
        drop(state);
        self.0.wake();
    }
}
