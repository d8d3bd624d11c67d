//! Shared: the outcome of running a future that takes the items of a flow.

use std::{future::Future, ops::ControlFlow};

use reactive_streams::{Error, ErrorKind, Publisher};

pub(super) use crate::parts::intake::Intake;
use crate::{Once, Outcome, from_stream_on, parts::terminal, scheduler::Scheduler};

/// Runs a future on a worker of `scheduler`; the outcome is its output.
/// Dropping that drops the future.
pub(super) fn run<F, R>(scheduler: &impl Scheduler, future: F) -> Outcome<R>
where
    F: Future<Output = Result<R, Error>> + Send + 'static,
    R: Send + 'static,
{
    outcome_of(from_stream_on(scheduler, Once::new(future)))
}

/// The outcome that is a publisher's one item.
pub(super) fn outcome_of<R: Send + 'static>(
    publisher: impl Publisher<Item = Result<R, Error>>,
) -> Outcome<R> {
    terminal::run(
        publisher,
        None,
        |output, result| {
            *output = Some(result);
            ControlFlow::Break(())
        },
        |output| {
            output.take().unwrap_or_else(|| {
                Err(Error::new(ErrorKind::Disconnected, "the bridge stopped without a result"))
            })
        },
    )
}
