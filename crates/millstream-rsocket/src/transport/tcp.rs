//! TCP.

use std::io;

use tokio::net::{TcpStream, ToSocketAddrs};

use super::Framed;

/// Connects to an address.
///
/// # Errors
///
/// If nobody accepts there.
pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Framed<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    accepted(stream)
}

/// The transport of a connection that was accepted.
///
/// # Errors
///
/// If the socket is gone already.
pub fn accepted(stream: TcpStream) -> io::Result<Framed<TcpStream>> {
    prepare(&stream)?;
    Ok(Framed::new(stream))
}

/// Frames are gathered here, and what is flushed should not wait.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)
}
