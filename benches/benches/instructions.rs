//! Our hot loops, for callgrind, which counts their instructions: a number that no other work on
//! the machine changes.
//!
//! `cargo xtask instructions` runs this and compares the counts with a table. Alone, it runs each
//! case once, or those that are named. Every case is run for few items and for many, so that the
//! cost of an item and that of a subscription come apart.

#![expect(clippy::print_stdout, reason = "the names of the cases, in their order")]

use std::{cell::RefCell, env, hint::black_box, sync::Arc, thread::LocalKey, time::Duration};

use millstream::{
    Order, Publisher, from_iter, range,
    scheduler::{Immediate, Scheduled, Scheduler, VirtualTime, Worker},
};
use millstream_benches::{chain, hubs, keep, map, sum};
use millstream_kernel::{Job, Task};
use reactive_streams::Error;

/// The two sizes.
const FEW: u64 = 1_024;
const MANY: u64 = 9_216;

/// A case: its name, and what runs so many items.
type Case = (&'static str, fn(u64) -> u64);

const CASES: [Case; 26] = [
    ("loop", chain::by_loop),
    ("fold", chain::by_fold),
    ("unbounded", |n| chain::by_millstream(n, 0)),
    ("request_1", |n| chain::by_millstream(n, 1)),
    ("request_16", |n| chain::by_millstream(n, 16)),
    ("request_256", |n| chain::by_millstream(n, 256)),
    ("from_iter", |n| total(from_iter(0..n).map(map))),
    ("take", |n| total(range(0..).map(map).take(n))),
    ("scan", |n| total(range(0..n).scan(0, |_, n| Some(map(n))))),
    ("boxed", |n| total(range(0..n).boxed().map(map).boxed())),
    ("limit_rate", |n| total(range(0..n).limit_rate(256))),
    ("publish_on", |n| total(range(0..n).publish_on(&Immediate).capacity(256))),
    ("concat_map", |n| total(range(0..n).concat_map(|n| range(n..n + 1)))),
    ("flat_map", |n| total(range(0..n).flat_map(|n| range(n..n + 1)).concurrency(16).prefetch(32))),
    ("concat_map_of_many", |n| total(range(0..n / 128).concat_map(|n| range(n..n + 128)))),
    ("flat_map_iter", |n| total(range(0..n).flat_map_iter(|n| n..n + 1))),
    ("map_async", |n| {
        let flow = range(0..n).filter(|n| keep(*n));
        total(flow.map_async_on(&Immediate, 64, Order::Source, |n| async move { n }))
    }),
    ("hub_unicast", hubs::by_unicast),
    ("hub_unicast_filled", hubs::by_unicast_filled),
    ("hub_merge", hubs::by_merge),
    ("hub_merge_filled", hubs::by_merge_filled),
    ("hub_multicast_4", hubs::by_multicast),
    ("share_4", hubs::by_share),
    ("timer_of_10_000", |n| timers(&OF_10_000, n)),
    ("timer_of_100_000", |n| timers(&OF_100_000, n)),
    ("timer_of_1_000_000", |n| timers(&OF_1_000_000, n)),
];

/// Timers that are pending. They are set by the first run of a case, which is not counted.
struct Pending {
    worker: Worker,
    timers: Vec<Option<Scheduled>>,
    random: u64,
}

struct Nothing;

impl Task for Nothing {
    fn run(&self) {}
    fn abandon(&self, _: Error) {}
}

thread_local! {
    static OF_10_000: RefCell<Pending> = Pending::set(10_000);
    static OF_100_000: RefCell<Pending> = Pending::set(100_000);
    static OF_1_000_000: RefCell<Pending> = Pending::set(1_000_000);
}

impl Pending {
    fn set(n: usize) -> RefCell<Self> {
        let mut pending =
            Self { worker: VirtualTime::new().worker(), timers: Vec::new(), random: 1 };
        for _ in 0..n {
            let timer = pending.timer();
            pending.timers.push(Some(timer));
        }
        RefCell::new(pending)
    }

    /// A number below `n`, far from the one before.
    fn random(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % n
    }

    /// A timer that is due within an hour.
    fn timer(&mut self) -> Scheduled {
        let delay = Duration::from_micros(self.random(1_800_000_000) * 2);
        self.worker.schedule_after(delay, Job::new(Arc::new(Nothing)))
    }
}

/// Takes any one of the pending timers back and sets another, `n` times.
fn timers(pending: &'static LocalKey<RefCell<Pending>>, n: u64) -> u64 {
    pending.with_borrow_mut(|pending| {
        for _ in 0..n {
            let index = pending.random(pending.timers.len() as u64) as usize;
            // The former one is taken back where it is dropped.
            pending.timers[index] = None;
            pending.timers[index] = Some(pending.timer());
        }
        pending.timers.len() as u64
    })
}

fn total(flow: impl Publisher<Item = u64>) -> u64 {
    sum(flow, 0)
}

/// What callgrind counts: it is told this function's name.
#[inline(never)]
fn counted(run: fn(u64) -> u64, n: u64) -> u64 {
    black_box(run(black_box(n)))
}

fn main() {
    // Those named in the command line, or all; cargo adds options.
    let named: Vec<String> = env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    for (name, run) in CASES {
        if !named.is_empty() && !named.iter().any(|other| other == name) {
            continue;
        }
        // What is made once in a process is made here, and not counted.
        black_box(run(black_box(FEW)));
        for n in [FEW, MANY] {
            counted(run, n);
            println!("{name} {n}");
        }
    }
}
