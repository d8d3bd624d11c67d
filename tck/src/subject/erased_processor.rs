//! A processor subject without its types.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use reactive_streams::{Processor, Publisher};

use super::{
    declared::ProcessorCapabilities,
    ends::{AsPublisher, AsSubscriber, identify, target},
    processor::ProcessorSubject,
    publisher::ErasedPublisher,
    subscriber::ErasedSubscriber,
};
use crate::{
    play::{
        probe::{Blueprint, Recorder},
        stage::Mode,
        upstream::Target,
    },
    trace::Call,
};

/// Subscribes a probe to a publisher end.
pub(crate) type Subscribe = Box<dyn FnOnce(Blueprint) + Send>;

/// A processor that was made, in its two ends.
pub(crate) struct MadeProcessor {
    pub(crate) target: Box<dyn Target>,
    pub(crate) ends: Vec<Subscribe>,
    /// How it works, if not as it declares.
    pub(crate) mode: Option<Mode>,
}

type Create = dyn Fn(&Recorder, usize, usize) -> Option<MadeProcessor> + Send + Sync;

/// A processor subject without its types.
#[derive(Clone)]
pub(crate) struct ErasedProcessor {
    pub(crate) capabilities: ProcessorCapabilities,
    /// One that holds so many items, for so many subscribers. `None` if there is no such processor,
    /// or if the code that makes it panicked, which the recorder then knows.
    pub(crate) create: Arc<Create>,
    pub(crate) publisher: ErasedPublisher,
    pub(crate) subscriber: ErasedSubscriber,
}

impl ErasedProcessor {
    pub(crate) fn new<T: ProcessorSubject>(subject: T) -> Self {
        let subject = Arc::new(subject);
        Self {
            capabilities: subject.capabilities(),
            publisher: ErasedPublisher::new(AsPublisher(Arc::clone(&subject))),
            subscriber: ErasedSubscriber::white_box(AsSubscriber(Arc::clone(&subject))),
            create: Arc::new(move |recorder, buffer, k| {
                let make = || match k {
                    1 => Some(single(&subject, buffer)),
                    _ => shared(&subject, buffer, k),
                };
                catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
                    recorder.fail_harness("the code that makes the processor panicked");
                    None
                })
            }),
        }
    }
}

fn single<T: ProcessorSubject>(subject: &Arc<T>, buffer: usize) -> MadeProcessor {
    let (subscriber, publisher) = subject.create_processor(buffer).split();
    let ends = vec![end(subject, publisher)];
    MadeProcessor {
        target: target(subject, subscriber),
        ends,
        mode: subject.drive().map(Mode::Driven),
    }
}

fn shared<T: ProcessorSubject>(subject: &Arc<T>, buffer: usize, k: usize) -> Option<MadeProcessor> {
    let (subscriber, publishers) = subject.create_shared_processor(buffer, k)?;
    let ends = publishers.into_iter().map(|publisher| end(subject, publisher)).collect();
    Some(MadeProcessor {
        target: target(subject, subscriber),
        ends,
        mode: subject.drive().map(Mode::Driven),
    })
}

fn end<T, P>(subject: &Arc<T>, publisher: P) -> Subscribe
where
    T: ProcessorSubject,
    P: Publisher<Item = T::Item> + Send + 'static,
{
    let identify = identify(subject);
    Box::new(move |blueprint| {
        let probe = blueprint.clone().build(identify);
        blueprint.recorder.guard(blueprint.id, Call::Subscribe, || publisher.subscribe(probe));
    })
}
