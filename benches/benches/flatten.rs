//! Many flows into one, by the length of the flows, beside `futures`.
//!
//! Run with `cargo bench -p millstream-benches --bench flatten`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream_benches::flatten::{
    by_concat_map, by_flat_map, by_flat_map_sequential, by_flatten_unordered, by_zip,
    by_zip_of_streams,
};

/// Flows of one item show what a flow costs, long ones what an item costs.
fn flatten(c: &mut Criterion) {
    let mut group = c.benchmark_group("flatten");
    let n = 1_000_000;
    group.throughput(Throughput::Elements(n)).sample_size(10);
    for len in [1_u64, 1_000] {
        let mut bench = |name: &str, run: fn(u64, u64) -> u64| {
            assert_eq!(run(n, len), by_concat_map(n, len), "{name}");
            group.bench_with_input(BenchmarkId::new(name, len), &len, |b, len| {
                b.iter(|| run(black_box(n), *len));
            });
        };
        bench("flat_map", by_flat_map);
        bench("flat_map_sequential", by_flat_map_sequential);
        bench("concat_map", by_concat_map);
        bench("futures_flatten_unordered", by_flatten_unordered);
    }
    group.finish();
}

fn zip(c: &mut Criterion) {
    let mut group = c.benchmark_group("zip");
    let n = 1_000_000;
    assert_eq!(by_zip(n), by_zip_of_streams(n));
    group.throughput(Throughput::Elements(n)).sample_size(10);
    group.bench_function("zip", |b| b.iter(|| by_zip(black_box(n))));
    group.bench_function("futures_zip", |b| b.iter(|| by_zip_of_streams(black_box(n))));
    group.finish();
}

criterion_group!(benches, flatten, zip);
criterion_main!(benches);
