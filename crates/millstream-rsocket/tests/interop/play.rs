//! What is played on both sides: the same as the peers play.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use millstream::{Error, Flow, empty, error, just, range};
use millstream_rsocket::{Answers, Done, Inbound, Payload, RSocketError, Requester, Responder};
use millstream_testkit::Probe;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

#[derive(Clone, Default)]
pub(crate) struct Service {
    heard: Arc<Mutex<Bytes>>,
}

fn number(n: u64) -> Payload {
    Payload::from(n.to_string())
}

fn numbers(n: u64) -> Vec<Payload> {
    (0..n).map(number).collect()
}

impl Responder for Service {
    fn fire_and_forget(&self, request: Payload) -> Done {
        *self.heard.lock() = request.data;
        empty().boxed()
    }

    fn request_response(&self, request: Payload) -> Answers {
        match &request.data[..] {
            b"fail" => error(Error::message("as asked")).boxed(),
            b"heard" => just(Payload::from(self.heard.lock().clone())).boxed(),
            _ => just(request).boxed(),
        }
    }

    fn request_stream(&self, request: Payload) -> Answers {
        match std::str::from_utf8(&request.data).unwrap().parse() {
            Ok(n) => range(0..n).map(number).boxed(),
            Err(_) => error(Error::message("as asked")).boxed(),
        }
    }

    fn request_channel(&self, _: &Payload, inbound: Flow<Inbound>) -> Answers {
        inbound.boxed()
    }
}

/// Waits until it holds, and not for ever.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(20), wait).await.expect("in time");
}

/// Collects a flow by requests for `n` each.
async fn collect_by(
    n: u64,
    flow: Flow<impl millstream::Publisher<Item = Payload>>,
) -> Vec<Payload> {
    let (probe, subscriber) = Probe::new();
    flow.subscribe(subscriber);
    let mut asked = 0_u64;
    loop {
        probe.request(n);
        asked = asked.saturating_add(n);
        until(|| probe.items().len() as u64 == asked || probe.is_ended()).await;
        assert!(probe.items().len() as u64 <= asked);
        if n == 1 {
            // More would come now, if more came than was asked for.
            sleep(Duration::from_millis(1)).await;
            assert!(probe.items().len() as u64 <= asked);
        }
        if probe.is_ended() {
            assert!(probe.error().is_none(), "{:?}", probe.error());
            return probe.items();
        }
    }
}

/// Plays all interactions with a peer that answers as [`Service`] does.
pub(crate) async fn play(requester: &Requester) {
    let large: Vec<u8> = (0..100_000_usize).map(|n| (n % 251) as u8).collect();
    let payload = Payload::from(large).with_metadata("beside".repeat(500));
    let echoed = requester.request_response(payload.clone()).first().await.unwrap();
    assert!(echoed == Some(payload), "fragments");

    requester.fire_and_forget("fire").count().await.unwrap();
    let heard = requester.request_response("heard").first().await.unwrap();
    assert_eq!(heard, Some(Payload::from("fire")));
    let failure = requester.request_response("fail").first().await.unwrap_err();
    assert!(failure.downcast_ref::<RSocketError>().unwrap().message().contains("as asked"));

    for n in [1, 7, u64::MAX] {
        let got = collect_by(n, requester.request_stream("100")).await;
        assert_eq!(got, numbers(100), "stream by {n}");
    }
    let cut = requester.request_stream("1000000").take(3).collect::<Vec<_>>().await.unwrap();
    assert_eq!(cut, numbers(3));
    assert!(requester.request_stream("fail").count().await.is_err());

    for n in [1, u64::MAX] {
        let channel = requester.request_channel(range(0..50).map(number));
        assert_eq!(collect_by(n, channel).await, numbers(50), "channel by {n}");
    }
    // The connection has lived through all of this.
    let last = requester.request_response("still").first().await.unwrap();
    assert_eq!(last, Some(Payload::from("still")));
}
