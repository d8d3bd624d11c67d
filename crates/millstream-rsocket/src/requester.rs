//! What sends requests.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use millstream::{Backpressure, BackpressureKind, Bounded, Flow, backpressure};
use millstream_pressure::{ConcurrencyLimit, Policy as _};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Payload,
    frame::MAX_FRAME,
    link::{Alive, Begin, Call, Command, Link, Stream},
    outbound::Outbound,
    proto::{Closed, Interaction},
};

/// Sends requests on a connection, by flows.
///
/// A flow is a plan: it sends its request when its subscriber asks for the first item, and again
/// for each subscription, so `retry` sends it anew. What is requested goes to the peer as
/// REQUEST_N. Signals come on the connection's task: work that takes long belongs behind
/// `publish_on` or `map_async`.
///
/// # Errors of its flows
///
/// What the peer says is an [`RSocketError`](crate::RSocketError) inside of the error; a connection
/// that ends fails its streams with kind `Disconnected`, and a request that was not sent because
/// there was no lease with `Rejected`.
#[derive(Clone)]
pub struct Requester {
    link: Link,
    /// The last of those that a client and its flows hold closes the connection.
    alive: Option<Arc<Alive>>,
}

impl Requester {
    /// One whose last clone closes the connection when it is dropped and its flows have ended, if
    /// `closes`.
    pub(crate) fn new(link: Link, closes: bool) -> Self {
        let alive = closes.then(|| Arc::new(Alive::new(&link)));
        Self { link, alive }
    }

    pub(crate) fn exchange(&self, interaction: Interaction, payload: Payload) -> Flow<Exchange> {
        Flow::from(Exchange { requester: self.clone(), interaction, payload })
    }

    /// Sends a request that nobody answers. The flow has no item, and completes when the request
    /// was handed to the transport; it needs no demand.
    pub fn fire_and_forget(&self, request: impl Into<Payload>) -> Flow<Exchange> {
        self.exchange(Interaction::FireAndForget, request.into())
    }

    /// Sends a request, and gives its one response.
    pub fn request_response(&self, request: impl Into<Payload>) -> Flow<Exchange> {
        self.exchange(Interaction::Response, request.into())
    }

    /// Sends a request, and gives the stream of its responses.
    pub fn request_stream(&self, request: impl Into<Payload>) -> Flow<Exchange> {
        self.exchange(Interaction::Stream, request.into())
    }

    /// Sends the items of `outbound`, as far as the peer asks for them, and gives the stream of
    /// responses. The first item is the request: `outbound` is asked for it when the first response
    /// is, and the flow completes if there is none.
    ///
    /// If the peer takes no more items, `outbound` is canceled and the responses go on. If
    /// `outbound` fails, so does the channel, on both sides.
    pub fn request_channel<P>(&self, outbound: P) -> Flow<Channel<P>>
    where
        P: Publisher<Item = Payload> + Send + 'static,
    {
        Flow::from(Channel { requester: self.clone(), outbound })
    }

    /// Sends metadata of the connection, ahead of the items that wait.
    ///
    /// # Errors
    ///
    /// If the connection is over, or the metadata does not fit into a frame.
    pub fn metadata_push(&self, metadata: impl Into<Bytes>) -> Result<(), Error> {
        let metadata = metadata.into();
        if metadata.len() > MAX_FRAME - 6 {
            return Err(Error::new(ErrorKind::InvalidData, "the metadata is too long for a frame"));
        }
        self.link.tell(Command::Metadata(metadata)).map_err(|_| self.link.error())
    }

    /// Grants the peer so many requests for so long, in place of what is left of the grant before.
    /// Nothing happens where leases were not agreed on.
    pub fn grant_lease(&self, n_requests: u32, ttl: Duration) {
        let ttl_ms = u32::try_from(ttl.as_millis()).unwrap_or(u32::MAX);
        self.link.tell(Command::Lease(n_requests, ttl_ms)).ok();
    }

    /// Grants the peer what a limit has free, each `every` and for twice as long, so that a grant
    /// is replaced before it ends. The future is over when the connection is; run it beside the
    /// connection.
    ///
    /// The limit learns from what acquires its permits, such as a responder whose flows are
    /// `map_async_limited`. Nothing happens where leases were not agreed on.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use millstream::scheduler::ambient;
    /// use millstream_pressure::{ConcurrencyLimit, LimitConfig};
    /// use millstream_rsocket::{Refuse, Server, proto::Config};
    ///
    /// let limit = ConcurrencyLimit::new("requests", LimitConfig::default(), &ambient())?;
    /// let server = Server::accepting(move |_, requester| {
    ///     let limit = limit.clone();
    ///     let _detached = tokio::spawn(async move {
    ///         requester.grant_from(&limit, Duration::from_secs(1)).await;
    ///     });
    ///     Ok(Refuse)
    /// });
    /// let server = server.config(Config { lease: true, ..Config::default() });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn grant_from(&self, limit: &ConcurrencyLimit, every: Duration) {
        let mut closed = std::pin::pin!(self.closed());
        loop {
            let n_free = limit.limit().saturating_sub(limit.snapshot().in_flight);
            let n_requests = u32::try_from(n_free).unwrap_or(u32::MAX);
            self.grant_lease(n_requests, every.saturating_mul(2));
            if tokio::time::timeout(every, &mut closed).await.is_ok() {
                return;
            }
        }
    }

    /// How many requests the peer had granted when this was last known; `None` without leases.
    #[must_use]
    pub fn lease(&self) -> Option<u32> {
        self.link.lease()
    }

    /// Ends the connection after its streams. No more requests are sent or taken.
    pub fn close(&self) {
        self.link.tell(Command::Close).ok();
    }

    /// Returns whether the connection is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.link.closed().is_some()
    }

    /// Waits until the connection is over, and says why it ended.
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn closed(&self) -> Closed {
        self.link.wait_until_closed().await
    }

    fn call<S: Subscriber<Payload>>(&self, interaction: Interaction, begin: Begin, subscriber: S) {
        let stream = Stream::new(&self.link);
        let alive = self.alive.clone();
        let call = Call { stream: Arc::clone(&stream), interaction, begin, alive };
        // If the task is gone, the subscriber finds out when it is attached.
        self.link.tell(Command::Call(call)).ok();
        stream.attach(subscriber);
    }
}

impl fmt::Debug for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requester").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Publisher of the responses to a request.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Exchange {
    requester: Requester,
    interaction: Interaction,
    payload: Payload,
}

impl Publisher for Exchange {
    type Item = Payload;

    fn subscribe<S: Subscriber<Payload>>(self, subscriber: S) {
        self.requester.call(self.interaction, Begin::With(self.payload), subscriber);
    }
}

backpressure!(source Exchange);

/// Publisher returned by [`Requester::request_channel`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Channel<P> {
    requester: Requester,
    outbound: P,
}

impl<P> Publisher for Channel<P>
where
    P: Publisher<Item = Payload> + Send + 'static,
{
    type Item = Payload;

    fn subscribe<S: Subscriber<Payload>>(self, subscriber: S) {
        let outbound = self.outbound;
        let begin = move |key: u64, link: &Link| outbound.subscribe(Outbound::new(key, link));
        self.requester.call(Interaction::Channel, Begin::From(Box::new(begin)), subscriber);
    }
}

/// Its responses are those of a source: what it sends is held by the connection.
impl<P> Backpressure for Channel<P> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        0
    }
}

impl<P> Bounded for Channel<P> {}
