//! Timers that are set and taken back while others are pending, beside peers.
//!
//! Run with `cargo bench -p millstream-benches --bench timers`. The peers take turns, and the
//! median of all rounds counts. What is compared is how the time of one timer grows with the number
//! of those that are pending, and the peers with each other at one number.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use millstream::scheduler::{Scheduled, Scheduler, VirtualTime, Worker};
use millstream_kernel::{Job, Task};
use reactive_streams::Error;
use tokio_util::time::{DelayQueue, delay_queue};

/// A queue of timers.
trait Timers {
    /// What takes a timer back.
    type Key;

    fn set(&mut self, delay: Duration) -> Self::Key;
    fn take_back(&mut self, key: Self::Key);
}

/// Our own, through a scheduler as operators use it.
struct Ours(Worker, Arc<dyn Task>);

struct Nothing;

impl Task for Nothing {
    fn run(&self) {}
    fn abandon(&self, _: Error) {}
}

impl Timers for Ours {
    type Key = Scheduled;

    fn set(&mut self, delay: Duration) -> Scheduled {
        self.0.schedule_after(delay, Job::new(Arc::clone(&self.1)))
    }

    fn take_back(&mut self, key: Scheduled) {
        drop(key);
    }
}

impl Timers for DelayQueue<u64> {
    type Key = delay_queue::Key;

    fn set(&mut self, delay: Duration) -> Self::Key {
        self.insert(1, delay)
    }

    fn take_back(&mut self, key: Self::Key) {
        black_box(self.remove(&key));
    }
}

/// What an ordered map costs, whose steps grow with the logarithm.
#[derive(Default)]
struct Ordered {
    map: BTreeMap<(Duration, u64), u64>,
    n_set: u64,
}

impl Timers for Ordered {
    type Key = (Duration, u64);

    fn set(&mut self, delay: Duration) -> Self::Key {
        self.n_set += 1;
        let key = (delay, self.n_set);
        self.map.insert(key, 1);
        key
    }

    fn take_back(&mut self, key: Self::Key) {
        black_box(self.map.remove(&key));
    }
}

/// Numbers that are far from each other.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % below
    }

    /// Up to an hour.
    fn delay(&mut self) -> Duration {
        Duration::from_micros(self.next(3_600_000_000 >> 1) * 2)
    }
}

/// Nanoseconds to take a timer back and set another one while `n` are pending.
fn measure<T: Timers>(mut timers: T, n: u64, n_steps: u64) -> f64 {
    let mut random = Random(n);
    let mut keys: Vec<_> = (0..n).map(|_| Some(timers.set(random.delay()))).collect();
    let begin = Instant::now();
    for _ in 0..n_steps {
        let place = &mut keys[random.next(n) as usize];
        if let Some(key) = place.take() {
            timers.take_back(key);
        }
        *place = Some(timers.set(random.delay()));
    }
    begin.elapsed().as_nanos() as f64 / n_steps as f64
}

fn main() {
    // Without `--bench` it is run once, to see that it works.
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (n_rounds, n_steps) = if is_smoke { (1, 10) } else { (9, 100_000) };
    let sizes = [1_000, 10_000, 100_000, 1_000_000];
    let sizes = &sizes[..if is_smoke { 1 } else { sizes.len() }];
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return println!("tokio's runtime did not start");
    };
    let _inside = runtime.enter();

    let ours = |n| measure(Ours(VirtualTime::new().worker(), Arc::new(Nothing)), n, n_steps);
    let tokio = |n| measure(DelayQueue::new(), n, n_steps);
    let ordered = |n| measure(Ordered::default(), n, n_steps);
    let peers: [(&str, &dyn Fn(u64) -> f64); 3] =
        [("millstream", &ours), ("tokio_delay_queue", &tokio), ("btree_map", &ordered)];

    println!("| ns a timer | pending | of itself at 1000 | of millstream |");
    println!("|---|---|---|---|");
    let mut first = [0.0; 3];
    for (index, size) in sizes.iter().enumerate() {
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..n_rounds {
            for (times, (_, run)) in times.iter_mut().zip(&peers) {
                times.push(run(*size));
            }
        }
        let medians = times.map(|mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        });
        if index == 0 {
            first = medians;
        }
        for ((name, _), (median, first)) in peers.iter().zip(medians.into_iter().zip(first)) {
            let (grown, ratio) = (median / first, median / medians[0]);
            println!("| `{name}`: {median:.0} | {size} | {grown:.2} | {ratio:.2} |");
        }
    }
}
