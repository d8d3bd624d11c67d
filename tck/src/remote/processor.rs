//! A processor in another process.

use std::sync::Arc;

use super::{
    case::Case,
    declared::Declared,
    message::{Message, Verb},
    pool::Pool,
    publisher::{mode, subscribe_one},
    subscriber::{Downstream, RemoteTarget, identify},
};
use crate::{
    capabilities::{Capabilities, Sharing},
    play::{
        probe::{Blueprint, Recorder},
        upstream::{End, Line, Manner},
    },
    subject::{
        BUFFER, ErasedProcessor, ErasedPublisher, ErasedSubscriber, Made, MadeProcessor,
        ProcessorCapabilities, Reports, Subscribe, SubscriberProbe, Wanted, publisher_end,
        subscriber_end,
    },
};

/// So many calls are made in a row at most.
const MOST_CALLS: u32 = 10_000;

/// What is made again and again.
#[derive(Clone)]
struct Maker {
    pool: Arc<Pool>,
    subject: String,
    capabilities: ProcessorCapabilities,
    retention: bool,
    offers: bool,
    rethrows: bool,
}

pub(super) fn erased(
    pool: &Arc<Pool>,
    subject: &str,
    declared: &Declared,
    retention: bool,
    offers: bool,
) -> ErasedProcessor {
    let (pool, subject) = (Arc::clone(pool), subject.to_owned());
    let (capabilities, rethrows) = (declared.processor(), declared.rethrows == Some(true));
    let maker = Maker { pool, subject, capabilities, retention, offers, rethrows };
    let create = {
        let maker = maker.clone();
        move |recorder: &Recorder, buffer: usize, k: usize| {
            let case = maker.open(recorder, buffer, k)?;
            let ends = (1..=k).map(|k| end(&case, u32::try_from(k).unwrap_or(u32::MAX)));
            Some(MadeProcessor {
                target: Box::new(RemoteTarget::new(&case, None, maker.offers)),
                ends: ends.collect(),
                mode: Some(mode(&case, capabilities.asynchronous)),
            })
        }
    };
    ErasedProcessor {
        capabilities,
        create: Arc::new(create),
        publisher: maker.clone().publisher(),
        subscriber: maker.subscriber(),
    }
}

fn end(case: &Arc<Case>, k: u32) -> Subscribe {
    let case = Arc::clone(case);
    Box::new(move |blueprint| {
        let _none = subscribe_one(&case, k, blueprint);
    })
}

impl Maker {
    fn open(&self, recorder: &Recorder, buffer: usize, k: usize) -> Option<Arc<Case>> {
        let open = Message {
            call: Some(Verb::Open),
            subject: Some(self.subject.clone()),
            buffer: Some(buffer as u64),
            subscribers: u32::try_from(k).ok().filter(|k| *k > 1),
            ..Message::default()
        };
        self.pool.open(recorder, open)
    }

    /// The publisher end, with the TCK as the upstream.
    fn publisher(self) -> ErasedPublisher {
        let declared = self.capabilities;
        let capabilities = Capabilities {
            retention: self.retention,
            collected: true,
            most_calls: MOST_CALLS,
            rethrows: self.rethrows,
            offers: self.offers,
            ..publisher_end(&declared)
        };
        let subscribe = move |wanted, recorder: &Recorder, blueprints: Vec<Blueprint>| {
            let (items, end) = match wanted {
                Wanted::Items(n) => (n, End::Complete),
                Wanted::Failed if declared.recovers => return None,
                Wanted::Failed => (0, End::Fail),
                // Subscribers that wait for each other are no publisher's; the processor's checks
                // know them.
                Wanted::Shared(_)
                    if declared.coordinated || declared.sharing == Sharing::Single =>
                {
                    return None;
                }
                Wanted::Shared(n) => (n, End::Complete),
            };
            let case = self.open(recorder, BUFFER, blueprints.len())?;
            let is_shared = matches!(wanted, Wanted::Shared(_));
            let mut blueprints = (1..).zip(blueprints);
            // Whoever subscribes late may miss items: where there are several, the upstream comes
            // last.
            if is_shared {
                blueprints.try_for_each(|(k, blueprint)| subscribe_one(&case, k, blueprint))?;
            }
            let manner = Manner { eager: true, ..Manner::default() };
            let line = Line::new(1, None, manner);
            line.allow(items);
            if items < u64::MAX {
                line.end(end);
            }
            line.start(Box::new(RemoteTarget::new(&case, None, self.offers)));
            blueprints.try_for_each(|(k, blueprint)| subscribe_one(&case, k, blueprint))?;
            Some(mode(&case, declared.asynchronous))
        };
        ErasedPublisher { capabilities, subscribe: Arc::new(subscribe) }
    }

    /// The subscriber end, with the TCK as the downstream.
    fn subscriber(self) -> ErasedSubscriber {
        let capabilities = subscriber_end(&self.capabilities);
        let create = move |recorder: &Recorder| {
            let Some(case) = self.open(recorder, BUFFER, 1) else {
                recorder.fail_harness("the process does not know the subject that it offered");
                return None;
            };
            let reports = Reports::new(recorder);
            let probe = SubscriberProbe::new(&reports, &identify());
            let downstream = Downstream { probe, has_one: std::sync::Mutex::new(false) };
            case.listen(1, Arc::new(downstream));
            let call = case.call(Verb::Subscribe);
            case.ask(Message { subscriber: Some(1), ..call }).ok()?;
            let mode = Some(mode(&case, capabilities.asynchronous));
            let target = Box::new(RemoteTarget::new(&case, None, self.offers));
            Some(Made { target, mode, reports: Some(reports) })
        };
        ErasedSubscriber { capabilities, reports: true, create: Arc::new(create) }
    }
}
