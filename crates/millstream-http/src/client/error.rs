//! `CallError`: why a call has no response.

use std::{error, fmt, time::Duration};

use millstream_pressure::{Reason, Rejected};

pub(crate) type BoxError = Box<dyn error::Error + Send + Sync>;

/// Why a call has no response.
#[derive(Debug)]
pub enum CallError {
    /// A policy here refused it: it was not made, or given up.
    Rejected(Rejected<()>),
    /// It was made and has failed, such as by a connection that was lost.
    Failed(BoxError),
}

impl CallError {
    /// Why a policy refused it, if one did.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Rejected(rejected) => Some(rejected.reason),
            Self::Failed(_) => None,
        }
    }

    /// When it may be worth another call, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejected) => rejected.retry_after,
            Self::Failed(_) => None,
        }
    }

    pub(super) fn may_be_retried(&self) -> bool {
        match self {
            // It took too long; the others say that here there is too much already.
            Self::Rejected(rejected) => rejected.reason == Reason::Timeout,
            Self::Failed(_) => true,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Failed(cause) => cause.fmt(f),
        }
    }
}

impl error::Error for CallError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Failed(cause) => cause.source(),
        }
    }
}

impl From<CallError> for millstream::Error {
    fn from(error: CallError) -> Self {
        let kind = match &error {
            CallError::Rejected(rejected) if rejected.reason == Reason::Timeout => {
                millstream::ErrorKind::Timeout
            }
            CallError::Rejected(_) => millstream::ErrorKind::Rejected,
            CallError::Failed(_) => millstream::ErrorKind::Disconnected,
        };
        Self::with_source(kind, "", error)
    }
}
