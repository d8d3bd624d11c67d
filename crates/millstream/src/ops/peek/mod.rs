//! Operators that look on.

mod checkpoint;
mod do_finally;
mod inspect;
#[cfg(feature = "tracing")]
mod instrument;
mod listen;
#[cfg(feature = "tracing")]
mod log;
mod inspect_demand;

pub use checkpoint::Checkpoint;
pub use do_finally::{DoFinally, Ending};
pub use inspect::Inspect;
#[cfg(feature = "tracing")]
pub use instrument::Instrument;
pub use listen::{Listen, Listener};
#[cfg(feature = "tracing")]
pub use log::Log;
pub use inspect_demand::InspectDemand;
