//! Flows of deliveries: each operator, and the broker.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use millstream::{
    Error, Flow, Order, Publisher, Subscriber, range,
    scheduler::{Scheduler as _, VirtualTime, shared},
};
use millstream_pressure::{
    Acknowledge, BrokerConfig, DedupConfig, Delivery, Fetch, FlowExt as _, MemoryBroker,
    MemoryDedup, Settlement, fetch_into,
};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

/// Nobody is told.
struct Untold;

impl Acknowledge for Untold {
    fn settle(self, _: Settlement) {}
}

fn delivered(n: u64) -> Flow<impl Publisher<Item = Delivery<u64, Untold>>> {
    range(0..n).map(|n| Delivery::new(n, Untold))
}

fn acked<T, A: Acknowledge>(delivery: Delivery<T, A>) -> T {
    let (payload, _, acknowledgement) = delivery.into_parts();
    acknowledgement.ack();
    payload
}

fn bury<A: Acknowledge>(letter: Delivery<millstream_pressure::DeadLetter<u64>, A>) {
    letter.ack();
}

fn store() -> MemoryDedup<u64> {
    MemoryDedup::new("tck", DedupConfig::default(), &VirtualTime::new()).expect("it is valid")
}

publisher_tests!(
    filter_acked,
    |n| {
        // Every second one is left out.
        let pairs = range(0..n).flat_map_iter(|n| [(n, false), (n, true)]);
        let kept = pairs.map(|pair| Delivery::new(pair, Untold)).filter_acked(|pair| pair.1);
        kept.map(|delivery| acked(delivery).0)
    },
    Capabilities::new()
);
publisher_tests!(
    map_async_acked,
    |n| delivered(n).map_async_acked(3, |n, _| async move { Ok(n) }).map(acked),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_acked_on,
    |n| delivered(n)
        .map_async_acked_on(shared(), 3, Order::Completion, |n, _| async move { Ok(n) })
        .map(acked),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    batch_acked,
    |n| delivered(n).batch_acked(&VirtualTime::new(), 1, Duration::from_secs(1)).map(acked),
    Capabilities::new()
);
publisher_tests!(
    dead_letter,
    |n| delivered(n).dead_letter_after(3, bury).map(acked),
    Capabilities::new()
);
publisher_tests!(
    dedup,
    |n| delivered(n).dedup(|delivery| delivery.payload, &store()).map(acked),
    Capabilities::new()
);
publisher_tests!(
    a_broker,
    |n| {
        let broker = MemoryBroker::new("tck", BrokerConfig::default(), &VirtualTime::new())
            .expect("it is valid");
        broker.publish_all(0..n);
        broker.close();
        broker.flow().map(acked)
    },
    Capabilities::new().max_length(10_000)
);

/// Counts, and checks that what it may fetch is never nothing.
struct Count(u64);

impl Fetch for Count {
    type Item = u64;

    fn poll_next(&mut self, _: &mut Context<'_>, wanted: u64) -> Poll<Result<u64, Error>> {
        assert!(wanted > 0);
        self.0 += 1;
        Poll::Ready(Ok(self.0 - 1))
    }
}

struct Counted;

impl Publisher for Counted {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, downstream: S) {
        fetch_into(downstream, shared().worker(), |_| Count(0));
    }
}

publisher_tests!(fetch_into, |n| Flow::from(Counted).take(n), Capabilities::new().asynchronous());

#[test]
fn filter_acked_keeps_the_rules_of_subscribers() {
    judge_relay("filter_acked", |flow, _| {
        flow.map(|n| Delivery::new(n, Untold)).filter_acked(|_| true).map(acked).boxed()
    });
}

#[test]
fn map_async_acked_keeps_the_rules_of_subscribers() {
    judge_relay("map_async_acked", |flow, clock| {
        flow.map(|n| Delivery::new(n, Untold))
            .map_async_acked_on(clock, 3, Order::Source, |n, _| async move { Ok(n) })
            .map(acked)
            .boxed()
    });
}

#[test]
fn batch_acked_keeps_the_rules_of_subscribers() {
    judge_relay("batch_acked", |flow, clock| {
        flow.map(|n| Delivery::new(n, Untold))
            .batch_acked(clock, 1, Duration::from_secs(1))
            .map(|batch| acked(batch)[0])
            .boxed()
    });
}

#[test]
fn dead_letter_keeps_the_rules_of_subscribers() {
    judge_relay("dead_letter", |flow, _| {
        flow.map(|n| Delivery::new(n, Untold)).dead_letter(bury).map(acked).boxed()
    });
}

#[test]
fn dedup_keeps_the_rules_of_subscribers() {
    judge_relay("dedup", |flow, _| {
        let mut n_keys = 0_u64;
        let unique = move |_: &Delivery<u64, Untold>| {
            n_keys += 1;
            n_keys
        };
        flow.map(|n| Delivery::new(n, Untold)).dedup(unique, &store()).map(acked).boxed()
    });
}
