//! `watch_turns`: who keeps a worker from others, in builds for debugging.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    thread::{self, Thread, ThreadId},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

/// A turn of a flow, or another task, that has kept its worker for longer than it may.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LongTurn {
    /// The thread that runs it.
    pub thread: ThreadId,
    /// The thread's name, if it has one; those of a pool do.
    pub name: Option<String>,
    /// How long it has taken up to now.
    pub time: Duration,
    /// Whether it is still running: it may never return.
    pub is_running: bool,
}

impl fmt::Display for LongTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, name, time, is_running } = self;
        let verb = if *is_running { "has kept" } else { "kept" };
        match name {
            Some(name) => write!(f, "a turn {verb} the worker on thread `{name}`")?,
            None => write!(f, "a turn {verb} the worker on {thread:?}")?,
        }
        write!(f, " for {time:?}: does something in it block?")
    }
}

/// Has `report` called for each turn that keeps a worker for longer than `limit`, in builds with
/// debug assertions; in others it does nothing.
///
/// A worker runs one turn at a time, so that a closure that blocks, by a lock, a channel or a file,
/// keeps all other flows of the worker waiting, and with them perhaps what it waits for. A turn is
/// reported once: while it runs, from a thread of the watch's own, or when it has ended.
/// What counts is real time, also of a turn in [`VirtualTime`](super::VirtualTime): on a machine
/// that is busy with other things, a turn takes longer.
///
/// All workers of the process are watched until what is returned is dropped. From the first watch
/// on, each turn costs a lock.
///
/// # Panics
///
/// If the system cannot start a thread. After a panic of `report`, the watch goes on.
///
/// # Examples
///
/// ```
/// use std::{sync::mpsc, time::Duration};
/// use millstream::scheduler::{Pool, watch_turns};
///
/// # if cfg!(debug_assertions) {
/// let (reports, reported) = mpsc::channel();
/// let _watch = watch_turns(Duration::from_millis(10), move |turn| {
///     let _infallible = reports.send(turn.to_string());
/// });
/// let pool = Pool::named("parser", 1);
/// let (release, blocked) = mpsc::channel::<()>();
/// let flow = millstream::just(1).publish_on(&pool).capacity(1).inspect(move |_| {
///     drop(blocked.recv());
/// });
/// let outcome = flow.count();
///
/// assert!(reported.recv().unwrap()
///     .starts_with("a turn has kept the worker on thread `parser-0`"));
/// drop(release);
/// assert_eq!(outcome.wait()?, 1);
/// # }
/// # Ok::<(), millstream::Error>(())
/// ```
#[must_use = "it watches until it is dropped"]
pub fn watch_turns(
    limit: Duration,
    report: impl Fn(&LongTurn) + Send + Sync + 'static,
) -> WatchedTurns {
    if !cfg!(debug_assertions) {
        return WatchedTurns(None);
    }
    let (is_over, over) = (Mutex::new(false), Condvar::new());
    let watch = Arc::new(Watch { limit, report: Box::new(report), is_over, over });
    let watching = Arc::clone(&watch);
    let thread = thread::Builder::new().name("millstream-watch".into());
    if let Err(cause) = thread.spawn(move || watching.run()) {
        panic!("cannot start the thread that watches turns: {cause}");
    }
    IS_USED.get_or_init(|| ());
    STATE.lock().watches.push(Arc::clone(&watch));
    WatchedTurns(Some(watch))
}

/// Watch returned by [`watch_turns`], which ends when this is dropped.
pub struct WatchedTurns(Option<Arc<Watch>>);

impl fmt::Debug for WatchedTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.0.as_ref().map(|watch| watch.limit);
        f.debug_struct("WatchedTurns").field("limit", &limit).finish()
    }
}

impl Drop for WatchedTurns {
    fn drop(&mut self) {
        if let Some(watch) = self.0.take() {
            // It is dropped outside of the lock: the report is the user's.
            STATE.lock().watches.retain(|other| !Arc::ptr_eq(other, &watch));
            *watch.is_over.lock() = true;
            watch.over.notify_all();
        }
    }
}

struct Watch {
    limit: Duration,
    report: Box<dyn Fn(&LongTurn) + Send + Sync>,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Watch {
    fn report(&self, turn: &LongTurn) {
        millstream_kernel::guard::muted(|| (self.report)(turn));
    }

    /// Looks at the turns that run, until it is over.
    fn run(self: &Arc<Self>) {
        let pause = (self.limit / 4).max(Duration::from_millis(1));
        loop {
            let mut is_over = self.is_over.lock();
            if !*is_over {
                self.over.wait_for(&mut is_over, pause);
            }
            if *is_over {
                return;
            }
            drop(is_over);
            let now = now();
            let long: Vec<_> = {
                let mut state = STATE.lock();
                let turns = state.turns.iter_mut();
                turns.filter_map(|turn| turn.report_to(self, now, true)).collect()
            };
            for turn in long {
                self.report(&turn);
            }
        }
    }
}

/// Whether there has been a watch: without one, a turn takes no lock.
static IS_USED: OnceLock<()> = OnceLock::new();

/// The turns that run while somebody watches.
struct State {
    watches: Vec<Arc<Watch>>,
    turns: Vec<Turn>,
    n_begun: u64,
}

static STATE: Mutex<State> =
    Mutex::new(State { watches: Vec::new(), turns: Vec::new(), n_begun: 0 });

struct Turn {
    number: u64,
    thread: Thread,
    began: Instant,
    /// The watches that have reported it.
    reported: Vec<Arc<Watch>>,
}

impl Turn {
    /// What is to be reported to `watch`, if it is long and was not reported.
    fn report_to(
        &mut self,
        watch: &Arc<Watch>,
        now: Instant,
        is_running: bool,
    ) -> Option<LongTurn> {
        let time = now.saturating_duration_since(self.began);
        let is_known = self.reported.iter().any(|other| Arc::ptr_eq(other, watch));
        if time <= watch.limit || is_known {
            return None;
        }
        self.reported.push(Arc::clone(watch));
        let (thread, name) = (self.thread.id(), self.thread.name().map(Into::into));
        Some(LongTurn { thread, name, time, is_running })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is part of the schedulers")]
fn now() -> Instant {
    Instant::now()
}

/// A turn that runs until this is dropped; `None` if nobody watches.
pub(super) struct Begun(Option<u64>);

/// Begins a turn on this thread.
pub(super) fn begin() -> Begun {
    if !cfg!(debug_assertions) || IS_USED.get().is_none() {
        return Begun(None);
    }
    let mut state = STATE.lock();
    if state.watches.is_empty() {
        return Begun(None);
    }
    state.n_begun += 1;
    let (number, thread) = (state.n_begun, thread::current());
    state.turns.push(Turn { number, thread, began: now(), reported: Vec::new() });
    Begun(Some(number))
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Some(number) = self.0 else { return };
        let now = now();
        let (mut turn, watches) = {
            let mut state = STATE.lock();
            let Some(index) = state.turns.iter().position(|turn| turn.number == number) else {
                return;
            };
            (state.turns.swap_remove(index), state.watches.clone())
        };
        for watch in &watches {
            if let Some(long) = turn.report_to(watch, now, false) {
                watch.report(&long);
            }
        }
    }
}
