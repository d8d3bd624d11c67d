//! Timers are taken back when what waited for them is over.

use std::time::Duration;

use millstream::{
    Backoff, Error, Flow, KillSwitch, MissedTick, Sharing, empty, error, interval, just, never,
    scheduler::{CurrentThread, Pool, Scheduler, VirtualTime},
    timer,
};
use millstream_testkit::{Probe, Puppet, PuppetPublisher};
use reactive_streams::BoxPublisher;

const HOUR: Duration = Duration::from_secs(3_600);

type Make = fn(Flow<PuppetPublisher<u64>>, &VirtualTime) -> Flow<BoxPublisher<u64>>;

/// Everything that sets a timer when its source has given an item, and `u64::MAX` was asked for.
const WAITING: &[(&str, Make)] = &[
    ("timer", |_, clock| timer(clock, HOUR).map(|()| 0).boxed()),
    ("interval", |_, clock| interval(clock, HOUR, MissedTick::Skip).boxed()),
    ("timeout", |source, clock| source.timeout(clock, HOUR).boxed()),
    ("timeout_with", |source, clock| source.timeout_with(clock, HOUR, just(0)).boxed()),
    ("keep_alive", |source, clock| source.keep_alive(clock, HOUR, || 0).boxed()),
    ("delay", |source, clock| source.delay(clock, HOUR, 4).boxed()),
    // The first passes, and the second waits for its time.
    ("throttle", |source, clock| source.flat_map_iter(|n| [n, n]).throttle(clock, 1, HOUR).boxed()),
    ("throttle_weighted", |source, clock| {
        source.flat_map_iter(|n| [n, n]).throttle_weighted(clock, 1, HOUR, |_| 9).boxed()
    }),
    ("buffer_timeout_weighted", |source, clock| {
        let groups = source.buffer_timeout_weighted(clock, 4, 9, HOUR, |_| 3);
        groups.map(|items| items.len() as u64).boxed()
    }),
    ("debounce", |source, clock| source.debounce(clock, HOUR).boxed()),
    ("sample", |source, clock| source.sample(clock, HOUR).boxed()),
    ("buffer_timeout", |source, clock| {
        source.buffer_timeout(clock, 4, HOUR).map(|items| items.len() as u64).boxed()
    }),
    ("window_timeout", |source, clock| {
        source
            .window_timeout(clock, 4, HOUR)
            .flat_map(|window| window)
            .concurrency(4)
            .prefetch(4)
            .boxed()
    }),
];

/// Everything that sets a timer when its source has ended or failed.
fn again(clock: &VirtualTime) -> [(&'static str, Flow<BoxPublisher<u64>>); 4] {
    let failing = || error::<u64>(Error::message("no luck"));
    let backoff = || Backoff::new().first(HOUR).max_retries(1);
    [
        ("retry_backoff", failing().retry_backoff_on(clock, backoff()).boxed()),
        ("retry_when", failing().retry_when_on(clock, |_, _| Some(HOUR)).boxed()),
        ("repeat_when", empty().repeat_when_on(clock, |_| Some(HOUR)).boxed()),
        ("inside concat", just(1).concat(failing().retry_backoff_on(clock, backoff())).boxed()),
    ]
}

#[test]
fn a_flow_that_is_canceled_takes_its_timer_back() {
    for (name, make) in WAITING {
        let clock = VirtualTime::new();
        let (puppet, source) = Puppet::new();
        let probe = Probe::subscribe_to(make(Flow::from(source), &clock));
        probe.request(u64::MAX);
        let _ = puppet.next(1);
        assert_eq!(clock.n_timers(), 1, "{name} waits");

        probe.cancel();

        assert_eq!(clock.n_timers(), 0, "{name}");
    }
}

#[test]
fn a_flow_that_ends_takes_its_timer_back() {
    for (name, make) in &WAITING[2..] {
        for is_completed in [true, false] {
            let clock = VirtualTime::new();
            let (puppet, source) = Puppet::new();
            let probe = Probe::subscribe_to(make(Flow::from(source), &clock));
            probe.request(u64::MAX);
            let _ = puppet.next(1);
            if is_completed {
                puppet.complete();
            } else {
                puppet.fail(Error::message("no luck"));
            }
            // One whose items wait for their time ends with them.
            clock.advance(HOUR);

            assert!(probe.is_ended(), "{name}");
            assert_eq!(clock.n_timers(), 0, "{name}");
        }
    }
}

#[test]
fn a_flow_that_waits_to_begin_again_takes_its_timer_back() {
    let clock = VirtualTime::new();
    for (name, flow) in again(&clock) {
        let probe = Probe::subscribe_to(flow);
        probe.request(u64::MAX);
        assert_eq!(clock.n_timers(), 1, "{name} waits");

        probe.cancel();

        assert_eq!(clock.n_timers(), 0, "{name}");
    }
}

#[test]
fn a_connection_that_lingers_takes_its_timer_back() {
    let (clock, other) = (VirtualTime::new(), VirtualTime::new());
    let source = timer(&other, HOUR);
    let shared = source.clone().share_with(Sharing::new(4).grace(HOUR, &clock));
    for _ in 0..3 {
        let probe = Probe::subscribe_to(shared.clone());
        assert_eq!(clock.n_timers(), 0);
        probe.request(1);
        probe.cancel();
        assert_eq!(clock.n_timers(), 1);
    }
    // The source ends while nobody is there.
    other.advance(HOUR);
    assert_eq!((clock.n_timers(), other.n_timers()), (0, 0));

    let shared = source.share_with(Sharing::new(4).grace(HOUR, &clock));
    Probe::subscribe_to(shared.clone()).cancel();
    assert_eq!(clock.n_timers(), 1);
    // Nobody can come back.
    drop(shared);
    assert_eq!((clock.n_timers(), other.n_timers()), (0, 0));
}

#[test]
fn a_shutdown_that_is_over_takes_its_timer_back() {
    let (clock, switch) = (VirtualTime::new(), KillSwitch::new());
    let running = never::<u8>().kill_switch(&switch).count();
    assert!(running.shutdown_on(&clock, &switch, HOUR).wait().is_ok());
    assert_eq!(clock.n_timers(), 0);

    let switch = KillSwitch::new();
    let running = never::<u8>().count().shutdown_on(&clock, &switch, HOUR);
    assert_eq!(clock.n_timers(), 1);
    drop(running);
    assert_eq!(clock.n_timers(), 0);
}

/// A thousand flows that end long before their time.
fn end_a_thousand(scheduler: &impl Scheduler) {
    for _ in 0..1_000 {
        let (puppet, source) = Puppet::new();
        let flow = Flow::from(source).timeout(scheduler, HOUR).timeout(scheduler, HOUR).count();
        puppet.next(1).unwrap();
        puppet.complete();
        assert_eq!(flow.wait().unwrap(), 1);
        drop(never::<u8>().timeout(scheduler, HOUR).count());
    }
}

#[test]
fn a_thousand_ended_flows_leave_no_timer() {
    let (pool, here, clock) = (Pool::new(2), CurrentThread::new(), VirtualTime::new());
    end_a_thousand(&pool);
    end_a_thousand(&here);
    end_a_thousand(&clock);

    assert_eq!((pool.n_timers(), here.n_timers(), clock.n_timers()), (0, 0, 0));
}

#[cfg(feature = "tokio")]
#[test]
fn a_thousand_ended_flows_leave_no_task() {
    use millstream::scheduler::Tokio;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        end_a_thousand(&Tokio::try_current().unwrap());
        // Tasks that were aborted, and workers that nobody holds, end when the runtime gets to
        // them.
        let metrics = tokio::runtime::Handle::current().metrics();
        for _ in 0..10_000 {
            if metrics.num_alive_tasks() == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(metrics.num_alive_tasks(), 0);
    });
}
