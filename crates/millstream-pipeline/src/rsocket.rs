//! Connections to an RSocket server.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use millstream::{Error, ErrorKind};
use millstream_rsocket::{
    Client, Requester,
    proto::Config,
    transport::{Transport, tcp, tls, websocket},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::net::TcpStream;

use crate::{RSocketConnection, spec::RSocketAddress};

/// What makes connections to a server. A clone makes the same ones.
#[derive(Clone)]
pub(crate) struct Endpoint {
    client: Client,
    config: Config,
    /// As the file names it.
    server: String,
    address: RSocketAddress,
    tls: Option<Arc<ClientConfig>>,
    timeout: Duration,
}

impl Endpoint {
    /// Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// Certificates cannot be read.
    pub(crate) fn to(spec: &RSocketConnection) -> Result<Self, Error> {
        let invalid = |why| Error::new(ErrorKind::InvalidData, why);
        let address = spec.address().map_err(invalid)?;
        let (client, config) = spec.client().map_err(invalid)?;
        let is_encrypted = address.carrier.is_encrypted;
        let tls = is_encrypted.then(|| trusting(&spec.root_certificates)).transpose()?;
        let (server, timeout) = (spec.server.clone(), spec.connect_timeout.0);
        Ok(Self { client, config, server, address, tls, timeout })
    }

    /// One connection, which fails when it is lost.
    ///
    /// # Errors
    ///
    /// The server cannot be reached.
    pub(crate) async fn connect(&self) -> Result<Requester, Error> {
        Ok(self.client.connect(self.transport().await.map_err(|cause| self.failed(cause))?))
    }

    /// One that is made anew when it is lost, for so long.
    ///
    /// # Errors
    ///
    /// The server cannot be reached.
    pub(crate) async fn connect_resumable(&self, time: Duration) -> Result<Requester, Error> {
        let client = self.client.clone();
        let client = client.config(Config { resume_for: time, ..self.config.clone() });
        let own = self.clone();
        let connecting = client.connect_resumable(move || {
            let own = own.clone();
            async move { own.transport().await }
        });
        connecting.await.map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: io::Error) -> Error {
        let server = &self.server;
        let (kind, what) = match cause.kind() {
            io::ErrorKind::TimedOut => (ErrorKind::Timeout, "does not answer"),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => (
                ErrorKind::Rejected,
                "is not trusted or has no TLS: see its certificate, and `root_certificates`",
            ),
            _ => (
                ErrorKind::Disconnected,
                "takes no connection: does its server run, and on that port?",
            ),
        };
        Error::with_source(kind, format!("{server} {what}"), cause)
    }

    async fn transport(&self) -> io::Result<Box<dyn Transport>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the server does not answer");
        tokio::time::timeout(self.timeout, self.carried()).await.map_err(late)?
    }

    async fn carried(&self) -> io::Result<Box<dyn Transport>> {
        let (host, port) = (self.address.host.as_str(), self.address.port);
        let is_web_socket = self.address.carrier.is_web_socket;
        let Some(config) = &self.tls else {
            return Ok(if is_web_socket {
                Box::new(websocket::connect(&self.server).await?)
            } else {
                Box::new(tcp::connect((host, port)).await?)
            });
        };
        let config = Arc::clone(config);
        if is_web_socket {
            let socket = TcpStream::connect((host, port)).await?;
            let encrypted = tls::encrypt(socket, host, config).await?;
            return Ok(Box::new(websocket::upgrade(encrypted, &self.server).await?));
        }
        Ok(Box::new(tls::connect((host, port), host, config).await?))
    }
}

/// Trusts what this machine trusts, and the certificates of these files.
///
/// # Errors
///
/// A file cannot be read, or has no certificate.
fn trusting(files: &[PathBuf]) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is trusted by nobody.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for file in files {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|cause| unreadable(file, cause))?;
        }
    }
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let config = config.map_err(Error::other)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(unreadable(file, io::Error::other("it has no certificate in PEM")))
        }
        Ok(certificates) => Ok(certificates),
        Err(cause) => Err(unreadable(file, cause)),
    }
}

fn unreadable(file: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    let what = format!("the root certificate {} cannot be read", file.display());
    Error::with_source(ErrorKind::Io, what, cause)
}
