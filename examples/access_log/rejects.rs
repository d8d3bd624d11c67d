//! The side output: lines that are not in the combined format.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use millstream::Error;

use crate::batch::Batch;

/// Where malformed lines go.
pub(crate) struct Rejects {
    file: Option<BufWriter<File>>,
}

impl Rejects {
    /// Writes them to `file`, or drops them.
    pub(crate) fn new(file: Option<File>) -> Self {
        Self { file: file.map(BufWriter::new) }
    }

    /// Takes those of a batch, in the order of the log.
    pub(crate) fn take(&mut self, batch: &Batch) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        for (number, reason, line) in batch.rejects() {
            write!(file, "{number}: {reason}: ")
                .and_then(|()| file.write_all(line))
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|cause| error(&cause))?;
        }
        Ok(())
    }

    /// Writes what is left. Nothing is written afterwards, so that no line is cut by the end of the
    /// process.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.flush().map_err(|cause| error(&cause))
    }
}

/// Without the cause as its source: a closed pipe here is not a reader who has seen enough.
fn error(cause: &io::Error) -> Error {
    Error::message(format!("cannot write the rejects: {cause}"))
}
