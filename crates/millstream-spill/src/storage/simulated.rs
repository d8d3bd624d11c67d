//! `Simulated`: a directory in memory that fails as it is told to, and loses what was not synced.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::{Storage, StorageFile};

/// What is done to a [`Simulated`] directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`Storage::lock`].
    Lock,
    /// [`Storage::names`].
    Names,
    /// [`Storage::create`].
    Create,
    /// [`Storage::open`].
    Open,
    /// [`Storage::rename`].
    Rename,
    /// [`Storage::remove`].
    Remove,
    /// [`Storage::sync_names`].
    SyncNames,
    /// [`StorageFile::read_at`].
    Read,
    /// [`StorageFile::write_at`].
    Write,
    /// [`StorageFile::sync`].
    Sync,
    /// [`StorageFile::set_len`].
    SetLen,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// With this error, and nothing was done. A sync that fails so drops what it should have
    /// written from what the next one writes, as Linux does.
    Error(io::ErrorKind),
    /// Only so many bytes are written or read.
    Short(usize),
}

type Plan = Box<dyn FnMut(Operation, &str) -> Option<Fault> + Send>;

/// A directory in memory, for tests: it fails as a plan says, and forgets in
/// [`power_failure`](Self::power_failure) what was not synced. A clone is the same directory.
#[derive(Clone)]
pub struct Simulated(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: BTreeMap<String, Arc<Mutex<Content>>>,
    /// As of the last sync of names.
    durable_names: BTreeMap<String, Arc<Mutex<Content>>>,
    /// Changes of names since, in order.
    changes: Vec<Change>,
    plan: Option<Plan>,
    holder: Weak<()>,
}

#[derive(Clone)]
enum Change {
    Put(String, Arc<Mutex<Content>>),
    Take(String),
}

#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// What a failed sync did not write and no later one will, until it is written again.
    is_clean: bool,
}

impl Default for Simulated {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulated {
    /// An empty directory in which nothing fails.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// From now on `plan` is asked before each operation on the file of that name, and says how it
    /// fails.
    pub fn fail(&self, plan: impl FnMut(Operation, &str) -> Option<Fault> + Send + 'static) {
        self.0.lock().plan = Some(Box::new(plan));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.0.lock().plan = None;
    }

    /// A directory as it may be found after a power failure now: of what was not synced, `keep(n)`
    /// chooses how much of `n` is there: of the names in order, and of each file's bytes, sector by
    /// sector.
    #[must_use]
    pub fn power_failure(&self, mut keep: impl FnMut(usize) -> usize) -> Self {
        const SECTOR: usize = 512;
        let state = self.0.lock();
        let mut names = state.durable_names.clone();
        let n_kept = keep(state.changes.len() + 1).min(state.changes.len());
        for change in &state.changes[..n_kept] {
            change.apply(&mut names);
        }
        let survivors = names.into_iter().map(|(name, content)| {
            let content = content.lock();
            let mut bytes = content.durable.clone();
            // The length is kept or not, and in it each sector of what was written.
            if content.bytes.len() < bytes.len() {
                if keep(2) == 1 {
                    bytes.truncate(content.bytes.len());
                }
            } else {
                let grown = content.bytes.len() - bytes.len();
                bytes.resize(bytes.len() + keep(grown + 1).min(grown), 0);
            }
            for (at, sector) in bytes.chunks_mut(SECTOR).enumerate() {
                let start = at * SECTOR;
                let end = (start + sector.len()).min(content.bytes.len());
                if start < end && keep(2) == 1 {
                    sector[..end - start].copy_from_slice(&content.bytes[start..end]);
                }
            }
            let durable = bytes.clone();
            (name, Arc::new(Mutex::new(Content { bytes, durable, is_clean: false })))
        });
        let names: BTreeMap<_, _> = survivors.collect();
        let durable_names = names.clone();
        Self(Arc::new(Mutex::new(State { names, durable_names, ..State::default() })))
    }

    /// What the file holds now; `None` if there is none.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.0.lock().names.get(name)?.lock().bytes.clone())
    }

    /// Puts a file there as if it had always been.
    pub fn write(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let content = Content { durable: bytes.clone(), bytes, is_clean: false };
        let content = Arc::new(Mutex::new(content));
        let mut state = self.0.lock();
        state.durable_names.insert(name.to_owned(), Arc::clone(&content));
        state.names.insert(name.to_owned(), content);
    }

    fn ask(&self, operation: Operation, name: &str) -> Option<Fault> {
        self.0.lock().plan.as_mut().and_then(|plan| plan(operation, name))
    }

    fn begin(&self, operation: Operation, name: &str) -> io::Result<()> {
        match self.ask(operation, name) {
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::Short(_)) | None => Ok(()),
        }
    }

    fn file(&self, name: &str, content: Arc<Mutex<Content>>) -> Arc<dyn StorageFile> {
        Arc::new(Open { directory: self.clone(), name: name.to_owned(), content })
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, Arc<Mutex<Content>>>) {
        match self {
            Self::Put(name, content) => {
                names.insert(name.clone(), Arc::clone(content));
            }
            Self::Take(name) => {
                names.remove(name);
            }
        }
    }
}

impl State {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }
}

impl Storage for Simulated {
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>> {
        self.begin(Operation::Lock, "")?;
        let mut state = self.0.lock();
        if state.holder.upgrade().is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let holder = Arc::new(());
        state.holder = Arc::downgrade(&holder);
        Ok(Box::new(holder))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.begin(Operation::Names, "")?;
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        self.begin(Operation::Create, name)?;
        let mut state = self.0.lock();
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let content = Arc::default();
        state.change(Change::Put(name.to_owned(), Arc::clone(&content)));
        Ok(self.file(name, content))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        self.begin(Operation::Open, name)?;
        let state = self.0.lock();
        let content = state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(name, Arc::clone(content)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.begin(Operation::Rename, from)?;
        let mut state = self.0.lock();
        let content = Arc::clone(state.names.get(from).ok_or(io::ErrorKind::NotFound)?);
        state.names.remove(from);
        state.names.insert(to.to_owned(), Arc::clone(&content));
        // One step: the power fails before or after it.
        state.changes.push(Change::Put(to.to_owned(), content));
        state.changes.push(Change::Take(from.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.begin(Operation::Remove, name)?;
        let mut state = self.0.lock();
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change(Change::Take(name.to_owned()));
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        self.begin(Operation::SyncNames, "")?;
        let mut state = self.0.lock();
        state.durable_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }
}

/// An open file.
struct Open {
    directory: Simulated,
    name: String,
    content: Arc<Mutex<Content>>,
}

impl Open {
    /// How many of `n` bytes are to be read or written.
    fn begin(&self, operation: Operation, n: usize) -> io::Result<usize> {
        match self.directory.ask(operation, &self.name) {
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::Short(most)) => Ok(n.min(most)),
            None => Ok(n),
        }
    }
}

impl StorageFile for Open {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let n = self.begin(Operation::Read, bytes.len())?;
        let content = self.content.lock();
        let rest = content.bytes.get(offset as usize..).unwrap_or_default();
        let n = n.min(rest.len());
        bytes[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let n = self.begin(Operation::Write, bytes.len())?;
        let mut content = self.content.lock();
        let end = offset as usize + n;
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        content.bytes[offset as usize..end].copy_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn sync(&self) -> io::Result<()> {
        let result = self.begin(Operation::Sync, 0);
        let mut content = self.content.lock();
        match result {
            // The pages count as written from now on, though they are not.
            Err(error) => {
                content.is_clean = true;
                Err(error)
            }
            Ok(_) => {
                // What a failed sync lost stays lost.
                if !content.is_clean {
                    content.durable = content.bytes.clone();
                }
                Ok(())
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.begin(Operation::SetLen, 0)?;
        self.content.lock().bytes.resize(len as usize, 0);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.content.lock().bytes.len() as u64)
    }

    fn is_linked(&self) -> io::Result<bool> {
        let state = self.directory.0.lock();
        Ok(state.names.values().any(|content| Arc::ptr_eq(content, &self.content)))
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Simulated").field("names", &state.names.keys()).finish_non_exhaustive()
    }
}
