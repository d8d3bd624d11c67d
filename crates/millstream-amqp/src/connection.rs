//! `Amqp`: a broker, from which sources and sinks are made.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use millstream::{Error, ErrorKind, Flow, scheduler::Tokio};
use millstream_pressure::{InvalidSetting, Settings as _};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::{
    AmqpConfig, ConsumeConfig, Consumed, Sink, SinkConfig,
    consume::Outlet,
    link::{Link, close},
};

/// A broker: a handle, whose clones are the same.
///
/// It has a connection for consumers and one for publishers, which are made anew when they are
/// lost, and flows go on then.
#[derive(Clone)]
pub struct Amqp(pub(crate) Arc<Broker>);

pub(crate) struct Broker {
    pub(crate) config: AmqpConfig,
    pub(crate) runtime: Handle,
    pub(crate) consumers: Link,
    pub(crate) publishers: Arc<Link>,
    /// Those whose acknowledgements may be on their way.
    pub(crate) outlets: Mutex<Vec<Weak<Outlet>>>,
}

impl Amqp {
    /// Connects, and declares the topology. To be called on a tokio runtime, on which the
    /// connections live.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, of kind `InvalidData`; credentials, a virtual host or a
    /// topology that are refused, of kind `Rejected`; no broker that answers, of kind
    /// `Disconnected` or `Timeout`. No error has a secret in it.
    pub async fn connect(config: AmqpConfig) -> Result<Self, Error> {
        let invalid = |error| Error::with_source(ErrorKind::InvalidData, "", error);
        config.validate().map_err(invalid)?;
        let runtime = Handle::current();
        let consumers = Link::new(&config, "consumers", &runtime)?;
        let publishers = Arc::new(Link::new(&config, "publishers", &runtime)?);
        // That of consumers; the other one is made when something is published.
        let channel = consumers.channel().await?;
        close(&channel).await;
        let outlets = Mutex::new(Vec::new());
        Ok(Self(Arc::new(Broker { config, runtime, consumers, publishers, outlets })))
    }

    /// The deliveries of a queue. Fails when it is asked for the first item if there is no such
    /// queue.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    ///
    /// # Demand
    ///
    /// The broker never sends more than was asked for, and leaves at most
    /// [`max_prefetch`](ConsumeConfig::max_prefetch) unacknowledged: the prefetch of its consumer
    /// follows demand in steps, and an acknowledgement waits for demand that takes its place.
    ///
    /// # Termination
    ///
    /// Never completes. Fails with an error of kind `Rejected` if there is no such queue, also when
    /// it is deleted, or the user may not consume from it; a connection that is lost is no failure.
    /// After a cancel, what the broker has sent and nobody has seen is given back at once.
    ///
    /// # Examples
    ///
    /// See the [crate](crate).
    pub fn consume(&self, config: ConsumeConfig) -> Result<Flow<Consumed>, InvalidSetting> {
        config.validate()?;
        Ok(Consumed::new(self.clone(), config).into())
    }

    /// A sink, with a channel of its own.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    pub fn sink(&self, config: SinkConfig) -> Result<Sink, InvalidSetting> {
        config.validate()?;
        Ok(Sink::new(self, config))
    }

    /// Why the broker takes no messages at the moment, as it says itself, such as `low on memory`;
    /// `None` while it does. It says so to those who publish.
    #[must_use]
    pub fn blocked(&self) -> Option<String> {
        self.0.publishers.blocked().borrow().clone()
    }

    /// Waits until the broker was sent all acknowledgements until now: to be called before a
    /// program ends. Those of a connection that was lost are over: their messages come again.
    ///
    /// # Errors
    ///
    /// The connection does not come back within the
    /// [`connect_timeout`](AmqpConfig::connect_timeout), of kind `Timeout`.
    pub async fn flush(&self) -> Result<(), Error> {
        let outlets = self.0.outlets.lock().clone();
        let flushing = async {
            for outlet in outlets.iter().filter_map(Weak::upgrade) {
                outlet.flush().await;
            }
        };
        let flushed = tokio::time::timeout(self.0.config.connect_timeout, flushing).await;
        let told = |_| Error::new(ErrorKind::Timeout, "the broker was not told of everything");
        flushed.map_err(told)
    }

    pub(crate) fn scheduler(&self) -> Tokio {
        Tokio::new(self.0.runtime.clone())
    }
}

impl fmt::Debug for Amqp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amqp").field("config", &self.0.config).finish_non_exhaustive()
    }
}
