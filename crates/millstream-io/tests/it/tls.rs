//! TLS: what is trusted, what is not, and peers without it.

use std::sync::Arc;

use bytes::Bytes;
use millstream::{ErrorKind, just};
use millstream_io::{Accepted, Listener, Socket, Tls};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::ring::default_provider,
    pki_types::PrivateKeyDer,
};
use tokio_util::codec::{BytesCodec, LinesCodec};

/// A server and a client that trusts it.
fn both() -> (Accepted, Tls) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
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
    (Accepted::server(server), Tls::client(client))
}

#[tokio::test]
async fn lines_go_both_ways_and_ends_are_seen() {
    let (server, client) = both();
    let listener = Listener::tcp("127.0.0.1:0").await.unwrap();
    let address = listener.address().to_owned();
    let served = listener.connections().take(1).for_each_async(move |socket| {
        let server = server.clone();
        async move {
            let (bytes, writer) = server.accept(socket).await.unwrap().split(64);
            let lines = bytes.decode(LinesCodec::new(), 64).map(|line| line.to_uppercase());
            lines.write_to(writer, LinesCodec::new()).await.unwrap();
        }
    });
    let socket = Socket::tcp(&address).await.unwrap();
    let (bytes, writer) = client.connect(socket, "localhost").await.unwrap().split(64);
    just(Bytes::from("one\ntwo\n")).write_to(writer, BytesCodec::new()).await.unwrap();
    let lines = bytes.decode(LinesCodec::new(), 64).collect::<Vec<_>>().await.unwrap();
    assert_eq!(lines, ["ONE", "TWO"]);
    served.await.unwrap();
}

#[tokio::test]
async fn what_is_not_trusted_is_refused() {
    let (server, client) = both();
    let (_, stranger) = both();
    let listener = Listener::tcp("127.0.0.1:0").await.unwrap();
    let address = listener.address().to_owned();
    let served = listener.connections().take(2).for_each_async(move |socket| {
        let server = server.clone();
        async move { assert!(server.accept(socket).await.is_err()) }
    });
    for (tls, name) in [(&stranger, "localhost"), (&client, "example.org")] {
        let socket = Socket::tcp(&address).await.unwrap();
        let refused = tls.connect(socket, name).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Rejected, "{refused}");
        assert!(refused.to_string().contains(&address), "{refused}");
    }
    served.await.unwrap();

    // A name that is none, and a peer that speaks something else.
    let (ours, theirs) = tokio::io::duplex(1_024);
    let (reader, writer) = tokio::io::split(ours);
    let failed = client.connect(Socket::of(reader, writer, "peer"), "no name").await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    drop(theirs);
    let (ours, mut theirs) = tokio::io::duplex(1_024);
    tokio::io::AsyncWriteExt::write_all(&mut theirs, b"HTTP/1.1 400 Bad Request\r\n")
        .await
        .unwrap();
    let (reader, writer) = tokio::io::split(ours);
    let socket = Socket::of(reader, writer, "peer");
    let failed = client.connect(socket, "localhost").await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Rejected, "{failed}");
}
