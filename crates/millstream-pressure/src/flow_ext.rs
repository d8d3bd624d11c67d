//! `FlowExt`: the policies as operators of a flow.

use millstream::{Flow, Publisher};

use crate::{Queue, Queued};

/// Policies as operators: `use millstream_pressure::FlowExt as _`.
///
/// Each method's documentation says what the operator does with demand, how it ends, and what may
/// be lost; it stands beside the policy's code, in a file `operator.md`.
pub trait FlowExt: Publisher + Sized {
    #[doc = include_str!("queue/operator.md")]
    fn queue(self, queue: &Queue<Self::Item>) -> Flow<Queued<Self>>
    where
        Self::Item: Send + 'static,
    {
        queue.stage(self)
    }
}

impl<P: Publisher> FlowExt for Flow<P> {}
