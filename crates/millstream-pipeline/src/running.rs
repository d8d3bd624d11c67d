//! `Pipeline`, `Running`: a pipeline, before it runs and while it does.

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    num::NonZeroUsize,
    pin::Pin,
    sync::{Arc, mpsc::Receiver},
    task::{Context, Poll, ready},
    thread,
    time::Duration,
};

use millstream::{Error, KillSwitch, Outcome, Subscription};
use millstream_observe::Inventory;
use millstream_pressure::{Policy as _, PressureSource as _};
use parking_lot::Mutex;

use crate::{
    ReloadError, Spec,
    assemble::{self, Controls, Threads},
    describe, reload,
    status::Status,
};

/// How long servers may take to be told what is left.
const GIVE_BACK: Duration = Duration::from_secs(2);

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
        let inventory = Threads::start("plan", 1)
            .and_then(|threads| assemble::plan(&self.spec, &threads))
            .expect("the file was checked, and threads can be started");
        self.spec.secrets.scrub(&format!(
            "{}\n{}(without the texts and fields of the items, and what windows, `dedup` and `spill` remember)\n",
            describe::stages(&self.spec),
            inventory.describe()
        ))
    }

    /// Opens the sink and the source, and starts.
    ///
    /// # Errors
    ///
    /// One of them cannot be opened, or a folder of spilled items cannot be used.
    pub fn start(self) -> Result<Running, Error> {
        let Self { spec } = self;
        let n = spec.threads.or_else(|| thread::available_parallelism().ok());
        let threads = Threads::start(&spec.name, n.map_or(2, NonZeroUsize::get))?;
        let started = assemble::start(&spec, &threads);
        let (outcome, controls) = started.map_err(|error| spec.secrets.scrub_error(error))?;
        let shared = Shared {
            controls,
            spec: Mutex::new(spec),
            reloads: Mutex::new((0, 0)),
            left: Mutex::new(None),
            subscription: outcome.subscription(),
            threads,
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
    /// What waited in queues when it failed.
    left: Mutex<Option<u64>>,
    /// Cancels the flow.
    subscription: Arc<dyn Subscription>,
    /// Its threads end with it.
    threads: Threads,
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
        let result = outcome.wait();
        if result.is_err()
            && let Some(told) = self.handle.give_back()
        {
            // Servers that do not listen are not waited for.
            told.recv_timeout(GIVE_BACK).ok();
        }
        self.handle.result(result)
    }

    /// Takes nothing more from the source, and gives what is on its way this time to arrive. What
    /// has not arrived by then is lost, and waiting gives an error of kind `Timeout`.
    ///
    /// # Panics
    ///
    /// If it was polled, as a future, until it was ready.
    pub fn drain_within(&mut self, time: Duration) {
        let Shared { controls, threads, .. } = &*self.handle.0;
        let outcome = self.outcome.take().expect("it is not over");
        self.outcome = Some(outcome.shutdown_on(&threads.clock, &controls.switch, time));
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
        if result.is_err() {
            self.handle.give_back();
        }
        Poll::Ready(self.handle.result(result))
    }
}

impl Handle {
    /// Its flows and policies.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.0.controls.inventory
    }

    /// Where its sources listen, by their names: what a source that was told to take any free port
    /// has got.
    #[must_use]
    pub fn listening(&self) -> Vec<(String, SocketAddr)> {
        self.0.threads.net.listening()
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

    /// What is left in queues is delivered again, where it came from a server that can: gives it
    /// back, and tells when servers know.
    fn give_back(&self) -> Option<Receiver<()>> {
        let Shared { controls, threads, left, .. } = &*self.0;
        if !threads.net.has_connections() {
            return None;
        }
        let waiting = self.status().waiting;
        left.lock().get_or_insert(waiting);
        controls.queues.iter().for_each(|queue| drop(queue.drain()));
        threads.net.tell()
    }

    fn result(&self, result: Result<u64, Error>) -> Result<Status, Error> {
        let secrets = self.0.spec.lock().secrets.clone();
        result.map(|_| self.status()).map_err(|error| secrets.scrub_error(error))
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

    /// Items that have left queues, for what follows.
    pub(crate) fn queues_have_delivered(&self) -> u64 {
        self.0.controls.queues.iter().map(|queue| queue.snapshot().balance.delivered).sum()
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
        let mut status = Status::of(&self.0.controls, *self.0.reloads.lock());
        let secrets = self.0.spec.lock().secrets.clone();
        status.waiting = self.0.left.lock().unwrap_or(status.waiting);
        status.first_fault = status.first_fault.map(|fault| secrets.scrub(&fault));
        status
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
