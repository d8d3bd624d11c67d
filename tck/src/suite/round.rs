//! One publisher of a check and the subscriptions to it, as they are played.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::scenario::Step;
use crate::{
    capabilities::{Capabilities, Numbering, Sharing},
    checker::{Expectation, Level, check_publisher},
    play::{
        probe::{Blueprint, Handle, Recorder, Slot},
        stage::Stage,
    },
    settings::Settings,
    subject::{ErasedPublisher, Wanted},
    sync::lock,
    trace::{Call, Event, Phase},
};

/// What a publisher that declares this has to do.
pub(crate) fn expectation(wanted: Wanted, capabilities: &Capabilities) -> Expectation {
    let (length, sharing) = match wanted {
        Wanted::Items(length) => (Some(length), None),
        Wanted::Failed => (Some(0), None),
        Wanted::Shared(length) => (Some(length), Some(capabilities.sharing)),
    };
    Expectation {
        length,
        completes: capabilities.completes,
        fails: capabilities.fails || wanted == Wanted::Failed,
        depth: capabilities.depth,
        settled: true,
        // One that comes late, or gets a part, gets other numbers.
        numbering: match sharing {
            None | Some(Sharing::Each) => capabilities.numbering.unwrap_or_default(),
            _ => Numbering::Any,
        },
        sharing,
        after_cancel: capabilities.after_cancel,
        retention: capabilities.retention,
        rethrows: capabilities.rethrows,
    }
}

/// Whether a thread is inside a signal, from which it may go on.
fn has_open_signal(trace: &[Event]) -> bool {
    let is_signal = |call| {
        matches!(call, Call::OnSubscribe | Call::OnNext(_) | Call::OnError(_) | Call::OnComplete)
    };
    let signals = trace.iter().filter(|event| is_signal(event.call));
    let n_made = signals.clone().filter(|event| event.phase == Phase::Made).count();
    2 * n_made > signals.count()
}

/// Whether nothing that is due is missing, or the publisher has failed already.
pub(crate) fn has_come(trace: &[Event], expectation: &Expectation) -> bool {
    if has_open_signal(trace) {
        return false;
    }
    let violations = check_publisher(trace, expectation);
    let mut binding = violations.iter().filter(|violation| violation.level == Level::Must);
    let is_missing = |at: usize| at >= trace.len();
    let was_seen =
        |at: usize| trace.get(at).is_some_and(|event: &Event| event.phase != Phase::Late);
    binding.clone().any(|violation| was_seen(violation.at))
        || !binding.any(|violation| is_missing(violation.at))
}

/// One publisher of a check that is being played, and the subscriptions to it.
pub(crate) struct Round {
    pub(crate) stage: Stage,
    slots: Vec<Slot>,
    most_calls: u32,
}

impl Round {
    /// Subscribes the probes to a new publisher, and waits until they have their subscriptions.
    /// `None` if there is no such publisher.
    pub(crate) fn begin(
        publisher: &ErasedPublisher,
        wanted: Wanted,
        blueprints: Vec<Blueprint>,
        settings: Settings,
        recorder: &Recorder,
    ) -> Option<Self> {
        let slots: Vec<Slot> =
            blueprints.iter().map(|blueprint| Arc::clone(&blueprint.slot)).collect();
        let mode = (publisher.subscribe)(wanted, recorder, blueprints)?;
        let stage = Stage { recorder: recorder.clone(), settings, mode };
        // One that was served ahead of its subscription may never have one.
        let n_subscribed = || slots.iter().filter(|slot| lock(slot).is_some()).count();
        stage.wait_until(|| n_subscribed() + stage.recorder.n_dropped() >= slots.len());
        Some(Self { stage, slots, most_calls: publisher.capabilities.most_calls })
    }

    /// The subscription of the probe with this index, if it has one.
    pub(crate) fn handle(&self, probe: usize) -> Option<Handle> {
        lock(self.slots.get(probe)?).clone()
    }

    pub(super) fn act(&self, step: &Step, probe: usize, expectation: &Expectation) {
        match *step {
            Step::Settle => self.stage.settle(|trace| has_come(trace, expectation)),
            Step::By(probe, step) => self.act(step, probe, expectation),
            Step::Release => {
                if let Some(handle) = self.slots.get(probe).and_then(|slot| lock(slot).take()) {
                    handle.release();
                }
            }
            _ => {
                // The handle is held to the end: the subscriber has to be dropped nevertheless
                // (rule 3.13).
                if let Some(handle) = self.handle(probe) {
                    act(&handle, step, self.most_calls);
                }
            }
        }
    }
}

fn act(handle: &Handle, step: &Step, most_calls: u32) {
    match *step {
        // A call that panicked once is not made a hundred thousand times.
        Step::Request(n, times) => {
            let _all_returned = (0..times.min(most_calls)).all(|_| handle.request(n));
        }
        Step::Cancel => {
            handle.cancel();
        }
        Step::RequestFromThreads(threads, times) => from_threads(handle, threads, 0, times),
        Step::CancelFromThreads(threads) => from_threads(handle, 0, threads, 0),
        Step::Storm { requesters, times, cancellers } => {
            from_threads(handle, requesters, cancellers, times);
        }
        Step::Settle | Step::By(..) | Step::Release => {}
    }
}

fn from_threads(handle: &Handle, requesters: u32, cancellers: u32, times: u32) {
    // A scripted panic may come through a subject that does not catch it.
    let quietly = |body: &dyn Fn()| drop(catch_unwind(AssertUnwindSafe(body)));
    std::thread::scope(|scope| {
        for _ in 0..requesters {
            scope.spawn(|| {
                quietly(&|| {
                    let _all_returned = (0..times).all(|_| handle.request(1));
                });
            });
        }
        for _ in 0..cancellers {
            scope.spawn(|| {
                quietly(&|| {
                    handle.cancel();
                });
            });
        }
    });
}

/// Waits until nothing more comes, and then cleans up, which is not judged: every subscription that
/// is still there is canceled, so that nothing is left running. Items that are then left are lost.
pub(crate) fn end(rounds: Vec<Round>, has_come: impl Fn(&[Event]) -> bool, recorder: &Recorder) {
    for (index, round) in rounds.iter().enumerate() {
        // Real time passes for all of them at once.
        if index == 0 || round.stage.is_driven() {
            round.stage.settle(&has_come);
        }
    }
    rounds.iter().for_each(|round| round.stage.collect());
    recorder.seal();
    for round in &rounds {
        for slot in &round.slots {
            // Not under the lock, which signals take as well.
            let handle = lock(slot).take();
            if let Some(handle) = handle {
                handle.clean_up();
            }
        }
    }
    if let Some(ledger) = recorder.used_ledger() {
        rounds.iter().for_each(|round| round.stage.wait_until(|| ledger.alive() == 0));
        let n_lost = ledger.alive();
        if n_lost > 0 {
            recorder.record_lost(n_lost);
        }
    }
}
