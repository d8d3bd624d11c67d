//! What becomes of items that a hub does not take.

use std::{error, fmt};

/// The item was not taken; gives it back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "the item comes back with the error"]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// The hub holds as many items as it may.
    Full(T),
    /// Nobody is subscribed, and the hub was told to wait for somebody.
    NoSubscriber(T),
    /// Nobody will take items any more.
    Closed(T),
}

/// Nobody will take items any more; gives the item back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "the item comes back with the error"]
pub struct SendError<T>(pub T);

/// Nobody will take items any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl<T> TrySendError<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::NoSubscriber(item) | Self::Closed(item) => item,
        }
    }

    /// Whether there may be a place later.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether there never will be one.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

// By hand, so that items need not be `Debug` and do not end up in logs.
impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::NoSubscriber(_) => "NoSubscriber(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the hub is full: wait with `send`, or send less"),
            Self::NoSubscriber(_) => {
                f.write_str("nobody is subscribed to the hub: wait with `send`, or send it later")
            }
            Self::Closed(_) => fmt::Display::fmt(&Closed, f),
        }
    }
}

impl<T> error::Error for TrySendError<T> {}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Closed, f)
    }
}

impl<T> error::Error for SendError<T> {}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the hub is closed: nobody will take items any more")
    }
}

impl error::Error for Closed {}
