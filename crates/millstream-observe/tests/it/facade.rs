//! What the crate `metrics` is told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};
use millstream_observe::metrics::record;
use parking_lot::Mutex;

use crate::{inventory, two_stages};

/// The values of counters as they are, of gauges as the bits of their floats.
#[derive(Default)]
struct Values(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Values {
    fn of(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let name = key.name().to_owned() + &labels.collect::<String>();
        Arc::clone(self.0.lock().entry(name).or_default())
    }

    fn get(&self, name: &str) -> u64 {
        self.0.lock().get(name).expect(name).load(Ordering::Relaxed)
    }
}

impl Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn a_recorder_is_told_what_was_counted() {
    let (_time, inventory) = inventory();
    let (registry, probe) = two_stages();
    inventory.flow("main", &registry);
    let values = Values::default();
    for n in 4..=5 {
        probe.request(1);
        with_local_recorder(&values, || record(&inventory));
        let stage = "flow=main stage=read";
        assert_eq!(values.get(&format!("millstream_stage_delivered_items {stage}")), n);
        let ended = values.get(&format!("millstream_stage_ended {stage}"));
        assert_eq!(ended, 0.0_f64.to_bits());
    }
    // Without a recorder nothing happens.
    record(&inventory);
}
