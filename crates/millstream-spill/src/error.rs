//! What can go wrong, and an item that is given back.

use std::{fmt, io, sync::Arc};

use reactive_streams::{Error, ErrorKind};

/// Why a queue could not be opened, written or read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SpillError {
    /// The storage failed.
    Io {
        /// What was being done, such as `write`.
        doing: &'static str,
        /// The file it was done to.
        file: String,
        /// What the storage said.
        cause: Arc<io::Error>,
    },
    /// Another queue has this directory open, in this process or another one.
    Locked,
    /// The directory or a file in it was removed while the queue was open.
    Removed {
        /// The file that is gone.
        file: String,
    },
    /// Items that were safe cannot be read any more.
    Damaged {
        /// The file.
        file: String,
        /// Where in the file, in bytes.
        offset: u64,
        /// What is wrong there.
        why: &'static str,
    },
    /// A file was written by a version of this crate that is newer than this one.
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: u16,
    },
    /// A file belongs to another queue, or to another place in this one.
    Foreign {
        /// The file.
        file: String,
    },
    /// The item's payload is larger than a segment.
    TooLarge {
        /// The payload's bytes.
        bytes: u64,
        /// The most that fit.
        max: u64,
    },
    /// There is no room below the ceiling.
    Full,
    /// The queue has given out all of its numbers, of which there are 2^64 - 1.
    Exhausted,
    /// The codec could not write or read the item.
    Codec(Arc<dyn std::error::Error + Send + Sync>),
    /// The queue was closed, or the scheduler for its disk was shut down.
    Closed,
    /// The configuration contradicts itself.
    Config(&'static str),
}

impl SpillError {
    pub(crate) fn io(doing: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |cause| Self::Io { doing, file, cause: Arc::new(cause) }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } | Self::Locked | Self::Removed { .. } => ErrorKind::Io,
            Self::Damaged { .. } | Self::Version { .. } | Self::Foreign { .. } | Self::Codec(_) => {
                ErrorKind::InvalidData
            }
            Self::TooLarge { .. } | Self::Full | Self::Exhausted => ErrorKind::Overflow,
            Self::Closed => ErrorKind::Rejected,
            Self::Config(_) => ErrorKind::Other,
        }
    }
}

impl fmt::Display for SpillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, file, cause } => write!(f, "cannot {doing} {file}: {cause}"),
            Self::Locked => {
                f.write_str("another queue has this directory open: one writer per directory")
            }
            Self::Removed { file } => write!(f, "{file} was removed while the queue was open"),
            Self::Damaged { file, offset, why } => write!(
                f,
                "{file} is damaged at byte {offset}: {why}; `repair` keeps what can be read, and \
                 `OnDamage::Skip` goes on behind it"
            ),
            Self::Version { file, found } => {
                write!(f, "{file} has format version {found}, which is newer than this program")
            }
            Self::Foreign { file } => {
                write!(f, "{file} belongs to another queue or was renamed: move it away")
            }
            Self::TooLarge { bytes, max } => {
                write!(f, "an item of {bytes} bytes does not fit into a segment: {max} at most")
            }
            Self::Full => f.write_str("the queue has reached its ceiling of bytes"),
            Self::Exhausted => f.write_str("the queue has given out all of its numbers"),
            Self::Codec(cause) => write!(f, "the codec failed: {cause}"),
            Self::Closed => f.write_str("the queue, or the scheduler for its disk, was shut down"),
            Self::Config(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for SpillError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(&**cause),
            Self::Codec(cause) => Some(&**cause),
            _ => None,
        }
    }
}

impl From<SpillError> for Error {
    fn from(error: SpillError) -> Self {
        Self::with_source(error.kind(), "", error)
    }
}

/// An item that was not taken, and why.
#[derive(Clone, Debug)]
pub struct Rejected<T> {
    /// The item.
    pub item: T,
    /// Why it was not taken.
    pub error: SpillError,
}

impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<T: fmt::Debug> std::error::Error for Rejected<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
