//! `Kafka`: a cluster, from which consumers and sinks are made.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use millstream::{Error, ErrorKind, scheduler::Tokio};
use millstream_pressure::{InvalidSetting, Settings as _};
use parking_lot::Mutex;
use rdkafka::{
    ClientContext,
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
    types::RDKafkaErrorCode,
};
use tokio::{runtime::Handle, sync::watch};

use crate::{Consumer, ConsumerConfig, KafkaConfig, errors};

/// How long each attempt to reach a broker takes.
const ATTEMPT: Duration = Duration::from_millis(250);

/// A cluster: a handle, whose clones are the same.
///
/// Each consumer and each sink has connections of its own, which are made anew when they are lost.
#[derive(Clone)]
pub struct Kafka(pub(crate) Arc<Cluster>);

pub(crate) struct Cluster {
    pub(crate) config: KafkaConfig,
    pub(crate) runtime: Handle,
    /// How many consumers have not left their group.
    pub(crate) members: watch::Sender<u64>,
}

impl Kafka {
    /// Asks the brokers which topics there are, so that a wrong address or wrong credentials show
    /// at once. To be called on a tokio runtime, on which flows and sinks run.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, of kind `InvalidData`; credentials that are refused, of kind
    /// `Rejected`; no broker that answers in time, of kind `Disconnected`. No error has a secret in
    /// it.
    pub async fn connect(config: KafkaConfig) -> Result<Self, Error> {
        config.validate().map_err(invalid)?;
        let runtime = Handle::current();
        let client = config.client();
        let (brokers, timeout) = (config.brokers.join(", "), config.timeout);
        let asking = runtime.spawn_blocking(move || ask(&client, timeout, &brokers));
        asking.await.map_err(Error::other)??;
        let (members, _) = watch::channel(0);
        Ok(Self(Arc::new(Cluster { config, runtime, members })))
    }

    /// A member of a consumer group, which joins it when its flow is subscribed to.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    ///
    /// # Examples
    ///
    /// See the [crate](crate).
    pub fn consumer(&self, config: ConsumerConfig) -> Result<Consumer, InvalidSetting> {
        config.validate()?;
        Ok(Consumer::new(self.clone(), config))
    }

    /// The topics of the cluster that this client may see, with how many partitions each has.
    ///
    /// # Errors
    ///
    /// No broker that answers in time, of kind `Disconnected`.
    pub async fn topics(&self) -> Result<BTreeMap<String, usize>, Error> {
        let cluster = &self.0;
        let (client, timeout) = (cluster.config.client(), cluster.config.timeout);
        let asking = cluster.runtime.spawn_blocking(move || {
            let asker: BaseConsumer = client.create().map_err(|error| errors::unusable(&error))?;
            let metadata = asker.fetch_metadata(None, timeout).map_err(|error| {
                let what = "the Kafka brokers do not say which topics there are";
                Error::with_source(ErrorKind::Disconnected, what, error)
            })?;
            let topics = metadata.topics().iter();
            Ok(topics.map(|topic| (topic.name().to_owned(), topic.partitions().len())).collect())
        });
        asking.await.map_err(Error::other)?
    }

    /// Waits until all consumers of this handle whose flows have ended have committed what was
    /// acknowledged, and left their group. To be awaited before a program ends.
    pub async fn all_have_left(&self) {
        // The sender is here, so that it cannot be gone.
        self.0.members.subscribe().wait_for(|n| *n == 0).await.ok();
    }

    pub(crate) fn scheduler(&self) -> Tokio {
        Tokio::new(self.0.runtime.clone())
    }
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// What went wrong, while it is asked.
#[derive(Default)]
struct Heard(Mutex<Option<RDKafkaErrorCode>>);

impl ClientContext for Heard {
    fn error(&self, error: KafkaError, _: &str) {
        if let Some(code) = error.rdkafka_error_code().filter(|code| errors::is_refusal(*code)) {
            *self.0.lock() = Some(code);
        }
    }
}

impl ConsumerContext for Heard {}

/// Blocks until a broker has answered.
fn ask(client: &ClientConfig, timeout: Duration, brokers: &str) -> Result<(), Error> {
    let asker: BaseConsumer<Heard> =
        client.create_with_context(Heard::default()).map_err(|error| errors::unusable(&error))?;
    let mut left = timeout;
    loop {
        let attempt = ATTEMPT.min(left);
        let Err(error) = asker.fetch_metadata(None, attempt) else { return Ok(()) };
        // Serves what was heard meanwhile.
        while asker.poll(Duration::ZERO).is_some() {}
        if let Some(code) = *asker.context().0.lock() {
            return Err(errors::refused(code, brokers));
        }
        left = left.saturating_sub(attempt);
        if left.is_zero() {
            let what = format!(
                "no Kafka broker answers at {brokers} within {timeout:?}: check that it runs, the \
                 address, and whether it wants TLS"
            );
            return Err(Error::with_source(ErrorKind::Disconnected, what, error));
        }
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::OperationTimedOut) {
            pause(attempt);
        }
    }
}

/// What fails at once is not tried again at once.
#[expect(clippy::disallowed_methods, reason = "a thread for what blocks, which waits for a broker")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

pub(crate) fn invalid(error: InvalidSetting) -> Error {
    Error::with_source(ErrorKind::InvalidData, "", error)
}
