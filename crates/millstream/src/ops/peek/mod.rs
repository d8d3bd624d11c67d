//! Operators that look on.

mod checkpoint;
mod do_finally;
mod inspect;
mod inspect_demand;
#[cfg(feature = "tracing")]
mod instrument;
mod listen;
#[cfg(feature = "tracing")]
mod log;
mod recording;
mod registry;
mod stalls;

pub use checkpoint::Checkpoint;
pub use do_finally::{DoFinally, Ending};
pub use inspect::Inspect;
pub use inspect_demand::InspectDemand;
#[cfg(feature = "tracing")]
pub use instrument::Instrument;
pub use listen::{Listen, Listener};
#[cfg(feature = "tracing")]
pub use log::Log;
pub use recording::{RecordedSignal, Recording, SignalKind, StageRecording};
pub use registry::{LastSignal, Registry, Stage};
pub use stalls::{Holder, Stall, Stalls, stalls};
