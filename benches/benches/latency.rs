//! How long one item takes across threads, when the next is asked for only after it has arrived.
//!
//! Run with `cargo bench -p millstream-benches --bench latency`. Each item carries the time of its
//! making; it is recorded where the item arrives. Each run has threads of its own, but for those of
//! tokio's tasks. The last column is the p99 of the median run, because the system has the threads
//! of some runs on one processor.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and peers need threads"
)]

use std::{thread, time::Instant};

use hdrhistogram::Histogram;
use millstream::{Order, range, scheduler::Pool};
use millstream_benches::record::{self, Record};

/// Nanoseconds, with three digits, without those of a run's first items.
struct Times {
    histogram: Histogram<u64>,
    /// How many items more are not counted.
    n_to_skip: u64,
}

const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];

fn histogram() -> Histogram<u64> {
    // Up to a minute, which holds whatever a busy machine does.
    Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap_or_else(|error| panic!("{error}"))
}

impl Times {
    /// Of a run of `n` items, whose first fifth is not counted.
    fn of(n: u64) -> Self {
        Self { histogram: histogram(), n_to_skip: n / 5 }
    }

    fn note(&mut self, sent: Instant) {
        let time = u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        match self.n_to_skip.checked_sub(1) {
            Some(n) => self.n_to_skip = n,
            None => self.histogram.saturating_record(time),
        }
    }
}

/// A queue of one place asks for the next item when this one is taken.
fn by_publish_on(n: u64) -> Times {
    let pool = Pool::new(2);
    let flow =
        range(0..n).map(|_| Instant::now()).subscribe_on(&pool).publish_on(&pool).capacity(1);
    let outcome = flow.fold(Times::of(n), |mut times, sent| {
        times.note(sent);
        times
    });
    outcome.wait().unwrap_or_else(|error| panic!("{error}"))
}

/// Two threads, two channels: items one way, requests the other.
fn between_threads<R>(
    n: u64,
    mut send: impl FnMut(Instant) + Send + 'static,
    mut receive: impl FnMut() -> Instant,
    mut request: impl FnMut(),
    mut requested: R,
) -> Times
where
    R: FnMut() + Send + 'static,
{
    let producer = thread::spawn(move || {
        for _ in 0..n {
            requested();
            send(Instant::now());
        }
    });
    let mut times = Times::of(n);
    for _ in 0..n {
        request();
        times.note(receive());
    }
    drop(producer.join());
    times
}

fn by_crossbeam(n: u64) -> Times {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let (request, requests) = crossbeam_channel::bounded(1);
    between_threads(
        n,
        move |item| _ = sender.send(item),
        || receiver.recv().unwrap_or_else(|error| panic!("{error}")),
        || _ = request.send(()),
        move || _ = requests.recv(),
    )
}

fn by_tokio(n: u64) -> Times {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (request, mut requests) = tokio::sync::mpsc::channel(1);
    between_threads(
        n,
        move |item| _ = sender.blocking_send(item),
        || receiver.blocking_recv().unwrap_or_else(|| panic!("the producer stopped")),
        || _ = request.blocking_send(()),
        move || _ = requests.blocking_recv(),
    )
}

fn by_tokio_tasks(n: u64, runtime: &tokio::runtime::Runtime) -> Times {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (request, mut requests) = tokio::sync::mpsc::channel(1);
    let _producer = runtime.spawn(async move {
        while requests.recv().await.is_some() {
            if sender.send(Instant::now()).await.is_err() {
                return;
            }
        }
    });
    let consumer = runtime.spawn(async move {
        let mut times = Times::of(n);
        for _ in 0..n {
            _ = request.send(()).await;
            if let Some(sent) = receiver.recv().await {
                times.note(sent);
            }
        }
        times
    });
    runtime.block_on(consumer).unwrap_or_else(|error| panic!("{error}"))
}

/// The same over a future on a worker, for comparison with the tasks of a runtime.
fn by_map_async(n: u64) -> Times {
    let pool = Pool::new(2);
    let flow = range(0..n).subscribe_on(&pool).map(|_| Instant::now()).map_async_on(
        &pool,
        1,
        Order::Source,
        |sent| async move { sent },
    );
    let outcome = flow.fold(Times::of(n), |mut times, sent| {
        times.note(sent);
        times
    });
    outcome.wait().unwrap_or_else(|error| panic!("{error}"))
}

fn main() {
    // Without `--bench` it is run once, to see that it works.
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (n, n_rounds) = if is_smoke { (100, 1) } else { (20_000, 30) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let Ok(runtime) = runtime else { return println!("tokio's runtime did not start") };
    let peers: [(&str, &dyn Fn(u64) -> Times); 5] = [
        ("millstream_publish_on", &by_publish_on),
        ("millstream_map_async", &by_map_async),
        ("crossbeam_channel", &by_crossbeam),
        ("tokio_mpsc_threads", &by_tokio),
        ("tokio_mpsc_tasks", &|n| by_tokio_tasks(n, &runtime)),
    ];

    // The peers take turns, so that what else the machine does meets all of them.
    let mut all: Vec<_> = peers.iter().map(|_| (histogram(), histogram())).collect();
    for _ in 0..n_rounds {
        for ((_, run), (all, p99s)) in peers.iter().zip(&mut all) {
            let times = run(n).histogram;
            p99s.saturating_record(times.value_at_quantile(0.99));
            all.add(times).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    let mut record = Record::new();
    println!("{:24} {:>10} {:>10} {:>10} {:>10}", "ns an item", "p50", "p99", "p99.9", "of a run");
    for ((name, _), (times, p99s)) in peers.iter().zip(&all) {
        print!("{name:24}");
        for (label, quantile) in QUANTILES {
            let time = times.value_at_quantile(quantile);
            print!(" {time:>10}");
            record.insert(format!("{name} {label}"), time as f64);
        }
        let p99 = p99s.value_at_quantile(0.5);
        println!(" {p99:>10}");
        record.insert(format!("{name} run"), p99 as f64);
    }
    if !is_smoke && let Err(error) = record::keep("latency", &record) {
        println!("not kept: {error}");
    }
}
