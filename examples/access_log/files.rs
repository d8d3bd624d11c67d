//! Refuses files that would destroy each other, by whatever names they are given.

use std::{
    fs::{self, Metadata},
    path::Path,
};

use millstream::Error;

/// The files of a run.
pub(crate) struct Files<'a> {
    /// `-` for standard input.
    pub(crate) log: &'a Path,
    /// Standard output if not given.
    pub(crate) out: Option<&'a Path>,
    pub(crate) rejects: Option<&'a Path>,
}

/// Refuses what would lose data: a log that cannot be read again, or one that is also an output,
/// and outputs that are one file.
pub(crate) fn check(files: &Files<'_>, n_times: u64) -> Result<(), Error> {
    let log = files.log;
    let is_input = log == Path::new("-");
    let log_id = if is_input {
        id_of_stdin()
    } else {
        let data = fs::metadata(log).map_err(|cause| {
            Error::other(cause).context(format!("cannot open {}", log.display()))
        })?;
        id_of(log, &data)
    };
    if n_times > 1 && (is_input || log_id.is_none()) && !log.is_dir() {
        return Err(Error::message(format!(
            "{} cannot be replayed: write it to a file, or leave --spike out",
            log.display()
        )));
    }
    let id_of_path = |path: &Path| fs::metadata(path).ok().and_then(|data| id_of(path, &data));
    let out = match files.out {
        Some(out) => (id_of_path(out), out.display().to_string()),
        None => (id_of_stdout(), "standard output".to_owned()),
    };
    let rejects = files.rejects.map(|path| (id_of_path(path), path.display().to_string()));
    for (id, name) in [Some(&out), rejects.as_ref()].into_iter().flatten() {
        if id.is_some() && *id == log_id {
            let message =
                format!("{name} is the log and would be overwritten: name another output");
            return Err(Error::message(message));
        }
    }
    let Some((rejects_id, rejects)) = rejects else { return Ok(()) };
    let are_one = match (&out.0, &rejects_id) {
        (Some(out), Some(rejects)) => out == rejects,
        _ => are_one_place(files),
    };
    if are_one {
        return Err(Error::message(format!(
            "{rejects} is the output and the rejects, which would overwrite each other: name two files"
        )));
    }
    Ok(())
}

/// Whether both outputs are one file that is not there yet.
fn are_one_place(files: &Files<'_>) -> bool {
    let (Some(out), Some(rejects)) = (files.out, files.rejects) else { return false };
    let is_missing = !out.exists() && !rejects.exists();
    is_missing && std::path::absolute(out).ok() == std::path::absolute(rejects).ok()
}

/// Tells regular files apart, by whatever name: device and inode.
#[cfg(unix)]
type Id = (u64, u64);
/// Tells regular files apart: the path without links.
#[cfg(not(unix))]
type Id = std::path::PathBuf;

/// `None` for what is no regular file, such as a device or a pipe.
#[cfg(unix)]
fn id_of(_: &Path, data: &Metadata) -> Option<Id> {
    use std::os::unix::fs::MetadataExt;

    data.is_file().then(|| (data.dev(), data.ino()))
}

/// `None` for what is no regular file, such as a device or a pipe.
#[cfg(not(unix))]
fn id_of(path: &Path, data: &Metadata) -> Option<Id> {
    data.is_file().then(|| fs::canonicalize(path).ok()).flatten()
}

#[cfg(unix)]
fn id_of_open(file: &impl std::os::fd::AsFd) -> Option<Id> {
    let file = fs::File::from(file.as_fd().try_clone_to_owned().ok()?);
    id_of(Path::new(""), &file.metadata().ok()?)
}

#[cfg(unix)]
fn id_of_stdin() -> Option<Id> {
    id_of_open(&std::io::stdin())
}

#[cfg(unix)]
fn id_of_stdout() -> Option<Id> {
    id_of_open(&std::io::stdout())
}

#[cfg(not(unix))]
fn id_of_stdin() -> Option<Id> {
    None
}

#[cfg(not(unix))]
fn id_of_stdout() -> Option<Id> {
    None
}
