//! See flows and policies while they run: what feeds what, how much is held where, what became of
//! each item, and who holds the credit.
//!
//! An [`Inventory`] names the flows and policies of a program. It counts nothing itself: flows are
//! counted by [`inspect_demand`](millstream::Flow::inspect_demand), policies by themselves.
//!
//! ```
//! use millstream::{Registry, range, scheduler::VirtualTime};
//! use millstream_observe::Inventory;
//!
//! let registry = Registry::new();
//! let flow = range(0..9).inspect_demand("numbers", &registry).map(|n| n * n);
//! let inventory = Inventory::new("squares", &VirtualTime::new());
//! inventory.bounded_flow("squares", &registry, &flow);
//!
//! assert_eq!(flow.count().wait()?, 9);
//! assert_eq!(inventory.snapshot().flows[0].stages[0].delivered, 9);
//! # Ok::<(), millstream::Error>(())
//! ```
//!
//! # The map
//!
//! - [`Inventory`] holds [flows](Inventory::flow), [policies](Inventory::policy), and what
//!   [feeds](Inventory::connect) or [guards](Inventory::guard) what.
//! - [`Snapshot`] is all that it knows, at one moment, to be written as JSON.
//! - [`Description`] is the topology with every bound and the worst-case memory.
//! - [`Health`] says whether the program lives, and whether it is ready for more.
//! - [`Watch`] looks again and again: items a second, who sets the pace of a flow, and events.
//! - [`Flight`] has the last signals of each stage; [`FlightDumps`] writes them when something
//!   fails.
//! - [`EndToEnd`] measures how long items take from where they enter to where they are done.
//! - [`StallReport`] says who waits for whom.
//! - [`Observe`] and [`Reading`] are for policies of one's own.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod describe;
mod end_to_end;
mod flight;
mod health;
#[cfg(feature = "tower")]
mod health_service;
mod inventory;
pub mod metrics;
#[cfg(feature = "page")]
pub mod page;
mod policies;
mod reading;
#[cfg(feature = "spill")]
mod spill;
mod stall;
mod svg;
mod watch;

pub use describe::{Description, NamedBound};
pub use end_to_end::EndToEnd;
pub use flight::{Flight, FlightDumps, FlightSignal, FlowFlight, StageFlight};
pub use health::{Health, HealthConfig, HealthReason, HealthReport, Heartbeat};
#[cfg(feature = "tower")]
pub use health_service::HealthService;
pub use inventory::{
    Edge, EdgeKind, FlowReading, Inventory, Place, PolicyReading, Snapshot, StageReading,
    UnknownPlace,
};
pub use reading::{
    Bound, Condition, Counts, Number, Observe, Reading, Severity, Text, Usage, Value,
};
#[cfg(feature = "spill")]
pub use spill::SpillQueue;
pub use stall::{StallReport, Wait};
pub use watch::{Event, FlowView, PolicyView, Role, StageView, Verdict, View, Watch};

/// The book's pages, whose examples are run.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../../docs/book/src/observe/index.md")]
    mod index {}
    #[doc = include_str!("../../../docs/book/src/observe/operate.md")]
    mod operate {}
    #[doc = include_str!("../../../docs/book/src/observe/flight.md")]
    mod flight {}
    #[cfg(feature = "page")]
    #[doc = include_str!("../../../docs/book/src/observe/page.md")]
    mod page {}
}
