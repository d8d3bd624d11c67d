//! Services of tower.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use futures::channel::oneshot;
use millstream::{Demand, Error, Flow, bridge::ServiceError, range};
use millstream_testkit::{Probe, Puppet};
use tower_service::Service;

use super::{runtime, settle};

/// A service that is ready as often as the test says, and responds when the test says so.
#[derive(Clone, Default)]
struct Desk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    n_ready: usize,
    /// Whether `poll_ready` has said that the next call may come.
    is_reserved: bool,
    calls: VecDeque<(u32, oneshot::Sender<u32>)>,
    n_called: usize,
    waker: Option<Waker>,
}

impl Desk {
    fn ready(&self, n: usize) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.n_ready += n;
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn n_called(&self) -> usize {
        self.0.lock().unwrap().n_called
    }

    fn is_reserved(&self) -> bool {
        self.0.lock().unwrap().is_reserved
    }

    fn respond(&self, at: usize) {
        let (item, response) = self.0.lock().unwrap().calls.remove(at).unwrap();
        response.send(item * 10).unwrap();
    }
}

impl Service<u32> for Desk {
    type Response = u32;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<u32, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let mut state = self.0.lock().unwrap();
        if !state.is_reserved && state.n_ready == 0 {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !state.is_reserved {
            state.n_ready -= 1;
            state.is_reserved = true;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, item: u32) -> Self::Future {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock().unwrap();
        assert!(std::mem::take(&mut state.is_reserved), "called without being ready");
        state.calls.push_back((item, sender));
        state.n_called += 1;
        Box::pin(async move { Ok(receiver.await?) })
    }
}

#[test]
fn a_service_is_called_when_it_is_ready_and_at_most_as_often_at_once_as_was_said() {
    runtime().block_on(async {
        let desk = Desk::default();
        let probe = Probe::subscribe_to(range(0..9_u32).call_service(desk.clone(), 2));
        probe.request(u64::MAX);
        settle().await;
        assert_eq!(desk.n_called(), 0);
        desk.ready(1);
        settle().await;
        assert_eq!(desk.n_called(), 1);
        desk.ready(8);
        settle().await;
        assert_eq!(desk.n_called(), 2, "two are in flight");

        desk.respond(1);
        settle().await;
        assert_eq!(
            (probe.n_items(), desk.n_called()),
            (0, 2),
            "a response waits for the one before"
        );
        desk.respond(0);
        settle().await;

        assert_eq!((probe.items().as_slice(), desk.n_called()), (&[0, 10][..], 4));
        for _ in 2..9 {
            desk.respond(0);
            settle().await;
        }
        assert!(probe.is_completed());
        assert_eq!(probe.items(), (0..9).map(|n| n * 10).collect::<Vec<_>>());
    });
}

/// Tower's reservation deadlock: whoever is ready and has nothing to call with keeps the others
/// out.
#[test]
fn a_flow_without_an_item_reserves_nothing() {
    runtime().block_on(async {
        let desk = Desk::default();
        let (idle, publisher) = Puppet::new();
        let waiting = Probe::subscribe_to(Flow::from(publisher).call_service(desk.clone(), 2));
        waiting.request(2);
        settle().await;
        assert_eq!(idle.demand(), Demand::new(1));
        desk.ready(1);
        settle().await;
        assert!(!desk.is_reserved());

        let busy = Probe::subscribe_to(range(1..2_u32).call_service(desk.clone(), 2));
        busy.request(1);
        settle().await;
        desk.respond(0);
        settle().await;

        assert_eq!(busy.items(), [10]);
    });
}

#[test]
fn a_call_that_fails_fails_the_flow_with_its_error() {
    runtime().block_on(async {
        let desk = Desk::default();
        let (puppet, publisher) = Puppet::new();
        let probe = Probe::subscribe_to(Flow::from(publisher).call_service(desk.clone(), 2));
        probe.request(2);
        desk.ready(2);
        settle().await;
        puppet.next(1).unwrap();
        settle().await;

        desk.0.lock().unwrap().calls.clear();
        settle().await;

        let error = probe.error().unwrap();
        let cause = error.downcast_ref::<ServiceError>().unwrap();
        assert!(cause.get_ref().is::<oneshot::Canceled>());
        assert!(puppet.is_canceled());
    });
}

/// Is never ready, and says why.
struct Closed;

impl Service<u32> for Closed {
    type Response = u32;
    type Error = Error;
    type Future = std::future::Ready<Result<u32, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Err(Error::message("closed")))
    }

    fn call(&mut self, _: u32) -> Self::Future {
        panic!("called without being ready")
    }
}

#[test]
fn a_service_that_is_closed_fails_the_flow() {
    let failed = range(0..3_u32).call_service(Closed, 1).count().wait().unwrap_err();

    assert_eq!(failed.to_string(), "closed");
}

#[test]
fn a_cancel_drops_the_calls_and_the_service() {
    runtime().block_on(async {
        let desk = Desk::default();
        let probe = Probe::subscribe_to(range(0..9_u32).call_service(desk.clone(), 2));
        desk.ready(9);
        probe.request(1);
        settle().await;

        probe.cancel();
        settle().await;

        let calls = std::mem::take(&mut desk.0.lock().unwrap().calls);
        assert_eq!(calls.len(), 2);
        assert!(calls.into_iter().all(|(_, response)| response.is_canceled()));
        assert_eq!(Arc::strong_count(&desk.0), 1);
    });
}
