//! `kill_switch`: stops flows from outside.
//!
//! A switch that is thrown cancels the sources, and a source that is canceled drops its subscriber.
//! That is when the downstream is told: a drop has exclusive access, so that the end is in order
//! with the items without a queue or a lock.

use std::{
    collections::HashMap,
    fmt,
    marker::PhantomData,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use millstream_kernel::{
    Deferred, End, Handler, Job, Serial, Slot, Task, Upstream, guard::muted, oneshot,
};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{
    Flow, Outcome,
    scheduler::{self, Scheduler},
};

/// Stops all flows that it was given to, once. A clone is the same switch.
#[derive(Clone)]
pub struct KillSwitch(Arc<Switch>);

struct Switch {
    /// Set when it is thrown.
    end: OnceLock<End>,
    flows: Serial<Flows>,
}

impl Default for KillSwitch {
    fn default() -> Self {
        Self::new()
    }
}

impl KillSwitch {
    /// A switch that was not thrown.
    #[must_use]
    pub fn new() -> Self {
        let flows = Flows { running: HashMap::new(), is_thrown: false };
        Self(Arc::new(Switch { end: OnceLock::new(), flows: Serial::new(flows) }))
    }

    /// Completes the flows, and those that are subscribed to later. Does nothing if the switch was
    /// thrown before.
    #[doc(alias = "shutdown")]
    pub fn complete(&self) {
        self.throw(End::Complete);
    }

    /// Fails the flows with `error`, and those that are subscribed to later. Does nothing if the
    /// switch was thrown before.
    #[doc(alias = "abort")]
    pub fn fail(&self, error: Error) {
        self.throw(End::Failed(error));
    }

    /// Whether it was thrown.
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        self.0.end.get().is_some()
    }

    fn throw(&self, end: End) {
        if self.0.end.set(end).is_ok() {
            self.0.flows.send(Message::Throw);
        }
    }
}

impl fmt::Debug for KillSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KillSwitch").field("is_thrown", &self.is_thrown()).finish()
    }
}

/// The flows that are running, by the addresses of their tokens.
struct Flows {
    running: HashMap<usize, Weak<dyn Subscription>>,
    is_thrown: bool,
}

enum Message {
    Join(usize, Arc<dyn Subscription>),
    Leave(usize),
    Throw,
}

impl Handler for Flows {
    type Message = Message;

    fn handle(&mut self, message: Message) {
        match message {
            Message::Join(_, subscription) if self.is_thrown => muted(|| subscription.cancel()),
            Message::Join(token, subscription) => {
                self.running.insert(token, Arc::downgrade(&subscription));
            }
            Message::Leave(token) => drop(self.running.remove(&token)),
            Message::Throw => {
                self.is_thrown = true;
                for subscription in std::mem::take(&mut self.running).into_values() {
                    if let Some(subscription) = subscription.upgrade() {
                        muted(|| subscription.cancel());
                    }
                }
            }
        }
    }
}

impl<P: Publisher> Flow<P> {
    /// Ends the flow when `switch` is thrown, and stops the source.
    ///
    /// Close to the source it lets what is on its way arrive: the flow drains. At the end of the
    /// flow it cuts everything off. One switch may stop many flows. It belongs behind operators
    /// that subscribe again, such as [`retry`](Self::retry): before them they would meet a switch
    /// that stays thrown.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes or fails when the switch is thrown: at once, on the thread that throws it, if the
    /// source is idle, and otherwise before its next item. A flow that is subscribed to later ends
    /// without an item. Otherwise completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::KillSwitch;
    /// use millstream_testkit::Probe;
    ///
    /// let switch = KillSwitch::new();
    /// let probe = Probe::subscribe_to(millstream::range(0..).kill_switch(&switch));
    /// probe.request(2);
    /// switch.complete();
    /// assert_eq!(probe.items(), [0, 1]);
    /// assert!(probe.is_completed());
    /// ```
    #[doc(alias = "abortable")]
    #[doc(alias = "cancellation_token")]
    pub fn kill_switch(self, switch: &KillSwitch) -> Flow<KillSwitched<P>> {
        Flow { source: KillSwitched { source: self.source, switch: switch.clone() } }
    }
}

/// Publisher returned by [`Flow::kill_switch`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct KillSwitched<P> {
    source: P,
    switch: KillSwitch,
}

impl<P> Publisher for KillSwitched<P>
where
    P: Publisher<Item: 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(KillSwitchSubscriber {
            downstream: Some(downstream),
            is_finished: false,
            upstream: Upstream::unset(),
            switch: self.switch,
            token: Arc::new(()),
            items: PhantomData,
        });
    }
}

backpressure!(KillSwitched<P>, PassThrough);
opaque_debug!(KillSwitched<P>);

struct KillSwitchSubscriber<T: 'static, S: Subscriber<T>> {
    /// `None` once it was ended.
    downstream: Option<S>,
    /// Whether the downstream has had enough: it is to hear nothing more, also of the switch.
    is_finished: bool,
    upstream: Upstream,
    switch: KillSwitch,
    /// Its address names the flow.
    token: Arc<()>,
    items: PhantomData<fn(T)>,
}

impl<T, S: Subscriber<T>> KillSwitchSubscriber<T, S> {
    /// Ends the downstream, if the switch was thrown.
    fn obey(&mut self) {
        if !self.is_finished
            && let Some(end) = self.switch.0.end.get()
            && let Some(downstream) = self.downstream.take()
        {
            end.clone().signal(downstream);
        }
    }

    fn token(&self) -> usize {
        Arc::as_ptr(&self.token).addr()
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for KillSwitchSubscriber<T, S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription)
            && let Some(downstream) = &mut self.downstream
        {
            downstream.on_subscribe(Arc::clone(&subscription));
            self.switch.0.flows.send(Message::Join(self.token(), subscription));
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let offer = self.offer(item);
        // The switch may have been thrown by what was done with the item.
        let offer = if self.switch.is_thrown() { Offer::Finished } else { offer };
        self.upstream.settle(offer);
        if offer == Offer::Finished {
            muted(|| self.obey());
            self.downstream = None;
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let Some(downstream) = &mut self.downstream else { return Offer::Finished };
        if self.switch.is_thrown() {
            // The drop tells the downstream, when the source has let go.
            return Offer::Finished;
        }
        let offer = downstream.offer(item);
        self.is_finished |= offer == Offer::Finished;
        offer
    }

    fn on_error(mut self, error: Error) {
        if let Some(downstream) = self.downstream.take() {
            downstream.on_error(error);
        }
    }

    fn on_complete(mut self) {
        if let Some(downstream) = self.downstream.take() {
            downstream.on_complete();
        }
    }
}

impl<T, S: Subscriber<T>> Drop for KillSwitchSubscriber<T, S> {
    fn drop(&mut self) {
        self.switch.0.flows.send(Message::Leave(self.token()));
        muted(|| self.obey());
    }
}

impl<T> Outcome<T> {
    /// Has `switch` complete the flow, and gives what is on its way the time to arrive; cancels the
    /// flow when that is up. The outcome is ready then, also if code of yours that the flow is in,
    /// such as a closure, has not returned.
    ///
    /// The switch belongs [close to the source](Flow::kill_switch). The result is that of a flow
    /// whose source has completed, or an error of kind `Timeout`. The time is waited for on the
    /// [ambient](scheduler::ambient) scheduler.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{KillSwitch, scheduler::Pool};
    ///
    /// let (switch, pool) = (KillSwitch::new(), Pool::new(1));
    /// let endless = millstream::just("news").repeat_when(|_| Some(Duration::from_millis(1)));
    /// let running = endless.kill_switch(&switch).publish_on(&pool).capacity(16).count();
    /// assert!(running.shutdown(&switch, Duration::from_secs(5)).wait().is_ok());
    /// ```
    #[doc(alias = "drain")]
    pub fn shutdown(self, switch: &KillSwitch, time: Duration) -> Self {
        self.shutdown_on(&scheduler::ambient(), switch, time)
    }

    /// [`shutdown`](Self::shutdown) that waits on a worker of `scheduler`. One that cannot wait any
    /// more, because it was shut down, has the flow canceled at once.
    pub fn shutdown_on(
        mut self,
        scheduler: &impl Scheduler,
        switch: &KillSwitch,
        time: Duration,
    ) -> Self {
        switch.complete();
        let (up, expired) = oneshot::channel();
        let (given_up, is_given_up) = oneshot::channel();
        let deadline = Deadline { upstream: self.upstream(), senders: Slot::new((up, given_up)) };
        let timer = scheduler.worker().schedule_after(time, Job::new(Arc::new(deadline)));
        self.set_expiry(expired, is_given_up, timer);
        self
    }
}

/// Cancels a flow when its time is up.
struct Deadline {
    /// Of a flow that has ended nothing is kept.
    upstream: Weak<Deferred>,
    /// For the time that is up, and for the flow that is canceled.
    senders: Slot<(oneshot::Sender<()>, oneshot::Sender<()>)>,
}

impl Task for Deadline {
    fn run(&self) {
        let Some(upstream) = self.upstream.upgrade() else { return };
        let Some((up, given_up)) = self.senders.take() else { return };
        // Before the cancel, which makes the outcome look for the reason.
        up.send(());
        upstream.cancel();
        given_up.send(());
    }

    fn abandon(&self, _: Error) {
        self.run();
    }
}
