//! Shared: one connection to a source, for all who subscribe to clones of a flow.
//!
//! `share`, `replay` and `cache` differ in what they keep, and for how long. The kernel's `Sharing`
//! settles who connects and who disconnects, its `Broadcast` who is there for an item. A connection
//! is made when the first subscriber comes and is never used again once it was closed, so that
//! nothing of it reaches who comes later. One that has ended is kept if it has something to replay.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{
    Deferred, Entered, Gate, InlineForOne, Job, Left, Slot, Task,
    broadcast::{self, Broadcast, Mailbox, WhenFull},
};
use reactive_streams::{Error, Publisher, Subscriber, Subscription};

use super::sharing::{Sharing, Stay};
use crate::{
    hub::Replay,
    parts::junction::{Junction, JunctionSubscriber, MailboxSource},
    scheduler::TimerSlot,
};

/// What the clones of a flow share. Dropped with the last of them.
pub(super) struct Connector<T> {
    hub: Arc<Hub<T>>,
}

/// What a connector and the subscribers that came through it share.
struct Hub<T> {
    sharing: millstream_kernel::Sharing<Connection<T>>,
    capacity: usize,
    stay: Stay,
    past: Option<Replay>,
    /// What closes a connection that nobody came back to in time.
    linger: TimerSlot,
}

/// One subscription to the source, made or to be made.
struct Connection<T> {
    broadcast: Arc<Broadcast<T>>,
    upstream: Arc<Deferred>,
    /// Taken by the subscriber that connects.
    sender: Slot<broadcast::Sender<T>>,
}

impl<T> Connector<T> {
    /// `past`: what is replayed.
    pub(super) fn new(sharing: Sharing, past: Option<Replay>) -> Arc<Self> {
        let Sharing { capacity, min_subscribers, stay } = sharing;
        let sharing = millstream_kernel::Sharing::new(min_subscribers);
        Arc::new(Self {
            hub: Arc::new(Hub { sharing, capacity, stay, past, linger: TimerSlot::new() }),
        })
    }

    /// How many items wait for a subscriber at most.
    pub(super) fn capacity(&self) -> u64 {
        self.hub.capacity as u64
    }

    /// How many items are kept at most.
    pub(super) fn n_kept(&self) -> u64 {
        self.hub.past.as_ref().map_or(0, |past| past.limit as u64)
    }
}

impl<T> Drop for Connector<T> {
    fn drop(&mut self) {
        // Nobody can come any more; those who are there close the connection when they leave.
        self.hub.linger.end();
        if let Some(connection) = self.hub.sharing.close() {
            connection.close();
        }
    }
}

impl<T: Clone + Send + 'static> Connector<T> {
    pub(super) fn subscribe<P, S>(&self, source: P, downstream: S)
    where
        P: Publisher<Item = T>,
        S: Subscriber<T>,
    {
        let hub = Arc::clone(&self.hub);
        let now = hub.now();
        let Entered { connection, must_open } = hub.sharing.enter(|| Connection::new(&hub));
        hub.linger.clear();
        // Before `on_subscribe`, so that a cancel from inside that finds the member.
        let member = connection.broadcast.join(now);
        let connected = Connected { hub, connection: Arc::clone(&connection) };
        let mailbox = MailboxSource::new(connected.clone(), member.mailbox());
        member.set_listener(Gate::start_with(|_| (mailbox, downstream, InlineForOne)));
        if !must_open {
            return;
        }
        if let Some(sender) = connection.sender.take() {
            source.subscribe(JunctionSubscriber::new(sender, connected));
        }
    }
}

impl<T> Hub<T> {
    fn now(&self) -> Duration {
        let clock = self.past.as_ref().and_then(|past| past.age.as_ref());
        clock.map_or(Duration::ZERO, |(_, worker)| worker.now())
    }
}

impl<T> Connection<T> {
    fn new(hub: &Hub<T>) -> Self {
        let (sender, broadcast) = match &hub.past {
            None => broadcast::channel(hub.capacity, WhenFull::Wait),
            Some(Replay { limit, age }) => {
                let max_age = age.as_ref().map(|(age, _)| *age);
                broadcast::with_replay(hub.capacity, WhenFull::Wait, *limit, max_age)
            }
        };
        Self { broadcast, upstream: Arc::new(Deferred::new()), sender: Slot::new(sender) }
    }

    fn close(&self) {
        self.upstream.cancel();
        // Nobody is there any more; if nobody has connected either, nobody will.
        drop(self.sender.take());
    }

    fn has_ended(&self) -> bool {
        // A closed connection has no owner, so nobody calls this on one.
        self.upstream.is_canceled()
    }
}

/// One connection of a hub.
struct Connected<T> {
    hub: Arc<Hub<T>>,
    connection: Arc<Connection<T>>,
}

impl<T> Clone for Connected<T> {
    fn clone(&self) -> Self {
        Self { hub: Arc::clone(&self.hub), connection: Arc::clone(&self.connection) }
    }
}

impl<T: Send + 'static> Junction<T> for Connected<T> {
    fn broadcast(&self) -> &Broadcast<T> {
        &self.connection.broadcast
    }

    fn upstream(&self) -> &Arc<Deferred> {
        &self.connection.upstream
    }

    fn now(&self) -> Duration {
        self.hub.now()
    }

    fn ending(&self) {
        self.hub.linger.clear();
        if self.hub.past.is_none() {
            // So that who comes from now on connects anew.
            self.hub.sharing.forget(&self.connection);
        }
    }

    fn leave(&self, mailbox: &Arc<Mailbox<T>>) {
        let Self { hub, connection } = self;
        let n_left = connection.broadcast.leave(mailbox);
        let is_kept = connection.has_ended();
        match (hub.sharing.leave(connection, is_kept || hub.stay.lingers()), &hub.stay) {
            (Left::Close, _) => connection.close(),
            // The one that left may have been the slowest.
            (Left::Nothing, _) if n_left > 0 => self.refill(false),
            (Left::Linger(ticket), Stay::For(grace, worker)) if !is_kept => {
                let connection = Arc::downgrade(connection);
                let linger = Linger { hub: Arc::clone(hub), connection, ticket };
                let timer = worker.schedule_after(*grace, Job::new(Arc::new(linger)));
                hub.linger.hold(ticket, timer);
            }
            (Left::Nothing | Left::Linger(_), _) => {}
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
            && !connection.has_ended()
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
