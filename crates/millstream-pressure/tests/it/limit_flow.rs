//! Concurrency limits as operators: demand follows the limit.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::{ErrorKind, Flow, assert_bounded, range, scheduler::VirtualTime};
use millstream_pressure::{
    Algorithm, ConcurrencyLimit, FlowExt as _, LimitConfig, Outcome, Policy as _,
};
use millstream_testkit::{Probe, Puppet};

/// Futures that end when the test says so, by their number.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<State>>>);

/// A call's number, whether it has ended, and the task that waits for it.
type State = (u64, bool, Option<Waker>);

struct Call(Calls, u64);

impl Calls {
    fn begin(&self, n: u64) -> Call {
        self.0.lock().unwrap().push((n, false, None));
        Call(self.clone(), n)
    }

    fn running(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().filter(|call| !call.1).map(|call| call.0).collect()
    }

    fn end(&self, n: u64) {
        let mut calls = self.0.lock().unwrap();
        let call = calls.iter_mut().find(|call| call.0 == n).unwrap();
        call.1 = true;
        let waker = call.2.take();
        drop(calls);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Call {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        let mut calls = self.0.0.lock().unwrap();
        let call = calls.iter_mut().find(|call| call.0 == self.1).unwrap();
        if call.1 {
            return Poll::Ready(self.1);
        }
        call.2 = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().retain(|call| call.0 != self.1);
    }
}

fn fixed(limit: u64) -> LimitConfig {
    LimitConfig { algorithm: Algorithm::Fixed(limit), ..LimitConfig::default() }
}

struct Setup {
    time: VirtualTime,
    limit: ConcurrencyLimit,
    calls: Calls,
    puppet: Puppet<u64>,
    probe: Probe<u64>,
}

fn setup(config: LimitConfig) -> Setup {
    let time = VirtualTime::new();
    let limit = ConcurrencyLimit::new("test", config, &time).unwrap();
    let calls = Calls::default();
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher).map_async_limited_on(&time, &limit, |_| Outcome::Success, {
        let calls = calls.clone();
        move |n| calls.begin(n)
    });
    let probe = Probe::subscribe_to(flow);
    Setup { time, limit, calls, puppet, probe }
}

fn requested(puppet: &Puppet<u64>) -> u64 {
    puppet.requested().get()
}

#[test]
fn demand_follows_the_limit() {
    let Setup { time, limit, calls, puppet, probe } = setup(fixed(8));
    // Room for three, and nothing before the downstream asks.
    limit.advertise(Some(3));
    time.run();
    assert_eq!(requested(&puppet), 0);
    probe.request(100);
    time.run();
    assert_eq!(requested(&puppet), 3);
    (0..3).for_each(|n| puppet.next(n).unwrap());
    time.run();
    assert_eq!(calls.running(), [0, 1, 2]);

    // It shrinks: what is done is not replaced until less is in progress.
    limit.advertise(Some(1));
    calls.end(0);
    calls.end(1);
    time.run();
    assert_eq!((probe.items(), requested(&puppet)), (vec![0, 1], 3));
    calls.end(2);
    time.run();
    assert_eq!(requested(&puppet), 4);

    // It grows, without anything else that happens.
    limit.advertise(None);
    time.run();
    assert_eq!(requested(&puppet), 3 + 8);
}

#[test]
fn what_was_asked_for_is_not_refused_by_a_limit_that_shrinks() {
    let Setup { time, limit, calls, puppet, probe } = setup(LimitConfig { backlog: 0, ..fixed(8) });
    probe.request(100);
    time.run();
    limit.advertise(Some(1));
    (0..8).for_each(|n| puppet.next(n).unwrap());
    puppet.complete();
    for n in 0..8 {
        time.run();
        assert_eq!(calls.running(), [n], "one at a time, in order");
        calls.end(n);
    }
    time.run();
    assert_eq!(probe.items(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(probe.is_completed());
    assert_eq!(limit.snapshot().balance.total_dropped(), 0);
}

#[test]
fn a_downstream_that_does_not_ask_holds_the_source_back() {
    let Setup { time, calls, puppet, probe, .. } = setup(fixed(2));
    probe.request(1);
    time.run();
    (0..2).for_each(|n| puppet.next(n).unwrap());
    time.run();
    calls.end(0);
    calls.end(1);
    time.run();
    // One was passed on, and one output waits.
    assert_eq!((probe.items(), requested(&puppet)), (vec![0], 3));
}

#[test]
fn a_cancel_gives_back_what_was_acquired() {
    let Setup { time, limit, calls, puppet, probe } = setup(fixed(2));
    probe.request(10);
    time.run();
    (0..2).for_each(|n| puppet.next(n).unwrap());
    time.run();
    assert_eq!(limit.snapshot().in_flight, 2);
    probe.cancel();
    time.run();
    assert!(puppet.is_canceled());
    assert_eq!(calls.running(), [] as [u64; 0]);
    let snapshot = limit.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.ended(Outcome::Canceled)), (0, 2));
    assert!(snapshot.balance.is_whole());
}

#[test]
fn a_limit_that_is_closed_fails_the_flow() {
    let Setup { time, limit, puppet, probe, .. } = setup(fixed(2));
    probe.request(10);
    time.run();
    limit.close();
    puppet.next(1).unwrap();
    time.run();
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Rejected));
    assert!(puppet.is_canceled());
}

#[test]
fn a_panic_fails_the_flow_and_gives_the_permit_back() {
    let time = VirtualTime::new();
    let limit = ConcurrencyLimit::new("test", fixed(2), &time).unwrap();
    let flow = range(0..9_u64).map_async_limited_on(
        &time,
        &limit,
        |n| if *n == 3 { panic!("deliberate") } else { Outcome::Success },
        |n| async move { n },
    );
    let probe = Probe::subscribe_to(flow);
    probe.request(100);
    time.run();
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Panicked));
    assert_eq!(limit.snapshot().in_flight, 0);
    assert!(limit.snapshot().balance.is_whole());
}

#[test]
fn two_flows_share_a_limit() {
    let time = VirtualTime::new();
    let limit = ConcurrencyLimit::new("test", fixed(3), &time).unwrap();
    let calls = Calls::default();
    let probes: Vec<Probe<u64>> = [0..5_u64, 10..15]
        .into_iter()
        .map(|numbers| {
            let calls = calls.clone();
            let flow = range(numbers).map_async_limited_on(
                &time,
                &limit,
                |_| Outcome::Success,
                move |n| calls.begin(n),
            );
            let probe = Probe::subscribe_to(flow);
            probe.request(100);
            probe
        })
        .collect();
    time.run();
    let mut n_ended = 0;
    while let Some(&n) = calls.running().first() {
        assert!(calls.running().len() <= 3);
        calls.end(n);
        n_ended += 1;
        time.advance(Duration::from_millis(1));
    }
    assert_eq!(n_ended, 10);
    assert!(probes.iter().all(Probe::is_completed));
}

#[test]
fn it_is_bounded_by_the_most_that_the_limit_allows() {
    let limit = ConcurrencyLimit::new("test", fixed(7), &VirtualTime::new()).unwrap();
    let flow = assert_bounded(range(0..9_u64).map_async_limited(&limit, |n| async move { n }));
    assert_eq!(millstream::Backpressure::max_in_flight(&flow), 7);
}
