//! Sessions over connections that break at any byte, by seeds.

use std::{
    collections::hash_map::RandomState,
    future::ready,
    hash::BuildHasher as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use millstream::{ErrorKind, range};
use millstream_rsocket::{
    Client, ErrorCode, Payload, RSocketError, Requester, Server,
    frame::{Body, Frame, Resume, Setup, VERSION},
    proto::Config,
    transport::Framed,
};
use parking_lot::Mutex;
use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex,
    },
    join,
};

use super::{Service, number, numbers};
use crate::raw::framed;

/// A number below `n`, by a seed.
fn random(state: &mut u64, n: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % n
}

/// What is left of a connection.
struct Fate {
    /// So many bytes go through, both ways together.
    left: usize,
    /// Then nobody is told: bytes go nowhere, and none come.
    is_half_open: bool,
}

/// One end of a connection that breaks. What is on its way then is lost.
struct Breaking {
    end: DuplexStream,
    /// So many bytes are read whatever happens.
    safe: usize,
    fate: Arc<Mutex<Fate>>,
}

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let fate = Arc::clone(&self.fate);
        let mut fate = fate.lock();
        let left = fate.left.max(self.safe);
        if left == 0 {
            return match fate.is_half_open {
                true => Poll::Pending,
                false => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            };
        }
        let room = buffer.remaining().min(left);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let read = Pin::new(&mut self.end).poll_read(cx, &mut part);
        let n = part.filled().len();
        fate.left = fate.left.saturating_sub(n);
        self.safe = self.safe.saturating_sub(n);
        buffer.advance(n);
        read
    }
}

impl AsyncWrite for Breaking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let fate = Arc::clone(&self.fate);
        let mut fate = fate.lock();
        if fate.left == 0 {
            return Poll::Ready(match fate.is_half_open {
                true => Ok(bytes.len()),
                false => Err(io::ErrorKind::BrokenPipe.into()),
            });
        }
        let n = bytes.len().min(fate.left);
        let written = Pin::new(&mut self.end).poll_write(cx, &bytes[..n]);
        if let Poll::Ready(Ok(n)) = written {
            fate.left -= n;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_shutdown(cx)
    }
}

fn config() -> Config {
    Config {
        fragment: 1000,
        keep_alive: Duration::from_secs(1),
        max_lifetime: Duration::from_secs(3),
        resume: true,
        // So few that both sides wait for each other's positions all the time.
        resume_buffer: 6000,
        ..Config::default()
    }
}

/// A client whose connections break, and how many it has had.
async fn breaking(seed: u64, service: &Service) -> (Requester, Arc<Mutex<u64>>) {
    let server = Server::new(service.clone()).config(config());
    let n_connections = Arc::new(Mutex::new(0));
    let count = Arc::clone(&n_connections);
    let mut state = seed;
    let connect = move || {
        *count.lock() += 1;
        // The SETUP is read: what it asks for is not agreed on before.
        let safe = if *count.lock() == 1 { framed(&setup("1234567890123456")).len() } else { 0 };
        if random(&mut state, 8) == 0 && safe == 0 {
            return ready(Err(io::ErrorKind::ConnectionRefused.into()));
        }
        let left = safe + 1 + random(&mut state, 40_000) as usize;
        let fate = Fate { left, is_half_open: random(&mut state, 6) == 0 };
        let fate = Arc::new(Mutex::new(fate));
        let (ours, theirs) = duplex(1 + random(&mut state, 5000) as usize);
        let theirs = Breaking { end: theirs, safe, fate: Arc::clone(&fate) };
        let _detached = tokio::spawn(server.serve(Framed::new(theirs)));
        ready(Ok(Framed::new(Breaking { end: ours, safe: 0, fate })))
    };
    let requester = Client::new().config(config()).connect_resumable(connect).await.unwrap();
    (requester, n_connections)
}

async fn play(seed: u64) -> u64 {
    let service = Service::default();
    let (requester, n_connections) = breaking(seed, &service).await;
    let stream = requester.request_stream("5000").limit_rate(7).collect::<Vec<_>>();
    let fast = requester.request_stream("5000").collect::<Vec<_>>();
    let large = requester.request_stream("large").take(20).collect::<Vec<_>>();
    let items = range(0..300_u64).map(|n| Payload::from(vec![n as u8; 2500]));
    let channel = requester.request_channel(items).collect::<Vec<_>>();
    let calls = async {
        for n in 0..100_u64 {
            let item = Payload::from(vec![n as u8; 3000]);
            let echoed = requester.request_response(item.clone()).first().await.unwrap();
            assert!(echoed == Some(item), "response {n}");
            requester.fire_and_forget(number(n)).count().await.unwrap();
        }
        // What was sent before is heard before this is answered.
        requester.request_response("last").first().await.unwrap();
    };
    let (stream, fast, large, channel, ()) = join!(stream, fast, large, channel, calls);
    let all: Vec<u64> = (0..5000).collect();
    assert_eq!((numbers(&stream.unwrap()), numbers(&fast.unwrap())), (all.clone(), all));
    let firsts = |items: Vec<Payload>, len: usize| {
        assert!(items.iter().all(|item| item.data.iter().all(|byte| *byte == item.data[0])));
        assert!(items.iter().all(|item| item.len() == len));
        items.iter().map(|item| item.data[0]).collect::<Vec<_>>()
    };
    assert_eq!(firsts(large.unwrap(), 100_000), (0..20).collect::<Vec<u8>>());
    let expected = (0..300_u64).map(|n| n as u8).collect::<Vec<u8>>();
    assert_eq!(firsts(channel.unwrap(), 2500), expected);
    let heard = service.heard.lock().clone();
    assert_eq!(heard, (0..100).map(|n| Bytes::from(n.to_string())).collect::<Vec<_>>());
    *n_connections.lock()
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    let n_seeds = std::env::var("RSOCKET_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let first = std::env::var("RSOCKET_SEED").ok().and_then(|n| n.parse().ok());
    // Other seeds each time: a failure says which.
    let first = first.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let mut n_connections = 0;
    for seed in first..first + n_seeds {
        let played = std::panic::catch_unwind(|| paused().block_on(play(seed)));
        n_connections +=
            played.unwrap_or_else(|_| panic!("RSOCKET_SEED={seed} RSOCKET_SEEDS=1 shows it"));
    }
    assert!(n_connections > 50 * n_seeds, "{n_connections} connections for {n_seeds} seeds");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_given_up_when_nobody_comes_back() {
    let service = Service::default();
    let (requester, _) = breaking(1, &service).await;
    assert_eq!(requester.request_stream("3").count().await.unwrap(), 3);
    drop(requester);

    // A client that can connect only once.
    let server = Server::new(service).config(config());
    let (ours, theirs) = duplex(1000);
    let fate = Arc::new(Mutex::new(Fate { left: 2000, is_half_open: false }));
    let theirs = Breaking { end: theirs, safe: 200, fate: Arc::clone(&fate) };
    let serving = tokio::spawn(server.serve(Framed::new(theirs)));
    let mut transport = Some(Framed::new(Breaking { end: ours, safe: 0, fate }));
    let connect = move || ready(transport.take().ok_or(io::ErrorKind::ConnectionRefused.into()));
    let requester = Client::new().config(config()).connect_resumable(connect).await.unwrap();
    let started = tokio::time::Instant::now();
    let error = requester.request_stream("5000").count().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    let waited = started.elapsed().as_secs();
    assert!((60..63).contains(&waited), "{waited}");
    serving.await.unwrap();
}

/// Reads frames until the peer closes.
async fn frames(peer: &mut DuplexStream) -> Vec<Frame> {
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).await.unwrap();
    let mut frames = Vec::new();
    let mut rest = &bytes[..];
    while let [a, b, c, tail @ ..] = rest {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        frames.push(Frame::decode(Bytes::copy_from_slice(&tail[..len])).unwrap());
        rest = &tail[len..];
    }
    frames
}

fn setup(token: &'static str) -> Frame {
    let setup = Setup { resume_token: Some(token.into()), ..Setup::from(&config()) };
    Frame::new(0, Body::Setup(Box::new(setup)))
}

fn resume(token: &'static str, last_received: u64, first_available: u64) -> Frame {
    let token = Bytes::from(token);
    Frame::new(0, Body::Resume(Resume { version: VERSION, token, last_received, first_available }))
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_resumed_is_refused() {
    let server = Server::new(Service::default()).config(config()).max_connections(2);
    let open = |first: &Frame| {
        let (mut ours, theirs) = duplex(64 * 1024);
        let _detached = tokio::spawn(server.serve(Framed::new(theirs)));
        let bytes = framed(first);
        async move {
            ours.write_all(&bytes).await.unwrap();
            ours
        }
    };
    let refusal = |frames: Vec<Frame>| match &frames[..] {
        [.., Frame { stream: 0, body: Body::Error { code, .. } }] => *code,
        frames => panic!("{frames:?}"),
    };
    let _first = open(&setup("a")).await;
    super::settle().await;
    // A token of another, more sessions than there may be, and none.
    let mut again = open(&setup("a")).await;
    assert_eq!(refusal(frames(&mut again).await), ErrorCode::REJECTED_SETUP);
    let _second = open(&setup("b")).await;
    super::settle().await;
    let mut third = open(&setup("c")).await;
    assert_eq!(refusal(frames(&mut third).await), ErrorCode::REJECTED_SETUP);
    let mut unknown = open(&resume("d", 0, 0)).await;
    assert_eq!(refusal(frames(&mut unknown).await), ErrorCode::REJECTED_RESUME);
    // Positions that nobody was at end the session, on the new connection and the one before.
    for (token, last_received, first_available) in [("a", 1, 0), ("b", 0, 1)] {
        let mut lying = open(&resume(token, last_received, first_available)).await;
        assert_eq!(refusal(frames(&mut lying).await), ErrorCode::REJECTED_RESUME);
        let mut again = open(&resume(token, 0, 0)).await;
        assert_eq!(refusal(frames(&mut again).await), ErrorCode::REJECTED_RESUME);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_and_acknowledges_nothing_is_cut_off() {
    let server = Server::new(Service::default()).config(config());
    let (mut ours, theirs) = duplex(64 * 1024);
    let serving = tokio::spawn(server.serve(Framed::new(theirs)));
    ours.write_all(&framed(&setup("a"))).await.unwrap();
    let payload = Payload::from("forever");
    let body = Body::RequestStream { initial_n: 0x7FFF_FFFF, follows: false, payload };
    ours.write_all(&framed(&Frame::new(1, body))).await.unwrap();
    super::settle().await;
    // What comes is bounded: half of the bound is behind a question, which is answered wrongly.
    let mut bytes = vec![0; 64 * 1024];
    let n = ours.read(&mut bytes).await.unwrap();
    assert!((6000..12_000).contains(&n), "{n}");
    let (mut rest, mut asked) = (&bytes[..n], None);
    while let [a, b, c, tail @ ..] = rest {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let frame = Frame::decode(Bytes::copy_from_slice(&tail[..len])).unwrap();
        if let Body::KeepAlive { data, .. } = frame.body {
            asked = Some(data);
        }
        rest = &tail[len..];
    }
    let data = asked.expect("a question");
    let body = Body::KeepAlive { respond: false, position: 0, data };
    ours.write_all(&framed(&Frame::new(0, body))).await.unwrap();
    let last = frames(&mut ours).await;
    assert!(matches!(
        last[..],
        [.., Frame { stream: 0, body: Body::Error { code: ErrorCode::CONNECTION_ERROR, .. } }]
    ));
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_without_sessions_refuses_those_who_want_one() {
    let service = Service::default();
    let server = Server::new(service);
    let connect = move || {
        let (ours, theirs) = duplex(1000);
        let _detached = tokio::spawn(server.serve(Framed::new(theirs)));
        ready(Ok(Framed::new(ours)))
    };
    let requester = Client::new().connect_resumable(connect).await.unwrap();
    let error = requester.request_stream("3").count().await.unwrap_err();
    let inside = error.downcast_ref::<RSocketError>().unwrap();
    assert_eq!(inside.code, ErrorCode::REJECTED_SETUP);
}
