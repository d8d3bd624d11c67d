//! Every operator under the TCK: as a publisher, and by what it does with its source.

mod limit;
mod admit;
mod queue;
mod retry;
mod credits;
mod queue;
mod rate;
#[expect(dead_code, reason = "the core's tests use more of it")]
#[path = "../../../millstream/tests/tck/stage.rs"]
mod stage;
