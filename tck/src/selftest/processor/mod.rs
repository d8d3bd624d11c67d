//! Processors with deliberate mistakes, and legal oddities.

mod relay;

use std::time::Duration;

use reactive_streams::{BoxPublisher, BoxSubscriber};

use self::relay::{Flaw, PLAIN, Relay, Style};
use super::{Culprit, Mistake, Oddity};
use crate::{Ends, ProcessorCapabilities, ProcessorSubject, Sharing, Subject};

/// Makes relays.
struct Relays {
    style: Style,
    sharing: Sharing,
}

impl ProcessorSubject for Relays {
    type Item = u64;
    type Processor = Relay;

    fn create_processor(&self, _buffer: usize) -> Relay {
        Relay::new(self.style, 1)
    }

    fn create_shared_processor(&self, _buffer: usize, k: usize) -> Option<Ends<u64>> {
        let (front, backs) = Relay::new(self.style, k).into_ends();
        Some((BoxSubscriber::new(front), backs.into_iter().map(BoxPublisher::new).collect()))
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn capabilities(&self) -> ProcessorCapabilities {
        let Style { coordinated, delays_errors, recovers, threaded, .. } = self.style;
        let mut capabilities = ProcessorCapabilities::new().sharing(self.sharing);
        if coordinated {
            capabilities = capabilities.coordinated();
        }
        if delays_errors {
            capabilities = capabilities.delays_errors();
        }
        if recovers {
            capabilities = capabilities.recovers();
        }
        if threaded {
            capabilities = capabilities.asynchronous().quiet(Duration::from_millis(5));
        }
        capabilities
    }
}

const BUFFERING: Style = Style { prefetch: 16, ..PLAIN };

fn relay(style: Style, sharing: Sharing) -> Subject {
    Subject::processor("relay", Relays { style, sharing })
}

fn single(style: Style) -> Subject {
    relay(style, Sharing::Single)
}

fn flawed(flaw: Flaw) -> Subject {
    single(Style { flaw, ..PLAIN })
}

const fn new(
    id: &'static str,
    what: &'static str,
    rules: &'static [&'static str],
    subject: fn() -> Subject,
) -> Mistake {
    Mistake { id, what, rules, culprit: Culprit::Subject(subject) }
}

/// The mistakes of processors. A number after a dot marks a variant.
#[rustfmt::skip]
pub static MISTAKES: &[Mistake] = &[
    new("R01", "drops an item", &["R.3"], || flawed(Flaw::Drops)),
    new("R02", "sends an item twice", &["R.3"], || flawed(Flaw::Duplicates)),
    new("R03", "sends items in another order", &["R.3"], || flawed(Flaw::Reorders)),
    new("R04", "swallows the error", &["4.2"], || flawed(Flaw::SwallowsTheError)),
    new("R05", "completes when its upstream fails", &["4.2"], || flawed(Flaw::CompletesOnError)),
    new("R06.1", "passes an error on only when items are requested", &["4.2"], || flawed(Flaw::ErrorOnRequestOnly)),
    new("R06.2", "passes an error on after waiting items, and does not declare it", &["4.2"],
        || single(Style { flaw: Flaw::DelaysErrors, ..BUFFERING })),
    new("R07", "swallows the end", &["1.5"], || flawed(Flaw::SwallowsTheEnd)),
    new("R08.1", "requests everything, and drops what does not fit", &["R.3"], || flawed(Flaw::RequestsAllAndDrops)),
    new("R08.2", "requests more than it holds", &["R.10"], || flawed(Flaw::RequestsAllAndDrops)),
    new("R09", "overflows its buffer", &["4.1"], || single(Style { flaw: Flaw::OverflowsItsBuffer, prefetch: 32, ..PLAIN })),
    new("R10.1", "requests from its upstream when that completes", &["2.3"], || flawed(Flaw::RequestsAtTheEnd)),
    new("R10.2", "cancels its upstream when that completes", &["2.3"], || flawed(Flaw::CancelsAtTheEnd)),
    new("R11", "accepts a second upstream", &["2.5"], || flawed(Flaw::AcceptsASecondUpstream)),
    new("R12", "keeps a subscriber that has canceled", &["3.13"], || flawed(Flaw::RetainsItsSubscriber)),
    new("R13", "passes an error on to one of its subscribers", &["4.2"],
        || relay(Style { flaw: Flaw::FailsTheFirstOnly, ..BUFFERING }, Sharing::Multicast)),
    new("R14", "recovers, and goes on to use its upstream", &["2.4"],
        || single(Style { flaw: Flaw::RecoversButGoesOn, recovers: true, ..PLAIN })),
    new("R15", "passes on another error than it got", &["4.2"], || flawed(Flaw::ReplacesTheError)),
    new("R16", "never requests", &["2.1"], || flawed(Flaw::NeverRequests)),
    new("R18", "loses demand that is made before its upstream is there", &["2.1", "R.3"], || flawed(Flaw::LosesEarlyDemand)),
    new("R19", "loses a cancel that is made before its upstream is there", &["2.6"], || flawed(Flaw::LosesEarlyCancel)),
    new("R17", "does not pass a cancel on, and does not declare it", &["2.6"], || flawed(Flaw::KeepsItsUpstream)),
];

/// What processors may do although it is unusual.
#[rustfmt::skip]
pub static ODDITIES: &[Oddity] = &[
    Oddity { what: "passes demand through", subject: || single(PLAIN) },
    Oddity { what: "requests in advance", subject: || single(BUFFERING) },
    Oddity { what: "recovers from errors", subject: || single(Style { recovers: true, ..BUFFERING }) },
    Oddity { what: "passes errors on after the items before them", subject: || single(Style { delays_errors: true, ..BUFFERING }) },
    Oddity { what: "sends all its subscribers the same", subject: || relay(BUFFERING, Sharing::Multicast) },
    Oddity { what: "makes its subscribers wait for each other",
        subject: || relay(Style { coordinated: true, ..BUFFERING }, Sharing::Multicast) },
    Oddity { what: "works on a thread of its own", subject: || single(Style { threaded: true, ..BUFFERING }) },
];
