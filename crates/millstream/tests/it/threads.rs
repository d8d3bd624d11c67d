//! Schedulers, and what crosses them.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use futures::StreamExt;
use millstream::{
    ErrorKind, Order, from_fn, from_stream, range,
    scheduler::{CurrentThread, Immediate, Pool, Tokio, VirtualTime},
};
use millstream_testkit::Probe;

#[test]
fn items_cross_threads_in_order() {
    let pool = Pool::new(2);
    for capacity in [1, 2, 3, 256] {
        let items = range(0..10_000_u64)
            .subscribe_on(&pool)
            .publish_on(&pool)
            .capacity(capacity)
            .map(|n| n + 1)
            .publish_on(&pool)
            .capacity(capacity)
            .collect::<Vec<_>>();

        assert_eq!(items.wait().unwrap(), (1..=10_000).collect::<Vec<_>>());
    }
}

#[test]
fn publish_on_signals_on_the_scheduler_and_subscribe_on_works_on_it() {
    let pool = Pool::named("there", 1);
    let name = || thread::current().name().map(str::to_owned);
    let seen = from_fn(name).subscribe_on(&pool).first().wait().unwrap().flatten();
    assert_eq!(seen.as_deref(), Some("there-0"));

    let seen =
        range(0..1_u64).publish_on(&pool).capacity(1).map(move |_| name()).first().wait().unwrap();

    assert_eq!(seen.flatten().as_deref(), Some("there-0"));
}

#[test]
fn a_pool_that_was_shut_down_rejects() {
    let pool = Pool::new(1);
    pool.shutdown();

    let published = range(0..3_u64).publish_on(&pool).capacity(2).count().wait().unwrap_err();
    let subscribed = range(0..3_u64).subscribe_on(&pool).count().wait().unwrap_err();

    assert_eq!(published.kind(), ErrorKind::Rejected);
    assert_eq!(subscribed.kind(), ErrorKind::Rejected);
}

#[test]
fn the_immediate_scheduler_does_not_recurse() {
    let n = range(0..100_000_u64).publish_on(&Immediate).capacity(1).count().wait().unwrap();

    assert_eq!(n, 100_000);
}

#[test]
fn the_current_thread_runs_what_it_is_told_to() {
    let here = CurrentThread::new();
    let probe = Probe::subscribe_to(range(0..3_u64).publish_on(&here).capacity(1));
    probe.request(9);
    assert_eq!(probe.n_items(), 0);

    here.run();

    assert!(probe.is_completed());
    let sum = range(0..100_u64).publish_on(&here).capacity(7).fold(0, |sum, n| sum + n);
    assert_eq!(here.block_on(sum).unwrap(), 4_950);
}

#[test]
fn virtual_time_runs_when_it_is_moved() {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(range(0..3_u64).publish_on(&clock).capacity(2));
    probe.request(2);
    assert_eq!(probe.n_items(), 0);

    clock.advance(Duration::from_secs(1));

    assert_eq!(probe.items(), [0, 1]);
    assert_eq!(clock.now(), Duration::from_secs(1));
}

#[test]
fn futures_run_as_many_at_a_time_as_was_said_in_either_order() {
    for order in [Order::Source, Order::Completion] {
        for concurrency in [1, 3, 64] {
            let running = Arc::new(Mutex::new((0, 0)));
            let pool = Pool::new(1);
            let outputs = range(0..500_u64).map_async_on(&pool, concurrency, order, {
                let running = Arc::clone(&running);
                move |n| {
                    let running = Arc::clone(&running);
                    async move {
                        {
                            let mut running = running.lock().unwrap();
                            running.0 += 1;
                            running.1 = running.1.max(running.0);
                        }
                        let mut is_first = true;
                        std::future::poll_fn(|cx| {
                            if std::mem::take(&mut is_first) {
                                cx.waker().wake_by_ref();
                                return std::task::Poll::Pending;
                            }
                            std::task::Poll::Ready(())
                        })
                        .await;
                        running.lock().unwrap().0 -= 1;
                        n
                    }
                }
            });
            let mut outputs = outputs.collect::<Vec<_>>().wait().unwrap();

            if order == Order::Completion {
                outputs.sort_unstable();
            }
            assert_eq!(outputs, (0..500).collect::<Vec<_>>());
            let most = running.lock().unwrap().1;
            assert!(most <= concurrency, "{most} of {concurrency}");
        }
    }
}

#[test]
fn streams_go_in_and_out() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let items = runtime.block_on(async {
        let ticks = futures::stream::unfold(0_u64, |n| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            (n < 5).then_some((n, n + 1))
        });
        let stream = from_stream(ticks).map(|n| n * 2).into_stream(2);
        stream.map(Result::unwrap).collect::<Vec<_>>().await
    });

    assert_eq!(items, [0, 2, 4, 6, 8]);
}

#[test]
fn a_tokio_runtime_that_was_shut_down_rejects() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let scheduler = Tokio::new(runtime.handle().clone());
    let flow = range(0..3_u64).publish_on(&scheduler).capacity(2);
    drop(runtime);

    let failed = flow.count().wait().unwrap_err();

    assert_eq!(failed.kind(), ErrorKind::Rejected);
}

#[test]
fn requests_and_cancels_from_many_threads_leave_one_end() {
    for _ in 0..200 {
        let probe = Probe::subscribe_to(range(0..1_000_u64).limit_rate(16).concat(range(0..1_000)));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..50).for_each(|_| probe.request(7)));
            }
            scope.spawn(|| probe.cancel());
        });

        probe.wait_for("the drop", Probe::is_dropped);
        assert!(probe.n_items() <= 1_050);
    }
}

#[test]
fn a_request_that_a_stopped_worker_loses_is_an_error() {
    let pool = Pool::new(1);
    let probe = Probe::subscribe_to(range(0..9).subscribe_on(&pool));
    probe.request(1);
    probe.wait_for("an item", |probe| probe.n_items() == 1);
    pool.shutdown();

    probe.request(1);

    probe.wait_until_ended();
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Rejected);
    assert_eq!(probe.items(), [0]);
}

#[test]
fn a_cancel_from_inside_stops_what_is_sent_ahead() {
    let clock = VirtualTime::new();
    let (probe, subscriber) = Probe::new();
    probe.request_in_on_subscribe(9).cancel_at(1);

    range(0..9).subscribe_on(&clock).subscribe(subscriber);
    clock.run();

    assert_eq!(probe.items(), [0]);
    assert!(probe.is_dropped() && !probe.is_ended());
}

#[test]
fn a_request_for_nothing_from_inside_fails_what_is_sent_ahead() {
    let clock = VirtualTime::new();
    let (probe, subscriber) = Probe::new();
    probe.request_in_on_subscribe(9);
    let inside = probe.clone();
    let ask = move |_: &u64| inside.subscription().request(0);

    range(0..9).subscribe_on(&clock).inspect(ask).subscribe(subscriber);
    clock.run();

    assert_eq!(probe.items(), [0]);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::IllegalRequest));
}
