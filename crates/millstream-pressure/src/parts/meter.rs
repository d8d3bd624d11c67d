//! `Metered`: a flow whose demand a policy releases.
//!
//! Items pass as they come, on the upstream's thread; what the policy holds back is demand. The
//! downstream's requests are summed up, and the policy says how much of the sum the upstream is
//! asked for now. What was released and not used when the flow ends goes back to the policy.

use std::{
    fmt,
    sync::{Arc, Weak},
    task::{Context, Poll, Wake, Waker},
};

use millstream::{
    Backpressure, BackpressureKind, Bounded, Error, ErrorKind, Flow, Offer, Publisher, Subscriber,
    Subscription,
};
use millstream_kernel::{Deferred, Handler, Serial};
use parking_lot::Mutex;

use crate::Reason;

/// A policy that releases demand, for those who write one. A handle: clones are the same policy.
///
/// ```
/// use std::task::{Context, Poll};
/// use millstream::range;
/// use millstream_pressure::{Meter, Metered, Reason};
/// use millstream_testkit::Probe;
///
/// /// Releases demand in pairs.
/// #[derive(Clone)]
/// struct Pairs;
///
/// impl Meter for Pairs {
///     type Turn = ();
///     type Out<T> = T;
///     fn poll(&self, _: &mut (), wanted: u64, _: &mut Context<'_>) -> Poll<Result<u64, Reason>> {
///         if wanted < 2 { Poll::Pending } else { Poll::Ready(Ok(2)) }
///     }
///     fn refund(&self, _: u64) {}
///     fn pass<T>(&self, item: T) -> T { item }
/// }
///
/// let probe = Probe::subscribe_to(Metered::new(range(0..9), Pairs));
/// probe.request(1);
/// assert!(probe.items().is_empty());
/// probe.request(2);
/// assert_eq!(probe.items(), [0, 1]);
/// ```
pub trait Meter: Clone + Send + 'static {
    /// A flow's stay among those who wait; its drop ends it.
    type Turn: Default + Send + 'static;

    /// What becomes of an item.
    type Out<T>;

    /// Releases at least 1 and at most `wanted`, which is not 0, or has the task woken.
    /// `u64::MAX` is demand without bound.
    ///
    /// # Errors
    ///
    /// Nothing will be released any more. The flow fails with an error of kind `Rejected`.
    fn poll(
        &self,
        turn: &mut Self::Turn,
        wanted: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Reason>>;

    /// Takes back `n` that were released and not used.
    fn refund(&self, n: u64);

    /// An item has come that demand was released for.
    fn pass<T>(&self, item: T) -> Self::Out<T>;
}

/// Publisher of a flow whose demand a policy releases. Returned by
/// [`FlowExt::rate_limit`](crate::FlowExt::rate_limit) and
/// [`FlowExt::credits`](crate::FlowExt::credits).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Metered<P, M> {
    source: P,
    meter: M,
}

impl<P: Publisher, M: Meter> Metered<P, M> {
    /// The flow of `source`, whose demand `meter` releases.
    pub fn new(source: P, meter: M) -> Flow<Self> {
        Self { source, meter }.into()
    }
}

impl<P: Publisher, M: Meter> Publisher for Metered<P, M> {
    type Item = M::Out<P::Item>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, meter } = self;
        let link = Arc::new_cyclic(|link: &Weak<Link<M>>| Link {
            upstream: Deferred::new(),
            account: Mutex::default(),
            pacer: Serial::new(Pacer {
                meter: meter.clone(),
                turn: Some(M::Turn::default()),
                wanted: 0,
                link: Weak::clone(link),
                waker: Waker::from(Arc::new(Bell(Weak::clone(link)))),
            }),
        });
        let fail = |downstream: S, error| downstream.on_error(error);
        let downstream = Some(downstream);
        source.subscribe(MeteredSubscriber { downstream, meter, link, passed: 0, fail });
    }
}

impl<P: Backpressure, M> Backpressure for Metered<P, M> {
    const KIND: BackpressureKind = BackpressureKind::PassThrough;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight()
    }
}

impl<P: Bounded, M> Bounded for Metered<P, M> {}

impl<P, M> fmt::Debug for Metered<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered").finish_non_exhaustive()
    }
}

/// What the two ends of the operator share: the downstream's subscription.
struct Link<M: Meter> {
    upstream: Deferred,
    account: Mutex<Account>,
    pacer: Serial<Pacer<M>>,
}

#[derive(Default)]
struct Account {
    /// What was asked of the upstream.
    released: u64,
    /// The upstream's subscriber has settled: what is released from now on goes back.
    is_settled: bool,
    /// Why nothing is released any more.
    failure: Option<Error>,
}

impl<M: Meter> Link<M> {
    /// Asks the upstream for `n`. Returns whether it may be asked for more.
    fn release(&self, n: u64, meter: &M) -> bool {
        {
            let mut account = self.account.lock();
            if account.is_settled {
                drop(account);
                meter.refund(n);
                return false;
            }
            account.released = account.released.saturating_add(n);
        }
        self.upstream.request(n);
        !self.upstream.is_canceled()
    }

    /// Ends the flow: the downstream hears of it when the upstream lets go of its subscriber, since
    /// nobody else may signal.
    fn fail(&self, reason: Reason) {
        self.account.lock().failure = Some(Error::new(ErrorKind::Rejected, reason.to_string()));
        self.upstream.cancel();
    }
}

impl<M: Meter> Subscription for Link<M> {
    fn request(&self, n: u64) {
        if n == 0 {
            // Rule 3.9 is the source's to answer.
            return self.upstream.request(0);
        }
        self.pacer.send(Message::Request(n));
    }

    fn cancel(&self) {
        self.upstream.cancel();
        self.pacer.send(Message::End);
    }
}

/// Has the pacer look again.
struct Bell<M: Meter>(Weak<Link<M>>);

impl<M: Meter> Wake for Bell<M> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(link) = self.0.upgrade() {
            link.pacer.send(Message::Look);
        }
    }
}

enum Message {
    Request(u64),
    Look,
    End,
}

/// Sums up what the downstream wants, and asks the upstream for what the policy releases.
struct Pacer<M: Meter> {
    meter: M,
    /// `None` when the flow is over.
    turn: Option<M::Turn>,
    wanted: u64,
    link: Weak<Link<M>>,
    waker: Waker,
}

impl<M: Meter> Handler for Pacer<M> {
    type Message = Message;

    fn handle(&mut self, message: Message) {
        match message {
            Message::Request(n) => self.wanted = self.wanted.saturating_add(n),
            Message::Look => {}
            Message::End => self.turn = None,
        }
        while self.wanted > 0
            && let Some(turn) = &mut self.turn
            && let Some(link) = self.link.upgrade()
        {
            match self.meter.poll(turn, self.wanted, &mut Context::from_waker(&self.waker)) {
                Poll::Pending => return,
                Poll::Ready(Ok(n)) => {
                    if self.wanted != u64::MAX {
                        self.wanted -= n;
                    }
                    if !link.release(n, &self.meter) {
                        self.turn = None;
                    }
                }
                Poll::Ready(Err(reason)) => {
                    self.turn = None;
                    link.fail(reason);
                }
            }
        }
    }
}

/// The upstream's subscriber.
struct MeteredSubscriber<S, M: Meter> {
    /// `None` once it was told of the end.
    downstream: Option<S>,
    meter: M,
    link: Arc<Link<M>>,
    /// Items that have come.
    passed: u64,
    /// `on_error` of the downstream, for the drop, which does not know the items.
    fail: fn(S, Error),
}

impl<T, S: Subscriber<M::Out<T>>, M: Meter> Subscriber<T> for MeteredSubscriber<S, M> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let is_first = !self.link.upstream.is_set();
        self.link.upstream.set(subscription);
        if is_first && let Some(downstream) = &mut self.downstream {
            downstream.on_subscribe(Arc::clone(&self.link) as Arc<dyn Subscription>);
        }
    }

    fn on_next(&mut self, item: T) {
        self.passed += 1;
        if let Some(downstream) = &mut self.downstream {
            downstream.on_next(self.meter.pass(item));
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.passed += 1;
        let Some(downstream) = &mut self.downstream else { return Offer::Finished };
        match downstream.offer(self.meter.pass(item)) {
            // Another item in its place needs demand of its own.
            Offer::Skipped => {
                self.link.pacer.send(Message::Request(1));
                Offer::Accepted
            }
            offer => offer,
        }
    }

    fn on_error(mut self, error: Error) {
        self.settle();
        if let Some(downstream) = self.downstream.take() {
            downstream.on_error(error);
        }
    }

    fn on_complete(mut self) {
        self.settle();
        if let Some(downstream) = self.downstream.take() {
            downstream.on_complete();
        }
    }
}

impl<S, M: Meter> MeteredSubscriber<S, M> {
    /// Gives back what was not used. Returns why nothing was released any more, if so.
    fn settle(&mut self) -> Option<Error> {
        let (unused, failure) = {
            let mut account = self.link.account.lock();
            account.is_settled = true;
            let released = std::mem::take(&mut account.released);
            (released.saturating_sub(self.passed), account.failure.take())
        };
        if unused > 0 {
            self.meter.refund(unused);
        }
        self.link.upstream.finish();
        self.link.pacer.send(Message::End);
        failure
    }
}

impl<S, M: Meter> Drop for MeteredSubscriber<S, M> {
    fn drop(&mut self) {
        // It was told of the end, after this has settled.
        let Some(downstream) = self.downstream.take() else { return };
        if let Some(error) = self.settle() {
            (self.fail)(downstream, error);
        }
    }
}
