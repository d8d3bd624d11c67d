//! The protocol without sockets, threads or clocks: frames in, frames out, events and deadlines.
//!
//! A [`Connection`] is one side of an RSocket connection. It is told what came in
//! ([`receive`](Connection::receive)), what the application wants ([`open`](Connection::open),
//! [`request`](Connection::request), [`send`](Connection::send), ..) and what time it is
//! ([`tick`](Connection::tick)); it says what goes out ([`poll_frame`](Connection::poll_frame)),
//! what happened ([`poll_event`](Connection::poll_event)) and when it wants to be told the time
//! again ([`deadline`](Connection::deadline)). Times are durations since any moment that stays the
//! same.
//!
//! # Demand
//!
//! Grants are cumulative and cannot be taken back. What the application requests is granted in
//! REQUEST_N frames of at most 2^31 - 1, of which no more are outstanding than one; when half of
//! those have come, more are granted. Demand without bound is kept as such, so that the peer never
//! runs out. A peer that sends an item that nobody asked for is cut off with CONNECTION_ERROR: its
//! next items would be as uncalled for.
//!
//! # Bounds
//!
//! A peer can make a connection hold [`max_streams`](Config::max_streams) streams, payloads that
//! arrive in fragments up to [`max_payload`](Config::max_payload) each and
//! [`max_reassembly`](Config::max_reassembly) together, and frames that answer its own: those are
//! counted by [`answers`](Connection::answers), beyond some of which a driver stops reading.
//! What the application sends waits in a queue for each stream, and goes out in turns, a fragment
//! at a time; [`queued`](Connection::queued) says how many bytes wait.

mod application;
mod config;
mod connect;
mod event;
mod lease;
mod receive;
mod resume;
mod send;
mod stream;

use std::{collections::VecDeque, time::Duration};

pub use config::Config;
pub use event::{Closed, Event, Interaction, OpenError, Request};
use lease::Lease;
use resume::Session;
pub(crate) use send::MOST_ANSWERS;
use stream::Stream;

use crate::{
    frame::{Frame, Setup},
    map::Map,
};

/// Which side of a connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It connects, and its streams have odd numbers.
    Client,
    /// It accepts, and its streams have even numbers.
    Server,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A server that has seen no SETUP yet.
    Waiting,
    /// Requests go both ways.
    Open,
    /// It ends with its last stream.
    Closing,
    /// Nothing is received any more; what is queued is still to be sent.
    Closed,
}

/// One side of a connection. The module's page has the rest.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    config: Config,
    stage: Stage,
    now: Duration,
    /// When the peer was last heard.
    heard: Duration,
    /// When the next KEEPALIVE is due, of a client.
    keep_alive_at: Duration,
    /// The peer is dead when it was silent for so long.
    max_lifetime: Duration,
    streams: Map<u32, Stream>,
    /// How many of them the peer has opened.
    n_theirs: usize,
    next_id: u32,
    has_wrapped: bool,
    /// Frames that go out before all others, and the bytes of those that answer the peer's.
    control: VecDeque<Frame>,
    answers: usize,
    /// Streams with demand to grant.
    grants: VecDeque<u32>,
    /// Streams with frames to send, each of which gets its turn.
    ready: VecDeque<u32>,
    /// The bytes of those frames.
    queued: usize,
    /// The bytes that have come of payloads in fragments.
    reassembling: usize,
    events: VecDeque<Event>,
    /// What the peer lets us request, if leases were agreed on.
    lease_received: Option<Lease>,
    /// What we let the peer request, if leases were agreed on.
    lease_granted: Option<Lease>,
    /// What outlives the transport, if resumption was agreed on.
    session: Option<Box<Session>>,
}

impl Connection {
    /// A client, which begins with `setup`.
    #[must_use]
    pub fn client(config: Config, setup: Setup, now: Duration) -> Self {
        let mut connection = Self::new(Role::Client, config, now);
        connection.start_client(setup);
        connection
    }

    /// A server, which waits for a SETUP.
    #[must_use]
    pub fn server(config: Config, now: Duration) -> Self {
        Self::new(Role::Server, config, now)
    }

    fn new(role: Role, config: Config, now: Duration) -> Self {
        Self {
            role,
            stage: if role == Role::Client { Stage::Open } else { Stage::Waiting },
            now,
            heard: now,
            keep_alive_at: now + config.keep_alive,
            max_lifetime: config.max_lifetime,
            config,
            streams: Map::default(),
            n_theirs: 0,
            next_id: if role == Role::Client { 1 } else { 2 },
            has_wrapped: false,
            control: VecDeque::new(),
            answers: 0,
            grants: VecDeque::new(),
            ready: VecDeque::new(),
            queued: 0,
            reassembling: 0,
            events: VecDeque::new(),
            lease_received: None,
            lease_granted: None,
            session: None,
        }
    }

    /// Which side this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What happened since the last call, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How many streams are open.
    #[must_use]
    pub fn n_streams(&self) -> usize {
        self.streams.len()
    }

    /// How many bytes of payload wait to be sent, or were sent in part.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// How many bytes of frames wait to be sent that answer the peer's. A peer that sends and never
    /// reads makes them grow: beyond a bound, read no more of what it sends.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// Returns whether the connection is over, but for frames that are still to be sent.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }
}
