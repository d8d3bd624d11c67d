//! A correct subscriber and a correct processor, as a user of the TCK would write them.

use std::sync::{Arc, Mutex, MutexGuard};

use reactive_streams::{
    BoxSubscriber, Demand, Error, Offer, Processor, Publisher, Subscriber, Subscription,
};
use reactive_streams_tck::SubscriberProbe;

/// Requests what its probe is told to, or one item after the other if it has none.
pub(crate) struct Collector {
    probe: Option<SubscriberProbe<u64>>,
    left: u64,
    subscription: Option<Arc<dyn Subscription>>,
}

impl Collector {
    /// One that cancels after so many items.
    pub(crate) fn new(probe: Option<SubscriberProbe<u64>>, takes: u64) -> Self {
        Self { probe, left: takes, subscription: None }
    }
}

impl Subscriber<u64> for Collector {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.subscription.is_some() {
            return subscription.cancel();
        }
        match &self.probe {
            Some(probe) => probe.on_subscribe(Arc::clone(&subscription)),
            None => subscription.request(1),
        }
        self.subscription = Some(subscription);
    }

    fn on_next(&mut self, item: u64) {
        if let Some(probe) = &self.probe {
            probe.on_next(&item);
        }
        let Some(subscription) = &self.subscription else { return };
        match self.left.checked_sub(1) {
            // An item that was on its way when this canceled.
            None => return,
            Some(left) => self.left = left,
        }
        if self.left == 0 {
            subscription.cancel();
        } else if self.probe.is_none() {
            subscription.request(1);
        }
    }

    fn on_error(self, error: Error) {
        if let Some(probe) = &self.probe {
            probe.on_error(&error);
        }
    }

    fn on_complete(self) {
        if let Some(probe) = &self.probe {
            probe.on_complete();
        }
    }
}

/// Passes everything on as it comes.
pub(crate) struct Pass;

/// The end that receives.
pub(crate) struct Front(Arc<Shared>);

/// The end that sends.
pub(crate) struct Back(Arc<Shared>);

#[derive(Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    upstream: Option<Arc<dyn Subscription>>,
    downstream: Option<BoxSubscriber<u64>>,
    /// What was requested before there was an upstream.
    early: Demand,
    /// The end, if it came before there was a downstream.
    end: Option<Option<Error>>,
    is_connected: bool,
    is_over: bool,
    is_illegal: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics under the lock")
    }

    /// Ends the stream as soon as the downstream is here.
    fn finish(&self, end: Option<Error>) {
        let mut state = self.state();
        state.upstream = None;
        match state.downstream.take() {
            _ if state.is_over => {}
            None => state.end = Some(end),
            Some(downstream) => {
                state.is_over = true;
                drop(state);
                match end {
                    Some(error) => downstream.on_error(error),
                    None => downstream.on_complete(),
                }
            }
        }
    }

    /// Takes the downstream back after a signal.
    fn put_back(&self, downstream: BoxSubscriber<u64>) {
        let mut state = self.state();
        if state.is_over {
            return;
        }
        state.downstream = Some(downstream);
        let end = state.end.take();
        let is_illegal = state.is_illegal;
        drop(state);
        match end {
            _ if is_illegal => self.refuse(),
            Some(end) => self.finish(end),
            None => {}
        }
    }

    /// Answers a request for zero items.
    fn refuse(&self) {
        let mut state = self.state();
        state.is_illegal = true;
        let Some(downstream) = state.downstream.take() else { return };
        state.is_over = true;
        let upstream = state.upstream.take();
        drop(state);
        downstream.on_error(Error::illegal_request());
        if let Some(upstream) = upstream {
            upstream.cancel();
        }
    }

    /// Cancels from downstream.
    fn leave(&self) {
        let mut state = self.state();
        state.is_over = true;
        let (downstream, upstream) = (state.downstream.take(), state.upstream.take());
        drop(state);
        drop(downstream);
        if let Some(upstream) = upstream {
            upstream.cancel();
        }
    }
}

impl Processor<u64> for Pass {
    type Item = u64;
    type Subscriber = Front;
    type Publisher = Back;

    fn split(self) -> (Front, Back) {
        let shared = Arc::<Shared>::default();
        (Front(Arc::clone(&shared)), Back(shared))
    }
}

impl Subscriber<u64> for Front {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let mut state = self.0.state();
        if state.is_connected || state.is_over {
            drop(state);
            return subscription.cancel();
        }
        state.is_connected = true;
        state.upstream = Some(Arc::clone(&subscription));
        let early = std::mem::take(&mut state.early);
        drop(state);
        if !early.is_zero() {
            subscription.request(early.get());
        }
    }

    fn on_next(&mut self, item: u64) {
        let mut state = self.0.state();
        let Some(mut downstream) = state.downstream.take() else { return };
        drop(state);
        let answer =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| downstream.offer(item)));
        match answer {
            Ok(Offer::Accepted) => self.0.put_back(downstream),
            Ok(Offer::Skipped) => {
                self.0.put_back(downstream);
                let upstream = self.0.state().upstream.clone();
                if let Some(upstream) = upstream {
                    upstream.request(1);
                }
            }
            Ok(Offer::Finished) | Err(_) => self.0.leave(),
        }
    }

    fn on_error(self, error: Error) {
        self.0.finish(Some(error));
    }

    fn on_complete(self) {
        self.0.finish(None);
    }
}

impl Publisher for Back {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        let mut subscriber = BoxSubscriber::new(subscriber);
        // Demand waits until the subscriber can be sent to.
        let upstream = self.0.state().upstream.take();
        subscriber.on_subscribe(Arc::clone(&self.0) as Arc<dyn Subscription>);
        let mut state = self.0.state();
        if state.is_over {
            drop(state);
            if let Some(upstream) = upstream {
                upstream.cancel();
            }
            return;
        }
        state.upstream = upstream.clone();
        drop(state);
        self.0.put_back(subscriber);
        let early = std::mem::take(&mut self.0.state().early);
        if let Some(upstream) = upstream.filter(|_| !early.is_zero()) {
            upstream.request(early.get());
        }
    }
}

impl Subscription for Shared {
    fn request(&self, n: u64) {
        if n == 0 {
            return self.refuse();
        }
        let mut state = self.state();
        match state.upstream.clone() {
            _ if state.is_over => {}
            None => state.early.add(n),
            Some(upstream) => {
                drop(state);
                upstream.request(n);
            }
        }
    }

    fn cancel(&self) {
        self.leave();
    }
}
