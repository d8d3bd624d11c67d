//! What looking costs: a scrape and a snapshot of a thousand stages, against the goal of 5 ms.
//!
//! ```text
//! cargo bench --package millstream-observe --features metrics --bench scrape
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use millstream::{Registry, never, scheduler::VirtualTime};
use millstream_observe::{Inventory, metrics};

fn scrape(criterion: &mut Criterion) {
    let inventory = Inventory::new("large", &VirtualTime::new());
    for flow in 0..100 {
        let registry = Registry::new();
        for stage in 0..10 {
            drop(never::<u8>().inspect_demand(&format!("stage-{stage}"), &registry));
        }
        inventory.flow(&format!("flow-{flow}"), &registry);
    }
    assert_eq!(metrics::text(&inventory).matches("stage_delivered_items_total{").count(), 1000);

    criterion.bench_function("scrape of 1,000 stages", |bench| {
        bench.iter(|| metrics::text(&inventory));
    });
    criterion
        .bench_function("snapshot of 1,000 stages", |bench| bench.iter(|| inventory.snapshot()));
    let mut watch = inventory.watch();
    criterion.bench_function("look at 1,000 stages", |bench| bench.iter(|| watch.look()));
}

criterion_group!(benches, scrape);
criterion_main!(benches);
