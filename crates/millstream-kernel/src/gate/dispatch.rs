//! Where turns run.

use std::{fmt, sync::Arc};

use reactive_streams::Error;

use crate::ReadySet;

/// Decides where a gate's turns run.
pub trait Dispatch: Send + Sync + 'static {
    /// Turns run on the thread that causes them, and [`dispatch`](Self::dispatch) is never called.
    const IS_INLINE: bool = false;

    /// Every wake-up comes from the signals of one upstream, which are serial, but for those by
    /// [`catch_up`](Wake::catch_up). Where turns run on the thread that wakes, one that a wake-up
    /// began has the upstream on its stack, and needs no second look before it settles.
    const IS_WOKEN_BY_ONE: bool = false;

    /// The most chunks in one turn, and the most advances, after which the gate asks for another
    /// turn and lets [others](Self::has_others) run, or parks if it waits.
    const BUDGET: u64 = 64;

    /// Sees to it that the gate's [`Task::run`] is called. May call it before returning.
    ///
    /// # Errors
    ///
    /// It will never be called: the stream ends with this error.
    fn dispatch(&self) -> Result<(), Error>;

    /// Whether the caller is where turns run: then it will cause nothing while one runs, and a
    /// runner need not wait for it.
    fn is_here(&self) -> bool {
        false
    }

    /// Whether others wait to run where turns run. A turn that has used up its budget goes on if
    /// not.
    fn has_others(&self) -> bool {
        true
    }

    /// [`Wake::ring`] was called elsewhere than inside a turn; a wake-up follows.
    #[inline]
    fn ring(&self, index: usize) {
        let _ = index;
    }
}

/// Turns run on the thread that causes them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Dispatch for Inline {
    const IS_INLINE: bool = true;
    const BUDGET: u64 = u64::MAX;

    fn dispatch(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Turns run on the thread that causes them, and the signals of one upstream are the only wake-ups,
/// but for those by [`catch_up`](Wake::catch_up).
#[derive(Clone, Copy, Debug, Default)]
pub struct InlineForOne;

impl Dispatch for InlineForOne {
    const IS_INLINE: bool = true;
    const IS_WOKEN_BY_ONE: bool = true;
    const BUDGET: u64 = u64::MAX;

    fn dispatch(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Turns run on the thread that causes them, and what rings elsewhere is put into a set, for the
/// source to take.
#[derive(Clone, Debug)]
pub struct Bells(pub Arc<ReadySet>);

impl Dispatch for Bells {
    const IS_INLINE: bool = true;
    const BUDGET: u64 = u64::MAX;

    fn dispatch(&self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn ring(&self, index: usize) {
        self.0.set(index);
    }
}

/// Something that a worker runs.
pub trait Task: Send + Sync {
    /// Runs it.
    fn run(&self);

    /// It will not be run, because the worker stopped.
    fn abandon(&self, error: Error);

    /// The worker stopped, whether or not the task waits there to be run: what waits for something
    /// else, such as a future, waits in vain.
    fn stop(&self, error: Error) {
        self.abandon(error);
    }
}

/// Where a job runs besides on its worker: inside of something that surrounds it.
pub trait Surround: Send + Sync {
    /// Runs `task` inside.
    fn run(&self, task: &dyn Task);
}

/// Something that can be told that there may be something to do.
pub trait Wake: Send + Sync {
    /// There may be something to do. Never blocks, may be called from anywhere.
    fn wake(&self);

    /// The same, also if the caller is the thread that asks for the gate, whose wake-ups are
    /// otherwise [put off](crate::after_turn): for a queue that its producer would fill before.
    #[inline]
    fn wake_at_once(&self) {
        self.wake();
    }

    /// There may be something to do with `index`.
    #[inline]
    fn ring(&self, index: usize) {
        let _ = index;
        self.wake();
    }

    /// There may be something to do that came before, or from another side than the upstream whose
    /// signals are all other wake-ups. More than a wake-up where [`Dispatch::IS_WOKEN_BY_ONE`], and
    /// else the same.
    fn catch_up(&self) {
        self.wake();
    }

    /// There may be an item, and nothing else: of no use to one who is not asked for any.
    #[inline]
    fn wake_for_item(&self) {
        self.wake();
    }
}

impl<W: Wake + ?Sized> Wake for Arc<W> {
    fn wake(&self) {
        (**self).wake();
    }

    #[inline]
    fn wake_at_once(&self) {
        (**self).wake_at_once();
    }

    #[inline]
    fn ring(&self, index: usize) {
        (**self).ring(index);
    }

    fn catch_up(&self) {
        (**self).catch_up();
    }

    fn wake_for_item(&self) {
        (**self).wake_for_item();
    }
}

/// A task on its way to a worker: it is run, or it is told that it will not be.
pub struct Job {
    task: Option<Arc<dyn Task>>,
    surround: Option<Arc<dyn Surround>>,
}

impl Job {
    /// A job for `task`.
    #[must_use]
    pub fn new(task: Arc<dyn Task>) -> Self {
        Self { task: Some(task), surround: None }
    }

    /// Has the task run inside of `surround`, if it is not inside of something already.
    #[must_use]
    pub fn inside(mut self, surround: Arc<dyn Surround>) -> Self {
        self.surround.get_or_insert(surround);
        self
    }

    /// Runs the task.
    pub fn run(mut self) {
        if let Some(task) = self.task.take() {
            match self.surround.take() {
                Some(surround) => surround.run(&*task),
                None => task.run(),
            }
        }
    }

    /// Lets go of the task, which is told nothing: whoever wanted it run wants it no longer.
    pub fn discard(mut self) {
        self.task = None;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abandon(Error::new(
                reactive_streams::ErrorKind::Rejected,
                "the scheduler stopped before the work was done",
            ));
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}
