//! Metrics of all that an inventory knows: [`families`] and [`histograms`] for any exporter, for
//! Prometheus by the feature `metrics`, and for the crate `metrics` by the feature `facade`.
//!
//! An export reads the policies and flows, which count by themselves: nothing is counted twice,
//! and what is not exported costs nothing.
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
//! let snapshot = inventory.snapshot();
//! let families = metrics::families(&snapshot);
//! assert_eq!(families[0].name, "millstream_stage_delivered_items");
//! assert_eq!(families[0].samples[0].labels, [("flow", "squares"), ("stage", "numbers")]);
//! assert_eq!(families[0].samples[0].value, 9.0);
//! # Ok::<(), millstream::Error>(())
//! ```

#[cfg(feature = "facade")]
mod facade;
mod families;
mod histograms;
#[cfg(feature = "metrics")]
mod prometheus;
mod table;

#[cfg(feature = "facade")]
pub use self::facade::record;
pub use self::families::{Family, Sample, families};
pub use self::histograms::{HistogramFamily, histograms};
#[cfg(feature = "metrics")]
pub use self::prometheus::{CONTENT_TYPE, InventoryCollector, text};
