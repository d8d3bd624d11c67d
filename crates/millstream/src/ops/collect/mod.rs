//! Methods that run a flow to its end.

#[expect(clippy::module_inception, reason = "the family and one of its members share a name")]
mod collect;
mod count;
mod first;
mod fold;
mod for_each;
mod for_each_async;
mod into_stream;
mod last;
mod reduce;

pub use into_stream::IntoStream;
