//! The lines of the connections to a port.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream as Polled;
use millstream::{Error, ErrorKind, bridge::read_lines, from_iter, from_stream_on};
use tokio::net::{TcpListener, TcpStream};

use super::{Stream, lines::Texts};
use crate::{TcpSource, net::Net, record::Record};

/// Lines of a connection that were read and are not asked for yet.
const AHEAD: usize = 32;

/// Listens, and takes connections when it is asked.
///
/// # Errors
///
/// The port is not free.
pub(super) fn open(spec: &TcpSource, texts: Texts, net: &Net) -> Result<Stream, Error> {
    let address = spec.listen;
    let binding = async move {
        TcpListener::bind(address).await.map_err(|cause| {
            let what = format!("cannot listen on {address}");
            Error::with_source(ErrorKind::Io, "", cause).context(what)
        })
    };
    let listener = net.wait(binding)?;
    if let Ok(address) = listener.local_addr() {
        net.add_listening(&texts.name, address);
    }
    let limit = usize::try_from(spec.max_line.0).unwrap_or(usize::MAX);
    let Texts { faults, clock, .. } = texts;
    let lines = from_stream_on(&net.scheduler()?, Accepting(listener))
        .flatten_results()
        .flat_map(move |(connection, client)| {
            let faults = faults.clone();
            // What one client does wrong concerns no other.
            read_lines(connection, limit).on_error_resume(move |error| {
                faults.note(format!("tcp: the connection of {client}: {error}"));
                from_iter(None::<String>)
            })
        })
        .concurrency(spec.max_connections.get())
        .prefetch(AHEAD)
        .map(move |line| Record::new(line.into(), clock.now()));
    Ok(lines.boxed())
}

/// The connections to a port.
struct Accepting(TcpListener);

impl Polled for Accepting {
    type Item = Result<(TcpStream, std::net::SocketAddr), Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.0.poll_accept(cx)) {
                // It was gone before it was taken.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                accepted => {
                    let accepted = accepted.map_err(|cause| {
                        Error::with_source(ErrorKind::Io, "", cause).context("tcp: cannot accept")
                    });
                    return Poll::Ready(Some(accepted));
                }
            }
        }
    }
}
