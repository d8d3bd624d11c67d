//! Polls sized by what the workers can do in time.

use std::time::Duration;

use millstream::{Flow, range, scheduler::VirtualTime};
use millstream_pressure::{
    BrokerConfig, FlowExt as _, MemoryBroker, Policy as _, PollBound, PollConfig, PollSizer,
    Settings as _,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

#[path = "../../../examples/slow_consumer.rs"]
mod slow_consumer;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn sizer(config: PollConfig, time: &VirtualTime) -> PollSizer {
    PollSizer::new("test", config, time).unwrap()
}

/// Has an item take so long.
fn measure(sizer: &PollSizer, time: &VirtualTime, took: Duration) {
    let mut polled = sizer.track(());
    polled.start();
    time.advance(took);
    polled.finish();
}

#[test]
fn the_naive_form_polls_its_maximum_and_has_items_delivered_again() {
    let naive = slow_consumer::naive().unwrap();
    let sized = slow_consumer::sized().unwrap();
    let (polls, at_max) = naive.polls;
    assert!(at_max * 10 > polls * 9, "practically always at its maximum: {naive:?}");
    assert!(naive.redelivered > 500 && naive.late > 500, "{naive:?}");
    assert_eq!((sized.redelivered, sized.late, sized.polls.1), (0, 0, 0), "{sized:?}");
    assert!(sized.most_held < 200 && sized.took < naive.took, "{sized:?} beside {naive:?}");
}

#[test]
fn each_bound_decides_in_its_turn() {
    let time = VirtualTime::new();
    let config = PollConfig { workers: 2, max: 50, interval: 10 * SECOND, ..PollConfig::default() };
    let sizer = sizer(config, &time);
    let size = |demand, left| {
        let size = sizer.size_within(demand, left);
        (size.n, size.bound)
    };
    assert_eq!(size(9, SECOND), (2, PollBound::Unmeasured));
    assert_eq!(size(1, SECOND), (1, PollBound::Demand));
    measure(&sizer, &time, 40 * MS);
    assert_eq!(size(u64::MAX, SECOND), (40, PollBound::Workers));
    assert_eq!(size(u64::MAX, SECOND / 2), (20, PollBound::TimeLeft));
    assert_eq!(size(3, SECOND / 2), (3, PollBound::Demand));
    assert_eq!(size(u64::MAX, Duration::ZERO), (0, PollBound::TimeLeft));
    assert_eq!(size(0, SECOND), (0, PollBound::Demand));
    // What is here already counts.
    let held: Vec<_> = (0..39).map(|n| sizer.track(n)).collect();
    assert_eq!(size(u64::MAX, SECOND), (1, PollBound::Workers));
    drop(held);
    // Items that take no time: the maximum.
    sizer.reconfigure(PollConfig { history: 1, ..config }).unwrap();
    measure(&sizer, &time, Duration::ZERO);
    assert_eq!(size(u64::MAX, SECOND), (50, PollBound::Max));
    assert_eq!(sizer.snapshot().at_max, 1);
}

#[test]
fn each_worker_has_one_in_work_and_one_behind_it() {
    let time = VirtualTime::new();
    let config = PollConfig { workers: 3, ahead: MS, ..PollConfig::default() };
    let sizer = sizer(config, &time);
    measure(&sizer, &time, SECOND);
    assert_eq!(sizer.size(u64::MAX).n, 6);
}

#[test]
fn where_one_item_takes_longer_than_there_is_time_one_is_polled_at_a_time() {
    let time = VirtualTime::new();
    let config = PollConfig { workers: 1, interval: SECOND, ..PollConfig::default() };
    let sizer = sizer(config, &time);
    measure(&sizer, &time, 5 * SECOND);
    assert_eq!(sizer.size(u64::MAX).n, 1);
    let polled = sizer.track(());
    assert_eq!(sizer.size(u64::MAX).n, 0);
    drop(polled);
}

#[test]
fn a_flow_polls_in_steps_and_gives_back_what_did_not_come() {
    let time = VirtualTime::new();
    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    broker.publish_all(0..1_000);
    let sizer = sizer(PollConfig { workers: 2, ..PollConfig::default() }, &time);
    measure(&sizer, &time, 100 * MS); // 16 may be here
    let probe = Probe::subscribe_to(broker.flow().size_polls(&sizer));
    probe.request(u64::MAX);
    let mut items = probe.take_items();
    assert_eq!(items.len(), 16);
    // Three of 16 are not worth a poll, and four are.
    items.drain(..3).for_each(|polled| polled.finish().ack());
    assert_eq!(probe.n_items(), 16);
    items.drain(..1).for_each(|polled| polled.finish().ack());
    assert_eq!(probe.n_items(), 20);
    // More workers have room for more.
    let more = PollConfig { workers: 4, ..PollConfig::default() };
    sizer.reconfigure(more).unwrap();
    assert_eq!(probe.n_items(), 36);
    probe.cancel();
    drop((items, probe.take_items()));
    let snapshot = sizer.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.reserved), (0, 0));
}

#[test]
fn what_a_source_does_not_have_is_given_back_when_it_ends() {
    let time = VirtualTime::new();
    let sizer = sizer(PollConfig { workers: 8, ..PollConfig::default() }, &time);
    let n = range(0..3).size_polls(&sizer).map(|polled| polled.finish()).count();
    assert_eq!(n.wait().unwrap(), 3);
    assert_eq!((sizer.snapshot().in_flight, sizer.snapshot().reserved), (0, 0));
}

#[test]
fn flows_that_share_a_sizer_share_what_it_allows() {
    let time = VirtualTime::new();
    let sizer = sizer(PollConfig { workers: 4, ..PollConfig::default() }, &time);
    let source = || -> Flow<_> { range(0..100) };
    let one = Probe::subscribe_to(source().size_polls(&sizer));
    one.request(100);
    let other = Probe::subscribe_to(source().size_polls(&sizer));
    other.request(100);
    assert_eq!((one.n_items(), other.n_items()), (4, 0));
    drop(one.take_items());
    assert_eq!(one.n_items() + other.n_items(), 8);
    one.cancel();
    drop(one.take_items());
    assert!(other.n_items() > 0);
}

#[test]
fn a_worker_that_panics_or_gives_up_leaves_no_trace() {
    let time = VirtualTime::new();
    let sizer = sizer(PollConfig::default(), &time);
    let mut polled = sizer.track(());
    polled.start();
    time.advance(SECOND);
    drop(polled);
    drop(sizer.track(()).run(|()| std::future::pending::<()>()));
    let snapshot = sizer.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.measured, snapshot.service), (0, 0, None));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = PollConfig::default();
    for (config, name) in [
        (PollConfig { workers: 0, ..config }, "workers"),
        (PollConfig { max: 0, ..config }, "max"),
        (PollConfig { interval: Duration::ZERO, ..config }, "interval"),
        (PollConfig { ahead: Duration::ZERO, ..config }, "ahead"),
        (PollConfig { headroom: 0.0, ..config }, "headroom"),
        (PollConfig { headroom: f64::NAN, ..config }, "headroom"),
        (PollConfig { history: 0, ..config }, "history"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
    let time = VirtualTime::new();
    let extreme = PollConfig {
        workers: u32::MAX,
        max: u64::MAX,
        interval: Duration::MAX,
        ahead: Duration::MAX,
        ..config
    };
    let sizer = sizer(extreme, &time);
    measure(&sizer, &time, Duration::from_nanos(1));
    assert!(sizer.size(u64::MAX).n > 1 << 60);
}

/// What may happen to a consumer.
#[derive(Clone, Debug)]
enum Act {
    Poll { demand: u64, left_ms: u64 },
    Start(usize),
    Finish(usize),
    Drop(usize),
    Advance(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..100_u64, 0..3_000_u64).prop_map(|(demand, left_ms)| Act::Poll { demand, left_ms }),
        3 => (0..40_usize).prop_map(Act::Start),
        3 => (0..40_usize).prop_map(Act::Finish),
        1 => (0..40_usize).prop_map(Act::Drop),
        3 => (0..300_u64).prop_map(Act::Advance),
    ]
}

proptest! {
    #[test]
    fn it_does_what_a_plain_list_of_times_says(
        workers in 1..6_u32,
        acts in prop::collection::vec(act(), 1..120),
    ) {
        let time = VirtualTime::new();
        let config = PollConfig { workers, max: 40, history: 5, ..PollConfig::default() };
        let sizer = sizer(config, &time);
        let mut here = Vec::new();
        // The service times, the latest last.
        let mut times: Vec<Duration> = Vec::new();
        for act in acts {
            match act {
                Act::Poll { demand, left_ms } => {
                    let size = sizer.size_within(demand, Duration::from_millis(left_ms));
                    let last = &times[times.len().saturating_sub(5)..];
                    let mean = last.iter().sum::<Duration>().as_secs_f64() / last.len() as f64;
                    let done_in = |ms: u64| {
                        let n = ms as f64 / 1e3 * 0.8 * f64::from(workers) / mean;
                        if n.is_nan() { u64::MAX } else { n as u64 }
                    };
                    let workers = u64::from(workers);
                    let target = if last.is_empty() {
                        workers
                    } else {
                        done_in(left_ms).min(done_in(1_000).max(2 * workers))
                    };
                    let mut free = target.saturating_sub(here.len() as u64);
                    if here.is_empty() && left_ms > 0 {
                        free = free.max(1);
                    }
                    let n = free.min(40).min(demand);
                    // The mean here is not rounded to nanoseconds.
                    prop_assert!(size.n.abs_diff(n) <= 1, "{size:?} instead of {n}");
                    here.extend((0..size.n).map(|_| (sizer.track(()), None)));
                }
                Act::Start(n) => {
                    if let Some((polled, started)) = here.get_mut(n) {
                        polled.start();
                        *started = Some(time.now());
                    }
                }
                Act::Finish(n) => {
                    if n < here.len() {
                        let (polled, started) = here.swap_remove(n);
                        polled.finish();
                        times.extend(started.map(|started| time.now() - started));
                    }
                }
                Act::Drop(n) => {
                    if n < here.len() {
                        drop(here.swap_remove(n));
                    }
                }
                Act::Advance(ms) => time.advance(Duration::from_millis(ms)),
            }
            prop_assert_eq!(sizer.snapshot().in_flight, here.len() as u64);
            prop_assert_eq!(sizer.snapshot().measured, times.len() as u64);
        }
    }
}
