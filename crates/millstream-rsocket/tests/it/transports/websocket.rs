//! WebSocket.

use std::{io, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use millstream_rsocket::{
    Client, Server,
    frame::{Body, Frame},
    transport::websocket,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::timeout,
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::play;
use crate::{flows::Service, raw::opening};

#[tokio::test]
async fn everything_goes_over_websocket() {
    let listener = Server::new(Service::default()).listen_websocket("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rsocket", listener.address());
    let requester = Client::new().connect_websocket(&url).await.unwrap();
    play(&requester).await;
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn everything_goes_over_websocket_within_tls() {
    use millstream_rsocket::transport::tls;
    use tokio::net::{TcpListener, TcpStream};

    let (server, client) = super::tls::both();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let stream = tls::decrypt(socket, server).await.unwrap();
        let transport = websocket::accepted(stream).await.unwrap();
        Server::new(Service::default()).serve(transport).await;
    });
    let socket = TcpStream::connect(address).await.unwrap();
    let stream = tls::encrypt(socket, "localhost", client).await.unwrap();
    let transport = websocket::upgrade(stream, "wss://localhost/").await.unwrap();
    play(&Client::new().connect(transport)).await;
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_no_frames_end_the_connection_with_an_error() {
    let long = vec![0; 20_000_000];
    for garbage in [Message::text("hello"), Message::binary("x"), Message::binary(long)] {
        let (ours, theirs) = duplex(64 * 1024);
        let serving = tokio::spawn(async {
            let transport = websocket::accepted(theirs).await.unwrap();
            Server::new(Service::default()).serve(transport).await;
        });
        let (mut peer, _) = client_async("ws://localhost/", ours).await.unwrap();
        let mut bytes = bytes::BytesMut::new();
        opening().encode(&mut bytes).unwrap();
        // Pings are no frames of RSocket, and are answered.
        peer.send(Message::binary(bytes.freeze())).await.unwrap();
        peer.send(Message::Ping("?".into())).await.unwrap();
        assert_eq!(peer.next().await.unwrap().unwrap(), Message::Pong("?".into()));
        let is_long = garbage.len() > 1000;
        let sent = peer.send(garbage).await;
        if is_long {
            // The library has refused to read it.
            while let Some(Ok(_)) = peer.next().await {}
        } else {
            sent.unwrap();
            let answer = peer.next().await.unwrap().unwrap().into_data();
            let frame = Frame::decode(answer).unwrap();
            assert!(matches!(frame, Frame { stream: 0, body: Body::Error { .. } }));
        }
        timeout(Duration::from_secs(60), serving).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn peers_that_do_not_speak_websocket_are_let_go() {
    let (mut garbage, theirs) = duplex(1024);
    garbage.write_all(b"\0\0\x06\0\0\0\0\xfc\0\r\n\r\n").await.unwrap();
    assert!(websocket::accepted(theirs).await.is_err());

    let (_silent, theirs) = duplex(1024);
    let refused = websocket::accepted(theirs).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::TimedOut);

    let (mut server, ours) = duplex(1024);
    server.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert!(websocket::upgrade(ours, "ws://localhost/").await.is_err());
    let mut request = vec![0; 16];
    server.read_exact(&mut request).await.unwrap();
    assert!(request.starts_with(b"GET / "));

    for url in ["", "http://localhost/", "wss://localhost/", "ws://"] {
        let refused = websocket::connect(url).await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidInput, "{url}");
    }
}
