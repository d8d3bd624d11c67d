//! Subscribers with deliberate mistakes, and legal oddities.

mod oddities;
mod worker;

use std::time::Duration;

use reactive_streams::Subscriber;

use self::worker::{
    Deed::{Cancel, Request},
    End::{Complete, Error},
    Flaw, Pending,
    Place::{Inside, Later, OnAnotherThread},
    Worker,
};
use super::{Culprit, Mistake};
use crate::{Drive, Subject, SubscriberCapabilities, SubscriberProbe, SubscriberSubject};
pub use oddities::ODDITIES;

/// The time that a flawed subscriber blocks, and what it may.
const LONG: Duration = Duration::from_millis(12);
const BUDGET: Duration = Duration::from_millis(4);

/// Makes workers with a flaw.
struct Flawed {
    flaw: Flaw,
    pending: Pending,
}

impl SubscriberSubject for Flawed {
    type Item = u64;

    fn create_subscriber(&self, probe: SubscriberProbe<u64>) -> impl Subscriber<u64> {
        Worker::new(Some(probe), self.flaw, &self.pending)
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn drive(&self) -> Option<Drive> {
        let pending = Pending::clone(&self.pending);
        Some(Box::new(move || worker::drive(&pending)))
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        capabilities(self.flaw)
    }
}

fn capabilities(flaw: Flaw) -> SubscriberCapabilities {
    let capabilities = SubscriberCapabilities::new();
    match flaw {
        Flaw::AtTheEnd(_, _, Later | OnAnotherThread) => capabilities.asynchronous(),
        Flaw::TakesButGoesOn => capabilities.takes(3),
        Flaw::BlocksInOnNext | Flaw::BlocksInOnComplete => capabilities.budget(BUDGET),
        _ => capabilities,
    }
}

fn white(flaw: Flaw) -> Subject {
    Subject::subscriber("flawed", Flawed { flaw, pending: Pending::default() })
}

fn black(flaw: Flaw) -> Subject {
    let pending = Pending::default();
    Subject::black_box_of("flawed", capabilities(flaw), move || Worker::new(None, flaw, &pending))
}

const fn new(
    id: &'static str,
    what: &'static str,
    rules: &'static [&'static str],
    subject: fn() -> Subject,
) -> Mistake {
    Mistake { id, what, rules, culprit: Culprit::Subject(subject) }
}

/// Two publishers that hand over their subscriptions at the same time. A subscriber is moved into
/// `subscribe` and takes signals by `&mut self`, so in safe code nobody can do that to it.
const RACE: &str = "\
1 0 > on_subscribe
2 1 > on_subscribe
1 0 > request 1
1 0 < request 1
2 1 > request 1
2 1 < request 1
1 0 < on_subscribe
2 1 < on_subscribe
";

/// The mistakes of subscribers; `S01` to `S27` are the numbers of the list, `B` marks black boxes.
#[rustfmt::skip]
pub static MISTAKES: &[Mistake] = &[
    new("S01", "never requests", &["2.1"], || white(Flaw::NeverRequests)),
    new("S01B", "never requests", &["2.1"], || black(Flaw::NeverRequests)),
    new("S02", "requests zero items", &["3.9"], || white(Flaw::RequestsZero)),
    new("S03", "requests too few", &["2.1", "3.8"], || white(Flaw::RequestsTooFew)),
    new("S04", "requests in on_complete", &["2.3"], || white(Flaw::AtTheEnd(Complete, Request, Inside))),
    new("S04B", "requests in on_complete", &["2.3"], || black(Flaw::AtTheEnd(Complete, Request, Inside))),
    new("S05", "cancels in on_complete", &["2.3"], || white(Flaw::AtTheEnd(Complete, Cancel, Inside))),
    new("S05B", "cancels in on_complete", &["2.3"], || black(Flaw::AtTheEnd(Complete, Cancel, Inside))),
    new("S06", "requests in on_error", &["2.3"], || white(Flaw::AtTheEnd(Error, Request, Inside))),
    new("S06B", "requests in on_error", &["2.3"], || black(Flaw::AtTheEnd(Error, Request, Inside))),
    new("S07", "cancels in on_error", &["2.3"], || white(Flaw::AtTheEnd(Error, Cancel, Inside))),
    new("S07B", "cancels in on_error", &["2.3"], || black(Flaw::AtTheEnd(Error, Cancel, Inside))),
    new("S08", "requests on another thread in on_complete", &["2.4"], || white(Flaw::AtTheEnd(Complete, Request, OnAnotherThread))),
    new("S08B", "requests on another thread in on_complete", &["2.4"], || black(Flaw::AtTheEnd(Complete, Request, OnAnotherThread))),
    new("S09", "cancels after on_complete", &["2.4"], || white(Flaw::AtTheEnd(Complete, Cancel, Later))),
    new("S10", "requests after on_error", &["2.4"], || white(Flaw::AtTheEnd(Error, Request, Later))),
    new("S11", "cancels on another thread in on_error", &["2.4"], || white(Flaw::AtTheEnd(Error, Cancel, OnAnotherThread))),
    new("S11B", "cancels on another thread in on_error", &["2.4"], || black(Flaw::AtTheEnd(Error, Cancel, OnAnotherThread))),
    new("S12", "does not cancel a second subscription", &["2.5"], || white(Flaw::KeepsQuietAboutASecond)),
    new("S12B", "does not cancel a second subscription", &["2.5"], || black(Flaw::KeepsQuietAboutASecond)),
    new("S13", "replaces its subscription by a second one", &["2.5"], || white(Flaw::ReplacesTheFirst)),
    new("S14", "cancels both subscriptions", &["2.5"], || white(Flaw::CancelsBoth)),
    new("S14B", "cancels both subscriptions", &["2.5"], || black(Flaw::CancelsBoth)),
    new("S15", "requests from a second subscription before it cancels that", &["2.5"], || white(Flaw::RequestsFromTheSecond)),
    new("S15B", "requests from a second subscription before it cancels that", &["2.5"], || black(Flaw::RequestsFromTheSecond)),
    new("S16", "panics on a second subscription", &["2.5"], || white(Flaw::PanicsOnASecond)),
    Mistake { id: "S17", what: "keeps two subscriptions that come at once", rules: &["2.5"], culprit: Culprit::SubscriberTrace(RACE) },
    new("S18", "panics on the first item", &["2.13"], || white(Flaw::PanicsAt(1))),
    new("S18", "panics on the second item", &["2.13"], || white(Flaw::PanicsAt(2))),
    new("S18", "panics on the tenth item", &["2.13"], || white(Flaw::PanicsAt(10))),
    new("S18B", "panics on the first item", &["2.13"], || black(Flaw::PanicsAt(1))),
    new("S18B", "panics on the second item", &["2.13"], || black(Flaw::PanicsAt(2))),
    new("S19", "panics on an item after its cancel", &["2.8"], || white(Flaw::PanicsAfterCancel)),
    new("S20", "panics in on_error", &["2.10"], || white(Flaw::PanicsInOnError)),
    new("S20", "panics in on_complete", &["2.9"], || white(Flaw::PanicsInOnComplete)),
    new("S20", "panics in on_subscribe", &["2.13"], || white(Flaw::PanicsInOnSubscribe)),
    new("S20B", "panics in on_error", &["2.10"], || black(Flaw::PanicsInOnError)),
    new("S21", "requests from two threads at the same time", &["2.7"], || white(Flaw::RequestsFromTwoThreads)),
    new("S22", "blocks in on_next", &["2.2"], || white(Flaw::BlocksInOnNext)),
    new("S22", "blocks in on_complete", &["2.2"], || white(Flaw::BlocksInOnComplete)),
    new("S22B", "blocks in on_next", &["2.2"], || black(Flaw::BlocksInOnNext)),
    new("S23", "loses an item", &["R.3"], || white(Flaw::Loses)),
    new("S23", "processes an item twice", &["R.3"], || white(Flaw::Duplicates)),
    new("S23", "processes another item", &["R.3"], || white(Flaw::Alters)),
    new("S23", "processes items in another order", &["R.3"], || white(Flaw::Reorders)),
    new("S24", "does not cancel when it should", &["2.6"], || white(Flaw::IgnoresItsPuppetsCancel)),
    new("S24B", "goes on with more items than it takes", &["2.6"], || black(Flaw::TakesButGoesOn)),
    new("S25", "lets go of its subscription without a cancel", &["2.6"], || white(Flaw::LetsGoWithoutCancel)),
    new("S26", "requests after its own cancel", &["3.6"], || white(Flaw::RequestsAfterItsCancel)),
    new("S27", "requests zero items later on", &["3.9"], || white(Flaw::RequestsZeroLater)),
    new("S27B", "requests zero items later on", &["3.9"], || black(Flaw::RequestsZeroLater)),
    new("home", "panics when signals come from several threads", &["2.13"], || white(Flaw::StaysOnOneThread)),
    new("swallow", "does not process the error", &["2.10"], || white(Flaw::SwallowsTheError)),
    new("swap", "processes another error than was sent", &["2.10"], || white(Flaw::ReportsAnotherError)),
];
