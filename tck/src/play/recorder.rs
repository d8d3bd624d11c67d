//! Where what happens is recorded.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    thread::ThreadId,
    time::Duration,
};

use super::{clock::Moment, event_log, item::Ledger};
use crate::{
    sync::lock,
    trace::{Call, Event, Phase},
    verdict::Verdict,
};

/// What a call may take besides its budget for each event within it.
const PER_EVENT: Duration = Duration::from_micros(50);
/// The same where each event is a message to another process and back.
#[cfg(feature = "cli")]
const PER_MESSAGE: Duration = Duration::from_millis(2);

/// More events than this are a flood: the probe panics out of the publisher's loop.
const MAX_EVENTS: usize = 1_000_000;

/// Takes events in, from any thread.
#[derive(Clone)]
pub(crate) struct Recorder {
    recorded: Arc<Mutex<Recorded>>,
    /// Calls that take longer are recorded as late.
    pub(crate) budget: Duration,
}

#[derive(Default)]
struct Recorded {
    events: Vec<Event>,
    threads: Vec<ThreadId>,
    harness_error: Option<String>,
    declined: Option<Verdict>,
    ledger: Option<Arc<Ledger>>,
    n_dropped: usize,
    is_slow: bool,
    sealed: bool,
    /// What a call may take for each event within it, if not as usual.
    per_event: Option<Duration>,
    /// How often something was waited for that is not the subject's.
    #[cfg(feature = "cli")]
    n_waits: usize,
    #[cfg(feature = "cli")]
    abandon: Vec<Box<dyn FnOnce() + Send>>,
}

thread_local! {
    /// Kept, since asking for it at each event takes longer than recording the event.
    pub(super) static THREAD: ThreadId = std::thread::current().id();
}

/// The panic of a script, as opposed to one of the subject.
pub(crate) struct ScriptedPanic;

/// Panics without a message on the terminal.
pub(super) fn panic_quietly() -> ! {
    resume_unwind(Box::new(ScriptedPanic))
}

impl Recorder {
    pub(crate) fn new(budget: Duration) -> Self {
        event_log::begin();
        Self { recorded: Arc::default(), budget }
    }

    /// One that records nothing.
    pub(crate) fn deaf(&self) -> Self {
        let recorded = Recorded { sealed: true, ..Recorded::default() };
        Self { recorded: Arc::new(Mutex::new(recorded)), budget: self.budget }
    }

    pub(crate) fn record(&self, subscription: u32, phase: Phase, call: Call) {
        self.record_item(subscription, phase, call, None);
    }

    pub(crate) fn record_item(
        &self,
        subscription: u32,
        phase: Phase,
        call: Call,
        item: Option<u64>,
    ) {
        let id = THREAD.with(|id| *id);
        let mut recorded = lock(&self.recorded);
        let known = recorded.threads.iter().position(|thread| *thread == id);
        let thread = known.unwrap_or(recorded.threads.len());
        if known.is_none() {
            recorded.threads.push(id);
        }
        let too_much = recorded.sealed || recorded.events.len() >= MAX_EVENTS;
        if too_much && matches!(call, Call::OnNext(_)) && phase == Phase::Made {
            drop(recorded);
            panic_quietly();
        } else if !recorded.sealed {
            let thread = u32::try_from(thread).unwrap_or(u32::MAX);
            let event = Event { subscription, thread, phase, call, item };
            event_log::note(&event);
            recorded.events.push(event);
            recorded.n_dropped += usize::from(call == Call::Drop);
        }
    }

    /// Records the call around `body`; a panic is recorded and ends here. Whether it returned.
    pub(crate) fn guard(&self, subscription: u32, call: Call, body: impl FnOnce()) -> bool {
        self.record(subscription, Phase::Made, call);
        let (begin, n_events) = (Moment::now(), self.n_events());
        let result = catch_unwind(AssertUnwindSafe(body));
        // A call that sends many items may take the time for that.
        let n_within = self.n_events().saturating_sub(n_events);
        let per_event = lock(&self.recorded).per_event.unwrap_or(PER_EVENT);
        let budget = self.budget + per_event * u32::try_from(n_within).unwrap_or(u32::MAX);
        let phase = match result {
            Ok(()) if begin.elapsed() > budget => Phase::Late,
            Ok(()) => Phase::Returned,
            Err(_) => Phase::Panicked,
        };
        self.record(subscription, phase, call);
        phase != Phase::Panicked
    }

    /// Notes that something is waited for which is not the subject's: the start of a process.
    #[cfg(feature = "cli")]
    pub(crate) fn note_wait(&self) {
        lock(&self.recorded).n_waits += 1;
    }

    /// Allows calls the time that messages take.
    #[cfg(feature = "cli")]
    pub(crate) fn allow_messages(&self) {
        lock(&self.recorded).per_event = Some(PER_MESSAGE);
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> usize {
        let recorded = lock(&self.recorded);
        #[cfg(feature = "cli")]
        return recorded.events.len() + recorded.n_waits;
        #[cfg(not(feature = "cli"))]
        recorded.events.len()
    }

    /// Has this done when the check is given up because it does not return.
    #[cfg(feature = "cli")]
    pub(crate) fn on_abandon(&self, body: impl FnOnce() + Send + 'static) {
        lock(&self.recorded).abandon.push(Box::new(body));
    }

    /// The check has been judged, and is given up if it has not returned.
    pub(crate) fn conclude(&self, returned: bool) {
        #[cfg(feature = "cli")]
        {
            let abandon = std::mem::take(&mut lock(&self.recorded).abandon);
            if !returned {
                self.seal();
                abandon.into_iter().for_each(|body| body());
            }
        }
        #[cfg(not(feature = "cli"))]
        let _unused = returned;
    }

    /// Whether this is the same recorder.
    #[cfg(feature = "cli")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.recorded, &other.recorded)
    }

    /// Takes no more events in, so that what happens when a check cleans up is not judged.
    pub(crate) fn seal(&self) {
        lock(&self.recorded).sealed = true;
    }

    /// Records, after the end, that items are gone.
    pub(crate) fn record_lost(&self, n: u64) {
        let (phase, call) = (Phase::Made, Call::Lost(n));
        let event = Event { subscription: 0, thread: 0, phase, call, item: None };
        lock(&self.recorded).events.push(event);
    }

    /// Where items that can be counted are counted; made when it is first asked for.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(lock(&self.recorded).ledger.get_or_insert_default())
    }

    /// The same, if any publisher made such items.
    pub(crate) fn used_ledger(&self) -> Option<Arc<Ledger>> {
        lock(&self.recorded).ledger.clone().filter(|ledger| ledger.is_used())
    }

    /// How many probes were dropped.
    pub(crate) fn n_dropped(&self) -> usize {
        lock(&self.recorded).n_dropped
    }

    /// Notes that the subject makes progress, but not within the time that is set for a check.
    pub(crate) fn note_slow(&self) {
        lock(&self.recorded).is_slow = true;
    }

    pub(crate) fn is_slow(&self) -> bool {
        lock(&self.recorded).is_slow
    }

    /// Notes that the subject cannot be brought into the situation.
    pub(crate) fn decline(&self, verdict: Verdict) {
        lock(&self.recorded).declined.get_or_insert(verdict);
    }

    pub(crate) fn declined(&self) -> Option<Verdict> {
        lock(&self.recorded).declined.clone()
    }

    /// Notes that the code which makes the subject failed.
    pub(crate) fn fail_harness(&self, message: impl Into<String>) {
        lock(&self.recorded).harness_error.get_or_insert(message.into());
    }

    pub(crate) fn harness_error(&self) -> Option<String> {
        lock(&self.recorded).harness_error.clone()
    }

    /// All events, which are then no longer here: a copy of a million of them takes time.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut lock(&self.recorded).events)
    }

    pub(crate) fn n_events(&self) -> usize {
        lock(&self.recorded).events.len()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        lock(&self.recorded).events.clone()
    }
}
