//! `Link`: one connection, which is made anew when it is lost.
//!
//! Consumers and publishers have one each: a broker that blocks publishers reads nothing more of
//! their connection, and would not read acknowledgements either.

use std::{future::poll_fn, pin::pin, time::Duration};

use futures_util::Stream;
use lapin::{
    Channel, Connection, ConnectionProperties, ErrorKind as Client, Event,
    runtime::default_runtime,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use millstream::{Backoff, Error, ErrorKind};
use tokio::{
    runtime::Handle,
    sync::{Mutex, watch},
    time::timeout,
};

use crate::{
    AmqpConfig,
    error::{Doing, told},
};

/// How long to wait before each further attempt.
pub(crate) const AGAIN: Backoff =
    Backoff::new().first(Duration::from_millis(50)).cap(Duration::from_secs(5));

pub(crate) struct Link {
    config: AmqpConfig,
    uri: AMQPUri,
    /// Root certificates, in PEM.
    roots: Option<String>,
    pub(crate) runtime: Handle,
    connection: Mutex<Option<Connection>>,
    /// Why the broker takes no messages, while it takes none.
    blocked: watch::Sender<Option<String>>,
}

impl Link {
    /// Connects to nothing yet. `what` is its name at the broker, behind that of the program.
    pub(crate) fn new(config: &AmqpConfig, what: &str, runtime: &Handle) -> Result<Self, Error> {
        let server = &config.server;
        let mut uri: AMQPUri = server.parse().map_err(|_| {
            let what = format!("{server} is no address of a broker: amqp://host:port is one");
            Error::new(ErrorKind::InvalidData, what)
        })?;
        let (user, password) = config.credentials.pair();
        uri.authority.userinfo.username = user.to_owned();
        uri.authority.userinfo.password = password.to_owned();
        uri.vhost.clone_from(&config.vhost);
        // Whole seconds; 0 would be none.
        let seconds = config.heartbeat.as_secs_f64().ceil() as u16;
        uri.query.heartbeat = Some(seconds.max(1));
        let mut roots = String::new();
        for file in &config.root_certificates {
            roots += &std::fs::read_to_string(file).map_err(|error| {
                let what = format!("the root certificate `{file}` cannot be read");
                Error::with_source(ErrorKind::Io, what, error)
            })?;
        }
        let config = AmqpConfig { name: format!("{} ({what})", config.name), ..config.clone() };
        Ok(Self {
            config,
            uri,
            roots: (!roots.is_empty()).then_some(roots),
            runtime: runtime.clone(),
            connection: Mutex::new(None),
            blocked: watch::Sender::new(None),
        })
    }

    /// How long a request may take.
    pub(crate) const fn patience(&self) -> Duration {
        self.config.connect_timeout
    }

    /// Why the broker takes no messages, while it takes none.
    pub(crate) fn blocked(&self) -> watch::Receiver<Option<String>> {
        self.blocked.subscribe()
    }

    /// A channel of its own, by a connection that is made if there is none.
    pub(crate) async fn channel(&self) -> Result<Channel, Error> {
        let mut connection = self.connection.lock().await;
        if let Some(live) = connection.as_ref().filter(|live| live.status().connected()) {
            let opening = told(self.patience(), Doing::Channel, live.create_channel()).await;
            match opening {
                // One that does not answer is lost, whatever it says of itself.
                Err(error) if !crate::error::is_final(&error) => {}
                result => return result,
            }
        }
        *connection = None;
        let live = self.connect().await?;
        let channel = told(self.patience(), Doing::Channel, live.create_channel()).await?;
        self.config.topology.declare(&channel, self.patience()).await?;
        *connection = Some(live);
        Ok(channel)
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let properties =
            ConnectionProperties::default().with_connection_name(self.config.name.as_str().into());
        let tls = OwnedTLSConfig { identity: None, cert_chain: self.roots.clone() };
        let runtime = default_runtime().map_err(|error| self.unreachable(&error))?;
        let uri = self.uri.clone();
        let connecting = Connection::connect_uri_with_config(uri, properties, tls, runtime);
        let connected = timeout(self.patience(), connecting).await.map_err(|_| {
            let (server, time) = (&self.config.server, self.patience());
            let what = format!("the broker at {server} does not answer within {time:?}");
            Error::new(ErrorKind::Timeout, what)
        })?;
        let connection = connected.map_err(|error| self.unreachable(&error))?;
        self.blocked.send_replace(None);
        let (events, blocked) = (connection.events_listener(), self.blocked.clone());
        self.runtime.spawn(listen(events, blocked));
        Ok(connection)
    }

    /// Says what to do. The client's own error is left out: it may name what was sent.
    fn unreachable(&self, error: &lapin::Error) -> Error {
        let AmqpConfig { server, vhost, .. } = &self.config;
        let (kind, what) = match error.kind() {
            Client::ProtocolError(said) => match said.get_id() {
                403 => (
                    ErrorKind::Rejected,
                    format!("the broker at {server} refuses the credentials: set others"),
                ),
                402 | 530 => (
                    ErrorKind::Rejected,
                    format!(
                        "the broker at {server} lets the user into no virtual host `{vhost}`: \
                         create it and grant it, or set another"
                    ),
                ),
                _ => (
                    ErrorKind::Disconnected,
                    format!("the broker at {server} has closed the connection: see its log"),
                ),
            },
            Client::IOError(_) if self.uri.scheme == AMQPScheme::AMQPS => (
                ErrorKind::Disconnected,
                format!(
                    "no TLS with a broker at {server}: check that it runs, the address, and the \
                     root certificates"
                ),
            ),
            _ => (
                ErrorKind::Disconnected,
                format!("no broker answers at {server}: check that it runs, and the address"),
            ),
        };
        Error::new(kind, what)
    }
}

/// Notes whether the broker takes messages, until the connection ends.
async fn listen(events: impl Stream<Item = Event>, blocked: watch::Sender<Option<String>>) {
    let mut events = pin!(events);
    while let Some(event) = poll_fn(|cx| events.as_mut().poll_next(cx)).await {
        let (reason, is_over) = match event {
            Event::ConnectionBlocked(reason) => (Some(reason), false),
            Event::ConnectionUnblocked => (None, false),
            Event::Error(_) => (None, true),
            _ => continue,
        };
        blocked.send_replace(reason);
        if is_over {
            return;
        }
    }
}

/// Closes a channel that has served its purpose.
pub(crate) async fn close(channel: &lapin::Channel) {
    channel.close(200, "OK".into()).await.ok();
}
