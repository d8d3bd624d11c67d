//! Peers that flood, send garbage, or never read.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use millstream::{ErrorKind, range};
use millstream_rsocket::{
    Answers, Client, Payload, Responder, Server,
    frame::{Body, Frame},
    proto::Config,
    transport::Framed,
};
use millstream_testkit::{Probe, Puppet, PuppetPublisher};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::timeout,
};

use super::Service;
use crate::raw::{framed, opening, stream};

fn served(config: Config) -> (DuplexStream, JoinHandle<()>) {
    let (ours, theirs) = duplex(64 * 1024);
    let server = Server::new(Service::default()).config(config);
    (ours, tokio::spawn(server.serve(Framed::new(theirs))))
}

#[tokio::test(start_paused = true)]
async fn garbage_ends_the_connection_with_an_error() {
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[0xFF; 64], b"\0\0\x06\0\0\0\0\xfc\0"]
    {
        let (mut peer, serving) = served(Config::default());
        peer.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        // What looks like a long frame is waited for, but not for ever.
        timeout(Duration::from_secs(60), peer.read_to_end(&mut answer)).await.unwrap().unwrap();
        serving.await.unwrap();
        assert!(answer.len() > 9, "{garbage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_streams_are_refused_beyond_the_bound() {
    let (peer, serving) = served(Config { max_streams: 100, ..Config::default() });
    let (mut reading, mut writing) = tokio::io::split(peer);
    let writer = tokio::spawn(async move {
        writing.write_all(&framed(&opening())).await.unwrap();
        let mut bytes = BytesMut::new();
        for n in 0..100_000 {
            bytes.put(framed(&stream(2 * n + 1, 1)));
        }
        writing.write_all(&bytes).await.unwrap();
        writing
    });
    let mut n_refused = 0;
    let mut head = [0; 9];
    while n_refused < 99_900 {
        reading.read_exact(&mut head).await.unwrap();
        let len = usize::from(head[1]) << 8 | usize::from(head[2]);
        assert_eq!(head[7] >> 2, 0x0B, "an ERROR");
        let mut rest = vec![0; len - 6];
        reading.read_exact(&mut rest).await.unwrap();
        n_refused += 1;
    }
    let writing = writer.await.unwrap();
    drop((reading, writing));
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_and_never_reads_is_not_read_any_more() {
    let (mut peer, _serving) = served(Config::default());
    peer.write_all(&framed(&opening())).await.unwrap();
    let body = Body::KeepAlive { respond: true, position: 0, data: vec![0; 10_000].into() };
    let ping = framed(&Frame::new(0, body));
    let mut n_written = 0;
    while timeout(Duration::from_millis(50), peer.write_all(&ping)).await.is_ok() {
        n_written += 1;
        assert!(n_written < 1000, "the server reads on, and holds what it would answer");
    }
    // Both pipes, both buffers and the bound on answers.
    assert!(n_written < 60, "{n_written}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_is_let_go() {
    let (mut peer, serving) = served(Config::default());
    let mut answer = Vec::new();
    timeout(Duration::from_secs(11), peer.read_to_end(&mut answer)).await.unwrap().unwrap();
    serving.await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("no SETUP came in time"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_within_a_frame_is_over() {
    let bytes = framed(&opening());
    for cut in 1..bytes.len() {
        let (mut peer, serving) = served(Config::default());
        peer.write_all(&bytes[..cut]).await.unwrap();
        drop(peer);
        serving.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_grants_again_and_again_and_never_reads_makes_nobody_produce() {
    let made = Arc::new(Mutex::new(0_u64));
    struct Makes(Arc<Mutex<u64>>);
    impl Responder for Makes {
        fn request_stream(&self, _: Payload) -> Answers {
            let made = Arc::clone(&self.0);
            range(0..u64::MAX)
                .map(move |_| {
                    *made.lock() += 1;
                    Payload::from(vec![0; 1000])
                })
                .boxed()
        }
    }
    let (mut peer, theirs) = duplex(64 * 1024);
    let server = Server::new(Makes(Arc::clone(&made)));
    let _serving = tokio::spawn(server.serve(Framed::new(theirs)));
    peer.write_all(&framed(&opening())).await.unwrap();
    peer.write_all(&framed(&stream(1, 1))).await.unwrap();
    let grant = framed(&Frame::new(1, Body::RequestN(0x7FFF_FFFF)));
    for _ in 0..100_000 {
        peer.write_all(&grant).await.unwrap();
    }
    super::settle().await;
    // The pipe, what the transport holds, what waits, and a window.
    assert!((100..600).contains(&*made.lock()), "{}", made.lock());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_demand_is_cut_off() {
    let (ours, mut peer) = duplex(64 * 1024);
    let requester = Client::new().connect(Framed::new(ours));
    let (probe, subscriber) = Probe::new();
    requester.request_stream("numbers").subscribe(subscriber);
    probe.request(2);
    super::settle().await;
    for n in 0..1000_u64 {
        let payload = super::number(n);
        let body = Body::Payload { follows: false, complete: false, next: true, payload };
        if peer.write_all(&framed(&Frame::new(1, body))).await.is_err() {
            break;
        }
    }
    super::settle().await;
    assert_eq!(super::numbers(&probe.items()), [0, 1]);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
    let mut said = Vec::new();
    peer.read_to_end(&mut said).await.unwrap();
    assert!(String::from_utf8_lossy(&said).contains("more items than were requested"));
}

#[tokio::test(start_paused = true)]
async fn what_a_publisher_sends_that_ignores_its_demand_does_not_pile_up() {
    struct Pushes(Mutex<Option<PuppetPublisher<Payload>>>);
    impl Responder for Pushes {
        fn request_stream(&self, _: Payload) -> Answers {
            millstream::Flow::from(self.0.lock().take().unwrap()).boxed()
        }
    }
    /// A byte that says how often it is held.
    struct Held {
        _count: Arc<()>,
    }
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            b"x"
        }
    }
    let held = Arc::new(());
    let item = || Payload::from(Bytes::from_owner(Held { _count: Arc::clone(&held) }));
    let (puppet, publisher) = Puppet::new();
    let server = Server::new(Pushes(Mutex::new(Some(publisher))));
    let requester = super::in_process(&Client::new(), &server);
    let (probe, subscriber) = Probe::new();
    requester.request_stream("x").subscribe(subscriber);
    probe.request(3);
    super::settle().await;
    assert_eq!(puppet.demand().get(), 3);

    for _ in 0..10 {
        puppet.force_next(item()).unwrap();
    }
    super::settle().await;

    let error = probe.error().unwrap();
    assert!(error.to_string().contains("more than was requested"), "{error}");
    assert!(puppet.is_canceled());
    assert_eq!((probe.items().len(), Arc::strong_count(&held)), (3, 1 + 3));
    // It goes on, and nobody keeps what it sends.
    for _ in 0..1000 {
        puppet.force_next(item()).ok();
        assert_eq!(Arc::strong_count(&held), 1 + 3);
    }
}
