//! Over real sockets: the window is the demand, slow and broken peers, and those who go.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use millstream::{ErrorKind, Flow, range};
use millstream_http::{FlowBody, from_body};
use millstream_testkit::{Probe, Puppet};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const CHUNK: usize = 4_096;
/// The window of HTTP/2 before it is changed, in chunks.
const WINDOW: u64 = 65_535 / CHUNK as u64;

/// Serves each connection by HTTP/1 or, if it begins so, by HTTP/2.
async fn serve<F, Fut>(handle: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Response<FlowBody<Bytes>>, Infallible>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let handle = handle.clone();
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                builder.serve_connection(TokioIo::new(socket), service_fn(handle)).await.ok();
            });
        }
    });
    address
}

async fn by_http2(address: SocketAddr) -> h2::client::SendRequest<Bytes> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

/// Waits until a count has not changed for a while, and returns it.
async fn settled(count: impl Fn() -> u64) -> u64 {
    for _ in 0..100 {
        let before = count();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if count() == before && before > 0 {
            return before;
        }
    }
    panic!("{} and still counting", count());
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not come");
}

/// An endless flow of chunks, and how many were asked for.
fn endless() -> (impl Fn() -> u64, Flow<impl millstream::Publisher<Item = Bytes>>) {
    let n_made = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&n_made);
    let flow = range(0..u64::MAX).map(move |_| {
        *counter.lock().unwrap() += 1;
        Bytes::from_static(&[b'x'; CHUNK])
    });
    (move || *n_made.lock().unwrap(), flow)
}

#[tokio::test]
async fn a_client_that_stops_reading_asks_the_source_for_nothing() {
    let (n_made, flow) = endless();
    let flow = Arc::new(Mutex::new(Some(flow)));
    let address = serve(move |_| {
        let flow = flow.lock().unwrap().take().unwrap();
        async move { Ok(Response::new(FlowBody::new(flow))) }
    })
    .await;
    let mut sender = by_http2(address).await;
    let request = Request::get(format!("http://{address}/")).body(()).unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();

    // What fits into the window of the stream, and one chunk that is there when it opens.
    let first = settled(&n_made).await;
    assert!((WINDOW..=WINDOW + 2).contains(&first), "{first} chunks into a window of {WINDOW}");

    // The client reads, and lets the server send as much again.
    let mut n_read = 0;
    while n_read < 8 * CHUNK {
        let data = body.data().await.unwrap().unwrap();
        n_read += data.len();
    }
    assert_eq!(settled(&n_made).await, first, "reading alone opens no window");
    body.flow_control().release_capacity(8 * CHUNK).unwrap();
    until("more", || n_made() > first).await;
    let second = settled(&n_made).await;
    assert!(second <= first + 9, "{first} and then {second}");
}

#[tokio::test]
async fn what_a_client_sends_is_read_when_it_is_asked_for() {
    let (probes, mut bodies) = mpsc::channel(1);
    let address = serve(move |request: Request<Incoming>| {
        let probes = probes.clone();
        async move {
            let probe = Probe::subscribe_to(from_body(request.into_body()));
            probes.send(probe).await.unwrap();
            Ok(Response::new(FlowBody::new(millstream::never())))
        }
    })
    .await;
    let mut sender = by_http2(address).await;
    let request = Request::post(format!("http://{address}/")).body(()).unwrap();
    let (_response, mut stream) = sender.send_request(request, false).unwrap();
    let probe = bodies.recv().await.unwrap();

    // The client sends as much as it may.
    let n_sent = Arc::new(Mutex::new(0_u64));
    let counter = Arc::clone(&n_sent);
    tokio::spawn(async move {
        loop {
            stream.reserve_capacity(CHUNK);
            while stream.capacity() == 0 {
                let Some(Ok(_)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
            }
            let n = stream.capacity().min(CHUNK);
            stream.send_data(Bytes::from(vec![b'x'; n]), false).unwrap();
            *counter.lock().unwrap() += n as u64;
        }
    });
    let n_sent = || *n_sent.lock().unwrap();
    let first = settled(n_sent).await;
    assert_eq!(probe.n_items(), 0);
    // Until it is asked for, no window is opened: hyper's own is larger than the least.
    assert_eq!(settled(n_sent).await, first);
    let received = || probe.items().iter().map(|chunk| chunk.len() as u64).sum::<u64>();
    while received() < first / 2 + 1 {
        let n = probe.n_items();
        probe.request(1);
        until("a chunk", || probe.n_items() > n).await;
    }
    until("the window", || n_sent() > first).await;
    let (sent, got) = (settled(n_sent).await, received());
    assert!(sent <= first + got, "{sent} sent, {got} taken, {first} before");
    probe.cancel();
}

#[tokio::test]
async fn a_client_that_goes_cancels_the_source_of_its_response() {
    for by_reset in [true, false] {
        let (puppet, publisher) = Puppet::<Bytes>::new();
        let publisher = Arc::new(Mutex::new(Some(publisher)));
        let address = serve(move |_| {
            let publisher = publisher.lock().unwrap().take().unwrap();
            async move { Ok(Response::new(FlowBody::new(Flow::from(publisher)))) }
        })
        .await;
        if by_reset {
            let mut sender = by_http2(address).await;
            let request = Request::get(format!("http://{address}/")).body(()).unwrap();
            let (response, mut stream) = sender.send_request(request, true).unwrap();
            let _body = response.await.unwrap().into_body();
            puppet_has_asked(&puppet).await;
            stream.send_reset(h2::Reason::CANCEL);
            until("the cancel", || puppet.is_canceled()).await;
        } else {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            puppet_has_asked(&puppet).await;
            puppet.next(Bytes::from_static(b"chunk")).unwrap();
            let mut bytes = [0; 16];
            assert!(socket.read(&mut bytes).await.unwrap() > 0);
            drop(socket);
            until("the cancel", || puppet.is_canceled()).await;
        }
    }
}

async fn puppet_has_asked(puppet: &Puppet<Bytes>) {
    until("a request", || puppet.n_requests() > 0).await;
}

/// The probe of the body of what is sent by HTTP/1, and the connection.
async fn sent_by_http1(head: &[u8]) -> (Probe<Bytes>, TcpStream) {
    let (probes, mut bodies) = mpsc::channel(1);
    let address = serve(move |request: Request<Incoming>| {
        let probes = probes.clone();
        async move {
            let probe = Probe::subscribe_to(from_body(request.into_body()));
            probes.send(probe).await.unwrap();
            Ok(Response::new(FlowBody::new(millstream::never())))
        }
    })
    .await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(head).await.unwrap();
    (bodies.recv().await.unwrap(), socket)
}

#[tokio::test]
async fn a_body_that_is_cut_or_nonsense_fails() {
    let cases: [(&[u8], &[u8]); 2] = [
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n", b"five!"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"nonsense\r\n"),
    ];
    for (head, rest) in cases {
        let (probe, mut socket) = sent_by_http1(head).await;
        probe.request(9);
        socket.write_all(rest).await.unwrap();
        socket.shutdown().await.unwrap();
        until("the error", || probe.is_ended()).await;
        let failed = probe.error().unwrap();
        assert_eq!(failed.kind(), ErrorKind::Disconnected, "{failed}");
        assert!(failed.to_string().starts_with("reading a body: "), "{failed}");
    }
}

#[tokio::test]
async fn a_slow_client_is_waited_for_and_one_too_slow_is_not() {
    let head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n";
    let (probe, mut socket) = sent_by_http1(head).await;
    probe.request(9);
    for byte in [b"a", b"b", b"c", b"d"] {
        let n = probe.n_items();
        socket.write_all(byte).await.unwrap();
        until("the byte", || probe.n_items() > n).await;
    }
    until("the end", || probe.is_completed()).await;
    let read: Vec<u8> = probe.items().into_iter().flatten().collect();
    assert_eq!(read, b"abcd");

    let stuck = from_body(FlowBody::new(millstream::never::<Bytes>()));
    let late = stuck.timeout(&millstream::scheduler::ambient(), Duration::from_millis(20));
    assert_eq!(late.count().await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_response_whose_source_fails_is_seen_to_be_cut() {
    let address = serve(|_| async {
        let failing = millstream::just(Bytes::from_static(b"half"))
            .concat(millstream::error(millstream::Error::message("broken")));
        Ok(Response::new(FlowBody::new(failing)))
    })
    .await;
    let mut sender = by_http2(address).await;
    let request = Request::get(format!("http://{address}/")).body(()).unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    // A reset may overtake what was sent before.
    let failed = match response.await {
        Err(failed) => failed,
        Ok(response) => {
            let mut body = response.into_body();
            loop {
                match body.data().await {
                    Some(Ok(data)) => assert_eq!(data, "half"),
                    Some(Err(failed)) => break failed,
                    None => panic!("it looks whole"),
                }
            }
        }
    };
    assert!(failed.is_reset());

    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    socket.read_to_end(&mut text).await.ok();
    // Without the last chunk, which says that it is whole.
    assert!(!text.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&text));
}
