//! Every operator under the TCK: as a publisher, and by what it does with its source.

mod admit;
mod consumer;
mod credits;
mod delivery;
mod lanes;
mod limit;
mod queue;
mod rate;
mod retry;
#[expect(dead_code, reason = "the core's tests use more of it")]
#[path = "../../../millstream/tests/tck/stage.rs"]
mod stage;
