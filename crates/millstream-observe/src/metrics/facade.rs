//! Metrics for the recorder of the crate `metrics`.

use metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use super::{families, histograms};
use crate::Inventory;

/// Writes all metrics of an inventory to the recorder that the program has installed for the crate
/// [`metrics`]. Needs the feature `facade`.
///
/// Call it from time to time, such as once a second. A counter is set to what was counted so far,
/// rounded down to a whole number. Of a histogram, which the facade has no way to set, it gives
/// `_count` and `_sum`. Without a recorder it does nothing.
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
    for family in histograms(&snapshot) {
        let (n, sum) = (format!("{}_count", family.name), format!("{}_sum", family.name));
        let help = family.help.into_owned();
        describe_counter!(n.clone(), help.clone());
        describe_gauge!(sum.clone(), help);
        for (labels, times) in family.samples {
            let labels: Vec<_> =
                labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
            counter!(n.clone(), labels.clone()).absolute(times.n());
            gauge!(sum.clone(), labels).set(times.sum().as_secs_f64());
        }
    }
}
