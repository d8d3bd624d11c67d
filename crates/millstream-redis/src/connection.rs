//! `Redis`: a server, from which sources, sinks and coordinators are made.

use std::{fmt, sync::Arc};

use millstream::{Error, ErrorKind, Flow, scheduler::Tokio};
use millstream_pressure::{InvalidSetting, Settings as _};
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo as _,
    aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection},
};
use tokio::runtime::Handle;

use crate::{RedisConfig, StreamConfig, Streamed, ack::Acker};

/// A Redis server: a handle, whose clones are the same.
///
/// Connections that are lost are made anew.
#[derive(Clone)]
pub struct Redis(pub(crate) Arc<Server>);

pub(crate) struct Server {
    client: Client,
    /// For commands that are answered at once.
    pub(crate) shared: ConnectionManager,
    pub(crate) config: RedisConfig,
    pub(crate) runtime: Handle,
    pub(crate) acker: Acker,
}

impl Redis {
    /// Connects. To be called on a tokio runtime, on which the connections live.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, of kind `InvalidData`; credentials that are refused, of kind
    /// `Rejected`; no server that answers, of kind `Disconnected`. No error has a secret in it.
    pub async fn connect(config: RedisConfig) -> Result<Self, Error> {
        let invalid = |error| Error::with_source(ErrorKind::InvalidData, "", error);
        config.validate().map_err(invalid)?;
        let refused = |error: &redis::RedisError| refused(error, &config.server);
        let mut info = config.server.as_str().into_connection_info().map_err(|e| refused(&e))?;
        let mut login = info.redis_settings().clone();
        if let Some(user) = &config.user {
            login = login.set_username(user);
        }
        if let Some(password) = &config.password {
            login = login.set_password(password);
        }
        info = info.set_redis_settings(login);
        let client = Client::open(info).map_err(|error| refused(&error))?;
        let patience = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout))
            .set_number_of_retries(1);
        let connecting = ConnectionManager::new_with_config(client.clone(), patience);
        let shared = connecting.await.map_err(|error| refused(&error))?;
        let runtime = Handle::current();
        let acker = Acker::start(&runtime, shared.clone());
        Ok(Self(Arc::new(Server { client, shared, config, runtime, acker })))
    }

    /// The deliveries of a consumer of a stream's group.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    ///
    /// # Demand
    ///
    /// As many entries are read as are asked for: never more are pending than were asked for and
    /// are not settled. Entries that another left unsettled for too long come first.
    ///
    /// # Termination
    ///
    /// Never completes. Fails with an error of kind `Rejected` if the key is no stream, or there is
    /// no such group and none is to be created; a connection that is lost is no failure. After a
    /// cancel, what was read and nobody has seen may be claimed by others at once.
    ///
    /// # Examples
    ///
    /// See the [crate](crate).
    pub fn stream(&self, config: StreamConfig) -> Result<Flow<Streamed>, InvalidSetting> {
        config.validate()?;
        Ok(Streamed::new(self.clone(), config).into())
    }

    /// Waits until the server has been told what became of each delivery that was settled until
    /// now: to be called before a program ends.
    ///
    /// # Errors
    ///
    /// The server does not answer within the [`timeout`](RedisConfig::timeout), of kind `Timeout`.
    pub async fn flush(&self) -> Result<(), Error> {
        let told = tokio::time::timeout(self.0.config.timeout, self.0.acker.flush()).await;
        told.map_err(|_| {
            let what =
                format!("the Redis server at {} was not told of everything", self.0.config.server);
            Error::new(ErrorKind::Timeout, what)
        })
    }

    pub(crate) fn scheduler(&self) -> Tokio {
        Tokio::new(self.0.runtime.clone())
    }
}

impl Server {
    /// A connection for commands that wait.
    pub(crate) async fn own(&self) -> Result<MultiplexedConnection, Error> {
        let patience = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.config.timeout))
            .set_response_timeout(Some(self.config.timeout));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&patience);
        connecting.await.map_err(|error| refused(&error, &self.config.server))
    }
}

/// Whether the server is starting, is a replica at the moment, or has lost its master: what it
/// refuses now it may take later.
pub(crate) fn is_not_ready(error: &redis::RedisError) -> bool {
    let codes = ["LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN"];
    error.code().is_some_and(|code| codes.contains(&code))
}

/// Says what to do. What was sent is left out.
pub(crate) fn refused(error: &redis::RedisError, server: &str) -> Error {
    let code = error.code().unwrap_or_default();
    if error.kind() == redis::ErrorKind::AuthenticationFailed
        || ["NOAUTH", "WRONGPASS", "NOPERM"].contains(&code)
    {
        let what = format!("the Redis server at {server} refuses user or password: set others");
        return Error::new(ErrorKind::Rejected, what);
    }
    if error.kind() == redis::ErrorKind::InvalidClientConfig {
        let what = format!("{server} is no address of a Redis server: redis://host:port is one");
        return Error::new(ErrorKind::InvalidData, what);
    }
    if code.is_empty() {
        let what = format!("no Redis server answers at {server}: check that it runs");
        return Error::new(ErrorKind::Disconnected, what);
    }
    let detail = error.detail().unwrap_or_default();
    Error::new(ErrorKind::Rejected, format!("the Redis server refuses: {code} {detail}"))
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("config", &self.0.config).finish_non_exhaustive()
    }
}
