//! Errors of streams and connections.

use std::fmt;

use bytes::Bytes;
use reactive_streams::{Error, ErrorKind};

use crate::ErrorCode;

/// What an ERROR frame says: inside of the [`Error`] that a stream fails with.
///
/// A responder that fails a stream with one of these sends its code; any other error is sent as
/// APPLICATION_ERROR with its message.
///
/// ```
/// use millstream_rsocket::{ErrorCode, RSocketError};
/// use reactive_streams::{Error, ErrorKind};
///
/// let error = Error::from(RSocketError::new(ErrorCode::REJECTED, "too busy"));
/// assert_eq!(error.kind(), ErrorKind::Rejected);
/// let inside = error.downcast_ref::<RSocketError>().unwrap();
/// assert_eq!((inside.code, inside.message()), (ErrorCode::REJECTED, "too busy".into()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RSocketError {
    /// The code.
    pub code: ErrorCode,
    /// The message, in UTF-8 by custom.
    pub data: Bytes,
}

impl RSocketError {
    /// An error with this code and message. Up to 4 096 bytes of the message are sent.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Bytes>) -> Self {
        Self { code, data: message.into() }
    }

    /// The message as text.
    #[must_use]
    pub fn message(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.data)
    }

    /// What an error is on the wire.
    pub(crate) fn of(error: &Error) -> Self {
        match error.downcast_ref::<Self>() {
            Some(error) => error.clone(),
            None => Self::new(ErrorCode::APPLICATION_ERROR, error.to_string()),
        }
    }
}

impl fmt::Display for RSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message())
    }
}

impl fmt::Debug for RSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RSocketError({self})")
    }
}

impl std::error::Error for RSocketError {}

impl From<RSocketError> for Error {
    fn from(error: RSocketError) -> Self {
        let kind = match error.code {
            ErrorCode::REJECTED
            | ErrorCode::REJECTED_SETUP
            | ErrorCode::REJECTED_RESUME
            | ErrorCode::UNSUPPORTED_SETUP => ErrorKind::Rejected,
            ErrorCode::INVALID | ErrorCode::INVALID_SETUP => ErrorKind::InvalidData,
            ErrorCode::CANCELED => ErrorKind::Disconnected,
            code if code.is_of_connection() => ErrorKind::Disconnected,
            _ => ErrorKind::Other,
        };
        Self::with_source(kind, "", error)
    }
}
