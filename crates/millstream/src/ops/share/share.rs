//! `share`: one subscription to the source for all subscribers.
//!
//! The kernel's `Sharing` settles who connects and who disconnects, its `Post` who is there for an
//! item. A connection is made when the first subscriber comes and is never used again once it was
//! closed or has ended, so that nothing of it reaches who comes later.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{
    Deferred, Entered, Gate, Inline, Job, Left, Mailbox, Post, Poster, Slot, Task, WhenFull, post,
};
use reactive_streams::{Error, Publisher, Subscriber, Subscription};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    inlet::check_capacity,
    junction::{Feed, Junction, Outlet},
    scheduler::{Scheduler, Worker},
};

/// How a flow is shared: [`Flow::share_with`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Sharing {
    capacity: usize,
    min_subscribers: usize,
    grace: Option<(Duration, Worker)>,
}

impl Sharing {
    /// With queues of exactly `capacity` items, connected by the first subscriber, and disconnected
    /// when the last one leaves.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        check_capacity(capacity);
        Self { capacity, min_subscribers: 1, grace: None }
    }

    /// Connects when there are `n` subscribers, and stays connected when there are fewer again.
    /// Default: 1.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    #[track_caller]
    pub fn min_subscribers(mut self, n: usize) -> Self {
        assert!(n > 0, "a flow is not shared by 0 subscribers: use at least 1");
        self.min_subscribers = n;
        self
    }

    /// Stays connected for `grace` after the last subscriber has left, by the clock of `scheduler`, in
    /// case another one comes. Default: disconnects at once.
    pub fn grace(mut self, grace: Duration, scheduler: &impl Scheduler) -> Self {
        self.grace = Some((grace, scheduler.worker()));
        self
    }
}

impl<P: Publisher> Flow<P> {
    /// Subscribes to the source once for all who subscribe to clones of this flow: they get the same
    /// items from when they come.
    ///
    /// The first subscriber connects to the source, and the source is cancelled when the last one
    /// leaves. Who comes after that, or after the source has ended, connects anew, with a clone of the
    /// source. See [`share_with`](Self::share_with) for other ways.
    ///
    /// # Demand
    ///
    /// Starts with the first request of any subscriber. The slowest subscriber holds back all: the
    /// source is asked for as many items as the fullest queue has places for, less those that are on
    /// their way, when that is three quarters of `capacity` or when none are. A subscriber's queue holds
    /// exactly `capacity` items.
    ///
    /// # Termination
    ///
    /// All subscribers complete and fail with the source, after the items that wait for them. If the
    /// source sends more than was asked for, it is cancelled, and they fail with an error of kind
    /// `Overflow`. A subscriber that panics ends alone.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let shared = millstream::range(0..4).inspect(|n| println!("once: {n}")).share(4);
    /// let (one, two) = (Probe::subscribe_to(shared.clone()), Probe::subscribe_to(shared));
    /// one.request(9);
    /// two.request(9);
    /// assert_eq!(one.items(), [0, 1, 2, 3]);
    /// assert_eq!(two.items(), [0, 1, 2, 3]);
    /// ```
    #[doc(alias = "publish")]
    #[doc(alias = "ref_count")]
    #[doc(alias = "shared")]
    #[track_caller]
    pub fn share(self, capacity: usize) -> Flow<Share<P>> {
        self.share_with(Sharing::new(capacity))
    }

    /// [`share`](Self::share) that connects when several subscribers have come, or stays connected for a
    /// while without any.
    ///
    /// # Demand
    ///
    /// As [`share`](Self::share). Items that are on their way when the last subscriber leaves, and come
    /// while there is none, are dropped.
    ///
    /// # Termination
    ///
    /// As [`share`](Self::share).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::Sharing;
    /// use millstream_testkit::Probe;
    ///
    /// let shared = millstream::range(0..4).share_with(Sharing::new(4).min_subscribers(2));
    /// let one = Probe::subscribe_to(shared.clone());
    /// one.request(9);
    /// assert_eq!(one.n_items(), 0);
    /// let two = Probe::subscribe_to(shared);
    /// two.request(9);
    /// assert_eq!((one.n_items(), two.n_items()), (4, 4));
    /// ```
    #[doc(alias = "auto_connect")]
    #[doc(alias = "ref_count_grace")]
    pub fn share_with(self, sharing: Sharing) -> Flow<Share<P>> {
        let Sharing { capacity, min_subscribers, grace } = sharing;
        let sharing = millstream_kernel::Sharing::new(min_subscribers);
        let hub = Arc::new(Hub { sharing, capacity, grace });
        Flow { source: Share { source: self.source, hub } }
    }
}

/// Publisher returned by [`Flow::share`] and its like. Clones share one subscription to the source.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Share<P: Publisher> {
    source: P,
    hub: Arc<Hub<P::Item>>,
}

/// What clones share.
struct Hub<T> {
    sharing: millstream_kernel::Sharing<Connection<T>>,
    capacity: usize,
    grace: Option<(Duration, Worker)>,
}

/// One subscription to the source, made or to be made.
struct Connection<T> {
    post: Arc<Post<T>>,
    upstream: Deferred,
    /// Taken by whoever connects.
    poster: Slot<Poster<T>>,
}

impl<T> Connection<T> {
    fn new(capacity: usize) -> Self {
        let (poster, post) = post(capacity, WhenFull::Wait);
        Self { post, upstream: Deferred::new(), poster: Slot::new(poster) }
    }

    fn close(&self) {
        self.upstream.cancel();
        // Nobody is there any more; if nobody has connected either, nobody will.
        drop(self.poster.take());
    }
}

impl<P: Publisher + Clone> Clone for Share<P> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), hub: Arc::clone(&self.hub) }
    }
}

impl<P> Publisher for Share<P>
where
    P: Publisher<Item: Clone + Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, hub } = self;
        let capacity = hub.capacity;
        let Entered { connection, must_open } = hub.sharing.enter(|| Connection::new(capacity));
        // Before `on_subscribe`, so that a cancel from inside that finds the member.
        let member = connection.post.join(Duration::ZERO);
        let line = Line { hub, connection: Arc::clone(&connection) };
        let outlet = Outlet::new(line.clone(), member.mailbox());
        member.set_listener(Gate::start_with(|_| (outlet, downstream, Inline)));
        if !must_open {
            return;
        }
        if let Some(poster) = connection.poster.take() {
            source.subscribe(Feed::new(poster, line));
        }
    }
}

impl<P: Publisher + Backpressure> Backpressure for Share<P> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight().saturating_add(self.hub.capacity as u64)
    }
}

impl<P: Publisher + Bounded> Bounded for Share<P> {}

impl<P: Publisher> std::fmt::Debug for Share<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share").finish_non_exhaustive()
    }
}

/// One connection of a hub.
struct Line<T> {
    hub: Arc<Hub<T>>,
    connection: Arc<Connection<T>>,
}

impl<T> Clone for Line<T> {
    fn clone(&self) -> Self {
        Self { hub: Arc::clone(&self.hub), connection: Arc::clone(&self.connection) }
    }
}

impl<T: Send + 'static> Junction<T> for Line<T> {
    fn post(&self) -> &Post<T> {
        &self.connection.post
    }

    fn upstream(&self) -> &Deferred {
        &self.connection.upstream
    }

    fn ending(&self) {
        // So that who comes from now on connects anew.
        self.hub.sharing.forget(&self.connection);
    }

    fn leave(&self, mailbox: &Arc<Mailbox<T>>) {
        let Self { hub, connection } = self;
        let n_left = connection.post.leave(mailbox);
        match hub.sharing.leave(connection, hub.grace.is_some()) {
            Left::Close => connection.close(),
            // The one that left may have been the slowest.
            Left::Nothing if n_left > 0 => self.refill(false),
            Left::Nothing => {}
            Left::Linger(ticket) => {
                if let Some((grace, worker)) = &hub.grace {
                    let connection = Arc::downgrade(connection);
                    let linger = Linger { hub: Arc::clone(hub), connection, ticket };
                    worker.schedule_after(*grace, Job::new(Arc::new(linger)));
                }
            }
        }
    }
}

/// Disconnects when nobody has come in time.
struct Linger<T> {
    hub: Arc<Hub<T>>,
    connection: Weak<Connection<T>>,
    ticket: u64,
}

impl<T: Send + 'static> Task for Linger<T> {
    fn run(&self) {
        if let Some(connection) = self.connection.upgrade()
            && self.hub.sharing.expire(&connection, self.ticket)
        {
            connection.close();
        }
    }

    fn abandon(&self, _: Error) {
        // Nobody will keep the time.
        self.run();
    }
}
