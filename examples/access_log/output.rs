//! Where the job writes: a former file is replaced only by a run that is done.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use millstream::Error;
use tempfile::{Builder, NamedTempFile};

/// A file that is written beside its place, which keeps the former one meanwhile.
pub(crate) struct Beside {
    file: NamedTempFile,
    place: PathBuf,
}

/// Opens what is to be written. What is no regular file, such as a device or a pipe, has nothing to
/// keep, and is written as it is.
pub(crate) fn create(path: &Path) -> Result<(File, Option<Beside>), Error> {
    let result = match fs::canonicalize(path) {
        Ok(place) => {
            // Asks whether it may be written, as a plain write would.
            File::options().write(true).open(&place).and_then(|former| {
                let data = former.metadata()?;
                if !data.is_file() {
                    return Ok((former, None));
                }
                let (file, beside) = beside(place)?;
                beside.file.as_file().set_permissions(data.permissions())?;
                Ok((file, Some(beside)))
            })
        }
        // It leads to a file that is not there yet, or to something without a name.
        Err(_) if path.is_symlink() => File::create(path).map(|file| (file, None)),
        Err(_) => beside(path.to_owned()).map(|(file, beside)| (file, Some(beside))),
    };
    result.map_err(|cause| Error::other(cause).context(format!("cannot create {}", path.display())))
}

/// Standard output.
///
/// # Errors
///
/// If it was closed before the program began. Rust opens `/dev/null` in its place, for reading and
/// writing, where almost everybody else opens it for writing.
pub(crate) fn stdout() -> Result<io::Stdout, Error> {
    let is_null = fs::read_link("/proc/self/fd/1").is_ok_and(|path| path == Path::new("/dev/null"));
    let info = fs::read_to_string("/proc/self/fdinfo/1").unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    // O_RDWR among the access modes.
    if is_null && flags.is_some_and(|flags| flags & 3 == 2) {
        return Err(Error::message(
            "standard output is closed: name a file by --out, which may be /dev/null",
        ));
    }
    Ok(io::stdout())
}

fn beside(place: PathBuf) -> io::Result<(File, Beside)> {
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = place.parent().filter(|folder| *folder != Path::new(""));
    let prefix = format!(".{name}.");
    let mut builder = Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    Ok((file.reopen()?, Beside { file, place }))
}

impl Beside {
    /// Puts the file into its place.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Self { file, place } = self;
        // Before it takes the former one's place, so that a crash leaves one of them whole.
        let result = file.as_file().sync_all();
        let result = result.and_then(|()| file.persist(&place).map_err(|error| error.error));
        result.map(drop).map_err(|cause| {
            Error::other(cause).context(format!("cannot replace {}", place.display()))
        })
    }

    /// Keeps what an unfinished run has written, under a name that tells so. `None` if that is
    /// nothing.
    pub(crate) fn keep_partial(self) -> Option<PathBuf> {
        let Self { file, place } = self;
        let n_bytes = file.as_file().metadata().map_or(0, |data| data.len());
        let mut name = place.into_os_string();
        name.push(".partial");
        (n_bytes > 0 && file.persist(&name).is_ok()).then(|| name.into())
    }
}
