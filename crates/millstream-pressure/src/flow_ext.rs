//! `FlowExt`: the policies as operators of a flow.

use millstream::{Flow, Publisher};

/// Policies as operators: `use millstream_pressure::FlowExt as _`.
///
/// Each method's documentation says what the operator does with demand, how it ends, and what may be lost;
/// it stands beside the policy's code, in a file `operator.md`.
pub trait FlowExt: Publisher + Sized {}

impl<P: Publisher> FlowExt for Flow<P> {}
