//! Hubs under the TCK: fed in advance, by a closure, or by a thread.

use std::{sync::Mutex, thread};

use millstream::{
    Flow, Processor,
    hub::{self, Broadcaster, Merge, Policy, Replay, Unheard, Unicast},
    range,
};
use reactive_streams_tck::{Capabilities, Driven, Numbering, publisher_tests};

use crate::pool;

/// More items than any check asks for.
const MANY: u64 = 100_000;

publisher_tests!(
    unicast_in_advance,
    |n| {
        let n = n.min(MANY);
        let (mut producer, flow) = hub::unicast(n.max(1) as usize);
        (0..n).for_each(|item| producer.try_send(item).unwrap());
        producer.complete();
        flow
    },
    Capabilities::new().max_length(MANY)
);
publisher_tests!(
    unicast_driven,
    |n| {
        let (producer, flow) = hub::unicast(3);
        let state = Mutex::new((0, Some(producer)));
        let drive = move || {
            let mut state = state.lock().unwrap();
            let (sent, producer) = &mut *state;
            while let Some(open) = producer {
                if *sent == n {
                    producer.take().unwrap().complete();
                    return;
                }
                match open.try_send(*sent) {
                    Ok(()) => *sent += 1,
                    Err(error) => {
                        if error.is_closed() {
                            *producer = None;
                        }
                        return;
                    }
                }
            }
        };
        drive();
        Driven(flow, drive)
    },
    Capabilities::new()
);
publisher_tests!(unicast, sent_by_one, Capabilities::new().asynchronous());
publisher_tests!(
    unicast_signal_on,
    |n| sent_by_one(n).signal_on(&pool()),
    Capabilities::new().asynchronous()
);
publisher_tests!(merge, sent_by_two, Capabilities::new().numbering(Numbering::Any).asynchronous());
publisher_tests!(
    merge_signal_on,
    |n| sent_by_two(n).signal_on(&pool()),
    Capabilities::new().numbering(Numbering::Any).asynchronous()
);
publisher_tests!(processor, |n| {
    let (subscriber, flow) = hub::processor(4).split();
    range(0..n).subscribe(subscriber);
    flow
});

/// `n` items, sent by a thread.
#[expect(clippy::disallowed_methods, reason = "a thread of the user's")]
fn sent_by_one(n: u64) -> Flow<Unicast<u64>> {
    let (mut producer, flow) = hub::unicast(3);
    thread::spawn(move || {
        if (0..n).all(|item| producer.send_blocking(item).is_ok()) {
            producer.complete();
        }
    });
    flow
}

/// `n` items, sent by two threads.
#[expect(clippy::disallowed_methods, reason = "threads of the user's")]
fn sent_by_two(n: u64) -> Flow<Merge<u64>> {
    let (sender, flow) = hub::merge(3);
    for mut items in [0..n / 2, n / 2..n] {
        let sender = sender.clone();
        thread::spawn(move || {
            if items.all(|item| sender.send_blocking(item).is_ok()) {
                sender.complete();
            }
        });
    }
    sender.complete();
    flow
}

/// Sends what there is a place for, until all `n` items are sent.
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
fn feed(n: u64, broadcaster: Broadcaster<u64>) -> impl Fn() + Send + 'static {
    let state = Mutex::new((0, Some(broadcaster)));
    move || {
        let mut state = state.lock().unwrap();
        let (n_sent, broadcaster) = &mut *state;
        while let Some(open) = broadcaster {
            if *n_sent == n {
                broadcaster.take().unwrap().complete();
            } else if let Err(error) = open.try_send(*n_sent) {
                if error.is_closed() {
                    *broadcaster = None;
                }
                return;
            } else {
                *n_sent += 1;
            }
        }
    }
}

publisher_tests!(multicast, |n| {
    let policy = Policy::SlowestGates { capacity: 3 };
    let (broadcaster, flow) = hub::multicast(policy, Unheard::Wait);
    Driven(flow, feed(n, broadcaster))
});
publisher_tests!(
    multicast_on_a_thread,
    |n| {
        let policy = Policy::SlowestGates { capacity: 3 };
        let (mut broadcaster, flow) = hub::multicast(policy, Unheard::Wait);
        #[expect(clippy::disallowed_methods, reason = "a thread of the user's")]
        thread::spawn(move || {
            for item in 0..n {
                if broadcaster.send_blocking(item).is_err() {
                    return;
                }
            }
            broadcaster.complete();
        });
        flow
    },
    Capabilities::new().asynchronous().max_length(MANY)
);
publisher_tests!(
    replay,
    |n| {
        let policy = Policy::SlowestGates { capacity: 3 };
        let (mut broadcaster, flow) = hub::replay(Replay::last(MANY as usize), policy);
        (0..n.min(MANY)).for_each(|item| assert!(broadcaster.try_send(item).is_ok()));
        broadcaster.complete();
        flow
    },
    Capabilities::new().max_length(MANY)
);
publisher_tests!(
    latest,
    |_| {
        let (broadcaster, flow) = hub::latest(1);
        broadcaster.complete();
        flow
    },
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    partition,
    |n| {
        let n = n.min(MANY);
        let (mut sender, mut flows) = hub::partition(2, n.max(1) as usize, |_: &u64| 1);
        (0..n).for_each(|item| sender.try_send(item).unwrap());
        sender.complete();
        flows.remove(1)
    },
    Capabilities::new().max_length(MANY)
);
publisher_tests!(multicast_processor, |n| {
    let (subscriber, flow) = hub::multicast_processor(4, None).split();
    range(0..n).subscribe(subscriber);
    flow
});
publisher_tests!(multicast_processor_with_replay, |n| {
    let (subscriber, flow) = hub::multicast_processor(4, Some(Replay::last(2))).split();
    range(0..n).subscribe(subscriber);
    flow
});
