//! This crate.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use millstream::{Error, just, range};
use millstream_rsocket::{Answers, Client, Listener, Payload, Requester, Responder, Server};
use reactive_streams::{Subscriber, Subscription};
use tokio::sync::{mpsc, oneshot};

use crate::{Case, Peer, pace};

/// Answers with as many items of as many bytes as the request says.
struct Items;

impl Responder for Items {
    fn request_response(&self, request: Payload) -> Answers {
        just(request).boxed()
    }

    fn request_stream(&self, request: Payload) -> Answers {
        let text = String::from_utf8_lossy(&request.data).into_owned();
        let mut numbers = text.split(' ').filter_map(|number| number.parse().ok());
        let (size, n) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let item = Payload::from(Bytes::from(vec![7; size as usize]));
        range(0..n).map(move |_: u64| item.clone()).boxed()
    }
}

/// Asks for so many at a time, and counts.
struct Asking {
    demand: u64,
    left: u64,
    n: u64,
    subscription: Option<Arc<dyn Subscription>>,
    done: Option<oneshot::Sender<u64>>,
}

impl Subscriber<Payload> for Asking {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(self.demand);
        self.subscription = Some(subscription);
    }

    fn on_next(&mut self, _: Payload) {
        self.n += 1;
        self.left -= 1;
        if self.left == 0
            && let Some(subscription) = &self.subscription
        {
            self.left = self.demand;
            subscription.request(self.demand);
        }
    }

    fn on_error(self, error: Error) {
        panic!("{error}");
    }

    fn on_complete(mut self) {
        if let Some(done) = self.done.take() {
            done.send(self.n).ok();
        }
    }
}

/// Tells how long after it was due a response has come.
struct Responding {
    due: Instant,
    times: mpsc::UnboundedSender<Duration>,
}

impl Subscriber<Payload> for Responding {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(1);
    }

    fn on_next(&mut self, _: Payload) {
        self.times.send(self.due.elapsed()).ok();
    }

    fn on_error(self, error: Error) {
        panic!("{error}");
    }

    fn on_complete(self) {}
}

pub(crate) struct Ours {
    requester: Requester,
    _listener: Listener,
}

impl Ours {
    pub(crate) async fn start() -> Self {
        let listener = Server::new(Items).listen_tcp("127.0.0.1:0").await.expect("a port");
        let requester = Client::new().connect_tcp(listener.address()).await.expect("a server");
        Self { requester, _listener: listener }
    }
}

impl Peer for Ours {
    fn name(&self) -> &'static str {
        "millstream"
    }

    async fn stream(&mut self, case: Case) -> Duration {
        let (done, n) = oneshot::channel();
        let demand = if case.demand == 0 { u64::MAX } else { case.demand.into() };
        let asking = Asking { demand, left: demand, n: 0, subscription: None, done: Some(done) };
        let started = Instant::now();
        self.requester.request_stream(format!("{} {}", case.size, case.n_items)).subscribe(asking);
        assert_eq!(n.await, Ok(case.n_items));
        started.elapsed()
    }

    async fn respond(&mut self, n: u32, per_second: u32) -> Vec<Duration> {
        let (times, mut latencies) = mpsc::unbounded_channel();
        let (requester, item) = (self.requester.clone(), Payload::from(vec![7; 100]));
        pace(n, per_second, move |due| {
            let response = requester.request_response(item.clone());
            response.subscribe(Responding { due, times: times.clone() });
        });
        let mut all = Vec::new();
        while let Some(latency) = latencies.recv().await {
            all.push(latency);
        }
        assert_eq!(all.len(), n as usize);
        all
    }
}
