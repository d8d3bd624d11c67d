//! Requests over several connections.

use std::{fmt, future::Future, io, sync::Arc, time::Duration};

use millstream::{Backpressure, BackpressureKind, Bounded, Ending, Flow, backpressure};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep},
};

use crate::{
    Payload, Requester,
    proto::Interaction,
    watch::{Watch, Watched},
};

/// A measured latency is forgotten in about this time.
const DECAY: Duration = Duration::from_secs(10);
/// What a failure counts as, at least, and a request whose connection was never measured.
const PENALTY: Duration = Duration::from_secs(1);
/// The first pause between two attempts to connect, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Sends each request by one of several connections: of two at random, the one that answers sooner,
/// as far as it has a lease.
///
/// Latency is that until the first item, as a moving average that takes peaks at once and forgets
/// them within about 10 s; it counts once for each request that is under way, and a failure counts
/// as a second. So one that is slow, or fails fast, is asked less and still asked now and then.
/// (Two choices are Mitzenmacher's; the average with peaks is that of Finagle.)
///
/// A connection that ends is replaced, with pauses of 50 ms up to 5 s between attempts. Its streams
/// fail with kind `Disconnected`: they are plans, so `retry` and `retry_backoff` send them again,
/// by a connection that is up then. With a single endpoint this is a requester that reconnects.
///
/// ```
/// use millstream_rsocket::{Balancer, Client, Refuse, Server};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let listener = Server::new(Refuse).listen_tcp("127.0.0.1:0").await?;
/// let addresses = vec![listener.address()];
///
/// let client = Client::new();
/// let balancer = Balancer::new(addresses, move |address| {
///     let (client, address) = (client.clone(), *address);
///     async move { client.connect_tcp(address).await }
/// });
/// balancer.ready().await;
/// let refused = balancer.request_response("x").retry(2).first().await;
/// assert!(refused.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors of its flows
///
/// As those of a [`Requester`]; of kind `Disconnected` too if no connection is up, and of kind
/// `Rejected` if none has a lease. Nothing was sent then.
#[derive(Clone)]
pub struct Balancer(Arc<Shared>);

struct Shared {
    state: Arc<Mutex<State>>,
    /// What keeps the connections up, for as long as there is a handle.
    tasks: Vec<AbortHandle>,
}

struct State {
    members: Vec<Member>,
    random: u64,
    /// Wakes those who wait for a connection.
    connected: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
struct Member {
    requester: Option<Requester>,
    /// In seconds, of when it was measured last.
    latency: f64,
    measured: Option<Instant>,
    n_in_flight: u32,
    n_requests: u64,
}

impl Member {
    /// The latency as of now, in seconds.
    fn latency(&self, now: Instant) -> f64 {
        let age = self.measured.map_or(Duration::MAX, |measured| now - measured);
        self.latency * (-age.as_secs_f64() / DECAY.as_secs_f64()).exp()
    }

    fn measure(&mut self, latency: Duration, now: Instant) {
        let latency = latency.as_secs_f64();
        let age = self.measured.map_or(Duration::MAX, |measured| now - measured);
        let keep = (-age.as_secs_f64() / DECAY.as_secs_f64()).exp();
        // Peaks are taken at once, and forgotten slowly.
        self.latency = latency.max(self.latency * keep + latency * (1.0 - keep));
        self.measured = Some(now);
    }

    /// What a request here costs: less is better.
    fn cost(&self, now: Instant) -> f64 {
        match self.measured {
            None if self.n_in_flight > 0 => PENALTY.as_secs_f64() * f64::from(self.n_in_flight),
            None => 0.0,
            Some(_) => self.latency(now) * f64::from(self.n_in_flight + 1),
        }
    }
}

impl State {
    fn random(&mut self, n: usize) -> usize {
        // splitmix64
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick(&mut self) -> Result<usize, Error> {
        let is_up = |member: &Member| {
            member.requester.as_ref().is_some_and(|requester| !requester.is_closed())
        };
        let has_lease = |member: &Member| {
            member.requester.as_ref().is_some_and(|requester| requester.lease() != Some(0))
        };
        let members = self.members.iter().enumerate();
        let up: Vec<usize> =
            members.filter(|(_, member)| is_up(member)).map(|(index, _)| index).collect();
        let able: Vec<usize> =
            up.iter().copied().filter(|index| has_lease(&self.members[*index])).collect();
        match (&able[..], &up[..]) {
            ([], []) => Err(Error::new(ErrorKind::Disconnected, "no connection is up")),
            ([], _) => Err(Error::new(ErrorKind::Rejected, "no connection has a lease")),
            ([only], _) => Ok(*only),
            (able, _) => {
                let first = self.random(able.len());
                let second = (first + 1 + self.random(able.len() - 1)) % able.len();
                let (first, second) = (able[first], able[second]);
                let now = Instant::now();
                let cost = |index: usize| self.members[index].cost(now);
                Ok(if cost(second) < cost(first) { second } else { first })
            }
        }
    }
}

impl Balancer {
    /// Connects to all endpoints by `connect`, and keeps the connections up until the last clone
    /// and the last of its flows is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    #[must_use]
    pub fn new<E, F>(endpoints: Vec<E>, connect: impl Fn(&E) -> F + Send + Sync + 'static) -> Self
    where
        E: Send + 'static,
        F: Future<Output = io::Result<Requester>> + Send + 'static,
    {
        let members = endpoints.iter().map(|_| Member::default()).collect();
        // Which two are compared is no secret.
        let random = getrandom::u64().unwrap_or(0);
        let state = State { members, random, connected: Arc::default() };
        let state = Arc::new(Mutex::new(state));
        let connect = Arc::new(connect);
        let keep = |(index, endpoint)| {
            let (state, connect) = (Arc::clone(&state), Arc::clone(&connect));
            let connecting = move || connect(&endpoint);
            tokio::spawn(keep_up(state, index, connecting)).abort_handle()
        };
        let tasks = endpoints.into_iter().enumerate().map(keep).collect();
        Self(Arc::new(Shared { state, tasks }))
    }

    /// Waits until a connection is up.
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn ready(&self) {
        loop {
            let connected = Arc::clone(&self.0.state.lock().connected);
            let notified = connected.notified();
            if self.n_up() > 0 {
                return;
            }
            notified.await;
        }
    }

    /// How many connections are up.
    #[must_use]
    pub fn n_up(&self) -> usize {
        let state = self.0.state.lock();
        let up = |member: &&Member| {
            member.requester.as_ref().is_some_and(|requester| !requester.is_closed())
        };
        state.members.iter().filter(up).count()
    }

    /// How many requests each endpoint was sent, in their order.
    #[must_use]
    pub fn n_requests(&self) -> Vec<u64> {
        self.0.state.lock().members.iter().map(|member| member.n_requests).collect()
    }

    fn exchange(&self, interaction: Interaction, payload: Payload) -> Flow<Balanced> {
        Flow::from(Balanced { balancer: self.clone(), interaction, payload })
    }

    /// As [`Requester::fire_and_forget`].
    pub fn fire_and_forget(&self, request: impl Into<Payload>) -> Flow<Balanced> {
        self.exchange(Interaction::FireAndForget, request.into())
    }

    /// As [`Requester::request_response`].
    pub fn request_response(&self, request: impl Into<Payload>) -> Flow<Balanced> {
        self.exchange(Interaction::Response, request.into())
    }

    /// As [`Requester::request_stream`].
    pub fn request_stream(&self, request: impl Into<Payload>) -> Flow<Balanced> {
        self.exchange(Interaction::Stream, request.into())
    }

    /// As [`Requester::request_channel`]. It can be tried again only if `outbound` can be cloned.
    pub fn request_channel<P>(&self, outbound: P) -> Flow<BalancedChannel<P>>
    where
        P: Publisher<Item = Payload> + Send + 'static,
    {
        Flow::from(BalancedChannel { balancer: self.clone(), outbound })
    }

    /// Subscribes to what `plan` makes of the requester that is chosen now.
    fn send<P: Publisher<Item = Payload>>(
        self,
        plan: impl FnOnce(&Requester) -> Flow<P>,
        subscriber: impl Subscriber<Payload>,
    ) {
        let mut state = self.0.state.lock();
        let index = match state.pick() {
            Ok(index) => index,
            Err(error) => {
                drop(state);
                return millstream::error(error).subscribe(subscriber);
            }
        };
        let member = &mut state.members[index];
        let Some(requester) = member.requester.clone() else { return };
        member.n_in_flight += 1;
        member.n_requests += 1;
        drop(state);
        let started = Instant::now();
        let watch = Measuring { balancer: self, index, started, is_measured: false };
        Watched { source: plan(&requester).into_inner(), watch }.subscribe(subscriber);
    }
}

/// Keeps a connection up.
async fn keep_up<F>(state: Arc<Mutex<State>>, index: usize, connect: impl Fn() -> F)
where
    F: Future<Output = io::Result<Requester>>,
{
    let mut pause = Duration::ZERO;
    loop {
        sleep(pause).await;
        pause = (pause * 2).clamp(PAUSES.0, PAUSES.1);
        let Ok(requester) = connect().await else { continue };
        let connected = {
            let mut state = state.lock();
            let member = &mut state.members[index];
            // What was measured is of the connection before.
            member.measured = None;
            member.requester = Some(requester.clone());
            Arc::clone(&state.connected)
        };
        connected.notify_waiters();
        let since = Instant::now();
        requester.closed().await;
        state.lock().members[index].requester = None;
        // One that is refused each time it has connected is not tried all the time.
        if since.elapsed() > PAUSES.1 {
            pause = Duration::ZERO;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// A request that is under way.
struct Measuring {
    balancer: Balancer,
    index: usize,
    started: Instant,
    is_measured: bool,
}

impl Measuring {
    fn measure(&mut self, least: Duration) {
        if !std::mem::replace(&mut self.is_measured, true) {
            let now = Instant::now();
            let latency = (now - self.started).max(least);
            self.balancer.0.state.lock().members[self.index].measure(latency, now);
        }
    }
}

impl Watch for Measuring {
    fn answered(&mut self) {
        self.measure(Duration::ZERO);
    }

    fn ended(&mut self, ending: &Ending) {
        match ending {
            Ending::Completed => self.measure(Duration::ZERO),
            Ending::Failed(_) => {
                self.is_measured = false;
                self.measure(PENALTY);
            }
            Ending::Canceled => {}
        }
        self.balancer.0.state.lock().members[self.index].n_in_flight -= 1;
    }
}

/// Publisher of the responses to a request that a [`Balancer`] sends.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Balanced {
    balancer: Balancer,
    interaction: Interaction,
    payload: Payload,
}

impl Publisher for Balanced {
    type Item = Payload;

    fn subscribe<S: Subscriber<Payload>>(self, subscriber: S) {
        let Self { balancer, interaction, payload } = self;
        balancer.send(|requester| requester.exchange(interaction, payload), subscriber);
    }
}

backpressure!(source Balanced);

/// Publisher returned by [`Balancer::request_channel`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BalancedChannel<P> {
    balancer: Balancer,
    outbound: P,
}

impl<P> Publisher for BalancedChannel<P>
where
    P: Publisher<Item = Payload> + Send + 'static,
{
    type Item = Payload;

    fn subscribe<S: Subscriber<Payload>>(self, subscriber: S) {
        let Self { balancer, outbound } = self;
        balancer.send(|requester| requester.request_channel(outbound), subscriber);
    }
}

/// Its responses are those of a source: what it sends is held by the connection.
impl<P> Backpressure for BalancedChannel<P> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        0
    }
}

impl<P> Bounded for BalancedChannel<P> {}

impl fmt::Debug for Balancer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balancer").field("n_up", &self.n_up()).finish_non_exhaustive()
    }
}
