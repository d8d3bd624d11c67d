//! Simulates services under load, in virtual time, with the real policies of `millstream-pressure`.
//!
//! A [`Scenario`] says who calls what, and how the service is protected, in several variants: one
//! without a policy, to see the failure, and one with it. [`Scenario::run`] plays each, and a
//! [`Report`] says what came of it, as a table, as JSON and as SVG. The policies are those that run
//! live; what is simulated are clients, networks of nodes, and time. The same scenario and seed
//! give the same report, byte for byte.
//!
//! ```
//! use millstream_sim::Scenario;
//!
//! let text = "
//! name: overload
//! duration: 5s
//! clients:
//!   - arrivals: [{for: 5s, rate: 400}]
//!     timeout: 100ms
//! service: {workers: 2, time: {exponential: 10ms}}
//! variants:
//!   - {name: without a limit}
//!   - name: with a limit
//!     limit: {algorithm: {fixed: 6}, backlog: 0}
//! ";
//! let reports = Scenario::from_yaml(text)?.run(1);
//! let second = std::time::Duration::from_secs(1);
//! assert!(reports[0].between(2 * second, 5 * second).goodput() < 0.1); // all wait too long
//! assert!(reports[1].between(2 * second, 5 * second).goodput() > 0.9);
//! # Ok::<(), millstream_sim::InvalidScenario>(())
//! ```
//!
//! # What is simulated
//!
//! Clients send requests as their arrivals say: a Poisson process of a rate that may change evenly,
//! in bursts, or at recorded moments. One that gets no answer in time, or a refusal, tries again
//! after a wait with full jitter, as often as it may and its budget allows. Each node has workers
//! that serve one request at a time, for a time by a law, and a queue in front of them. The server
//! does not hear of time-outs: it works on for nobody.

#![forbid(unsafe_code)]

mod arrivals;
mod client;
mod expect;
pub mod goals;
mod law;
mod measures;
mod node;
mod report;
mod scenario;
mod world;

pub use self::{
    arrivals::Phase,
    expect::{Expectation, Metric, Unmet},
    law::Law,
    measures::{Measures, Second},
    report::Report,
    scenario::{Backoff, Change, Clients, InvalidScenario, Scenario, Service, Variant},
};

/// The book's pages, whose examples are run.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../../docs/book/src/program.md")]
    mod program {}
    #[doc = include_str!("../../../docs/book/src/pressure-figures.md")]
    mod figures {}
    #[doc = include_str!("../../../docs/book/src/pressure/simulator.md")]
    mod simulator {}
}
