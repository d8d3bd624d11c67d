//! What can be changed on the page.

use millstream_observe::page::Controls;

use super::{Policy, shop::Shop};

/// The load, the till and the policy of the queue.
pub(super) fn of(shop: &Shop) -> Controls {
    let (load, till) = (shop.parts(), shop.parts());
    let (load_now, till_now) = shop.rates();
    let controls = Controls::new()
        .slider("load", "Orders a second", (100.0, 50_000.0), load_now, move |rate| {
            load.set_load(rate)
        })
        .slider("till", "The till takes a second", (100.0, 50_000.0), till_now, move |rate| {
            till.set_till(rate)
        });
    Policy::ALL.into_iter().fold(controls, |controls, policy| {
        let parts = shop.parts();
        let label = format!("When full: {}", policy.name());
        controls.button(policy.name(), &label, move || parts.set_policy(policy))
    })
}
