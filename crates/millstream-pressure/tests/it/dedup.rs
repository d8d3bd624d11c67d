//! Keys that are worked on once: states, leases, room, and what happens to duplicates.

use std::{collections::HashMap, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Begun, BrokerConfig, DedupConfig, DedupStore as _, Delivery, FlowExt as _, MemoryBroker,
    MemoryDedup, Policy as _, Queue, QueueConfig, WhenFull,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn config(capacity: usize) -> DedupConfig {
    DedupConfig { capacity, remember: 10 * SECOND, lease: 2 * SECOND }
}

fn store(capacity: usize, time: &VirtualTime) -> MemoryDedup<u64> {
    MemoryDedup::new("test", config(capacity), time).unwrap()
}

fn lease_of(begun: Begun) -> u64 {
    match begun {
        Begun::New { lease } => lease,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_absent_in_progress_done_and_absent_again() {
    let time = VirtualTime::new();
    let store = store(9, &time);
    let lease = lease_of(store.begin(&1));
    assert_eq!(store.begin(&1), Begun::InProgress { left: 2 * SECOND });
    store.complete(&1, lease);
    assert_eq!(store.begin(&1), Begun::Done);
    time.advance(10 * SECOND);
    lease_of(store.begin(&1));
    let snapshot = store.snapshot();
    assert_eq!((snapshot.begun, snapshot.duplicates, snapshot.waits), (2, 1, 1));
}

#[test]
fn a_lease_that_ended_changes_nothing_of_the_next() {
    let time = VirtualTime::new();
    let store = store(9, &time);
    let first = lease_of(store.begin(&1));
    time.advance(SECOND);
    store.extend(&1, first);
    time.advance(SECOND + SECOND / 2);
    assert!(matches!(store.begin(&1), Begun::InProgress { .. }));
    time.advance(SECOND / 2);
    let second = lease_of(store.begin(&1));
    store.release(&1, first);
    store.extend(&1, first);
    assert_eq!(store.begin(&1), Begun::InProgress { left: 2 * SECOND });
    store.release(&1, second);
    let third = lease_of(store.begin(&1));
    // Work that is done is done, whoever did it.
    store.complete(&1, first);
    assert_eq!(store.begin(&1), Begun::Done);
    store.release(&1, third);
    assert_eq!(store.begin(&1), Begun::Done);
    assert_eq!(store.snapshot().expired, 1);
}

#[test]
fn its_room_is_limited_and_work_in_progress_is_never_forgotten() {
    let time = VirtualTime::new();
    let store = store(2, &time);
    let first = lease_of(store.begin(&1));
    let second = lease_of(store.begin(&2));
    assert_eq!(store.begin(&3), Begun::Full { retry_after: 2 * SECOND });
    store.complete(&1, first);
    lease_of(store.begin(&3));
    assert_eq!(store.begin(&1), Begun::Full { retry_after: 2 * SECOND });
    // The lease of both ends; one comes late, and finds no room.
    time.advance(2 * SECOND);
    lease_of(store.begin(&4));
    lease_of(store.begin(&5));
    store.complete(&2, second);
    let snapshot = store.snapshot();
    assert_eq!((snapshot.keys, snapshot.in_progress, snapshot.evicted), (2, 2, 2));
    assert_eq!((snapshot.refused, snapshot.expired), (2, 2));
}

#[test]
fn settings_are_checked() {
    let time = VirtualTime::new();
    let zero = DedupConfig { capacity: 0, ..DedupConfig::default() };
    assert_eq!(MemoryDedup::<u64>::new("test", zero, &time).unwrap_err().setting(), "capacity");
    let never = DedupConfig { lease: Duration::ZERO, ..DedupConfig::default() };
    assert_eq!(store(1, &time).reconfigure(never).unwrap_err().setting(), "lease");
    let short = BrokerConfig { visibility: Duration::ZERO, ..BrokerConfig::default() };
    assert!(MemoryBroker::<u64>::new("test", short, &time).is_err());
}

#[test]
fn a_duplicate_in_progress_comes_again_when_the_lease_is_over() {
    let time = VirtualTime::new();
    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    broker.publish_all([7, 7]);
    let store = store(9, &time);
    let flow = broker.flow().dedup(|delivery| delivery.payload, &store);
    let probe = Probe::subscribe_to(flow);
    probe.request(9);
    let first = probe.take_items().pop().unwrap();
    assert_eq!((broker.snapshot().delayed, store.snapshot().waits), (1, 1));
    first.extend();
    first.ack();
    time.advance(2 * SECOND);
    assert_eq!(probe.n_items(), 1);
    let snapshot = broker.snapshot();
    assert!(snapshot.is_whole() && snapshot.acked == 2, "{snapshot:?}");
}

#[test]
fn a_key_that_is_nacked_or_rejected_may_begin_again() {
    let time = VirtualTime::new();
    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    broker.publish_all([1, 2]);
    let store = store(9, &time);
    let flow = broker.flow().dedup(|delivery| delivery.payload, &store);
    let probe = Probe::subscribe_to(flow);
    probe.request(2);
    let mut items = probe.take_items();
    items.pop().unwrap().reject("bad");
    drop(items);
    probe.request(1);
    assert_eq!(probe.n_items(), 3);
    broker.publish(2);
    probe.request(1);
    assert_eq!((probe.n_items(), store.snapshot().duplicates), (4, 0));
}

#[test]
fn a_rejection_that_no_dead_letters_take_is_delivered_and_rejected_again() {
    let time = VirtualTime::new();
    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    broker.publish_all([1, 2]);
    let store = store(9, &time);
    let one = QueueConfig { capacity: 1, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let letters = Queue::new("dead", one, &time).unwrap();
    let flow = broker.flow().dead_letter(letters.clone());
    let flow =
        flow.dedup(|delivery| delivery.payload, &store).map(|delivery| delivery.reject("bad"));
    let probe = Probe::subscribe_to(flow);
    probe.request(2);
    // There is room for the letter of the first; that of the second is refused.
    let stored = Probe::subscribe_to(letters.flow());
    stored.request(2);
    stored.take_items().into_iter().for_each(Delivery::ack);
    assert_eq!(broker.snapshot().acked, 1);
    // Sooner than the store forgets.
    time.advance(5 * SECOND);
    probe.request(1);
    let again = stored.take_items().pop().expect("the letter of the second");
    assert_eq!((again.payload.payload, again.payload.reason.as_str()), (2, "bad"));
    again.ack();
    let snapshot = broker.snapshot();
    assert!(snapshot.is_whole() && snapshot.acked == 2, "{snapshot:?}");
    assert_eq!(probe.n_items(), 3);
}

#[derive(Clone, Debug)]
enum Act {
    Begin(u64),
    Complete(usize),
    Release(usize),
    Advance(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..6_u64).prop_map(Act::Begin),
        2 => (0..8_usize).prop_map(Act::Complete),
        2 => (0..8_usize).prop_map(Act::Release),
        1 => (1..5_u64).prop_map(Act::Advance),
    ]
}

proptest! {
    #[test]
    fn it_does_what_a_plain_map_with_times_does(acts in prop::collection::vec(act(), 1..80)) {
        let time = VirtualTime::new();
        let store = store(100, &time);
        // Of each key: whether it is done, until when, and the lease.
        let mut model: HashMap<u64, (bool, Duration, u64)> = HashMap::new();
        let mut leases: Vec<(u64, u64)> = Vec::new();
        let mut now = Duration::ZERO;
        for act in acts {
            model.retain(|_, (_, until, _)| *until > now);
            match act {
                Act::Begin(key) => {
                    let begun = store.begin(&key);
                    match model.get(&key) {
                        None => {
                            let lease = lease_of(begun);
                            model.insert(key, (false, now + 2 * SECOND, lease));
                            leases.push((key, lease));
                        }
                        Some((true, ..)) => prop_assert_eq!(begun, Begun::Done),
                        Some((false, until, _)) => {
                            prop_assert_eq!(begun, Begun::InProgress { left: *until - now });
                        }
                    }
                }
                Act::Complete(n) => {
                    let Some((key, lease)) = leases.get(n).copied() else { continue };
                    store.complete(&key, lease);
                    model.insert(key, (true, now + 10 * SECOND, 0));
                }
                Act::Release(n) => {
                    let Some((key, lease)) = leases.get(n).copied() else { continue };
                    store.release(&key, lease);
                    if model.get(&key).is_some_and(|known| !known.0 && known.2 == lease) {
                        model.remove(&key);
                    }
                }
                Act::Advance(s) => {
                    time.advance(Duration::from_secs(s));
                    now += Duration::from_secs(s);
                }
            }
            model.retain(|_, (_, until, _)| *until > now);
            prop_assert!(store.snapshot().keys >= model.len());
        }
    }
}
