//! Time by criterion, peers beside us: one file for each subject. Those from threads to threads are
//! in `turns`.
//!
//! Run all with `cargo bench -p millstream-benches --bench peers`, one with
//! `cargo bench -p millstream-benches --bench peers -- flatten`. All peers of a group do the same
//! work in one run; compare them with each other, not with numbers from elsewhere.

mod chain;
mod demand;
mod first_item;
mod flatten;
mod group_by;
mod growth;
mod in_flight;

use std::{hint::black_box, time::Duration};

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime,
};

/// Times `run` for `n` items as `name`, after it has given the right sum.
fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    n: u64,
    expected: u64,
    run: impl Fn(u64) -> u64,
) {
    assert_eq!(run(n), expected, "{name}");
    group.bench_with_input(BenchmarkId::new(name, n), &n, |b, n| b.iter(|| run(black_box(*n))));
}

/// Whether the benchmarks are run once, to see that they work: the large sizes are left out.
fn is_smoke() -> bool {
    !std::env::args().any(|argument| argument == "--bench")
        || std::env::args().any(|argument| argument == "--test")
}

/// The sizes that this run takes.
fn sizes(all: &[u64]) -> &[u64] {
    if is_smoke() { &all[..1] } else { all }
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args()
}

criterion_group!(
    name = subjects;
    config = short();
    targets = chain::bench, chain::depth, demand::bench, flatten::bench, flatten::across_threads,
        group_by::bench, in_flight::bench, in_flight::concurrency, first_item::bench, growth::items,
        growth::flows, growth::operators
);
criterion_main!(subjects);
