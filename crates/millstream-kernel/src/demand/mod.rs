//! Demand: counted, capped, batched, deferred, and carried over from one source to the next.

mod allowance;
mod arbiter;
mod cap;
mod deferred;
pub(crate) mod packed;
mod pending;
mod prefetch;
mod upstream;

pub use self::{
    allowance::Allowance,
    arbiter::{Arbiter, Inside, Voice},
    cap::Cap,
    deferred::Deferred,
    pending::Pending,
    prefetch::Prefetch,
    upstream::Upstream,
};
