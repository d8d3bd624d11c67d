//! Clients.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::net::ToSocketAddrs;

use crate::{
    Payload, Refuse, Requester, Responder,
    driver::{Answering, Connect, Driver, Returning},
    frame::{MAX_U31, Setup},
    link::Link,
    metadata::Mime,
    proto::{Config, Connection},
    transport::{Transport, tcp},
};

/// Connects, and gives a [`Requester`].
///
/// ```no_run
/// use millstream_rsocket::Client;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let requester = Client::new().connect_tcp("localhost:7000").await?;
/// let first = requester.request_stream("orders").take(10).collect::<Vec<_>>().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    config: Config,
    setup: Setup,
    responder: Arc<dyn Responder>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// With default settings: composite metadata, bytes as data, a sign of life each 20 s and 90 s
    /// until the server is taken for dead.
    #[must_use]
    pub fn new() -> Self {
        let config = Config::default();
        let setup = Setup::from(&config);
        Self { config, setup, responder: Arc::new(Refuse) }
    }

    /// With other bounds. Times and leases of `config` go into the SETUP.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        let times = Setup::from(&config);
        self.setup.keep_alive_ms = times.keep_alive_ms;
        self.setup.max_lifetime_ms = times.max_lifetime_ms;
        self.setup.lease = times.lease;
        self.config = config;
        self
    }

    /// Sends a sign of life each `every`, and takes the server for dead after `lifetime` of
    /// silence. Both are at least a millisecond.
    #[must_use]
    pub fn keep_alive(self, every: Duration, lifetime: Duration) -> Self {
        let config = Config { keep_alive: every, max_lifetime: lifetime, ..self.config.clone() };
        self.config(config)
    }

    /// Sends requests only as leases allow, and grants leases itself.
    #[must_use]
    pub fn lease(self) -> Self {
        let config = Config { lease: true, ..self.config.clone() };
        self.config(config)
    }

    /// Says what metadata is; composite metadata by default. A type without a text is not sent.
    #[must_use]
    pub fn metadata_mime(mut self, mime: &Mime) -> Self {
        self.setup.metadata_mime = text_of(mime);
        self
    }

    /// Says what data is; bytes by default. A type without a text is not sent.
    #[must_use]
    pub fn data_mime(mut self, mime: &Mime) -> Self {
        self.setup.data_mime = text_of(mime);
        self
    }

    /// Says more about the client in the SETUP.
    #[must_use]
    pub fn setup(mut self, payload: impl Into<Payload>) -> Self {
        self.setup.payload = payload.into();
        self
    }

    /// Answers requests of the server; they are refused by default.
    #[must_use]
    pub fn responder(mut self, responder: impl Responder) -> Self {
        self.responder = Arc::new(responder);
        self
    }

    /// Connects by `transport`. Requests may be sent at once; if the server refuses the client,
    /// they fail, and [`Requester::closed`] says why.
    ///
    /// The connection ends with its streams when the last clone of the requester and the last of
    /// its flows was dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    pub fn connect(&self, transport: impl Transport) -> Requester {
        self.drive((transport, Returning::Never), None)
    }

    /// Connects by what `connect` gives, and again by what it gives whenever that is lost: the
    /// session goes on where it was, and its flows notice nothing but the time that it takes. No
    /// item is lost, and none comes twice.
    ///
    /// Each side keeps what it has sent until the other has it, up to
    /// [`resume_buffer`](Config::resume_buffer) bytes, and as many of refusals. A first attempt follows a loss at once, and
    /// others after pauses of 50 ms up to 2 s. The streams fail with kind `Disconnected` when none
    /// succeeds within [`resume_for`](Config::resume_for), and with kind `Rejected` when the server
    /// knows the session no more; `retry` then begins them anew on another requester.
    ///
    /// What is not of a stream may be lost with a transport: metadata that was pushed, and leases.
    ///
    /// ```no_run
    /// use millstream_rsocket::{Client, transport::tcp};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::new();
    /// let requester = client.connect_resumable(|| tcp::connect("localhost:7000")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the first attempt fails, or there are no random numbers for the token of the session.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    pub async fn connect_resumable<T: Transport, F>(
        &self,
        mut connect: impl FnMut() -> F + Send + 'static,
    ) -> std::io::Result<Requester>
    where
        F: Future<Output = std::io::Result<T>> + Send + 'static,
    {
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(std::io::Error::other)?;
        let transport = connect().await?;
        let connect: Connect<T> = Box::new(move || Box::pin(connect()));
        let token = Bytes::copy_from_slice(&token);
        Ok(self.drive((transport, Returning::client(connect)), Some(token)))
    }

    fn drive<T: Transport>(
        &self,
        transport: (T, Returning<T>),
        resume_token: Option<Bytes>,
    ) -> Requester {
        let mut setup = Setup { resume_token, ..self.setup.clone() };
        setup.keep_alive_ms = setup.keep_alive_ms.clamp(1, MAX_U31);
        let connection = Connection::client(self.config.clone(), setup, Duration::ZERO);
        let (link, commands) = Link::new();
        let requester = Requester::new(link.clone(), true);
        let answering = Answering::With(Arc::clone(&self.responder));
        let max = self.config.max_streams;
        let driver = Driver::new(transport, connection, (link, commands), answering, max);
        let _detached = tokio::spawn(driver);
        requester
    }

    /// Connects by TCP.
    ///
    /// # Errors
    ///
    /// If nobody accepts there.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O.
    pub async fn connect_tcp(&self, address: impl ToSocketAddrs) -> std::io::Result<Requester> {
        Ok(self.connect(tcp::connect(address).await?))
    }

    /// Connects by TLS, and checks the certificate of the server `name`.
    ///
    /// # Errors
    ///
    /// As [`tls::connect`](crate::transport::tls::connect).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub async fn connect_tls(
        &self,
        address: impl ToSocketAddrs,
        name: &str,
        config: impl Into<Arc<tokio_rustls::rustls::ClientConfig>>,
    ) -> std::io::Result<Requester> {
        Ok(self.connect(crate::transport::tls::connect(address, name, config).await?))
    }

    /// Connects by WebSocket to a URL such as `ws://localhost:7000/path`; for `wss`, give
    /// [`connect`](Self::connect) what `transport::websocket::upgrade` makes of `transport::tls`.
    ///
    /// # Errors
    ///
    /// As [`websocket::connect`](crate::transport::websocket::connect).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O.
    #[cfg(feature = "websocket")]
    #[cfg_attr(docsrs, doc(cfg(feature = "websocket")))]
    pub async fn connect_websocket(&self, url: &str) -> std::io::Result<Requester> {
        Ok(self.connect(crate::transport::websocket::connect(url).await?))
    }
}

fn text_of(mime: &Mime) -> Bytes {
    Bytes::copy_from_slice(mime.as_str().unwrap_or_default().as_bytes())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("config", &self.config)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
