//! What talks to servers: a runtime, and what is told them before the end.

#[cfg(feature = "net")]
use std::future::Future;
#[cfg(feature = "receipts")]
use std::sync::Weak;
use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
};

#[cfg(feature = "net")]
use millstream::{Error, ErrorKind, scheduler::Tokio};
use parking_lot::Mutex;
#[cfg(feature = "net")]
use tokio::runtime::{Builder, Handle, Runtime};

/// What talks to servers. It starts when something of a pipeline does. A clone is the same one.
#[derive(Clone, Default)]
pub(crate) struct Net(Arc<Mutex<Parts>>);

#[derive(Default)]
struct Parts {
    #[cfg(feature = "net")]
    runtime: Option<Runtime>,
    /// By the names of sources, where they listen.
    listening: Vec<(String, SocketAddr)>,
    #[cfg(feature = "receipts")]
    connections: Vec<Connection>,
    /// Shared by what servers are to be told and are not.
    #[cfg(feature = "receipts")]
    outstanding: Arc<()>,
}

/// What is told things without a wait, and has to be waited for before the end.
#[cfg(feature = "receipts")]
#[derive(Clone)]
pub(crate) enum Connection {
    #[cfg(feature = "amqp")]
    Amqp(millstream_amqp::Amqp),
    #[cfg(feature = "http")]
    Http(crate::source::Serving),
    #[cfg(feature = "kafka")]
    Kafka(millstream_kafka::Kafka),
    #[cfg(feature = "nats")]
    Nats(millstream_nats::Nats),
    #[cfg(feature = "redis")]
    Redis(millstream_redis::Redis),
}

impl Net {
    /// Where sources listen.
    pub(crate) fn listening(&self) -> Vec<(String, SocketAddr)> {
        self.0.lock().listening.clone()
    }

    /// Whether there are servers that are told what becomes of items.
    pub(crate) fn has_connections(&self) -> bool {
        #[cfg(feature = "receipts")]
        return !self.0.lock().connections.is_empty();
        #[cfg(not(feature = "receipts"))]
        false
    }

    /// Has servers be told what became of their items, and says when they were.
    pub(crate) fn tell(&self) -> Option<mpsc::Receiver<()>> {
        #[cfg(feature = "net")]
        {
            let runtime = self.0.lock().runtime.as_ref().map(|it| it.handle().clone())?;
            let (sender, receiver) = mpsc::channel();
            let told = self.told();
            #[cfg(feature = "receipts")]
            let outstanding = self.outstanding();
            let _detached = runtime.spawn(async move {
                #[cfg(feature = "receipts")]
                settled(&outstanding).await;
                // The pipeline has failed already, and nobody may wait.
                told.await.and(Ok(sender.send(()))).ok();
            });
            Some(receiver)
        }
        #[cfg(not(feature = "net"))]
        None
    }
}

#[cfg(feature = "net")]
impl Net {
    /// The runtime, started if it is not.
    ///
    /// # Errors
    ///
    /// No thread can be started.
    pub(crate) fn runtime(&self) -> Result<Handle, Error> {
        let mut parts = self.0.lock();
        if let Some(runtime) = &parts.runtime {
            return Ok(runtime.handle().clone());
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("network")
            .enable_all()
            .build()
            .map_err(|cause| {
                Error::with_source(ErrorKind::Io, "cannot start the threads of the network", cause)
            })?;
        let handle = runtime.handle().clone();
        parts.runtime = Some(runtime);
        Ok(handle)
    }

    /// Schedules on the runtime.
    ///
    /// # Errors
    ///
    /// No thread can be started.
    pub(crate) fn scheduler(&self) -> Result<Tokio, Error> {
        self.runtime().map(Tokio::new)
    }

    /// Waits for a future on the runtime, also on a thread of another one.
    ///
    /// # Errors
    ///
    /// That of the future, or no thread can be started.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = mpsc::channel();
        let _detached = self.runtime()?.spawn(async move {
            // It is waited for below.
            sender.send(future.await).ok();
        });
        let lost = |_| Error::new(ErrorKind::Disconnected, "the network's threads have ended");
        receiver.recv().map_err(lost)?
    }

    #[cfg(any(feature = "http", feature = "tcp"))]
    pub(crate) fn add_listening(&self, name: &str, address: SocketAddr) {
        self.0.lock().listening.push((name.to_owned(), address));
    }

    /// To be shared by what servers are to be told.
    #[cfg(feature = "receipts")]
    pub(crate) fn outstanding(&self) -> Weak<()> {
        Arc::downgrade(&self.0.lock().outstanding)
    }

    #[cfg(feature = "receipts")]
    pub(crate) fn add_connection(&self, connection: Connection) {
        self.0.lock().connections.push(connection);
    }

    /// Waits until servers have been told what became of their items.
    pub(crate) fn told(&self) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        #[cfg(feature = "receipts")]
        let connections = self.0.lock().connections.clone();
        async move {
            #[cfg(feature = "receipts")]
            for connection in connections {
                connection.told().await?;
            }
            Ok(())
        }
    }

    /// [`scheduler`](Self::scheduler), if anything talks to a server.
    pub(crate) fn scheduler_if_used(&self) -> Option<Tokio> {
        self.0.lock().runtime.as_ref().map(|runtime| Tokio::new(runtime.handle().clone()))
    }
}

/// Waits until nothing is outstanding any more, for a second at the most: what a flow held when it
/// was canceled is let go by its threads.
#[cfg(feature = "receipts")]
async fn settled(outstanding: &Weak<()>) {
    for _ in 0..100 {
        if outstanding.strong_count() <= 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[cfg(feature = "receipts")]
impl Connection {
    async fn told(self) -> Result<(), Error> {
        match self {
            #[cfg(feature = "amqp")]
            Self::Amqp(amqp) => amqp.flush().await,
            #[cfg(feature = "http")]
            Self::Http(serving) => {
                serving.told().await;
                Ok(())
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(kafka) => {
                kafka.all_have_left().await;
                Ok(())
            }
            #[cfg(feature = "nats")]
            Self::Nats(nats) => nats.flush().await,
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.flush().await,
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        #[cfg(feature = "net")]
        if let Some(runtime) = self.runtime.take() {
            // The last one may be dropped on a thread of its own.
            runtime.shutdown_background();
        }
    }
}
