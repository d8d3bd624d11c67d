//! The operators, by family.

mod collect;
mod combine;
mod context;
mod create;
mod errors;
mod filter;
mod flatten;
mod overflow;
mod peek;
mod share;
mod split;
mod threads;
mod time;
mod transform;

pub use collect::*;
pub use combine::*;
pub use context::*;
pub use create::*;
pub use errors::*;
pub use filter::*;
pub use flatten::*;
pub use overflow::*;
pub use peek::*;
pub use share::*;
pub use split::*;
pub use threads::*;
pub use time::*;
pub use transform::*;
