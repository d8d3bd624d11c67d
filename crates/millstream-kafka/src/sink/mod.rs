//! `Sink`: records into topics, each confirmed.

mod config;
mod dead_letters;
mod failure;
mod publication;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use millstream::{Error, ErrorKind, Flow, Order, Outcome, Publisher};
use millstream_pressure::{
    Acknowledge, Delivery, FlowExt as _, InvalidSetting, Settings as _, Unprocessed,
};
use rdkafka::producer::FutureProducer;
use tokio::sync::Semaphore;

pub use self::{
    config::{Compression, SinkConfig},
    dead_letters::TopicOfDeadLetters,
    publication::{Publication, Stored},
};
use crate::{Kafka, errors};

/// How long a delivery whose record was not confirmed waits for the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Publishes into topics: a handle, whose clones are the same sink.
///
/// The producer is idempotent: a record that it sends again is stored once, and in its order.
#[derive(Clone)]
pub struct Sink(Arc<Shared>);

struct Shared {
    kafka: Kafka,
    config: SinkConfig,
    producer: FutureProducer,
    /// What may wait in the client, in bytes: in order, where the client has none for those who
    /// wait.
    room: Semaphore,
}

impl Kafka {
    /// A sink for topics.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, of kind `InvalidData`.
    pub fn sink(&self, config: SinkConfig) -> Result<Sink, Error> {
        let invalid = |error: InvalidSetting| Error::with_source(ErrorKind::InvalidData, "", error);
        config.validate().map_err(invalid)?;
        let mut client = self.0.config.client();
        config.add_to(&mut client);
        let producer = client.create().map_err(|error| errors::unusable(&error))?;
        let room = Semaphore::new(config.bytes());
        Ok(Sink(Arc::new(Shared { kafka: self.clone(), config, producer, room })))
    }
}

impl Sink {
    /// Publishes a record, and waits until it is stored. Of all callers, no more than
    /// [`max_queue_kib`](SinkConfig::max_queue_kib) are on their way. Dropping the future gives up
    /// the confirmation, and possibly not the record.
    ///
    /// # Errors
    ///
    /// A record that is too large for the client or the topic, of kind `Overflow`; a topic that is
    /// missing or not allowed, of kind `Rejected`; no confirmation in time, of kind `Timeout`,
    /// after which the record may be stored or not.
    pub async fn send(&self, publication: Publication) -> Result<Stored, Error> {
        let shared = &*self.0;
        let bytes = publication.size().min(shared.config.bytes());
        let n = u32::try_from(bytes).unwrap_or(u32::MAX);
        // Those who wait are served in their order. It is never closed.
        let _room = shared.room.acquire_many(n).await.map_err(Error::other)?;
        let topic = publication.topic.clone();
        let sent = shared.producer.send_result(publication.record());
        let confirming = sent.map_err(|(error, _)| failure::of(&topic, &error))?;
        match confirming.await {
            Ok(Ok(stored)) => Ok(Stored {
                partition: stored.partition,
                offset: u64::try_from(stored.offset).unwrap_or_default(),
            }),
            Ok(Err((error, _))) => Err(failure::of(&topic, &error)),
            Err(_) => {
                let what = format!("a record for {topic} was not confirmed: the sink has ended");
                Err(Error::new(ErrorKind::Disconnected, what))
            }
        }
    }

    /// Publishes a flow's records, in their order. The outcome is ready when all were confirmed, or
    /// the first was not.
    ///
    /// As many records are asked for as may be on their way, and one more for each that was
    /// confirmed. Dropping the outcome cancels the flow.
    pub fn run<P>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Publication>,
    {
        let (scheduler, n) = (self.0.kafka.scheduler(), self.0.config.in_flight as usize);
        flow.map_async_on(&scheduler, n, Order::Source, self.sending())
            .flatten_results()
            .for_each(|_stored| ())
    }

    /// Publishes a flow of deliveries, and acknowledges each when its record is stored. One whose
    /// record never can be, because it is too large, is rejected; any other is nacked for a second:
    /// put [`dead_letter_after`](millstream_pressure::FlowExt::dead_letter_after) before to limit
    /// that.
    ///
    /// As [`run`](Self::run) otherwise.
    pub fn run_acked<P, A>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Delivery<Publication, A>>,
        A: Acknowledge,
    {
        let mut send = self.sending();
        let (scheduler, n) = (self.0.kafka.scheduler(), self.0.config.in_flight as usize);
        let work = move |publication, _: &_| {
            let sending = send(publication);
            async move { sending.await.map_err(|error| Unprocessed::by_kind(&error, RETRY)) }
        };
        flow.map_async_acked_on(&scheduler, n, Order::Completion, work).for_each(Delivery::ack)
    }

    /// A topic to which dead letters go: each is the record with its reason and where it came from
    /// in headers.
    #[must_use]
    pub fn dead_letters(&self, topic: &str) -> TopicOfDeadLetters {
        TopicOfDeadLetters::new(self.clone(), topic)
    }

    /// How many bytes of records were sent and are not confirmed, about.
    #[must_use]
    pub fn bytes_on_their_way(&self) -> usize {
        self.0.config.bytes().saturating_sub(self.0.room.available_permits())
    }

    fn sending(&self) -> impl FnMut(Publication) -> SendFuture + Send + 'static {
        let sink = self.clone();
        move |publication| {
            let sink = sink.clone();
            // A runtime that lets others run in the middle of a batch would have them overtake.
            let sending = async move { sink.send(publication).await };
            Box::pin(tokio::task::unconstrained(sending))
        }
    }
}

type SendFuture = std::pin::Pin<Box<dyn Future<Output = Result<Stored, Error>> + Send>>;

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("config", &self.0.config).finish_non_exhaustive()
    }
}
