//! Runs the checks of processors: the TCK is the upstream and the downstream.

use std::{cell::RefCell, sync::Arc};

use super::{
    processor_checks::{Needs, PROCESSOR, Situation, Step},
    sides,
};
use crate::{
    capabilities::Sharing,
    check::Check,
    checker::{DOWNSTREAM, ProcessorExpectation, check_processor},
    play::probe::{Blueprint, Handle, Recorder, Script, Slot},
    play::run::{self, Play},
    play::stage::{Mode, Stage},
    play::upstream::{End, Line, Manner, Target},
    settings::Settings,
    subject::{BUFFER, ErasedProcessor, ProcessorCapabilities, Subscribe},
    sync::lock,
    verdict::{Outcome, Verdict},
};

/// The checks of processors as a whole.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check> {
    PROCESSOR.iter().map(|situation| &situation.check)
}

/// Runs a check of this suite, or of the suites of the two ends;
/// `None` if there is none of this name.
pub(crate) fn run(
    name: &str,
    processor: &ErasedProcessor,
    check: &str,
    settings: &Settings,
) -> Option<Outcome> {
    let Some(situation) = PROCESSOR.iter().find(|situation| situation.check.name == check) else {
        return sides::run(name, processor, check, settings);
    };
    let retention = processor.publisher.capabilities.retention;
    if situation.check.rule == "3.13" && !retention {
        let reason = "its runtime does not tell when a subscriber is no longer held";
        let verdict = Verdict::NotTested(reason.to_owned());
        return Some(Outcome::unplayed(name, &situation.check, verdict));
    }
    if let Some(verdict) = unfit(situation, processor.capabilities) {
        return Some(Outcome::unplayed(name, &situation.check, verdict));
    }
    let n_subscribers = match situation.needs {
        Needs::Subscribers(n) | Needs::Multicast(n) => n,
        Needs::Nothing | Needs::Recovery => 1,
    };
    let expectation = ProcessorExpectation { retention, ..expect(processor.capabilities) };
    // Drops that show only when they are looked for are not waited for.
    let awaited = processor.publisher.awaited().capabilities.retention;
    let awaited = ProcessorExpectation { retention: awaited, ..expectation };
    // Making one tells whether there is one.
    if (processor.create)(&Recorder::new(settings.budget), BUFFER, n_subscribers).is_none() {
        let reason = "the subject makes no processor that can be shared";
        let verdict = Verdict::NotApplicable(reason.to_owned());
        return Some(Outcome::unplayed(name, &situation.check, verdict));
    }
    Some(run::run(name, &situation.check, settings, |recorder| {
        let (recorder, processor, settings) = (recorder.clone(), processor.clone(), *settings);
        let play = move || {
            let Some(made) = (processor.create)(&recorder, BUFFER, n_subscribers) else { return };
            let mode = made.mode.unwrap_or(match processor.capabilities.asynchronous {
                true => Mode::Threads,
                false => Mode::Synchronous,
            });
            let manner = Manner { keeps: true, ..Manner::default() };
            let actor = Actor {
                line: Line::new(1, Some(&recorder), manner),
                stage: Stage { recorder, settings, mode },
                expectation: awaited,
                target: RefCell::new(Some(made.target)),
                ends: RefCell::new(made.ends),
                slots: RefCell::default(),
            };
            situation.steps.iter().for_each(|step| actor.act(*step));
            actor.settle();
            actor.line.let_go();
            actor.stage.collect();
            actor.stage.recorder.seal();
            // A subject that keeps its subscribers must not keep what they hold.
            actor.slots.take().iter().for_each(|slot| drop(lock(slot).take()));
        };
        Play { play, judge: move |trace: &_| check_processor(trace, &expectation) }
    }))
}

/// Why the check does not fit the processor.
fn unfit(situation: &Situation, capabilities: ProcessorCapabilities) -> Option<Verdict> {
    let not_applicable = |reason: &str| Some(Verdict::NotApplicable(reason.to_owned()));
    match situation.needs {
        Needs::Recovery if !capabilities.recovers => {
            not_applicable("it declares that it passes errors on")
        }
        Needs::Subscribers(_) | Needs::Multicast(_) if capabilities.sharing == Sharing::Single => {
            not_applicable("it declares that it serves one subscriber")
        }
        Needs::Multicast(_) if capabilities.sharing != Sharing::Multicast => {
            not_applicable("it does not declare that its subscribers get the same items")
        }
        _ => None,
    }
}

fn expect(capabilities: ProcessorCapabilities) -> ProcessorExpectation {
    ProcessorExpectation {
        buffer: (!capabilities.unbounded).then_some(BUFFER as u64),
        sharing: Some(capabilities.sharing),
        coordinated: capabilities.coordinated,
        recovers: capabilities.recovers,
        delays_errors: capabilities.delays_errors,
        keeps_upstream: capabilities.keeps_upstream,
        asynchronous: capabilities.asynchronous,
        depth: capabilities.depth,
        settled: true,
        retention: true,
    }
}

/// A situation that is being played.
struct Actor {
    stage: Stage,
    line: Arc<Line>,
    expectation: ProcessorExpectation,
    target: RefCell<Option<Box<dyn Target>>>,
    ends: RefCell<Vec<Subscribe>>,
    slots: RefCell<Vec<Slot>>,
}

impl Actor {
    fn act(&self, step: Step) {
        let line = &self.line;
        match step {
            Step::Connect => {
                if let Some(target) = self.target.take() {
                    line.start(target);
                }
            }
            Step::Subscribe => self.subscribe(),
            Step::Request(index, n) => self.with(index, |handle| {
                handle.request(n);
            }),
            Step::Cancel(index) => self.with(index, |handle| {
                handle.cancel();
            }),
            Step::Send(n) => {
                line.allow(n);
                self.stage.wait_until(|| line.has_demand() || line.is_done());
                self.flow();
            }
            Step::Offer(n) => {
                line.allow(n);
                self.flow();
            }
            Step::Intrude => {
                let second = Line::new(2, Some(&self.stage.recorder), *line.manner());
                line.intrude(&second);
                self.stage.wait_until(|| second.is_canceled());
            }
            Step::Complete => self.end(End::Complete),
            Step::Fail => self.end(End::Fail),
            Step::Settle => self.settle(),
        }
    }

    fn subscribe(&self) {
        let mut slots = self.slots.borrow_mut();
        let mut ends = self.ends.borrow_mut();
        if ends.is_empty() {
            return;
        }
        let id = DOWNSTREAM + u32::try_from(slots.len()).unwrap_or(0);
        let blueprint = Blueprint::new(id, &self.stage.recorder, Script::default());
        let slot = Arc::clone(&blueprint.slot);
        ends.remove(0)(blueprint);
        self.stage.wait_until(|| lock(&slot).is_some());
        slots.push(slot);
    }

    /// Lets the subscriber of this index act, if it has a subscription.
    fn with(&self, index: usize, body: impl FnOnce(&Handle)) {
        let handle = self.slots.borrow().get(index).and_then(|slot| lock(slot).clone());
        if let Some(handle) = handle {
            body(&handle);
        }
    }

    /// Sends what is allowed and requested, until nothing more is requested.
    fn flow(&self) {
        self.line.drain();
        while !self.line.is_done() {
            self.stage.calm(|| self.line.has_demand());
            if !self.line.has_demand() {
                return;
            }
            self.line.drain();
        }
    }

    /// Ends the upstream, although more items were allowed.
    fn end(&self, end: End) {
        self.line.withhold();
        self.line.end(end);
    }

    /// Waits until what is due has come, and nothing more comes.
    fn settle(&self) {
        self.stage.settle(|trace| check_processor(trace, &self.expectation).is_empty());
        self.stage.calm(|| false);
    }
}
