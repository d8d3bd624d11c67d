//! Futures that come one after the other, by key, or as a source.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use millstream::{
    Demand, Error, ErrorKind, Flow, create, create_on, range,
    scheduler::{Immediate, Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

/// Pending as often as was said, with a wake-up each time.
async fn pending(mut n: u8) {
    poll_fn(|cx| {
        if n == 0 {
            return Poll::Ready(());
        }
        n -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_generator_is_called_when_something_is_asked_for_and_is_one_item_ahead() {
    let clock = VirtualTime::new();
    let n_sent = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&n_sent);
    let flow = create_on(&clock, move |mut out| async move {
        for n in 0..9_usize {
            out.send(n).await?;
            seen.store(n + 1, Ordering::Relaxed);
        }
        Ok::<_, Error>(())
    });
    let probe = Probe::subscribe_to(flow);
    clock.run();
    assert_eq!(n_sent.load(Ordering::Relaxed), 0);

    probe.request(2);
    clock.run();
    assert_eq!(probe.items(), [0, 1]);
    assert_eq!(n_sent.load(Ordering::Relaxed), 3, "one waits");
    probe.request(7);
    clock.run();

    assert_eq!(probe.n_items(), 9);
    assert!(probe.is_completed(), "no further request is needed");
}

#[test]
fn a_generator_ends_as_its_future_does() {
    let failing = create(|mut out| async move {
        out.send(1).await?;
        Err::<(), _>(Error::message("no"))
    });
    let silent = create(|_: millstream::Emitter<u8>| async {});
    let panicking = create(|mut out| async move {
        assert!(out.send(1).await.is_err(), "bang");
    });

    let probe = Probe::subscribe_to(failing);
    probe.request(9);
    probe.wait_until_ended();
    assert_eq!(probe.items(), [1]);
    assert!(probe.error().is_some());
    assert_eq!(silent.count().wait().unwrap(), 0);
    let kind = panicking.map(|n: u8| n).count().wait().unwrap_err().kind();
    assert_eq!(kind, ErrorKind::Panicked);
}

#[test]
fn a_generator_is_dropped_where_it_stands_with_a_cancel() {
    let clock = VirtualTime::new();
    let witness = Arc::new(());
    let held = Arc::clone(&witness);
    let flow = create_on(&clock, move |mut out| async move {
        let _held = held;
        while out.send(1).await.is_ok() {}
    });
    let probe = Probe::subscribe_to(flow);
    probe.request(3);
    clock.run();
    assert_eq!(Arc::strong_count(&witness), 2);

    probe.cancel();
    clock.run();

    assert_eq!(Arc::strong_count(&witness), 1);
    assert!(probe.is_dropped());
}

#[test]
fn an_emitter_may_go_to_a_thread_that_the_future_waits_for() {
    let pool = Pool::new(2);
    let other = pool.clone();
    let flow = create_on(&pool, move |out| {
        let mut producer = out.into_producer();
        range(0..1_000).publish_on(&other).for_each(move |n| {
            assert!(producer.send_blocking(n).is_ok());
        })
    });

    assert_eq!(
        flow.capacity(8).collect::<Vec<_>>().wait().unwrap(),
        (0..1_000).collect::<Vec<_>>()
    );
}

#[test]
fn a_state_goes_from_future_to_future() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let sums = Flow::from(publisher).scan_async_on(&clock, 0, |sum, n: u64| async move {
        pending(3).await;
        (sum + n, (sum, n))
    });
    let probe = Probe::subscribe_to(sums);
    assert_eq!(puppet.requested(), Demand::ZERO);
    probe.request(2);
    clock.run();
    puppet.next(5).unwrap();
    clock.run();
    assert_eq!(puppet.requested(), Demand::new(2), "one may wait");
    puppet.next(6).unwrap();
    clock.run();
    puppet.next(7).unwrap();
    clock.run();

    assert_eq!(probe.items(), [(0, 5), (5, 6)]);
    assert_eq!(puppet.requested(), Demand::new(3));
    puppet.complete();
    probe.request(1);
    clock.run();
    assert_eq!(probe.items(), [(0, 5), (5, 6), (11, 7)]);
    assert!(probe.is_completed());
}

#[test]
fn a_fold_by_futures_gives_its_value_or_why_not() {
    let all = range(1..=4).fold_async(1, |product, n| async move {
        pending(1).await;
        product * n
    });
    let none = millstream::empty::<u8>().fold_async(7, |_, _| async { 0 });
    let failed = millstream::error::<u8>(Error::message("no")).fold_async(7, |_, _| async { 0 });
    let panicked = range(0..3).fold_async(0, |_, _| async { panic!("bang") });

    assert_eq!(all.wait().unwrap(), 24);
    assert_eq!(none.wait().unwrap(), 7);
    assert!(failed.wait().is_err());
    assert_eq!(panicked.wait().unwrap_err().kind(), ErrorKind::Panicked);
}

/// Pekko's pull request 3365: a stage whose buffer was full of items that wait for a key in use did
/// not go on when that key was free, because nothing was pulled and nothing pushed.
#[test]
fn a_key_that_takes_all_places_goes_on_when_it_is_free() {
    let clock = VirtualTime::new();
    let flow = range(0..100_u64).map_async_partitioned_on(
        &clock,
        4,
        |n| n / 50,
        |n| async move {
            pending(2).await;
            n
        },
    );
    let probe = Probe::subscribe_to(flow);

    for _ in 0..100 {
        probe.request(1);
        clock.run();
    }

    assert_eq!(probe.items(), (0..100).collect::<Vec<_>>());
    assert!(probe.is_completed());
}

#[test]
fn items_of_other_keys_pass_one_that_waits() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let gates: Arc<Mutex<Vec<tokio::sync::oneshot::Sender<()>>>> = Arc::default();
    let held = Arc::clone(&gates);
    let flow = Flow::from(publisher).map_async_partitioned_on(
        &clock,
        8,
        |n| n % 2,
        move |n: u64| {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            if n == 0 {
                held.lock().unwrap().push(sender);
            } else {
                let _told = sender.send(());
            }
            async move {
                let _told = receiver.await;
                n
            }
        },
    );
    let probe = Probe::subscribe_to(flow);
    probe.request(9);
    clock.run();
    (0..5).for_each(|n| puppet.next(n).unwrap());
    clock.run();
    assert_eq!(probe.items(), [1, 3], "2 and 4 wait for 0");
    assert_eq!(puppet.requested(), Demand::new(8 + 2), "they hold their places");

    let _told = gates.lock().unwrap().remove(0).send(());
    clock.run();

    assert_eq!(probe.items(), [1, 3, 0, 2, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Order within each key, one future of a key at a time, and no more than the bound in all.
    #[test]
    fn each_key_is_in_order_and_all_are_within_the_bound(
        items in proptest::collection::vec((0_u8..4, 0_u8..4), 0..60),
        concurrency in 1_usize..6,
        requests in proptest::collection::vec(1_u64..5, 0..40),
    ) {
        let clock = VirtualTime::new();
        let running: Arc<Mutex<Vec<u8>>> = Arc::default();
        let most = Arc::new(AtomicUsize::new(0));
        let numbered: Vec<_> = items.iter().copied().enumerate().collect();
        let (seen, peak) = (Arc::clone(&running), Arc::clone(&most));
        let flow = millstream::from_iter(numbered.clone()).map_async_partitioned_on(
            &clock,
            concurrency,
            |(_, (key, _))| *key,
            move |(index, (key, n))| {
                let (seen, peak) = (Arc::clone(&seen), Arc::clone(&peak));
                async move {
                    {
                        let mut running = seen.lock().unwrap();
                        assert!(!running.contains(&key), "two at a time");
                        running.push(key);
                        peak.fetch_max(running.len(), Ordering::Relaxed);
                    }
                    pending(n).await;
                    seen.lock().unwrap().retain(|other| *other != key);
                    (index, key)
                }
            },
        );
        let probe = Probe::subscribe_to(flow);
        let mut due = 0;
        for n in requests {
            probe.request(n);
            due += n as usize;
            clock.run();
            prop_assert_eq!(probe.n_items(), due.min(items.len()));
        }
        probe.request(u64::MAX);
        clock.run();
        prop_assert!(probe.is_completed(), "{:?}", probe.error());
        prop_assert!(most.load(Ordering::Relaxed) <= concurrency);
        let outputs = probe.items();
        for key in 0..4 {
            let of = |pairs: Vec<(usize, u8)>| -> Vec<usize> {
                pairs.into_iter().filter(|(_, k)| *k == key).map(|(index, _)| index).collect()
            };
            let expected = numbered.iter().map(|(index, (k, _))| (*index, *k)).collect();
            prop_assert_eq!(of(outputs.clone()), of(expected));
        }
    }
}

#[test]
fn futures_that_are_ready_at_once_take_no_stack_for_each() {
    let same = range(0..100_000_u64).map_async_partitioned_on(
        &Immediate,
        1_000,
        |_| (),
        |n| async move { n },
    );

    assert_eq!(same.count().wait().unwrap(), 100_000);
}
