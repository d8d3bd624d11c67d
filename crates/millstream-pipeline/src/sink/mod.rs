//! Where items go.

mod file;
mod lines;

use std::{
    io::{self, Write as _},
    time::Duration,
};

use millstream::{Error, ErrorKind};
use serde_json::Value;

use self::{file::Rotating, lines::write_line};
use crate::{FileSink, SinkSpec, SourceSpec, record::Record};

/// Writes what arrives.
pub(crate) enum Sink {
    Stdout { out: io::Stdout, line: Vec<u8> },
    File(Box<Rotating>),
    Null,
}

impl Sink {
    /// # Errors
    ///
    /// It cannot be opened.
    pub(crate) fn open(spec: &SinkSpec) -> Result<Self, Error> {
        Ok(match spec {
            SinkSpec::Stdout(_) => Self::Stdout { out: io::stdout(), line: Vec::new() },
            SinkSpec::File(file) => Self::File(Box::new(Rotating::open(file)?)),
            SinkSpec::Null(_) => Self::Null,
        })
    }

    /// Nothing is written to a file that is read.
    pub(crate) fn refuse_the_source(&self, source: &SourceSpec) -> Result<(), Error> {
        let (Self::File(sink), SourceSpec::File(source)) = (self, source) else { return Ok(()) };
        if sink.is(&source.path) {
            let path = source.path.display();
            let why = format!("{path} is the source, and would be written over: name another sink");
            return Err(Error::new(ErrorKind::Other, why));
        }
        Ok(())
    }

    /// Everything could be opened: what the sink had before goes, unless it is added to.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        match self {
            Self::File(file) => file.begin(),
            Self::Stdout { .. } | Self::Null => Ok(()),
        }
    }

    /// Writes records, and has them be seen by others.
    pub(crate) fn write(&mut self, values: &[Value]) -> Result<(), Error> {
        match self {
            Self::Stdout { out, line } => {
                line.clear();
                values.iter().for_each(|value| write_line(value, line));
                out.write_all(line).and_then(|()| out.flush()).map_err(|cause| {
                    Error::with_source(ErrorKind::Io, "", cause).context("standard output")
                })
            }
            Self::File(file) => file.write(values),
            Self::Null => Ok(()),
        }
    }

    /// Everything has been written: has it be on the disk.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::File(file) => file.finish(),
            Self::Stdout { .. } | Self::Null => Ok(()),
        }
    }
}

/// An item in the sink: what it weighs as a line, about, and how long it took.
pub(crate) fn arrive(record: Record, now: Duration) -> (Value, u64, Duration) {
    let took = now.saturating_sub(record.born);
    let value = record.arrived();
    let bytes = Record::bytes(&value);
    (value, bytes, took)
}

/// The path of a file sink, for messages.
fn shown(file: &FileSink) -> String {
    file.path.display().to_string()
}
