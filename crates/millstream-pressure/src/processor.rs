//! `StreamProcessor`: a queue, credits, a rate and workers, as one component.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use millstream::{
    Flow, Publisher,
    scheduler::{self, Scheduler},
};
use parking_lot::Mutex;

use crate::{
    AdaptiveRate, AdaptiveRateConfig, AdaptiveRateSnapshot, Admitted, Algorithm, ConcurrencyLimit,
    Controller, ControllerConfig, ControllerSnapshot, Credited, Credits, CreditsConfig,
    CreditsSnapshot, FlowExt as _, InvalidSetting, LimitConfig, LoadLevel, Outcome, Permit, Policy,
    Queue, QueueConfig, QueueHooks, QueueSnapshot, Rejected, Settings, WhenFull,
};

const POLICY: &str = "processor";

/// How a processor is set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ProcessorConfig {
    /// Where items wait. Default: 1000, refused when it is full.
    pub queue: QueueConfig,
    /// How many are in progress, results that were not taken included. Default: 100.
    pub credits: CreditsConfig,
    /// How fast they are begun.
    pub rate: AdaptiveRateConfig,
    /// How many are processed at a time. Default: 16.
    pub workers: u64,
    /// How serious it is, from how full the queue, the credits and the rate are.
    pub controller: ControllerConfig,
    /// What the queue does when it is full, by load level, from normal to critical; the queue's own
    /// setting where there is none. Default: none.
    pub when_full: [Option<WhenFull>; 4],
}

impl Default for ProcessorConfig {
    fn default() -> Self {
        Self {
            queue: QueueConfig { when_full: WhenFull::Reject, ..QueueConfig::default() },
            credits: CreditsConfig::fixed(100),
            rate: AdaptiveRateConfig::default(),
            workers: 16,
            controller: ControllerConfig::default(),
            when_full: [None; 4],
        }
    }
}

impl Settings for ProcessorConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        self.queue.validate()?;
        self.credits.validate()?;
        self.rate.validate()?;
        self.controller.validate()?;
        let (workers, rule) = (self.workers, "from 1 to 16384");
        let is_valid = (1..=1 << 14).contains(&workers);
        InvalidSetting::unless(is_valid, POLICY, "workers", workers, rule)?;
        for when_full in self.when_full.into_iter().flatten() {
            QueueConfig { when_full, ..self.queue.clone() }.validate()?;
        }
        Ok(())
    }
}

impl ProcessorConfig {
    fn limit(&self) -> LimitConfig {
        LimitConfig { algorithm: Algorithm::Fixed(self.workers), ..LimitConfig::default() }
    }
}

/// A stream processor: what is submitted waits in a queue, is processed as far as credits, rate and
/// workers allow, and comes out as a flow.
///
/// Pressure goes from the results back to the submitters: results that nobody takes hold their
/// workers and credits, then nothing is taken out of the queue, and then
/// [`submit`](Self::submit) refuses, with the reason. No result is dropped.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{AdaptiveRateConfig, ProcessorConfig, StreamProcessor};
///
/// let rate = AdaptiveRateConfig { burst: 1_000, ..AdaptiveRateConfig::default() };
/// let config = ProcessorConfig { rate, ..ProcessorConfig::default() };
/// let processor = StreamProcessor::new("squares", config, &VirtualTime::new())?;
/// for n in 0..100_u64 {
///     processor.submit(n)?;
/// }
/// processor.drain();
/// let squares = processor.run(|n| async move { Ok::<_, std::io::Error>(n * n) });
/// assert_eq!(squares.flatten_results().count().wait()?, 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Stopping
///
/// After [`drain`](Self::drain) nothing more is taken, what waits is processed, and the flow of
/// results completes. [`stop`](Self::stop) gives back what waits, and what is in progress is
/// finished. A cancel of the flow drops what is in progress, whose credits come back.
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A closure that panics fails the flow of results
/// with an error of kind `Panicked`; one that returns an error yields it as a result, and counts as
/// a failure for the rate.
pub struct StreamProcessor<T>(Arc<Shared<T>>);

struct Shared<T> {
    name: Arc<str>,
    queue: Queue<T>,
    credits: Credits,
    rate: AdaptiveRate,
    workers: ConcurrencyLimit,
    controller: Controller,
    config: Mutex<ProcessorConfig>,
}

/// What [`StreamProcessor`] says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessorSnapshot {
    /// The queue, with what became of each item that was submitted.
    pub queue: QueueSnapshot,
    /// The credits.
    pub credits: CreditsSnapshot,
    /// The rate.
    pub rate: AdaptiveRateSnapshot,
    /// The load level, and how long it was in each.
    pub controller: ControllerSnapshot,
}

impl<T: Send + 'static> StreamProcessor<T> {
    /// A processor that goes by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ProcessorConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::with_hooks(name, config, scheduler, QueueHooks::new())
    }

    /// The same, with closures for its queue.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_hooks(
        name: impl Into<Arc<str>>,
        config: ProcessorConfig,
        scheduler: &impl Scheduler,
        hooks: QueueHooks<T>,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let name = name.into();
        let queue = Queue::with_hooks(Arc::clone(&name), config.queue.clone(), scheduler, hooks)?;
        let credits = Credits::new(Arc::clone(&name), config.credits.clone(), scheduler)?;
        let rate = AdaptiveRate::new(Arc::clone(&name), config.rate, scheduler)?;
        let workers = ConcurrencyLimit::new(Arc::clone(&name), config.limit(), scheduler)?;
        let controller = Controller::new(Arc::clone(&name), config.controller, scheduler)?;
        controller.watch("queue", queue.clone());
        controller.watch("credits", credits.clone());
        let config = Mutex::new(config);
        let shared = Arc::new(Shared { name, queue, credits, rate, workers, controller, config });
        let weak = Arc::downgrade(&shared);
        shared.controller.on_decision(move |decision| {
            if let Some(shared) = weak.upgrade() {
                shared.set_policy(decision.level);
            }
        });
        Ok(Self(shared))
    }

    /// Submits an item. Never waits.
    ///
    /// # Errors
    ///
    /// The item, with the reason, and when to retry, as of [`Queue::try_put`].
    pub fn submit(&self, item: T) -> Result<(), Rejected<T>> {
        self.0.queue.try_put(item)
    }

    /// Submits an item, after waiting for room for the queue's time-out at most.
    ///
    /// # Errors
    ///
    /// As of [`Queue::put`].
    pub async fn submit_and_wait(&self, item: T) -> Result<(), Rejected<T>> {
        self.0.queue.put(item).await
    }

    /// Processes what is submitted, by `process`, and has the results as a flow, in the order in
    /// which they are done. The futures are polled on the [ambient](scheduler::ambient) scheduler.
    ///
    /// # Demand
    ///
    /// Begins with the first request. As many are processed at a time as there are workers, whether
    /// or not as many results were asked for; a result that nobody asked for keeps its credit.
    ///
    /// # Termination
    ///
    /// Completes after [`drain`](Self::drain) or [`stop`](Self::stop), once all has been processed.
    /// Several flows of one processor share its items.
    pub fn run<F, Fut, U, E>(
        &self,
        process: F,
    ) -> Flow<impl Publisher<Item = Result<U, E>> + use<T, F, Fut, U, E>>
    where
        F: FnMut(T) -> Fut + Send + 'static,
        Fut: Future<Output = Result<U, E>> + Send + 'static,
        U: Send + 'static,
        E: Send + 'static,
    {
        self.run_on(&scheduler::ambient(), process)
    }

    /// [`run`](Self::run), with the futures polled on `scheduler`.
    pub fn run_on<F, Fut, U, E, S>(
        &self,
        scheduler: &S,
        mut process: F,
    ) -> Flow<impl Publisher<Item = Result<U, E>> + use<T, F, Fut, U, E, S>>
    where
        F: FnMut(T) -> Fut + Send + 'static,
        Fut: Future<Output = Result<U, E>> + Send + 'static,
        U: Send + 'static,
        E: Send + 'static,
        S: Scheduler,
    {
        let Self(shared) = self;
        let items = shared.queue.flow().credits(&shared.credits).adaptive_rate(&shared.rate);
        let results =
            items.map_async_limited_on(scheduler, &shared.workers, of_pair, move |item| {
                let Admitted { item: Credited { item, permit: credit }, permit } = item;
                let result = process(item);
                async move {
                    let result = result.await;
                    permit.finish(outcome_of(&result));
                    (result, credit)
                }
            });
        results.map(taken)
    }

    /// Reads how full everything is, and sets what the queue does when it is full by the load level
    /// that follows. To be called once in each of the controller's intervals; or run
    /// [`control`](Self::control).
    pub fn decide(&self) -> LoadLevel {
        self.0.controller.decide().level
    }

    /// Decides once in each interval, until the scheduler stops or the future is dropped.
    pub async fn control(&self) {
        self.0.controller.run().await;
    }

    /// Takes no more items; what waits is processed. Returns whether it was open.
    pub fn drain(&self) -> bool {
        self.0.queue.close()
    }

    /// Takes no more items, and gives back what waits.
    pub fn stop(&self) -> Vec<T> {
        self.0.queue.drain()
    }

    /// How long it will take until what waits has been begun, at the present rate.
    #[must_use]
    pub fn backlog(&self) -> Duration {
        let seconds = self.0.queue.len() as f64 / self.0.rate.rate();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

impl<T: Send + 'static> Shared<T> {
    fn set_policy(&self, level: LoadLevel) {
        let config = {
            let config = self.config.lock();
            let own = config.queue.when_full;
            let when_full = config.when_full[level as usize].unwrap_or(own);
            QueueConfig { when_full, ..config.queue.clone() }
        };
        if config != self.queue.config()
            && let Err(error) = self.queue.reconfigure(config)
        {
            unreachable!("it was checked before: {error}");
        }
    }
}

impl<T: Send + 'static> Policy for StreamProcessor<T> {
    type Config = ProcessorConfig;
    type Snapshot = ProcessorSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ProcessorConfig {
        self.0.config.lock().clone()
    }

    fn snapshot(&self) -> ProcessorSnapshot {
        let Shared { queue, credits, rate, controller, .. } = &*self.0;
        ProcessorSnapshot {
            queue: queue.snapshot(),
            credits: credits.snapshot(),
            rate: rate.snapshot(),
            controller: controller.snapshot(),
        }
    }

    fn reconfigure(&self, config: ProcessorConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let Shared { credits, rate, workers, controller, .. } = &*self.0;
        *self.0.config.lock() = config.clone();
        workers.reconfigure(config.limit())?;
        credits.reconfigure(config.credits)?;
        rate.reconfigure(config.rate)?;
        controller.reconfigure(config.controller)?;
        self.0.set_policy(controller.snapshot().last.level);
        Ok(())
    }
}

fn outcome_of<U, E>(result: &Result<U, E>) -> Outcome {
    if result.is_ok() { Outcome::Success } else { Outcome::Failure }
}

fn of_pair<U, E>(output: &(Result<U, E>, Permit)) -> Outcome {
    outcome_of(&output.0)
}

/// The credit comes back when the result is taken.
fn taken<U, E>((result, credit): (Result<U, E>, Permit)) -> Result<U, E> {
    credit.finish(outcome_of(&result));
    result
}

impl<T> Clone for StreamProcessor<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for StreamProcessor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamProcessor").field("name", &self.0.name).finish_non_exhaustive()
    }
}
