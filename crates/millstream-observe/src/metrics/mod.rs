//! Metrics of all that an inventory knows, for Prometheus. Needs the feature `metrics`.
//!
//! A scrape reads the policies and flows, which count by themselves: nothing is counted twice, and
//! what is not scraped costs nothing.
//!
//! ```
//! use millstream::{Registry, range, scheduler::VirtualTime};
//! use millstream_observe::{Inventory, metrics};
//!
//! let registry = Registry::new();
//! let flow = range(0..9).inspect_demand("numbers", &registry);
//! let inventory = Inventory::new("squares", &VirtualTime::new());
//! inventory.flow("squares", &registry);
//! flow.count().wait()?;
//!
//! let text = metrics::text(&inventory);
//! let line = "millstream_stage_delivered_items_total{flow=\"squares\",stage=\"numbers\"} 9\n";
//! assert!(text.contains(line));
//! # Ok::<(), millstream::Error>(())
//! ```

mod table;

use std::{collections::BTreeMap, fmt};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet, prometheus_text},
    metrics::MetricType,
    registry::Registry,
};

use self::table::{POLICIES, STAGES};
use crate::{Inventory, PolicyReading, Snapshot, Value};

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
        encode_stages(&snapshot, &mut encoder)?;
        encode_policies(&snapshot, &mut encoder)?;
        encode_values(&snapshot, &mut encoder)
    }
}

fn encode_stages(snapshot: &Snapshot, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    for metric in STAGES {
        let samples = snapshot.flows.iter().flat_map(|flow| {
            let stages =
                flow.stages.iter().filter_map(|stage| Some((stage, (metric.read)(stage)?)));
            stages
                .map(|(stage, value)| (vec![("flow", &*flow.name), ("stage", &*stage.name)], value))
        });
        put(encoder, metric.name, metric.help, metric.is_counter, samples)?;
    }
    Ok(())
}

fn encode_policies(snapshot: &Snapshot, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    for metric in POLICIES {
        let policies = snapshot.policies.iter();
        let samples = policies
            .filter_map(|policy| Some((labels_of(policy), (metric.read)(&policy.reading)?)));
        put(encoder, metric.name, metric.help, metric.is_counter, samples)?;
    }
    let dropped = snapshot.policies.iter().flat_map(|policy| {
        let ledger = policy.reading.ledger.as_ref();
        ledger.into_iter().flat_map(|ledger| &ledger.dropped).map(|(reason, n)| {
            let mut labels = labels_of(policy);
            labels.push(("reason", &**reason));
            (labels, *n as f64)
        })
    });
    let help = "Items or calls that were refused or dropped";
    put(encoder, "millstream_policy_dropped_items", help, true, dropped)
}

/// What single kinds of policies count besides. A name stands for one kind of metric: where it is
/// used for both, the first is written.
fn encode_values(snapshot: &Snapshot, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut by_name: BTreeMap<String, Vec<(&PolicyReading, &Value)>> = BTreeMap::new();
    for policy in &snapshot.policies {
        for value in &policy.reading.values {
            let values = by_name.entry(name_of(&value.name)).or_default();
            if values.first().is_none_or(|(_, first)| first.is_counter == value.is_counter) {
                values.push((policy, value));
            }
        }
    }
    for (name, values) in by_name {
        let is_counter = values.first().is_some_and(|(_, value)| value.is_counter);
        let help = help_of(&name);
        let samples = values.into_iter().map(|(policy, value)| {
            let mut labels = labels_of(policy);
            if !value.part.is_empty() {
                labels.push(("part", &*value.part));
            }
            (labels, value.value)
        });
        put(encoder, &name, &help, is_counter, samples)?;
    }
    Ok(())
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

fn labels_of(policy: &PolicyReading) -> Labels<'_> {
    vec![("kind", &*policy.reading.kind), ("policy", &*policy.name)]
}

/// Writes a metric, unless it has no samples.
#[expect(single_use_lifetimes, reason = "the iterator's items need a name for it")]
fn put<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    is_counter: bool,
    samples: impl Iterator<Item = (Labels<'a>, f64)>,
) -> fmt::Result {
    let mut samples = samples.peekable();
    if samples.peek().is_none() {
        return Ok(());
    }
    let kind = if is_counter { MetricType::Counter } else { MetricType::Gauge };
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in samples {
        let mut sample = metric.encode_family(&labels)?;
        if !is_counter {
            sample.encode_gauge(&value)?;
        } else if value.fract() == 0.0 && value < 1e15 {
            // A whole number is written as such.
            sample.encode_counter::<NoLabelSet, _, u64>(&(value as u64), None)?;
        } else {
            sample.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
    }
    Ok(())
}

/// The name of a policy's value as a metric; what metrics may not have in their names is replaced.
fn name_of(value: &str) -> String {
    let may = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let name = value.chars().map(|char| if may(char) { char } else { '_' });
    "millstream_policy_".chars().chain(name).collect()
}

fn help_of(name: &str) -> String {
    let words = name.trim_start_matches("millstream_policy_").replace('_', " ");
    format!("Of a policy: {words}")
}
