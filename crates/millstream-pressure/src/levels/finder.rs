//! `PressureFinder`: which stage of a pipeline holds it up.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use crate::Clock;

/// Names the stage of a pipeline that holds it up, from how busy each is, how long items wait for
/// it, and how long it takes for one.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::PressureFinder;
///
/// let time = VirtualTime::new();
/// let finder = PressureFinder::new(&time);
/// let (parse, store) = (finder.stage("parse", 1), finder.stage("store", 1));
/// for _ in 0..10 {
///     let visit = parse.enter();
///     let service = visit.begin();
///     time.advance(Duration::from_millis(1));
///     drop(service);
///     let service = store.enter().begin();
///     time.advance(Duration::from_millis(9));
///     drop(service);
/// }
/// let slowest = finder.slowest().unwrap();
/// assert_eq!(slowest.name, "store");
/// assert!((0.89..0.91).contains(&slowest.utilization));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PressureFinder(Arc<Shared>);

struct Shared {
    clock: Clock,
    stages: Mutex<Vec<Stage>>,
}

/// A stage of a pipeline. Returned by [`PressureFinder::stage`].
#[derive(Clone)]
pub struct Stage(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    clock: Clock,
    counts: Mutex<Counts>,
}

struct Counts {
    workers: u32,
    since: Duration,
    n_waiting: u64,
    n_running: u64,
    n_begun: u64,
    n_done: u64,
    /// The sums of what items waited and took.
    waited: Duration,
    took: Duration,
    /// The integral of those running over time, up to `at`.
    busy: Duration,
    at: Duration,
}

/// What a stage is like, since it was last asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// How busy its workers were, from 0 to 1.
    pub utilization: f64,
    /// How long items that have begun waited for it, on average.
    pub wait: Duration,
    /// How long it took for one, on average.
    pub service: Duration,
    /// Items that it was done with, a second.
    pub throughput: f64,
    /// Items a second that it could do at most.
    pub capacity: f64,
    /// Items that wait for it now.
    pub waiting: u64,
}

/// An item at a stage: first it waits, and then it is served. Its drop is its end.
#[must_use = "an item leaves the stage when this is dropped"]
pub struct Visit {
    stage: Stage,
    entered: Duration,
    began: Option<Duration>,
}

impl PressureFinder {
    /// No stages yet, by the clock of `scheduler`.
    pub fn new(scheduler: &impl Scheduler) -> Self {
        let clock = Clock::of(scheduler);
        Self(Arc::new(Shared { clock, stages: Mutex::default() }))
    }

    /// Adds a stage that works on so many items at a time, at least one.
    pub fn stage(&self, name: impl Into<Arc<str>>, workers: u32) -> Stage {
        let clock = self.0.clock.clone();
        let counts = Mutex::new(Counts::new(workers.max(1), clock.now()));
        let stage = Stage(Arc::new(Inner { name: name.into(), clock, counts }));
        self.0.stages.lock().push(stage.clone());
        stage
    }

    /// What each stage was like since this was last asked for, the busiest first; of two that are
    /// as busy, the one that items wait longer for.
    #[must_use]
    pub fn report(&self) -> Vec<StageReport> {
        let now = self.0.clock.now();
        let stages = self.0.stages.lock().clone();
        let mut reports: Vec<StageReport> = stages.iter().map(|stage| stage.report(now)).collect();
        reports.sort_by(|a, b| {
            let by_use = b.utilization.total_cmp(&a.utilization);
            by_use.then_with(|| b.wait.cmp(&a.wait)).then_with(|| b.waiting.cmp(&a.waiting))
        });
        reports
    }

    /// The stage that holds the pipeline up: the busiest one that did anything since this or
    /// [`report`](Self::report) was last asked for. To make the whole faster, make this one faster.
    #[must_use]
    pub fn slowest(&self) -> Option<StageReport> {
        self.report().into_iter().next().filter(|report| report.utilization > 0.0)
    }
}

impl Counts {
    fn new(workers: u32, now: Duration) -> Self {
        Self {
            workers,
            since: now,
            n_waiting: 0,
            n_running: 0,
            n_begun: 0,
            n_done: 0,
            waited: Duration::ZERO,
            took: Duration::ZERO,
            busy: Duration::ZERO,
            at: now,
        }
    }

    fn advance(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        let n = u32::try_from(self.n_running).unwrap_or(u32::MAX);
        self.busy = self.busy.saturating_add(passed.saturating_mul(n));
    }
}

impl Stage {
    /// An item has come, and waits.
    pub fn enter(&self) -> Visit {
        let entered = self.0.clock.now();
        self.0.counts.lock().n_waiting += 1;
        Visit { stage: self.clone(), entered, began: None }
    }

    fn report(&self, now: Duration) -> StageReport {
        let mut counts = self.0.counts.lock();
        counts.advance(now);
        let passed = now.saturating_sub(counts.since).as_secs_f64();
        let workers = f64::from(counts.workers);
        let mean = |sum: Duration, n: u64| {
            if n == 0 { Duration::ZERO } else { sum.div_f64(n as f64) }
        };
        let service = mean(counts.took, counts.n_done);
        let share = |part: f64| if passed > 0.0 { part / passed } else { 0.0 };
        let report = StageReport {
            name: self.0.name.to_string(),
            utilization: share(counts.busy.as_secs_f64() / workers).min(1.0),
            wait: mean(counts.waited, counts.n_begun),
            service,
            throughput: share(counts.n_done as f64),
            // Without a time, without bound.
            capacity: workers / service.as_secs_f64(),
            waiting: counts.n_waiting,
        };
        let (n_waiting, n_running) = (counts.n_waiting, counts.n_running);
        *counts = Counts { n_waiting, n_running, ..Counts::new(counts.workers, now) };
        report
    }
}

impl Visit {
    /// A worker begins with the item.
    pub fn begin(mut self) -> Self {
        if self.began.is_none() {
            let now = self.stage.0.clock.now();
            self.began = Some(now);
            let mut counts = self.stage.0.counts.lock();
            counts.advance(now);
            counts.n_waiting -= 1;
            counts.n_running += 1;
            counts.n_begun += 1;
            counts.waited += now.saturating_sub(self.entered);
        }
        self
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let now = self.stage.0.clock.now();
        let mut counts = self.stage.0.counts.lock();
        counts.advance(now);
        match self.began {
            Some(began) => {
                counts.n_running -= 1;
                counts.n_done += 1;
                counts.took += now.saturating_sub(began);
            }
            // It left without having been served.
            None => counts.n_waiting -= 1,
        }
    }
}

impl fmt::Debug for PressureFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PressureFinder")
            .field("stages", &self.0.stages.lock())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("stage", &self.stage).finish_non_exhaustive()
    }
}
