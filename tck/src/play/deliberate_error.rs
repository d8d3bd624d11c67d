//! The error that the TCK sends, and by which it knows it again.

use std::fmt;

use reactive_streams::Error;

/// What events about this error have as their item.
pub(crate) const NUMBER: u64 = 1;

/// The cause of the TCK's error: it stays findable where context is added.
#[derive(Debug)]
struct Deliberate;

impl fmt::Display for Deliberate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a failure that the TCK sends on purpose")
    }
}

impl std::error::Error for Deliberate {}

/// The TCK's error.
pub(crate) fn error() -> Error {
    Error::other(Deliberate)
}

/// The number of the TCK's error, `None` for any other.
pub(crate) fn number(error: &Error) -> Option<u64> {
    error.downcast_ref::<Deliberate>().map(|_| NUMBER)
}
