//! Beginnings and ends: resources, listeners and switches.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use futures::FutureExt;
use millstream::{
    BoxPublisher, Ending, Error, ErrorKind, Flow, KillSwitch, Listener, from_iter, never, range,
    scheduler::{Pool, VirtualTime},
    using, using_async_on,
};
use millstream_testkit::{Probe, Puppet};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn name(ending: &Ending) -> String {
    match ending {
        Ending::Completed => "completed".to_owned(),
        Ending::Failed(error) => format!("failed: {error}"),
        Ending::Canceled => "canceled".to_owned(),
    }
}

fn no_luck() -> Error {
    Error::message("no luck")
}

/// How a flow ends, the flow, and what ends it.
type Case = (&'static str, Flow<BoxPublisher<u8>>, fn(&Probe<u8>));

/// Every way in which a flow can end.
fn endings() -> Vec<Case> {
    let request: fn(&Probe<u8>) = |probe| probe.request(9);
    vec![
        ("completed", range(0..3).boxed(), request),
        ("failed: no luck", range(0..3).concat(millstream::error(no_luck())).boxed(), request),
        ("canceled", range(0..3).concat(never()).boxed(), Probe::cancel),
        ("failed: panicked: bang", range(0..3).map(|_| -> u8 { panic!("bang") }).boxed(), request),
    ]
}

#[test]
fn a_resource_is_released_once_however_the_flow_ends() {
    for (ending, flow, end) in endings() {
        let log = Log::default();
        let (acquired, released) = (log.clone(), log.clone());
        let flow = using(
            move || {
                acquired.add("acquired");
                Ok::<_, Error>(())
            },
            |()| flow,
            move |()| released.add("released"),
        );
        let probe = Probe::subscribe_to(flow);
        assert_eq!(log.lines(), ["acquired"]);

        end(&probe);

        assert_eq!(log.lines(), ["acquired", "released"], "{ending}");
        assert!(probe.is_dropped());
    }
}

#[test]
fn a_resource_is_released_before_the_end_and_after_its_flow_is_gone() {
    let log = Log::default();
    let (released, ended, gone) = (log.clone(), log.clone(), log.clone());
    let source = || range(0..3).do_finally(move |_| gone.add("gone"));
    let flow = using(|| Ok::<_, Error>(()), |()| source(), move |()| released.add("released"));
    let listener = Listener::new().on_complete(move || ended.add("completed"));

    flow.listen(listener).count().wait().unwrap();

    assert_eq!(log.lines(), ["released", "completed", "gone"]);
}

#[test]
fn a_resource_that_cannot_be_had_or_used_is_an_error() {
    type Nothing = Flow<millstream::Never<u8>>;
    let log = Log::default();
    let release = |log: &Log| {
        let log = log.clone();
        move |()| log.add("released")
    };

    let refused = using(|| Err(no_luck()), |()| -> Nothing { never() }, release(&log));
    assert_eq!(refused.count().wait().unwrap_err().to_string(), "no luck");
    assert!(log.lines().is_empty());
    let unusable = using(|| Ok::<_, Error>(()), |()| -> Nothing { panic!("bang") }, release(&log));
    assert_eq!(unusable.count().wait().unwrap_err().kind(), ErrorKind::Panicked);
    assert_eq!(log.lines(), ["released"]);
    let stuck = using(|| Ok::<_, Error>(()), |()| range(0..3), |()| panic!("bang"));
    assert_eq!(stuck.count().wait().unwrap_err().kind(), ErrorKind::Panicked);
}

#[test]
fn a_resource_is_released_by_a_future_however_the_flow_ends() {
    for (ending, flow, end) in endings() {
        let clock = VirtualTime::new();
        let log = Log::default();
        let released = log.clone();
        let flow = using_async_on(
            &clock,
            || async { Ok::<_, Error>(()) },
            |()| flow,
            move |(), ending| async move {
                released.add(name(&ending));
                Ok::<_, Error>(())
            },
        );
        let (flow, all_released) = flow.with_released();
        let probe = Probe::subscribe_to(flow);
        probe.request(1);
        clock.run();

        end(&probe);
        clock.run();

        assert_eq!(log.lines(), [ending]);
        assert!(probe.is_dropped() && probe.is_ended() == (ending != "canceled"));
        all_released.wait();
    }
}

#[test]
fn a_release_that_takes_long_is_waited_for() {
    for is_canceled in [true, false] {
        let clock = VirtualTime::new();
        let (open, door) = futures::channel::oneshot::channel::<()>();
        let flow = using_async_on(
            &clock,
            || async { Ok::<_, Error>(()) },
            |()| range(0..3),
            move |(), _| async move {
                door.await.unwrap();
                Ok::<_, Error>(())
            },
        );
        let (flow, mut all_released) = flow.with_released();
        let probe = Probe::subscribe_to(flow);
        probe.request(3);
        clock.run();
        assert_eq!(probe.n_items(), 3);
        if is_canceled {
            probe.cancel();
        }
        clock.run();
        assert!(!probe.is_ended() && (&mut all_released).now_or_never().is_none());

        open.send(()).unwrap();
        clock.run();

        assert_eq!(probe.is_completed(), !is_canceled);
        assert!(all_released.now_or_never().is_some());
    }
}

#[test]
fn a_resource_that_is_on_its_way_when_the_flow_is_canceled_is_released() {
    let clock = VirtualTime::new();
    let log = Log::default();
    let released = log.clone();
    let (give, given) = futures::channel::oneshot::channel::<()>();
    let flow = using_async_on(
        &clock,
        || async {
            given.await.unwrap();
            Ok::<_, Error>(())
        },
        |()| never::<u8>(),
        move |(), ending| async move {
            released.add(name(&ending));
            Ok::<_, Error>(())
        },
    );
    let probe = Probe::subscribe_to(flow.inspect(|_| {}));
    probe.request(1);
    clock.run();
    give.send(()).unwrap();
    clock.run();

    probe.cancel();
    clock.run();

    assert_eq!(log.lines(), ["canceled"]);
}

#[test]
fn a_failing_release_is_an_error_unless_there_is_one() {
    let pool = Pool::new(1);
    for (flow, expected) in
        [(range(0..3).boxed(), "cannot close"), (millstream::error(no_luck()).boxed(), "no luck")]
    {
        let flow = using_async_on(
            &pool,
            || async { Ok::<_, Error>(()) },
            |()| flow,
            |(), _| async { Err(Error::message("cannot close")) },
        );

        assert_eq!(flow.count().wait().unwrap_err().to_string(), expected);
    }
}

#[test]
fn do_finally_is_called_once_with_how_it_ended() {
    for (ending, flow, end) in endings() {
        let log = Log::default();
        let finally = log.clone();
        let probe = Probe::subscribe_to(flow.do_finally(move |ending| finally.add(name(&ending))));

        end(&probe);

        assert_eq!(log.lines(), [ending]);
    }
}

#[test]
fn a_listener_hears_everything_once_and_in_order() {
    let log = Log::default();
    let listener = {
        let [a, b, c, d, e] = [(); 5].map(|()| log.clone());
        Listener::new()
            .on_subscribe(move || a.add("subscribe"))
            .on_request(move |n| b.add(format!("request {n}")))
            .on_cancel(move || c.add("cancel"))
            .on_error(move |error| d.add(format!("error {error}")))
            .on_complete(move || e.add("complete"))
    };
    let heard = |flow: Flow<BoxPublisher<u8>>, act: fn(&Probe<u8>)| {
        act(&Probe::subscribe_to(flow.listen(listener.clone())));
        std::mem::take(&mut *log.0.lock().unwrap())
    };

    let cancels: fn(&Probe<u8>) = |probe| {
        probe.request(2);
        probe.cancel();
        probe.cancel();
    };
    assert_eq!(heard(range(0..3).boxed(), cancels), ["subscribe", "request 2", "cancel"]);
    assert_eq!(heard(range(0..2).boxed(), cancels), ["subscribe", "request 2", "complete"]);
    let failed = millstream::error(no_luck()).boxed();
    assert_eq!(heard(failed, |_| {}), ["subscribe", "error no luck"]);
    drop(range(0..9_u8).listen(listener.clone()).first().wait());
    assert_eq!(log.lines(), ["subscribe", "request 1", "cancel"]);
}

#[test]
fn a_listener_that_panics_fails_the_flow() {
    fn bang() {
        panic!("bang")
    }
    let kind = |listener| {
        let probe = Probe::subscribe_to(range(0..3).listen(listener));
        // The panic does not reach whoever asks (rule 3.16).
        probe.request(9);
        assert!(probe.is_dropped());
        probe.error().map(|error| error.kind())
    };

    assert_eq!(kind(Listener::new().on_subscribe(bang)), Some(ErrorKind::Panicked));
    assert_eq!(kind(Listener::new().on_request(|_| bang())), Some(ErrorKind::Panicked));
    assert_eq!(kind(Listener::new().on_complete(bang)), Some(ErrorKind::Panicked));
    let failing = millstream::error::<u8>(no_luck()).listen(Listener::new().on_error(|_| bang()));
    assert_eq!(failing.count().wait().unwrap_err().to_string(), "no luck");
    let (puppet, publisher) = Puppet::<u8>::new();
    let flow = Flow::from(publisher).listen(Listener::new().on_cancel(bang));
    Probe::subscribe_to(flow).cancel();
    assert!(puppet.is_canceled());
}

#[test]
fn a_switch_stops_flows_that_wait_and_flows_that_come_later() {
    let switch = KillSwitch::new();
    let waiting = Probe::subscribe_to(never::<u8>().kill_switch(&switch));
    let without_demand = Probe::subscribe_to(range(0..9).kill_switch(&switch).map(|n| n));
    let ended = Probe::subscribe_to(range(0..1).kill_switch(&switch));
    ended.request(1);

    switch.fail(no_luck());
    switch.complete();
    let late = Probe::subscribe_to(range(0..9).kill_switch(&switch));

    for probe in [&waiting, &without_demand, &late] {
        assert_eq!(probe.error().unwrap().to_string(), "no luck");
        assert!(probe.is_dropped() && probe.n_items() == 0);
    }
    assert!(ended.is_completed());
}

#[test]
fn a_switch_that_is_thrown_in_a_signal_ends_before_the_next_item() {
    let switch = KillSwitch::new();
    let thrower = switch.clone();
    let flow = range(0..).kill_switch(&switch).inspect(move |n| {
        if *n == 2 {
            thrower.complete();
        }
    });

    assert_eq!(flow.collect::<Vec<u8>>().wait().unwrap(), [0, 1, 2]);
}

#[test]
fn a_switch_near_the_source_lets_what_is_on_its_way_arrive() {
    let clock = VirtualTime::new();
    let switch = KillSwitch::new();
    let probe = Probe::subscribe_to(range(0..).kill_switch(&switch).publish_on(&clock).capacity(4));
    probe.request(u64::MAX);

    switch.complete();
    clock.run();

    assert!(probe.is_completed());
    assert_eq!(probe.items(), [0_u8, 1, 2, 3][..probe.n_items()]);
}

#[test]
fn a_canceled_or_finished_flow_hears_nothing_of_its_switch() {
    let switch = KillSwitch::new();
    let canceled = Probe::subscribe_to(range(0..9).kill_switch(&switch));
    canceled.cancel();
    let (puppet, publisher) = Puppet::new();
    let finished = Probe::subscribe_to(Flow::from(publisher).kill_switch(&switch).take(1));
    finished.request(1);
    puppet.next(1).unwrap();

    switch.fail(no_luck());
    puppet.drop_subscriber();

    assert!(canceled.is_dropped() && !canceled.is_ended());
    assert!(finished.is_completed() && finished.error().is_none());
}

#[test]
fn a_switch_does_not_keep_flows_that_are_over() {
    let switch = KillSwitch::new();
    let witness = Arc::new(());
    for _ in 0..3 {
        let items = vec![Arc::clone(&witness); 3];
        let probe = Probe::subscribe_to(from_iter(items).kill_switch(&switch));
        probe.request(1);
        probe.cancel();
    }

    assert_eq!(Arc::strong_count(&witness), 1);
    drop(switch);
}

#[test]
fn a_switch_is_thrown_from_another_thread_while_items_flow() {
    let pool = Pool::new(2);
    for _ in 0..50 {
        let switch = KillSwitch::new();
        let probes: Vec<_> = (0..4)
            .map(|_| {
                let flow = range(0..u64::MAX).subscribe_on(&pool).kill_switch(&switch);
                Probe::subscribe_to(flow.take(2_000))
            })
            .collect();
        probes.iter().for_each(|probe| probe.request(2_000));
        thread::yield_now();

        switch.complete();

        for probe in probes {
            probe.wait_until_ended();
            assert!(probe.is_completed());
            assert_eq!(probe.items(), (0..probe.n_items() as u64).collect::<Vec<_>>());
        }
    }
}
