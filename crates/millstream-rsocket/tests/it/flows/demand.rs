//! Demand of subscribers, on the wire and at publishers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use millstream::{Publisher, Subscriber, Subscription, range};
use millstream_rsocket::{Answers, Client, Payload, Responder, Server, transport::memory};
use millstream_testkit::Probe;

use super::{Service, in_process, number, numbers, service, settle};

#[tokio::test(start_paused = true)]
async fn no_more_comes_than_was_asked_for() {
    let (requester, _service) = service();
    let (probe, subscriber) = Probe::new();
    requester.request_stream("10").subscribe(subscriber);
    settle().await;
    assert_eq!(probe.items(), []);

    for n in [1, 2, 3] {
        probe.request(n);
        settle().await;
    }
    assert_eq!(numbers(&probe.items()), [0, 1, 2, 3, 4, 5]);
    assert!(!probe.is_completed());

    probe.request(u64::MAX);
    settle().await;
    assert_eq!(probe.items().len(), 10);
    assert!(probe.is_completed());
}

/// Counts what was requested of it, and sends nothing.
struct Counts(Arc<AtomicU64>);

struct Counting(Arc<AtomicU64>);

impl Subscription for Counting {
    fn request(&self, n: u64) {
        self.0.fetch_add(n, Ordering::SeqCst);
    }
    fn cancel(&self) {
        self.0.store(u64::MAX, Ordering::SeqCst);
    }
}

impl Responder for Counts {
    fn request_stream(&self, _: Payload) -> Answers {
        struct Silent(Arc<AtomicU64>);
        impl Publisher for Silent {
            type Item = Payload;
            fn subscribe<S: Subscriber<Payload>>(self, mut subscriber: S) {
                subscriber.on_subscribe(Arc::new(Counting(Arc::clone(&self.0))));
                // It stays, as if something was about to come.
                Box::leak(Box::new(subscriber));
            }
        }
        millstream::Flow::from(Silent(Arc::clone(&self.0))).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn the_publisher_is_asked_for_what_the_subscriber_asked_for() {
    let asked = Arc::new(AtomicU64::new(0));
    let requester = in_process(&Client::new(), &Server::new(Counts(Arc::clone(&asked))));
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("x").subscribe(subscriber);
    settle().await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    probe.request(2);
    settle().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    // Without bound, as far as there is room: not without bound.
    probe.request(u64::MAX);
    settle().await;
    assert!(asked.load(Ordering::SeqCst) <= 256);

    probe.cancel();
    settle().await;
    assert_eq!(asked.load(Ordering::SeqCst), u64::MAX);
}

#[tokio::test(start_paused = true)]
async fn a_request_for_nothing_is_an_error_of_the_subscriber() {
    let (requester, _service) = service();
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("10").subscribe(subscriber);
    probe.request(2);
    settle().await;
    probe.request(0);
    settle().await;

    assert_eq!(probe.error().unwrap().kind(), millstream::ErrorKind::IllegalRequest);
    assert_eq!(requester.request_stream("9").count().await.unwrap(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_nothing_within_on_subscribe_is_an_error_however_long_that_takes() {
    /// Stays in `on_subscribe` for a while, so that the connection is faster.
    struct Slow(tokio::sync::mpsc::UnboundedSender<Option<millstream::ErrorKind>>);
    impl Subscriber<Payload> for Slow {
        fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
            subscription.request(0);
            let (_keep, waits) = std::sync::mpsc::channel::<()>();
            waits.recv_timeout(std::time::Duration::from_millis(30)).unwrap_err();
        }
        fn on_next(&mut self, _: Payload) {}
        fn on_error(self, error: millstream::Error) {
            self.0.send(Some(error.kind())).ok();
        }
        fn on_complete(self) {
            self.0.send(None).ok();
        }
    }
    let (requester, _service) = service();
    let (sender, mut ended) = tokio::sync::mpsc::unbounded_channel();

    tokio::task::spawn_blocking(move || requester.request_stream("9").subscribe(Slow(sender)))
        .await
        .unwrap();

    assert_eq!(ended.recv().await, Some(Some(millstream::ErrorKind::IllegalRequest)));
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_channel_are_asked_for_by_the_responder() {
    /// Takes three items and no more.
    struct TakesThree(Arc<AtomicU64>);
    impl Responder for TakesThree {
        fn request_channel(
            &self,
            request: &Payload,
            inbound: millstream::Flow<millstream_rsocket::Inbound>,
        ) -> Answers {
            assert_eq!(*request, number(0));
            let taken = Arc::clone(&self.0);
            inbound
                .take(3)
                .inspect(move |_| {
                    taken.fetch_add(1, Ordering::SeqCst);
                })
                .boxed()
        }
    }
    let taken = Arc::new(AtomicU64::new(0));
    let requester = in_process(&Client::new(), &Server::new(TakesThree(Arc::clone(&taken))));
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let outbound = range(0..u64::MAX).map(number).inspect(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });

    let answers = requester.request_channel(outbound).collect::<Vec<_>>().await.unwrap();

    assert_eq!(numbers(&answers), [0, 1, 2]);
    assert_eq!(taken.load(Ordering::SeqCst), 3);
    settle().await;
    // What was not asked for by the responder was not sent, and is hardly made.
    assert!(sent.load(Ordering::SeqCst) <= 3 + 256, "{}", sent.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_makes_nobody_produce() {
    let made = Arc::new(AtomicU64::new(0));
    struct Makes(Arc<AtomicU64>);
    impl Responder for Makes {
        fn request_stream(&self, _: Payload) -> Answers {
            let made = Arc::clone(&self.0);
            range(0..u64::MAX)
                .map(move |_| {
                    made.fetch_add(1, Ordering::SeqCst);
                    Payload::from(vec![0; 1000])
                })
                .boxed()
        }
    }
    // A pipe that holds 64 KiB, and whose other end asks and never reads.
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = Server::new(Makes(Arc::clone(&made)));
    let serving = server.serve(millstream_rsocket::transport::Framed::new(theirs));
    let _detached = tokio::spawn(serving);
    let mut ours = ours;
    send(&mut ours, &crate::raw::opening()).await;
    send(&mut ours, &crate::raw::stream(1, u32::MAX >> 1)).await;
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;

    let n_made = made.load(Ordering::SeqCst);
    // The pipe, what the transport holds, what waits, and a window.
    assert!((100..600).contains(&n_made), "{n_made}");
}

async fn send(pipe: &mut tokio::io::DuplexStream, frame: &millstream_rsocket::frame::Frame) {
    use tokio::io::AsyncWriteExt;
    pipe.write_all(&crate::raw::framed(frame)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancel_arrives_wherever_the_stream_stands() {
    let asked = Arc::new(AtomicU64::new(0));
    let requester = in_process(&Client::new(), &Server::new(Counts(Arc::clone(&asked))));
    // Before anything was asked for: nothing is sent.
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("x").subscribe(subscriber);
    probe.cancel();
    settle().await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(probe.is_dropped());

    // At once after the request.
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("x").subscribe(subscriber);
    probe.request(5);
    probe.cancel();
    settle().await;
    assert!(probe.is_dropped());
}

#[tokio::test]
async fn an_end_of_a_pair_in_memory_that_is_dropped_ends_the_other() {
    let (ours, theirs) = memory::pair();
    let requester = Client::new().connect(ours);
    drop(theirs);
    let failure = requester.request_response("x").first().await.unwrap_err();
    assert_eq!(failure.kind(), millstream::ErrorKind::Disconnected);
    let _service = Service::default();
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_after_a_cancel_from_within_a_signal() {
    /// Asks without bound, and cancels at the first item.
    struct Cancels(Arc<AtomicU64>, Option<Arc<dyn Subscription>>);
    impl Subscriber<Payload> for Cancels {
        fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
            subscription.request(u64::MAX);
            self.1 = Some(subscription);
        }
        fn on_next(&mut self, _: Payload) {
            self.0.fetch_add(1, Ordering::SeqCst);
            if let Some(subscription) = &self.1 {
                subscription.cancel();
            }
        }
        fn on_error(self, _: millstream::Error) {}
        fn on_complete(self) {}
    }
    let (requester, _service) = service();
    let n_items = Arc::new(AtomicU64::new(0));

    requester.request_stream("1000").subscribe(Cancels(Arc::clone(&n_items), None));
    settle().await;

    assert_eq!(n_items.load(Ordering::SeqCst), 1);
}
