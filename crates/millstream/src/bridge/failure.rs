//! Shared: what the other side of a bridge says has failed, as an error of ours.

use std::{any::Any, error, io};

use reactive_streams::{Error, ErrorKind};

/// Of kind `Io` for an [`io::Error`], or `InvalidData` where that says so; otherwise as
/// [`Error::other`] makes it.
pub(super) fn failure<E>(cause: E) -> Error
where
    E: error::Error + Send + Sync + 'static,
{
    let kind = (&cause as &dyn Any).downcast_ref::<io::Error>().map(io::Error::kind);
    match kind {
        None => Error::other(cause),
        Some(io::ErrorKind::InvalidData) => Error::with_source(ErrorKind::InvalidData, "", cause),
        Some(_) => Error::with_source(ErrorKind::Io, "", cause),
    }
}

/// What a flow has failed with, if that is why a reader of it fails.
#[cfg(feature = "codec")]
pub(super) fn error_of_flow(cause: &io::Error) -> Option<Error> {
    cause.get_ref()?.downcast_ref::<Error>().cloned()
}
