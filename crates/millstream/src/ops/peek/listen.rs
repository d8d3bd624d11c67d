//! `listen`: looks at signals and requests on their way.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use millstream_kernel::{
    Slot,
    guard::{caught, muted},
    oneshot,
};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

type Hook<A> = Arc<dyn Fn(A) + Send + Sync>;
type ErrorHook = Arc<dyn Fn(&Error) + Send + Sync>;

/// What [`Flow::listen`] calls. A listener does nothing until it is told what to listen to, and can
/// be cloned for several flows.
#[derive(Clone, Default)]
#[must_use]
pub struct Listener {
    subscribed: Option<Hook<()>>,
    requested: Option<Hook<u64>>,
    canceled: Option<Hook<()>>,
    failed: Option<ErrorHook>,
    completed: Option<Hook<()>>,
}

impl Listener {
    /// Listens to nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `f` when the source has a subscription, before the downstream gets it.
    pub fn on_subscribe(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.subscribed = Some(Arc::new(move |()| f()));
        self
    }

    /// Calls `f` with each request, on the thread that asks, before the request is passed on.
    pub fn on_request(mut self, f: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.requested = Some(Arc::new(f));
        self
    }

    /// Calls `f` when the downstream withdraws, on the thread that does, before that is passed on:
    /// once, and not when the flow has ended before.
    pub fn on_cancel(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.canceled = Some(Arc::new(move |()| f()));
        self
    }

    /// Calls `f` with the error when the flow fails, before that is passed on.
    pub fn on_error(mut self, f: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.failed = Some(Arc::new(f));
        self
    }

    /// Calls `f` when the flow completes, before that is passed on.
    pub fn on_complete(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.completed = Some(Arc::new(move |()| f()));
        self
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl<P: Publisher> Flow<P> {
    /// Has `listener` look at what passes between source and downstream, except the items.
    ///
    /// For items, see [`inspect`](Self::inspect), and for what is to be done at the end in any
    /// case,
    /// [`do_finally`](Self::do_finally).
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. Fails with an error of kind `Panicked` if the listener
    /// panics, except at a cancel and at an error, which are passed on.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use millstream::Listener;
    ///
    /// let (log, lines) = mpsc::channel();
    /// let requests = log.clone();
    /// let listener = Listener::new()
    ///     .on_request(move |n| requests.send(format!("request({n})")).unwrap())
    ///     .on_complete(move || log.send("complete".to_owned()).unwrap());
    /// millstream::range(0..5).listen(listener).limit_rate(4).count().wait()?;
    /// let lines: Vec<_> = lines.try_iter().collect();
    /// assert_eq!(lines, ["request(4)", "request(3)", "complete"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "do_on_subscribe")]
    #[doc(alias = "do_on_request")]
    #[doc(alias = "do_on_cancel")]
    #[doc(alias = "do_on_error")]
    #[doc(alias = "do_on_complete")]
    pub fn listen(self, listener: Listener) -> Flow<Listen<P>> {
        Flow { source: Listen { source: self.source, listener } }
    }
}

/// Publisher returned by [`Flow::listen`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Listen<P> {
    source: P,
    listener: Listener,
}

impl<P: Publisher> Publisher for Listen<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, listener } = self;
        source.subscribe(ListenSubscriber { downstream, listener, subscription: None });
    }
}

backpressure!(Listen<P>, PassThrough);
opaque_debug!(Listen<P>);

struct ListenSubscriber<S> {
    downstream: S,
    listener: Listener,
    subscription: Option<(Arc<ListenedSubscription>, oneshot::Receiver<Error>)>,
}

impl<S> ListenSubscriber<S> {
    /// The downstream withdraws no more, or has just done so.
    fn take_canceled(&self) -> Option<Hook<()>> {
        self.subscription
            .as_ref()
            .and_then(|(subscription, _)| subscription.canceled.take().flatten())
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for ListenSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.subscription.is_some() {
            return subscription.cancel();
        }
        let heard = match &self.listener.subscribed {
            Some(f) => caught(|| f(())),
            None => Ok(()),
        };
        let (sender, panic) = oneshot::channel();
        let subscription = Arc::new(ListenedSubscription {
            upstream: subscription,
            requested: self.listener.requested.take(),
            canceled: Slot::new(self.listener.canceled.take()),
            panic: Slot::new(sender),
        });
        self.subscription = Some((Arc::clone(&subscription), panic));
        self.downstream.on_subscribe(Arc::clone(&subscription) as Arc<dyn Subscription>);
        if let Err(error) = heard {
            // Only now, because there is no end before `on_subscribe` (rule 1.9).
            subscription.fail(error);
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let offer = self.downstream.offer(item);
        if offer == Offer::Finished
            && let Some(f) = self.take_canceled()
        {
            muted(|| f(()));
        }
        offer
    }

    fn on_error(mut self, error: Error) {
        drop(self.take_canceled());
        let panic = self.subscription.take().and_then(|(_, mut panic)| {
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(&mut panic).poll(&mut context) {
                Poll::Ready(panic) => panic,
                Poll::Pending => None,
            }
        });
        let error = panic.unwrap_or(error);
        if let Some(f) = &self.listener.failed {
            muted(|| f(&error));
        }
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        drop(self.take_canceled());
        let heard = match &self.listener.completed {
            Some(f) => caught(|| f(())),
            None => Ok(()),
        };
        match heard {
            Ok(()) => self.downstream.on_complete(),
            Err(error) => self.downstream.on_error(error),
        }
    }
}

/// The downstream's subscription.
struct ListenedSubscription {
    upstream: Arc<dyn Subscription>,
    requested: Option<Hook<u64>>,
    /// Called at most once.
    canceled: Slot<Option<Hook<()>>>,
    /// Takes a panic of the listener to the subscriber.
    panic: Slot<oneshot::Sender<Error>>,
}

impl ListenedSubscription {
    /// Fails the flow where nobody may see a panic (rules 2.13 and 3.16): the source fails, because
    /// it is asked for nothing, and its error is replaced.
    fn fail(&self, error: Error) {
        if let Some(panic) = self.panic.take() {
            panic.send(error);
        }
        self.upstream.request(0);
    }
}

impl Subscription for ListenedSubscription {
    fn request(&self, n: u64) {
        if let Some(f) = &self.requested
            && let Err(error) = caught(|| f(n))
        {
            return self.fail(error);
        }
        self.upstream.request(n);
    }

    fn cancel(&self) {
        if let Some(Some(f)) = self.canceled.take() {
            muted(|| f(()));
        }
        self.upstream.cancel();
    }
}
