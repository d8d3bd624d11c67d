//! Metrics for the recorder of the crate `metrics`.

use metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use super::families;
use crate::Inventory;

/// Writes all metrics of an inventory to the recorder that the program has installed for the crate
/// [`metrics`]. Needs the feature `facade`.
///
/// Call it from time to time, such as once a second. A counter is set to what was counted so far,
/// rounded down to a whole number. Without a recorder it does nothing.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream::{MissedTick, interval, scheduler::VirtualTime};
/// use millstream_observe::{Inventory, metrics};
///
/// let clock = VirtualTime::new();
/// let inventory = Inventory::new("shop", &clock);
/// let seconds = interval(&clock, Duration::from_secs(1), MissedTick::Skip);
/// let recording = seconds.for_each(move |_| metrics::record(&inventory));
/// # clock.advance(Duration::from_secs(3));
/// # drop(recording);
/// ```
pub fn record(inventory: &Inventory) {
    let snapshot = inventory.snapshot();
    for family in families(&snapshot) {
        let (name, help) = (family.name.into_owned(), family.help.into_owned());
        if family.is_counter {
            describe_counter!(name.clone(), help);
        } else {
            describe_gauge!(name.clone(), help);
        }
        for sample in family.samples {
            let labels = sample.labels.iter();
            let labels: Vec<_> =
                labels.map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
            if family.is_counter {
                counter!(name.clone(), labels).absolute(sample.value as u64);
            } else {
                gauge!(name.clone(), labels).set(sample.value);
            }
        }
    }
}
