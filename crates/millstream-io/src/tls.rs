//! `Tls`: sockets that are encrypted.

use std::{sync::Arc, time::Duration};

use millstream::{Error, ErrorKind};
use tokio::{io, time::timeout};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{ClientConfig, ServerConfig, pki_types::ServerName},
};

use crate::{Socket, failure::failed};

/// The longest that a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Encrypts [`Socket`]s, by a configuration of rustls, which says whom to trust.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// As a client.
    #[must_use]
    pub fn client(config: impl Into<Arc<ClientConfig>>) -> Self {
        Self(config.into())
    }

    /// Encrypts a connection with the server `name`, whose certificate is checked. A peer that does
    /// not answer within 10 s is given up.
    ///
    /// # Errors
    ///
    /// A name that is none, of kind `InvalidData`; a certificate that is not trusted, or a peer
    /// without TLS, of kind `Rejected`; a connection that is lost, of kind `Disconnected`; of kind
    /// `Timeout`.
    pub async fn connect(&self, socket: Socket, name: &str) -> Result<Socket, Error> {
        let server = ServerName::try_from(name.to_owned()).map_err(|cause| {
            Error::with_source(ErrorKind::InvalidData, "", cause)
                .context(format!("TLS with {name}"))
        })?;
        let Socket { reader, writer, peer } = socket;
        let what = format!("TLS with {peer}");
        let connector = TlsConnector::from(Arc::clone(&self.0));
        let joined = io::join(reader, writer);
        let stream = within(&what, connector.connect(server, joined)).await?;
        let (reader, writer) = io::split(stream);
        Ok(Socket { reader: Box::pin(reader), writer: Box::pin(writer), peer })
    }
}

/// The server's side of TLS.
#[derive(Clone)]
pub struct Accepted(TlsAcceptor);

impl Accepted {
    /// By a configuration of rustls, which has the certificate.
    #[must_use]
    pub fn server(config: impl Into<Arc<ServerConfig>>) -> Self {
        Self(TlsAcceptor::from(config.into()))
    }

    /// Encrypts a connection that was accepted. A peer that does not answer within 10 s is given
    /// up.
    ///
    /// # Errors
    ///
    /// As [`Tls::connect`].
    pub async fn accept(&self, socket: Socket) -> Result<Socket, Error> {
        let Socket { reader, writer, peer } = socket;
        let what = format!("TLS with {peer}");
        let stream = within(&what, self.0.accept(io::join(reader, writer))).await?;
        let (reader, writer) = io::split(stream);
        Ok(Socket { reader: Box::pin(reader), writer: Box::pin(writer), peer })
    }
}

async fn within<T>(
    what: &str,
    handshake: impl Future<Output = std::io::Result<T>>,
) -> Result<T, Error> {
    match timeout(PATIENCE, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        // What rustls says of certificates and protocols.
        Ok(Err(cause)) if cause.kind() == std::io::ErrorKind::InvalidData => {
            Err(Error::with_source(ErrorKind::Rejected, "", cause).context(what))
        }
        Ok(Err(cause)) => Err(failed(what, cause)),
        Err(_) => Err(Error::new(ErrorKind::Timeout, format!("{what}: no answer in 10 s"))),
    }
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accepted").finish_non_exhaustive()
    }
}
