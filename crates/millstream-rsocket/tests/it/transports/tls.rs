//! TLS.

use std::{io, sync::Arc, time::Duration};

use millstream_rsocket::{Client, Server, transport::tls};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::rustls::{ClientConfig, ServerConfig};

use super::{certificate::Certificate, play};
use crate::flows::Service;

/// A server's settings and those of a client that trusts it.
pub(super) fn both() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let Certificate { server, client, .. } = Certificate::new();
    (server, client)
}

#[tokio::test]
async fn everything_goes_over_tls() {
    let (server, client) = both();
    let listener = Server::new(Service::default()).listen_tls("127.0.0.1:0", server).await.unwrap();
    let requester =
        Client::new().connect_tls(listener.address(), "localhost", client).await.unwrap();
    play(&requester).await;
}

#[tokio::test]
async fn what_is_not_trusted_and_what_is_no_tls_is_refused() {
    let ((server, _), (_, stranger)) = (both(), both());
    let listener = Server::new(Service::default())
        .max_connections(1)
        .listen_tls("127.0.0.1:0", server)
        .await
        .unwrap();
    for name in ["localhost", "elsewhere"] {
        let client = Client::new();
        let refused = client.connect_tls(listener.address(), name, Arc::clone(&stranger)).await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData, "{name}");
    }
    let nameless = Client::new().connect_tls(listener.address(), "", stranger).await;
    assert_eq!(nameless.unwrap_err().kind(), io::ErrorKind::InvalidInput);

    // A client of plain TCP is told so, and its place is free again.
    let plain = Client::new().connect_tcp(listener.address()).await.unwrap();
    assert!(plain.request_response("x").first().await.is_err());
    let mut garbage = TcpStream::connect(listener.address()).await.unwrap();
    garbage.try_write(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(10), garbage.read_to_end(&mut answer)).await.unwrap();
    assert!(read.is_err() || !String::from_utf8_lossy(&answer).contains("HTTP"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_has_no_place_for_ever() {
    let (server, _) = both();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    let refused = tls::accepted(socket, server).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::TimedOut);
}
