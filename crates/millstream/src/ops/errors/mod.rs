//! Operators that deal with failures.

mod backoff;
mod flatten_results;
mod map_err;
mod on_error_complete;
mod on_error_resume;
mod on_error_return;
mod retry;
mod retry_backoff;
mod retry_when;

pub use backoff::{Backoff, Delays};
pub use flatten_results::FlattenResults;
pub use map_err::MapErr;
pub use on_error_complete::{OnErrorComplete, OnErrorCompleteIf};
pub use on_error_resume::OnErrorResume;
pub use on_error_return::OnErrorReturn;
pub use retry::Retry;
pub use retry_backoff::RetryBackoff;
pub use retry_when::{Attempt, RetryWhen};
