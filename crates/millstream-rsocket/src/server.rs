//! Servers.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::Semaphore,
    task::AbortHandle,
    time::sleep,
};

use crate::{
    RSocketError, Requester, Responder,
    driver::{Answering, Driver, Returning, Sessions},
    frame::Setup,
    link::Link,
    proto::{Config, Connection},
    transport::{Placed, Transport, tcp},
};

/// Decides about a client by its SETUP.
pub(crate) type Accept =
    dyn Fn(&Setup, Requester) -> Result<Arc<dyn Responder>, RSocketError> + Send + Sync;

/// How many connections a listener holds, unless it is told otherwise.
const MAX_CONNECTIONS: usize = 10_000;

/// Accepts clients, and answers their requests.
///
/// ```
/// use millstream::{just, range};
/// use millstream_rsocket::{Answers, Client, Payload, Responder, Server};
///
/// struct Shout;
///
/// impl Responder for Shout {
///     fn request_response(&self, request: Payload) -> Answers {
///         just(Payload::from(request.data.to_ascii_uppercase())).boxed()
///     }
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let listener = Server::new(Shout).listen_tcp("127.0.0.1:0").await?;
/// let requester = Client::new().connect_tcp(listener.address()).await?;
/// let answer = requester.request_response("hello").first().await?;
/// assert_eq!(answer.unwrap().data, "HELLO");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Server {
    config: Config,
    accept: Arc<Accept>,
    max_connections: usize,
    sessions: Arc<Sessions<Box<dyn Transport>>>,
}

impl Server {
    /// Answers all clients with one responder.
    #[must_use]
    pub fn new(responder: impl Responder) -> Self {
        let responder: Arc<dyn Responder> = Arc::new(responder);
        Self::of(Arc::new(move |_: &Setup, _| Ok(Arc::clone(&responder))))
    }

    /// Decides about each client by its SETUP, and may keep the [`Requester`] by which it is asked.
    /// An error refuses the client; its code should be one of a SETUP.
    #[must_use]
    pub fn accepting<R: Responder>(
        accept: impl Fn(&Setup, Requester) -> Result<R, RSocketError> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Arc::new(move |setup: &Setup, requester| {
            accept(setup, requester).map(|responder| Arc::new(responder) as Arc<dyn Responder>)
        }))
    }

    fn of(accept: Arc<Accept>) -> Self {
        Self {
            config: Config::default(),
            accept,
            max_connections: MAX_CONNECTIONS,
            sessions: Sessions::new(),
        }
    }

    /// With other bounds. Times are the client's.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// A listener holds so many connections, and accepts no more until one ends; 10 000 by default.
    /// As many sessions may be known that outlive them, where [`Config::resume`] is on.
    ///
    /// # Panics
    ///
    /// If `max` is 0.
    #[must_use]
    pub fn max_connections(mut self, max: usize) -> Self {
        assert!(max > 0, "a listener holds a connection at least");
        self.max_connections = max;
        self
    }

    /// Serves one client. The future is over when its connection is, or when the client has come
    /// back to a session of another future of the same server or of a clone of it.
    pub fn serve(&self, transport: impl Transport) -> impl Future<Output = ()> + Send + 'static {
        let config = self.config.clone();
        let (link, commands) = Link::new();
        let answering = Answering::Waiting(Arc::clone(&self.accept));
        let (sessions, max_sessions) = (Arc::clone(&self.sessions), self.max_connections);
        async move {
            let (max, resumes) = (config.max_streams, config.resume);
            let connection = Connection::server(config, Duration::ZERO);
            let commands = (link, commands);
            if resumes {
                let transport: Box<dyn Transport> = Box::new(transport);
                let transport = (transport, Returning::server(sessions, max_sessions));
                Driver::new(transport, connection, commands, answering, max).await;
            } else {
                let transport = (transport, Returning::Never);
                Driver::new(transport, connection, commands, answering, max).await;
            }
        }
    }

    /// Accepts clients on an address of TCP, each on a task of its own, until the listener is
    /// dropped.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O.
    pub async fn listen_tcp(self, address: impl ToSocketAddrs) -> io::Result<Listener> {
        self.listen(address, |socket| async { tcp::accepted(socket) }).await
    }

    /// Accepts clients by TLS, as [`listen_tcp`](Self::listen_tcp) does without. A client has 10 s
    /// for its handshake.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub async fn listen_tls(
        self,
        address: impl ToSocketAddrs,
        config: impl Into<Arc<tokio_rustls::rustls::ServerConfig>>,
    ) -> io::Result<Listener> {
        let config = config.into();
        self.listen(address, move |socket| {
            crate::transport::tls::accepted(socket, Arc::clone(&config))
        })
        .await
    }

    /// Accepts clients by WebSocket, as [`listen_tcp`](Self::listen_tcp) does without. A client has
    /// 10 s for its handshake.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O.
    #[cfg(feature = "websocket")]
    #[cfg_attr(docsrs, doc(cfg(feature = "websocket")))]
    pub async fn listen_websocket(self, address: impl ToSocketAddrs) -> io::Result<Listener> {
        self.listen(address, |socket| async {
            tcp::prepare(&socket)?;
            crate::transport::websocket::accepted(socket).await
        })
        .await
    }

    /// Accepts clients, each on a task of its own, which also has its handshake.
    async fn listen<T: Transport, F>(
        self,
        address: impl ToSocketAddrs,
        accepted: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> io::Result<Listener>
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        let sockets = TcpListener::bind(address).await?;
        let address = sockets.local_addr()?;
        let accepting = tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(self.max_connections));
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                match sockets.accept().await {
                    Ok((socket, _)) => {
                        let (accepting, server) = (accepted(socket), self.clone());
                        let _detached = tokio::spawn(async move {
                            if let Ok(transport) = accepting.await {
                                // Its session may outlive it, or it may go to another's.
                                server.serve(Placed { transport, _place: place }).await;
                            }
                        });
                    }
                    // Such as too many open files, which passes.
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Ok(Listener { address, accepting: accepting.abort_handle() })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Accepts clients until it is dropped. Connections that were accepted go on.
#[derive(Debug)]
#[must_use = "dropping the listener ends it"]
pub struct Listener {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Listener {
    /// The address on which clients are accepted.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
