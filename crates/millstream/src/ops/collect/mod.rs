//! Methods that run a flow to its end.

mod any;
#[expect(clippy::module_inception, reason = "the family and one of its members share a name")]
mod collect;
mod collect_map;
mod count;
mod first;
mod fold;
mod for_each;
mod for_each_async;
mod ignore_items;
mod into_stream;
mod last;
mod min;
mod reduce;
mod sum;

pub use into_stream::IntoStream;
