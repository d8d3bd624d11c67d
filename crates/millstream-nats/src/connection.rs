//! `Nats`: a connection, from which sources and sinks are made.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Weak},
};

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use millstream::{Error, ErrorKind, Flow, scheduler::Tokio};
use millstream_kernel::Wake;
use millstream_pressure::{InvalidSetting, Settings as _};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::{Credentials, NatsConfig, Pull, PullConfig, Sink, SinkConfig};

/// Messages that the client keeps for a subscription: more than are ever asked for.
const CLIENT_CAPACITY: usize = 1 << 20;

/// A connection to a server or a cluster: a handle, whose clones are the same connection.
///
/// It connects again by itself when it is lost, and flows go on then.
#[derive(Clone)]
pub struct Nats(pub(crate) Arc<Connection>);

pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) runtime: Handle,
    pub(crate) config: NatsConfig,
    pub(crate) epochs: Arc<Epochs>,
}

/// How often it has connected, and who is told.
#[derive(Default)]
pub(crate) struct Epochs(Mutex<(u64, Vec<Weak<dyn Wake>>)>);

impl Epochs {
    /// How often it has connected.
    pub(crate) fn now(&self) -> u64 {
        self.0.lock().0
    }

    /// Has `flow` woken when it has connected again.
    pub(crate) fn tell(&self, flow: Weak<dyn Wake>) {
        let flows = &mut self.0.lock().1;
        flows.retain(|flow| flow.strong_count() > 0);
        flows.push(flow);
    }

    fn begin(&self) {
        let flows = {
            let mut state = self.0.lock();
            state.0 += 1;
            state.1.clone()
        };
        flows.iter().filter_map(Weak::upgrade).for_each(|flow| flow.wake());
    }
}

impl Nats {
    /// Connects. To be called on a tokio runtime, on which the connection lives.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, of kind `InvalidData`; credentials that are refused, of kind
    /// `Rejected`; no server that answers, of kind `Disconnected` or `Timeout`. No error has a
    /// secret in it.
    pub async fn connect(config: NatsConfig) -> Result<Self, Error> {
        config.validate().map_err(invalid)?;
        let epochs = Arc::new(Epochs::default());
        let told = Arc::clone(&epochs);
        let options = ConnectOptions::new()
            .name(&config.name)
            .connection_timeout(config.connect_timeout)
            .request_timeout(Some(config.request_timeout))
            .require_tls(config.require_tls)
            .subscription_capacity(CLIENT_CAPACITY)
            .event_callback(move |event| {
                if matches!(event, Event::Connected) {
                    told.begin();
                }
                std::future::ready(())
            });
        let options = config
            .root_certificates
            .iter()
            .fold(options, |options, file| options.add_root_certificates(PathBuf::from(file)));
        let options = identify(options, &config.credentials).await?;
        let connecting = options.connect(config.servers.clone());
        let client = connecting.await.map_err(|error| refused(error.kind(), &config))?;
        let runtime = Handle::current();
        Ok(Self(Arc::new(Connection { client, runtime, config, epochs })))
    }

    /// The deliveries of a JetStream consumer. Fails when it is subscribed to if there is no such
    /// stream, or no such consumer and none is to be created.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    ///
    /// # Demand
    ///
    /// As many messages are asked of the server as are asked for here, and
    /// [`max_requested`](PullConfig::max_requested) at most: never more are unacknowledged than were
    /// asked for.
    ///
    /// # Termination
    ///
    /// Never completes. Fails with an error of kind `Disconnected` if the connection is closed, and
    /// of kind `Rejected` if the consumer is deleted or refuses requests; a connection that is lost
    /// is no failure. After a cancel, what the server has sent and nobody has seen is given back at
    /// once.
    ///
    /// # Examples
    ///
    /// See the [crate](crate).
    pub fn pull(&self, config: PullConfig) -> Result<Flow<Pull>, InvalidSetting> {
        config.validate()?;
        Ok(Pull::new(self.clone(), config).into())
    }

    /// A sink for JetStream.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    pub fn sink(&self, config: SinkConfig) -> Result<Sink, InvalidSetting> {
        config.validate()?;
        Ok(Sink::new(self, config))
    }

    /// Waits until the server has everything that was sent until now, such as acknowledgements: to
    /// be called before a program ends.
    ///
    /// # Errors
    ///
    /// The connection is closed, of kind `Disconnected`; it does not come back within the
    /// [`request_timeout`](NatsConfig::request_timeout), of kind `Timeout`.
    pub async fn flush(&self) -> Result<(), Error> {
        let Connection { client, config, .. } = &*self.0;
        // What is with the system arrives, also after the program has ended.
        let told = |kind| Error::new(kind, "the NATS server was not told of everything");
        let flushing = tokio::time::timeout(config.request_timeout, client.flush());
        let flushed = flushing.await.map_err(|_| told(ErrorKind::Timeout))?;
        flushed.map_err(|_| told(ErrorKind::Disconnected))
    }

    /// The client, for what this crate does not have.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn scheduler(&self) -> Tokio {
        Tokio::new(self.0.runtime.clone())
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("config", &self.0.config).finish_non_exhaustive()
    }
}

async fn identify(
    options: ConnectOptions,
    credentials: &Credentials,
) -> Result<ConnectOptions, Error> {
    Ok(match credentials {
        Credentials::None => options,
        Credentials::User { name, password } => {
            options.user_and_password(name.clone(), password.clone())
        }
        Credentials::Token(token) => options.token(token.clone()),
        Credentials::Nkey(seed) => options.nkey(seed.clone()),
        Credentials::File(path) => options.credentials_file(path).await.map_err(|error| {
            let what = format!("the file of credentials `{path}` cannot be read");
            Error::with_source(ErrorKind::Io, what, error)
        })?,
    })
}

/// Says what to do. The client's own error is left out: it may name what was sent.
fn refused(kind: ConnectErrorKind, config: &NatsConfig) -> Error {
    let servers = config.servers.join(", ");
    match kind {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => Error::new(
            ErrorKind::Rejected,
            format!("the NATS server at {servers} refuses the credentials: set others"),
        ),
        ConnectErrorKind::TimedOut => Error::new(
            ErrorKind::Timeout,
            format!(
                "the NATS server at {servers} does not answer within {:?}",
                config.connect_timeout
            ),
        ),
        ConnectErrorKind::Tls => Error::new(
            ErrorKind::Rejected,
            format!("no TLS with the NATS server at {servers}: check the root certificates"),
        ),
        ConnectErrorKind::ServerParse => Error::new(
            ErrorKind::InvalidData,
            format!("{servers} is no address of a NATS server: nats://host:port is one"),
        ),
        _ => Error::new(
            ErrorKind::Disconnected,
            format!("no NATS server answers at {servers}: check that it runs, and the address"),
        ),
    }
}

pub(crate) fn invalid(error: InvalidSetting) -> Error {
    Error::with_source(ErrorKind::InvalidData, "", error)
}
