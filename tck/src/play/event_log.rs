//! Where events go besides the trace, so that they outlive the process: a file, if there is one.

use std::{
    fs::File,
    io::Write as _,
    sync::{Mutex, OnceLock, PoisonError},
};

use crate::trace::Event;

/// Stands before the events of each run.
pub(crate) const BEGIN: &str = "# run";

static SINK: OnceLock<Mutex<File>> = OnceLock::new();

/// From now on, events are also written here. Only the first file counts.
#[cfg(feature = "cli")]
pub(crate) fn open(file: File) {
    drop(SINK.set(Mutex::new(file)));
}

/// A run begins.
pub(crate) fn begin() {
    write(|| BEGIN.to_owned());
}

/// An event was recorded.
pub(crate) fn note(event: &Event) {
    write(|| event.to_string());
}

fn write(line: impl FnOnce() -> String) {
    if let Some(sink) = SINK.get() {
        let mut file = sink.lock().unwrap_or_else(PoisonError::into_inner);
        // One write to a line, without a buffer: the process may be gone at any moment. A disk that
        // is full costs the tail of a trace, but no verdict.
        drop(file.write_all(format!("{}\n", line()).as_bytes()));
    }
}
