//! TCP and Unix sockets: nothing is read or accepted that is not asked for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use millstream::{ErrorKind, from_iter, range};
use millstream_io::{Listener, Socket};
use millstream_testkit::Probe;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::codec::{BytesCodec, LengthDelimitedCodec, LinesCodec};

use super::until;

/// Both ends of a connection: ours, and a plain one.
async fn pair() -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (socket, accepted) = tokio::join!(Socket::tcp(&address), listener.accept());
    (socket.unwrap(), accepted.unwrap().0)
}

#[tokio::test]
async fn nothing_is_read_that_is_not_asked_for_so_that_the_peer_waits() {
    let (socket, mut peer) = pair().await;
    let (bytes, _writer) = socket.split(65_536);
    let probe = Probe::subscribe_to(bytes);
    // The peer writes until nothing more fits into the buffers of both systems.
    let n_written = Arc::new(Mutex::new(0_usize));
    let counter = Arc::clone(&n_written);
    tokio::spawn(async move {
        let chunk = [b'x'; 65_536];
        while let Ok(n) = peer.write(&chunk).await {
            *counter.lock().unwrap() += n;
        }
    });
    let n_written = || *n_written.lock().unwrap();
    let mut first = 0;
    while first == 0 || first != n_written() {
        first = n_written();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(probe.n_items(), 0);
    probe.request(1);
    until("a chunk", || probe.n_items() == 1).await;
    // One chunk was taken; until a quarter of the buffers is free the peer may wait still.
    while probe.items().iter().map(Bytes::len).sum::<usize>() < first {
        let n = probe.n_items();
        probe.request(1);
        until("a chunk", || probe.n_items() > n).await;
    }
    until("the peer to go on", || n_written() > first).await;
    probe.cancel();
}

#[tokio::test]
async fn a_flow_that_is_written_waits_for_a_peer_that_does_not_read() {
    let (socket, mut peer) = pair().await;
    let (_, writer) = socket.split(1);
    let n_made = Arc::new(Mutex::new(0_u64));
    let counter = Arc::clone(&n_made);
    let chunks = range(0..u64::MAX).map(move |_| {
        *counter.lock().unwrap() += 1;
        Bytes::from_static(&[b'x'; 16_384])
    });
    let written = chunks.write_to(writer, BytesCodec::new());
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = *n_made.lock().unwrap();
        if now > 0 && now == before {
            break;
        }
        before = now;
    }
    let mut bytes = vec![0; 65_536];
    for _ in 0..200 {
        peer.read_exact(&mut bytes).await.unwrap();
    }
    until("more", || *n_made.lock().unwrap() > before).await;
    // The peer has gone: the flow is canceled, and the outcome says so.
    drop(peer);
    let failed = written.await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn connections_are_accepted_as_they_are_asked_for() {
    let listener = Listener::tcp("127.0.0.1:0").await.unwrap();
    let address = listener.address().to_owned();
    let probe = Probe::subscribe_to(listener.connections());
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(TcpStream::connect(&address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(probe.n_items(), 0);
    probe.request(2);
    until("two", || probe.n_items() == 2).await;
    let peer = clients[0].local_addr().unwrap().to_string();
    assert!(probe.take_items().iter().any(|socket| socket.peer() == peer));
    probe.cancel();
    until("the end", || probe.is_dropped()).await;
    drop(clients);
    let refused = Socket::tcp(&address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Disconnected);
    assert!(refused.to_string().contains(&address), "{refused}");
}

#[tokio::test]
async fn frames_go_both_ways_by_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = Listener::unix(&path).unwrap();
    let served = listener.connections().take(1).for_each_async(|socket| async move {
        let (bytes, writer) = socket.split(7);
        let frames = bytes.decode(LengthDelimitedCodec::new(), 1_024).map(|frame| frame.freeze());
        frames.write_to(writer, LengthDelimitedCodec::new()).await.unwrap();
    });
    let (bytes, writer) = Socket::unix(&path).await.unwrap().split(5);
    let frames: Vec<Bytes> = (0..100).map(|n| Bytes::from(vec![b'x'; n])).collect();
    let written = from_iter(frames.clone()).write_to(writer, LengthDelimitedCodec::new());
    let answer = bytes.decode(LengthDelimitedCodec::new(), 1_024).map(|frame| frame.freeze());
    assert_eq!(answer.collect::<Vec<_>>().await.unwrap(), frames);
    written.await.unwrap();
    served.await.unwrap();
    assert!(Listener::unix(&path).is_err(), "there is a file");
    assert!(Socket::unix(folder.path().join("none")).await.is_err());
}

#[tokio::test]
async fn input_that_is_cut_or_too_long_and_connections_that_are_reset_are_told_apart() {
    let (socket, mut peer) = pair().await;
    peer.write_all(b"whole\nhal").await.unwrap();
    peer.shutdown().await.unwrap();
    let lines = socket.split(64).0.decode(LinesCodec::new(), 8).collect::<Vec<_>>();
    assert_eq!(lines.await.unwrap(), ["whole", "hal"], "a last line needs no end");

    let (socket, mut peer) = pair().await;
    peer.write_all(b"\0\0\0\x09four").await.unwrap();
    peer.shutdown().await.unwrap();
    let frames = socket.split(64).0.decode(LengthDelimitedCodec::new(), 64);
    assert_eq!(frames.count().await.unwrap_err().kind(), ErrorKind::InvalidData);

    let (socket, mut peer) = pair().await;
    peer.write_all(b"a line that is too long").await.unwrap();
    let lines = socket.split(64).0.decode(LinesCodec::new(), 8).count();
    assert_eq!(lines.await.unwrap_err().kind(), ErrorKind::InvalidData);

    let (socket, peer) = pair().await;
    let from = socket.peer().to_owned();
    // What it has not read has the system reset the connection.
    let (bytes, mut writer) = socket.split(64);
    writer.write_all(b"unread").await.unwrap();
    until("it to arrive", || peer.try_read(&mut []).is_ok()).await;
    peer.readable().await.unwrap();
    drop(peer);
    let failed = bytes.count().await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Disconnected, "{failed}");
    assert!(failed.to_string().contains(&from), "{failed}");
}

#[tokio::test]
async fn addresses_that_are_none_say_so() {
    let failed = Socket::tcp("127.0.0.1:port").await.unwrap_err();
    assert!(failed.to_string().contains("127.0.0.1:port"), "{failed}");
    let taken = Listener::tcp("127.0.0.1:0").await.unwrap();
    let failed = Listener::tcp(taken.address()).await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Io);
}
