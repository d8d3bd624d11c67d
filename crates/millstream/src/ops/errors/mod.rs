//! Operators that deal with failures.

mod flatten_results;
mod on_error_resume;
mod on_error_return;
mod retry;

pub use flatten_results::FlattenResults;
pub use on_error_resume::OnErrorResume;
pub use on_error_return::OnErrorReturn;
pub use retry::Retry;
