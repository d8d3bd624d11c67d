//! What the inventory knows and says, one question a test.

#[cfg(all(unix, feature = "page"))]
mod crowd;
mod describe;
#[cfg(feature = "facade")]
mod facade;
mod flight;
mod health;
mod inventory;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "page")]
mod page;
mod policies;
mod recipe;
mod stall;
mod watch;

use millstream::{Registry, range, scheduler::VirtualTime};
use millstream_observe::Inventory;
use millstream_testkit::Probe;

/// A flow of two stages, of which the second was asked for 3 items.
fn two_stages() -> (Registry, Probe<u32>) {
    let registry = Registry::new();
    let flow = range(0..9)
        .inspect_demand("read", &registry)
        .map(|n| n + 1)
        .inspect_demand("write", &registry);
    let probe = Probe::subscribe_to(flow);
    probe.request(3);
    (registry, probe)
}

fn inventory() -> (VirtualTime, Inventory) {
    let time = VirtualTime::new();
    let inventory = Inventory::new("program", &time);
    (time, inventory)
}
