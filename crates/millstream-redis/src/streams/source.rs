//! The reads of one flow.
//!
//! # Invariants
//!
//! 1. What is read and not passed on, with what the read under way may bring, is at most what was
//!    wanted when that read began.
//! 2. One read is under way at most, and what it brings is passed on or given back.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream::{Error, ErrorKind};
use millstream_pressure::{Acknowledgement, Delivery, Envelope, Fetch, Position};
use redis::{Cmd, FromRedisValue, RedisError, aio::MultiplexedConnection};
use tokio::time::{Instant, Sleep, sleep};

use super::read::{Entries, Entry, claim_answer, numbers_of, pending_answer, read_answer};
use crate::{
    Redis, StreamAck, StreamConfig,
    connection::{is_not_ready, refused},
};

/// The first wait after a server did not answer; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a read waits on the server at most.
const BLOCK: Duration = Duration::from_millis(500);

type Item = Delivery<Entry, StreamAck>;
type Reading = Pin<Box<dyn Future<Output = (Reader, Result<Vec<Item>, Error>)> + Send>>;

pub(super) struct StreamSource {
    redis: Redis,
    /// `None` while it reads.
    reader: Option<Reader>,
    reading: Option<Reading>,
    waiting: Option<Pin<Box<Sleep>>>,
    wait: Duration,
    read: VecDeque<Item>,
}

/// What a read needs, and takes along.
struct Reader {
    redis: Redis,
    config: Arc<StreamConfig>,
    key: Arc<str>,
    connection: Option<MultiplexedConnection>,
    /// When entries of others are looked for next.
    claims_at: Instant,
}

impl StreamSource {
    pub(super) fn new(redis: Redis, config: Arc<StreamConfig>) -> Self {
        let key = config.key.as_str().into();
        let server = redis.clone();
        let claims_at = Instant::now();
        let reader = Reader { redis: server, config, key, connection: None, claims_at };
        Self {
            redis,
            reader: Some(reader),
            reading: None,
            waiting: None,
            wait: FIRST_WAIT,
            read: VecDeque::new(),
        }
    }
}

impl Fetch for StreamSource {
    type Item = Item;

    fn poll_next(&mut self, cx: &mut Context<'_>, wanted: u64) -> Poll<Result<Item, Error>> {
        loop {
            if let Some(item) = self.read.pop_front() {
                return Poll::Ready(Ok(item));
            }
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            if let Some(reader) = self.reader.take() {
                self.reading = Some(Box::pin(reader.read(wanted)));
            }
            let Some(reading) = &mut self.reading else { return Poll::Pending };
            let (reader, result) = std::task::ready!(reading.as_mut().poll(cx));
            self.reading = None;
            self.reader = Some(reader);
            match result {
                Ok(items) => {
                    self.wait = FIRST_WAIT;
                    self.read = items.into();
                }
                Err(error) if error.kind() == ErrorKind::Disconnected => {
                    self.waiting = Some(Box::pin(sleep(self.wait)));
                    self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Drop for StreamSource {
    /// A read that is under way may have been answered: what it brings is given back.
    fn drop(&mut self) {
        if let Some(reading) = self.reading.take() {
            self.redis.0.runtime.spawn(async move { drop(reading.await) });
        }
    }
}

impl Reader {
    async fn read(mut self, wanted: u64) -> (Self, Result<Vec<Item>, Error>) {
        let result = match self.try_read(wanted).await {
            // The key was deleted, and the group with it: the next read creates both again.
            Err(error) if self.config.create && is_without_group(&error) => {
                Err(Error::with_source(ErrorKind::Disconnected, "the group is gone", error))
            }
            other => other,
        };
        if result.is_err() {
            self.connection = None;
        }
        (self, result)
    }

    async fn try_read(&mut self, wanted: u64) -> Result<Vec<Item>, Error> {
        if self.connection.is_none() {
            self.connection = Some(self.redis.0.own().await?);
            if self.config.create {
                self.create().await?;
            }
        }
        let count = wanted.min(u64::from(self.config.max_batch));
        if Instant::now() >= self.claims_at {
            let claimed = self.claim(count).await?;
            if !claimed.is_empty() {
                return Ok(claimed);
            }
            self.claims_at = Instant::now() + self.config.claim_every;
        }
        let StreamConfig { key, group, consumer, .. } = &*self.config;
        // The answer has to come before it is given up.
        let block = BLOCK.min(self.redis.0.config.timeout / 2).min(self.config.claim_every);
        let block = block.as_millis().max(1) as u64;
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg(group).arg(consumer).arg("COUNT").arg(count);
        command.arg("BLOCK").arg(block).arg("STREAMS").arg(key).arg(">");
        let entries = read_answer(self.ask(command).await?).ok_or_else(garbled)?;
        Ok(entries.into_iter().filter_map(|entry| self.delivery(entry, 1)).collect())
    }

    async fn ask<T: FromRedisValue>(&mut self, command: Cmd) -> Result<T, Error> {
        let Some(connection) = &mut self.connection else { return Err(garbled()) };
        let server = &self.redis.0.config.server;
        command.query_async(connection).await.map_err(|error| unanswered(&error, server))
    }

    async fn create(&mut self) -> Result<(), Error> {
        let StreamConfig { key, group, .. } = &*self.config;
        let mut command = redis::cmd("XGROUP");
        command.arg("CREATE").arg(key).arg(group).arg(0).arg("MKSTREAM");
        match self.ask::<redis::Value>(command).await {
            Err(error) if error.to_string().contains("BUSYGROUP") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Entries that another, or a former run of this one, has left unsettled for too long.
    async fn claim(&mut self, count: u64) -> Result<Vec<Item>, Error> {
        let StreamConfig { key, group, consumer, claim_after, .. } = &*self.config;
        let (key, group, consumer) = (key.clone(), group.clone(), consumer.clone());
        let age = claim_after.as_millis() as u64;
        let mut start = "0-0".to_owned();
        loop {
            let mut command = redis::cmd("XAUTOCLAIM");
            command.arg(&key).arg(&group).arg(&consumer).arg(age).arg(&start);
            command.arg("COUNT").arg(count);
            let (next, entries) = claim_answer(self.ask(command).await?).ok_or_else(garbled)?;
            if !entries.is_empty() {
                let attempts = self.attempts(&key, &group, &consumer, &entries).await?;
                let entries = entries.into_iter().filter_map(|entry| {
                    let attempt = attempts.get(&entry.0).copied().unwrap_or(0);
                    self.delivery(entry, attempt)
                });
                return Ok(entries.collect());
            }
            if next == "0-0" {
                return Ok(Vec::new());
            }
            start = next;
        }
    }

    /// How often each was delivered.
    async fn attempts(
        &mut self,
        key: &str,
        group: &str,
        consumer: &str,
        entries: &Entries,
    ) -> Result<HashMap<String, u32>, Error> {
        let [Some((first, _)), Some((last, _))] = [entries.first(), entries.last()] else {
            return Ok(HashMap::new());
        };
        let mut command = redis::cmd("XPENDING");
        command.arg(key).arg(group).arg(first).arg(last).arg(10_000).arg(consumer);
        let rows = pending_answer(self.ask(command).await?).ok_or_else(garbled)?;
        Ok(rows.into_iter().collect())
    }

    fn delivery(&self, (id, entry): (String, Option<Entry>), attempt: u32) -> Option<Item> {
        let (offset, minor) = numbers_of(&id).unwrap_or_default();
        let time = Duration::from_millis(offset);
        let envelope = Envelope {
            time: std::time::SystemTime::UNIX_EPOCH.checked_add(time),
            position: Some(Position { sequence: Arc::clone(&self.key), offset, minor }),
            attempt,
            ..Envelope::default()
        };
        let (config, acker) = (Arc::clone(&self.config), self.redis.0.acker.clone());
        let acknowledgement = Acknowledgement::new(StreamAck { config, id, acker });
        let Some(entry) = entry else {
            // It was deleted, or trimmed, before anybody dealt with it.
            acknowledgement.ack();
            return None;
        };
        Some(Delivery::from_parts(entry, envelope, acknowledgement))
    }
}

/// Of these the connection is at fault, or a server that is starting.
fn unanswered(error: &RedisError, server: &str) -> Error {
    if is_not_ready(error) {
        return Error::new(ErrorKind::Disconnected, "the Redis server is not ready");
    }
    refused(error, server)
}

/// A group that is gone, or that went while a read waited.
fn is_without_group(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("NOGROUP") || text.contains("UNBLOCKED")
}

fn garbled() -> Error {
    Error::new(ErrorKind::InvalidData, "the answer of the Redis server is not that of a stream")
}
