//! Hubs whose queue a worker empties.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use millstream::{
    ErrorKind,
    hub::{self, TrySendError},
    scheduler::{CurrentThread, Pool, VirtualTime},
};
use millstream_testkit::Probe;

use super::Counted;

#[test]
fn the_subscriber_is_signaled_on_the_worker_alone() {
    let name = || thread::current().name().map(str::to_owned);
    let pool = Pool::named("there", 1);
    let (mut producer, unicast) = hub::unicast(1);
    let (sender, merge) = hub::merge(1);
    let names = [
        unicast.signal_on(&pool).map(move |()| name()).boxed(),
        merge.signal_on(&pool).map(move |()| name()).boxed(),
    ]
    .map(|names| names.collect::<Vec<_>>());
    for _ in 0..3 {
        producer.send_blocking(()).unwrap();
        sender.send_blocking(()).unwrap();
    }
    producer.complete();
    sender.complete();

    for names in names {
        assert_eq!(names.wait().unwrap(), vec![Some("there-0".to_owned()); 3]);
    }
}

#[test]
fn items_wait_in_the_queue_of_the_hub_and_in_no_other() {
    let clock = VirtualTime::new();
    let (sender, flow) = hub::merge(2);
    let probe = Probe::subscribe_to(flow.signal_on(&clock));
    let send = |n| sender.try_send(n);
    clock.run();

    assert!(send(1).is_ok() && send(2).is_ok());
    assert_eq!(send(3), Err(TrySendError::Full(3)));
    probe.request(1);
    assert_eq!((probe.items(), send(3)), (vec![], Err(TrySendError::Full(3))));
    clock.run();

    assert_eq!(probe.items(), [1]);
    assert!(send(3).is_ok());
    probe.request(9);
    sender.complete();
    clock.run();
    assert_eq!(probe.items(), [1, 2, 3]);
    assert!(probe.is_completed());
}

#[test]
fn a_scheduler_that_was_shut_down_closes_the_hub() {
    let pool = Pool::new(1);
    pool.shutdown();
    let (mut producer, unicast) = hub::unicast(1);
    let (sender, merge) = hub::merge(1);

    for ended in [unicast.signal_on(&pool).count(), merge.signal_on(&pool).count()] {
        assert_eq!(ended.wait().unwrap_err().kind(), ErrorKind::Rejected);
    }

    assert_eq!(producer.try_send(1), Err(TrySendError::Closed(1)));
    assert_eq!(sender.try_send(1), Err(TrySendError::Closed(1)));
}

#[test]
fn a_cancel_drops_what_waits_and_closes_the_hub() {
    let here = CurrentThread::new();
    let n_dropped = Arc::new(AtomicUsize::new(0));
    let (sender, flow) = hub::merge(4);
    let probe = Probe::subscribe_to(flow.signal_on(&here).map(drop));
    here.run();
    (0..3).for_each(|_| sender.try_send(Counted(Arc::clone(&n_dropped))).unwrap());

    probe.cancel();

    assert!(sender.is_closed());
    assert_eq!(n_dropped.load(Ordering::Relaxed), 3);
}
