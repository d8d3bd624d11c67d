//! Operators that write and read the context of a subscription, and of an item.

mod context_write;
mod defer_contextual;
mod through_contextual;
mod with_context;

pub use context_write::ContextWrite;
pub(crate) use context_write::in_this_context;
pub use defer_contextual::{DeferContextual, defer_contextual};
pub use through_contextual::ThroughContextual;
pub use with_context::FlowWithContext;
