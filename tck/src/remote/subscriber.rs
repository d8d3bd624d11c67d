//! A subscriber in another process.

use std::sync::Arc;

use reactive_streams::{Error, ErrorKind, Offer, Subscription};

use super::{
    case::Case,
    message::{Answered, Message, Verb},
    pool::Pool,
    publisher::mode,
};
use crate::{
    play::{
        deliberate_error,
        probe::{Identify, Listener, Recorder},
        upstream::Target,
    },
    subject::{ErasedSubscriber, Made, Puppet, Reports, SubscriberCapabilities, SubscriberProbe},
    sync::lock,
    trace::Answer,
};

/// How it is known what a subscriber has processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reporting {
    /// It says so.
    Itself,
    /// What it was sent counts as processed.
    Around,
    /// It is not.
    Not,
}

pub(super) fn erased(
    pool: &Arc<Pool>,
    subject: &str,
    capabilities: SubscriberCapabilities,
    reporting: Reporting,
    offers: bool,
) -> ErasedSubscriber {
    let (pool, subject) = (Arc::clone(pool), subject.to_owned());
    let create = move |recorder: &Recorder| {
        let open = Message {
            call: Some(Verb::Open),
            subject: Some(subject.clone()),
            ..Message::default()
        };
        let Some(case) = pool.open(recorder, open) else {
            recorder.fail_harness("the process does not know the subject that it offered");
            return None;
        };
        let reports = (reporting != Reporting::Not).then(|| Reports::new(recorder));
        let probe = reports.as_ref().map(|reports| SubscriberProbe::new(reports, &identify()));
        let around = match (reporting, probe) {
            (Reporting::Around, probe) => probe,
            (Reporting::Itself, Some(probe)) => {
                case.report_to(Arc::new(Reporter {
                    probe,
                    puppet: Puppeteer(Arc::downgrade(&case)),
                }));
                None
            }
            _ => None,
        };
        // It also keeps the case, of which more may be reported once the subscriber was told the
        // end.
        let mode = Some(mode(&case, capabilities.asynchronous));
        let target = Box::new(RemoteTarget::new(&case, around, offers));
        Some(Made { target, mode, reports })
    };
    ErasedSubscriber {
        capabilities,
        reports: reporting != Reporting::Not,
        create: Arc::new(create),
    }
}

/// Items of other processes are their numbers.
pub(super) fn identify() -> Identify<u64> {
    Arc::new(|item| Some(*item))
}

/// A subscriber end in another process.
pub(super) struct RemoteTarget {
    case: Arc<Case>,
    /// Reports for a subscriber that knows nothing of that.
    around: Option<SubscriberProbe<u64>>,
    has_one: bool,
    offers: bool,
    next: u64,
}

impl RemoteTarget {
    pub(super) fn new(
        case: &Arc<Case>,
        around: Option<SubscriberProbe<u64>>,
        offers: bool,
    ) -> Self {
        Self { case: Arc::clone(case), around, has_one: false, offers, next: 0 }
    }

    fn signal(&self, verb: Verb, with: impl FnOnce(Message) -> Message) -> Message {
        self.case.ask_or_panic(with(self.case.call(verb)))
    }
}

impl Target for RemoteTarget {
    fn initial_request(&mut self) -> u64 {
        match self.offers {
            true => self.signal(Verb::InitialRequest, |call| call).n.unwrap_or(0),
            false => 0,
        }
    }

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let is_first = !std::mem::replace(&mut self.has_one, true);
        if let (true, Some(probe)) = (is_first, &self.around) {
            // Weak, so that the TCK sees when the subscriber itself lets go of it.
            probe.on_subscribe(Arc::downgrade(&subscription));
        }
        let id = self.case.give(subscription);
        self.signal(Verb::OnSubscribe, |call| Message { subscription: Some(id), ..call });
    }

    fn prepare(&mut self, index: u64) -> Option<u64> {
        self.next = index;
        Some(index)
    }

    fn on_next(&mut self) {
        if let Some(probe) = &self.around {
            probe.on_next(&self.next);
        }
        self.signal(Verb::OnNext, |call| Message { item: Some(self.next), ..call });
    }

    fn offer(&mut self) -> Offer {
        if !self.offers {
            self.on_next();
            return Offer::Accepted;
        }
        let reply = self.signal(Verb::Offer, |call| Message { item: Some(self.next), ..call });
        match reply.answer {
            None => Offer::Accepted,
            Some(Answered::Skipped) => Offer::Skipped,
            Some(Answered::Finished) => Offer::Finished,
        }
    }

    fn on_error(self: Box<Self>, error: Error) {
        if let Some(probe) = &self.around {
            probe.on_error(&error);
        }
        let illegal = error.kind() == ErrorKind::IllegalRequest;
        let ours = deliberate_error::number(&error).is_some();
        self.signal(Verb::OnError, |call| Message { illegal, ours, ..call });
    }

    fn on_complete(self: Box<Self>) {
        if let Some(probe) = &self.around {
            probe.on_complete();
        }
        self.signal(Verb::OnComplete, |call| call);
    }

    fn trigger(&mut self, n: u64) {
        self.signal(Verb::Trigger, |call| Message { n: Some(n), ..call });
    }
}

impl Drop for RemoteTarget {
    fn drop(&mut self) {
        let dropped = self.case.ask(self.case.call(Verb::Drop));
        self.case.forget();
        if let (Ok(reply), false) = (dropped, std::thread::panicking())
            && reply.has_thrown()
        {
            std::panic::resume_unwind(Box::new(reply.text.unwrap_or_default()));
        }
    }
}

/// Passes on what a subscriber says to have processed.
pub(super) struct Reporter<P> {
    pub(super) probe: SubscriberProbe<u64>,
    pub(super) puppet: P,
}

/// Makes a subscriber act, in the other process.
#[derive(Clone)]
struct Puppeteer(std::sync::Weak<Case>);

impl Puppeteer {
    fn ask(&self, verb: Verb, n: Option<u64>) {
        if let Some(case) = self.0.upgrade() {
            case.ask_or_panic(Message { n, ..case.call(verb) });
        }
    }
}

impl Puppet for Puppeteer {
    fn trigger_request(&self, n: u64) {
        self.ask(Verb::Trigger, Some(n));
    }

    fn signal_cancel(&self) {
        self.ask(Verb::Withdraw, None);
    }
}

impl<P: Puppet + Clone> Listener for Reporter<P> {
    fn initial_request(&self) -> u64 {
        0
    }

    fn on_subscribe(&self, _: Arc<dyn Subscription>) {}

    fn on_processing(&self) {
        self.probe.on_subscribe(self.puppet.clone());
    }

    fn on_next(&self, item: Option<u64>, _: bool) -> Answer {
        self.probe.on_item(item);
        Answer::Accepted
    }

    fn on_error(&self, kind: ErrorKind, number: Option<u64>) {
        self.probe.on_failure(number.filter(|_| kind != ErrorKind::IllegalRequest));
    }

    fn on_complete(&self) {
        self.probe.on_complete();
    }

    fn on_drop(&self) {}
}

/// What a processor sends is what it has processed, and its subscriber is the puppet.
pub(super) struct Downstream {
    pub(super) probe: SubscriberProbe<u64>,
    pub(super) has_one: std::sync::Mutex<bool>,
}

impl Listener for Downstream {
    fn initial_request(&self) -> u64 {
        0
    }

    fn on_subscribe(&self, subscription: Arc<dyn Subscription>) {
        if std::mem::replace(&mut *lock(&self.has_one), true) {
            return subscription.cancel();
        }
        self.probe.on_subscribe(subscription);
    }

    fn on_next(&self, item: Option<u64>, _: bool) -> Answer {
        self.probe.on_item(item);
        Answer::Accepted
    }

    fn on_error(&self, _: ErrorKind, number: Option<u64>) {
        self.probe.on_failure(number);
    }

    fn on_complete(&self) {
        self.probe.on_complete();
    }

    fn on_drop(&self) {}
}
