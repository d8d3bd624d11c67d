//! `Immediate`: at once, on the thread that schedules.

use std::{cell::RefCell, collections::VecDeque, time::Duration};

use millstream_kernel::Job;

use super::{Executor, Scheduled, Scheduler, Worker};

/// Runs tasks at once, on the thread that schedules them. A task that is scheduled by a task waits
/// until that one has returned, so that tasks do not recurse.
///
/// It has no clock: what is scheduled for later is rejected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Immediate;

thread_local! {
    /// The tasks that wait for the one that runs on this thread; `None` while none runs.
    static WAITING: RefCell<Option<VecDeque<Job>>> = const { RefCell::new(None) };
}

impl Scheduler for Immediate {
    fn worker(&self) -> Worker {
        Worker::new(*self)
    }
}

impl Executor for Immediate {
    fn schedule(&self, job: Job) {
        let mut next = WAITING.with_borrow_mut(|waiting| match waiting {
            Some(waiting) => {
                waiting.push_back(job);
                None
            }
            None => {
                *waiting = Some(VecDeque::new());
                Some(job)
            }
        });
        while let Some(job) = next {
            job.run();
            next = WAITING.with_borrow_mut(|waiting| {
                let job = waiting.as_mut().and_then(VecDeque::pop_front);
                if job.is_none() {
                    *waiting = None;
                }
                job
            });
        }
    }

    fn schedule_after(&self, _: Duration, job: Job) -> Scheduled {
        drop(job);
        Scheduled::over()
    }

    fn is_current(&self) -> bool {
        true
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}
