//! What a source holds is released before a flow that ends early says so.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use millstream::{
    Error, Flow, Handled, KillSwitch, Overflow, Signal, error, first_with_signal, from_iter, just,
    never, range,
    scheduler::{CurrentThread, VirtualTime},
    timer, using,
};
use millstream_testkit::{Probe, Puppet};
use reactive_streams::{BoxClonePublisher, BoxPublisher, Publisher, Subscriber};

const SECOND: Duration = Duration::from_secs(1);

/// Something that one may have at a time.
#[derive(Clone, Default)]
struct Port(Arc<AtomicBool>);

impl Port {
    /// Binds, sends 0 to 9 and then nothing more, without an end; fails if somebody has the port.
    fn flow(&self) -> Flow<BoxClonePublisher<u64>> {
        self.around(range(0..10).concat(never()))
    }

    fn around<P>(&self, flow: Flow<P>) -> Flow<BoxClonePublisher<u64>>
    where
        P: Publisher<Item = u64> + Clone + Send + 'static,
    {
        let (acquired, released) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let acquire = move || {
            if acquired.swap(true, Ordering::SeqCst) {
                Err(Error::message("in use"))
            } else {
                Ok(())
            }
        };
        let release = move |()| released.store(false, Ordering::SeqCst);
        using(acquire, move |()| flow, release).boxed_clone()
    }

    fn is_free(&self) -> bool {
        !self.0.load(Ordering::SeqCst)
    }
}

/// A publisher for one subscriber, in clones.
struct Once<P>(Arc<Mutex<Option<P>>>);

impl<P> Clone for Once<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Publisher> Publisher for Once<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        let publisher = self.0.lock().unwrap().take();
        publisher.unwrap().subscribe(subscriber);
    }
}

type End = fn(Flow<BoxClonePublisher<u64>>) -> Flow<BoxPublisher<u64>>;

fn bad_luck() -> Error {
    Error::message("bad luck")
}

/// Operators that complete before their source does.
const COMPLETING: &[(&str, End)] = &[
    ("take", |flow| flow.take(1).boxed()),
    ("take behind others", |flow| {
        flow.map(|n| n).filter(|_| true).inspect(|_| ()).enumerate().take(2).map(|(_, n)| n).boxed()
    }),
    ("take_while", |flow| flow.take_while(|n| *n < 3).boxed()),
    ("scan", |flow| flow.scan((), |(), n| (n < 3).then_some(n)).boxed()),
    ("handle: last", |flow| flow.handle(Handled::Last).boxed()),
    ("handle: complete", |flow| flow.handle(|_| Handled::<u64>::Complete).boxed()),
    ("dematerialize", |flow| {
        flow.map(|n| if n == 0 { Signal::Next(n) } else { Signal::Completed })
            .dematerialize()
            .boxed()
    }),
    ("take of buffers", |flow| flow.buffer(2).take(1).map(|items| items[0]).boxed()),
    ("take of windows", |flow| flow.window(2).take(1).concat_map(|window| window).boxed()),
    ("two takes", |flow| flow.take(5).map(|n| n).take(2).boxed()),
    ("take of a concatenation", |flow| flow.concat(never()).take(1).boxed()),
    ("take behind a retry", |flow| flow.retry(1).take(1).boxed()),
    ("take behind a kill switch", |flow| flow.kill_switch(&KillSwitch::new()).take(1).boxed()),
    ("kill_switch", |flow| {
        let switch = KillSwitch::new();
        let thrown = switch.clone();
        flow.kill_switch(&switch).inspect(move |_| thrown.complete()).boxed()
    }),
    ("take behind limit_rate", |flow| flow.limit_rate(4).take(1).boxed()),
    ("take behind a queue", |flow| flow.on_backpressure_buffer(16, Overflow::Fail).take(1).boxed()),
    ("take behind concat_map", |flow| flow.concat_map(just).take(1).boxed()),
    ("take inside concat_map", |flow| just(0).concat_map(move |_| flow.clone()).take(1).boxed()),
    ("take behind flat_map", |flow| flow.flat_map(just).take(1).boxed()),
    ("take inside flat_map", |flow| just(0).flat_map(move |_| flow.clone()).take(1).boxed()),
    ("take inside flat_map_sequential", |flow| {
        just(0).flat_map_sequential(move |_| flow.clone()).take(1).boxed()
    }),
    ("take inside switch_map", |flow| just(0).switch_map(move |_| flow.clone()).take(1).boxed()),
    ("take behind merge", |flow| flow.merge_with(never()).take(1).boxed()),
    ("take behind delay", |flow| flow.timeout(&VirtualTime::new(), SECOND).take(1).boxed()),
    ("take behind share", |flow| flow.share(4).take(1).boxed()),
    ("take behind a group", |flow| flow.buffer_until(|n| *n == 2).take(1).map(|n| n[0]).boxed()),
    ("take_until", |flow| {
        let (puppet, sign) = Puppet::new();
        flow.take_until(sign).inspect(move |_| _ = puppet.next(())).boxed()
    }),
    ("zip", |flow| flow.zip(just(1)).map(|(n, _)| n).boxed()),
    ("zip, the other way", |flow| just(1).zip(flow).map(|(_, n)| n).boxed()),
    ("with_latest_from", |flow| just(1).with_latest_from(flow).map(|(n, _)| n).boxed()),
    ("first_with_signal", |flow| {
        first_with_signal([just(7).boxed(), flow.take(10).boxed()]).boxed()
    }),
];

/// Operators that fail before their source does.
const FAILING: &[(&str, End)] = &[
    ("handle: fail", |flow| flow.handle(|_| Handled::<u64>::Fail(bad_luck())).boxed()),
    ("flatten_results", |flow| {
        flow.map(|n| if n < 2 { Ok(n) } else { Err(bad_luck()) }).flatten_results().boxed()
    }),
    ("dematerialize", |flow| {
        flow.map(|_| Signal::<u64>::Failed(bad_luck())).dematerialize().boxed()
    }),
    ("a panic", |flow| {
        let panicking = flow.map(|n| if n < 2 { n } else { panic!("bad luck") });
        panicking.map_err(|error| Error::message(error.to_string())).boxed()
    }),
    ("kill_switch", |flow| {
        let switch = KillSwitch::new();
        let thrown = switch.clone();
        flow.kill_switch(&switch).inspect(move |_| thrown.fail(bad_luck())).boxed()
    }),
    ("merge", |flow| flow.merge_with(error(bad_luck())).boxed()),
    ("zip", |flow| flow.zip(just(1).concat(error(bad_luck()))).map(|(n, _)| n).boxed()),
    ("flat_map", |flow| flow.flat_map(|_| error(bad_luck())).boxed()),
    ("concat_map", |flow| flow.concat_map(|_| error(bad_luck())).boxed()),
    ("switch_map", |flow| flow.switch_map(|_| error(bad_luck())).boxed()),
    ("combine_latest", |flow| {
        flow.combine_latest(error::<u64>(bad_luck())).map(|(n, _)| n).boxed()
    }),
    ("with_latest_from", |flow| {
        flow.with_latest_from(error::<u64>(bad_luck())).map(|(n, _)| n).boxed()
    }),
    ("take_until", |flow| flow.take_until(error::<u64>(bad_luck())).boxed()),
    ("on_backpressure_buffer", |flow| flow.on_backpressure_buffer(2, Overflow::Fail).boxed()),
];

/// What is asked for: everything at once, or one item at a time.
fn run(flow: impl Publisher<Item = u64>, step: u64) -> Probe<u64> {
    let (probe, subscriber) = Probe::new();
    flow.subscribe(subscriber);
    for _ in 0..40 {
        if !probe.is_ended() {
            probe.request(step);
        }
    }
    probe
}

#[test]
fn a_flow_that_completes_early_has_released_its_source() {
    let mut wrong = Vec::new();
    for (name, end) in COMPLETING {
        for step in [1, u64::MAX] {
            let port = Port::default();
            // What follows finds the port free.
            let flow = end(port.flow()).concat(port.around(just(42)));
            let probe = run(flow, step);
            if probe.items().last() != Some(&42) || !probe.is_completed() || !port.is_free() {
                wrong.push((name, step, probe.items(), probe.error().map(|e| e.to_string())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_flow_that_fails_early_has_released_its_source() {
    let mut wrong = Vec::new();
    for (name, end) in FAILING {
        // A buffer fails if more wait than it has room for: what was asked for does not wait.
        let steps = if name.contains("backpressure") { vec![1] } else { vec![1, u64::MAX] };
        for step in steps {
            let port = Port::default();
            let again = port.around(just(42));
            let flow = end(port.flow()).on_error_resume(move |_| again);
            let probe = run(flow, step);
            if probe.items().last() != Some(&42) || !probe.is_completed() || !port.is_free() {
                wrong.push((name, step, probe.items(), probe.error().map(|e| e.to_string())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_source_is_free_when_its_time_is_up() {
    let (port, clock) = (Port::default(), VirtualTime::new());
    let silent = port.around(never());
    let probe = run(silent.timeout_with(&clock, SECOND, port.around(just(42))), u64::MAX);
    clock.advance(SECOND);

    assert_eq!((probe.items(), probe.is_completed()), (vec![42], true));

    let port = Port::default();
    let again = port.around(just(42));
    let flow = port.around(never()).take_until(timer(&clock, SECOND)).concat(again);
    let probe = run(flow, u64::MAX);
    clock.advance(SECOND);

    assert_eq!((probe.items(), probe.is_completed()), (vec![42], true));
}

#[test]
fn a_flow_that_follows_another_finds_its_source_free() {
    let port = Port::default();
    let each = port.clone();
    let flow = range(0..3).switch_map(move |_| each.flow()).take(30);

    assert_eq!(run(flow, u64::MAX).error().map(|error| error.to_string()), None);
}

#[test]
fn an_outcome_is_ready_when_the_source_is_free() {
    let port = Port::default();
    for _ in 0..3 {
        assert_eq!(port.flow().first().wait().unwrap(), Some(0));
        assert_eq!(port.flow().take(3).count().wait().unwrap(), 3);
        let failing = port.flow().map(|n| if n < 3 { Ok(n) } else { Err(bad_luck()) });
        assert!(failing.flatten_results().count().wait().is_err());
        let here = CurrentThread::new();
        let other = port.flow().publish_on(&here).capacity(2).first();
        assert_eq!(here.block_on(other).unwrap(), Some(0));
        let other = port.flow().subscribe_on(&here).first();
        assert_eq!(here.block_on(other).unwrap(), Some(0));
    }
    assert_eq!(from_iter(0..3).count().wait().unwrap(), 3);
}

#[test]
fn a_publisher_that_does_not_hear_answers_is_canceled_before_the_end() {
    for (name, end) in COMPLETING.iter().chain(FAILING).filter(|(name, _)| {
        !["zip", "panic", "backpressure"].iter().any(|kind| name.contains(kind))
    }) {
        let (puppet, source) = Puppet::new();
        let puppet = Arc::new(puppet);
        let seen = Arc::clone(&puppet);
        let flow = end(Flow::from(Once(Arc::new(Mutex::new(Some(source))))).boxed_clone());
        let flow = flow.on_error_complete().concat(millstream::defer(move || {
            // One that was not asked for anything may not even be subscribed.
            let is_over = seen.is_canceled() || seen.n_requests() == 0;
            assert!(is_over, "canceled before the end of {name}");
            just(42)
        }));
        let probe = run(flow, 1);
        for n in 0..10 {
            let _ = puppet.next(n);
        }
        assert_eq!(probe.items().last(), Some(&42), "{name}: {:?}", probe.error());
    }
}
