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
pub use oddities::{ODDITIES, slow};

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

/// The mistakes of subscribers. `b` marks black boxes, and a number after a dot a variant.
#[rustfmt::skip]
pub static MISTAKES: &[Mistake] = &[
    new("S01", "never requests", &["2.1"], || white(Flaw::NeverRequests)),
    new("S01b", "never requests", &["2.1"], || black(Flaw::NeverRequests)),
    new("S02", "requests zero items", &["3.9"], || white(Flaw::RequestsZero)),
    new("S03", "requests too few", &["2.1", "3.8"], || white(Flaw::RequestsTooFew)),
    new("S04", "requests in on_complete", &["2.3"], || white(Flaw::AtTheEnd(Complete, Request, Inside))),
    new("S04b", "requests in on_complete", &["2.3"], || black(Flaw::AtTheEnd(Complete, Request, Inside))),
    new("S05", "cancels in on_complete", &["2.3"], || white(Flaw::AtTheEnd(Complete, Cancel, Inside))),
    new("S05b", "cancels in on_complete", &["2.3"], || black(Flaw::AtTheEnd(Complete, Cancel, Inside))),
    new("S06", "requests in on_error", &["2.3"], || white(Flaw::AtTheEnd(Error, Request, Inside))),
    new("S06b", "requests in on_error", &["2.3"], || black(Flaw::AtTheEnd(Error, Request, Inside))),
    new("S07", "cancels in on_error", &["2.3"], || white(Flaw::AtTheEnd(Error, Cancel, Inside))),
    new("S07b", "cancels in on_error", &["2.3"], || black(Flaw::AtTheEnd(Error, Cancel, Inside))),
    new("S08", "requests on another thread in on_complete", &["2.4"], || white(Flaw::AtTheEnd(Complete, Request, OnAnotherThread))),
    new("S08b", "requests on another thread in on_complete", &["2.4"], || black(Flaw::AtTheEnd(Complete, Request, OnAnotherThread))),
    new("S09", "cancels after on_complete", &["2.4"], || white(Flaw::AtTheEnd(Complete, Cancel, Later))),
    new("S10", "requests after on_error", &["2.4"], || white(Flaw::AtTheEnd(Error, Request, Later))),
    new("S11", "cancels on another thread in on_error", &["2.4"], || white(Flaw::AtTheEnd(Error, Cancel, OnAnotherThread))),
    new("S11b", "cancels on another thread in on_error", &["2.4"], || black(Flaw::AtTheEnd(Error, Cancel, OnAnotherThread))),
    new("S12", "does not cancel a second subscription", &["2.5"], || white(Flaw::KeepsQuietAboutASecond)),
    new("S12b", "does not cancel a second subscription", &["2.5"], || black(Flaw::KeepsQuietAboutASecond)),
    new("S13", "replaces its subscription by a second one", &["2.5"], || white(Flaw::ReplacesTheFirst)),
    new("S14", "cancels both subscriptions", &["2.5"], || white(Flaw::CancelsBoth)),
    new("S14b", "cancels both subscriptions", &["2.5"], || black(Flaw::CancelsBoth)),
    new("S15", "requests from a second subscription before it cancels that", &["2.5"], || white(Flaw::RequestsFromTheSecond)),
    new("S15b", "requests from a second subscription before it cancels that", &["2.5"], || black(Flaw::RequestsFromTheSecond)),
    new("S16", "panics on a second subscription", &["2.5"], || white(Flaw::PanicsOnASecond)),
    Mistake { id: "S17", what: "keeps two subscriptions that come at once", rules: &["2.5"], culprit: Culprit::SubscriberTrace(RACE) },
    new("S18.1", "panics on the first item", &["2.13"], || white(Flaw::PanicsAt(1))),
    new("S18.2", "panics on the second item", &["2.13"], || white(Flaw::PanicsAt(2))),
    new("S18.3", "panics on the tenth item", &["2.13"], || white(Flaw::PanicsAt(10))),
    new("S18b.1", "panics on the first item", &["2.13"], || black(Flaw::PanicsAt(1))),
    new("S18b.2", "panics on the second item", &["2.13"], || black(Flaw::PanicsAt(2))),
    new("S19", "panics on an item after its cancel", &["2.8"], || white(Flaw::PanicsAfterCancel)),
    new("S20.1", "panics in on_error", &["2.10"], || white(Flaw::PanicsInOnError)),
    new("S20.2", "panics in on_complete", &["2.9"], || white(Flaw::PanicsInOnComplete)),
    new("S20.3", "panics in on_subscribe", &["2.13"], || white(Flaw::PanicsInOnSubscribe)),
    new("S20b", "panics in on_error", &["2.10"], || black(Flaw::PanicsInOnError)),
    new("S21", "requests from two threads at the same time", &["2.7"], || white(Flaw::RequestsFromTwoThreads)),
    new("S22.1", "blocks in on_next", &["2.2"], || white(Flaw::BlocksInOnNext)),
    new("S22.2", "blocks in on_complete", &["2.2"], || white(Flaw::BlocksInOnComplete)),
    new("S22b", "blocks in on_next", &["2.2"], || black(Flaw::BlocksInOnNext)),
    new("S23.1", "loses an item", &["R.3"], || white(Flaw::Loses)),
    new("S23.2", "processes an item twice", &["R.3"], || white(Flaw::Duplicates)),
    new("S23.3", "processes another item", &["R.3"], || white(Flaw::Alters)),
    new("S23.4", "processes items in another order", &["R.3"], || white(Flaw::Reorders)),
    new("S24", "does not cancel when it should", &["2.6"], || white(Flaw::IgnoresItsPuppetsCancel)),
    new("S24b", "goes on with more items than it takes", &["2.6"], || black(Flaw::TakesButGoesOn)),
    new("S25", "lets go of its subscription without a cancel", &["2.6"], || white(Flaw::LetsGoWithoutCancel)),
    new("S26", "requests after its own cancel", &["3.6"], || white(Flaw::RequestsAfterItsCancel)),
    new("S27", "requests zero items later on", &["3.9"], || white(Flaw::RequestsZeroLater)),
    new("S27b", "requests zero items later on", &["3.9"], || black(Flaw::RequestsZeroLater)),
    new("S28", "panics when signals come from several threads", &["2.13"], || white(Flaw::StaysOnOneThread)),
    new("S29", "does not process the error", &["2.10"], || white(Flaw::SwallowsTheError)),
    new("S31", "requests again what `initial_request` took", &["R.11"], || white(Flaw::AsksTwice)),
    new("S31b", "requests again what `initial_request` took", &["R.11"], || black(Flaw::AsksTwice)),
    new("S32b", "requests nothing more after seven items", &["2.1"], || black(Flaw::StopsAfter(7))),
    new("S33b", "forgets its fifth request", &["2.1"], || black(Flaw::ForgetsRequest(5))),
    new("S30", "processes another error than was sent", &["2.10"], || white(Flaw::ReportsAnotherError)),
];
