//! Operators that look on.

mod checkpoint;
mod do_finally;
mod inspect;
mod listen;

pub use checkpoint::Checkpoint;
pub use do_finally::{DoFinally, Ending};
pub use inspect::Inspect;
pub use listen::{Listen, Listener};
