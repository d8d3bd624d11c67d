//! The requests of one flow.
//!
//! # States
//!
//! ```text
//!             the consumer is there, or may be created
//!   ┌────────┐ ───────────────────────────────────────▶ ┌──────┐
//!   │ OPENING│                                          │ OPEN │ ⟲ a message, a request
//!   └────────┘ ◀─────────────────────────────────────── └──────┘
//!     ▲   │      connected again, no heartbeat, an         │
//!     │   │      answer that does not say how many         │ nobody there
//!     │   │ no answer                                      ▼
//!     │   └─────────────────────────────────────────▶ ┌─────────┐
//!     └────────────────────────────────────────────── │ WAITING │
//!                         time is over                └─────────┘
//! ```
//!
//! # Invariants
//!
//! 1. `requested` is what was asked for by the present inbox and has neither come nor been
//!    declined.
//! 2. `requested` is at most `wanted`, which is what was asked for here and not passed on.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_nats::Message;
use bytes::Bytes;
use millstream::{Error, ErrorKind, parts::GateTimer};
use millstream_kernel::{End, Step};
use millstream_pressure::{Acknowledgement, Delivery, Fetch};

use super::{
    inbox::Inbox,
    request::{self, Status},
};
use crate::{Nats, NatsAck, PullConfig, connection::Connection, envelope::envelope};

/// The first wait after nobody answered; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<Inbox, Error>> + Send>>;
type Sending = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

enum State {
    Opening(Opening),
    Open(Inbox),
    /// Until this moment.
    Waiting(Duration),
}

pub(super) struct PullSource {
    connection: Arc<Connection>,
    config: Arc<PullConfig>,
    stream: Arc<str>,
    subject: String,
    wanted: u64,
    requested: u64,
    state: State,
    sending: Option<Sending>,
    /// When the server was last heard, or asked while nothing was requested.
    heard: Duration,
    /// How often the connection was made when the inbox was opened.
    epoch: u64,
    wait: Duration,
    timer: GateTimer,
}

impl PullSource {
    pub(super) fn new(nats: Nats, config: Arc<PullConfig>, timer: GateTimer) -> Self {
        let connection = nats.0;
        Self {
            stream: config.stream.as_str().into(),
            subject: request::subject(&config),
            wanted: 0,
            requested: 0,
            state: State::Waiting(Duration::ZERO),
            sending: None,
            heard: Duration::ZERO,
            epoch: 0,
            wait: FIRST_WAIT,
            timer,
            connection,
            config,
        }
    }

    /// Opens another inbox; what was asked for by the former one is given back.
    fn open(&mut self, looks_for_consumer: bool) {
        let (connection, config) = (Arc::clone(&self.connection), Arc::clone(&self.config));
        self.epoch = connection.epochs.now();
        self.requested = 0;
        self.sending = None;
        self.state = State::Opening(Box::pin(async move {
            if looks_for_consumer {
                request::find(&connection, &config).await?;
            }
            Inbox::open(connection).await
        }));
    }

    /// Leaves the server alone for a while.
    fn wait(&mut self) {
        self.requested = 0;
        self.sending = None;
        self.state = State::Waiting(self.timer.now().saturating_add(self.wait));
        self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
    }

    /// Asks for what is wanted and was not asked for. One request at a time, and not one for each
    /// item: what was asked for comes meanwhile.
    fn ask(&mut self) {
        let State::Open(inbox) = &self.state else { return };
        let wanted = self.wanted.min(u64::from(self.config.max_requested));
        let more = wanted.saturating_sub(self.requested);
        if more == 0 || more < self.requested || self.sending.is_some() {
            return;
        }
        if self.requested == 0 {
            // Nothing was to be heard.
            self.heard = self.timer.now();
        }
        self.requested += more;
        let client = self.connection.client.clone();
        let (subject, reply) = (self.subject.clone(), inbox.subject.clone());
        let body = request::body(&self.config, more);
        self.sending = Some(Box::pin(async move {
            client.publish_with_reply(subject, reply, body).await.map_err(closed)
        }));
    }

    /// Moves what is being sent on.
    fn poll_sending(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        match sending.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(result) => {
                self.sending = None;
                result
            }
        }
    }

    /// A message came: the delivery, if it is one.
    fn hear(&mut self, message: Message) -> Result<Option<Delivery<Bytes, NatsAck>>, Error> {
        self.heard = self.timer.now();
        match request::status_of(&message) {
            None => {}
            Some(Status::Heartbeat) => {
                if let Some(reply) = message.reply {
                    crate::ack::send(&self.connection, reply, Bytes::new());
                }
                return Ok(None);
            }
            Some(Status::Over(n)) => {
                self.requested = self.requested.saturating_sub(n);
                return Ok(None);
            }
            Some(Status::Unknown) => {
                self.open(false);
                return Ok(None);
            }
            Some(Status::NobodyThere) => {
                self.wait();
                return Ok(None);
            }
            Some(Status::Refused(text)) => {
                let PullConfig { stream, consumer, .. } = &*self.config;
                let what = format!("the consumer `{consumer}` of `{stream}` refuses: {text}");
                return Err(Error::new(ErrorKind::Rejected, what));
            }
        }
        self.requested = self.requested.saturating_sub(1);
        self.wait = FIRST_WAIT;
        let Some(reply) = message.reply else { return Ok(None) };
        let headers = message.headers.as_ref();
        let envelope = envelope(&self.stream, &message.subject, &reply, headers);
        let ack = NatsAck::new(Arc::clone(&self.connection), reply);
        Ok(Some(Delivery::from_parts(message.payload, envelope, Acknowledgement::new(ack))))
    }

    /// When the server is given up, if it is not heard.
    fn silence(&self) -> Duration {
        self.heard.saturating_add(self.config.heartbeat.saturating_mul(2))
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Result<Step<Delivery<Bytes, NatsAck>>, Error> {
        loop {
            match &mut self.state {
                State::Waiting(until) => {
                    let until = *until;
                    if self.timer.now() < until {
                        return Ok(self.timer.wait_until(until, || ()));
                    }
                    self.open(true);
                }
                State::Opening(opening) => match opening.as_mut().poll(cx) {
                    Poll::Pending => return Ok(Step::Pending),
                    Poll::Ready(Ok(inbox)) => {
                        self.state = State::Open(inbox);
                        self.heard = self.timer.now();
                    }
                    // It may be starting.
                    Poll::Ready(Err(error)) if error.kind() == ErrorKind::Timeout => self.wait(),
                    Poll::Ready(Err(error)) => return Err(error),
                },
                State::Open(_) if self.epoch != self.connection.epochs.now() => self.open(false),
                State::Open(inbox) => match inbox.poll_next(cx) {
                    Poll::Ready(Some(message)) => {
                        if let Some(delivery) = self.hear(message)? {
                            return Ok(Step::Item(delivery));
                        }
                    }
                    Poll::Ready(None) => return Err(closed("its subscription has ended")),
                    Poll::Pending => {
                        self.ask();
                        self.poll_sending(cx)?;
                        let silence = self.silence();
                        if self.requested > 0 && self.timer.now() >= silence {
                            self.open(false);
                            continue;
                        }
                        return Ok(self.timer.wait_until(silence, || ()));
                    }
                },
            }
        }
    }
}

fn closed(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Disconnected, format!("the NATS connection is closed: {cause}"))
}

impl Fetch for PullSource {
    type Item = Delivery<Bytes, NatsAck>;

    fn poll_next(&mut self, cx: &mut Context<'_>, wanted: u64) -> Poll<Result<Self::Item, Error>> {
        self.wanted = wanted;
        match self.step(cx)? {
            Step::Item(delivery) => Poll::Ready(Ok(delivery)),
            Step::End(End::Failed(error)) => Poll::Ready(Err(error)),
            Step::Pending | Step::End(End::Complete) => Poll::Pending,
        }
    }
}
