//! Metrics by OpenTelemetry: each is an instrument that reads the inventory when it is asked.
//!
//! `cargo run -p millstream-observe --example opentelemetry` prints what an exporter gets. A
//! program puts the exporter of its collector, such as `opentelemetry-otlp`, in place of the one
//! in memory.

use std::error::Error;

use millstream::{Registry, range, scheduler::VirtualTime};
use millstream_observe::{Inventory, metrics::families};
use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Meter, MeterProvider as _},
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};

/// Has `meter` read each metric that `inventory` has now, whenever its reader collects.
fn observe(inventory: &Inventory, meter: &Meter) {
    let snapshot = inventory.snapshot();
    for family in families(&snapshot) {
        let (inventory, name) = (inventory.clone(), family.name.to_string());
        let read = move |instrument: &dyn AsyncInstrument<f64>| {
            let snapshot = inventory.snapshot();
            let families = families(&snapshot).into_iter();
            for sample in families.filter(|family| family.name == name).flat_map(|f| f.samples) {
                let labels = sample.labels.into_iter();
                let attributes: Vec<_> =
                    labels.map(|(name, value)| KeyValue::new(name, value.to_owned())).collect();
                instrument.observe(sample.value, &attributes);
            }
        };
        let (name, help) = (family.name.into_owned(), family.help.into_owned());
        if family.is_counter {
            let counter = meter.f64_observable_counter(name).with_description(help);
            counter.with_callback(read).build();
        } else {
            let gauge = meter.f64_observable_gauge(name).with_description(help);
            gauge.with_callback(read).build();
        }
    }
}

/// Runs a flow, and returns what was exported of it.
pub(crate) fn exported() -> Result<Vec<String>, Box<dyn Error>> {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();

    let registry = Registry::new();
    let flow = range(0..9).inspect_demand("numbers", &registry);
    let inventory = Inventory::new("squares", &VirtualTime::new());
    inventory.flow("squares", &registry);
    observe(&inventory, &provider.meter("millstream"));
    flow.count().wait()?;
    provider.force_flush()?;

    let exports = exporter.get_finished_metrics()?;
    let scopes = exports.iter().flat_map(|export| export.scope_metrics());
    let mut lines = Vec::new();
    for metric in scopes.flat_map(|scope| scope.metrics()) {
        let values: Vec<f64> = match metric.data() {
            AggregatedMetrics::F64(MetricData::Sum(sum)) => {
                sum.data_points().map(|point| point.value()).collect()
            }
            AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                gauge.data_points().map(|point| point.value()).collect()
            }
            _ => Vec::new(),
        };
        lines.push(format!("{} {values:?}", metric.name()));
    }
    provider.shutdown()?;
    Ok(lines)
}

#[expect(clippy::print_stdout, reason = "what is exported, for who reads it")]
fn main() -> Result<(), Box<dyn Error>> {
    exported()?.iter().for_each(|line| println!("{line}"));
    Ok(())
}
