//! Publishers with deliberate mistakes, and publishers with legal oddities.

mod numbers;
mod oddities;
mod others;
mod slip;

use std::time::Duration;

use numbers::Numbers;
pub use oddities::{ODDITIES, slow};
use others::{Alteration, Altered, Failing, Shared};
use reactive_streams::BoxPublisher;
use slip::Slip;

use super::{Culprit, Mistake};
use crate::{
    Capabilities, Sharing, Subject,
    reference::{iterate, on_turns},
};

/// What these subjects declare. None of them is waited for, but for one that is stuck.
const PLAIN: Capabilities = Capabilities::new();

fn slipping(slip: Slip, capabilities: Capabilities) -> Subject {
    Subject::of("mistaken", capabilities, move |len| Numbers { len, slip: Some(slip) })
}

fn numbers(slip: Slip) -> Subject {
    slipping(slip, PLAIN)
}

/// As `numbers`, with so little patience that a call which sleeps is late.
fn slow_numbers(slip: Slip) -> Subject {
    slipping(slip, PLAIN.budget(Duration::from_millis(10)))
}

fn late(pause: Duration) -> Subject {
    Subject::of("mistaken", PLAIN.asynchronous(), move |n| others::Late { len: n, pause })
}

fn later(slip: Slip) -> Subject {
    Subject::on_turns("mistaken", PLAIN, move |len, turns| {
        on_turns(Numbers { len, slip: Some(slip) }, turns)
    })
}

fn shared(sharing: Sharing, second: fn(u64) -> BoxPublisher<u64>) -> Subject {
    Subject::publisher("mistaken", Shared { sharing, second })
}

fn failing(create: fn() -> BoxPublisher<u64>) -> Subject {
    Subject::publisher("mistaken", Failing(create))
}

fn altered(alteration: Alteration) -> Subject {
    let create = move |n| Altered { publisher: iterate(0..n), alteration };
    Subject::of("mistaken", PLAIN.deadline(Duration::from_millis(200)), create)
}

const fn new(
    id: &'static str,
    rules: &'static [&'static str],
    subject: fn() -> Subject,
    what: &'static str,
) -> Mistake {
    Mistake { id, what, rules, culprit: Culprit::Subject(subject) }
}

/// Nothing of the kind compiles in safe code, so somebody else's recorded trace shows it.
const fn recorded(
    id: &'static str,
    rules: &'static [&'static str],
    trace: &'static str,
    what: &'static str,
) -> Mistake {
    Mistake { id, what, rules, culprit: Culprit::Trace(trace) }
}

/// A trace that begins with a subscription and demand for nine items.
macro_rules! trace {
    ($($line:literal)*) => {
        concat!(
            "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 9\n1 0 < request 9\n",
            $($line, "\n"),*
        )
    };
}

/// Every mistake that is known of publishers; each has to be found by one of its rules.
#[rustfmt::skip]
pub static MISTAKES: &[Mistake] = &[
    new("M01", &["1.1"], || numbers(Slip::OverByOne), "sends one item more than requested"),
    new("M02", &["1.1"], || later(Slip::OverByOne), "sends one item more than requested, later"),
    new("M03", &["1.1"], || numbers(Slip::UnrequestedOnSubscribe), "sends an item before any request"),
    new("M04", &["1.1"], || numbers(Slip::IgnoresDemand), "ignores demand"),
    new("M05", &["3.8"], || numbers(Slip::NeverEmits), "never sends an item"),
    new("M06", &["1.5"], || numbers(Slip::NeverCompletes), "never completes"),
    new("M07", &["1.5"], || numbers(Slip::CompletesTooEarly), "completes with items missing"),
    new("M08", &["1.5"], || numbers(Slip::FailsInsteadOfCompleting), "fails in place of completing"),
    new("M09", &["1.5"], || slipping(Slip::NeverCompletes, PLAIN.exact_length(0)), "is empty and never completes"),
    new("M10", &["1.5"], || Subject::of("mistaken", PLAIN.exact_length(0), |_| iterate(0_u64..1)), "is empty and sends an item"),
    recorded("M11", &["1.3"], trace!("1 1 > on_next" "1 2 > on_next" "1 1 < on_next" "1 2 < on_next"),
        "sends items from two threads at once (the signals take `&mut self`)"),
    recorded("M12", &["1.3"],
        "1 0 > on_subscribe\n1 0 > request 1\n1 0 < request 1\n1 1 > on_next\n1 0 < on_subscribe\n1 1 < on_next\n",
        "sends an item while `on_subscribe` runs (the signals take `&mut self`)"),
    recorded("M13", &["1.3"],
        "1 0 > on_subscribe\n1 0 > request 2\n1 0 > on_next\n1 0 < on_next\n1 1 > on_next\n1 1 < on_next\n1 0 < request 2\n1 0 < on_subscribe\n",
        "sends an item while `on_subscribe` runs, after one from within it (the signals take `&mut self`)"),
    recorded("M14", &["1.7"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > on_complete" "1 0 < on_complete"),
        "completes twice (`on_complete` takes `self`)"),
    recorded("M15", &["1.7"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > request 1" "1 0 > on_complete" "1 0 < on_complete"),
        "completes again when something is requested (`on_complete` takes `self`)"),
    recorded("M16", &["1.7"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > on_next" "1 0 < on_next"),
        "sends an item after it completed (`on_complete` takes `self`)"),
    recorded("M17", &["1.7"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > cancel" "1 0 < cancel" "1 1 > on_next"),
        "sends an item after it completed, later and from another thread (`on_complete` takes `self`)"),
    recorded("M18", &["1.7"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > on_error" "1 0 < on_error"),
        "fails after it completed (`on_complete` takes `self`)"),
    recorded("M19", &["1.7"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > request 1" "1 0 < request 1" "1 1 > on_error"),
        "fails after it completed, later and from another thread (`on_complete` takes `self`)"),
    recorded("M20", &["1.7"], trace!("1 0 > on_error" "1 0 < on_error" "1 0 > on_next" "1 0 < on_next"),
        "sends an item after it failed (`on_error` takes `self`)"),
    recorded("M21", &["1.7"], trace!("1 0 > on_error" "1 0 < on_error" "1 0 > on_complete" "1 0 < on_complete"),
        "completes after it failed (`on_error` takes `self`)"),
    recorded("M22", &["1.7"], trace!("1 0 > on_error" "1 0 < on_error" "1 0 > on_error" "1 0 < on_error"),
        "fails twice (`on_error` takes `self`)"),
    new("M23", &["1.1"], || numbers(Slip::UnrequestedBeforeError), "sends an item that nobody requested, and then the error that answers `request(0)`"),
    new("M24", &["1.8"], || numbers(Slip::CancelCompletes), "completes from within `cancel`"),
    new("M24", &["1.8"], || numbers(Slip::CancelFails), "fails from within `cancel`"),
    new("M24", &["1.8"], || numbers(Slip::CancelEmits), "sends an item from within `cancel`"),
    new("M25", &["1.8", "3.12"], || later(Slip::EmitsWithoutDemandAfterCancel), "sends what is left after a cancel, requested or not"),
    new("M26", &["3.12"], || numbers(Slip::IgnoresCancel), "ignores the cancel"),
    new("M27", &["1.9"], || numbers(Slip::NoOnSubscribe), "never calls `on_subscribe`"),
    new("M28", &["1.9"], || numbers(Slip::OnSubscribeTwice), "calls `on_subscribe` twice"),
    new("M29", &["1.9"], || numbers(Slip::SignalBeforeOnSubscribe), "sends an item before `on_subscribe`"),
    new("M30", &["1.9"], || numbers(Slip::SubscribePanics), "panics in `subscribe`, before `on_subscribe`"),
    new("M31", &["1.9"], || numbers(Slip::SubscribePanicsAfterwards), "panics in `subscribe`, after `on_subscribe`"),
    new("M32", &["1.9"], || shared(Sharing::Each, |n| others::slipping(n, Slip::NoOnSubscribe)), "ignores the second subscriber"),
    new("M33", &["1.9"], || shared(Sharing::Each, |n| others::slipping(n, Slip::SubscribePanics)), "panics when a second subscriber comes"),
    new("M34", &["1.4"], || failing(others::silent), "fails and says nothing"),
    new("M35", &["1.4"], || failing(others::completing), "fails and completes"),
    recorded("M36", &["1.7"], "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_error\n1 0 < on_error\n1 0 > on_error\n",
        "fails at once, twice (`on_error` takes `self`)"),
    recorded("M37", &["1.7"], "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_error\n1 0 < on_error\n1 0 > on_complete\n",
        "fails at once and then completes (`on_error` takes `self`)"),
    recorded("M38", &["1.7"], "1 0 > on_subscribe\n1 0 > request 1\n1 0 < request 1\n1 0 < on_subscribe\n1 0 > on_error\n1 0 < on_error\n1 0 > on_next\n",
        "fails at once and then sends an item (`on_error` takes `self`)"),
    recorded("M39", &["1.7"], "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_error\n1 0 < on_error\n1 0 > cancel\n1 0 < cancel\n1 1 > on_error\n",
        "fails at once and again later, from another thread (`on_error` takes `self`)"),
    new("M40", &["3.2"], || numbers(Slip::DropsRequestsInOnSubscribe), "loses what is requested from within `on_subscribe`"),
    new("M41", &["3.2"], || numbers(Slip::DropsRequestsInOnNext), "loses what is requested from within `on_next`"),
    recorded("M42", &["3.3"], trace!("1 0 > on_next" "1 0 > request 1" "1 0 > on_next" "1 0 > request 1" "1 0 > on_next"),
        "sends an item from within a `request` that comes from within `on_next` (the signals take `&mut self`)"),
    new("M43", &["3.4"], || slow_numbers(Slip::RequestBlocks), "blocks in `request`"),
    new("M44", &["3.5"], || slow_numbers(Slip::CancelBlocks), "blocks in `cancel`"),
    new("M45", &["3.6"], || numbers(Slip::RequestRevives), "sends what is requested after a cancel"),
    new("M46", &["3.7"], || numbers(Slip::SecondCancelPanics), "panics in a second `cancel`"),
    new("M46", &["3.7"], || numbers(Slip::SecondCancelSignals), "completes from within a second `cancel`"),
    new("M47", &["3.8"], || numbers(Slip::ReplacesDemand), "replaces demand in place of adding to it"),
    new("M48", &["3.8"], || numbers(Slip::LosesConcurrentRequests), "loses demand when two threads request"),
    new("M49", &["3.9"], || numbers(Slip::IgnoresZero), "ignores `request(0)`"),
    new("M50", &["3.9"], || numbers(Slip::ZeroIsOne), "takes `request(0)` for `request(1)`"),
    new("M51", &["3.9"], || numbers(Slip::ZeroPanics), "panics in `request(0)`"),
    new("M52", &["3.9"], || numbers(Slip::ZeroWrongError), "answers `request(0)` with another error"),
    new("M53", &["3.13"], || numbers(Slip::KeepsSubscriberAfterCancel), "keeps the subscriber after a cancel"),
    recorded("M54", &["3.13"], trace!("1 0 > on_complete" "1 0 < on_complete" "1 0 > settled"),
        "keeps the subscriber after it completed (`on_complete` takes `self`)"),
    new("M55", &["3.15"], || numbers(Slip::CancelPanics), "panics in `cancel`"),
    new("M56", &["3.16"], || numbers(Slip::RequestPanics), "panics in `request`"),
    new("M57", &["3.17"], || numbers(Slip::OverflowFails), "fails when demand overflows"),
    new("M58", &["3.17"], || numbers(Slip::OverflowStalls), "sends nothing more when demand has overflowed"),
    new("M59", &["3.17"], || numbers(Slip::Truncates), "keeps demand in 32 bits"),
    new("M60", &["3.17"], || numbers(Slip::IgnoresMaximum), "ignores a request for the maximum"),
    new("M61", &["3.17"], || numbers(Slip::TakesRequests(32)), "takes 32 requests"),
    new("M61", &["3.17"], || numbers(Slip::TakesRequests(50_000)), "takes 50 000 requests"),
    new("M65", &["R.11"], || numbers(Slip::CountsInitialTwice), "counts the initial request twice"),
    new("M66", &["R.11"], || numbers(Slip::LosesInitial), "takes the initial request and forgets it"),
    new("M67", &["R.11"], || numbers(Slip::OneOverInitial), "sends one item more than the initial request"),
    new("M68", &["R.11"], || numbers(Slip::TakesInitialLate), "takes the initial request after `on_subscribe`"),
    new("M69", &["3.17"], || numbers(Slip::CapsDemand(1_000)), "serves 1,000 items of a request"),
    new("M69", &["3.17"], || numbers(Slip::CapsDemand(70_000)), "serves 70,000 items of a request"),
    new("M70", &["3.3"], || numbers(Slip::Recurses), "uses more stack with each item"),
    new("M71", &["3.8"], || numbers(Slip::ForgetsRequestsMeanwhile), "forgets what another thread requests while it sends an item"),
    new("M72", &["R.3"], || numbers(Slip::Repeats), "sends an item again"),
    new("M73", &["R.3"], || numbers(Slip::Swaps), "sends items in another order"),
    new("M74", &["1.1"], || late(Duration::from_millis(50)), "sends an item that nobody requested, 50 ms later"),
    new("M74", &["1.1"], || late(Duration::from_millis(90)), "sends an item that nobody requested, 90 ms later"),
    new("M62", &["1.11"], || shared(Sharing::Multicast, |n| BoxPublisher::new(iterate((0..n).rev()))), "sends other items to the second subscriber than to the first"),
    new("M63", &["2.13"], || numbers(Slip::GoesOnAfterPanic), "goes on after the subscriber has panicked"),
    new("M64", &["1.4"], || failing(others::muffled), "swallows the panic of its source"),
    new("R.1", &["R.1"], || altered(Alteration::Cycle), "is held by a subscriber that it holds"),
    new("R.3", &["R.3"], || Subject::of("mistaken", PLAIN, others::leaking), "loses items"),
    new("R.6", &["3.4"], || altered(Alteration::Locks), "holds a lock while it sends, which `request` takes as well"),
    new("R.8", &["R.8"], || numbers(Slip::IgnoresFinished), "ignores that the subscriber has finished"),
    new("R.9", &["R.9"], || numbers(Slip::SkippedUsesDemand), "counts a skipped item as delivered"),
    new("P.1", &["3.2", "3.8"], || slipping(Slip::DropsLargeRequestInSecondOnNext, PLAIN.cases(500)), "loses a request for more than two items from within the second `on_next`"),
];
