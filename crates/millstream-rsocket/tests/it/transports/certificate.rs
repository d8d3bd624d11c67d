//! A certificate that signs itself, and settings of TLS with it.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::ring::default_provider,
    pki_types::PrivateKeyDer,
};

/// A certificate of this machine, a server's settings with it, and those of a client that trusts
/// it.
pub(crate) struct Certificate {
    #[allow(dead_code, reason = "for peers that read files")]
    pub(crate) pem: String,
    #[allow(dead_code, reason = "for peers that read files")]
    pub(crate) key_pem: String,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let provider = Arc::new(default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (pem, key_pem) = (cert.pem(), signing_key.serialize_pem());
        Self { pem, key_pem, server: server.into(), client: client.into() }
    }
}
