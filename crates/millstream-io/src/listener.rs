//! `Listener`: connections, as a flow.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use millstream::{Error, FlattenResults, Flow, FromStream, from_stream};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::{
    net::TcpListener,
    time::{Sleep, sleep},
};

use crate::{Socket, failure::failed};

/// How long to wait where no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens for connections, by TCP or on a Unix socket.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    address: Arc<str>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    /// Listens by TCP at `address`; port 0 is one that is free.
    ///
    /// # Errors
    ///
    /// Another listens there, or it is no address of this machine: of kind `Io`.
    pub async fn tcp(address: &str) -> Result<Self, Error> {
        let what = format!("listening at {address}");
        let listener = TcpListener::bind(address).await.map_err(|cause| failed(&what, cause))?;
        let address = listener.local_addr().map_err(|cause| failed(&what, cause))?.to_string();
        Ok(Self { kind: Kind::Tcp(listener), address: address.into() })
    }

    /// Listens on the Unix socket at `path`, which must not be there yet. It stays when the
    /// listener is dropped.
    ///
    /// # Errors
    ///
    /// There is a file at that path, or it cannot be created: of kind `Io`.
    #[cfg(unix)]
    pub fn unix(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        let address = path.as_ref().display().to_string();
        let listener = UnixListener::bind(&path)
            .map_err(|cause| failed(&format!("listening at {address}"), cause))?;
        Ok(Self { kind: Kind::Unix(listener), address: address.into() })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The connections, as they come.
    ///
    /// # Demand
    ///
    /// A connection is accepted when it is asked for: those beyond wait in the system's queue, so
    /// that what serves them decides how many there are. Nothing is held.
    ///
    /// # Termination
    ///
    /// Never completes. A connection that was gone before it was accepted is passed over; while no
    /// file descriptor is free, the next attempt is made 100 ms later. Fails if the listener itself
    /// fails. A cancel closes it.
    ///
    /// # Examples
    ///
    /// See the [crate](crate).
    pub fn connections(self) -> Flow<FlattenResults<FromStream<Connections>>> {
        from_stream(Connections { listener: self, pause: None }).flatten_results()
    }
}

/// The stream in [`Listener::connections`].
pub struct Connections {
    listener: Listener,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Stream for Connections {
    type Item = Result<Socket, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let cause = match std::task::ready!(self.listener.poll_accept(cx)) {
                Ok(socket) => return Poll::Ready(Some(Ok(socket))),
                Err(cause) => cause,
            };
            match cause.kind() {
                io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted => {}
                // EMFILE and ENFILE: closing another connection frees one.
                _ if matches!(cause.raw_os_error(), Some(23 | 24)) => {
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
                _ => {
                    let what = format!("accepting at {}", self.listener.address);
                    return Poll::Ready(Some(Err(failed(&what, cause))));
                }
            }
        }
    }
}

impl Listener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Socket>> {
        match &self.kind {
            Kind::Tcp(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, address)| Socket::of_tcp(stream, address.to_string().into())),
            // A client of a Unix socket has no address.
            #[cfg(unix)]
            Kind::Unix(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| {
                Socket::of_unix(stream, format!("a client of {}", self.address).into())
            }),
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("address", &self.listener.address)
            .finish_non_exhaustive()
    }
}
