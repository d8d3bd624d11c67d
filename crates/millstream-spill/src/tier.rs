//! Tiers beyond the disk: where whole segments go when the directory is full.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A store of whole segments that is larger, slower or cheaper than the directory: another disk, a
/// network file system, an object store.
///
/// Segments are put once, got once or twice, and removed. All calls are made on the thread that
/// does the disk work, so that a slow store holds up nobody else, and only one at a time.
pub trait Tier: fmt::Debug + Send + Sync + 'static {
    /// Stores a segment: when this returns, [`get`](Self::get) gives all of it or fails, also after
    /// a power failure. One of that name that is there is replaced.
    ///
    /// # Errors
    ///
    /// The segment stays in the directory, and the directory full.
    fn put(&self, name: &str, segment: &mut dyn Read) -> io::Result<()>;

    /// Writes a segment to `out`.
    ///
    /// # Errors
    ///
    /// The receiver is told, and may try again.
    fn get(&self, name: &str, out: &mut dyn Write) -> io::Result<()>;

    /// Removes a segment; one that is not there is none.
    ///
    /// # Errors
    ///
    /// The segment is left over, and removed when the queue is opened the next time.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names and sizes in bytes of the segments that are there.
    ///
    /// # Errors
    ///
    /// The queue cannot be opened.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;
}

/// A tier that is a directory, on a disk of its own or a file system of the network.
#[derive(Clone, Debug)]
pub struct DirectoryTier(PathBuf);

impl DirectoryTier {
    /// The directory `path`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn new(path: impl AsRef<Path>) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        Ok(Self(path.as_ref().to_owned()))
    }

    fn sync_names(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
    }
}

impl Tier for DirectoryTier {
    fn put(&self, name: &str, segment: &mut dyn Read) -> io::Result<()> {
        let draft = self.0.join(format!("{name}.tmp"));
        let mut file = File::create(&draft)?;
        io::copy(segment, &mut file)?;
        file.sync_all()?;
        fs::rename(&draft, self.0.join(name))?;
        self.sync_names()
    }

    fn get(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        io::copy(&mut File::open(self.0.join(name))?, out).map(drop)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && !name.ends_with(".tmp")
            {
                segments.push((name, entry.metadata()?.len()));
            }
        }
        Ok(segments)
    }
}
