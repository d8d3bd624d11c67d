//! Metrics for Prometheus.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet, prometheus_text},
    metrics::MetricType,
    registry::Registry,
};

use super::{Family, HistogramFamily, families, histograms};
use crate::Inventory;

/// Reads an inventory on each scrape, for a registry of `prometheus_client` of the program's own.
#[derive(Clone, Debug)]
pub struct InventoryCollector(Inventory);

/// The media type of [`text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl InventoryCollector {
    /// Of this inventory.
    #[must_use]
    pub fn new(inventory: &Inventory) -> Self {
        Self(inventory.clone())
    }
}

/// All metrics of an inventory now, as Prometheus reads them.
#[must_use]
pub fn text(inventory: &Inventory) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(InventoryCollector::new(inventory)));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _written = prometheus_text::encode(&mut text, &registry);
    text
}

impl Collector for InventoryCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let snapshot = self.0.snapshot();
        families(&snapshot).iter().try_for_each(|family| put(family, &mut encoder))?;
        histograms(&snapshot).iter().try_for_each(|family| put_times(family, &mut encoder))
    }
}

fn put(family: &Family<'_>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let kind = if family.is_counter { MetricType::Counter } else { MetricType::Gauge };
    let mut metric = encoder.encode_descriptor(&family.name, &family.help, None, kind)?;
    for sample in &family.samples {
        let value = sample.value;
        let mut line = metric.encode_family(&sample.labels)?;
        if !family.is_counter {
            line.encode_gauge(&value)?;
        } else if value.fract() == 0.0 && value < 1e15 {
            // A whole number is written as such.
            line.encode_counter::<NoLabelSet, _, u64>(&(value as u64), None)?;
        } else {
            line.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
    }
    Ok(())
}

fn put_times(family: &HistogramFamily<'_>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let (name, help) = (&family.name, &family.help);
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (labels, times) in &family.samples {
        // The encoder adds the one without bound.
        let bounded = times.buckets().filter_map(|(bound, n)| Some((bound?.as_secs_f64(), n)));
        let buckets: Vec<_> = bounded.collect();
        let mut line = metric.encode_family(labels)?;
        let sum = times.sum().as_secs_f64();
        line.encode_histogram::<NoLabelSet>(sum, times.n(), &buckets, None)?;
    }
    Ok(())
}
