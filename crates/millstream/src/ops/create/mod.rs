//! Sources: flows that begin here.

#[expect(clippy::module_inception, reason = "the family and one of its members share a name")]
mod create;
mod defer;
mod error;
mod from_fn;
mod from_iter;
mod from_stream;
mod generate;
mod lines;
mod never;
mod range;
mod using;
mod using_async;

pub use create::{Create, Emitter, IntoEnd, create, create_on};
pub use defer::{Defer, defer};
pub use error::{Failed, error};
pub use from_fn::{FromFn, from_fn};
pub use from_iter::{FromIter, empty, from_iter, just};
pub use from_stream::{FromStream, Once, from_future, from_future_on, from_stream, from_stream_on};
pub use generate::{Generate, generate};
pub use lines::{LINE_LIMIT, Lines, byte_lines, lines, lines_of};
pub use never::{Never, never};
pub use range::{Number, Range, range};
pub use using::{Using, using};
pub use using_async::{Released, UsingAsync, using_async, using_async_on};
