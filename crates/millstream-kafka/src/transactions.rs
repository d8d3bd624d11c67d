//! `Transactions`: records in, records out, exactly once.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use millstream::{Error, ErrorKind, Order, Outcome};
use millstream_pressure::{Acknowledgement, Envelope, InvalidSetting, Position, Settings};
use rdkafka::{
    Offset, TopicPartitionList,
    error::KafkaError,
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
    types::RDKafkaErrorCode as Code,
};

use crate::{
    Consumer, Kafka, KafkaAck, Publication, SinkConfig, client::invalid, config::ms,
    consumer::Membership, errors,
};

const NAME: &str = "kafka transactions";
/// How long a transaction that was aborted waits for its next attempt.
const PAUSE: Duration = Duration::from_millis(100);

/// An abort waits until what was sent is confirmed or given up, for which somebody has to poll.
type Producing = ThreadedProducer<DefaultProducerContext>;

/// How transactions are made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TransactionConfig {
    /// The name of this maker of transactions, by which one that comes back ends what it had left
    /// open. No two at a time have the same: the older one fails.
    pub id: String,
    /// The most records that are worked on at a time. Default: 64.
    pub concurrency: u32,
    /// The most records of a transaction. Default: 1,000.
    pub max_records: u32,
    /// How long a record waits for others of its transaction. Default: 100 ms.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub every: Duration,
    /// How long a transaction may take, from its first record to its commit. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
}

impl Default for TransactionConfig {
    fn default() -> Self {
        Self {
            id: String::new(),
            concurrency: 64,
            max_records: 1_000,
            every: Duration::from_millis(100),
            timeout: Duration::from_secs(30),
        }
    }
}

impl TransactionConfig {
    /// The defaults, with a name.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }
}

impl Settings for TransactionConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless(!self.id.is_empty(), NAME, "id", &self.id, "a name")?;
        let rule = "from 1 to 1,000,000";
        for (setting, n) in [("concurrency", self.concurrency), ("max_records", self.max_records)] {
            InvalidSetting::unless((1..=1_000_000).contains(&n), NAME, setting, n, rule)?;
        }
        let rule = "longer than every";
        InvalidSetting::unless(self.timeout > self.every, NAME, "timeout", self.timeout, rule)
    }
}

/// A maker of transactions: what comes of records is published together with the word that they
/// were read, or neither is.
pub struct Transactions {
    kafka: Kafka,
    config: TransactionConfig,
    producer: Arc<Producing>,
}

impl Kafka {
    /// A maker of transactions. Ends what an earlier one of this name had left open.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, of kind `InvalidData`; a name that is not allowed, of kind
    /// `Rejected`; no broker that answers in time, of kind `Disconnected`.
    pub async fn transactions(&self, config: TransactionConfig) -> Result<Transactions, Error> {
        config.validate().map_err(invalid)?;
        let mut client = self.0.config.client();
        SinkConfig { ack_timeout: config.timeout, ..SinkConfig::default() }.add_to(&mut client);
        client
            .set("transactional.id", &config.id)
            .set("transaction.timeout.ms", ms(config.timeout));
        let (timeout, id) = (self.0.config.timeout, config.id.clone());
        let beginning = self.0.runtime.spawn_blocking(move || {
            let producer: Producing = client.create().map_err(|error| errors::unusable(&error))?;
            producer.init_transactions(timeout).map_err(|error| failed(&id, &error))?;
            Ok(producer)
        });
        let producer = Arc::new(beginning.await.map_err(Error::other)??);
        Ok(Transactions { kafka: self.clone(), config, producer })
    }
}

impl Transactions {
    /// Works on the records of a consumer, several at a time, and publishes what comes of each in
    /// transactions that have the group's offsets in them: whoever reads what is committed sees
    /// what comes of a record once, whatever fails in between. The effects of `f` elsewhere are not
    /// part of that.
    ///
    /// When a partition is to be taken away, its transactions are waited for. Dropping the outcome
    /// cancels it, and a transaction under way is finished.
    ///
    /// # Errors
    ///
    /// If the consumer is not [transactional](crate::ConsumerConfig::is_transactional).
    ///
    /// The outcome is never ready but with an error: that of `f`; of the consumer; of kind
    /// `Rejected` if another has this name; of kind `Disconnected` if a transaction was aborted for
    /// longer than its timeout, or its records are another member's by now.
    /// Nothing of it was committed then: run it again, by a maker of its own.
    pub fn run<F, Fut>(self, consumer: &Consumer, mut f: F) -> Result<Outcome<()>, InvalidSetting>
    where
        F: FnMut(Option<Bytes>, &Envelope) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<Publication>, Error>> + Send + 'static,
    {
        let is_one = consumer.is_transactional();
        let rule = "true, so that nothing else commits";
        InvalidSetting::unless(is_one, "kafka consumer", "is_transactional", is_one, rule)?;
        let Self { kafka, config, producer } = self;
        let scheduler = kafka.scheduler();
        let TransactionConfig { concurrency, max_records, every, timeout, id } = config;
        let membership = consumer.membership();
        let of_work = Arc::clone(&membership);
        // Nothing between the consumer and the transactions drops a record, so that the offsets of
        // a transaction leave none out.
        let worked = consumer.deliveries().map_async_on(
            &scheduler,
            concurrency as usize,
            Order::Source,
            move |delivery| {
                let (payload, envelope, acknowledgement) = delivery.into_parts();
                let era = of_work.era();
                let work = f(payload, &envelope);
                async move {
                    let publications = work.await?;
                    let position = envelope.position;
                    Ok::<_, Error>(Worked { publications, position, acknowledgement, era })
                }
            },
        );
        let runtime = kafka.0.runtime.clone();
        let committing = move |batch: Vec<Worked>| {
            let (producer, membership) = (Arc::clone(&producer), Arc::clone(&membership));
            let id = id.clone();
            let task = runtime.spawn_blocking(move || {
                commit(&producer, &membership, &batch, timeout)
                    .map_err(|problem| problem.error(&id))?;
                batch.into_iter().for_each(|worked| worked.acknowledgement.ack());
                Ok::<_, Error>(())
            });
            async move { task.await.map_err(Error::other)? }
        };
        let done = worked
            .flatten_results()
            .buffer_timeout(&scheduler, max_records as usize, every)
            .map_async_on(&scheduler, 1, Order::Source, committing)
            .flatten_results()
            .for_each(|()| ());
        Ok(done)
    }
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What came of a record.
struct Worked {
    publications: Vec<Publication>,
    position: Option<Position>,
    acknowledgement: Acknowledgement<KafkaAck>,
    era: u64,
}

/// Why a transaction was not committed.
enum Problem {
    Client(KafkaError),
    /// A partition was taken away in the middle of it.
    Gone,
}

impl Problem {
    fn error(&self, id: &str) -> Error {
        match self {
            Self::Client(error) => failed(id, error),
            Self::Gone => {
                let what =
                    "a partition was taken away before its records were committed: run again";
                Error::new(ErrorKind::Disconnected, what)
            }
        }
    }
}

impl From<KafkaError> for Problem {
    fn from(error: KafkaError) -> Self {
        Self::Client(error)
    }
}

/// Blocks until it is committed, or given up. One that is aborted because the group is changing is
/// made again, with the group's new view of this member.
fn commit(
    producer: &Producing,
    membership: &Membership,
    batch: &[Worked],
    timeout: Duration,
) -> Result<(), Problem> {
    let mut left = timeout;
    loop {
        let problem = match attempt(producer, membership, batch, timeout) {
            Err(Problem::Client(error)) => error,
            other => return other,
        };
        // If it cannot be aborted, the next one with this name ends it, or its timeout does.
        let is_over = producer.abort_transaction(timeout).is_err();
        if is_over || is_final(&problem) || left.is_zero() {
            return Err(Problem::Client(problem));
        }
        pause(PAUSE);
        left = left.saturating_sub(PAUSE);
    }
}

fn attempt(
    producer: &Producing,
    membership: &Membership,
    batch: &[Worked],
    timeout: Duration,
) -> Result<(), Problem> {
    // Before it is looked whether any is another's: whoever gets a partition later has a view of
    // the group that is newer than this.
    let metadata = membership.metadata().ok_or(Problem::Gone)?;
    let era = membership.era();
    if batch.iter().any(|worked| worked.era != era) {
        return Err(Problem::Gone);
    }
    let offsets = offsets(batch)?;
    producer.begin_transaction()?;
    for publication in batch.iter().flat_map(|worked| &worked.publications) {
        let record: BaseRecord<'_, [u8], [u8]> = publication.base_record();
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.send_offsets_to_transaction(&offsets, &metadata, timeout)?;
    producer.commit_transaction(timeout)?;
    Ok(())
}

/// Whether another attempt is of no use.
fn is_final(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(error) => error.is_fatal(),
        _ => true,
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread for what blocks, which waits for a group")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The offsets after the last record of each partition.
fn offsets(batch: &[Worked]) -> Result<TopicPartitionList, KafkaError> {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for position in batch.iter().filter_map(|worked| worked.position.as_ref()) {
        let offset = last.entry(&position.sequence).or_default();
        *offset = position.offset.max(*offset);
    }
    let mut list = TopicPartitionList::new();
    for (sequence, offset) in last {
        // As positions of this crate say it.
        let Some((topic, number)) = sequence.rsplit_once('/') else { continue };
        let (Ok(number), Ok(offset)) = (number.parse(), i64::try_from(offset)) else { continue };
        list.add_partition_offset(topic, number, Offset::Offset(offset + 1))?;
    }
    Ok(list)
}

fn failed(id: &str, error: &KafkaError) -> Error {
    let (kind, what) = match error.rdkafka_error_code() {
        Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch) => {
            (ErrorKind::Rejected, "another has this name: no two at a time have the same")
        }
        Some(Code::TransactionalIdAuthorizationFailed) => {
            (ErrorKind::Rejected, "the name is not allowed: grant it, or change the user")
        }
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition) => {
            (ErrorKind::Rejected, "a topic that is published to is missing: create it")
        }
        Some(Code::MessageSizeTooLarge) => (ErrorKind::Overflow, "a record is too large"),
        _ => (ErrorKind::Disconnected, "it was aborted: run again"),
    };
    Error::with_source(kind, format!("transactions of `{id}`: {what}"), error.clone())
}
