//! Why a stream or a connection ends.

use std::fmt;

/// The code of an ERROR frame.
///
/// Codes that have no name here are kept as they are: those from `0x301` to `0xFFFF_FFFE` are for
/// applications.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// The server cannot read the SETUP.
    pub const INVALID_SETUP: Self = Self(0x001);
    /// The server does not do what the SETUP asks for.
    pub const UNSUPPORTED_SETUP: Self = Self(0x002);
    /// The server refuses the SETUP, for a reason of its own.
    pub const REJECTED_SETUP: Self = Self(0x003);
    /// The server cannot resume the session.
    pub const REJECTED_RESUME: Self = Self(0x004);
    /// The connection ends at once.
    pub const CONNECTION_ERROR: Self = Self(0x101);
    /// The connection ends when its streams have.
    pub const CONNECTION_CLOSE: Self = Self(0x102);
    /// The application failed: an `on_error` of the other side.
    pub const APPLICATION_ERROR: Self = Self(0x201);
    /// The responder refused the request and did nothing for it, so it may be sent again.
    pub const REJECTED: Self = Self(0x202);
    /// The responder gave the request up, perhaps after it had begun.
    pub const CANCELED: Self = Self(0x203);
    /// The request makes no sense.
    pub const INVALID: Self = Self(0x204);

    /// Returns whether this code belongs to the connection rather than to a stream.
    #[must_use]
    pub fn is_of_connection(self) -> bool {
        self.0 <= 0x1FF
    }

    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::INVALID_SETUP => "INVALID_SETUP",
            Self::UNSUPPORTED_SETUP => "UNSUPPORTED_SETUP",
            Self::REJECTED_SETUP => "REJECTED_SETUP",
            Self::REJECTED_RESUME => "REJECTED_RESUME",
            Self::CONNECTION_ERROR => "CONNECTION_ERROR",
            Self::CONNECTION_CLOSE => "CONNECTION_CLOSE",
            Self::APPLICATION_ERROR => "APPLICATION_ERROR",
            Self::REJECTED => "REJECTED",
            Self::CANCELED => "CANCELED",
            Self::INVALID => "INVALID",
            _ => return None,
        })
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorCode({self})")
    }
}
