//! The operators, by family.

mod collect;
mod combine;
mod create;
mod errors;
mod filter;
mod flatten;
mod peek;
mod threads;
mod transform;

pub use collect::*;
pub use combine::*;
pub use create::*;
pub use errors::*;
pub use filter::*;
pub use flatten::*;
pub use peek::*;
pub use threads::*;
pub use transform::*;
