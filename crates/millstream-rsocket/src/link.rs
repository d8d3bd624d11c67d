//! Between a connection's task and everybody else: commands to it, and streams that both know.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use millstream_kernel::SubscriberSlot;
use parking_lot::Mutex;
use reactive_streams::{BoxSubscriber, Error, ErrorKind, Subscriber, Subscription};
use tokio::sync::{mpsc, watch};

use crate::{
    Payload, RSocketError,
    outbound::Inbox,
    proto::{Closed, Interaction},
};

/// What a connection's task is told. There are never more than a few for each stream: rings are
/// given once until they were answered.
pub(crate) enum Command {
    /// A request, which is sent when its subscriber asks for something.
    Call(Call),
    /// Something is new in a stream's slot.
    Ring(Arc<Stream>),
    /// The publisher of what a stream sends has come.
    Started(u64, Arc<dyn Subscription>),
    /// The first item of it.
    Item(u64, Payload),
    /// The items behind the first, which come by a queue, and of which there are some.
    Items(u64, Inbox),
    /// There are some in the queue again.
    More(u64),
    /// Its end.
    Ended(u64, Option<Error>),
    /// Work that nobody waits for has ended.
    Done,
    /// Metadata of the connection.
    Metadata(Bytes),
    /// Grants requests: how many, for how many milliseconds.
    Lease(u32, u32),
    /// The connection ends with its streams.
    Close,
}

/// A request that a subscriber has made.
pub(crate) struct Call {
    pub(crate) stream: Arc<Stream>,
    pub(crate) interaction: Interaction,
    pub(crate) begin: Begin,
    /// Until its responses have ended, also if it was not asked for anything yet.
    pub(crate) alive: Option<Arc<Alive>>,
}

/// Keeps a client's connection.
pub(crate) struct Alive(Link);

impl Alive {
    pub(crate) fn new(link: &Link) -> Self {
        Self(link.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.tell(Command::Close).ok();
    }
}

/// What a request begins with.
pub(crate) enum Begin {
    /// Its payload.
    With(Payload),
    /// The first item of a publisher.
    From(Subscribe),
}

/// Subscribes a subscriber with this key.
pub(crate) type Subscribe = Box<dyn FnOnce(u64, &Link) + Send>;

/// The way to a connection's task.
#[derive(Clone)]
pub(crate) struct Link {
    commands: mpsc::UnboundedSender<Command>,
    state: Arc<State>,
}

struct State {
    /// Why the connection is over, once it is.
    closed: watch::Sender<Option<Closed>>,
    /// The requests that the peer grants; `None` without leases.
    lease: Mutex<Option<u32>>,
}

impl Link {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Command>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let state = State { closed: watch::Sender::new(None), lease: Mutex::new(None) };
        (Self { commands, state: Arc::new(state) }, receiver)
    }

    /// Tells the task. It is given back if the task is gone.
    pub(crate) fn tell(&self, command: Command) -> Result<(), Command> {
        self.commands.send(command).map_err(|error| error.0)
    }

    /// Says why the connection is over, before the task ends.
    pub(crate) fn close(&self, why: Closed) {
        self.state.closed.send_if_modified(|closed| {
            let is_first = closed.is_none();
            closed.get_or_insert(why);
            is_first
        });
    }

    pub(crate) fn closed(&self) -> Option<Closed> {
        self.state.closed.borrow().clone()
    }

    pub(crate) async fn wait_until_closed(&self) -> Closed {
        let mut closed = self.state.closed.subscribe();
        match closed.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or(Closed::Normally),
            Err(_) => Closed::Normally,
        }
    }

    pub(crate) fn set_lease(&self, lease: Option<u32>) {
        *self.state.lease.lock() = lease;
    }

    pub(crate) fn lease(&self) -> Option<u32> {
        *self.state.lease.lock()
    }

    /// The error of streams whose connection is over.
    pub(crate) fn error(&self) -> Error {
        error_of(&self.closed().unwrap_or(Closed::Normally))
    }
}

/// What streams fail with when their connection ends.
pub(crate) fn error_of(closed: &Closed) -> Error {
    match closed {
        Closed::ByPeer(code, data) => RSocketError { code: *code, data: data.clone() }.into(),
        closed => Error::with_source(ErrorKind::Disconnected, "", closed.clone()),
    }
}

/// The receiving half of a stream: what its subscriber asks for, until the task takes it.
pub(crate) struct Stream {
    slot: SubscriberSlot<BoxSubscriber<Payload>>,
    link: Link,
    /// By which the task knows it.
    pub(crate) key: OnceLock<u64>,
}

impl Stream {
    pub(crate) fn new(link: &Link) -> Arc<Self> {
        let slot = SubscriberSlot::new();
        Arc::new(Self { slot, link: link.clone(), key: OnceLock::new() })
    }

    pub(crate) fn slot(&self) -> &SubscriberSlot<BoxSubscriber<Payload>> {
        &self.slot
    }

    /// Gives the subscriber its subscription, and then to the task.
    pub(crate) fn attach(self: &Arc<Self>, subscriber: impl Subscriber<Payload>) {
        let mut subscriber = BoxSubscriber::new(subscriber);
        subscriber.on_subscribe(Arc::new(Handle(Arc::clone(self))));
        if self.slot.attach(subscriber) {
            self.ring();
        } else if self.link.closed().is_some() {
            self.disconnect();
        }
    }

    /// Takes no more, on behalf of a subscriber that never came.
    pub(crate) fn cancel(self: &Arc<Self>) {
        if self.slot.cancel() {
            self.ring();
        }
    }

    fn ring(self: &Arc<Self>) {
        if self.link.tell(Command::Ring(Arc::clone(self))).is_err() {
            self.disconnect();
        }
    }

    /// Fails the subscriber, if the task is gone and has not taken it.
    pub(crate) fn disconnect(&self) {
        if let Some(subscriber) = self.slot.take().subscriber
            && self.slot.cancel()
        {
            subscriber.on_error(self.link.error());
        }
    }
}

/// The subscription of a stream.
struct Handle(Arc<Stream>);

impl Subscription for Handle {
    fn request(&self, n: u64) {
        if self.0.slot.request(n) {
            self.0.ring();
        }
    }

    fn cancel(&self) {
        self.0.cancel();
    }
}
