//! The thread of a consumer.
//!
//! It alone owns the client's consumer, and polls it all the time, so that the group knows that it
//! is there: without demand a little, and what comes then is held.
//!
//! # States
//!
//! ```text
//! ┌─────────┐  cancel, or an error  ┌──────────┐  all settled, or time is over  ┌──────┐
//! │ SERVING │ ────────────────────▶ │ SETTLING │ ─────────────────────────────▶ │ LEFT │
//! └─────────┘                       └──────────┘    (commits, and leaves)       └──────┘
//! ```
//!
//! # Invariants
//!
//! 1. `issued` is what was put into the outbox and is not stale: at most what was granted.
//! 2. Between two polls no longer than [`STALL_POLL`] goes by, but for a commit that waits for the
//!    brokers.
//! 3. A partition's records are passed on between its assignment and its revocation, and no record
//!    that was polled before an assignment is counted to it.

mod group;

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use millstream::{Error, ErrorKind};
use rdkafka::{
    Message, TopicPartitionList,
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    message::BorrowedMessage,
};

use super::{
    ConsumerSnapshot, Shared,
    context::{Event, Told},
    outbox::Outbox,
    partition::{Partition, Passed},
};
use crate::{ConsumerConfig, Kafka, ack::Settled, errors, record::Record};

/// How long it waits for something to happen, at most.
const IDLE: Duration = Duration::from_millis(50);
/// How often it polls while nobody asks for anything: each poll may bring a record, which is held.
const STALL_POLL: Duration = Duration::from_millis(50);
/// How often the snapshot is taken.
const SNAPSHOT: Duration = Duration::from_millis(100);

type Client = BaseConsumer<Told>;

/// Joins the group, on a thread of its own.
///
/// # Errors
///
/// Settings that the client refuses.
pub(super) fn start(
    kafka: &Kafka,
    config: Arc<ConsumerConfig>,
    outbox: Arc<Outbox>,
    shared: Arc<Shared>,
) -> Result<(), Error> {
    let mut client: ClientConfig = kafka.0.config.client();
    config.add_to(&mut client);
    let (events_in, events) = channel();
    let told = Told::new(events_in, config.is_cooperative());
    let mut client: Client =
        client.create_with_context(told).map_err(|error| errors::unusable(&error))?;
    let topics: Vec<&str> = config.topics.iter().map(String::as_str).collect();
    client.subscribe(&topics).map_err(|error| errors::unusable(&error))?;
    let cluster = Arc::clone(&kafka.0);
    cluster.members.send_modify(|n| *n += 1);
    // The client's polls block for commits, and have to go on whatever the flow's worker does.
    let spawned = thread::Builder::new().name("millstream-kafka".to_owned()).spawn({
        let cluster = Arc::clone(&cluster);
        move || {
            let driver = thread::current();
            outbox.is_filled_by(driver.clone());
            client.set_nonempty_callback(move || driver.unpark());
            let brokers = cluster.config.brokers.join(", ");
            Driver::new(client, config, outbox, shared, events, brokers).run();
            cluster.members.send_modify(|n| *n -= 1);
        }
    });
    if let Err(error) = spawned {
        cluster.members.send_modify(|n| *n -= 1);
        let what = "the system starts no thread for the consumer";
        return Err(Error::with_source(ErrorKind::Io, what, error));
    }
    Ok(())
}

struct Driver {
    client: Arc<Client>,
    config: Arc<ConsumerConfig>,
    outbox: Arc<Outbox>,
    shared: Arc<Shared>,
    events: Receiver<Event>,
    brokers: String,
    settled_in: Sender<Settled>,
    settled: Receiver<Settled>,
    /// By their ids, which only grow.
    partitions: Vec<Partition>,
    next_id: u64,
    /// The partition of the last record.
    last: usize,
    issued: u64,
    batch: Vec<Passed>,
    chunk: BytesMut,
    start: Instant,
    stores_at: Duration,
    polls_at: Duration,
    shows_at: Duration,
    counts: ConsumerSnapshot,
    is_settling: bool,
}

impl Driver {
    #[expect(clippy::disallowed_methods, reason = "polls and commits are in real time")]
    fn new(
        client: Client,
        config: Arc<ConsumerConfig>,
        outbox: Arc<Outbox>,
        shared: Arc<Shared>,
        events: Receiver<Event>,
        brokers: String,
    ) -> Self {
        let (settled_in, settled) = channel();
        let client = Arc::new(client);
        shared.membership.begin(&client);
        Self {
            client,
            stores_at: Duration::ZERO,
            config,
            outbox,
            shared,
            events,
            brokers,
            settled_in,
            settled,
            partitions: Vec::new(),
            next_id: 0,
            last: 0,
            issued: 0,
            batch: Vec::new(),
            chunk: BytesMut::new(),
            start: Instant::now(),
            polls_at: Duration::ZERO,
            shows_at: Duration::ZERO,
            counts: ConsumerSnapshot::default(),
            is_settling: false,
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn run(mut self) {
        let failure = self.serve();
        if let Err(error) = failure {
            self.outbox.fail(error);
        }
        self.settle();
        self.leave();
    }

    /// Until the flow is canceled.
    fn serve(&mut self) -> Result<(), Error> {
        loop {
            let wanted = self.outbox.wanted();
            if wanted.is_canceled {
                return Ok(());
            }
            self.hear_settled();
            // What the flow has not taken is bounded too where it asks without bound.
            let room = (2 * self.config.max_batch as usize).saturating_sub(wanted.waiting) as u64;
            let credit = wanted.granted.saturating_sub(self.issued).min(room);
            self.pass_on(credit);
            let credit = credit.saturating_sub(self.batch.len() as u64);
            let is_idle = self.poll(credit)?;
            self.pass_on(credit);
            self.flush();
            self.steer();
            self.store_if_due();
            self.show();
            if is_idle {
                thread::park_timeout(self.idle_time());
            }
        }
    }

    /// Moves held records into the batch.
    fn pass_on(&mut self, credit: u64) {
        let (now, n) = (self.now(), self.partitions.len());
        let target = self.batch.len() + usize::try_from(credit).unwrap_or(usize::MAX);
        let target = target.min(self.config.max_batch as usize);
        // Each partition in turn, so that none waits for another.
        let mut n_empty = 0;
        let mut at = self.last;
        while n_empty < n && self.batch.len() < target {
            at = if at + 1 < n { at + 1 } else { 0 };
            match self.partitions[at].next(now) {
                Some(passed) => {
                    self.batch.push(passed);
                    n_empty = 0;
                }
                None => n_empty += 1,
            }
        }
    }

    /// Polls what may be passed on, or at times a little. Returns whether nothing is left to poll.
    fn poll(&mut self, credit: u64) -> Result<bool, Error> {
        let now = self.now();
        let is_stalled = credit == 0 || self.is_settling;
        if is_stalled {
            if now < self.polls_at {
                return Ok(true);
            }
            self.polls_at = now + STALL_POLL;
        }
        let n = if is_stalled { 1 } else { credit.min(u64::from(self.config.max_batch)) };
        let client = Arc::clone(&self.client);
        let (mut n_records, mut n_nothing) = (0, 0);
        // Nothing may also mean that something else was polled, such as a rebalance.
        while n_records < n && n_nothing < 2 {
            match client.poll(Duration::ZERO) {
                None => n_nothing += 1,
                Some(Ok(message)) => {
                    n_records += 1;
                    self.receive(&message);
                }
                Some(Err(error)) => {
                    n_nothing = 0;
                    self.counts.last_complaint = Some(error.to_string());
                    if let Some(error) =
                        errors::of_consumer(&error, &self.config.topics, &self.brokers)
                    {
                        return Err(error);
                    }
                }
            }
            while let Ok(event) = self.events.try_recv() {
                self.hear(event);
            }
        }
        Ok(is_stalled || n_nothing > 0)
    }

    fn receive(&mut self, message: &BorrowedMessage<'_>) {
        if self.is_settling {
            return;
        }
        let (topic, number) = (message.topic(), message.partition());
        let is_last = self.partitions.get(self.last).is_some_and(|last| last.is(topic, number));
        if !is_last {
            let found = self.partitions.iter().position(|each| each.is(topic, number));
            // One of a partition that was taken away.
            let Some(found) = found else { return };
            self.last = found;
        }
        if let Some(record) = Record::read(message, &mut self.chunk) {
            self.partitions[self.last].hold(record);
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.issued += self.batch.len() as u64;
            self.outbox.put(&mut self.batch);
        }
    }

    /// Pauses partitions whose records nobody asks for, and has them go on.
    fn steer(&mut self) {
        let ConsumerConfig { pause_above, resume_at, fetch_ahead_kib, .. } = *self.config;
        let bytes = (fetch_ahead_kib as usize).saturating_mul(1024);
        for partition in &mut self.partitions {
            let (n, held) = (partition.n_held(), partition.held_bytes());
            let is_full = n > pause_above as usize || held > bytes || self.is_settling;
            let has_room = n <= resume_at as usize && held <= bytes / 2 && !self.is_settling;
            let is_due = if partition.is_paused { has_room } else { is_full };
            if !is_due {
                continue;
            }
            let mut list = TopicPartitionList::new();
            list.add_partition(&partition.topic, partition.number);
            let result = if is_full { self.client.pause(&list) } else { self.client.resume(&list) };
            // It is tried again: the partition may not have begun.
            if result.is_ok() {
                partition.is_paused = is_full;
                self.counts.pauses += u64::from(is_full);
            }
        }
    }

    fn show(&mut self) {
        let now = self.now();
        if now < self.shows_at {
            return;
        }
        self.shows_at = now + SNAPSHOT;
        self.counts.partitions = self.partitions.iter().map(Partition::snapshot).collect();
        self.shared.status.lock().clone_from(&self.counts);
    }

    /// How long there is nothing to do.
    fn idle_time(&self) -> Duration {
        let now = self.now();
        let due = self.partitions.iter().filter_map(Partition::due).min();
        let until = due.map_or(IDLE, |due| due.saturating_sub(now));
        until.min(IDLE).max(Duration::from_millis(1))
    }
}
