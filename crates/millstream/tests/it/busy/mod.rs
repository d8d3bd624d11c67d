//! A source that is busy on the thread that asks it: a cancel reaches it at once, and what was
//! asked for passes.
//!
//! The source counts without end behind a filter that lets nothing through, so that it never comes
//! back to whoever asked it: a long file behind a rare filter, at its worst.

mod passes;

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use millstream::{
    BoxPublisher, ErrorKind, Flow, KillSwitch, Outcome, Overflow, Sharing, combine_latest,
    concat_eager, first_with_signal,
    hub::Replay,
    just, merge, merge_sorted, never, range,
    scheduler::{Pool, VirtualTime},
    zip,
};

/// Longer than anything here takes, on any machine: a test that waits for so long has failed.
const FOREVER: Duration = Duration::from_secs(60);

type Numbers = Flow<BoxPublisher<u64>>;
/// An operator, over any source.
type Operator = fn(Numbers) -> Numbers;

/// Fails in place of hanging.
#[expect(clippy::disallowed_methods, reason = "what hangs is left behind on a thread of its own")]
fn in_time<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || drop(done.send(f())));
    result.recv_timeout(FOREVER).unwrap_or_else(|_| panic!("{what} hangs"))
}

/// A source that never comes back, and what tells that it has begun.
fn busy() -> (Numbers, mpsc::Receiver<()>) {
    let (begun, begins) = mpsc::sync_channel(1);
    let source = range(0..u64::MAX).filter(move |_| {
        let _is_first = begun.try_send(());
        false
    });
    (source.boxed(), begins)
}

/// Each operator that asks its source, or a flow that it makes, from inside of its own turn.
fn operators() -> Vec<(&'static str, Operator)> {
    /// For a flow that is made of an item.
    fn once(flow: Numbers) -> impl FnMut(u64) -> Numbers + Send + 'static {
        let mut flow = Some(flow);
        move |_| flow.take().unwrap_or_else(|| never().boxed())
    }
    const HOUR: Duration = Duration::from_secs(3_600);
    vec![
        ("merge_with", |busy| busy.merge_with(never()).boxed()),
        ("merge", |busy| merge([busy, never().boxed()]).boxed()),
        ("flat_map", |busy| busy.flat_map(just).concurrency(4).prefetch(4).boxed()),
        ("flat_map, an inner flow", |busy| {
            range(0..9).flat_map(once(busy)).concurrency(4).prefetch(4).boxed()
        }),
        ("flat_map_sequential", |busy| {
            busy.flat_map_sequential(just).concurrency(4).prefetch(4).boxed()
        }),
        ("flat_map_sequential, an inner flow", |busy| {
            range(0..9).flat_map_sequential(once(busy)).concurrency(4).prefetch(4).boxed()
        }),
        ("flat_map_iter", |busy| busy.flat_map_iter(Some).boxed()),
        ("concat_map", |busy| busy.concat_map(just).boxed()),
        ("concat_map, an inner flow", |busy| range(0..9).concat_map(once(busy)).boxed()),
        ("concat_eager", |busy| concat_eager([busy, never().boxed()]).boxed()),
        ("switch_map", |busy| busy.switch_map(just).boxed()),
        ("switch_map, an inner flow", |busy| {
            just(1).concat(never()).switch_map(once(busy)).boxed()
        }),
        ("zip", |busy| zip((busy, never::<u64>())).map(|(n, _)| n).boxed()),
        ("combine_latest", |busy| combine_latest((busy, never::<u64>())).map(|(n, _)| n).boxed()),
        ("with_latest_from", |busy| busy.with_latest_from(just(1)).map(|(n, _)| n).boxed()),
        ("with_latest_from, the other", |busy| {
            never().with_latest_from(busy).map(|(n, _)| n).boxed()
        }),
        ("take_until", |busy| busy.take_until(never::<()>()).boxed()),
        ("take_until, the other", |busy| never().take_until(busy).boxed()),
        ("merge_sorted", |busy| merge_sorted([busy, never().boxed()]).boxed()),
        ("first_with_signal", |busy| first_with_signal([busy, never().boxed()]).boxed()),
        ("publish_on", |busy| busy.publish_on(&Pool::new(1)).capacity(4).boxed()),
        ("map_async", |busy| {
            busy.map_async_on(&Pool::new(1), 4, millstream::Order::Source, |n| async move { n })
                .boxed()
        }),
        ("map_async_unordered", |busy| {
            busy.map_async_on(&Pool::new(1), 4, millstream::Order::Completion, |n| async move { n })
                .boxed()
        }),
        ("limit_rate", |busy| busy.limit_rate(4).boxed()),
        ("group_by", |busy| {
            busy.group_by(|n| *n)
                .max_groups(4)
                .capacity(4)
                .flat_map(|group| group)
                .concurrency(4)
                .prefetch(4)
                .boxed()
        }),
        ("window", |busy| busy.window(4).concat_map(|window| window).boxed()),
        ("window_timeout", |busy| {
            busy.window_timeout(&VirtualTime::new(), 4, HOUR).concat_map(|window| window).boxed()
        }),
        ("batch", |busy| busy.batch(4, |n| n, |_, _| {}).boxed()),
        ("conflate", |busy| busy.conflate(|_, _| {}).boxed()),
        ("expand", |busy| busy.expand(Some).boxed()),
        ("chunks_ready", |busy| busy.chunks_ready(4).map(|chunk| chunk[0]).boxed()),
        ("take_last", |busy| busy.take_last(4).boxed()),
        ("on_backpressure_buffer", |busy| busy.on_backpressure_buffer(4, Overflow::Fail).boxed()),
        ("on_backpressure_latest", |busy| busy.on_backpressure_latest().boxed()),
        ("on_backpressure_reduce", |busy| busy.on_backpressure_reduce(|a, _| a).boxed()),
        ("on_backpressure_drop", |busy| busy.on_backpressure_drop(drop).boxed()),
        ("timeout", |busy| busy.timeout(&VirtualTime::new(), HOUR).boxed()),
        ("timeout, the fallback", |busy| {
            never().timeout_with(&VirtualTime::new(), Duration::ZERO, busy).boxed()
        }),
        ("delay", |busy| busy.delay(&VirtualTime::new(), HOUR, 4).boxed()),
        ("throttle", |busy| busy.throttle(&VirtualTime::new(), 4, HOUR).boxed()),
        ("throttle_weighted", |busy| {
            busy.throttle_weighted(&VirtualTime::new(), 4, HOUR, |_| 1).boxed()
        }),
        ("buffer_timeout_weighted", |busy| {
            let groups = busy.buffer_timeout_weighted(&VirtualTime::new(), 4, 9, HOUR, |_| 3);
            groups.map(|items| items[0]).boxed()
        }),
        ("timeout_demand", |busy| busy.timeout_demand(&VirtualTime::new(), HOUR).boxed()),
        ("unzip", |busy| busy.map(|n| (n, ())).unzip(4).0.boxed()),
        ("partition", |busy| busy.partition(2, 4, |_| 1).remove(1).boxed()),
        ("also_to", |busy| busy.also_to(4, drop).boxed()),
        ("tap_into", |busy| busy.tap_into(4, drop).boxed()),
        ("window_until", |busy| {
            busy.window_until(4, |_| false).concat_map(|window| window).boxed()
        }),
        ("throttle_first", |busy| busy.throttle_first(&VirtualTime::new(), HOUR).boxed()),
        ("sample", |busy| busy.sample(&VirtualTime::new(), HOUR).boxed()),
        ("debounce", |busy| busy.debounce(&VirtualTime::new(), HOUR).boxed()),
        ("keep_alive", |busy| busy.keep_alive(&VirtualTime::new(), HOUR, || 0).boxed()),
        ("buffer_timeout", |busy| {
            busy.buffer_timeout(&VirtualTime::new(), 4, HOUR).map(|items| items[0]).boxed()
        }),
        ("share", |busy| busy.share(4).boxed()),
        ("share, connected for good", |busy| {
            busy.share_with(Sharing::new(4)).merge_with(never()).boxed()
        }),
        ("replay", |busy| busy.replay(4, Replay::last(4)).boxed()),
        ("concat", |busy| just(1).concat(busy).merge_with(never()).boxed()),
    ]
}

/// Runs `flow` on the one thread of `pool`, whose source says when it has begun.
fn run(pool: &Pool, flow: Numbers, begins: &mpsc::Receiver<()>) -> Outcome<u64> {
    let running = flow.subscribe_on(pool).count();
    begins.recv_timeout(FOREVER).expect("the source begins");
    running
}

#[test]
fn a_shutdown_reaches_a_source_that_is_busy() {
    for (name, operator) in operators() {
        let result = in_time(name, move || {
            let (pool, switch) = (Pool::new(1), KillSwitch::new());
            let (source, begins) = busy();
            let flow = operator(source).kill_switch(&switch).boxed();
            let running = run(&pool, flow, &begins);
            let clock = VirtualTime::new();
            let result = running.shutdown_on(&clock, &switch, FOREVER).wait();
            // The pool is free, and the flow lets go of it.
            let n = range(0..9_u64).subscribe_on(&pool).count().wait();
            (result, n)
        });
        let (Ok(_), Ok(9)) = result else { panic!("{name}: {result:?}") };
    }
}

#[test]
fn a_deadline_reaches_a_source_that_is_busy() {
    for (name, operator) in operators() {
        let result = in_time(name, move || {
            let (pool, clock) = (Pool::new(1), VirtualTime::new());
            let (source, begins) = busy();
            let running = run(&pool, operator(source), &begins);
            // The switch is of no flow: the time has to do.
            let running = running.shutdown_on(&clock, &KillSwitch::new(), FOREVER);
            clock.advance(FOREVER);
            let result = running.wait();
            let n = range(0..9_u64).subscribe_on(&pool).count().wait();
            (result.map_err(|error| error.kind()), n)
        });
        let (Err(ErrorKind::Timeout), Ok(9)) = result else { panic!("{name}: {result:?}") };
    }
}

#[test]
fn a_flow_that_is_dropped_frees_the_thread_of_a_source_that_is_busy() {
    for (name, operator) in operators() {
        let n = in_time(name, move || {
            let pool = Pool::new(1);
            let (source, begins) = busy();
            drop(run(&pool, operator(source), &begins));
            let n = range(0..9_u64).subscribe_on(&pool).count().wait();
            // The source is gone, and with it what it would tell that it goes on.
            while begins.recv_timeout(FOREVER).is_ok() {}
            n
        });
        assert_eq!(n.unwrap(), 9, "{name}");
    }
}

/// A forwarding bridge asks from inside a future.
#[test]
fn a_bridge_is_shut_down_while_its_source_is_busy() {
    let result = in_time("forward_into", || {
        let (source, begins) = busy();
        let (pool, clock) = (Pool::new(1), VirtualTime::new());
        let sink = futures::sink::drain();
        let running = source.subscribe_on(&pool).limit_rate(4).forward_into(sink);
        begins.recv_timeout(FOREVER).unwrap();
        let running = running.shutdown_on(&clock, &KillSwitch::new(), FOREVER);
        clock.advance(FOREVER);
        let result = running.wait();
        range(0..9_u64).subscribe_on(&pool).count().wait().unwrap();

        let (source, begins) = busy();
        let running = source.forward_into(futures::sink::drain());
        begins.recv_timeout(FOREVER).unwrap();
        let running = running.shutdown_on(&clock, &KillSwitch::new(), FOREVER);
        clock.advance(FOREVER);
        result.and(running.wait()).map_err(|error| error.kind())
    });

    assert_eq!(result, Err(ErrorKind::Timeout));
}

/// A stream asks from inside its poll, where a source that is busy keeps it; one on another thread
/// does not.
#[test]
fn a_stream_ends_while_its_source_is_busy() {
    for (name, operator) in operators() {
        let result = in_time(name, move || {
            // Dropped, it frees the thread of the source.
            let pool = Pool::new(1);
            let (source, begins) = busy();
            let mut stream = operator(source).subscribe_on(&pool).into_stream(4);
            let next = futures::StreamExt::next(&mut stream);
            assert!(futures::FutureExt::now_or_never(next).is_none());
            begins.recv_timeout(FOREVER).expect("the source begins");
            drop(stream);
            let n = range(0..9_u64).subscribe_on(&pool).count().wait();

            // Polled by another thread, it ends by a switch.
            let (source, begins) = busy();
            let switch = KillSwitch::new();
            let mut flow = Some(operator(source).kill_switch(&switch));
            // It is subscribed there as well: a source that nobody has to ask begins with that.
            let polling = range(0..1).subscribe_on(&pool).flat_map_iter(move |_| {
                let streams = flow.take().into_iter().map(|flow| flow.into_stream(4));
                streams.flat_map(futures::executor::block_on_stream).map(|_| 0)
            });
            let polled = polling.count();
            begins.recv_timeout(FOREVER).expect("the source begins");
            switch.complete();
            (n, polled.wait())
        });
        // What stands before the source may have passed.
        let (Ok(9), Ok(0 | 1)) = result else { panic!("{name}: {result:?}") };
    }
}

/// The sign comes from another thread, while the main flow is busy on this one.
#[test]
fn what_another_flow_says_reaches_an_operator_whose_source_is_busy() {
    let result = in_time("take_until", || {
        let (source, begins) = busy();
        let (pool, other) = (Pool::new(1), Pool::new(1));
        let (sign, signs) = millstream_testkit::Puppet::<()>::new();
        let until = source.take_until(Flow::from(signs).publish_on(&other).capacity(1));
        let running = run(&pool, until.boxed(), &begins);
        // The other worker asks for it.
        while sign.requested().get() == 0 {
            std::hint::spin_loop();
        }
        sign.next(()).unwrap();
        let ended = running.wait();

        // The items of one flow pass while another is busy.
        let (source, begins) = busy();
        let (puppet, items) = millstream_testkit::Puppet::new();
        let merged = source.merge_with(Flow::from(items).publish_on(&other).capacity(4));
        let (seen, sees) = mpsc::channel();
        let counted = merged.inspect(move |n| seen.send(*n).unwrap());
        // The other flow first: where one thread asks both, a source that is busy keeps it.
        let running = counted.subscribe_on(&pool).count();
        begins.recv_timeout(FOREVER).unwrap();
        drop((puppet, sees));
        drop(running);
        ended
    });

    assert_eq!(result.unwrap(), 0);
}

#[test]
fn a_source_that_panics_when_it_is_asked_fails_the_flow_that_asked_it() {
    for (name, operator) in operators() {
        let error = in_time(name, move || {
            let n_seen = Arc::new(Mutex::new(0));
            let source = range(0..u64::MAX).filter(move |_| {
                *n_seen.lock().unwrap() += 1;
                assert!(*n_seen.lock().unwrap() < 200, "enough");
                false
            });
            operator(source.boxed()).count().wait().map_err(|error| error.kind())
        });
        assert_eq!(error, Err(ErrorKind::Panicked), "{name}");
    }
}
