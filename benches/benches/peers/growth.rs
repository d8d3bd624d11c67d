//! Time against size, of items, flows and operators: it grows in proportion.

use std::{
    hint::black_box,
    sync::{Arc, Mutex, PoisonError},
};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use millstream::range;
use millstream_benches::{
    Steered, Total, chain,
    depth::{boxed, maps},
};

use crate::is_smoke;

/// Items of all flows together.
const N_ITEMS: u64 = 1_000_000;

/// From one item to a hundred million.
pub(crate) fn items(c: &mut Criterion) {
    let mut group = c.benchmark_group("growth_items");
    group.sample_size(10);
    for exponent in 0..=if is_smoke() { 2 } else { 8 } {
        let n = 10_u64.pow(exponent);
        group.throughput(Throughput::Elements(n));
        group.bench_with_input(BenchmarkId::new("millstream", n), &n, |b, n| {
            b.iter(|| chain::by_fold(black_box(*n)));
        });
    }
    group.finish();
}

/// A million items in one flow to ten thousand, each of which is asked for 16 in turn.
pub(crate) fn flows(c: &mut Criterion) {
    let mut group = c.benchmark_group("growth_flows");
    group.sample_size(10);
    group.throughput(Throughput::Elements(N_ITEMS));
    for n_flows in [1, 10, 100, 1_000, 10_000] {
        let n_items = if is_smoke() { 1 } else { N_ITEMS / n_flows };
        let subscribed = || {
            let total = Arc::new(Mutex::new(Total::default()));
            for _ in 0..n_flows {
                range(0..n_items).subscribe(Steered::new(&total));
            }
            total
        };
        group.bench_function(BenchmarkId::new("millstream", n_flows), |b| {
            b.iter_batched(subscribed, |total| steer(&total, n_items), BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Asks every flow for 16 items, and again, until all have completed.
fn steer(total: &Mutex<Total>, n_items: u64) -> u64 {
    let lock = || total.lock().unwrap_or_else(PoisonError::into_inner);
    let subscriptions = std::mem::take(&mut lock().subscriptions);
    for _ in 0..n_items.div_ceil(16) {
        for subscription in &subscriptions {
            subscription.request(16);
        }
    }
    lock().sum
}

/// One operator to 64, as one type and with the type erased after each.
pub(crate) fn operators(c: &mut Criterion) {
    let n = if is_smoke() { 100 } else { 100_000 };
    let mut group = c.benchmark_group("growth_operators");
    group.sample_size(10);
    group.throughput(Throughput::Elements(n));
    for depth in [1, 2, 4, 8, 16, 32, 64] {
        group.bench_function(BenchmarkId::new("millstream", depth), |b| {
            b.iter(|| maps(black_box(n), depth));
        });
        group.bench_function(BenchmarkId::new("millstream_boxed", depth), |b| {
            b.iter(|| boxed(black_box(n), depth));
        });
    }
    group.finish();
}
