//! Publishers that do unusual things which are allowed.

use std::time::Duration;

use reactive_streams::{BoxPublisher, Error};

use super::{
    numbers::Numbers,
    others::{Failing, Shared, panicking},
    slip::Slip,
};
use crate::{
    AfterCancel, Capabilities, Sharing, Subject,
    reference::{
        empty, failed, items, iterate, multicast, never, on_thread, on_turns, range, split,
    },
    selftest::Oddity,
};

fn odd(slip: Slip, capabilities: Capabilities) -> Subject {
    Subject::of("odd", capabilities, move |len| Numbers { len, slip: Some(slip) })
}

/// Takes long for an item, and says how many of them are worth the time.
const SLOW: Capabilities = Capabilities::new()
    .max_length(12)
    .budget(Duration::from_secs(30))
    .deadline(Duration::from_secs(2));

/// A publisher that takes 1 ms for each item, and does not say how many are worth the time.
#[must_use]
pub fn slow() -> Subject {
    let capabilities = Capabilities::new().asynchronous().deadline(Duration::from_millis(500));
    Subject::of("slow", capabilities, |len| {
        on_thread(Numbers { len, slip: Some(Slip::Dawdles(1)) })
    })
}

/// Every oddity that is known of publishers; none may be taken for a mistake.
#[rustfmt::skip]
pub static ODDITIES: &[Oddity] = &[
    Oddity { what: "completes only when one more item is requested",
        subject: || Subject::of("odd", Capabilities::new(), |n| iterate((0..n).filter(|_| true))) },
    Oddity { what: "calls `on_subscribe` after `subscribe` has returned",
        subject: || Subject::on_turns("odd", Capabilities::new(), |n, turns| on_turns(range(n), turns)) },
    Oddity { what: "calls `on_subscribe` from another thread",
        subject: || Subject::of("odd", Capabilities::new().asynchronous(), |n| on_thread(range(n))) },
    Oddity { what: "sends what was requested after a cancel",
        subject: || odd(Slip::FinishesBatch, Capabilities::new()) },
    Oddity { what: "sends what was requested after a cancel, later",
        subject: || Subject::on_turns("odd", Capabilities::new(), |len, turns| {
            on_turns(Numbers { len, slip: Some(Slip::FinishesBatch) }, turns)
        }) },
    Oddity { what: "completes from within `cancel`, and says so",
        subject: || odd(Slip::CancelCompletes, Capabilities::new().after_cancel(AfterCancel::Terminal)) },
    Oddity { what: "sends nothing after a cancel, and says so",
        subject: || Subject::of("odd", Capabilities::new().after_cancel(AfterCancel::Nothing), range) },
    Oddity { what: "rejects the second subscriber",
        subject: || Subject::publisher("odd", Shared {
            sharing: Sharing::Single,
            second: |_| BoxPublisher::new(failed(Error::message("taken"))),
        }) },
    Oddity { what: "serves each of several subscribers alone",
        subject: || Subject::cloneable("odd", Capabilities::new(), |n| iterate(items(n))) },
    Oddity { what: "serves several subscribers in lock step",
        subject: || Subject::cloneable("odd", Capabilities::new().sharing(Sharing::Multicast), |n| multicast(items(n))) },
    Oddity { what: "sends each item to one of several subscribers",
        subject: || Subject::cloneable("odd", Capabilities::new().sharing(Sharing::Split), |n| split(items(n))) },
    Oddity { what: "sends equal items",
        subject: || Subject::cloneable("odd", Capabilities::new().numbering(crate::Numbering::Any), |n| iterate((0..n).map(|_| 7_u64))) },
    Oddity { what: "serves the initial request",
        subject: || odd(Slip::TakesInitial, Capabilities::new()) },
    Oddity { what: "takes 1 ms for each item, on a thread",
        subject: || Subject::of("odd", Capabilities::new().asynchronous().max_length(2_000).budget(Duration::from_secs(30)).deadline(Duration::from_secs(1)),
            |len| on_thread(Numbers { len, slip: Some(Slip::Dawdles(1)) })) },
    Oddity { what: "takes 15 ms for each item, on a thread",
        subject: || Subject::of("odd", SLOW.asynchronous(), |len| on_thread(Numbers { len, slip: Some(Slip::Dawdles(15)) })) },
    Oddity { what: "takes 15 ms for each item, within `request`", subject: || odd(Slip::Dawdles(15), SLOW) },
    Oddity { what: "sends nothing to two subscribers",
        subject: || Subject::cloneable("odd", Capabilities::new().exact_length(0).never_completes(), |_| never::<u64>()) },
    Oddity { what: "completes at once",
        subject: || Subject::of("odd", Capabilities::new().exact_length(0), |_| empty::<u64>()) },
    Oddity { what: "fails at once",
        subject: || Subject::of("odd", Capabilities::new().fails(), |_| failed::<u64>(Error::message("no"))) },
    Oddity { what: "fails when something is requested",
        subject: || Subject::publisher("odd", Failing(|| BoxPublisher::new(iterate(panicking())))) },
    Oddity { what: "never ends",
        subject: || Subject::of("odd", Capabilities::new().exact_length(u64::MAX).never_completes(), |_| range(u64::MAX)) },
    Oddity { what: "answers `request(0)` in its own words",
        subject: || odd(Slip::ZeroOtherText, Capabilities::new()) },
];
