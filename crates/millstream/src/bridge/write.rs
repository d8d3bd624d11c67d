//! `write_all_to`: writers that block.

use std::{
    io::Write,
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step, Wake};
use reactive_streams::{Error, Publisher, Subscriber};

use super::{failure::failure, intake::outcome_of};
use crate::{
    Flow, Outcome,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
    },
    scheduler::{self, Scheduler, Worker, gate_timer::GateTimer},
};

/// How long bytes may wait in the writer for more of them.
const QUIET: Duration = Duration::from_millis(50);

impl<P: Publisher> Flow<P> {
    /// Writes the bytes of each item, flushes when no more come for a while, and gives the writer
    /// back.
    ///
    /// Writing blocks the thread that the items come on; put a [`publish_on`](Self::publish_on)
    /// before it where that matters. Where a writer has a buffer, such as a
    /// [`BufWriter`](std::io::BufWriter), what was written does not wait in it for longer than
    /// 50 ms while no item comes: then it is flushed on the [ambient](crate::scheduler::ambient)
    /// scheduler, also while the source waits for its input.
    /// [`write_all_to_on`](Self::write_all_to_on) names another one.
    ///
    /// # Demand
    ///
    /// The source is asked for 32 items, and for three quarters of that again whenever as many were
    /// written. Up to 32 items wait.
    ///
    /// # Termination
    ///
    /// The outcome is the writer when the flow has completed and everything was flushed. When the
    /// flow fails, the outcome is its error, and the writer is dropped with the items before
    /// written to it. When writing or flushing fails, the flow is canceled, and the outcome is an
    /// error of kind `Io`. Dropping the outcome drops the writer.
    ///
    /// # Examples
    ///
    /// ```
    /// let written = millstream::from_iter(["a", "b"]).write_all_to(Vec::new()).wait()?;
    /// assert_eq!(written, b"ab");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn write_all_to<W>(self, writer: W) -> Outcome<W>
    where
        P::Item: AsRef<[u8]> + Send + 'static,
        W: Write + Send + 'static,
    {
        write(self.source, writer, scheduler::ambient_later())
    }

    /// Does the same, and flushes on `scheduler`, by its clock. Where that has none, what was
    /// written is flushed whenever no item waits.
    ///
    /// # Demand
    ///
    /// As [`write_all_to`](Self::write_all_to).
    ///
    /// # Termination
    ///
    /// As [`write_all_to`](Self::write_all_to).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::Immediate;
    ///
    /// let written = millstream::just("a").write_all_to_on(&Immediate, Vec::new()).wait()?;
    /// assert_eq!(written, b"a");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn write_all_to_on<W>(self, scheduler: &impl Scheduler, writer: W) -> Outcome<W>
    where
        P::Item: AsRef<[u8]> + Send + 'static,
        W: Write + Send + 'static,
    {
        let worker = scheduler.worker();
        write(self.source, writer, move || worker)
    }
}

/// `worker` is called when there is something to flush and no item waits.
fn write<P, W, F>(source: P, writer: W, worker: F) -> Outcome<W>
where
    P: Publisher<Item: AsRef<[u8]> + Send + 'static>,
    W: Write + Send + 'static,
    F: FnOnce() -> Worker + Send + 'static,
{
    outcome_of(Written { source, writer, worker })
}

/// A publisher of the writer, once everything was written.
struct Written<P, W, F> {
    source: P,
    writer: W,
    worker: F,
}

impl<P, W, F> Publisher for Written<P, W, F>
where
    P: Publisher<Item: AsRef<[u8]> + Send + 'static>,
    W: Write + Send + 'static,
    F: FnOnce() -> Worker + Send + 'static,
{
    type Item = Result<W, Error>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, writer, worker } = self;
        let (entrance, inlet) = inlet(PREFETCH);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let gate: Weak<dyn Wake> = Weak::<Gate<_, S, _>>::clone(gate);
            let timer = LaterTimer { worker: Some(worker), gate, made: None };
            let writer = Some(writer);
            (Writing { inlet, writer, is_dirty: false, due: None, timer }, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

struct Writing<T, W, F> {
    inlet: Inlet<T>,
    /// `None` once it was given back.
    writer: Option<W>,
    /// Whether something was written since it was flushed.
    is_dirty: bool,
    /// When that is flushed, if no item waited since.
    due: Option<Duration>,
    timer: LaterTimer<F>,
}

/// A timer that is made when it is needed, so that a short flow starts no threads.
struct LaterTimer<F> {
    worker: Option<F>,
    gate: Weak<dyn Wake>,
    made: Option<GateTimer>,
}

impl<F: FnOnce() -> Worker> LaterTimer<F> {
    fn get(&mut self) -> Option<&mut GateTimer> {
        if let Some(worker) = self.worker.take() {
            self.made = Some(GateTimer::waking(worker(), Weak::clone(&self.gate)));
        }
        self.made.as_mut()
    }
}

impl<T, W, F> Writing<T, W, F>
where
    W: Write,
    F: FnOnce() -> Worker,
{
    /// Nothing is there to be written at the moment.
    fn rest(&mut self) -> Step<Result<W, Error>> {
        if !self.is_dirty {
            return Step::Pending;
        }
        let Some(timer) = self.timer.get() else { return Step::Pending };
        let now = timer.now();
        let due = *self.due.get_or_insert_with(|| now.saturating_add(QUIET));
        // A scheduler without a clock, or one that was stopped, takes no timer.
        if now < due && matches!(timer.wait_until::<()>(due, || {}), Step::Pending) {
            return Step::Pending;
        }
        match self.flush() {
            Ok(()) => Step::Pending,
            Err(error) => self.fail(error),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.is_dirty = false;
        self.due = None;
        let flushed = self.writer.as_mut().map_or(Ok(()), Write::flush);
        flushed.map_err(|cause| failure(cause).context("flushing"))
    }

    fn finish(&mut self) -> Step<Result<W, Error>> {
        if let Err(error) = self.flush() {
            return Step::End(End::Failed(error));
        }
        self.writer.take().map_or(Step::End(End::Complete), |writer| Step::Item(Ok(writer)))
    }

    fn fail(&mut self, error: Error) -> Step<Result<W, Error>> {
        self.inlet.cancel();
        Step::End(End::Failed(error))
    }
}

impl<T, W, F> Source for Writing<T, W, F>
where
    T: AsRef<[u8]> + Send + 'static,
    W: Write + Send + 'static,
    F: FnOnce() -> Worker + Send + 'static,
{
    type Item = Result<W, Error>;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    /// Writes what waits: no more than there are places, because more is asked for after the turn.
    fn next(&mut self) -> Step<Self::Item> {
        loop {
            match self.inlet.next() {
                Step::Item(item) => {
                    self.is_dirty = true;
                    let written = self.writer.as_mut().map(|it| it.write_all(item.as_ref()));
                    if let Some(Err(cause)) = written {
                        return self.fail(failure(cause).context("writing"));
                    }
                }
                Step::Pending => return self.rest(),
                Step::End(End::Complete) => return self.finish(),
                Step::End(End::Failed(error)) => return Step::End(End::Failed(error)),
            }
        }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
