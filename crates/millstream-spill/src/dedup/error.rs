//! What can go wrong with a store of keys.

use std::{error, fmt, io, sync::Arc};

use millstream_pressure::InvalidSetting;
use redb::{
    CommitError, DatabaseError, Error, SetDurabilityError, StorageError, TableError,
    TransactionError,
};

/// Why a store of keys could not be opened, read or written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DedupError {
    /// The file system failed: it is full, say, or read-only. After a write that failed the store
    /// has to be opened again.
    Io(Arc<io::Error>),
    /// Another process, or another store in this one, has the file open.
    Locked,
    /// The file is no database, or is damaged.
    Damaged(String),
    /// The file was written by a version that is newer than this one.
    Version,
    /// The codec could not write the key.
    Codec(Arc<dyn error::Error + Send + Sync>),
    /// A setting is not valid.
    Setting(InvalidSetting),
    /// Anything else that the database says.
    Database(Arc<Error>),
}

impl From<Error> for DedupError {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::Damaged(error.to_string())
            }
            Error::Io(error) => Self::Io(Arc::new(error)),
            Error::DatabaseAlreadyOpen => Self::Locked,
            Error::Corrupted(why) => Self::Damaged(why),
            Error::UpgradeRequired(_) => Self::Version,
            other => Self::Database(Arc::new(other)),
        }
    }
}

macro_rules! by_the_general_error {
    ($($error:ty),+) => {$(
        impl From<$error> for DedupError {
            fn from(error: $error) -> Self {
                Error::from(error).into()
            }
        }
    )+};
}

by_the_general_error!(
    CommitError,
    DatabaseError,
    SetDurabilityError,
    StorageError,
    TableError,
    TransactionError
);

impl fmt::Display for DedupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(cause) => write!(f, "the store of keys failed: {cause}"),
            Self::Setting(cause) => fmt::Display::fmt(cause, f),
            Self::Locked => f.write_str("the store of keys is open elsewhere"),
            Self::Damaged(why) => write!(f, "the store of keys is damaged: {why}"),
            Self::Version => f.write_str("the store of keys is from a newer version"),
            Self::Codec(cause) => write!(f, "the codec could not write the key: {cause}"),
            Self::Database(cause) => write!(f, "the store of keys failed: {cause}"),
        }
    }
}

impl error::Error for DedupError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(cause) => Some(&**cause),
            Self::Codec(cause) => Some(&**cause),
            Self::Database(cause) => Some(&**cause),
            Self::Setting(cause) => Some(cause),
            Self::Locked | Self::Damaged(_) | Self::Version => None,
        }
    }
}
