//! `Pipeline`, `Running`: a pipeline, before it runs and while it does.

use std::{
    fmt,
    future::Future,
    num::NonZeroUsize,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread,
    time::Duration,
};

use millstream::{Error, KillSwitch, Outcome, Subscription, scheduler::Pool};
use millstream_observe::Inventory;
use millstream_pressure::{Policy as _, PressureSource as _};
use parking_lot::Mutex;

use crate::{
    ReloadError, Spec,
    assemble::{self, Controls},
    describe, reload,
    status::Status,
};

/// A pipeline that was checked.
#[derive(Clone, Debug)]
pub struct Pipeline {
    spec: Spec,
}

impl Pipeline {
    /// Of what a file says.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self { spec }
    }

    /// What the file says.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// What it would run: each stage, the policy of each queue, every bound. Opens nothing.
    ///
    /// # Panics
    ///
    /// If no thread can be started.
    #[must_use]
    pub fn describe(&self) -> String {
        let pool = Pool::named("plan", 1);
        let inventory = assemble::plan(&self.spec, &pool).expect("the file was checked");
        format!(
            "{}\n{}(without the texts and fields of the items)\n",
            describe::stages(&self.spec),
            inventory.describe()
        )
    }

    /// Opens the sink and the source, and starts.
    ///
    /// # Errors
    ///
    /// One of them cannot be opened, or a folder of spilled items cannot be used.
    pub fn start(self) -> Result<Running, Error> {
        let Self { spec } = self;
        // The source and what is behind a queue run at the same time.
        let threads = spec.threads.or_else(|| thread::available_parallelism().ok());
        let threads = threads.map_or(2, NonZeroUsize::get).max(2);
        let pool = Pool::try_named(&spec.name, threads)?;
        let (outcome, controls) = assemble::start(&spec, &pool)?;
        let shared = Shared {
            controls,
            spec: Mutex::new(spec),
            reloads: Mutex::new((0, 0)),
            subscription: outcome.subscription(),
            pool,
        };
        Ok(Running { outcome: Some(outcome), handle: Handle(Arc::new(shared)) })
    }
}

/// A pipeline that runs. A future of its end; dropped, it stops at once, and what is on its way is
/// lost.
#[must_use = "a pipeline stops when it is dropped"]
pub struct Running {
    outcome: Option<Outcome<u64>>,
    handle: Handle,
}

/// Looks at a running pipeline, changes it and stops it. A clone is of the same one.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    controls: Controls,
    spec: Mutex<Spec>,
    /// Configurations that were taken over, and those that were refused.
    reloads: Mutex<(u64, u64)>,
    /// Cancels the flow.
    subscription: Arc<dyn Subscription>,
    /// Its threads end with it.
    pool: Pool,
}

impl Running {
    /// What it is looked at, changed and stopped by.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Blocks until it has ended.
    ///
    /// # Errors
    ///
    /// What went wrong.
    ///
    /// # Panics
    ///
    /// If it was polled, as a future, until it was ready.
    pub fn wait(mut self) -> Result<Status, Error> {
        let outcome = self.outcome.take().expect("it is waited for once");
        outcome.wait().map(|_| self.handle.status())
    }

    /// Takes nothing more from the source, and gives what is on its way this time to arrive. What
    /// has not arrived by then is lost, and waiting gives an error of kind `Timeout`.
    ///
    /// # Panics
    ///
    /// If it was polled, as a future, until it was ready.
    pub fn drain_within(&mut self, time: Duration) {
        let Shared { controls, pool, .. } = &*self.handle.0;
        let outcome = self.outcome.take().expect("it is not over");
        self.outcome = Some(outcome.shutdown_on(pool, &controls.switch, time));
    }
}

impl Future for Running {
    type Output = Result<Status, Error>;

    /// # Panics
    ///
    /// If it was ready before.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = self.outcome.as_mut().expect("it was ready before");
        let result = ready!(Pin::new(outcome).poll(cx));
        self.outcome = None;
        Poll::Ready(result.map(|_| self.handle.status()))
    }
}

impl Handle {
    /// Its flows and policies.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.0.controls.inventory
    }

    /// What it has been told to do, last.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.0.spec.lock().clone()
    }

    /// Stops the source; what is on its way arrives, and then it ends.
    pub fn stop(&self) {
        self.switch().complete();
    }

    /// Stops at once. What is on its way is lost, and waiting gives an error of kind
    /// `Disconnected`.
    pub fn abort(&self) {
        self.0.subscription.cancel();
    }

    fn switch(&self) -> &KillSwitch {
        &self.0.controls.switch
    }

    /// Whether the source was stopped.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.switch().is_thrown()
    }

    /// Takes another configuration over while it runs, without losing an item, and says what has
    /// changed, by the names of the file.
    ///
    /// What may change: the settings of queues, rates, flow control and monitoring, the load of a
    /// generator, the rate of a null sink.
    ///
    /// # Errors
    ///
    /// Something differs that cannot change while it runs. Nothing has changed.
    pub fn reload(&self, new: Spec) -> Result<Vec<String>, ReloadError> {
        let mut spec = self.0.spec.lock();
        let result = reload::apply(&spec, &new, &self.0.controls);
        if result.is_ok() {
            *spec = new;
        }
        let mut reloads = self.0.reloads.lock();
        match &result {
            Ok(_) => reloads.0 += 1,
            Err(_) => reloads.1 += 1,
        }
        result
    }

    /// A configuration could not be read: counts it among those that were refused.
    pub fn note_failed_reload(&self) {
        self.0.reloads.lock().1 += 1;
    }

    /// How full each queue is, from 0 to 1, by items or bytes, whichever is more.
    #[must_use]
    pub fn queue_fills(&self) -> Vec<(String, f64)> {
        let queues = self.0.controls.queues.iter();
        queues
            .map(|queue| {
                let fill = queue.pressure().map_or(0.0, |pressure| pressure.level());
                (queue.name().to_owned(), fill)
            })
            .collect()
    }

    /// What it says of itself now.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::of(&self.0.controls, *self.0.reloads.lock())
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
