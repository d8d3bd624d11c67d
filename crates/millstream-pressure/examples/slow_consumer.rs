//! A consumer whose items suddenly take forty times as long, with two ways to size its polls, in
//! virtual time.
//!
//! `cargo run --release -p millstream-pressure --example slow_consumer`

#![allow(clippy::print_stdout, reason = "a program that says what it found")]

use std::{
    error::Error,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use millstream::{Flow, Order, scheduler::VirtualTime};
use millstream_pressure::{
    BrokerAck, BrokerConfig, BrokerSnapshot, Clock, Delivery, FlowExt as _, FromBroker,
    MemoryBroker, Meter, Metered, Policy as _, PollConfig, PollSizer, Reason,
};

const WORKERS: u32 = 2;

/// The most items of a poll.
const MAX: u64 = 500;

/// Within this time the broker wants an item to be acknowledged.
const VISIBILITY: Duration = Duration::from_secs(300);

/// How many items there are.
const ITEMS: u64 = 12_000;

/// How many have room in front of the workers.
const ROOM: usize = 2_000;

/// How long an item takes that a worker begins with at this moment: for twenty minutes the database
/// behind them is slow.
fn service(now: Duration) -> Duration {
    let is_slow = (10..1_210).contains(&now.as_secs());
    Duration::from_millis(if is_slow { 400 } else { 10 })
}

/// Polls of `interval / mean * 0.8` items, of a maximum at most: the form in many guides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naive(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    mean: Option<f64>,
    polls: u64,
    at_max: u64,
}

impl Naive {
    /// As many items as it polls now.
    fn n(&self) -> u64 {
        let mean = self.0.lock().expect("no code panics under it").mean;
        mean.map_or(MAX, |mean| ((VISIBILITY.as_secs_f64() / mean * 0.8) as u64).clamp(1, MAX))
    }

    fn measured(&self, took: Duration) {
        let mut counts = self.0.lock().expect("no code panics under it");
        let before = counts.mean.unwrap_or(took.as_secs_f64());
        counts.mean = Some(before + 0.01 * (took.as_secs_f64() - before));
    }
}

impl Meter for Naive {
    type Turn = ();
    type Out<T> = T;

    fn poll(&self, _: &mut (), wanted: u64, _: &mut Context<'_>) -> Poll<Result<u64, Reason>> {
        let n = self.n();
        let mut counts = self.0.lock().expect("no code panics under it");
        counts.polls += 1;
        counts.at_max += u64::from(n == MAX);
        Poll::Ready(Ok(n.min(wanted)))
    }

    fn refund(&self, _: u64) {}

    fn pass<T>(&self, item: T) -> T {
        item
    }
}

/// What came of a way to poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Items that were delivered more than once.
    pub(crate) redelivered: u64,
    /// Acknowledgements that came when the broker had given the item to another.
    pub(crate) late: u64,
    /// The most that were polled and not done.
    pub(crate) most_held: usize,
    /// Polls, and those of the maximum.
    pub(crate) polls: (u64, u64),
    /// When all were done.
    pub(crate) took: Duration,
}

type Broker = MemoryBroker<u64>;

fn broker(time: &VirtualTime) -> Result<Broker, Box<dyn Error>> {
    let config = BrokerConfig { visibility: VISIBILITY, max_attempts: 1_000 };
    let broker = MemoryBroker::new("orders", config, time)?;
    broker.publish_all(0..ITEMS);
    broker.close();
    Ok(broker)
}

/// Runs until all are acknowledged, and an hour at most.
fn run_out(time: &VirtualTime, broker: &Broker) -> (BrokerSnapshot, Duration) {
    let start = time.now();
    while broker.snapshot().acked < ITEMS && time.now() < Duration::from_secs(3_600) {
        time.advance(Duration::from_millis(10));
    }
    (broker.snapshot(), time.now() - start)
}

fn outcome(snapshot: &BrokerSnapshot, polls: (u64, u64), took: Duration) -> Outcome {
    let &BrokerSnapshot { redelivered, late, most_in_flight: most_held, .. } = snapshot;
    Outcome { redelivered, late, most_held, polls, took }
}

/// Polls by the naive form.
///
/// # Errors
///
/// Never.
pub(crate) fn naive() -> Result<Outcome, Box<dyn Error>> {
    let (time, naive) = (VirtualTime::new(), Naive::default());
    let broker = broker(&time)?;
    let source: Flow<Metered<FromBroker<u64>, Naive>> =
        Metered::new(broker.flow().into_inner(), naive.clone());
    let (clock, meter) = (Clock::of(&time), naive.clone());
    let work = move |delivery: Delivery<u64, BrokerAck<u64>>| {
        let (clock, meter) = (clock.clone(), meter.clone());
        async move {
            let took = service(clock.now());
            clock.sleep_until(clock.after(took)).await;
            meter.measured(took);
            delivery.ack();
        }
    };
    let done = source.limit_rate(ROOM);
    let done = done.map_async_on(&time, WORKERS as usize, Order::Completion, work).count();
    let (snapshot, took) = run_out(&time, &broker);
    drop(done);
    let counts = naive.0.lock().expect("no code panics under it");
    Ok(outcome(&snapshot, (counts.polls, counts.at_max), took))
}

/// Polls by what the workers can do in time.
///
/// # Errors
///
/// Never.
pub(crate) fn sized() -> Result<Outcome, Box<dyn Error>> {
    let time = VirtualTime::new();
    let broker = broker(&time)?;
    let config =
        PollConfig { workers: WORKERS, max: MAX, interval: VISIBILITY, ..PollConfig::default() };
    let sizer = PollSizer::new("orders", config, &time)?;
    let clock = Clock::of(&time);
    let work = move |delivery: Delivery<u64, BrokerAck<u64>>| {
        let clock = clock.clone();
        async move {
            clock.sleep_until(clock.after(service(clock.now()))).await;
            delivery.ack();
        }
    };
    let done = broker.flow().size_polls(&sizer).limit_rate(ROOM);
    let done = done
        .map_async_on(&time, WORKERS as usize, Order::Completion, move |polled| {
            polled.run(work.clone())
        })
        .count();
    let (snapshot, took) = run_out(&time, &broker);
    drop(done);
    let polls = sizer.snapshot();
    Ok(outcome(&snapshot, (polls.polls, polls.at_max), took))
}

/// Compares them.
///
/// # Errors
///
/// If standard output cannot be written.
#[allow(dead_code, reason = "the test uses the rest")]
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    println!("{ITEMS} items, {WORKERS} workers; for 20 minutes an item takes 400 ms, not 10\n");
    println!("| polls | done after | delivered again | most held | polls, at the maximum |");
    println!("|---|---|---|---|---|");
    for (name, outcome) in [("naive", naive()?), ("sized", sized()?)] {
        let Outcome { redelivered, most_held, polls: (polls, at_max), took, .. } = outcome;
        let took = took.as_secs_f64();
        println!("| {name} | {took:.1} s | {redelivered} | {most_held} | {polls}, {at_max} |");
    }
    Ok(())
}
