//! What a subscriber under test says to the TCK, and how the TCK makes it act.

use std::{
    fmt,
    sync::{Arc, Mutex, Weak},
};

use reactive_streams::{Error, Offer, Subscriber, Subscription};

use crate::{
    play::deliberate_error,
    play::probe::{Identify, Recorder},
    sync::lock,
    trace::{Call, Phase, Processed},
};

/// What a subscriber under test reports its signals to.
///
/// A signal is reported where it is processed, which for an asynchronous subscriber is not where it
/// is received.
pub struct SubscriberProbe<T> {
    reports: Arc<Reports>,
    identify: Identify<T>,
}

/// How the TCK makes a subscriber act.
///
/// A subscription is a puppet, as [`Arc`] or as [`Weak`]; with the latter the TCK sees when the
/// subscriber itself lets go of it. Either method may act later and on another thread.
pub trait Puppet: Send + Sync + 'static {
    /// Makes the subscriber request, in the end, at least `n` more items: at once or one by one.
    fn trigger_request(&self, n: u64);

    /// Makes the subscriber cancel.
    fn signal_cancel(&self);
}

impl Puppet for Arc<dyn Subscription> {
    fn trigger_request(&self, n: u64) {
        self.request(n);
    }

    fn signal_cancel(&self) {
        self.cancel();
    }
}

impl Puppet for Weak<dyn Subscription> {
    fn trigger_request(&self, n: u64) {
        if let Some(subscription) = self.upgrade() {
            subscription.request(n);
        }
    }

    fn signal_cancel(&self) {
        if let Some(subscription) = self.upgrade() {
            subscription.cancel();
        }
    }
}

/// What was reported, and where the reports go.
pub(crate) struct Reports {
    recorder: Recorder,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    puppet: Option<Arc<dyn Puppet>>,
    /// Told besides the recorder.
    #[cfg(feature = "cli")]
    relay: Option<Arc<dyn crate::play::probe::Listener>>,
    processed: u64,
    ended: bool,
}

impl Reports {
    pub(crate) fn new(recorder: &Recorder) -> Arc<Self> {
        Arc::new(Self { recorder: recorder.clone(), state: Mutex::default() })
    }

    pub(crate) fn puppet(&self) -> Option<Arc<dyn Puppet>> {
        lock(&self.state).puppet.clone()
    }

    /// Lets go of the puppet, which may hold a subscription.
    pub(crate) fn forget(&self) {
        let puppet = lock(&self.state).puppet.take();
        drop(puppet);
    }

    pub(crate) fn processed(&self) -> u64 {
        lock(&self.state).processed
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.state).ended
    }

    /// Has what is reported passed on as well.
    #[cfg(feature = "cli")]
    pub(crate) fn relay(&self, relay: Arc<dyn crate::play::probe::Listener>) {
        lock(&self.state).relay = Some(relay);
    }

    fn record(&self, signal: Processed, item: Option<u64>) {
        #[cfg(feature = "cli")]
        if let Some(relay) = { lock(&self.state).relay.clone() } {
            match signal {
                Processed::OnSubscribe => relay.on_processing(),
                Processed::OnNext => drop(relay.on_next(item, false)),
                Processed::OnError => relay.on_error(reactive_streams::ErrorKind::Other, item),
                Processed::OnComplete => relay.on_complete(),
            }
        }
        self.recorder.record_item(1, Phase::Made, Call::Report(signal), item);
    }
}

impl<T> SubscriberProbe<T> {
    pub(crate) fn new(reports: &Arc<Reports>, identify: &Identify<T>) -> Self {
        Self { reports: Arc::clone(reports), identify: Arc::clone(identify) }
    }

    /// The subscriber keeps the subscription that it was given; `puppet` makes it use that.
    pub fn on_subscribe(&self, puppet: impl Puppet) {
        let puppet: Arc<dyn Puppet> = Arc::new(puppet);
        // The first one stays: a subscriber has one subscription (rule 2.5).
        lock(&self.reports.state).puppet.get_or_insert_with(|| Arc::clone(&puppet));
        // Who hears of it may use the puppet at once.
        self.reports.record(Processed::OnSubscribe, None);
    }

    /// The subscriber processes an item.
    pub fn on_next(&self, item: &T) {
        self.on_item((self.identify)(item));
    }

    pub(crate) fn on_item(&self, item: Option<u64>) {
        self.reports.record(Processed::OnNext, item);
        lock(&self.reports.state).processed += 1;
    }

    /// The subscriber processes a failure.
    pub fn on_error(&self, error: &Error) {
        self.on_failure(deliberate_error::number(error));
    }

    pub(crate) fn on_failure(&self, number: Option<u64>) {
        self.reports.record(Processed::OnError, number);
        lock(&self.reports.state).ended = true;
    }

    /// The subscriber processes the end.
    pub fn on_complete(&self) {
        self.reports.record(Processed::OnComplete, None);
        lock(&self.reports.state).ended = true;
    }
}

/// A subscriber, and the probe that its signals are reported to; see [`SubscriberProbe::around`].
pub struct Probed<S, T> {
    subscriber: S,
    probe: SubscriberProbe<T>,
    has_one: bool,
}

impl<T: Send + 'static> SubscriberProbe<T> {
    /// Reports for a subscriber that knows nothing of the probe: each signal that it gets as
    /// processed, and its first subscription as the one that it keeps.
    /// A second one is passed on, for it to cancel (rule 2.5).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use reactive_streams::{Error, Subscriber, Subscription};
    /// # #[derive(Default)]
    /// # struct Mine(Option<Arc<dyn Subscription>>);
    /// # impl Subscriber<u64> for Mine {
    /// #     fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
    /// #         match self.0 {
    /// #             Some(_) => subscription.cancel(),
    /// #             None => self.0.insert(subscription).request(u64::MAX),
    /// #         }
    /// #     }
    /// #     fn on_next(&mut self, _: u64) {}
    /// #     fn on_error(self, _: Error) {}
    /// #     fn on_complete(self) {}
    /// # }
    /// use reactive_streams_tck::{Subject, SubscriberCapabilities};
    ///
    /// let mine = |probe: reactive_streams_tck::SubscriberProbe<u64>|
    ///     probe.around(Mine::default());
    /// let subject = Subject::subscriber_of("mine", SubscriberCapabilities::new(), mine);
    /// subject.assert("rule_2_5_second_subscription_is_canceled");
    /// ```
    pub fn around<S: Subscriber<T>>(self, subscriber: S) -> Probed<S, T> {
        Probed { subscriber, probe: self, has_one: false }
    }
}

impl<T: Send + 'static, S: Subscriber<T>> Subscriber<T> for Probed<S, T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if !std::mem::replace(&mut self.has_one, true) {
            // Weak, so that the TCK sees when the subscriber lets go of it.
            self.probe.on_subscribe(Arc::downgrade(&subscription));
        }
        self.subscriber.on_subscribe(subscription);
    }

    fn on_next(&mut self, item: T) {
        self.probe.on_next(&item);
        self.subscriber.on_next(item);
    }

    fn on_error(self, error: Error) {
        self.probe.on_error(&error);
        self.subscriber.on_error(error);
    }

    fn on_complete(self) {
        self.probe.on_complete();
        self.subscriber.on_complete();
    }

    fn initial_request(&mut self) -> u64 {
        self.subscriber.initial_request()
    }

    fn offer(&mut self, item: T) -> Offer {
        self.probe.on_next(&item);
        self.subscriber.offer(item)
    }
}

impl<S, T> fmt::Debug for Probed<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probed").finish_non_exhaustive()
    }
}

impl<T> Clone for SubscriberProbe<T> {
    fn clone(&self) -> Self {
        Self::new(&self.reports, &self.identify)
    }
}

impl<T> fmt::Debug for SubscriberProbe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberProbe").finish_non_exhaustive()
    }
}
