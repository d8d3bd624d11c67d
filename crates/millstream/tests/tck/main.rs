//! Every source and operator under the TCK, one line each, by family.

mod bridge;
mod combine;
mod create;
mod ends;
mod errors;
mod filter;
mod flatten;
mod flow;
mod hub;
mod overflow;
mod peek;
mod share;
mod split;
mod stage;
mod subscribers;
mod threads;
mod time;
mod transform;

use millstream::scheduler::Pool;

/// A worker of its own for one publisher.
fn pool() -> Pool {
    Pool::new(1)
}
