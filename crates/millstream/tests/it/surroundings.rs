//! What surrounds a flow: the runtime that it was put together in, for as long as that is there.

use std::{
    future::pending,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
    time::Duration,
};

use millstream::{
    Backoff, BoxPublisher, Error, ErrorKind, Flow, KillSwitch, Order, Outcome, concat_eager, defer,
    error, from_future, from_future_on, from_stream_on, just, never, range,
    scheduler::{Pool, Tokio, VirtualTime},
};
use millstream_testkit::Probe;

const MOMENT: Duration = Duration::from_millis(1);

/// A flow that needs the runtime which it was written for, wherever it is made.
fn inner(n: u64) -> Flow<BoxPublisher<u64>> {
    let slept = async move {
        tokio::time::sleep(MOMENT).await;
        Ok::<_, Error>(n)
    };
    from_future(slept).flatten_results().boxed()
}

#[test]
fn flows_that_are_made_on_a_pool_run_on_the_runtime_around_their_subscription() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    type Flatten = fn(Flow<BoxPublisher<u64>>) -> Flow<BoxPublisher<u64>>;
    let flattened: [(&str, Flatten); 7] = [
        ("flat_map", |flow| flow.flat_map(inner).concurrency(4).prefetch(1).boxed()),
        ("flat_map_sequential", |flow| {
            flow.flat_map_sequential(inner).concurrency(4).prefetch(1).boxed()
        }),
        ("concat_map", |flow| flow.concat_map(inner).boxed()),
        ("switch_map", |flow| {
            // Each flow ends before the next item comes.
            flow.concat_map(|n| just(n).switch_map(inner)).boxed()
        }),
        ("on_error_resume", |flow| {
            let failing = flow.concat(error(Error::message("over")));
            failing.on_error_resume(|_| inner(9)).skip(1).boxed()
        }),
        ("retry_backoff", |flow| {
            flow.flat_map(|n| {
                defer(move || inner(n)).retry_backoff(Backoff::new()).on_error_return(|_| 0)
            })
            .concurrency(16)
            .prefetch(1)
            .boxed()
        }),
        ("timeout_with", |flow| {
            // The items need not come in time.
            let late = never().timeout_with(&Pool::new(1), MOMENT, defer(|| inner(9)));
            flow.take(3).concat(late).boxed()
        }),
    ];
    for (name, flatten) in flattened {
        let items = runtime.block_on(async {
            let pool = Pool::new(1);
            let source = range(1..5_u64).subscribe_on(&pool).boxed();
            flatten(source).collect::<Vec<_>>().await
        });
        let mut items = items.unwrap_or_else(|error| panic!("{name}: {error}"));
        items.sort_unstable();
        assert!(items.len() == 4 && !items.contains(&0), "{name}: {items:?}");
    }
}

/// The thread that has an item need not be one of a worker's.
#[test]
fn flows_that_are_made_by_a_sender_s_thread_run_on_the_runtime_around_their_subscription() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let items = runtime.block_on(async {
        let (mut producer, flow) = millstream::hub::unicast(4);
        let outcome = flow.flat_map(inner).concurrency(4).prefetch(1).collect::<Vec<_>>();
        #[expect(clippy::disallowed_methods, reason = "a thread that no runtime surrounds")]
        let sender = std::thread::spawn(move || {
            producer.try_send(7_u64).unwrap();
            producer.complete();
        });
        sender.join().unwrap();
        outcome.await
    });

    assert_eq!(items.unwrap(), [7]);
}

#[test]
fn a_panic_passes_what_makes_up_for_failures() {
    fn bang() -> Flow<impl Clone + millstream::Publisher<Item = u64> + Send + 'static> {
        just(1_u64).map(|_| -> u64 { panic!("bang") })
    }
    let all: [(&str, Outcome<u64>); 8] = [
        ("retry", bang().retry(2).count()),
        ("retry_when", bang().retry_when(|_, _| Some(Duration::ZERO)).take(3).count()),
        ("retry_backoff", bang().retry_backoff(Backoff::new()).count()),
        ("on_error_return", bang().on_error_return(|_| 0).count()),
        ("on_error_resume", bang().on_error_resume(|_| just(0)).count()),
        ("on_error_complete", bang().on_error_complete().count()),
        ("on_error_complete_if", bang().on_error_complete_if(|_| true).count()),
        ("concat_eager", concat_eager([bang()]).on_error_return(|_| 0).count()),
    ];
    for (name, outcome) in all {
        let kind = outcome.wait().map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Panicked), "{name}");
    }
    let told = bang().map_err(|error| Error::message(error.to_string())).on_error_return(|_| 5);
    assert_eq!(told.collect::<Vec<_>>().wait().unwrap(), [5]);
}

#[test]
fn what_waits_on_a_runtime_that_is_gone_is_rejected() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let tokio = Tokio::new(runtime.handle().clone());
    let both = [Order::Source, Order::Completion];
    let waiting: Vec<Outcome<u64>> = vec![
        from_future_on(&tokio, pending::<u64>()).count(),
        from_stream_on(&tokio, futures::stream::pending::<u64>()).count(),
        range(0..3_u64).map_async_on(&tokio, 2, both[0], |_| pending::<u64>()).count(),
        range(0..3_u64).map_async_on(&tokio, 2, both[1], |_| pending::<u64>()).count(),
        never::<u64>().publish_on(&tokio).capacity(2).count(),
        just(1_u64)
            .flat_map(move |_| from_future_on(&tokio, pending::<u64>()))
            .concurrency(2)
            .prefetch(2)
            .count(),
    ];

    drop(runtime);

    for (index, outcome) in waiting.into_iter().enumerate() {
        let kind = outcome.wait().map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Rejected), "number {index}");
    }
}

#[test]
fn a_cancel_before_the_worker_ran_releases_the_source_at_once() {
    let clock = VirtualTime::new();
    let held = Arc::new(());
    let source = just(Arc::clone(&held));
    let probe = Probe::subscribe_to(source.subscribe_on(&clock));
    assert_eq!(Arc::strong_count(&held), 2);

    probe.cancel();

    assert_eq!(Arc::strong_count(&held), 1);
    clock.run();
    assert!(probe.n_items() == 0 && probe.is_dropped());
}

#[test]
#[should_panic(expected = "polled after it was ready")]
fn an_outcome_that_is_polled_after_it_was_ready_says_so() {
    let mut outcome = just(1).count();
    let mut poll = || {
        let waker = std::task::Waker::noop();
        std::pin::Pin::new(&mut outcome).poll(&mut std::task::Context::from_waker(waker))
    };
    assert!(poll().is_ready());

    let _panics = poll();
}

#[test]
fn a_shutdown_does_not_wait_for_a_closure_that_does_not_return() {
    let (enter, entered) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let (pool, clock) = (Pool::new(1), VirtualTime::new());
    let running = range(0..9_u64).subscribe_on(&pool).for_each(move |_| {
        enter.send(()).unwrap();
        let _closed = left.recv();
    });
    entered.recv().unwrap();

    let running = running.shutdown_on(&clock, &KillSwitch::new(), MOMENT);
    clock.advance(MOMENT);

    assert_eq!(running.wait().unwrap_err().kind(), ErrorKind::Timeout);
    drop(leave);
}

#[test]
fn a_pool_is_not_waited_for_longer_than_was_said() {
    let pool = Pool::new(2);
    let (enter, entered) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let running = range(0..9_u64).subscribe_on(&pool).for_each(move |_| {
        let _gone = enter.send(());
        let _closed = left.recv();
    });
    entered.recv().unwrap();

    assert_eq!(pool.shutdown_within(MOMENT).unwrap_err().kind(), ErrorKind::Timeout);
    drop(leave);
    pool.shutdown_within(Duration::from_secs(60)).unwrap();
    running.wait().unwrap();
}

#[test]
fn a_virtual_clock_may_be_taken_through_a_panic() {
    fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>(_: &T) {}
    let clock = VirtualTime::new();
    is_unwind_safe(&clock);

    let panicked = std::panic::catch_unwind(|| {
        let _running = never::<u8>().publish_on(&clock).capacity(1).count();
        panic!("bang");
    });

    assert!(panicked.is_err());
    let counted = range(0..3_u8).publish_on(&clock).capacity(1).count();
    clock.run();
    assert_eq!(counted.wait().unwrap(), 3);
}
