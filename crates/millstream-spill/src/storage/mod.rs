//! Where the files are: a directory of the file system, or one that a test makes fail.

mod disk;
mod simulated;

use std::{any::Any, fmt, io, sync::Arc};

pub use disk::Disk;
pub use simulated::{Fault, Operation, Simulated};

/// A directory of files.
///
/// What the queue relies on: [`rename`](Self::rename) replaces in one step; what was written before
/// a [`StorageFile::sync`] that succeeded survives a power failure, if the file's name does; a name
/// survives once [`sync_names`](Self::sync_names) has succeeded after it was made.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Makes this directory this queue's, until what is returned is dropped or the process ends.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is another's.
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>>;

    /// The names of all files.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes an empty file.
    ///
    /// # Errors
    ///
    /// `AlreadyExists`, among others.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    ///
    /// `NotFound`, among others.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Gives a file another name; one that had that name before is gone.
    ///
    /// # Errors
    ///
    /// `NotFound`, among others.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. One that is open can still be read.
    ///
    /// # Errors
    ///
    /// `NotFound`, among others.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns when names that were made, changed and removed before are on the disk.
    ///
    /// # Errors
    ///
    /// Nobody knows which of them are.
    fn sync_names(&self) -> io::Result<()>;
}

/// An open file, read and written at positions.
pub trait StorageFile: Send + Sync {
    /// Reads at `offset`; how many bytes, 0 at the end.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes at `offset`; how many bytes, which may be fewer than were given.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Returns when what was written before is on the disk.
    ///
    /// # Errors
    ///
    /// What was written since the last sync that succeeded may be lost, even if a later one
    /// succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file off.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// The file's bytes.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn size(&self) -> io::Result<u64>;

    /// Returns whether the file still has a name; `false` after it was removed, or its directory
    /// was.
    ///
    /// # Errors
    ///
    /// The storage's.
    fn is_linked(&self) -> io::Result<bool>;
}

impl dyn StorageFile + '_ {
    /// Fills as much of `bytes` as the file has at `offset`.
    pub(crate) fn read_full_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut n_read = 0;
        while n_read < bytes.len() {
            match self.read_at(&mut bytes[n_read..], offset + n_read as u64) {
                Ok(0) => break,
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(n_read)
    }

    pub(crate) fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    bytes = &bytes[n..];
                    offset += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
