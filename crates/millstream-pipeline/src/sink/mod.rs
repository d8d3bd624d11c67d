//! Where items go.

mod file;
mod lines;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "tcp")]
mod tcp;

use std::{
    io::{self, Write as _},
    time::Duration,
};

use millstream::{Error, ErrorKind};
use serde_json::Value;

#[cfg(feature = "remote")]
pub(crate) use self::remote::Remote;
#[cfg(feature = "tcp")]
use self::tcp::LineSocket;
use self::{file::Rotating, lines::write_line};
use crate::{
    FileSink, Service, SinkSpec, SourceSpec, Spec,
    net::Net,
    record::{Receipt, Record},
};

/// Writes what arrives.
pub(crate) enum Sink {
    Stdout {
        out: io::Stdout,
        line: Vec<u8>,
    },
    File(Box<Rotating>),
    Null,
    #[cfg(feature = "tcp")]
    Tcp(LineSocket),
}

/// Where items go.
pub(crate) enum Destination {
    /// Several at a time are written by whoever has them.
    Local(Sink),
    /// Each takes so long, by a clock that is moved.
    Simulated(Service),
    /// Each is sent, and many are on their way.
    #[cfg(feature = "remote")]
    Remote(Remote),
}

impl Destination {
    /// # Errors
    ///
    /// It cannot be opened.
    #[cfg_attr(
        not(feature = "remote"),
        expect(unused_variables, reason = "nothing talks to servers")
    )]
    pub(crate) fn open(spec: &Spec, net: &Net) -> Result<Self, Error> {
        Ok(Self::Local(match &spec.sink {
            SinkSpec::Stdout(_) => Sink::Stdout { out: io::stdout(), line: Vec::new() },
            SinkSpec::File(file) => Sink::File(Box::new(Rotating::open(file)?)),
            SinkSpec::Null(_) => Sink::Null,
            #[cfg(feature = "tcp")]
            SinkSpec::Tcp(tcp) => Sink::Tcp(LineSocket::open(tcp)?),
            #[cfg(feature = "remote")]
            #[allow(unreachable_patterns, reason = "a build may have no sink that sends")]
            _ => return Remote::open(spec, net).map(Self::Remote),
        }))
    }

    /// One of this speed, or of any.
    pub(crate) fn simulated(service: Option<Service>) -> Self {
        service.map_or(Self::Local(Sink::Null), Self::Simulated)
    }

    /// Nothing is written to a file that is read.
    pub(crate) fn refuse_the_source(&self, source: &SourceSpec) -> Result<(), Error> {
        match self {
            Self::Local(sink) => sink.refuse_the_source(source),
            Self::Simulated(_) => Ok(()),
            #[cfg(feature = "remote")]
            Self::Remote(_) => Ok(()),
        }
    }
}

impl Sink {
    fn refuse_the_source(&self, source: &SourceSpec) -> Result<(), Error> {
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
            _ => Ok(()),
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
            #[cfg(feature = "tcp")]
            Self::Tcp(socket) => socket.write(values),
        }
    }

    /// Everything has been written: has it be on the disk.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::File(file) => file.finish(),
            #[cfg(feature = "tcp")]
            Self::Tcp(socket) => socket.finish(),
            Self::Stdout { .. } | Self::Null => Ok(()),
        }
    }
}

/// What an item in the sink weighs as a line, about, and how long it took.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

/// An item in the sink.
pub(crate) fn arrive(record: Record, now: Duration) -> (Value, Receipt, Arrival) {
    let took = now.saturating_sub(record.born);
    let (value, receipt) = record.arrived();
    let bytes = Record::bytes(&value);
    (value, receipt, Arrival { bytes, took })
}

/// The path of a file sink, for messages.
fn shown(file: &FileSink) -> String {
    file.path.display().to_string()
}
