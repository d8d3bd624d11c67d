//! Deliveries under random consumers: nothing is lost, and what comes twice was not acknowledged.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use millstream::scheduler::{Pool, VirtualTime};
use millstream_pressure::{
    BrokerAck, BrokerConfig, DedupConfig, Delivery, FlowExt as _, MemoryBroker, MemoryDedup,
    Prefix, Unprocessed,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Publish,
    Request(u64),
    Ack(usize),
    Nack(usize, u64),
    Reject(usize),
    Drop(usize),
    Extend(usize),
    Advance(u64),
    /// Cancels the flow, and subscribes anew.
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Publish),
        3 => (1..4_u64).prop_map(Act::Request),
        3 => (0..9_usize).prop_map(Act::Ack),
        2 => (0..9_usize, 0..3_u64).prop_map(|(n, s)| Act::Nack(n, s)),
        1 => (0..9_usize).prop_map(Act::Reject),
        1 => (0..9_usize).prop_map(Act::Drop),
        1 => (0..9_usize).prop_map(Act::Extend),
        2 => (1..4_u64).prop_map(Act::Advance),
        1 => Just(Act::Restart),
    ]
}

type Held = Vec<Delivery<u64, BrokerAck<u64>>>;

proptest! {
    #[test]
    fn nothing_is_lost_and_only_what_was_not_acknowledged_comes_again(
        acts in prop::collection::vec(act(), 1..120),
    ) {
        let time = VirtualTime::new();
        let config = BrokerConfig { visibility: Duration::from_secs(3), max_attempts: 4 };
        let broker = MemoryBroker::new("model", config, &time).unwrap();
        let mut probe = Probe::subscribe_to(broker.flow());
        let mut held: Held = Vec::new();
        let (mut n_published, mut asked, mut came) = (0, 0_u64, 0_u64);
        let mut acked = HashSet::new();
        for act in acts {
            let acked_before = broker.snapshot().acked;
            match act {
                Act::Publish => {
                    broker.publish(n_published);
                    n_published += 1;
                }
                Act::Request(n) => {
                    asked += n;
                    probe.request(n);
                }
                Act::Ack(n) if n < held.len() => {
                    let delivery = held.swap_remove(n);
                    let payload = delivery.payload;
                    delivery.ack();
                    if broker.snapshot().acked > acked_before {
                        prop_assert!(acked.insert(payload), "{payload} was acknowledged twice");
                    }
                }
                Act::Nack(n, s) if n < held.len() => {
                    held.swap_remove(n).nack(Duration::from_secs(s));
                }
                Act::Reject(n) if n < held.len() => held.swap_remove(n).reject("bad"),
                Act::Drop(n) if n < held.len() => drop(held.swap_remove(n)),
                Act::Extend(n) if n < held.len() => held[n].extend(),
                Act::Advance(s) => time.advance(Duration::from_secs(s)),
                Act::Restart => {
                    probe.cancel();
                    probe = Probe::subscribe_to(broker.flow());
                    (asked, came) = (0, 0);
                }
                Act::Ack(_) | Act::Nack(..) | Act::Reject(_) | Act::Drop(_) | Act::Extend(_) => {}
            }
            for delivery in probe.take_items() {
                came += 1;
                prop_assert!(!acked.contains(&delivery.payload), "an acknowledged one came again");
                prop_assert!(delivery.envelope.attempt <= 4);
                held.push(delivery);
            }
            prop_assert!(came <= asked);
            let snapshot = broker.snapshot();
            prop_assert!(snapshot.is_whole(), "{:?}", snapshot);
            prop_assert!(snapshot.in_flight <= held.len());
        }
        // Whoever is left takes the rest.
        drop(held);
        probe.cancel();
        time.advance(Duration::from_secs(9));
        broker.close();
        let rest = broker.flow().map(|delivery| {
            let payload = delivery.payload;
            delivery.ack();
            payload
        });
        let rest = rest.collect::<Vec<_>>().wait().unwrap();
        let dead = broker.take_dead_letters().into_iter().map(|(_, letter)| letter.payload);
        let all: BTreeSet<u64> = acked.iter().copied().chain(rest).chain(dead).collect();
        prop_assert_eq!(all.len() as u64, n_published);
    }

    #[test]
    fn a_prefix_is_what_a_plain_set_says(
        steps in prop::collection::vec((1..4_u64, prop::option::of(0..20_usize)), 1..60),
    ) {
        let mut prefix = Prefix::new();
        let (mut offset, mut begun) = (0, Vec::new());
        let mut open: BTreeSet<u64> = BTreeSet::new();
        let mut committed = None;
        for (gap, finished) in steps {
            offset += gap;
            prop_assert!(prefix.begin(offset));
            begun.push(offset);
            open.insert(offset);
            let Some(finished) = finished.and_then(|n| begun.get(n).copied()) else { continue };
            let moved = prefix.finish(finished);
            open.remove(&finished);
            // All that began below the first that is open.
            let first = open.first().copied().unwrap_or(u64::MAX);
            let should = begun.iter().rev().find(|offset| **offset < first).map(|last| last + 1);
            prop_assert_eq!(moved.is_some(), should != committed);
            committed = should;
            prop_assert_eq!(prefix.committed(), committed);
        }
    }
}

#[test]
fn consumers_on_many_threads_lose_nothing_and_do_each_key_once() {
    const ITEMS: u64 = 400;
    let pool = Pool::new(2);
    let config = BrokerConfig { visibility: Duration::from_secs(600), max_attempts: u32::MAX };
    let broker = MemoryBroker::new("threads", config, &pool).unwrap();
    // Each twice, as a producer does that has not heard of its success.
    broker.publish_all((0..ITEMS).chain(0..ITEMS));
    broker.close();
    let lease = Duration::from_millis(1);
    let config = DedupConfig { lease, ..DedupConfig::default() };
    let store = MemoryDedup::new("threads", config, &VirtualTime::new()).unwrap();
    let effects = Arc::new(Mutex::new(HashMap::new()));
    thread::scope(|scope| {
        for thread in 0..4 {
            let (broker, store, effects) = (&broker, &store, Arc::clone(&effects));
            scope.spawn(move || {
                let flow = broker.flow().dedup(|delivery| delivery.payload, store);
                let done = flow.for_each_acked(3, move |n, envelope| {
                    // Some fail at first, in several ways.
                    let result = match (envelope.attempt, (n + thread) % 5) {
                        (1, 0) => Err(Unprocessed::retry(Duration::ZERO)),
                        (1 | 2, 1) => Err(Unprocessed::retry(Duration::from_millis(1))),
                        _ => {
                            *effects.lock().unwrap().entry(n).or_insert(0) += 1;
                            Ok(())
                        }
                    };
                    async move { result }
                });
                done.wait().unwrap();
            });
        }
    });
    let snapshot = broker.snapshot();
    assert!(snapshot.is_whole() && snapshot.acked == 2 * ITEMS, "{snapshot:?}");
    let effects = effects.lock().unwrap();
    assert_eq!(effects.len() as u64, ITEMS);
    assert!(effects.values().all(|n| *n == 1), "{effects:?}");
}
