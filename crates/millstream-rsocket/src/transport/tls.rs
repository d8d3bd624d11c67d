//! TLS by rustls: bytes of TCP, encrypted.

use std::{io, sync::Arc};

use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{ClientConfig, ServerConfig, pki_types::ServerName},
    server,
};

use super::{Framed, tcp, within};

/// Connects to an address, and checks the certificate of the server `name`.
///
/// # Errors
///
/// If nobody accepts there; as [`encrypt`].
pub async fn connect(
    address: impl ToSocketAddrs,
    name: &str,
    config: impl Into<Arc<ClientConfig>>,
) -> io::Result<Framed<client::TlsStream<TcpStream>>> {
    let socket = TcpStream::connect(address).await?;
    Ok(Framed::new(encrypt(socket, name, config).await?))
}

/// Encrypts a connection to the server `name`: what [`connect`] does, for what goes over TLS in
/// another way, such as WebSocket.
///
/// # Errors
///
/// Of kind `InvalidInput` if `name` is none, `InvalidData` if the certificate is not trusted or the
/// peer has no TLS, and `TimedOut` if it does not answer within 10 s.
pub async fn encrypt(
    socket: TcpStream,
    name: &str,
    config: impl Into<Arc<ClientConfig>>,
) -> io::Result<client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    tcp::prepare(&socket)?;
    within(TlsConnector::from(config.into()).connect(name, socket)).await
}

/// The transport of a connection that was accepted.
///
/// # Errors
///
/// As [`decrypt`].
pub async fn accepted(
    socket: TcpStream,
    config: impl Into<Arc<ServerConfig>>,
) -> io::Result<Framed<server::TlsStream<TcpStream>>> {
    Ok(Framed::new(decrypt(socket, config).await?))
}

/// Encrypts a connection that was accepted: what [`accepted`] does, for what goes over TLS in
/// another way.
///
/// # Errors
///
/// If the client has no TLS, does not trust the certificate, or does not answer within 10 s.
pub async fn decrypt(
    socket: TcpStream,
    config: impl Into<Arc<ServerConfig>>,
) -> io::Result<server::TlsStream<TcpStream>> {
    tcp::prepare(&socket)?;
    within(TlsAcceptor::from(config.into()).accept(socket)).await
}
