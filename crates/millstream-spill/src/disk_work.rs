//! Work for the thread that does the disk's.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream::scheduler::Worker;
use millstream_kernel::{Job, Task, oneshot};
use parking_lot::Mutex;
use reactive_streams::Error;

use crate::{Codec, log::Log};

/// Runs `work` on the worker with `input`; gives that back with the result, or alone if the worker
/// has stopped.
pub(crate) async fn on_disk<I: Send + 'static, R: Send + 'static>(
    worker: &Worker,
    input: I,
    work: impl FnOnce(&I) -> R + Send + 'static,
) -> Result<(I, R), I> {
    let (sender, receiver) = oneshot::channel();
    let once = Once(Mutex::new(Some((input, work, sender))));
    worker.schedule(Job::new(Arc::new(once)));
    match receiver.await {
        Some(result) => result,
        None => unreachable!("a job is run or abandoned, and both send"),
    }
}

type Answer<I, R> = oneshot::Sender<Result<(I, R), I>>;

/// Something to be done, and who gets the result; taken when it is done.
struct Once<I, F, R>(Mutex<Option<Parts<I, F, R>>>);

type Parts<I, F, R> = (I, F, Answer<I, R>);

impl<I: Send, F: FnOnce(&I) -> R + Send, R: Send> Task for Once<I, F, R> {
    fn run(&self) {
        let taken = self.0.lock().take();
        if let Some((input, work, sender)) = taken {
            let result = work(&input);
            sender.send(Ok((input, result)));
        }
    }

    fn abandon(&self, _error: Error) {
        let taken = self.0.lock().take();
        if let Some((input, _, sender)) = taken {
            sender.send(Err(input));
        }
    }
}

/// Commits a queue, on the worker or, if that has stopped, where it is told so: those who wait have
/// to hear.
pub(crate) fn schedule_commit<C: Codec>(log: &Arc<Log<C>>, after: Option<Duration>) {
    let job = Job::new(Arc::new(Commit(Arc::downgrade(log))));
    match after {
        Some(time) => log.clock.schedule_after(time, job).detach(),
        None => log.clock.schedule(job),
    }
}

/// Weak, since a timer may outlast the queue.
struct Commit<C: Codec>(Weak<Log<C>>);

impl<C: Codec> Task for Commit<C> {
    fn run(&self) {
        if let Some(log) = self.0.upgrade() {
            // Those who wait are told of a failure.
            drop(log.commit());
        }
    }

    fn abandon(&self, _error: Error) {
        self.run();
    }
}
